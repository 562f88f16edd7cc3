"""The record that screens draw from: small, immutable, made in O(classes) whatever the size of the pool."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from labeler.core.advice import look_again, rest_from_pages
from labeler.core.types import GIVEN, Advice, ClassInfo, Provenance, Question, Round, Snapshot
from labeler.session.learning_curve import Point
from labeler.session.pace import pace
from labeler.session.state import State

if TYPE_CHECKING:
    from labeler.session.parts.answers import Pacing
    from labeler.session.recorder import Recorder


def snapshot_of(state: State) -> Snapshot:
    """Return what an engine may know now; answers in the order they were given."""
    rows = state.answers.columns.of("label")
    audit = state.audits.held if state.audits else 0
    gone = state.pool.missing | state.pool.unreadable  # a label is kept, but there is nothing to learn from
    given = np.isin(rows["provenance"], GIVEN) & ~gone[rows["index"]]
    # an engine gives whatever class it finds among the answers: those of a retired one are the person's alone
    out_of_use = given & np.isin(rows["class_id"], [info.class_id for info in state.classes.values() if info.retired])
    in_audit = given & ~out_of_use & (rows["audit"] == audit) & (rows["audit"] > 0)
    retired, held = rows["index"][out_of_use], rows["index"][in_audit]
    learned = given & ~out_of_use & ~in_audit
    rejected = state.indices_of("reject")
    return Snapshot(
        revision=state.revision,
        round=state.round,
        indices=rows["index"][learned],
        class_ids=rows["class_id"][learned],
        provenances=rows["provenance"][learned],
        weights=rows["weight"][learned],
        class_list=np.array([info.class_id for info in state.active_classes()], dtype=np.int32),
        excluded=np.union1d(np.union1d(rejected, state.pool.unusable()), retired).astype(np.int64),
        held_back=state.indices_of("unsure"),
        deferred=np.union1d(state.indices_of("skip"), held).astype(np.int64),
        percentile=state.percentile,
        reach_indices=np.array(list(state.clusters.reaches), dtype=np.int64),
        reach_percentiles=np.array(
            [np.nan if own is None else own for own in state.clusters.reaches.values()], dtype=np.float32
        ),
        splits=np.array(state.clusters.splits, dtype=np.int64),
    )


def view_of(recorder: Recorder, pacing: Pacing) -> View:
    """Return what a screen draws from."""
    state, labels, questions = recorder.state, recorder.machine_labels, recorder.questions
    question, doubts = questions.shown(), labels.doubted()
    gone = gone_kinds(state)
    n_usable = count_usable(state)
    given = state.answers.counts["label"]
    # what is gone is no usable instance, and so its answer settles nothing: else fewer than none could be open
    settled = given + state.answers.counts["unsure"] - gone.count("label") - gone.count("unsure")
    conflicts = sum(state.in_conflict(index) for index in state.conflicts)
    return View(
        revision=state.revision,
        noun=state.pool.noun,
        question=question,
        n_instances=len(state.pool),
        n_usable=n_usable,
        answers=state.answers.n_single,
        given=given,
        propagated=labels.total(Provenance.PROPAGATED),
        predicted=labels.total(Provenance.PREDICTED),
        skipped=state.answers.counts["skip"],
        unsure=state.answers.counts["unsure"],
        rejected=state.answers.counts["reject"],
        flagged=len(state.flagged),
        open_questions=n_usable - settled + conflicts,
        conflicts=conflicts,
        classes=labels.class_counts(),
        retired=labels.retired_counts(),
        chain=questions.chain(labels.round, state.percentile),
        percentile=state.percentile,
        rounds=state.round,
        round=labels.round,
        advice=_advice(labels.round.advice if labels.round else None, len(doubts), pacing),
        last=recorder.last,
        can_undo=state.undo_target() is not None,
        can_redo=state.redo_target() is not None,
        question_flagged=question is not None and question.index in state.flagged,
        doubts=doubts,
        times=state.times,
        keys=state.keys,
        representatives_left=questions.representatives_left(labels.round),
        history=labels.history,
        given_gone=gone.count("label"),
        recent=state.recent_classes(),
    )


def gone_kinds(state: State) -> list[str]:
    """The kinds of answers to instances that are missing or cannot be read; empty but for a broken source."""
    gone = [state.answers.get(int(index)) for index in state.pool.unusable()]
    return ["" if answer is None else answer.kind for answer in gone]


def count_usable(state: State) -> int:
    """The number of instances that can be labeled."""
    gone = gone_kinds(state)
    return len(state.pool) - len(gone) - state.answers.counts["reject"] + gone.count("reject")


def _advice(advice: Advice | None, n_doubts: int, pacing: Pacing) -> Advice | None:
    """The engine's advice; before the end, the answers it doubts come first, and pages come with pauses."""
    if advice is not None and advice.code == "grids" and not pacing.wants_page:
        return rest_from_pages(pacing.singles_left)
    if advice is None or advice.code != "stop" or not n_doubts:
        return advice
    return look_again(n_doubts)


