"""`labeler check`: whether a project file is as it was written; where not, what is lost and what brings it back."""

from __future__ import annotations

import contextlib
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from labeler.commands.check_report import ANEW, NOTHING, Report
from labeler.core.codec import Unreadable, loads
from labeler.core.errors import DamagedProject, LabelerError, ProjectBusy, UsageError
from labeler.core.pool import Pool
from labeler.core.recipe import Reading
from labeler.core.text import display_safe
from labeler.core.types import Event, Progress
from labeler.plugins.importers.names import counted
from labeler.project import backups, paths
from labeler.project.backup_folder import Backup, folder_of, lines, sound, split
from labeler.project.paths import SUFFIX
from labeler.session.audit.audits import thawed
from labeler.session.consistency import fitting_arrays, misfit, question_fits
from labeler.session.fold import in_time, take
from labeler.session.state import State
from labeler.store import rows
from labeler.store.inspect import Inspected, inspect
from labeler.store.lock import holder
from labeler.store.settings import wrong_key
from labeler.store.wal import MADE_ANEW, Missing

MOST_LINES = 3
"""Lines of answers in backups that are named one by one."""


def check(path: Path, progress: Callable[[Progress], None] = lambda _: None) -> Report:
    """Look at a project file, however damaged; nothing is changed.

    Raises
    ------
    UsageError
        There is no such file and no backup of one, or it is of another program or a newer version.
    ProjectBusy
        Another program holds it, so that nothing can be read.
    """
    report = Report(path)
    copies = backups.listed(path)
    report.backup = sound(copies)
    if not path.exists():
        if report.backup is None:
            raise UsageError(f"there is no project file {path}", "start one with: labeler label SOURCE -p PROJECT")
        _backups(Inspected(), copies, report)
        report.damage("missing", "the file is gone", "what was answered since its last backup")
        return report
    progress(Progress("reading"))
    found = inspect(path)
    if found.locked:
        raise ProjectBusy(
            f"another program holds {path} locked", "close it there and try again; nothing is lost, as far as is known"
        )
    if found.foreign:
        raise UsageError(f"{path} is no project file: {found.foreign}", "give a *.labeler.db file")
    if found.newer:
        raise UsageError(
            f"{path} was written by a newer labeler (schema {found.newer})",
            "upgrade in the clone: git pull && pip install .",
        )
    report.schema = found.schema
    if found.unreadable:
        _backups(found, copies, report)
        report.damage("unreadable", f"the file cannot be opened: {found.unreadable}", "all that is only in it")
        return report
    for line in found.structure[:5]:
        report.damage("structure", f"SQLite says: {line}", "see below; where nothing else is said, nothing")
    if len(found.structure) > 5:
        report.notes.append(f"SQLite says {len(found.structure) - 5:,} more of its kind")
    if found.missing is Missing.EVENTS:
        report.damage("log", "the log beside the file (-wal) is not as it was written", "the answers given last")
    elif found.missing is Missing.DERIVED:
        report.notes.append(MADE_ANEW)
    _backups(found, copies, report)
    ids = _pool(found, report)
    state = _journal(found, ids, report)
    _project(found, report)
    if state is not None:
        _audits(found, ids, state, report)
        _question(found, state, report)
        _round(found, state, report)
        _pool_arrays(found, len(ids), report)
        report.labels, report.audits = state.counts["label"], len(state.audits)
        progress(Progress("looking at the cache"))
        _cache(found, ids, report)
    if who := holder(path):
        report.notes.append(f"it is open in {who}: this is how it stood a moment ago")
    return report


def _backups(found: Inspected, copies: list[Backup], report: Report) -> None:
    """The newest backup of the answers that are in the file, and what others hold that it does not."""
    own, others = split(copies, {event.seq: event.event_id for event in found.events})
    report.backup = sound(own) or report.backup
    parted = lines(others) if found.events else lines(copies)[1:]
    for line in parted[:MOST_LINES]:
        newest = line[0]
        report.notes.append(
            f"answers of another line are in a backup: {counted(newest.events, 'event')} that part from those"
            f" {'in the file' if found.events else 'in the newest'}, from before another copy was brought back;"
            f" look at them: labeler restore {shlex.quote(display_safe(str(newest.path), 1000))} --to OTHER{SUFFIX}"
        )
    if len(parted) > MOST_LINES:
        report.notes.append(f"{counted(len(parted) - MOST_LINES, 'more line')} of answers in {folder_of(report.path)}")
    if report.sound and own and found.events and own[0].events > len(found.events):
        more = counted(own[0].events - len(found.events), "event")
        report.notes.append(f"the newest backup goes on from the file: it has {more} more")


