"""Valid files, changed: where bytes, lengths, cells and headers are bent, as hypothesis draws it.

Noise is refused at a file's first bytes. What finds mistakes is a file that is right but for one length, one
checksummed chunk, one cell; so every mutation starts from a valid file.
"""

from __future__ import annotations

import gzip
import io
import json
import struct
import zipfile
import zlib
from collections.abc import Callable, Sequence
from typing import Any

from hypothesis import strategies as st

NUMBERS = (0, 1, 2, 3, 7, 8, 16, 127, 128, 255, 256, 1024, 32767, 32768, 65535, 65536, 10**6, 2**24, 2**31 - 1, 2**31,
           2**32 - 1, 2**40, 2**63 - 1, 2**63, 2**64 - 1)  # fmt: skip
"""Lengths, counts and offsets at which readers err."""

CELLS = (
    "", " ", "0", "-1", "1e400", "nan", "NaN", "inf", "-Infinity", "1_000", "٣", "9" * 400, "9" * 5000, "²", "null",
    "true", '"', '""', "'", ",", ";", "\t", "\r", "\n", "\r\n",
    "\0", "\x1b]2;x\x07", "\x9b2J", "\u202e", "\u2028", "\ufeff",
    "\udce9", "\ud800", "[/x]", "[@click=app.quit]x[/]", "=1+1", "../../x", "/etc/passwd", "C:\\x", "{", "}", "[", "]",
    "[" * 3000, '{"a":' * 500, "x" * 140_000, ",x" * 300, "\n0" * 300, "path", "id", "label", "class", "escaped:%ZZ",
    "escaped:%uD800", "%s%n", "{0}", "目" * 50, "\U0001f600", ":", "=", "..", ".", "~", "'; DROP TABLE events; --",
)  # fmt: skip
"""What a cell, a name, a value or the gap between two may hold."""

_places = st.tuples(st.integers(0, 2), st.integers(0, 2**16 - 1))
_edits = st.lists(st.tuples(st.integers(0, 9), _places, st.integers(0, 2**16 - 1)), max_size=5)


def changed_bytes(seeds: Sequence[bytes]) -> st.SearchStrategy[bytes]:
    """One of `seeds`, with up to five edits."""
    return st.builds(lambda seed, edits: edited(seeds[seed], edits), st.integers(0, len(seeds) - 1), _edits)


