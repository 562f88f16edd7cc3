"""`labeler check`: an examination of a project file: each damage, what is lost by it, what brings it back."""

from __future__ import annotations

import contextlib
import shlex
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from labeler.commands.check_report import ANEW, NOTHING, CheckReport, Finding
from labeler.core.codec import Unreadable, loads
from labeler.core.errors import DamagedProject, LabelerError, ProjectBusy, UsageError
from labeler.core.events import Event
from labeler.core.pool import Pool
from labeler.core.recipe import Reading
from labeler.core.text import counted, display_safe
from labeler.core.types import Progress
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
from labeler.worker import cache as cached

MOST_LINES = 3
"""Lines of answers in backups that are named one by one."""


@dataclass(slots=True)
class Examination:
    """A look at one file while it is under way: the findings so far, and what is counted."""

    path: Path
    findings: list[Finding] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    schema: int = 0
    events: int = 0
    instances: int = 0
    labels: int = 0
    audits: int = 0
    cache: str = ""
    backup: Backup | None = None

    @property
    def is_sound(self) -> bool:
        """Whether nothing damaged was seen so far."""
        return not self.findings

    def has(self, code: str) -> bool:
        """Return whether there is a finding of this code."""
        return any(finding.code == code for finding in self.findings)

    def damage(self, code: str, what: str, lost: str, answers: int = 0) -> None:
        """Note a damage."""
        self.findings.append(Finding(code, what, lost, answers))

    def report(self) -> CheckReport:
        """Return the report of it."""
        return CheckReport(**{item.name: getattr(self, item.name) for item in fields(self)})


def check(path: Path, progress: Callable[[Progress], None] = lambda _: None) -> CheckReport:
    """Look at a project file, however damaged; nothing is changed.

    Raises
    ------
    UsageError
        There is no such file and no backup of one, or it is of another program or a newer version.
    ProjectBusy
        Another program holds it, so that nothing can be read.
    """
    exam = Examination(path)
    copies = backups.listed(path)
    # asked first: of a file that is gone the backups are all there is to name
    exam.backup = sound(copies)
    if not path.exists():
        if exam.backup is None:
            raise UsageError(f"there is no project file {path}", "start one with: labeler label SOURCE -p PROJECT")
        _backups(Inspected(), copies, exam)
        exam.damage("missing", "the file is gone", "what was answered since its last backup")
        return exam.report()
    progress(Progress("reading"))
    inspected = inspect(path)
    if inspected.locked:
        raise ProjectBusy(
            f"another program holds {path} locked", "close it there and try again; nothing is lost, as far as is known"
        )
    if inspected.foreign:
        raise UsageError(f"{path} is no project file: {inspected.foreign}", "give a *.labeler.db file")
    if inspected.newer:
        raise UsageError(
            f"{path} was written by a newer labeler (schema {inspected.newer})",
            "upgrade in the clone: git pull && pip install .",
        )
    exam.schema = inspected.schema
    if inspected.unreadable:
        _backups(inspected, copies, exam)
        exam.damage("unreadable", f"the file cannot be opened: {inspected.unreadable}", "all that is only in it")
        return exam.report()
    # the first ones: one torn page alone can make SQLite say many lines
    for line in inspected.structure[:5]:
        exam.damage("structure", f"SQLite says: {line}", "see below; where nothing else is said, nothing")
    if len(inspected.structure) > 5:
        exam.notes.append(f"SQLite says {len(inspected.structure) - 5:,} more of its kind")
    if inspected.missing is Missing.EVENTS:
        exam.damage("log", "the log beside the file (-wal) is not as it was written", "the answers given last")
    elif inspected.missing is Missing.DERIVED:
        exam.notes.append(MADE_ANEW)
    _backups(inspected, copies, exam)
    ids = _pool(inspected, exam)
    state = _journal(inspected, ids, exam)
    _project(inspected, exam)
    if state is not None:
        _audits(inspected, ids, state, exam)
        _question(inspected, state, exam)
        _round(inspected, state, exam)
        _pool_arrays(inspected, len(ids), exam)
        exam.labels, exam.audits = state.answers.counts["label"], len(state.audits)
        progress(Progress("looking at the cache"))
        _cache(inspected, ids, exam)
    if who := holder(path):
        exam.notes.append(f"it is open in {who}: this is how it stood a moment ago")
    return exam.report()