# -- what cannot be made anew ---------------------------------------------------------------------------------------


def _pool(found: Inspected, report: Report) -> list[str]:
    ids: list[str] = []
    gap = bool(found.bad.get("pool"))
    for start, count, blob, _ in sorted(found.rows.get("pool", [])):
        part = rows.unpack_ids(blob, count)
        gap = gap or start != len(ids) or len(part) != count or not count
        ids += part
    gap = gap or len(set(ids)) != len(ids)
    report.instances = len(ids)
    if gap:
        report.damage("pool", "the list of instances is not as it was written", "which image each answer belongs to")
        return []
    return ids


def _journal(found: Inspected, ids: list[str], report: Report) -> State | None:
    """The fold of what can be read of the journal; None where there is no pool to fold over."""
    report.events = len(found.events)
    for what in found.bad.get("events", []):
        report.damage("seal", f"{what} is not as it was written", NOTHING)
    gone = [seq for seq, event in found.bad_events if event is None]
    if gone:
        answers = counted(len(gone), "event is", "events are")
        report.damage("journal", f"{answers} gone from the journal ({_range(gone)})", "these answers", len(gone))
    for seq, event in [(seq, event) for seq, event in found.bad_events if event is not None][:20]:
        report.damage("journal", f"event {seq} of the journal is not as it was written", _lost(event), 1)
    if len(found.bad_events) - len(gone) > 20:
        more = len(found.bad_events) - len(gone) - 20
        report.damage("journal", f"{counted(more, 'more event is', 'more events are')} so", "these answers", more)
    if not ids and found.events and not report.sound:
        return None
    state = State(Pool(ids))
    broken = 0
    try:
        for event in in_time(found.events):
            try:
                take(state, event)
            except DamagedProject as error:
                broken += 1
                if broken == 1:
                    what = f"event {event.seq} does not follow from those before it: {error}"
                    report.damage("fold", what, _lost(event))
    except DamagedProject as error:
        report.damage("fold", error.message, "what the other events say")
    if broken > 1:
        report.damage("fold", f"{broken - 1:,} more events do not follow from those before them", "what they say")
    return state


def _lost(event: Event | None) -> str:
    if event is None:
        return "one answer"
    where = f" of {display_safe(event.instance_id, 60)}" if event.instance_id else ""
    return f"what it says: {display_safe(event.kind, 20)}{where}"


def _range(numbers: list[int]) -> str:
    return str(numbers[0]) if len(numbers) == 1 else f"{numbers[0]} to {numbers[-1]}"


def _project(found: Inspected, report: Report) -> None:
    for what in found.bad.get("project", []):
        report.damage(
            "project", f"what the project remembers is not as it was written ({what})", "an option or a place"
        )
    names = {key for key, _ in found.rows.get("project", [])}
    try:
        remembered = _remembered(found)
    except ValueError as error:
        report.damage("project", f"what the project remembers is none: {error}", "an option or a place")
    else:
        if wrong := wrong_key(remembered):
            report.damage("project", f"what the project remembers cannot be ({wrong})", "an option or a place")
    if not report.findings and found.events and "source" not in names:
        report.notes.append("it does not say where its source is: labeler label SOURCE -p PROJECT tells it")


def _remembered(found: Inspected) -> dict[str, Any]:
    """What the project remembers, as far as it can be read. Raises ValueError where it is none."""
    return {key: loads(value) for key, value in found.rows.get("project", [])}


