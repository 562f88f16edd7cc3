"""Which project belongs to a source, which source to a project, and how a moved source is found again."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from labeler.display import display_safe
from labeler.errors import LabelerError, ProjectError, SourceError, UnreadableInstance
from labeler.importers.base import Source
from labeler.importers.detect import open_source
from labeler.importers.files import first_bytes

SUFFIX = ".labeler.db"
N_COMPARED = 40
"""Instances whose content is compared before a moved source is believed to be the same."""


def is_project(path: Path) -> bool:
    """Whether `path` is a project file (or named like one), not a source."""
    if path.name.endswith(SUFFIX):
        return True
    return first_bytes(path, 16) == b"SQLite format 3\0"


def default_project(source: Path) -> Path:
    """``<source name>.labeler.db`` in the current folder; a file's ending is left out."""
    name = source.name or source.resolve().name or "pool"
    if source.is_file():
        name = name.removesuffix(".gz")
        name = Path(name).stem or name
    return Path.cwd() / f"{name}{SUFFIX}"


def cache_of(project: Path) -> Path:
    """``<name>.labeler.cache`` beside a project file."""
    return project.with_name(project.name.removesuffix(SUFFIX) + ".labeler.cache")


def remembered(source: Path, project: Path) -> dict[str, str]:
    """What a project keeps of its source: the absolute path, and the way to it from the project file."""
    absolute = source.resolve()
    return {
        "path": os.fspath(absolute),
        "relative": os.path.relpath(absolute, os.path.dirname(os.path.realpath(project))),
    }


def places_of(kept: dict[str, str], project: Path) -> tuple[Path, Path]:
    """Where a project's source may be: where it was, or at the same place relative to the project file."""
    return Path(kept["path"]), (project.resolve().parent / kept["relative"]).resolve()


def find_source(kept: dict[str, str], project: Path, text: str = "") -> Source:
    """Open a project's source where it was, or at the same place relative to the project file.

    `text` is its column of texts, where it is opened for one.

    Raises
    ------
    SourceError
        It is at neither place.
    """
    for place in places_of(kept, project):
        if place.exists():
            return open_source(place, text)
    raise SourceError(
        f"the source of this project is not at {display_safe(kept['path'])} any more",
        f"where is it now? labeler label NEWPLACE -p {display_safe(str(project))} (labels are safe in the project)",
    )


def check_same_source(
    source: Source, kept: dict[str, str], project: Path, ids: Sequence[str], hashes: NDArray[Any] | None
) -> bool:
    """Whether `source` lies at a new place (True), at the remembered one (False), or is another one.

    Raises
    ------
    ProjectError
        The project belongs to another source; both paths are named.
    """
    if remembered(source.path, project)["path"] == kept["path"]:
        return False
    old_is_there = Path(kept["path"]).exists()
    if not old_is_there and _same_content(source, ids, hashes):
        return True
    raise ProjectError(
        f"{display_safe(str(project))} belongs to {display_safe(kept['path'])},"
        f" not to {display_safe(str(source.path))}",
        "give another project file with -p PROJECT" if old_is_there else "nothing of the old source was found there",
    )


def _same_content(source: Source, ids: Sequence[str], hashes: NDArray[Any] | None) -> bool:
    import hashlib

    positions = {name: position for position, name in enumerate(source.ids)}
    shared = [row for row, name in enumerate(ids) if name in positions]
    if len(shared) * 2 < len(ids):
        return False
    if hashes is None or not len(hashes):
        return True
    for row in shared[:: max(1, len(shared) // N_COMPARED)]:
        try:
            content = source.content_bytes(positions[ids[row]])
        except (UnreadableInstance, LabelerError):
            continue
        if row < len(hashes) and hashes[row].any() and hashlib.sha256(content).digest() != hashes[row].tobytes():
            return False
    return True
