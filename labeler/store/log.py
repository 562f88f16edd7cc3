"""Whether SQLite could read its write-ahead log to the end: where it cannot, it drops the rest without a word.

What was committed is in two places besides the log's own checksums: the index of the log (``-shm``), which a killed
program leaves behind, and the commit marks of the frames that come after the last one SQLite believes.
Layouts: https://www.sqlite.org/fileformat2.html#walformat and https://www.sqlite.org/walformat.html
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path

_LOG_HEADER, _FRAME_HEADER, _INDEX_HEADER = 32, 24, 48
CUT_SHORT = (
    "the log beside the project file is damaged: the answers given last may be missing (labeler check says more)"
)


@dataclass(frozen=True, slots=True)
class Index:
    """What the index of a log says of it: frames up to the last commit, and the salts of its present run."""

    frames: int
    salts: bytes


def index_of(project: Path) -> Index | None:
    """The index beside a project file; None where there is none, or it is being written."""
    try:
        with project.with_name(project.name + "-shm").open("rb") as file:
            first, second = file.read(_INDEX_HEADER), file.read(_INDEX_HEADER)
    except OSError:
        return None
    if len(second) < _INDEX_HEADER or first != second:
        return None
    return Index(struct.unpack_from("=I", first, 16)[0], first[32:40])


def is_cut_short(project: Path, before: Index | None) -> bool:
    """Whether commits of a log are gone.

    To be asked once the file is open and read, with the index from before that, and while nobody else writes. A program
    killed between the two halves of a frame leaves one that looks like a lost commit: only marks with a frame behind
    them count.
    """
    now, log = index_of(project), _read(project)
    had = before is not None and before.frames > 0
    if len(log) < _LOG_HEADER:
        return had
    salts = log[16:24]
    if before is not None and had and (before.salts != salts or now is None or now.frames < before.frames):
        return True
    if now is None:
        return False
    size = _FRAME_HEADER + (struct.unpack_from(">I", log, 8)[0] or 65536)
    later = [
        log[start + 4 : start + 8] != bytes(4)
        for start in range(_LOG_HEADER + now.frames * size, len(log) - size + 1, size)
        if log[start + 8 : start + 16] == salts
    ]
    return any(later[:-1])


def _read(project: Path) -> bytes:
    try:
        return project.with_name(project.name + "-wal").read_bytes()
    except OSError:
        return b""
