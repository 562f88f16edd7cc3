"""The fold of the journal: what the events so far amount to. Pure bookkeeping, no I/O, no choice of questions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from labeler.core.pool import Pool
from labeler.core.vocabulary import GIVEN, UNLABELED, ClassInfo, Event, IndexArray, IntArray, Provenance, Snapshot
from labeler.errors import ProjectError
from labeler.session.audit_pages import block_of
from labeler.session.audits import Audit, answer_of, begun, return_page, take_page
from labeler.session.classes import (
    CLASS_KINDS,
    VOIDING,
    back_again,
    changed_classes,
    class_of,
    current,
    lookup_of,
    moved_labels,
)

_GIVES_LABELS = frozenset({"label", "page", "import"})
CARRIED = "audit_carried"
"""The kind of an event that holds the audits of another journal as they were."""
_NO_KEYS = frozenset({"import", "setting", "audit_begin", "audit_block", "source_change", CARRIED})
_ANSWERS = frozenset({"label", "unsure", "reject", "page", "repeat"})
"""Events a person takes time over: their times make the pace."""
_PAGES = ("page", "audit_page")
_AUDITED = ("audit_answer", "audit_page")
UNDOABLE = CLASS_KINDS | {
    "label",
    "skip",
    "unsure",
    "reject",
    "flag",
    "page",
    "import",
    "keep",
    "reach",
    "split",
    "audit_answer",
    "audit_page",
    "audit_end",
    "repeat",
    "source_change",
}
ROUND_LENGTH = 10
"""Answers to a round, as the exports number them: by the journal alone, whenever the engine refitted in between."""
SKIP_FOR = 25
"""A skipped instance comes back after this many further answers, or when nothing else is left."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What a person last said of one instance, and the event that says it."""

    kind: str  # "label", "skip", "unsure", "reject"
    event_id: str
    seq: int
    at: float
    annotator: str = ""
    class_id: int = UNLABELED
    provenance: Provenance = Provenance.NONE
    weight: float = 1.0
    round: int = 0
    paged: bool = False  # said on a page of a grid, together with others
    until: int = 0  # skip: back when this many answers were given
    audit: int = 0  # said in the audit of that number (0 = in none)


@dataclass(frozen=True, slots=True)
class Conflict:
    """What two people said of one instance, until somebody settles it; the later answer stands meanwhile.

    `answers`: (event id, annotator, class_id; UNLABELED = belongs to no class), the earlier first. `until`: skipped,
    back when this many answers were given.
    """

    answers: tuple[tuple[str, str, int], ...]
    until: int = 0


@dataclass(frozen=True, slots=True)
class Kept:
    """A second look found this class right, by the event at `seq`."""

    class_id: int
    seq: int


@dataclass(frozen=True, slots=True)
class Repeat:
    """A second answer, blind to the first: `class_id` (UNLABELED but where `said` is "label") to what event `first`
    labeled `first_class`."""

    index: int
    first: str
    first_class: int
    said: str  # "label", "skip", "unsure", "reject"
    class_id: int
    annotator: str
    seq: int
    at: float


@dataclass(slots=True)
class _Inverse:
    """How to take one event back: standings and classes before it (None = not there), flags, rules of clusters."""

    event: Event
    standings: list[tuple[int, Standing | None]] = field(default_factory=list)
    flag: int | None = None
    kept: tuple[int, Kept | None] | None = None
    conflicts: list[tuple[int, Conflict]] = field(default_factory=list)
    reaches: dict[int, float | None] | None = None
    classes: list[tuple[int, ClassInfo | None]] = field(default_factory=list)


