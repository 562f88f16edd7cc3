"""The one mutable object: every command checks, appends its event to the journal, applies it, draws the next question.

Command line, screens, Python and the simulated person all go through it, so they leave the same journal.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from labeler.core.advice import look_again, rest_from_pages
from labeler.core.errors import NotSaved, UsageError
from labeler.core.pool import Pool
from labeler.core.types import UNLABELED, Advice, Provenance, Question, Queue, Round, Snapshot
from labeler.session.journal import Journal
from labeler.session.pace import pace
from labeler.session.pacing import Pacing
from labeler.session.parts.accept import AcceptCommands
from labeler.session.parts.audit_pages import AuditPageCommands
from labeler.session.parts.clusters import ClusterCommands
from labeler.session.round_notes import notes_of
from labeler.session.snapshot import snapshot_of
from labeler.session.view import View


@dataclass(frozen=True, slots=True)
class Began:
    """Where a session stood when it was opened: keys, given labels, answer times so far."""

    keys: int
    labels: int
    times: int


class Session(AcceptCommands, ClusterCommands, AuditPageCommands):
    """A person's labeling of one pool.

    Parameters
    ----------
    pool, journal
        What is labeled, and where the events go; the events already there are replayed.
    clock, new_id
        Seconds since 1970 and a new unique id: time and chance come in from outside.
    annotator
        Name written beside every event.
    key_layout
        One of :data:`labeler.session.keys.LAYOUTS`.
    """

    def __init__(
        self,
        pool: Pool,
        journal: Journal,
        *,
        clock: Callable[[], float],
        new_id: Callable[[], str],
        annotator: str = "",
        key_layout: str = "digits",
    ) -> None:
        super().__init__(pool, journal, clock=clock, new_id=new_id, annotator=annotator)
        self.key_layout = key_layout
        self.pacing = Pacing()
        self.round_notes: list[str] = []  # what the last round changed of what is counted, and why, one line each
        self.began = Began(self.state.keys, self.state.counts["label"], len(self.state.times))

    # -- settings ------------------------------------------------------------------------------------------------

    def set(self, **settings: Any) -> None:
        """Change settings (percentile, ...) from here on; recorded, not on the undo stack. No change: no event."""
        changed = {key: value for key, value in settings.items() if self.state.settings.get(key, ...) != value}
        if changed:
            self._record("setting", None, None, changed)

    # -- what the engine sends -----------------------------------------------------------------------------------

    @property
    def percentile(self) -> float | None:
        """The reach: closest P % of each cluster, or None = auto."""
        value = self.state.settings.get("percentile")
        return None if value is None or value == "auto" else float(value)

    def snapshot(self) -> Snapshot:
        """What the engine may know now."""
        return snapshot_of(self.state, self.percentile)

    def merge_queue(self, queue: Queue, revision: int) -> bool:
        """Take newer questions; the one on the screen stays. Dropped (False) where it rests on something undone."""
        if revision < self.state.voided_at:
            return False
        self.questions.refill(queue, revision)
        self._draw()
        return True

    def merge_round(self, round_: Round, *, save: bool = True) -> bool:
        """Take a round: given labels win, answered instances leave its queue. False = dropped as outdated."""
        if round_.revision < max(self.state.voided_at, self.derived.revision):
            return False
        before, labeled = self.derived.round, self._labeled()
        self.derived.merge(round_)
        self.round_notes = notes_of(before, self.derived.round, (labeled, self._labeled()), self.since_round)
        self.since_round = []
        self.questions.refill(round_.queue, round_.revision)
        kept = self.derived.remember(before, self._n_usable())
        if save:
            with contextlib.suppress(NotSaved):  # derived: the engine makes it anew
                self._journal.save_round(kept)
        self._draw()
        return True

    def _labeled(self) -> int:
        return self.state.counts["label"] + self.derived.total(Provenance.PROPAGATED)

    def ask(self, instance_id: str) -> None:
        """Ask about this instance next, whether it has an answer or not. Shown at once; no event.

        Raises
        ------
        UsageError
            No such instance, or there is nothing to show of it.
        """
        index = self.pool.index(instance_id)
        if self.pool.missing[index] or self.pool.unreadable[index]:
            raise UsageError("it cannot be asked about: it is missing or unreadable", "is the file where it was?")
        self.questions.ask(index)
        self.questions.renew()
        self._draw()

    # -- reading -------------------------------------------------------------------------------------------------

    @property
    def question(self) -> Question | None:
        """The question on the screen; None when nothing is left to ask (or nothing is known yet)."""
        return self.questions.shown()

    def label_of(self, index: int) -> tuple[int, Provenance]:
        """The final label of an instance now: what a person gave, else what the last round says."""
        standing = self.state.standings.get(index)
        if standing is not None and standing.kind == "label":
            return standing.class_id, standing.provenance
        if standing is not None and standing.kind == "reject":
            return UNLABELED, Provenance.NONE
        return self.derived.label_of(index)

    def view(self) -> View:
        """The state as screens see it."""
        state, derived = self.state, self.derived
        question, doubts = self.question, derived.doubted()
        gone = self._gone_kinds()
        n_usable = self._n_usable()
        given = state.counts["label"]
        settled = given + state.counts["unsure"] - gone.count("label") - gone.count("unsure")
        conflicts = sum(state.in_conflict(index) for index in state.conflicts)
        return View(
            revision=state.revision,
            noun=self.pool.noun,
            question=question,
            n_instances=len(self.pool),
            n_usable=n_usable,
            answers=state.answers,
            given=given,
            propagated=derived.total(Provenance.PROPAGATED),
            predicted=derived.total(Provenance.PREDICTED),
            skipped=state.counts["skip"],
            unsure=state.counts["unsure"],
            rejected=state.counts["reject"],
            flagged=len(state.flagged),
            open_questions=n_usable - settled + conflicts,
            conflicts=conflicts,
            classes=derived.class_counts(),
            retired=derived.retired_counts(),
            chain=self.questions.chain(derived.round, self.percentile),
            percentile=self.percentile,
            rounds=state.round,
            round=derived.round,
            advice=_advice(derived.round.advice if derived.round else None, len(doubts), self.pacing),
            last=self.last,
            can_undo=state.undo_target() is not None,
            can_redo=state.redo_target() is not None,
            question_flagged=question is not None and question.index in state.flagged,
            doubts=doubts,
            pace=pace(state.times),
            keys=state.keys,
            representatives_left=self.questions.representatives_left(derived.round),
            history=derived.history,
            given_gone=gone.count("label"),
            recent=state.recent_classes(),
        )

    def _gone_kinds(self) -> list[str]:
        """What a person said of instances that are missing or cannot be read; empty but for a broken source."""
        gone = [self.state.standings.get(int(index)) for index in self.pool.unusable()]
        return ["" if standing is None else standing.kind for standing in gone]

    def _n_usable(self) -> int:
        gone = self._gone_kinds()
        return len(self.pool) - len(gone) - self.state.counts["reject"] + gone.count("reject")


def _advice(advice: Advice | None, n_doubts: int, pacing: Pacing) -> Advice | None:
    """The engine's advice; before the end, the answers it doubts come first, and pages come with pauses."""
    if advice is not None and advice.code == "grids" and not pacing.wants_page:
        return rest_from_pages(pacing.singles_left)
    if advice is None or advice.code != "stop" or not n_doubts:
        return advice
    return look_again(n_doubts)
