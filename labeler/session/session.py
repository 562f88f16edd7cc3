"""The one mutable object: every command checks, appends its event to the journal, applies it, draws the next question.

Command line, screens, Python and the simulated person all go through it, so they leave the same journal.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

from labeler.core.pacing import Pacing
from labeler.core.pool import Pool
from labeler.core.vocabulary import UNLABELED, Advice, ClassInfo, Event, Provenance, Question, Queue, Round, Snapshot
from labeler.errors import NotSaved, UsageError
from labeler.session.audit_page_commands import AuditPageCommands
from labeler.session.class_commands import ClassCommands
from labeler.session.classes import CLASS_KINDS
from labeler.session.control import RANDOM
from labeler.session.derived import Derived
from labeler.session.pace import pace
from labeler.session.ports import Journal
from labeler.session.questions import Questions
from labeler.session.state import State
from labeler.session.view import Done, View

QUESTION = "question"
"""The screen of the pinned question."""
PAGES_OF_A_CLASS = "grid"
"""The screen whose pages the engine chooses by the errors it expects."""


@dataclass(frozen=True, slots=True)
class Began:
    """Where a session stood when it was opened: keys, given labels, answer times so far."""

    keys: int
    labels: int
    times: int


class Session(ClassCommands, AuditPageCommands):
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
        self.pool = pool
        self.state = State(pool)
        self.derived = Derived(self.state)
        self.questions = Questions(self.state)
        self._journal = journal
        self._clock, self._new_id = clock, new_id
        self.annotator = annotator
        self.key_layout = key_layout
        self.last: Done | None = None
        self.pacing = Pacing()
        for event in journal.replay():
            self.state.apply(event)
        kept = journal.load_round()
        if kept is not None and len(kept.labels) <= len(pool):
            self.derived.restore(kept)
            self.questions.refill(kept.queue)
        self.questions.restore(journal.load_question())
        self.questions.draw()
        self.presses: int | None = None  # keys since the last event, where a screen counts them; kept with the next
        self.began = Began(self.state.keys, self.state.counts["label"], len(self.state.times))

    # -- answers -------------------------------------------------------------------------------------------------

    def label(self, instance_id: str, class_id: int, *, screen: str = QUESTION, asked: Question | None = None) -> None:
        """A person says what `instance_id` is. Durable on return. `asked`: how, where it is not the pinned question.

        Raises
        ------
        UsageError
            No such instance or class; nothing changed.
        NotSaved
            The answer could not be written; nothing changed.
        """
        index = self.pool.index(instance_id)
        self._check_class(class_id)
        if asked is None and self._answers_repeat(instance_id, "label", class_id, screen):
            return
        asked = asked or self.questions.asked(index)
        how = _asked_as(asked, screen) if asked else {"screen": screen, "rule": "chosen", "margin": 1.0}
        if asked and asked.rule == RANDOM and screen == QUESTION:
            how["machine"] = self.derived.label_of(index)[0]  # as it stands before this answer
        self._record("label", instance_id, class_id, how)
        self.pacing.single_done()

    def skip(self, instance_id: str, *, screen: str = QUESTION) -> None:
        """Ask it again later in this session."""
        self._set_aside("skip", instance_id, screen)

    def unsure(self, instance_id: str, *, screen: str = QUESTION) -> None:
        """Looked at, cannot tell: not asked again, its label stays the model's at tier ask."""
        self._set_aside("unsure", instance_id, screen)

    def reject(self, instance_id: str, *, screen: str = QUESTION) -> None:
        """Belongs to no class or is unusable: leaves the pool."""
        self._set_aside("reject", instance_id, screen)

    def _set_aside(self, said: str, instance_id: str, screen: str) -> None:
        if not self._answers_repeat(self._known(instance_id), said, None, screen):
            self._record(said, instance_id)

    def _answers_repeat(self, instance_id: str, said: str, class_id: int | None, screen: str) -> bool:
        """Record what is said of the question on the screen where it is a hidden repeat: the first answer stays."""
        index = self.pool.index(instance_id)
        asked = self.questions.repeat(index) if screen == QUESTION else None
        if asked is None:
            return False
        about = {"said": said, "first": asked.first, "first_class": self.state.standings[index].class_id}
        self._record("repeat", instance_id, class_id, _asked_as(asked, screen) | about)
        return True

    def flag(self, instance_id: str) -> None:
        """Set or take away a bookmark; answers nothing."""
        self._record("flag", self._known(instance_id))

    def keep(self, instance_id: str) -> None:
        """A second look found the given label right: it is not offered again unless the label changes.

        Raises
        ------
        UsageError
            Nobody gave it a label.
        """
        standing = self.state.standings.get(self.pool.index(instance_id))
        if standing is None or standing.kind != "label":
            raise UsageError("there is no given label to keep", "press the key of its class")
        self._record("keep", instance_id, standing.class_id)

    def page(self, labels: list[tuple[str, int, str]], *, screen: str = PAGES_OF_A_CLASS) -> None:
        """A page of a grid at once: (instance_id, class_id, "confirmed" or "human"); one undo takes it back."""
        for instance_id, class_id, word in labels:
            self._known(instance_id)
            self._check_class(class_id)
            if word not in (Provenance.CONFIRMED.word, Provenance.HUMAN.word):
                raise UsageError(f"a page gives no {word!r} labels", "give confirmed or human ones")
        if labels:
            payload = {"labels": [list(item) for item in labels], "screen": screen}
            self._record("page", None, None, payload)
            if screen == PAGES_OF_A_CLASS:
                self.pacing.page_done(sum(word == Provenance.HUMAN.word for _, _, word in labels))

    def import_labels(self, labels: list[tuple[str, int]], origin: str) -> tuple[int, list[tuple[str, int]]]:
        """Labels from elsewhere, as one undoable event.

        Returns how many were taken, and the (instance_id, class_id) that contradict a person's label, which
        stays: a person outranks an import. A rejected instance stays rejected and is neither, and so is a label that
        was imported before.
        """
        taken, conflicts = [], []
        for instance_id, class_id in labels:
            self._check_class(class_id)
            standing = self.state.standings.get(self.pool.index(instance_id))
            if standing is not None and (standing.kind == "reject" or standing.class_id == class_id):
                continue
            if standing is None or standing.kind != "label" or standing.provenance is Provenance.IMPORTED:
                taken.append([instance_id, class_id, Provenance.IMPORTED.word])
            else:
                conflicts.append((instance_id, class_id))
        if taken:
            self._record("import", None, None, {"labels": taken, "origin": origin})
        return len(taken), conflicts

    def follow(self, moved: list[tuple[int, int]], replaced: list[int], *, keep: bool = True) -> None:
        """The source changed: answers go from an index to where their content is now, or are set aside; undoable.

        `keep` False: for this session alone, which may not write.
        """
        pairs = [(old, self.pool.ids[new]) for old, new in moved] + [(old, None) for old in replaced]
        standings = self.state.standings
        answers = [[self.pool.ids[old], place, standings[old].event_id] for old, place in pairs if old in standings]
        if answers and keep:
            self._record("source_change", None, None, {"answers": answers})
        elif answers:
            event = Event(self._new_id(), "source_change", self._clock(), payload={"answers": answers})
            self.derived.note(self.state.apply(event))
            self._draw()

    def go_on_in(self, journal: Journal) -> None:
        """Append to another journal from here on; it holds what this session's did."""
        self._journal = journal

    def together(self) -> AbstractContextManager[None]:
        """What is recorded inside is durable at the end, all of it or nothing; where it fails, end the session."""
        return self._journal.together()

    # -- settings ------------------------------------------------------------------------------------------------

    def set(self, **settings: Any) -> None:
        """Change settings (percentile, ...) from here on; recorded, not on the undo stack. No change: no event."""
        changed = {key: value for key, value in settings.items() if self.state.settings.get(key, ...) != value}
        if changed:
            self._record("setting", None, None, changed)

    # -- clusters ------------------------------------------------------------------------------------------------

    def reach(self, instance_id: str, percentile: float | None) -> None:
        """How far labels spread in the cluster of `instance_id`, its representative; None = as everywhere.

        Raises
        ------
        UsageError
            No such instance, or no percentile; nothing changed.
        """
        index = self.pool.index(instance_id)
        if percentile is not None and not 0 <= percentile <= 100:
            raise UsageError(f"{percentile:g} % of a cluster cannot be", "give 0 to 100")
        if self.state.reaches.get(index, ...) != percentile:
            self._record("reach", instance_id, None, {"percentile": percentile})

    def split(self, instance_id: str) -> None:
        """Divide the cluster of `instance_id`, its representative, in two; those of both parts are asked next.

        Raises
        ------
        UsageError
            It represents no cluster of the round in force, or one that cannot be divided; nothing changed.
        """
        index, round_ = self.pool.index(instance_id), self.derived.round
        if round_ is None or index not in round_.representatives:
            raise UsageError("it stands for no cluster now: they were made anew", "T shows the present ones")
        distances = round_.distances[round_.clusters == round_.clusters[index]]
        if len(distances) < 2 or not distances.max() > 0.0:
            raise UsageError("a cluster of like images cannot be divided", "label it, or reject the odd one")
        self._record("split", instance_id)

    # -- undo ----------------------------------------------------------------------------------------------------

    def undo(self) -> Event:
        """Take the latest undoable event back (any number, across restarts); returns it.

        Raises
        ------
        UsageError
            There is nothing left to take back.
        """
        target = self.state.undo_target()
        if target is None:
            raise UsageError("nothing to undo", "every answer of this project has been taken back")
        self._record("undo", target.instance_id, None, {}, target)
        return target

    def redo(self) -> Event:
        """Bring back what the last undo took; returns the event.

        Raises
        ------
        UsageError
            There is nothing to bring back.
        """
        target = self.state.redo_target()
        if target is None:
            raise UsageError("nothing to redo", "redo brings back what undo took, until the next answer")
        self._record("redo", target.instance_id, None, {}, target)
        return target

    # -- what the engine sends -----------------------------------------------------------------------------------

    @property
    def percentile(self) -> float | None:
        """The reach: closest P % of each cluster, or None = auto."""
        value = self.state.settings.get("percentile")
        return None if value is None or value == "auto" else float(value)

    def snapshot(self) -> Snapshot:
        """What the engine may know now."""
        return self.state.snapshot(self.percentile)

    def merge_queue(self, queue: Queue, revision: int) -> bool:
        """Take newer questions; the one on the screen stays. Dropped (False) where it rests on something undone."""
        if revision < self.state.voided_at:
            return False
        self.questions.refill(queue)
        self._draw()
        return True

    def merge_round(self, round_: Round, *, save: bool = True) -> bool:
        """Take a round: given labels win, answered instances leave its queue. False = dropped as outdated."""
        if round_.revision < max(self.state.voided_at, self.derived.revision):
            return False
        before = self.derived.round
        self.derived.merge(round_)
        self.questions.refill(round_.queue)
        kept = self.derived.remember(before, self._n_usable())
        if save:
            with contextlib.suppress(NotSaved):  # derived: the engine makes it anew
                self._journal.save_round(kept)
        self._draw()
        return True

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
        )

    def _gone_kinds(self) -> list[str]:
        """What a person said of instances that are missing or cannot be read; empty but for a broken source."""
        gone = [self.state.standings.get(int(index)) for index in self.pool.unusable()]
        return ["" if standing is None else standing.kind for standing in gone]

    def _n_usable(self) -> int:
        gone = self._gone_kinds()
        return len(self.pool) - len(gone) - self.state.counts["reject"] + gone.count("reject")

    # -- the one way in ------------------------------------------------------------------------------------------

    def _record(
        self,
        kind: str,
        instance_id: str | None = None,
        class_id: int | None = None,
        payload: dict[str, Any] | None = None,
        target: Event | None = None,
    ) -> None:
        payload = dict(payload or {})
        counted = self.presses is not None and kind not in ("setting", "audit_block")
        if counted:
            payload["keys"] = self.presses
        event = Event(
            self._new_id(),
            kind,
            self._clock(),
            self.annotator,
            instance_id,
            class_id,
            target.event_id if target else None,
            payload,
        )
        stored = self._journal.append(event)  # durable before visible
        if counted:
            self.presses = 0
        subject = target or stored
        about: int | None = subject.payload["into"] if subject.kind == "class_merge" else subject.class_id
        before = self._class(about)  # an undo may take it away
        touched = self.state.apply(stored)
        self.derived.note(touched)
        info = self._class(about) or before
        if subject.payload.get("setup") or kind == "audit_block":  # nothing that a person did, to be shown as done
            self._draw()
            return
        self.last = Done(
            f"{kind} {_done(target)}" if target else _done(stored),
            self._subject_of(subject, touched),
            about,
            self.state.revision,
            info.name if info is not None else "",
        )
        self._draw()

    def _subject_of(self, event: Event, touched: list[int]) -> int | None:
        """The instance that an event is shown beside; none where it is about a class and all its labels."""
        if event.kind in CLASS_KINDS:
            return None
        return touched[0] if touched else self.pool.index(event.instance_id) if event.instance_id else None

    def _class(self, class_id: int | None) -> ClassInfo | None:
        return None if class_id is None else self.state.classes.get(class_id)

    def _draw(self) -> None:
        question = self.questions.draw()
        with contextlib.suppress(NotSaved):  # a convenience: the answer before it is saved, and must not seem lost
            self._journal.save_question(question, self.state.revision)

    def _known(self, instance_id: str) -> str:
        self.pool.index(instance_id)
        return instance_id


