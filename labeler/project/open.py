"""Opens and wires: with :mod:`labeler.project.project`, the only place that knows session and store and worker."""

from __future__ import annotations

import filecmp
import os
import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from labeler.core.class_names import class_name
from labeler.core.errors import LabelerError, ProjectError, UsageError
from labeler.core.pool import Pool
from labeler.core.recipe import ENGINES, PARTS, RECOMPUTES
from labeler.core.text import counted, display_safe, unreadable_line
from labeler.core.types import ByteArray
from labeler.plugins import registry
from labeler.plugins.custom import origin_of
from labeler.plugins.importers.base import Source
from labeler.plugins.importers.detect import open_source
from labeler.plugins.importers.scaling import ValueRange
from labeler.plugins.pins import in_force
from labeler.project import backups, paths, source_changes, source_index
from labeler.project.backup_folder import free
from labeler.project.engine import Received
from labeler.project.options import BOOK_PERCENTILE, SHARES, Options, check, check_size, reading_of
from labeler.project.project import Project
from labeler.session.consistency import fitting_arrays
from labeler.session.quality.turns import Blind, Control, Repeats
from labeler.session.session import Session
from labeler.store.store import Store

__all__ = ["Options", "Project", "Received", "open_demo", "open_project"]

NOUNS = {"images": "image", "table": "row", "text": "text"}
"""What a person calls an instance, by the content of its source."""
NEW_ID: Callable[[], str] = partial(secrets.token_hex, 16)
"""Makes the ids of events: 128 bits of chance, so that the journals of two people share none."""


def open_project(
    target: Path,
    project: Path | None = None,
    options: Options | None = None,
    *,
    read_only: bool = False,
    with_source: bool = True,
    clock: Callable[[], float] = time.time,
    new_id: Callable[[], str] = NEW_ID,
) -> Project:
    """Open a source's project (made if there is none yet), or a project file and its source.

    Parameters
    ----------
    target
        A source (folder, zip, npz, IDX, ...) or a project file.
    project
        The project file for a source; by default ``<source name>.labeler.db`` in the current folder, or the one
        that lies beside the source.
    options
        What was asked for now; stored options hold for the rest.
    read_only
        Change nothing and take no lock; the project file must exist.
    with_source
        Whether the source must be there (a status needs the project file alone).

    Raises
    ------
    SourceError, ProjectError, ProjectBusy, UsageError
        One line what is wrong, one what to do; nothing was changed.
    """
    options = check(options or Options())
    _check_recipe(options)
    source: Source | None = None
    if paths.is_project(target):
        if project is not None and os.path.realpath(project) != os.path.realpath(target):
            raise UsageError(f"{target} is a project file already", "leave out -p PROJECT")
        path = target
        store = Store.open(path, read_only=read_only, before_migration=backups.before_migration)
    else:
        path, line = (project, "") if project is not None else source_index.project_for(target)
        source = open_source(target, reading_of(options, _kept_options(path)))
        if not read_only:
            opened = open_project_of(source, path, options, clock=clock, new_id=new_id)
            opened.notices += [line] if line else []
            source_index.note(target, opened.path)
            return opened
        store = Store.open(path, read_only=True)
    try:
        with store.at_one_moment():  # another process may write meanwhile: what is read must belong together
            return _wire(store, source, options, with_source, clock, new_id)
    except BaseException:  # ctrl+c as well: a lock must not outlive an opening that failed
        store.close()
        raise


def open_project_of(
    source: Source,
    path: Path,
    options: Options,
    *,
    clock: Callable[[], float] = time.time,
    new_id: Callable[[], str] = NEW_ID,
) -> Project:
    """Open the project file `path` of an opened source, made if there is none yet. Raises as :func:`open_project`."""
    _check_recipe(options)
    check_size(options.clusterer, len(source.ids))
    store = Store.open(path, create=True, before_migration=backups.before_migration)
    try:
        return _wire(store, source, options, True, clock, new_id)
    except BaseException:  # as in open_project: the lock
        store.close()
        raise


def open_demo(*, fresh: bool = False, options: Options | None = None) -> Project:
    """The demo: the embedded digits, with a project file in the user's data folder.

    `fresh` starts over; the answers so far are kept beside it under another name.
    """
    from platformdirs import user_data_path  # start-up: 0.02 s that the demo alone needs

    folder = user_data_path("labeler", appauthor=False)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ProjectError(
            f"cannot write {folder}: {error.strerror}", "set XDG_DATA_HOME to a writable folder"
        ) from error
    path = folder / f"demo{paths.SUFFIX}"
    if fresh and path.exists():
        Store.open(path).close()  # refuses while another process labels in it; folds the log in
        aside = free(path.with_name(f"demo-{time.strftime('%Y%m%d-%H%M%S')}{paths.SUFFIX}"))
        os.link(path, aside)  # never over one that was put aside before, whatever the clock says
        path.unlink()
    options = options or Options()
    opened = open_project(_demo_digits(path), path, options)
    opened.truth = opened.source.truth() if opened.source is not None else {}
    opened.name = "demo"
    if not opened.session.state.classes:
        for name in options.classes or sorted(set(opened.truth.values())):
            opened.session.classes.add(name, setup=True)
    return opened


