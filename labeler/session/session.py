"""The one mutable object: every command checks, appends its event to the journal, applies it, draws the next question.

Command line, screens, Python and the simulated person all go through it, so they leave the same journal.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from labeler.core.errors import NotSaved, UsageError
from labeler.core.events import Setting
from labeler.core.pool import Pool
from labeler.core.types import UNLABELED, Provenance, Question, Queue, Round, Snapshot
from labeler.session.journal import Journal
from labeler.session.parts.answers import Answers
from labeler.session.parts.audit import Audit
from labeler.session.parts.classes import Classes
from labeler.session.parts.clusters import Clusters
from labeler.session.parts.imports import Imports
from labeler.session.recorder import Recorder
from labeler.session.round_notes import notes_of
from labeler.session.view import Done, View, count_usable, snapshot_of, view_of


@dataclass(frozen=True, slots=True)
class Began:
    """The place where a session stood when it was opened: keys, given labels, answer times so far."""

    keys: int
    labels: int
    times: int


class Session:
    """A person's labeling of one pool, in parts: `classes`, `clusters`, `audit`, `imports`, and the answers.

    The answers are asked of the session itself: ``session.label(...)``; :class:`Answers` says what each takes.

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
        self.recorder = Recorder(pool, journal, clock=clock, new_id=new_id, annotator=annotator)
        self.pool, self.state = pool, self.recorder.state
        self.machine_labels, self.questions = self.recorder.machine_labels, self.recorder.questions
        self.classes = Classes(self.recorder, key_layout)
        self.clusters = Clusters(self.recorder)
        self.audit = Audit(self.recorder, self.classes)
        self.imports = Imports(self.recorder, self.classes)
        answers = Answers(self.recorder, self.classes)
        self.pacing = answers.pacing
        # bound once: methods that only pass their arguments on would say everything twice
        self.label, self.skip, self.unsure, self.reject = answers.label, answers.skip, answers.unsure, answers.reject
        self.flag, self.keep, self.page = answers.flag, answers.keep, answers.page
        self.held, self.painted, self.renew = answers.held, answers.painted, answers.renew
        self.accept, self.confirm = answers.accept, answers.confirm
        self.undo, self.redo = self.recorder.undo, self.recorder.redo
        self.view: Callable[[], View] = partial(view_of, self.recorder, self.pacing)
        self.snapshot: Callable[[], Snapshot] = partial(snapshot_of, self.state)
        self.round_notes: list[str] = []  # what the last round changed of what is counted, and why, one line each
        self._to_keep: Round | None = None  # saved when there is time for it
        self.began = Began(self.state.keys, self.state.answers.counts["label"], len(self.state.times))

    # -- settings ------------------------------------------------------------------------------------------------

    def set(self, **settings: Any) -> None:
        """Change settings (percentile, ...) from here on; recorded, not on the undo stack. No change: no event."""
        # ... stands for never set: None is a value too
        changed = {key: value for key, value in settings.items() if self.state.settings.get(key, ...) != value}
        if changed:
            self.recorder.record(Setting(changed))

    # -- what the engine sends -----------------------------------------------------------------------------------

    def merge_queue(self, queue: Queue, revision: int) -> bool:
        """Take newer questions; the one on the screen stays. Dropped (False) where it rests on something undone."""
        if revision < self.state.voided_at:
            return False
        self.questions.refill(queue, revision)
        self.recorder.draw()
        return True

    def merge_round(self, round_: Round, *, save: bool = True, put_off: bool = False) -> bool:
        """Take a round: given labels win, answered instances leave its queue. False = dropped as outdated.

        `put_off`: it is saved by :meth:`keep_round`, if no other one took its place by then.
        """
        # a round is computed while answers go on: one begun before an undo would bring back what was taken back
        if round_.revision < max(self.state.voided_at, self.machine_labels.revision):
            return False
        before, labeled, clusters = self.machine_labels.round, self._labeled(), self.state.clusters
        self.machine_labels.merge(round_)
        self.round_notes = notes_of(
            before,
            self.machine_labels.round,
            (labeled, self._labeled()),
            self.recorder.since_round,
            (len(clusters.splits), sum(own is not None for own in clusters.reaches.values())),
        )
        self.recorder.since_round = []
        self.questions.refill(round_.queue, round_.revision)
        to_keep = self.machine_labels.remember(before, count_usable(self.state))
        if save:
            self._to_keep = to_keep
            if not put_off:
                self.keep_round()
        self.recorder.draw()
        return True

    def keep_round(self) -> bool:
        """Save the last round where that was put off; whether it was."""
        to_keep, self._to_keep = self._to_keep, None
        if to_keep is not None:
            with contextlib.suppress(NotSaved):  # derived: the engine makes it anew
                self.recorder.journal.save_round(to_keep)
        return to_keep is not None

    def _labeled(self) -> int:
        return self.state.answers.counts["label"] + self.machine_labels.total(Provenance.PROPAGATED)

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
        self.recorder.draw()

    # -- reading -------------------------------------------------------------------------------------------------

    @property
    def question(self) -> Question | None:
        """The question on the screen; None when nothing is left to ask (or nothing is known yet)."""
        return self.questions.shown()

    def label_of(self, index: int) -> tuple[int, Provenance]:
        """The final label of an instance now: what a person gave, else what the last round says."""
        answer = self.state.answers.get(index)
        if answer is not None and answer.kind == "label":
            return answer.class_id, answer.provenance
        if answer is not None and answer.kind == "reject":
            return UNLABELED, Provenance.NONE
        return self.machine_labels.label_of(index)

    @property
    def last(self) -> Done | None:
        """The last thing that was done; None before the first."""
        return self.recorder.last
