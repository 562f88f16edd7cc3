"""Paths: which project belongs to a source, which source to a project, and how a moved source is found again."""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from labeler.core.errors import LabelerError, ProjectError, SourceError, UnreadableInstance
from labeler.core.recipe import Reading
from labeler.core.text import display_safe
from labeler.plugins.importers.base import Source
from labeler.plugins.importers.detect import open_source
from labeler.plugins.importers.files import first_bytes

SUFFIX = ".labeler.db"
_FORBIDDEN = (errno.EACCES, errno.EPERM, errno.EROFS)  # then the cache goes elsewhere; a full disk is said
N_COMPARED = 40
"""Instances whose content is compared before a moved source is believed to be the same."""


def is_project(path: Path) -> bool:
    """Whether `path` is a project file (or named like one), not a source."""
    if path.name.endswith(SUFFIX):
        return True
    return first_bytes(path, 16) == b"SQLite format 3\0"


def default_project(source: Path) -> Path:
    """``<source name>.labeler.db`` in the current folder; a file's ending is left out."""
    name = (source.name if source.name != ".." else "") or source.resolve().name or "pool"
    if source.is_file():
        name = name.removesuffix(".gz")  # train-images.idx.gz has two endings
        name = Path(name).stem or name
    return Path.cwd() / f"{name}{SUFFIX}"


def cache_of(project: Path) -> Path:
    """``<name>.labeler.cache`` beside a project file."""
    return project.with_name(project.name.removesuffix(SUFFIX) + ".labeler.cache")


def key_of(project: Path) -> str:
    """A name for the place of a project file that is no other's: the same however it is named on the command line."""
    whole = os.fsencode(os.path.realpath(project))
    return f"{project.name.removesuffix(SUFFIX)}-{hashlib.sha256(whole).hexdigest()[:12]}"


def cache_elsewhere(project: Path) -> Path:
    """The cache of a project beside which nothing can be written: in the user's cache folder."""
    from platformdirs import user_cache_path  # start-up: 0.02 s, and only where nothing can be written beside the file

    return user_cache_path("labeler", appauthor=False) / key_of(project)


def usable_cache(project: Path) -> tuple[Path, str]:
    """The folder for a project's cache, there and writable, and where it is not beside the file a line that says so.

    Raises
    ------
    ProjectError
        There is none.
    """
    beside = cache_of(project)
    try:
        _make(beside)
    except OSError as error:
        if error.errno not in _FORBIDDEN:
            raise ProjectError(
                f"cannot write the cache {beside}: {error.strerror}", "make room, or move what is in the way"
            ) from error
    else:
        return beside, ""
    elsewhere = cache_elsewhere(project)
    try:
        _make(elsewhere)
        _take_over(beside, elsewhere)
    except OSError as error:
        raise ProjectError(
            f"cannot write the cache, neither {beside} nor {elsewhere}: {error.strerror}",
            "set XDG_CACHE_HOME to a writable folder",
        ) from error
    return elsewhere, f"nothing can be written beside {display_safe(project.name)}: its cache is in {elsewhere}"


def _make(cache: Path) -> None:
    """Make a folder and see whether it can be written in: rights alone do not tell, on a disk that is read-only."""
    cache.mkdir(parents=True, exist_ok=True)
    probe = cache / f".probe.{os.getpid()}.draft"  # a name that sweep() takes away after a kill
    os.close(os.open(probe, os.O_WRONLY | os.O_CREAT, 0o600))
    probe.unlink()


def _take_over(beside: Path, elsewhere: Path) -> None:
    """Let the entries of a cache that can only be read be found in the other one: what is there is not made anew."""
    if not beside.is_dir() or not os.access(beside, os.R_OK | os.X_OK):
        return
    for entry in beside.iterdir():
        link = elsewhere / entry.name
        if not entry.name.startswith(".") and entry.is_file() and entry.suffix != ".log" and not link.exists():
            link.unlink(missing_ok=True)  # a link that leads nowhere: `exists` says no of it
            link.symlink_to(entry.resolve())


def remembered(source: Path, project: Path) -> dict[str, str]:
    """Return what a project keeps of its source: the absolute path, and the way to it from the project file."""
    absolute = source.resolve()
    return {
        "path": os.fspath(absolute),
        "relative": os.path.relpath(absolute, os.path.dirname(os.path.realpath(project))),
    }


def places_of(record: dict[str, str], project: Path) -> tuple[Path, Path]:
    """Return where a project's source may be: where it was, or at the same place relative to the project file."""
    return Path(record["path"]), (project.resolve().parent / record["relative"]).resolve()


def find_source(record: dict[str, str], project: Path, reading: Reading) -> Source:
    """Open a project's source where it was, or at the same place relative to the project file.

    Raises
    ------
    SourceError
        It is at neither place.
    """
    for place in places_of(record, project):
        if place.exists():
            return open_source(place, reading)
    raise SourceError(
        f"the source of this project is not at {display_safe(record['path'])} any more",
        f"where is it now? labeler label NEWPLACE -p {display_safe(str(project))} (labels are safe in the project)",
    )


def check_same_source(
    source: Source, record: dict[str, str], project: Path, ids: Sequence[str], hashes: NDArray[Any] | None
) -> bool:
    """Whether `source` lies at a new place (True), at the remembered one (False), or is another one.

    Raises
    ------
    ProjectError
        The project belongs to another source; both paths are named.
    """
    if remembered(source.path, project)["path"] == record["path"]:
        return False
    old_is_there = Path(record["path"]).exists()
    if not old_is_there and _same_content(source, ids, hashes):
        return True
    raise ProjectError(
        f"{display_safe(str(project))} belongs to {display_safe(record['path'])},"
        f" not to {display_safe(str(source.path))}",
        "give another project file with -p PROJECT" if old_is_there else "nothing of the old source was found there",
    )


def _same_content(source: Source, ids: Sequence[str], hashes: NDArray[Any] | None) -> bool:
    positions = {name: position for position, name in enumerate(source.ids)}
    shared = [row for row, name in enumerate(ids) if name in positions]
    if len(shared) * 2 < len(ids):  # too few names in common for anything else to be compared
        return False
    if hashes is None or not len(hashes):
        return True
    for row in shared[:: max(1, len(shared) // N_COMPARED)]:
        try:
            content = source.content_bytes(positions[ids[row]])
        except (UnreadableInstance, LabelerError):  # what cannot be read says neither yes nor no
            continue
        if row < len(hashes) and hashes[row].any() and hashlib.sha256(content).digest() != hashes[row].tobytes():
            return False
    return True