def _demo_digits(path: Path) -> Path:
    """Return the digits that the demo's project `path` belongs to: of another installation, if they are the same."""
    own = Path(__file__).parents[1] / "_data" / "digits.npz"
    before = Path(_remembered_by(path).get("source", {}).get("path", own))
    # two installations share one demo, and neither is to refuse the other's; a changed set is another source
    return before if before.is_file() and filecmp.cmp(before, own, shallow=False) else own


def _kept_options(path: Path) -> dict[str, Any]:
    """The options that a project remembers, so that the same source is opened the same way; none without a project."""
    return dict(_remembered_by(path).get("options", {}))


def _remembered_by(path: Path) -> dict[str, Any]:
    """Return all that a project file remembers; nothing where there is none, or none that can be read."""
    if not path.is_file():
        return {}
    try:
        store = Store.open(path, read_only=True)
    except LabelerError:
        return {}  # whoever opens it next says what is wrong
    try:
        return store.project()
    finally:
        store.close()


def _check_recipe(options: Options) -> None:
    """Refuse a wrong plug-in before a project file is made."""
    if options.engine not in (None, *ENGINES):
        raise UsageError(f"no engine is called {options.engine!r}", f"there are: {', '.join(ENGINES)}")
    for kind in PARTS:
        if spec := getattr(options, kind):
            registry.create(kind, spec)


def _wire(
    store: Store,
    source: Source | None,
    options: Options,
    with_source: bool,
    clock: Callable[[], float],
    new_id: Callable[[], str],
) -> Project:
    record = store.project()
    if source is None and "source" not in record:
        raise ProjectError(
            f"the project {display_safe(str(store.path))} was never opened with a source",
            f"do so: labeler label SOURCE -p {display_safe(str(store.path))}",
        )
    notices: list[str] = []
    stored = dict(record.get("options", {}))
    if options.encoder and stored.get("encoder"):
        # what was pinned stays pinned where the same command resumes
        options = replace(options, encoder=in_force("encoder", options.encoder, stored["encoder"]))
    if source is None and with_source:
        source = paths.find_source(record["source"], store.path, reading_of(options, stored))
    # as most often: one list for both, and of a million rows none at all
    stored_ids = source.ids if source is not None and store.holds(source.ids) else store.instance_ids()
    arrays = fitting_arrays(store.arrays("pool"), len(stored_ids))
    if source is not None:
        moved = "source" in record and paths.check_same_source(
            source, record["source"], store.path, stored_ids, arrays.get("sha256")
        )
        if moved:
            notices.append(f"the source was found at its new place {display_safe(str(source.path))}")
    pool = _join(store, source, stored_ids, notices, clock)
    if "unreadable" in arrays:
        pool.mark_unreadable(np.flatnonzero(arrays["unreadable"]))
    session = Session(
        pool,
        store,
        clock=clock,
        new_id=new_id,
        annotator=options.annotator or stored.get("annotator") or "",
        key_layout=options.keys or stored.get("keys") or "digits",
    )
    chosen = stored | options.given()
    if options.encoder and chosen.get("features"):
        notices.append(f"--encoder is not used: --features {display_safe(chosen['features'])} stands in its place")
    hashes = _contents(store, source, session, record.get("fingerprint"), arrays.get("sha256"), notices)
    if source is not None:
        check_size(chosen.get("clusterer"), len(pool))
    notices.extend([*store.notes, *session.recorder.notes])
    shares, seed = {name: float(chosen.get(name, 0.0)) for name in SHARES}, int(chosen.get("seed", 0))
    session.questions.control = Control(shares["control"], seed)
    session.questions.repeats = Repeats(shares["repeats"], seed, session.recorder.annotator)
    session.questions.blind = Blind(shares["blind"], seed)
    if not store.read_only:
        _remember(store, source, session, stored, options, notices, clock)
        session.recorder.last = None  # what opening records is nothing that the person did
    return Project(store, session, source, notices, hashes)


def _contents(
    store: Store,
    source: Source | None,
    session: Session,
    fingerprint: str | None,
    stored: ByteArray | None,
    notices: list[str],
) -> ByteArray:
    """Content hashes (n, 32), zeros = not known; where the source changed, answers go with what they were given to."""
    hashes = np.zeros((len(session.pool), 32), dtype=np.uint8)
    if stored is not None:
        hashes[: len(stored)] = stored[: len(hashes)]  # the pool may have grown since
    if source is None or source.fingerprint() == fingerprint:
        return hashes
    if fingerprint is not None:
        changes = source_changes.look(source, session.pool.ids, session.state.answers, hashes)
        notices.extend(source_changes.said_of(changes, session.pool.ids))
        session.imports.follow(changes.moved, changes.replaced, keep=not store.read_only)
        hashes = changes.hashes
    if not store.read_only:
        if fingerprint is not None:
            store.put_arrays("pool", {"sha256": hashes})
        store.remember(fingerprint=source.fingerprint())  # last: what is cut off before is looked at again
    return hashes


