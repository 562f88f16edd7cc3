"""Footprint of an open project file on the disk: by it the writer sees that another program was at its place."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path

from labeler.core import descriptors


@dataclass(frozen=True, slots=True)
class Footprint:
    """All that lies at the place of a project file, as it was at one look.

    Attributes
    ----------
    logs
        The files of a live log, by their suffix; none in DELETE mode, in which a journal comes and goes.
    changed
        When the file itself was written last, in nanoseconds; 0 where it is gone.
    log
        Size and time of the log, which nobody else writes; (0, 0) where there is none.
    """

    logs: dict[str, descriptors.Identity]
    changed: int
    log: tuple[int, int]

    @classmethod
    def of(cls, place: Path) -> Footprint:
        """Return the footprint of the file at `place` as it is now."""
        return cls(live_logs(place), changed_at(place), log_stamp(place))

    def written(self, place: Path) -> Footprint:
        """Return the same after this program itself wrote in the file."""
        return replace(self, changed=changed_at(place))


def live_logs(place: Path) -> dict[str, descriptors.Identity]:
    """Return the files of a live log beside `place`, by their suffix."""
    beside = {suffix: place.with_name(place.name + suffix) for suffix in ("-wal", "-shm")}
    return {suffix: who for suffix, name in beside.items() if (who := descriptors.identity_of(name)) is not None}


def changed_at(place: Path) -> int:
    """Return when the file was written last, in nanoseconds; 0 where it is gone."""
    try:
        return place.stat().st_mtime_ns
    except OSError:
        return 0


def log_stamp(place: Path) -> tuple[int, int]:
    """Return size and time of the log; (0, 0) where there is none."""
    try:
        status = os.stat(f"{place}-wal")
    except OSError:
        return 0, 0
    return status.st_size, status.st_mtime_ns


def log_size(place: Path) -> int:
    """Return the bytes of the log; -1 where there is none: a rollback journal comes and goes."""
    try:
        return os.stat(f"{place}-wal").st_size
    except OSError:
        return -1
