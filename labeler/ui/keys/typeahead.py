"""Names that are typed, for more classes than keys: letters narrow the classes, ``enter`` takes the first."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from labeler.core.types import ClassInfo
from labeler.session.view import ClassCount


@dataclass(frozen=True, slots=True)
class Typed:
    """A name that is being typed; `place` = which of those that fit ``⏎`` takes."""

    text: str = ""
    place: int = 0


class Typeahead:
    """The name that is being typed on a screen, and the class of those that fit which the arrows chose."""

    def __init__(self) -> None:
        self.text = ""
        self._choice = Typed()  # which of the classes that fit, while the same is typed

    @property
    def typed(self) -> Typed:
        """The text that is typed, and which of the classes that fit ``enter`` takes."""
        return Typed(self.text, self._choice.place if self._choice.text == self.text else 0)

    def press(self, key: str, classes: Sequence[ClassCount]) -> bool:
        """Narrow the classes by one more key, or choose among them; False where the key does neither."""
        if narrows(key):
            self.text, self._choice = self.text + key, Typed()
        elif self.text and key == "backspace":
            self.text = self.text[:-1]
        elif self.text and key == "escape":
            self.text = ""
        elif self.text and key in ("up", "down"):
            fitting, step = len(matches(self.text, classes)), 1 if key == "down" else -1
            self._choice = Typed(self.text, (self.typed.place + step) % max(fitting, 1))
        else:
            return bool(self.text) and key == "space"
        return True

    def class_of(self, key: str, classes: Sequence[ClassCount]) -> ClassInfo | None:
        """The class that a key gives: its own, or with ``enter`` the one whose name is typed."""
        if not self.text:
            return next((count.info for count in classes if count.info.key == key), None)
        fitting = matches(self.text, classes) if key == "enter" else []
        return fitting[min(self.typed.place, len(fitting) - 1)].info if fitting else None


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
    # keyboards send a letter and its mark as one character or as two
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
