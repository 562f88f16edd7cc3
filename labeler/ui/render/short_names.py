"""Names in little room: a set of names shortened together, so that no two read alike and what differs stays in sight.

The middle gives way (``capit…A``, ``capit…B``), the end only where the beginning says which it is. Pure functions from
the names of all classes and a width in cells to text; whoever draws a class in little room asks here.
"""

from __future__ import annotations

import textwrap
import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import pairwise
from types import MappingProxyType

from rich.cells import cell_len, chop_cells

from labeler.core.text import display_safe

LONGEST = 2_000
"""Characters of a name as it is shown: the longest name there may be, each of its characters as an escape."""
_DOTS = "…"
_BEFORE = 4
"""Characters before the first that differs that may be shown with it, at most."""
_ENOUGH = 3
"""Cells of what differs that make a beginning enough."""


def full_name(name: str, names: Sequence[str] = ()) -> str:
    """All of a name as it is shown beside `names`."""
    return full_names((*names, name))[name]


# a key press draws the same names at the same widths as the one before; each entry may hold ten thousand of them
@lru_cache(maxsize=256)
def short_name(name: str, names: tuple[str, ...], width: int) -> str:
    """`name` in at most `width` cells, told from all of `names` if that room allows it.

    For places that have one line and no more, such as the caption of a thumbnail.
    """
    others = names if name in names else (*names, name)
    short = short_names(others, width).get(name)
    return short if short is not None else _cut_off(full_names(others)[name], width)


def name_lines(name: str, names: Sequence[str], width: int, most: int) -> list[str]:
    """`name` in at most `most` lines of `width` cells, all of it where it fits; more lines only if nothing less tells
    it from the others."""
    others = tuple(names) if name in names else (*names, name)
    whole, width = full_names(others)[name], max(width, 2)
    if len(lines := wrapped(whole, width, most)) <= most:
        return lines
    # a wide character that falls on the end of a line goes to the next one, and so takes a cell more
    short = short_names(others, width * most - (most - 1)).get(name)
    return wrapped(whole if short is None else short, width, most)


def wrapped(text: str, width: int, most: int) -> list[str]:
    """`text` in lines of `width` cells, between words if that takes no more than `most` lines."""
    by_words = textwrap.wrap(text, width, break_on_hyphens=False) if text.isascii() else []
    return by_words if by_words and len(by_words) <= most else chop_cells(text, width) or [""]


# few sets are alive at a time: all classes, and the parts of them that are in sight
@lru_cache(maxsize=16)
def full_names(names: tuple[str, ...]) -> Mapping[str, str]:
    """Return what is shown of each name: its marks are spelled out where it would look like another one."""
    shown = {name: display_safe(name, LONGEST) for name in names}
    times = Counter(map(_looks, shown.values()))
    for name, text in shown.items():
        if times[_looks(text)] > 1 and _looks(text) != text:
            shown[name] = "".join(_spelled(char) for char in text)
    return MappingProxyType(shown)


@lru_cache(maxsize=128)
def short_names(names: tuple[str, ...], width: int) -> Mapping[str, str]:
    """Each name in at most `width` cells, no two alike; a name that cannot be told from another so is left out."""
    parts = {name: _Parts(text) for name, text in full_names(names).items()}
    short = {name: part.text for name, part in parts.items() if part.cells <= width}
    # names that fit as they are keep their places: what is shortened has to differ from them
    taken = Counter(_looks(text) for text in short.values())
    short = {name: text for name, text in short.items() if taken[_looks(text)] == 1}
    shortener = _Shortener(list(parts.values()), width)
    for name, part in parts.items():
        if part.cells > width > 0:
            text = next((text for text in shortener.candidates(part) if not taken[_looks(text)]), None)
            if text is not None:
                short[name] = text
                taken[_looks(text)] += 1
    return MappingProxyType(short)