def _audits(found: Inspected, ids: list[str], state: State, report: Report) -> None:
    kept: dict[int, dict[str, NDArray[Any]]] = {}
    for number, name, *packed in found.rows.get("frozen", []):
        with contextlib.suppress(Unreadable):  # without it they are not those that the journal names
            kept.setdefault(number, {})[name] = rows.unpack_array(*packed)
    for audit in state.audits:
        try:
            thawed(audit, kept.get(audit.number, {}), ids)
        except (LabelerError, KeyError, IndexError, TypeError, ValueError):
            report.damage(
                "audit",
                f"the frozen labels of audit {audit.number} are not those its journal names",
                "its certificate; its answers stay",
            )
    if found.bad.get("frozen") and not any(one.code == "audit" for one in report.findings):
        report.notes.append("labels frozen for an audit that never began are damaged: nothing rests on them")


# -- what is made anew ----------------------------------------------------------------------------------------------


def _question(found: Inspected, state: State, report: Report) -> None:
    if found.bad.get("question"):
        report.damage("question", "the question on the screen is not as it was written", ANEW)
    for _, value in found.rows.get("question", []):
        try:
            pinned = rows.question_of(value)
        except Unreadable as error:
            report.damage("question", f"the question on the screen cannot be read ({error})", ANEW)
            continue
        if pinned is not None and not question_fits(*pinned, state):
            report.damage("question", "the question on the screen is none of this journal", ANEW)


def _round(found: Inspected, state: State, report: Report) -> None:
    if found.bad.get("rounds"):
        report.damage("round", f"facts of the rounds are not as they were written: {found.bad['rounds'][0]}", ANEW)
    if found.bad.get("arrays"):
        what = ", ".join(display_safe(name, 40) for name in found.bad["arrays"][:4])
        report.damage("round", f"derived arrays are not as they were written: {what}", ANEW)
    kept = found.rows.get("rounds", [])
    if not kept or any(one.code == "round" for one in report.findings):
        return
    number, revision, facts = max(kept, key=lambda row: (row[1] or 0, row[0]))
    packed = {name: columns for owner, name, *columns in found.rows["arrays"] if owner == "round"}
    try:
        arrays = {name: rows.unpack_array(*columns) for name, columns in packed.items()}
        round_ = rows.round_of(number, revision, loads(facts, finite=False), arrays)
    except Unreadable as error:
        report.damage("round", f"the last round is not whole ({error})", ANEW)
        return
    if wrong := misfit(round_, state):
        report.damage("round", f"the last round does not fit ({wrong})", ANEW)


def _pool_arrays(found: Inspected, n: int, report: Report) -> None:
    for owner, name, *packed in found.rows.get("arrays", []):
        if owner != "pool":
            continue
        try:
            fits = bool(fitting_arrays({name: rows.unpack_array(*packed)}, n))
        except Unreadable:
            fits = False
        if not fits:
            report.damage("round", f"the {display_safe(name, 40)} of the instances are none of these instances", ANEW)


def _cache(found: Inspected, ids: list[str], report: Report) -> None:
    """The cache against the source as it is now: deletable, but what is in it should be what its name says."""
    from labeler.worker import cache as cached

    try:
        kept = _remembered(found)
    except ValueError:
        return
    if "source" not in kept or wrong_key(kept):
        return
    cache = paths.cache_of(report.path)
    if not cache.is_dir():  # nothing could be written beside the file
        cache = paths.cache_elsewhere(report.path)
    if not cache.is_dir():
        report.cache = "none: it is made at the next opening"
        return
    try:
        source = paths.find_source(kept["source"], report.path, Reading.of(kept.get("options", {})))
    except LabelerError as error:
        report.notes.append(f"{error.message}: the cache was not looked at")
        return
    try:
        entries = cached.entries(source, ids, cache, str(kept.get("options", {}).get("encoder") or ""))
    finally:
        source.close()
    for name, why in entries.broken.items():
        report.damage("cache", f"{display_safe(name, 80)} in the cache {why}", "nothing is lost: delete it")
    report.cache = f"{counted(len(entries.current), 'entry', 'entries')} for the source as it is now"
    if entries.other:
        size = sum(entries.other.values()) / 1e6
        report.notes.append(
            f"{counted(len(entries.other), 'entry', 'entries')} of the cache ({size:,.0f} MB) of the source as it was,"
            " or of another encoder: may be deleted"
        )
