"""Encodings of text files: UTF-8 or UTF-16 where it is, else the one of Windows, and that is said."""

from __future__ import annotations

import codecs
import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TextIO

EIGHT_BITS = ("cp1252", "latin-1")
"""Encodings of one byte a letter."""
_BLOCK = 1 << 20
_UNDEFINED = frozenset(b"\x81\x8d\x8f\x90\x9d")  # no letters in Windows-1252
# enough for a mark, and to see the zeros of UTF-16 without one
_LOOK = 4_096


@dataclass(frozen=True, slots=True)
class Encoding:
    """A name for `bytes.decode`, what becomes of bytes that are no letters, and a line where it had to be guessed."""

    name: str
    errors: str = "strict"
    note: str = ""


# UTF-32 before UTF-16: in little-endian order its mark begins with the one of UTF-16
_MARKS = (
    (b"\xef\xbb\xbf", Encoding("utf-8-sig", "surrogateescape")),
    (codecs.BOM_UTF32_LE, Encoding("utf-32", "replace")),
    (codecs.BOM_UTF32_BE, Encoding("utf-32", "replace")),
    (b"\xff\xfe", Encoding("utf-16", "replace")),
    (b"\xfe\xff", Encoding("utf-16", "replace")),
)
_UTF8 = Encoding("utf-8", "surrogateescape")


def encoding_of(stream: IO[bytes]) -> Encoding:
    """Read `stream` through, block by block, and say what it is written in; it is left at its end.

    UTF-8 and UTF-16 with a mark or without; where neither fits, Windows-1252, as spreadsheets save (Latin-1 where
    even that has no letter for a byte). A text that is UTF-8 but for a few bytes stays it, with these as surrogates.
    """
    head = stream.read(_LOOK)
    for mark, encoding in _MARKS:
        if head.startswith(mark):
            return encoding
    if (wide := _without_mark(head)) is not None:
        return wide
    decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
    letters = strange = 0
    undefined = False
    block = head
    while True:
        # plain ASCII needs no decoding, unless the block before ended within a letter
        if not block.isascii() or decoder.getstate()[0]:
            text = decoder.decode(block, final=not block)
            wrong = sum("\udc80" <= char <= "\udcff" for char in text) if not _is_sound(text) else 0
            strange += wrong
            letters += sum(char > "\x7f" for char in text) - wrong
            undefined = undefined or not _UNDEFINED.isdisjoint(block)
        if not block:
            break
        block = stream.read(_BLOCK)
    if not strange:
        return _UTF8
    if letters > strange:
        return Encoding("utf-8", "surrogateescape", f"{strange:,} bytes are no UTF-8: they stay as they are")
    name, called = ("latin-1", "Latin-1") if undefined else ("cp1252", "Windows-1252")
    return Encoding(name, "strict", f"not UTF-8, read as {called}: if letters look wrong, save it as UTF-8")


def encoding_of_bytes(content: bytes) -> Encoding:
    """The same of bytes at hand."""
    return encoding_of(io.BytesIO(content))


def encoding_of_file(path: Path) -> Encoding:
    """The same of a file; raises OSError."""
    with path.open("rb") as stream:
        return encoding_of(stream)


@contextmanager
def opened_text(path: Path, encoding: Encoding) -> Iterator[TextIO]:
    """A file as text, its line ends as they are."""
    with path.open("rb") as raw:
        yield io.TextIOWrapper(raw, encoding.name, encoding.errors, newline="")


def _without_mark(head: bytes) -> Encoding | None:
    """UTF-16 that does not say so: every second byte of what is mostly ASCII is zero."""
    pairs = len(head) // 2
    if pairs < 2 or b"\0" not in head:
        return None
    even, odd = (head[start : 2 * pairs : 2].count(0) / pairs for start in (0, 1))
    if odd > 0.6 and even < 0.1:
        return Encoding("utf-16-le", "replace")
    return Encoding("utf-16-be", "replace") if even > 0.6 and odd < 0.1 else None


def _is_sound(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