def _join(
    store: Store, source: Source | None, stored: Sequence[str], notices: list[str], clock: Callable[[], float]
) -> Pool:
    """The pool: what was there, then what is new in the source; missing ones are marked."""
    if source is None:
        return Pool(stored)
    new: Sequence[str] = []
    if not stored:
        new = source.ids
    elif stored is not source.ids:
        known = set(stored)
        new = [name for name in source.ids if name not in known]
    if not store.read_only:
        store.join_instances(new, clock(), source=paths.remembered(source.path, store.path))
    is_same = not stored or stored is source.ids  # as most often: a million names are not looked up one by one
    pool = Pool(source.ids if is_same else [*stored, *new])
    pool.noun = NOUNS[source.content]
    missing = 0 if is_same else pool.mark_missing(source.ids)
    if stored and new:
        notices.append(f"{counted(len(new), 'new instance')} joined the pool")
    if missing:
        lead = counted(missing, "instance is", "instances are")
        notices.append(f"{lead} missing in the source; labels are kept")
    if source.unreadable:
        notices.append(unreadable_line(source.unreadable))
    notices.extend(source.notes)
    return pool


def _remember(
    store: Store,
    source: Source | None,
    session: Session,
    stored: dict[str, Any],
    options: Options,
    notices: list[str],
    clock: Callable[[], float],
) -> None:
    # classes and percentile are events of the journal: kept here as well they could contradict it
    given = {name: value for name, value in options.given().items() if name not in ("classes", "percentile")}
    changed = {name: value for name, value in given.items() if stored.get(name) != value}
    is_new = "created" not in store.project()
    if changed and not is_new:
        redone = [name for name in changed if name in RECOMPUTES]
        what = f"; computed anew: {', '.join(redone)}" if redone else ""
        notices.append(f"changed: {', '.join(f'{k} = {v}' for k, v in changed.items())}{what}")
        session.set(**{f"option.{name}": value for name, value in changed.items()})
    values: dict[str, Any] = {"options": stored | changed}
    shown: ValueRange | None = getattr(source, "shown", None)
    if shown is not None:  # also where nobody gave one: another look must not give another picture
        values["options"]["range"] = shown.text
    if is_new:
        values["created"] = clock()
    if source is not None:
        values["source"] = paths.remembered(source.path, store.path)
    if own := _own_plugins(store, values["options"], notices):
        values["own"] = own
    store.remember(**values)
    engine = values["options"].get("engine")
    changes = [*_set_percentile(session, options.percentile, engine), *_add_classes(session, options.classes)]
    if not is_new:
        notices.extend(f"changed: {change}" for change in changes)


def _own_plugins(store: Store, options: dict[str, Any], notices: list[str]) -> dict[str, Any]:
    """Return where the person's own plug-ins come from, by kind; says which of them have changed since."""
    own = {kind: origin for kind in PARTS if (origin := origin_of(kind, options.get(kind) or ""))}
    before = store.project().get("own", {})
    for kind, origin in own.items():
        earlier = before.get(kind, origin)
        if earlier["name"] == origin["name"] and earlier["sha256"] != origin["sha256"]:
            notices.append(
                f"the {kind} {origin['name']} is not as it was: {display_safe(origin['origin'])} has changed"
            )
    return before | own if own else {}


def _set_percentile(session: Session, percentile: float | str | None, engine: str | None) -> list[str]:
    """Set the percentile that is given, or the engine's own where nobody chose a number; return what changed by it."""
    before = session.state.settings.get("percentile", "auto")
    if percentile is None and before == "auto":
        percentile = BOOK_PERCENTILE if engine == "book" else "auto"
    if percentile is None:
        return []
    session.set(percentile=percentile)
    words = percentile if isinstance(percentile, str) else f"{percentile:g}"
    return [f"percentile = {words}"] if percentile != before else []


def _add_classes(session: Session, names: tuple[str, ...]) -> list[str]:
    """Add the classes that were named and never set up before; return what changed by it."""
    known = {info.name for info in session.state.active_classes()}
    set_up = set(map(class_name, session.state.classes.set_up))
    with session.recorder.together():
        for name in names:
            if class_name(name) not in set_up:  # set up before: renamed, merged or retired since, it stays so
                session.classes.id_for(name, setup=True)
    added = [display_safe(info.name, 40) for info in session.state.active_classes() if info.name not in known]
    return [f"new classes {', '.join(added)}"] if added else []
