"""When there are more classes than keys: letters and digits narrow the classes, ``enter`` takes the first."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from functools import lru_cache

from labeler.core.types import ClassInfo
from labeler.session.view import ClassCount


def needed(classes: Sequence[ClassCount]) -> bool:
    """Whether some class has no key of its own."""
    return any(not count.info.key for count in classes)


def narrows(key: str) -> bool:
    """Whether a key is one that narrows: small letters, digits, and in scripts without capitals every letter and mark.

    Capitals command where there is a command of that letter; those of other scripts than Latin are letters as well.
    """
    if len(key) != 1:
        return False
    if key.isascii():
        return key.islower() or key.isdigit()
    return key.isalnum() or _is_mark(key)


def matches(typed: str, classes: Sequence[ClassCount]) -> list[ClassCount]:
    """The classes that fit what was typed, best first: just that name, that name but for capitals, the key, the
    beginning, a word's beginning, anywhere in it."""
    if not typed:
        return list(classes)
    typed = unicodedata.normalize("NFC", typed)
    wanted = _folded(typed)
    ranked = [(_rank(typed, wanted, count.info), place, count) for place, count in enumerate(classes)]
    return [count for rank, _, count in sorted(ranked, key=lambda item: item[:2]) if rank < _NO_MATCH]


_NO_MATCH = 7


@lru_cache(maxsize=10_000)
def _forms(name: str) -> tuple[str, str, tuple[str, ...], str]:
    """The name, without capitals, its words, and these without what lies between them."""
    whole, folded = unicodedata.normalize("NFC", name), _folded(name)
    words = "".join(char if char.isalnum() or _is_mark(char) else " " for char in folded).split()
    return whole, folded, tuple(words), "".join(words)


def _rank(typed: str, wanted: str, info: ClassInfo) -> int:
    whole, name, words, together = _forms(info.name)
    fits = (
        whole == typed,
        name == wanted or together == wanted,
        typed == info.key,
        whole.startswith(typed),
        name.startswith(wanted) or together.startswith(wanted),
        any(word.startswith(wanted) for word in words),
        wanted in together,
    )
    return fits.index(True) if True in fits else _NO_MATCH


def _folded(text: str) -> str:
    """The same for texts that differ in capitals, or in how a letter and its mark are put together."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold())


def _is_mark(char: str) -> bool:
    return unicodedata.category(char).startswith("M")
