"""Whether answers are missing from a write-ahead log: where SQLite cannot read on, it drops the rest without a word.

What was committed is in two places besides the frames that still hold: the index of the log (``-shm``), which a killed
program leaves behind and which names a commit only once that is flushed, and the frames behind the damage.
Every event changes the page of SQLite's counter of events, so a lost frame of that page is a lost event. A power cut
tears what was not flushed: rounds and questions, which are made anew, and at most one event, the last, which was
never acknowledged. Such a tail is no damage.
Layouts: https://www.sqlite.org/fileformat2.html#walformat and https://www.sqlite.org/walformat.html
"""

from __future__ import annotations

import struct
import time
from dataclasses import dataclass
from enum import IntEnum
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from labeler.core import descriptors

_LOG_HEADER, _FRAME_HEADER, _INDEX_HEADER = 32, 24, 48
_MAGIC = (0x377F0682, 0x377F0683)  # the last bit: whether sums are over big-endian words
_INDEXED_FIRST, _INDEXED = 4062, 4096  # frames that the first block of an index has room for, and each later one
_BLOCK = 32768
_AT_ONCE = 1000
"""Frames whose sums are computed together: 4 MB of them take 30."""
CUT_SHORT = (
    "the log beside the project file is damaged: the answers given last may be missing (labeler check says more)"
)
MADE_ANEW = "what the machine made last was not on disk yet: it is made anew, no answer is missing"


class Missing(IntEnum):
    """The part of what was committed to a log that it no longer holds."""

    NOTHING = 0
    DERIVED = 1
    """Rounds or questions: made anew."""
    EVENTS = 2


@dataclass(frozen=True, slots=True)
class Index:
    """The index of a log: frames up to the last commit, how many are in the database, each frame's page."""

    frames: int
    folded: int
    salts: bytes
    pages: NDArray[np.uint32]


@dataclass(frozen=True, slots=True)
class Evidence:
    """A log and its index as they lie on disk; to be taken before a connection reads, and so changes, them."""

    log: bytes
    index: Index | None
    stamp: tuple[object, ...] = ()

    def stands(self, project: Path) -> bool:
        """Whether nobody wrote since: what was read while somebody does is of several moments, and says nothing."""
        return self.stamp == _stamp(project)

    def missing(self, counter_page: int) -> Missing:
        """Return what was committed and cannot be read; `counter_page` is that of the table ``sqlite_sequence``."""
        frames = _frames(self.log)
        n_valid = _n_valid(self.log, frames)
        index = self.index if self.index is not None and not _is_older(self.index, self.log) else None
        behind = frames["page"][:0]
        if index is not None:
            holds = n_valid if index.salts == self.log[16:24] else 0
            behind = index.pages[max(holds, index.folded) : index.frames]
        if (behind == counter_page).any() or (len(behind) and not counter_page):  # without even its tables
            return Missing.EVENTS
        after = frames[max(n_valid, index.frames if index is not None else 0) :]
        after = after[after["salts"] == _salts(self.log, frames)]
        counts = np.flatnonzero(after["page"] == counter_page)
        if len(counts):
            commits = np.flatnonzero(after["size"][counts[0] :])
            if len(commits) and counts[0] + commits[0] + 1 < len(after):  # it was flushed before the next was written
                return Missing.EVENTS
        return Missing.DERIVED if len(behind) else Missing.NOTHING


def evidence(project: Path) -> Evidence:
    """Read the log beside a project file and its index; empty and None where there are none."""
    stamp = _stamp(project)  # first: what changes while the rest is read shows
    return Evidence(_read(project, "-wal"), _index(project), stamp)


def _stamp(project: Path) -> tuple[object, ...]:
    """Return values that change when somebody writes in a project file or its log."""
    stamp: list[object] = []
    for suffix in ("", "-wal"):
        try:
            status = project.with_name(project.name + suffix).stat()
        except OSError:
            continue
        if status.st_size:  # a reader makes an empty log where there is none
            stamp.append((suffix, status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns))
    return tuple(stamp)


def _index(project: Path) -> Index | None:
    """The index beside a project file; None where there is none, it is being written, or older than the last start.

    It lives in memory that is never flushed: after the machine went down, what is on disk is of any moment.
    """
    content = _read(project, "-shm")
    first, second = content[:_INDEX_HEADER], content[_INDEX_HEADER : 2 * _INDEX_HEADER]
    # its header is there twice, and differs while somebody writes it
    if len(content) < _BLOCK or first != second or not _is_of_this_start(project):
        return None
    frames = struct.unpack_from("=I", first, 16)[0]
    folded = struct.unpack_from("=I", content, 2 * _INDEX_HEADER)[0]
    # behind the two headers of 48 bytes and 40 of what a checkpoint notes
    blocks = [np.frombuffer(content[136 : 136 + 4 * _INDEXED_FIRST], np.uint32)]
    blocks += [
        np.frombuffer(content[start : start + 4 * _INDEXED], np.uint32)
        for start in range(_BLOCK, len(content) - 4 * _INDEXED + 1, _BLOCK)
    ]
    pages = np.concatenate(blocks)
    return Index(frames, min(folded, frames), first[32:40], pages) if frames <= len(pages) else None


