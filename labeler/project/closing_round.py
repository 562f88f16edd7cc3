"""The closing round of a project as it stands: `why`, `status` and an export all answer from this one.

It is kept in the cache under what it rests on (journal, pool, options, version), so that only the first of them waits.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from labeler import __version__
from labeler.core.codec import Unreadable
from labeler.core.errors import LabelerError, ProjectError
from labeler.core.files import whole
from labeler.core.recipe import LEFT_OUT
from labeler.core.types import Progress, Provenance, Round
from labeler.plugins import registry
from labeler.project import paths
from labeler.project.project import Project
from labeler.session.consistency import misfit
from labeler.worker.protocol import RoundReady, read, write

if TYPE_CHECKING:
    from labeler.worker.pipeline import Pipeline  # its libraries take longer to load than what was kept takes to read

NAME = "closing.round"
_KEY = "rests_on"  # the fact of a stored round that says which project it is of
_SEAL = hashlib.sha256().digest_size
_AN_INSTANCE, _BESIDES = 200, 10_000_000
"""Bytes that a round takes at most, an instance and besides."""


def take(project: Project) -> bool:
    """Let the session answer from the closing round that was kept; False where there is none of the project as it is.

    Without any given label there is nothing to compute, and nothing to wait for.
    """
    session = project.session
    if not session.state.answers.counts["label"] and not session.machine_labels.total(Provenance.PROPAGATED):
        return True
    for path in _places(project):
        stored = _read(path, project)
        if stored is not None:
            # not saved: a command that reads leaves the project as it is
            return session.merge_round(stored, save=False)
    return False


def compute(project: Project, progress: Callable[[Progress], None] = lambda _: None) -> Pipeline:
    """Let the session answer from a closing round computed now, which is kept; returns the pipeline it came from.

    Raises
    ------
    LabelerError
        The source is not there, or the engine cannot be made.
    """
    pipeline: Pipeline = project.open_pipeline(progress)
    progress(Progress("computing every label anew"))
    round_ = pipeline.closing_round(project.session.snapshot())
    project.session.merge_round(round_, save=False)
    keep(project, round_)
    return pipeline


def keep(project: Project, round_: Round) -> None:
    """Keep a closing round for the next command; where that cannot be, it is computed again."""
    key = _rests_on(project)
    if key is None or round_.revision != project.session.state.revision:
        return
    if LEFT_OUT in round_.facts:  # else it would stand after what does not work here was mended
        return
    # beside the journal: files may have come or gone since without an event
    missing = project.session.pool.missing.tobytes()
    facts = round_.facts | {_KEY: [key, hashlib.sha256(missing).hexdigest()]}
    content = io.BytesIO()
    write(content, RoundReady(replace(round_, facts=facts)))
    sealed = hashlib.sha256(content.getbuffer()).digest() + content.getvalue()
    if any(_holds(path, sealed) for path in _places(project)):  # also in a cache that can be read only
        return
    with contextlib.suppress(OSError, ProjectError), whole(project.cache() / NAME) as draft:
        draft.write_bytes(sealed)


# -- inside --------------------------------------------------------------------------------------------------------


def _places(project: Project) -> list[Path]:
    return [place(project.path) / NAME for place in (paths.cache_of, paths.cache_elsewhere)]


def _holds(path: Path, content: bytes) -> bool:
    try:
        return path.stat().st_size == len(content) and path.read_bytes() == content
    except OSError:
        return False


def _rests_on(project: Project) -> str | None:
    """Return what tells this state of a project from all others; None where the session is not what the file says."""
    mark = project.mark()
    # with an extra that was installed or removed since, other views of the pool have their say
    encoders = [
        name for name in registry.names("encoder", installed=False) if registry.entry("encoder", name).available
    ]
    return None if mark is None else hashlib.sha256(f"{__version__} {encoders} {mark}".encode()).hexdigest()


def _read(path: Path, project: Project) -> Round | None:
    """The round in a file of any origin, where it is one of the project as it is."""
    state, pool, rests_on = project.session.state, project.session.pool, _rests_on(project)
    if rests_on is None or not path.is_file():  # else it may be something that is never read to its end
        return None
    try:
        with open(path, "rb") as file:
            seal, content = file.read(_SEAL), file.read(_AN_INSTANCE * len(pool) + _BESIDES)
        message: Any = read(io.BytesIO(content)) if hashlib.sha256(content).digest() == seal else None
    except (OSError, Unreadable, ValueError, TypeError, OverflowError, LabelerError):
        return None
    if not isinstance(message, RoundReady):
        return None
    round_ = message.round
    facts = dict(round_.facts)
    key = facts.pop(_KEY, None)
    if not isinstance(key, list) or len(key) != 2 or key[0] != rests_on:
        return None
    if project.source is not None and key[1] != hashlib.sha256(pool.missing.tobytes()).hexdigest():
        return None
    round_ = replace(round_, facts=facts)
    fits = round_.revision == state.revision and len(round_.labels) == len(pool) and not misfit(round_, state)
    return round_ if fits else None
