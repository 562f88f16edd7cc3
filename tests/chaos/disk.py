"""A model of a disk at a power cut: what was flushed is there, of the rest anything, lost, torn and out of order.

It takes what ``recorder.c`` wrote down of a session and builds the states that a cut may leave. Flushed content of a
file stays; a write since then is there or not, block by block; a name that was made, moved or removed since its folder
was flushed is as it was or as it is. A flush that failed loses for good what it should have flushed, though the program
still reads it (Linux marks such pages clean).
"""

from __future__ import annotations

import os
import random
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

_HEAD = struct.Struct("<c5q2H")
_HOW = ("nothing", "all", "beginning", "blocks", "blocks", "blocks", "all but one")


class Op(NamedTuple):
    """One thing that was done to a file or a name."""

    kind: str
    ino: int
    at: int
    size: int
    flags: int
    name: str
    other: str
    data: bytes


def recorded(log: Path) -> Iterator[Op]:
    """What a recorder wrote down, in order; a killed one may leave half a record."""
    content = log.read_bytes()
    place = 0
    while place + _HEAD.size <= len(content):
        kind, ino, at, size, flags, n, one, two = _HEAD.unpack_from(content, place)
        place += _HEAD.size
        name = os.fsdecode(content[place : place + one])
        other = os.fsdecode(content[place + one : place + one + two])
        place += one + two
        yield Op(kind.decode(), ino, at, size, flags, name, other, content[place : place + n])
        place += n


@dataclass
class File:
    """One file: what is flushed of it, and what was written since, in order."""

    flushed: bytearray = field(default_factory=bytearray)
    since: list[Op] = field(default_factory=list)

    def as_read(self) -> bytearray:
        """What the program reads."""
        content = bytearray(self.flushed)
        for op in self.since:
            apply(content, op)
        return content


def apply(content: bytearray, op: Op, start: int = 0, stop: int | None = None) -> None:
    """Do a write (from its byte `start` to `stop`) or a change of size to content."""
    if op.kind == "T":
        del content[op.size :]
        content.extend(bytes(op.size - len(content)))
        return
    piece = op.data[start:stop]
    begin = op.at + start
    content.extend(bytes(max(begin - len(content), 0)))
    content[begin : begin + len(piece)] = piece


class Disk:
    """A folder's files and names, flushed and not; `lost`: written before a flush that failed, never to be flushed."""

    def __init__(self, root: Path, before: dict[str, bytes]) -> None:
        self.root = str(root)
        self.files: dict[int, File] = {}
        self.names: dict[str, int] = {}  # as the program sees them
        self.flushed_names: dict[str, int] = {}
        self.changed_names: list[dict[str, int | None]] = []
        for number, (name, content) in enumerate(before.items()):
            self.files[-number - 1] = File(bytearray(content))
            self.names[name] = self.flushed_names[name] = -number - 1

    def do(self, op: Op) -> None:
        """Follow the program by one step."""
        match op.kind:
            case "O":
                self._open(op)
            case "W" | "T":
                self._file(op).since.append(op)
            case "S":
                file = self._file(op)
                file.flushed, file.since = file.as_read(), []
            case "F":
                self._file(op).since = []  # read for a while from memory, but that is the program's affair
            case "D":
                for change in self.changed_names:
                    self._settle(change)
                self.changed_names = []
            case "R":
                self._rename({op.other: self.names.get(op.name), op.name: None})
            case "L":
                self._rename({op.other: self.names.get(op.name)})
            case "U":
                self._rename({op.name: None})

    def _open(self, op: Op) -> None:
        if op.flags & 1 or op.name not in self.names:
            self.files[op.ino] = File()
            self._rename({op.name: op.ino})
        elif op.flags & 2:
            self._file(op).since.append(Op("T", op.ino, 0, 0, 0, op.name, "", b""))

    def _file(self, op: Op) -> File:
        if op.ino not in self.files:  # it was there before: known by its name until now
            known = self.names.get(op.name.removesuffix(" (deleted)"))
            self.files[op.ino] = self.files[known] if known is not None else File()
            for names in (self.names, self.flushed_names):
                for name, ino in names.items():
                    if ino == known:
                        names[name] = op.ino
            for change in self.changed_names:
                for name, ino in change.items():
                    if ino == known:
                        change[name] = op.ino
        return self.files[op.ino]

    def _rename(self, change: dict[str, int | None]) -> None:
        for name, ino in change.items():
            if ino is None:
                self.names.pop(name, None)
            else:
                self.names[name] = ino
        self.changed_names.append(change)

    def _settle(self, change: dict[str, int | None]) -> None:
        for name, ino in change.items():
            if ino is None:
                self.flushed_names.pop(name, None)
            else:
                self.flushed_names[name] = ino

    # -- after a cut -------------------------------------------------------------------------------------------------

    def cut(self, chance: random.Random) -> dict[str, bytes]:
        """Name -> content as a power cut may leave them now."""
        names = dict(self.flushed_names)
        n = len(self.changed_names)
        in_order = chance.random() < 0.5  # as journaling file systems keep it, or as POSIX allows
        last = chance.randint(0, n)
        for number, change in enumerate(self.changed_names):
            if number < last if in_order else chance.random() < 0.5:
                for name, ino in change.items():
                    if ino is None:
                        names.pop(name, None)
                    else:
                        names[name] = ino
        contents = {ino: self._torn(self.files[ino], chance) for ino in set(names.values())}
        return {name: contents[ino] for name, ino in names.items()}

    def _torn(self, file: File, chance: random.Random) -> bytes:
        content, how, block = bytearray(file.flushed), chance.choice(_HOW), chance.choice((512, 4096))
        last, odd = chance.randint(0, len(file.since)), chance.randrange(len(file.since) + 1)
        share = chance.random()
        for number, op in enumerate(file.since):
            if how == "all" or (how == "beginning" and number < last) or (how == "all but one" and number != odd):
                apply(content, op)
            elif how == "beginning" and number == last:
                apply(content, op, 0, chance.randrange(len(op.data) + 1) // block * block)
            elif how == "blocks" and op.kind == "T" and chance.random() < share:
                apply(content, op)
            elif how == "blocks" and op.kind == "W":
                begin = 0
                while begin < len(op.data):  # blocks of the disk, not of the write
                    end = min(block - (op.at + begin) % block + begin, len(op.data))
                    if chance.random() < share:
                        apply(content, op, begin, end)
                    begin = end
        return bytes(content)