def _is_of_this_start(project: Path) -> bool:
    try:
        changed = project.with_name(project.name + "-shm").stat().st_mtime
        started = time.time() - time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))
    except (OSError, AttributeError):
        return True
    return changed >= started - 60  # clocks are set


def _is_older(index: Index, log: bytes) -> bool:
    """Whether an index is of a run before the log's: the first salt counts the runs, and each begins folded in."""
    if index.salts == log[16:24] or not _has_header(log):
        return False
    runs = struct.unpack(">I", log[16:20])[0] - struct.unpack(">I", index.salts[:4])[0]
    return bool(0 < runs % (1 << 32) < 1 << 31)


def _has_header(log: bytes) -> bool:
    """Whether the first bytes of a log are those that SQLite wrote."""
    if len(log) < _LOG_HEADER or struct.unpack_from(">I", log)[0] not in _MAGIC:
        return False
    words = np.frombuffer(log[:24], _words(log)).astype(np.uint64)
    first, second = 0, 0
    for one, other in words.reshape(-1, 2).tolist():
        first = (first + one + second) % (1 << 32)
        second = (second + other + first) % (1 << 32)
    return (first, second) == struct.unpack_from(">II", log, 24)


def _words(log: bytes) -> str:
    return ">u4" if struct.unpack_from(">I", log)[0] & 1 else "<u4"


def _frames(log: bytes) -> NDArray[np.void]:
    """The frames of a log as records; none where it has not even a header's length."""
    if len(log) < _LOG_HEADER:
        size = 4096
    else:
        size = struct.unpack_from(">I", log, 8)[0]
        size = 65536 if size == 1 else size if size in [1 << power for power in range(9, 16)] else 4096
    record = np.dtype([("page", ">u4"), ("size", ">u4"), ("salts", ">u8"), ("sums", ">u4", 2), ("data", f"V{size}")])
    count = max(len(log) - _LOG_HEADER, 0) // record.itemsize
    return np.frombuffer(log, record, count, _LOG_HEADER) if count else np.empty(0, record)


def _salts(log: bytes, frames: NDArray[np.void]) -> int:
    """The salts of the run that the frames are of: the header's, or where that is damaged those of the first."""
    if _has_header(log) or not len(frames):
        return int(struct.unpack_from(">Q", log, 16)[0]) if len(log) >= _LOG_HEADER else 0
    return int(frames["salts"][0])


def _n_valid(log: bytes, frames: NDArray[np.void]) -> int:
    """Return how many frames SQLite reads: those with the header's salts and right sums, up to the last commit."""
    if not len(frames) or not _has_header(log):
        return 0
    at_first, at_second = struct.unpack_from(">II", log, 24)
    salts, n_valid = _salts(log, frames), 0
    for start in range(0, len(frames), _AT_ONCE):
        block = frames[start : start + _AT_ONCE]
        power, first, second = _sums(log, block)
        for number, frame in enumerate(block):
            at_first, at_second = (
                (power[0] * at_first + power[1] * at_second + int(first[number])) % (1 << 32),
                (power[2] * at_first + power[3] * at_second + int(second[number])) % (1 << 32),
            )
            if int(frame["salts"]) != salts or (at_first, at_second) != tuple(map(int, frame["sums"])):
                return n_valid
            if frame["size"]:  # only the last frame of a commit has it: what comes behind was never committed
                n_valid = start + number + 1
    return n_valid


def _sums(log: bytes, frames: NDArray[np.void]) -> tuple[list[int], NDArray[np.uint32], NDArray[np.uint32]]:
    """(what a frame makes of the sums before it, what each adds to the first and to the second running sum).

    The sums are s1 += a + s2, s2 += b + s1: linear modulo 2^32, so that a frame's share is a product with powers of
    [[1, 1], [1, 2]], whatever stood before.
    """
    size = frames.dtype["data"].itemsize
    raw = np.frombuffer(frames.tobytes(), np.uint8).reshape(len(frames), _FRAME_HEADER + size)
    covered = np.ascontiguousarray(np.concatenate([raw[:, :8], raw[:, _FRAME_HEADER:]], axis=1))
    words = covered.view(_words(log)).astype(np.uint32)
    a, b = words[:, ::2], words[:, 1::2]
    whole = _powers(a.shape[1])
    powers = whole[1:]  # of the pairs that come behind each
    with np.errstate(over="ignore"):  # they are meant to wrap around
        first = (powers[:, 0] * a + powers[:, 1] * (a + b)).sum(axis=1, dtype=np.uint32)
        second = (powers[:, 2] * a + powers[:, 3] * (a + b)).sum(axis=1, dtype=np.uint32)
    return whole[0].tolist(), first, second


@cache
def _powers(count: int) -> NDArray[np.uint32]:
    """(count + 1, 4) uint32: the matrix of one pair to the power count, ..., 1, 0, modulo 2^32."""
    rows = [(1, 0, 0, 1)]
    for _ in range(count):
        one, two, three, four = rows[-1]
        rows.append(tuple(n % (1 << 32) for n in (one + three, two + four, one + 2 * three, two + 2 * four)))  # type: ignore[arg-type]
    return np.array(rows[::-1], dtype=np.uint32)


def _read(project: Path, suffix: str) -> bytes:
    try:
        return descriptors.read(project.with_name(project.name + suffix))
    except OSError:
        return b""