@dataclass(frozen=True, slots=True)
class ClassCount:
    """One line of the legend."""

    info: ClassInfo
    human: int = 0
    confirmed: int = 0
    imported: int = 0
    propagated: int = 0
    predicted: int = 0

    @property
    def given(self) -> int:
        """Labels a person or an import gave."""
        return self.human + self.confirmed + self.imported


@dataclass(frozen=True, slots=True)
class Stage:
    """One link of the chain in the status line; `active` is where the session stands."""

    text: str
    active: bool = False


@dataclass(frozen=True, slots=True)
class Done:
    """The last thing that happened, for the mark beside the answer."""

    what: str  # "label", "skip", "undo label", ...
    index: int | None
    class_id: int | None
    revision: int
    class_name: str = ""  # as it is called now, or was before it was taken back


@dataclass(frozen=True, slots=True)
class View:
    """All that a screen needs; `round` is a reference to read-only arrays (None before the first round)."""

    revision: int
    noun: str  # what an instance is called: "image", "row", "text"
    question: Question | None
    n_instances: int
    n_usable: int
    answers: int
    given: int
    propagated: int
    predicted: int
    skipped: int
    unsure: int
    rejected: int
    flagged: int
    open_questions: int
    conflicts: int  # of these: answered by two people, differently
    classes: tuple[ClassCount, ...]
    retired: tuple[ClassCount, ...]  # in no legend; they keep the labels a person gave
    chain: tuple[Stage, ...]
    percentile: float | None
    rounds: int
    round: Round | None
    advice: Advice | None
    last: Done | None
    can_undo: bool
    can_redo: bool
    question_flagged: bool
    doubts: tuple[int, ...] = ()  # indices of given labels worth a second look, the most doubted first
    times: Sequence[float] = ()  # when a person answered, as far as the session has come: never copied
    keys: int = 0  # presses so far, as far as the journal tells
    representatives_left: int = 0
    history: tuple[Point, ...] = ()
    given_gone: int = 0  # of `given`: their instances are missing or cannot be read; the labels are kept
    recent: tuple[int, ...] = ()  # ids of the classes given last, the latest first; a few

    @property
    def pace(self) -> float | None:
        """The person's seconds an answer; None until there are a few."""
        return pace(self.times)

    @property
    def labeled(self) -> int:
        """Labels that the default export would hold by the last round and the answers since: the one such number."""
        return self.given + self.propagated

    @property
    def n_to_label(self) -> int:
        """Instances that may be among them."""
        return self.n_usable + self.given_gone

    @property
    def class_names(self) -> dict[int, str]:
        """The name of every class that may stand beside a picture, by its id."""
        return {count.info.class_id: count.info.name for count in (*self.classes, *self.retired)}

    @property
    def coverage(self) -> float:
        """Share of the instances that the default export would hold."""
        return self.labeled / self.n_to_label if self.n_to_label else 0.0