def _done(event: Event) -> str:
    """What was done, for the mark beside it: a second answer is an answer like any other."""
    return str(event.payload["said"]) if event.kind == "repeat" else event.kind


def _asked_as(asked: Question, screen: str) -> dict[str, Any]:
    """How a question was asked, for the event of its answer."""
    how: dict[str, Any] = {"screen": screen, "rule": asked.rule, "margin": asked.margin}
    if asked.guesses:
        how["hidden" if asked.blind else "shown"] = [[guess, round(score, 4)] for guess, score in asked.guesses]
    return how | ({"blind": asked.blind} if asked.drawn else {})


def _advice(advice: Advice | None, n_doubts: int, pacing: Pacing) -> Advice | None:
    """The engine's advice; before the end, the answers it doubts come first, and pages come with pauses."""
    if advice is not None and advice.code == "grids" and not pacing.wants_page:
        left = "1 more question" if pacing.singles_left == 1 else f"{pacing.singles_left} more questions"
        return Advice("answer", f"the last pages held hardly an error: {left}, then pages again")
    if advice is None or advice.code != "stop" or not n_doubts:
        return advice
    look = (
        "1 answer looks odd: S looks at it again"
        if n_doubts == 1
        else f"{n_doubts} answers look odd: S looks at them again"
    )
    return Advice("second-look", f"hardly a label changes now, but {look}", "S")