def _backups(inspected: Inspected, copies: list[Backup], exam: Examination) -> None:
    """The newest backup of the answers that are in the file, and what others hold that it does not."""
    own, others = split(copies, {event.seq: event.event_id for event in inspected.events})
    exam.backup = sound(own) or exam.backup
    parted = lines(others) if inspected.events else lines(copies)[1:]
    for line in parted[:MOST_LINES]:
        newest = line[0]
        exam.notes.append(
            f"answers of another line are in a backup: {counted(newest.events, 'event')} that part from those"
            f" {'in the file' if inspected.events else 'in the newest'}, from before another copy was brought back;"
            f" look at them: labeler restore {shlex.quote(display_safe(str(newest.path), 1000))} --to OTHER{SUFFIX}"
        )
    if len(parted) > MOST_LINES:
        exam.notes.append(f"{counted(len(parted) - MOST_LINES, 'more line')} of answers in {folder_of(exam.path)}")
    if exam.is_sound and own and inspected.events and own[0].events > len(inspected.events):
        more = counted(own[0].events - len(inspected.events), "event")
        exam.notes.append(f"the newest backup goes on from the file: it has {more} more")


# -- what cannot be made anew ---------------------------------------------------------------------------------------


def _pool(inspected: Inspected, exam: Examination) -> list[str]:
    ids: list[str] = []
    gap = bool(inspected.bad.get("pool"))
    # one after another without a gap: whatever is stored as an array knows an instance by its position alone
    for start, count, blob, _ in sorted(inspected.rows.get("pool", [])):
        part = rows.unpack_ids(blob, count)
        gap = gap or start != len(ids) or len(part) != count or not count
        ids += part
    gap = gap or len(set(ids)) != len(ids)
    exam.instances = len(ids)
    if gap:
        exam.damage("pool", "the list of instances is not as it was written", "which image each answer belongs to")
        return []
    return ids


def _journal(inspected: Inspected, ids: list[str], exam: Examination) -> State | None:
    """The fold of what can be read of the journal; None where there is no pool to fold over."""
    exam.events = len(inspected.events)
    for what in inspected.bad.get("events", []):
        exam.damage("seal", f"{what} is not as it was written", NOTHING)
    gone = [seq for seq, event in inspected.bad_events if event is None]
    if gone:
        answers = counted(len(gone), "event is", "events are")
        exam.damage("journal", f"{answers} gone from the journal ({_range(gone)})", "these answers", len(gone))
    # the first twenty by name, the others counted: a torn file would fill the terminal
    for seq, event in [(seq, event) for seq, event in inspected.bad_events if event is not None][:20]:
        exam.damage("journal", f"event {seq} of the journal is not as it was written", _lost(event), 1)
    if len(inspected.bad_events) - len(gone) > 20:
        more = len(inspected.bad_events) - len(gone) - 20
        exam.damage("journal", f"{counted(more, 'more event is', 'more events are')} so", "these answers", more)
    # without instances every event would be called wrong, for the one list that is
    if not ids and inspected.events and not exam.is_sound:
        return None
    state = State(Pool(ids))
    broken = 0
    try:
        for event in in_time(inspected.events):
            try:
                take(state, event)
            except DamagedProject as error:
                broken += 1
                # the first in words: most of those after it only follow from it
                if broken == 1:
                    what = f"event {event.seq} does not follow from those before it: {error}"
                    exam.damage("fold", what, _lost(event))
    except DamagedProject as error:
        exam.damage("fold", error.message, "what the other events say")
    if broken > 1:
        exam.damage("fold", f"{broken - 1:,} more events do not follow from those before them", "what they say")
    return state


def _lost(event: Event | None) -> str:
    if event is None:
        return "one answer"
    where = f" of {display_safe(event.instance_id, 60)}" if event.instance_id else ""
    return f"what it says: {display_safe(event.kind, 20)}{where}"


def _range(numbers: list[int]) -> str:
    return str(numbers[0]) if len(numbers) == 1 else f"{numbers[0]} to {numbers[-1]}"


def _project(inspected: Inspected, exam: Examination) -> None:
    for what in inspected.bad.get("project", []):
        exam.damage("project", f"what the project remembers is not as it was written ({what})", "an option or a place")
    names = {key for key, _ in inspected.rows.get("project", [])}
    try:
        remembered = _remembered(inspected)
    except ValueError as error:
        exam.damage("project", f"what the project remembers is none: {error}", "an option or a place")
    else:
        if wrong := wrong_key(remembered):
            exam.damage("project", f"what the project remembers cannot be ({wrong})", "an option or a place")
    if not exam.findings and inspected.events and "source" not in names:
        exam.notes.append("it does not say where its source is: labeler label SOURCE -p PROJECT tells it")


def _remembered(inspected: Inspected) -> dict[str, Any]:
    """Return what the project remembers, as far as it can be read. Raises ValueError where it is none."""
    return {key: loads(value) for key, value in inspected.rows.get("project", [])}


