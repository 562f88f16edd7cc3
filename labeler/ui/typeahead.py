"""When there are more classes than keys: small letters and digits narrow the classes, ``enter`` takes the first."""

from __future__ import annotations

from collections.abc import Sequence

from labeler.core.vocabulary import ClassInfo
from labeler.session.view import ClassCount


def needed(classes: Sequence[ClassCount]) -> bool:
    """Whether some class has no key of its own."""
    return any(not count.info.key for count in classes)


def narrows(key: str) -> bool:
    """Whether a key is one that narrows."""
    return len(key) == 1 and (key.islower() or key.isdigit())


def matches(typed: str, classes: Sequence[ClassCount]) -> list[ClassCount]:
    """The classes that fit what was typed, best first: its key, its beginning, a word's beginning, anywhere in it."""
    if not typed:
        return list(classes)
    ranked = [(_rank(typed, count.info), position, count) for position, count in enumerate(classes)]
    return [count for rank, _, count in sorted(ranked, key=lambda item: item[:2]) if rank < _NO_MATCH]


_NO_MATCH = 4


def _rank(typed: str, info: ClassInfo) -> int:
    name = info.name.lower()
    words = "".join(char if char.isalnum() else " " for char in name).split()
    together = "".join(words)
    if typed == info.key:
        return 0
    if name.startswith(typed) or together.startswith(typed):
        return 1
    if any(word.startswith(typed) for word in words):
        return 2
    return 3 if typed in together else _NO_MATCH
