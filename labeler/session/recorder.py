"""The one way into a journal: check, append (durable), fold, draw the next question."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from contextlib import AbstractContextManager

from labeler.core.errors import NotSaved, UsageError
from labeler.core.events import Body, Event, Redo, Undo
from labeler.core.pool import Pool
from labeler.core.types import ClassInfo
from labeler.session.consistency import misfit, question_fits
from labeler.session.fold import fold
from labeler.session.journal import Journal
from labeler.session.machine_labels import MachineLabels
from labeler.session.questions import Questions
from labeler.session.state import State
from labeler.session.view import Done


class Recorder:
    """A pool, its journal and what follows from it; handed to every part of a session, which records through it.

    Parameters
    ----------
    pool, journal
        The instances, and where the events go; the events already there are replayed.
    clock, new_id
        Seconds since 1970 and a new unique id: time and chance come in from outside.
    annotator
        Name written beside every event.
    """

    def __init__(
        self, pool: Pool, journal: Journal, *, clock: Callable[[], float], new_id: Callable[[], str], annotator: str
    ) -> None:
        self.pool = pool
        self.state = State(pool)
        self.machine_labels = MachineLabels(self.state)
        self.questions = Questions(self.state, self.machine_labels)
        self.annotator = annotator
        self.last: Done | None = None
        self.presses: int | None = None  # keys since the last event, where a screen counts them; kept with the next
        self.journal = journal
        self._unsaved: Event | None = None  # the last one, where nobody could say whether it is in the journal
        self.clock, self.new_id = clock, new_id
        self.since_round: list[Body] = []  # the events since the last round came
        self.notes: list[str] = []  # what was stored and does not fit, one line each: it is made anew
        fold(self.state, journal.replay())
        self._take_derived(journal)
        self.questions.draw()

    def _take_derived(self, journal: Journal) -> None:
        """Take the last round and the pinned question as far as they fit the journal."""
        round_ = journal.load_round()
        if round_ is not None:
            if wrong := misfit(round_, self.state):
                self.notes.append(f"the last round is left out, {wrong}: it is made anew")
            else:
                self.machine_labels.restore(round_)
                self.questions.refill(round_.queue, round_.revision)
        pinned = journal.load_question()
        if pinned is not None and question_fits(*pinned, self.state):
            self.questions.restore(*pinned)

    def go_on_in(self, journal: Journal) -> None:
        """Append to another journal from here on; it holds what this session's did."""
        self.journal = journal

    def together(self) -> AbstractContextManager[None]:
        """Make what is recorded inside durable at the end, all of it or nothing; where it fails, end the session."""
        return self.journal.together()

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
        self.record(Undo(target.instance_id), target)
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
        self.record(Redo(target.instance_id), target)
        return target

    # -- the one way in ------------------------------------------------------------------------------------------

    def record(self, body: Body, target: Event | None = None) -> None:
        """Append an event, durable on return, fold it in and draw the next question; nothing changes where it fails.

        Raises
        ------
        NotSaved
            It could not be written.
        """
        keys = self.presses if body.counts_presses else None
        stored = self._append(self._event(body, target, keys))  # durable before visible
        if keys is not None:
            self.presses = 0
        subject = target or stored
        about = subject.body.about
        before = self._class(about)  # an undo may take it away
        touched = self.state.apply(stored)
        self.machine_labels.note(touched)
        self.since_round.append(body)
        if body.moves_on:
            self.questions.renew()
        info = self._class(about) or before
        if not subject.body.is_setup and body.is_shown:
            self.last = Done(
                f"{body.kind} {target.body.done}" if target else body.done,
                self._subject_of(subject, touched),
                about,
                self.state.revision,
                info.name if info is not None else "",
            )
        self.draw()

    def _event(self, body: Body, target: Event | None = None, keys: int | None = None) -> Event:
        target_id = target.event_id if target else None
        return Event(self.new_id(), body, self.clock(), self.annotator, target_id, keys)

    def apply_unsaved(self, body: Body) -> None:
        """Fold an event into this session alone, which may not write."""
        self.machine_labels.note(self.state.apply(self._event(body)))
        self.draw()

    def _append(self, event: Event) -> Event:
        """Make an event durable; one that was perhaps saved is tried again as what it was, so that it is there once."""
        before = self._unsaved
        if before is not None and _says(before) == _says(event):
            event = before
        elif before is not None and (stored := self.journal.find(before.event_id)) is not None:
            self.machine_labels.note(self.state.apply(stored))  # given up, and yet in the journal: that is what holds
        self._unsaved = None
        try:
            return self.journal.append(event)
        except NotSaved as error:
            self._unsaved = event if error.is_uncertain or error.is_lost else None
            raise

    def _subject_of(self, event: Event, touched: list[int]) -> int | None:
        """The instance that an event is shown beside; none where it is about a class and all its labels."""
        if event.body.of_class:
            return None
        return touched[0] if touched else self.pool.index(event.instance_id) if event.instance_id else None

    def _class(self, class_id: int | None) -> ClassInfo | None:
        return None if class_id is None else self.state.classes.get(class_id)

    def draw(self) -> None:
        """Draw the next question, and remember it for the next start."""
        question = self.questions.draw()
        with contextlib.suppress(NotSaved):  # a convenience: the answer before it is saved, and must not seem lost
            self.journal.save_question(question, self.state.revision)


def _says(event: Event) -> tuple[object, ...]:
    """The words of an event, whenever and after however many keys."""
    return event.body, event.target, event.annotator