class _Parts:
    """A text in characters with their marks, and how many cells they take up to each."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.chars = _with_marks(text)
        self.up_to = [0]
        for char in self.chars:
            self.up_to.append(self.up_to[-1] + cell_len(char))
        self.cells = self.up_to[-1]

    def head(self, width: int) -> str:
        """The beginning, in at most `width` cells."""
        return self.middle(0, width)

    def middle(self, start: int, width: int) -> str:
        """Return the part that begins with the character at `start`, in at most `width` cells."""
        end = start
        while end < len(self.chars) and self.up_to[end + 1] - self.up_to[start] <= width:
            end += 1
        return "".join(self.chars[start:end])

    def tail(self, width: int) -> str:
        """The end, in at most `width` cells."""
        start = len(self.chars)
        while start and self.cells - self.up_to[start - 1] <= width:
            start -= 1
        return "".join(self.chars[start:])


class _Shortener:
    """Ways to cut a text of a set, the best first."""

    def __init__(self, parts: Sequence[_Parts], width: int) -> None:
        self._parts, self._width = parts, width
        self._counts: dict[int, Counter[tuple[str, str]]] = {}
        self._differs = _where_they_differ(parts)

    def candidates(self, part: _Parts) -> Iterator[str]:
        """Texts of at most the width: such as fit no other text first, then any."""
        width, differs = self._width, self._differs[part.text]
        rest = part.cells - part.up_to[min(differs, len(part.chars))]
        own = [rest] if 0 < rest <= width - 2 else []
        shows_enough = part.up_to[min(differs, len(part.chars))] + _ENOUGH < width
        # no end where the beginning says which it is, else first all that follows the difference
        tails = list(dict.fromkeys([0, *own] if shows_enough else [*own, 0])) + list(range(1, width - 1))
        for tail in tails:
            if self._is_clear(part, tail):
                yield self._cut(part, tail)
        around = list(self._around(part, differs))
        yield from (f"{head}{_DOTS}{middle}" for head, middle in around if self._fits_alone(head, middle))
        yield from (f"{head}{_DOTS}{middle}" for head, middle in around)
        for tail in sorted(tails, key=lambda tail: abs(2 * tail - width)):
            yield self._cut(part, tail)

    def _ends(self, part: _Parts, tail: int) -> tuple[str, str]:
        return part.head(self._width - 1 - tail), part.tail(tail)

    def _cut(self, part: _Parts, tail: int) -> str:
        head, end = self._ends(part, tail)
        return f"{head.rstrip() if not end else head}{_DOTS}{end}"

    def _is_clear(self, part: _Parts, tail: int) -> bool:
        """Whether no other text begins and ends so."""
        if tail not in self._counts:
            self._counts[tail] = Counter(self._ends(other, tail) for other in self._parts)
        return self._counts[tail][self._ends(part, tail)] == 1

    def _fits_alone(self, head: str, middle: str) -> bool:
        """Whether only one text begins so and holds that further on."""
        held = middle.rstrip(_DOTS)
        return sum(other.text.startswith(head) and held in other.text[len(head) :] for other in self._parts) == 1

    def _around(self, part: _Parts, differs: int) -> Iterator[tuple[str, str]]:
        """The beginning, and the place where it differs with dots behind."""
        for first in range(min(self._width // 3, differs), -1, -1):
            room = self._width - first - 1
            for start in range(differs, max(differs - _BEFORE, -1), -1):
                middle = part.middle(start, room)
                if not part.text.endswith(middle):
                    middle = part.middle(start, room - 1) + _DOTS
                if room > 1 and len(middle) > 1:
                    yield part.head(first), middle


def _where_they_differ(parts: Sequence[_Parts]) -> dict[str, int]:
    """Return, by text, the first character in which it differs from the one that is most like it at the beginning."""
    # in this order neighbors share the longest beginning, so nobody is compared with everybody
    ordered = sorted(parts, key=lambda part: part.chars)
    starts: dict[str, int] = {part.text: 0 for part in parts}
    for part, other in pairwise(ordered):
        common = next(
            (place for place, (a, b) in enumerate(zip(part.chars, other.chars, strict=False)) if a != b),
            min(len(part.chars), len(other.chars)),
        )
        for text in (part.text, other.text):
            starts[text] = max(starts[text], common)
    return starts


def _with_marks(text: str) -> list[str]:
    """Characters, each with the marks that combine with it."""
    chars: list[str] = []
    for char in text:
        if chars and unicodedata.category(char).startswith("M"):
            chars[-1] += char
        else:
            chars.append(char)
    return chars


def _looks(text: str) -> str:
    """The same for texts that look the same."""
    return unicodedata.normalize("NFC", text)


def _spelled(char: str) -> str:
    return char.encode("unicode_escape").decode("ascii") if unicodedata.category(char).startswith("M") else char


def _cut_off(text: str, width: int) -> str:
    part = _Parts(text)
    return text if part.cells <= width else f"{part.head(width - 1)}{_DOTS}" if width > 0 else ""


@lru_cache(maxsize=16)
def longest(names: tuple[str, ...]) -> int:
    """Cells of the longest of them as it is shown."""
    return max((cell_len(text) for text in full_names(names).values()), default=0)