def edited(content: bytes, edits: Sequence[tuple[int, tuple[int, int], int]]) -> bytes:
    """`content` after `edits` of (kind, (from where, how far), value)."""
    work = bytearray(content)
    for kind, (side, far), value in edits:
        at = _position(len(work), side, far)
        if kind == 0:  # one bit
            work[at : at + 1] = bytes(byte ^ (1 << value % 8) for byte in work[at : at + 1])
        elif kind == 1:  # one byte
            work[at : at + 1] = bytes([value % 256])
        elif kind in (2, 3, 4):  # a number of 2, 4 or 8 bytes, little end first or big
            size = (2, 4, 8)[kind - 2]
            number = NUMBERS[value % len(NUMBERS)] % 256**size
            work[at : at + size] = number.to_bytes(size, "little" if value >= 2**15 else "big")
        elif kind == 5:  # cut short
            del work[at:]
        elif kind == 6:  # a stretch is gone
            del work[at : at + 1 + value % 64]
        elif kind == 7:  # a stretch is there twice
            work[at:at] = work[at : at + 1 + value % 512]
        elif kind == 8:  # something in between
            work[at:at] = bytes([value % 256]) * (1 + value // 256)
        else:  # a stretch of zeros
            work[at : at + 1 + value % 128] = bytes(min(1 + value % 128, len(work) - at))
    return bytes(work)


def _position(length: int, side: int, far: int) -> int:
    """Near the beginning, near the end or anywhere: headers and directories stand at the ends."""
    if not length:
        return 0
    return (far % 96 % length, (length - 1 - far % 128) % length, far * length >> 16)[side]


def changed_text(seeds: Sequence[str]) -> st.SearchStrategy[bytes]:
    """One of the texts, with cells replaced, put in between or left out; in one of four encodings."""
    edits = st.lists(
        st.tuples(st.integers(0, 3), st.integers(0, 2**16 - 1), st.integers(0, len(CELLS) - 1) | st.text(max_size=8)),
        max_size=5,
    )

    def build(seed: int, changes: list[tuple[int, int, int | str]], encoding: int) -> bytes:
        text = seeds[seed]
        for kind, far, what in changes:
            spots = [i for i, char in enumerate(text) if char in ',;:\t\n"{}[]=/'] or [0]
            spot = spots[far * len(spots) >> 16]
            cell = CELLS[what] if isinstance(what, int) else what
            end = min((s for s in spots if s > spot), default=len(text))
            if kind == 0:
                text = text[: spot + 1] + cell + text[end:]
            elif kind == 1:
                text = text[:spot] + cell + text[spot:]
            elif kind == 2:
                text = text[:spot] + text[end:]
            else:
                text = text[:end] + text[spot:end] * (1 + far % 40) + text[end:]
        if encoding == 1:
            return text.encode("utf-16", "surrogatepass")
        if encoding == 3:
            return text.encode("latin-1", "replace")
        return (b"\xef\xbb\xbf" if encoding == 2 else b"") + as_file_bytes(text)

    return st.builds(build, st.integers(0, len(seeds) - 1), edits, st.sampled_from((0, 0, 0, 0, 1, 2, 3)))


def changed_json(objects: Sequence[Any]) -> st.SearchStrategy[bytes]:
    """Lines of JSON: `objects`, of which some keys, values or whole lines are something else."""
    leaf = st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from(CELLS) | st.text(max_size=6)
    value = leaf | st.lists(leaf, max_size=3) | st.dictionaries(st.sampled_from(CELLS), leaf, max_size=2)
    key = st.sampled_from(("path", "id", "ID", "label", "Class", "confidence", "provenance", "file_name", "", "\0"))
    change = st.tuples(st.integers(0, len(objects) - 1), st.integers(0, 3), key, value)

    def build(changes: list[tuple[int, int, str, Any]], ascii_only: bool) -> bytes:
        lines = [dict(item) for item in objects]
        for line, kind, name, what in changes:
            if kind == 0 and isinstance(lines[line], dict):
                lines[line].pop(name, None)
            elif kind == 1:
                lines[line] = what
            elif isinstance(lines[line], dict):
                lines[line][name] = what
        return as_file_bytes("\n".join(json.dumps(item, ensure_ascii=ascii_only) for item in lines))

    return st.builds(build, st.lists(change, max_size=4), st.booleans())


def as_file_bytes(text: str) -> bytes:
    """UTF-8, with the stray bytes of file names as they are; other surrogates as UTF-8 would write them."""
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogatepass")


# -- containers that are right around a content that is not ------------------------------------------------------------


def sometimes(wrap: Callable[[bytes], bytes], content: st.SearchStrategy[bytes]) -> st.SearchStrategy[bytes]:
    """`content`, wrapped for every second one."""
    return st.builds(lambda inner, is_wrapped: wrap(inner) if is_wrapped else inner, content, st.booleans())


def right_checksums(content: bytes) -> bytes:
    """A PNG whose chunks carry the checksums of what they hold, so that a reader goes on to believe it."""
    out, at = bytearray(content[:8]), 8
    while at + 12 <= len(content):
        (length,) = struct.unpack(">I", content[at : at + 4])
        body = content[at + 4 : at + 8 + length]
        out += content[at : at + 8 + length] + struct.pack(">I", zlib.crc32(body))
        at += 12 + length
    return bytes(out + content[at:])


def packed(content: bytes) -> bytes:
    """The content as a gzip."""
    return gzip.compress(content, 1, mtime=0)


def zipped(members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """The members as a zip."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0)), content, method)
    return out.getvalue()
