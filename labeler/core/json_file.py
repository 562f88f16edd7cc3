"""JSON files of any size, read an item at a time by ijson, within limits of depth and size."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

MAX_ITEM = 64 << 20
"""Bytes of one item at most: larger ones are no task or label, but an attempt to fill the memory."""
MAX_DEPTH = 1_000
"""Nesting at most, as of Python's own reader. ijson keeps a path for every level: memory by the square of the depth."""


@cache
def _reader() -> Any:
    return _backend()


def _backend() -> Any:
    """Return ijson's reader in C, or where its wheel has none the one in Python; never a yajl that lies around."""
    import ijson  # start-up: every source is looked at by importers that could read JSON, and few are JSON

    try:
        return ijson.get_backend("yajl2_c")
    except ImportError:
        return ijson.get_backend("python")


_BOM = b"\xef\xbb\xbf"
_STRING = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
_NO_BRACKET = bytes(set(range(256)) - set(b"[]{}"))


def items(path: Path, prefix: str) -> Iterator[Any]:
    """Yield the entries of an array: of the file itself (``item``), or of a member of its object (``images.item``).

    Raises
    ------
    ValueError
        The file is not JSON, begins otherwise, or passes a limit; the message is one line.
    """
    return _values(path, _reader().items, prefix, len(prefix.split(".")))


def members(path: Path, prefix: str) -> Iterator[tuple[str, Any]]:
    """Yield (name, value) of each member of the object called `prefix` in the file's. Raises as :func:`items`."""
    return _values(path, _reader().kvitems, prefix, len(prefix.split(".")) + 1)


def _values(path: Path, reader: Callable[..., Iterator[Any]], prefix: str, depth: int) -> Iterator[Any]:
    from ijson import JSONError  # start-up: as in `_backend`

    number = 0
    with path.open("rb") as stream:
        guard = _Guard(stream, b"[" if prefix == "item" else b"{", depth)
        try:
            # use_float: without it a whole number of more digits than Python reads ends the process within ijson's C
            for number, value in enumerate(reader(guard, prefix, use_float=True), 1):  # noqa: B007 - see below
                yield value
        except (JSONError, UnicodeDecodeError) as error:
            if not guard.refusal and path.stat().st_size > MAX_ITEM:
                raise ValueError(" ".join(str(error).partition("\n")[0].split())) from error
        else:
            if not guard.refusal:
                return
    if guard.refusal:
        raise ValueError(guard.refusal)
    # Python's own reader takes more than ijson's: NaN, whole numbers of any length, names that are not UTF-8
    rest = _read_whole(path, prefix)
    yield from islice(rest.items() if isinstance(rest, dict) else rest, number, None)


def _read_whole(path: Path, prefix: str) -> Any:
    try:
        value = json.loads(path.read_bytes().decode("utf-8-sig", "surrogateescape"))
    except RecursionError:
        raise ValueError("nested too deeply") from None
    for name in prefix.removesuffix("item").rstrip(".").split("."):
        value = value.get(name, {}) if name else value
    return value


class _Guard:
    """A file of bytes that ends, as it is read, where it passes a limit; `refusal` then says which."""

    def __init__(self, stream: BinaryIO, opening: bytes, depth: int) -> None:
        self._stream, self._opening, self._item_depth = stream, opening, depth
        self._depth = self._size = 0
        self._lead = b""  # of the last chunk, put before the next: the quote of a string that goes on, half an escape
        self.refusal = ""

    def read(self, size: int = -1) -> bytes:
        """Read at most `size` bytes; none from where an item is too deep or too large, or none can come."""
        chunk = b"" if self.refusal else self._stream.read(size)
        if self._opening and chunk.strip():
            chunk = chunk.removeprefix(_BOM)
            if not chunk.lstrip().startswith(self._opening):
                self.refusal = f"{self._opening.decode()} is missing"
            self._opening = b""
        self._measure(chunk)
        if self._depth > MAX_DEPTH:
            self.refusal = "nested too deeply"
        elif self._size > MAX_ITEM:
            self.refusal = f"one item is larger than {MAX_ITEM:,} bytes"
        return b"" if self.refusal else chunk

    def _measure(self, chunk: bytes) -> None:
        outside, quote, inside = _STRING.sub(b"", self._lead + chunk).partition(b'"')
        half_escape = (len(inside) - len(inside.rstrip(b"\\"))) % 2
        self._lead = quote + b"\\" * half_escape
        closers, openers = _unmatched(outside.translate(None, _NO_BRACKET))
        lowest = self._depth - closers
        self._depth = lowest + openers
        # an item ends where the depth comes down to that of the items, outside a string
        self._size = 0 if outside and lowest <= self._item_depth else self._size + len(chunk)


def _unmatched(brackets: bytes) -> tuple[int, int]:
    """Count the brackets that close what was opened before, and those that stay open; or more than the limit."""
    for _ in range(MAX_DEPTH):
        shorter = brackets.replace(b"[]", b"").replace(b"{}", b"")
        if len(shorter) == len(brackets):
            closers = len(brackets) - len(brackets.lstrip(b"]}"))
            return closers, len(brackets) - closers
        brackets = shorter
    return 0, MAX_DEPTH + 1
