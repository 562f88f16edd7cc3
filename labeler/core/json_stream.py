"""JSON files of any size, read one item at a time: the entries of an array, the members of an object."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from typing import Any, TextIO

CHUNK = 1 << 18
MAX_ITEM = 64 << 20
"""Characters of one item at most: larger ones are no task or label, but an attempt to fill the memory."""

_SPACE = " \t\r\n"
_AFTER = (*_SPACE, ",", "]", "}", ":")
_decode = json.JSONDecoder().raw_decode


def array_items(stream: TextIO) -> Iterator[Any]:
    """The entries of the array that `stream` holds.

    Raises
    ------
    ValueError
        It holds no array, or something that is not JSON.
    """
    text = _Text(stream)
    yield from text.entries()
    text.end()


def object_members(stream: TextIO, opened: str) -> Iterator[tuple[tuple[str, ...], Any]]:
    """The members of the object that `stream` holds: ((name,), value), of the one called `opened` its own members one
    by one as ((opened, name), value).

    Raises
    ------
    ValueError
        It holds no object, `opened` is none, or something is not JSON.
    """
    text = _Text(stream)
    for name in text.names():
        if name == opened:
            for inner in text.names():
                yield (name, inner), text.value()
        else:
            yield (name,), text.value()
    text.end()


def entries_of(stream: TextIO, opened: Collection[str]) -> Iterator[tuple[str, Any]]:
    """The entries of the arrays called one of `opened` in the object that `stream` holds, as (name, entry).

    Raises
    ------
    ValueError
        It holds no object, one of them is no array, or something is not JSON.
    """
    text = _Text(stream)
    for name in text.names():
        if name in opened:
            for entry in text.entries():
                yield name, entry
        else:
            text.value()
    text.end()


class _Text:
    """A window on a stream of JSON."""

    def __init__(self, stream: TextIO) -> None:
        self._stream, self._window, self._at, self._ended = stream, "", 0, False

    def names(self) -> Iterator[str]:
        """The names of an object's members; whoever asks takes the value before the next name."""
        self.expect("{")
        if self.take("}"):
            return
        while True:
            name = self.value()
            if not isinstance(name, str):
                raise ValueError("a member without a name")  # noqa: TRY004 - of a file, not of a caller
            self.expect(":")
            yield name
            if not self.take(","):
                break
        self.expect("}")

    def entries(self) -> Iterator[Any]:
        """The entries of an array."""
        self.expect("[")
        if self.take("]"):
            return
        while True:
            yield self.value()
            if not self.take(","):
                break
        self.expect("]")

    def value(self) -> Any:
        """The value that comes next, whole."""
        self._skip()
        wanted = CHUNK
        while True:
            try:
                found, end = _decode(self._window, self._at)
            except RecursionError:
                raise ValueError("nested too deeply") from None
            except ValueError:
                if self._ended:
                    raise
            else:
                # a number may go on where the window ends: after "1." comes its fraction
                whole = isinstance(found, (str, list, dict)) or self._window[end : end + 1] in _AFTER
                if (whole and end < len(self._window)) or self._ended:
                    self._at = end
                    return found
            if len(self._window) - self._at > MAX_ITEM:
                raise ValueError(f"one item is larger than {MAX_ITEM:,} characters")
            self._read(wanted)
            wanted *= 2  # an item that is tried again each time would take the square of its length

    def take(self, sign: str) -> bool:
        """Go past `sign` if it comes next."""
        self._skip()
        if self._window[self._at : self._at + 1] != sign:
            return False
        self._at += 1
        return True

    def expect(self, sign: str) -> None:
        """Go past `sign`; ValueError if something else comes."""
        if not self.take(sign):
            raise ValueError(f"{sign} is missing")

    def end(self) -> None:
        """ValueError if anything but space is left."""
        self._skip()
        if self._at < len(self._window):
            raise ValueError("something follows the end")

    def _skip(self) -> None:
        while True:
            while self._at < len(self._window) and self._window[self._at] in _SPACE:
                self._at += 1
            if self._at < len(self._window) or self._ended:
                return
            self._read(CHUNK)

    def _read(self, size: int) -> None:
        more = self._stream.read(size)
        self._ended = not more
        self._window, self._at = self._window[self._at :] + more, 0