def _audits(inspected: Inspected, ids: list[str], state: State, exam: Examination) -> None:
    stored: dict[int, dict[str, NDArray[Any]]] = {}
    for number, name, *packed in inspected.rows.get("frozen", []):
        with contextlib.suppress(Unreadable):  # without it they are not those that the journal names
            stored.setdefault(number, {})[name] = rows.unpack_array(*packed)
    for audit in state.audits:
        try:
            thawed(audit, stored.get(audit.number, {}), ids)
        except (LabelerError, KeyError, IndexError, TypeError, ValueError):
            exam.damage(
                "audit",
                f"the frozen labels of audit {audit.number} are not those its journal names",
                "its certificate; its answers stay",
            )
    if inspected.bad.get("frozen") and not exam.has("audit"):
        exam.notes.append("labels frozen for an audit that never began are damaged: nothing rests on them")


# -- what is made anew ----------------------------------------------------------------------------------------------


def _question(inspected: Inspected, state: State, exam: Examination) -> None:
    if inspected.bad.get("question"):
        exam.damage("question", "the question on the screen is not as it was written", ANEW)
    for _, value in inspected.rows.get("question", []):
        try:
            pinned = rows.question_of(value)
        except Unreadable as error:
            exam.damage("question", f"the question on the screen cannot be read ({error})", ANEW)
            continue
        if pinned is not None and not question_fits(*pinned, state):
            exam.damage("question", "the question on the screen is none of this journal", ANEW)


def _round(inspected: Inspected, state: State, exam: Examination) -> None:
    if inspected.bad.get("rounds"):
        exam.damage("round", f"facts of the rounds are not as they were written: {inspected.bad['rounds'][0]}", ANEW)
    if inspected.bad.get("arrays"):
        what = ", ".join(display_safe(name, 40) for name in inspected.bad["arrays"][:4])
        exam.damage("round", f"derived arrays are not as they were written: {what}", ANEW)
    stored = inspected.rows.get("rounds", [])
    if not stored or exam.has("round"):
        return
    # the one that the program itself would take
    number, revision, facts = max(stored, key=lambda row: (row[1] or 0, row[0]))
    packed = {name: columns for owner, name, *columns in inspected.rows["arrays"] if owner == "round"}
    try:
        arrays = {name: rows.unpack_array(*columns) for name, columns in packed.items()}
        round_ = rows.round_of(number, revision, loads(facts, finite=False), arrays)
    except Unreadable as error:
        exam.damage("round", f"the last round is not whole ({error})", ANEW)
        return
    if wrong := misfit(round_, state):
        exam.damage("round", f"the last round does not fit ({wrong})", ANEW)


def _pool_arrays(inspected: Inspected, n: int, exam: Examination) -> None:
    for owner, name, *packed in inspected.rows.get("arrays", []):
        if owner != "pool":
            continue
        try:
            fits = bool(fitting_arrays({name: rows.unpack_array(*packed)}, n))
        except Unreadable:
            fits = False
        if not fits:
            exam.damage("round", f"the {display_safe(name, 40)} of the instances are none of these instances", ANEW)


def _cache(inspected: Inspected, ids: list[str], exam: Examination) -> None:
    """The cache against the source as it is now: deletable, but what is in it should be what its name says."""
    try:
        stored = _remembered(inspected)
    except ValueError:
        return
    if "source" not in stored or wrong_key(stored):
        return
    cache = paths.cache_of(exam.path)
    if not cache.is_dir():  # nothing could be written beside the file
        cache = paths.cache_elsewhere(exam.path)
    if not cache.is_dir():
        exam.cache = "none: it is made at the next opening"
        return
    try:
        source = paths.find_source(stored["source"], exam.path, Reading.of(stored.get("options", {})))
    except LabelerError as error:
        exam.notes.append(f"{error.message}: the cache was not looked at")
        return
    try:
        entries = cached.entries(source, ids, cache, str(stored.get("options", {}).get("encoder") or ""))
    finally:
        source.close()
    for name, why in entries.broken.items():
        exam.damage("cache", f"{display_safe(name, 80)} in the cache {why}", "nothing is lost: delete it")
    exam.cache = f"{counted(len(entries.current), 'entry', 'entries')} for the source as it is now"
    if entries.other:
        size = sum(entries.other.values()) / 1e6
        exam.notes.append(
            f"{counted(len(entries.other), 'entry', 'entries')} of the cache ({size:,.0f} MB) of the source as it was,"
            " or of another encoder: may be deleted"
        )
