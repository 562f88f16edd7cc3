"""An index of which project a source has already, from whichever folder and under whichever name it is opened."""

from __future__ import annotations

import contextlib
import hashlib
import os
from contextlib import closing
from pathlib import Path

from labeler.core import files
from labeler.core.errors import LabelerError
from labeler.core.text import display_safe
from labeler.project.paths import SUFFIX, default_project
from labeler.store.store import Store

_LONGEST = 1 << 14  # bytes of a path: no system takes longer ones


def project_for(source: Path) -> tuple[Path, str]:
    """The project file of a source that is opened without naming one, and what to say of it ("" = nothing).

    It is the usual one of the current folder if there is one; else the source's own where it lies under the name of a
    link's target, beside the source or in it. Of one elsewhere the line says where: a new one begins.
    """
    usual = default_project(source)
    if usual.exists():
        return usual, ""
    whole = Path(os.path.realpath(source))  # a loop of links stays as it is: whoever opens it says so
    name = default_project(whole).name
    for place in dict.fromkeys((usual.with_name(name), whole.parent / name, whole / name)):
        if _is_of(place, whole):
            return place, f"goes on with the project of this source, {display_safe(str(place), 300)}"
    line = f"a new project begins: {display_safe(str(usual), 300)}"
    other = _noted(whole)
    if other is not None and _is_of(other, whole):
        line += f"; this source has one elsewhere: labeler label {display_safe(str(other), 300)}"
    return usual, line


def note(source: Path, project: Path) -> None:
    """Remember, in the user's state folder, which project a source was opened with last; no harm where it cannot be."""
    place = _place_of(Path(os.path.realpath(source)))
    text = os.path.realpath(project)
    with contextlib.suppress(OSError, ValueError):
        # the same as ever: nothing is written at most openings
        if place.is_file() and place.read_text(encoding="utf-8", errors="surrogateescape") == text:
            return
        place.parent.mkdir(parents=True, exist_ok=True)
        with files.whole(place) as draft:
            draft.write_text(text, encoding="utf-8", errors="surrogateescape")


def _noted(source: Path) -> Path | None:
    try:
        with _place_of(source).open("rb") as stream:
            return Path(os.fsdecode(stream.read(_LONGEST)))
    except OSError:
        return None


def _place_of(source: Path) -> Path:
    from platformdirs import user_state_path  # start-up: 0.02 s that a project opened by its own name does not need

    name = hashlib.sha256(os.fsencode(source)).hexdigest()[:32]
    return user_state_path("labeler", appauthor=False) / "sources" / name


def _is_of(project: Path, source: Path) -> bool:
    """Whether `project` is a project file whose source is the one at `source` (an absolute path without links)."""
    try:
        if not project.name.endswith(SUFFIX) or not project.is_file():
            return False
        with closing(Store.open(project, read_only=True)) as store:
            return bool(store.project().get("source", {}).get("path") == os.fspath(source))
    except (LabelerError, OSError, ValueError):
        return False