class State:
    """Answers, classes, flags, settings and the undo stack. `apply` is the only way in."""

    def __init__(self, pool: Pool) -> None:
        self.pool = pool
        self.revision = 0
        self.standings: dict[int, Standing] = {}
        self.classes: dict[int, ClassInfo] = {}
        self.next_class_id = 0  # never given twice: a round computed before an undo may still speak of the old class
        self.classes_at = 0  # the revision at which a class was last added or changed
        self.set_up: set[str] = set()  # names given when the project was opened: said once, however they fared since
        self.flagged: set[int] = set()
        self.kept: dict[int, Kept] = {}  # index -> the class that a second look found right
        self.repeats: list[Repeat] = []  # second answers to hidden repeats
        self.conflicts: dict[int, Conflict] = {}  # instances that wait for somebody to settle them
        self.settings: dict[str, Any] = {}
        self.reaches: dict[int, float | None] = {}  # representative -> percentile of its cluster, the latest last
        self.splits: list[int] = []  # representatives whose clusters were divided in two, in that order
        self.audits: list[Audit] = []
        self.carried: list[Event] = []  # audits of other files, sealed
        self.labels_at_audit = 0  # events that gave labels when the latest audit began
        self.front: list[int] = []  # instances whose answer was taken back: asked next, the latest first
        self.counts: Counter[str] = Counter()  # "label", "skip", "unsure", "reject" -> instances
        self.given: Counter[tuple[int, int]] = Counter()  # (class_id, provenance) -> instances
        self.answers = 0  # instances labeled one at a time and not undone
        self.pages = 0
        self.label_events = 0  # events that gave labels and stand: an answer, a page, an import
        self.keys = 0  # presses: as counted by a screen, else one an event and one an exception on a page
        self.times: list[float] = []  # when a person answered, taken back or not: the time was spent
        self.voided_at = 0  # results computed before this revision rest on something taken back
        self._events: dict[str, Event] = {}  # those that stand, by id
        self._done: list[_Inverse] = []
        self._undone: list[Event] = []

    # -- the undo stack ------------------------------------------------------------------------------------------

    def undo_target(self) -> Event | None:
        """The event an undo would take back."""
        return self._done[-1].event if self._done else None

    def redo_target(self) -> Event | None:
        """The event a redo would bring back."""
        return self._undone[-1] if self._undone else None

    def event(self, event_id: str) -> Event | None:
        """An event that stands; None where it was taken back."""
        return self._events.get(event_id)

    def standing_events(self, kind: str) -> Iterator[Event]:
        """The events of a kind that were not taken back, in order."""
        return (event for event in self._events.values() if event.kind == kind)

    # -- folding -------------------------------------------------------------------------------------------------

    def apply(self, event: Event) -> list[int]:
        """Fold one event in; returns the indices whose standing changed.

        Raises
        ------
        ProjectError
            The journal holds an event this version does not know, or an undo of something not on the stack.
        """
        self.revision += 1
        self.keys += _keys_of(event)
        if event.kind in UNDOABLE:
            self._undone.clear()
            if event.kind in _ANSWERS:
                self.times.append(event.at)
            return self._do(event)
        if event.kind == "undo":
            return self._undo(event)
        if event.kind == "redo":
            return self._redo(event)
        if event.kind == "audit_begin":
            self._undone.clear()  # an answer to the audit before is not brought back
            self.audits.append(begun(event))
            self.labels_at_audit = self.label_events
            return []
        if event.kind == "audit_block":  # a plan: nothing is said yet, and what was taken back may be brought back
            self._audit_of(event).blocks.append(block_of(event, self.pool))
            return []
        if event.kind == "setting":
            self.settings.update(event.payload)
            self.voided_at = self.revision
            return []
        if event.kind == "conflict":  # of two merged journals
            index = self.pool.index(event.instance_id or "")
            self.conflicts[index] = Conflict(
                tuple(
                    (event_id, annotator, int(class_id)) for event_id, annotator, class_id in event.payload["answers"]
                )
            )
            return [index]
        if event.kind == CARRIED:
            self.carried.append(event)
            return []
        raise ProjectError(
            f"the journal holds an event of a kind this version does not know: {event.kind!r}",
            "open the project with the version of labeler that wrote it, or a newer one",
        )

    def _do(self, event: Event) -> list[int]:
        inverse = _Inverse(event)
        if event.kind in CLASS_KINDS:
            self._change_classes(event, inverse)
        elif event.kind == "flag":
            inverse.flag = self.pool.index(event.instance_id or "")
            self.flagged ^= {inverse.flag}
        elif event.kind == "keep":
            index = self.pool.index(event.instance_id or "")
            inverse.kept = index, self.kept.get(index)
            self.kept[index] = Kept(class_of(event), event.seq)
            self._settle(index, inverse)
        elif event.kind == "repeat":
            self.repeats.append(_repeat_of(event, self.pool))
        elif event.kind == "reach":
            inverse.reaches = dict(self.reaches)
            index = self.pool.index(event.instance_id or "")
            self.reaches.pop(index, None)
            self.reaches[index] = event.payload["percentile"]
            self.voided_at = self.revision
        elif event.kind == "split":
            self.splits.append(self.pool.index(event.instance_id or ""))
            self.voided_at = self.revision
        elif event.kind == "source_change":
            self._follow(event, inverse)
        elif event.kind == "audit_end":
            self._audit_of(event).ended = True
        elif event.kind == "skip" and self.in_conflict(self.pool.index(event.instance_id or "")):
            index = self.pool.index(event.instance_id or "")  # settled later; neither answer is lost
            inverse.conflicts.append((index, self.conflicts[index]))
            self.conflicts[index] = replace(self.conflicts[index], until=self.answers + SKIP_FOR)
            self.front = [other for other in self.front if other != index]
        else:
            for index, standing in self._standings_of(event):
                inverse.standings.append((index, self.standings.get(index)))
                self._put(index, standing)
                self._settle(index, inverse)
            self.pages += event.kind == "page"
            self.label_events += event.kind in _GIVES_LABELS
            if event.kind == "audit_answer":
                self._audit_of(event).answers.append(answer_of(event, inverse.standings[0][0]))
            elif event.kind == "audit_page":
                take_page(self._audit_of(event), event, self.pool)
        self._events[event.event_id] = event
        if not event.payload.get("setup"):  # classes named before the first question are no answer to take back
            self._done.append(inverse)
        return [index for index, _ in inverse.standings]

    def _follow(self, event: Event, inverse: _Inverse) -> None:
        """Answers go with the content they were given to; where it is nowhere any more they stand no longer."""
        taken = []
        for name, place, event_id in event.payload["answers"]:
            index = self.pool.index(name)
            standing = self.standings.get(index)
            if standing is not None and standing.event_id == event_id:  # else it was said anew or followed before
                inverse.standings.append((index, standing))
                self._put(index, None)
                taken.append((place, standing))
        for place, standing in taken:
            index = UNLABELED if place is None else self.pool.index(place)
            if index != UNLABELED and index not in self.standings:
                inverse.standings.append((index, None))
                self._put(index, standing)
        self.voided_at = self.revision

    def _settle(self, index: int, inverse: _Inverse) -> None:
        if index in self.conflicts:
            inverse.conflicts.append((index, self.conflicts.pop(index)))

    def _change_classes(self, event: Event, inverse: _Inverse) -> None:
        for index, standing in moved_labels(event, self.standings, self.classes, self.pool):
            inverse.standings.append((index, self.standings[index]))
            self._put(index, standing)
        for info in changed_classes(event, self.classes):
            inverse.classes.append((info.class_id, self.classes.get(info.class_id)))
            self.classes[info.class_id] = info
            self.next_class_id = max(self.next_class_id, info.class_id + 1)
        self.classes_at = self.revision
        if event.kind in VOIDING:
            self.voided_at = self.revision
        if event.kind == "class_add" and event.payload.get("setup"):
            self.set_up.add(event.payload["name"])

    def _undo(self, event: Event) -> list[int]:
        if not self._done or self._done[-1].event.event_id != event.target:
            raise ProjectError(
                f"the journal takes back event {event.target}, which is not the latest one", "run: labeler check"
            )
        inverse = self._done.pop()
        self._undone.append(inverse.event)
        del self._events[inverse.event.event_id]
        self.voided_at = self.revision
        for index, before in reversed(inverse.standings):
            self._put(index, before)
        self.conflicts.update(inverse.conflicts)
        if inverse.flag is not None:
            self.flagged ^= {inverse.flag}
        if inverse.kept is not None:
            index, kept = inverse.kept
            self.kept.pop(index)
            if kept is not None:
                self.kept[index] = kept
        if inverse.event.kind == "repeat":
            self.repeats.pop()
        if inverse.reaches is not None:
            self.reaches = inverse.reaches
        if inverse.event.kind == "split":
            self.splits.pop()
        if inverse.event.kind == "audit_end":
            self._audit_of(inverse.event).ended = False
        if inverse.event.kind == "audit_answer":
            audit = self._audit_of(inverse.event)
            audit.answers.pop()
            audit.taken_back += 1
        elif inverse.event.kind == "audit_page":
            return_page(self._audit_of(inverse.event), inverse.event)
        self._restore_classes(inverse.classes)
        self.pages -= inverse.event.kind == "page"
        self.label_events -= inverse.event.kind in _GIVES_LABELS
        asked = [index for index, _ in (*inverse.standings, *inverse.conflicts)]
        if inverse.event.instance_id is not None and asked and inverse.event.kind != "audit_answer":
            self.front.append(asked[0])
        return [index for index, _ in inverse.standings]

    def _restore_classes(self, before: list[tuple[int, ClassInfo | None]]) -> None:
        others = [info for class_id, info in self.classes.items() if class_id not in dict(before)]
        for class_id, info in before:
            if info is None:
                del self.classes[class_id]
            else:
                self.classes[class_id] = back_again(info, others)
            self.classes_at = self.revision

    def _redo(self, event: Event) -> list[int]:
        if not self._undone or self._undone[-1].event_id != event.target:
            raise ProjectError(
                f"the journal brings back event {event.target}, which was not the last one taken back",
                "run: labeler check",
            )
        self.voided_at = self.revision
        return self._do(self._undone.pop())

    def _standings_of(self, event: Event) -> list[tuple[int, Standing]]:
        def standing(kind: str, class_id: int = UNLABELED, provenance: Provenance = Provenance.NONE) -> Standing:
            return Standing(
                kind,
                event.event_id,
                event.seq,
                event.at,
                event.annotator,
                current(class_id, self.classes),
                provenance,
                float(event.payload.get("margin", 1.0)),
                self.round,
                event.kind in _PAGES,
                self.answers + SKIP_FOR if kind == "skip" else 0,
                int(event.payload["audit"]) if event.kind in _AUDITED else 0,
            )

        if event.kind in ("import", *_PAGES):
            said = [
                (self.pool.index(instance_id), standing("label", class_id, Provenance[word.upper()]))
                for instance_id, class_id, word in event.payload["labels"]
            ]
            said += [
                (self.pool.index(instance_id), standing("unsure")) for instance_id in event.payload.get("unsure", ())
            ]
            return said if event.kind in _PAGES else [item for item in said if self._takes_import(item[0])]
        index = self.pool.index(event.instance_id or "")
        kind = event.payload["said"] if event.kind == "audit_answer" else event.kind
        if kind == "label":
            return [(index, standing("label", class_of(event), Provenance.HUMAN))]
        return [(index, standing(kind))]

    def _audit_of(self, event: Event) -> Audit:
        number = int(event.payload["audit"])
        if not 0 < number <= len(self.audits):
            raise ProjectError(f"event {event.event_id} of the journal names no audit", "run: labeler check")
        return self.audits[number - 1]

    def is_held(self, standing: Standing) -> bool:
        """Whether it was said in an audit whose statement is not drawn yet: the engine must not learn from it."""
        return 0 < standing.audit == len(self.audits) and not self.audits[standing.audit - 1].drawn

    def _takes_import(self, index: int) -> bool:
        """Whether no person has labeled or rejected it; in a merged journal the import may come later."""
        before = self.standings.get(index)
        if before is None or before.kind != "label":
            return before is None or before.kind != "reject"
        return before.provenance is Provenance.IMPORTED

    def _put(self, index: int, standing: Standing | None) -> None:
        before = self.standings.get(index)
        if before is not None and (standing is None or standing.event_id != before.event_id):
            del self.standings[index]  # what is said anew goes to the end; the same label of another class stays
        for one, step in ((before, -1), (standing, 1)):
            if one is None:
                continue
            self.counts[one.kind] += step
            if one.kind == "label":
                self.given[one.class_id, one.provenance] += step
                self.answers += step * (one.provenance is Provenance.HUMAN and not one.paged)
        if standing is not None:
            self.standings[index] = standing
            if index in self.front:
                self.front.remove(index)

    # -- reading -------------------------------------------------------------------------------------------------

    def indices_of(self, *kinds: str) -> IndexArray:
        """Indices whose standing is one of `kinds`, in pool order."""
        found = [index for index, standing in self.standings.items() if standing.kind in kinds]
        return np.array(sorted(found), dtype=np.int64)

    def in_conflict(self, index: int) -> bool:
        """Whether two people's answers to an instance differ, nobody settled it, and both stand."""
        conflict = self.conflicts.get(index)
        return conflict is not None and all(event_id in self._events for event_id, _, _ in conflict.answers)

    def is_kept(self, index: int) -> bool:
        """Whether a second look found the given label right; a class it was merged into counts as the same."""
        kept, standing = self.kept.get(index), self.standings.get(index)
        if kept is None or standing is None or standing.kind != "label":
            return False
        return current(kept.class_id, self.classes) == standing.class_id

    def active_classes(self) -> list[ClassInfo]:
        """Classes that can be answered, in the order they were added."""
        return [info for info in self.classes.values() if not info.retired]

    def stands_for(self) -> IntArray:
        """Class id -> the active class it stands for now; see :func:`labeler.session.classes.lookup_of`."""
        return lookup_of(self.classes, self.next_class_id)

    @property
    def round(self) -> int:
        """The round the next answer falls into, counted from 1."""
        return 1 + self.label_events // ROUND_LENGTH

    def snapshot(self, percentile: float | None) -> Snapshot:
        """What an engine may know now; answers in the order they were given."""
        given = sorted(
            ((standing.seq, index, standing) for index, standing in self.standings.items() if standing.kind == "label"),
            key=lambda item: item[:2],
        )
        gone = self.pool.missing | self.pool.unreadable  # a label is kept, but there is nothing to learn from
        given = [item for item in given if item[2].provenance in GIVEN and not gone[item[1]]]
        # an engine gives whatever class it finds among the answers: those of a retired one are the person's alone
        retired = [index for _, index, standing in given if self.classes[standing.class_id].retired]
        given = [item for item in given if not self.classes[item[2].class_id].retired]
        held = [index for _, index, standing in given if self.is_held(standing)]
        given = [item for item in given if not self.is_held(item[2])]
        rejected = self.indices_of("reject")
        return Snapshot(
            revision=self.revision,
            round=self.round,
            indices=np.array([index for _, index, _ in given], dtype=np.int64),
            class_ids=np.array([standing.class_id for _, _, standing in given], dtype=np.int32),
            provenances=np.array([standing.provenance for _, _, standing in given], dtype=np.uint8),
            weights=np.array([standing.weight for _, _, standing in given], dtype=np.float32),
            class_list=np.array([info.class_id for info in self.active_classes()], dtype=np.int32),
            excluded=np.union1d(np.union1d(rejected, self.pool.unusable()), retired).astype(np.int64),
            held_back=self.indices_of("unsure"),
            deferred=np.union1d(self.indices_of("skip"), held).astype(np.int64),
            percentile=percentile,
            reach_indices=np.array(list(self.reaches), dtype=np.int64),
            reach_percentiles=np.array(
                [np.nan if own is None else own for own in self.reaches.values()], dtype=np.float32
            ),
            splits=np.array(self.splits, dtype=np.int64),
        )


def _repeat_of(event: Event, pool: Pool) -> Repeat:
    how = event.payload
    class_id = UNLABELED if event.class_id is None else event.class_id
    index = pool.index(event.instance_id or "")
    return Repeat(
        index, how["first"], int(how["first_class"]), how["said"], class_id, event.annotator, event.seq, event.at
    )


def _keys_of(event: Event) -> int:
    if event.kind in _NO_KEYS or event.payload.get("setup"):
        return 0
    if "keys" in event.payload:
        return int(event.payload["keys"])
    exceptions = [word for _, _, word in event.payload["labels"] if word == "human"] if event.kind in _PAGES else []
    return 1 + len(exceptions) + int(event.payload.get("marked", 0))
