"""The answers of a person: one at a time, or a page at once; and the one way in which a guess becomes a label.

`enter` saves the guess that is shown if it is still held to be so; else it is shown anew and nothing is saved. A
screen hands over the class it painted, the session compares.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from labeler.core.errors import GuessChanged, UsageError
from labeler.core.events import Asked, Flag, Keep, Label, Page, Reject, Repeat, Skip, Unsure
from labeler.core.text import display_safe
from labeler.core.types import UNLABELED, Provenance, Question
from labeler.session.asked import ASKING, QUESTION
from labeler.session.parts.classes import Classes
from labeler.session.quality.turns import RANDOM
from labeler.session.questions import CHOSEN
from labeler.session.recorder import Recorder

PAGES_OF_A_CLASS = "grid"
"""The screen whose pages the engine chooses by the errors it expects."""
CLEAN_PAGES = 3
FEW_EXCEPTIONS = 2
SINGLES_BETWEEN = 10


class Pacing:
    """One sitting: after CLEAN_PAGES in a row with at most FEW_EXCEPTIONS come SINGLES_BETWEEN single questions.

    They teach the model something new, and so which page is worth a look next; `singles_left` of them are left.
    """

    def __init__(self) -> None:
        self._clean = 0
        self.singles_left = 0

    @property
    def wants_page(self) -> bool:
        """Whether a page may come next (the engine then says whether one is worth its keys)."""
        return self.singles_left == 0

    def page_done(self, exceptions: int) -> None:
        """A page was confirmed with so many exceptions."""
        # in a row: a page with more errors has taught the model as much as single questions would
        self._clean = self._clean + 1 if exceptions <= FEW_EXCEPTIONS else 0
        if self._clean == CLEAN_PAGES:
            self._clean, self.singles_left = 0, SINGLES_BETWEEN

    def single_done(self) -> None:
        """A single question was answered."""
        self.singles_left = max(self.singles_left - 1, 0)


class Answers:
    """The answers of a session: what a person says of instances, one at a time or a page at once."""

    def __init__(self, recorder: Recorder, classes: Classes) -> None:
        self._recorder, self._classes = recorder, classes
        self._pool, self._state, self._questions = recorder.pool, recorder.state, recorder.questions
        self.pacing = Pacing()

    def label(self, instance_id: str, class_id: int, *, screen: str = QUESTION, asked: Question | None = None) -> None:
        """A person says what `instance_id` is. Durable on return. `asked`: how, where it is not the pinned question.

        Raises
        ------
        UsageError
            No such instance or class; nothing changed.
        NotSaved
            The answer could not be written; nothing changed.
        """
        index = self._pool.index(instance_id)
        self._state.check_active(class_id)
        # whoever hands over how it was asked does not answer the question on the screen
        if asked is None and self._answers_repeat(instance_id, "label", class_id, screen):
            return
        asked = asked or self._questions.asked(index)
        how = Asked.of(asked, screen) if asked else Asked(screen=screen, rule=CHOSEN, margin=1.0)
        if asked and asked.rule == RANDOM and screen in ASKING:
            before = self._recorder.machine_labels.label_of(index)[0]  # a sample measures what stood until this answer
            how = replace(how, machine=before)
        self._recorder.record(Label(instance_id, class_id, how))
        self.pacing.single_done()

    def skip(self, instance_id: str, *, screen: str = QUESTION) -> None:
        """Ask it again later in this session."""
        self._set_aside(Skip, instance_id, screen)

    def unsure(self, instance_id: str, *, screen: str = QUESTION) -> None:
        """Looked at, cannot tell: not asked again, its label stays the model's at tier ask."""
        self._set_aside(Unsure, instance_id, screen)

    def reject(self, instance_id: str, *, screen: str = QUESTION) -> None:
        """Belongs to no class or is unusable: leaves the pool."""
        self._set_aside(Reject, instance_id, screen)

    def _set_aside(self, kind: type[Skip | Unsure | Reject], instance_id: str, screen: str) -> None:
        self._pool.index(instance_id)
        if not self._answers_repeat(instance_id, kind.kind, None, screen):
            self._recorder.record(kind(instance_id))

    def _answers_repeat(self, instance_id: str, word: str, class_id: int | None, screen: str) -> bool:
        """Record what is said of the question on the screen where it is a hidden repeat: the first answer stays."""
        index = self._pool.index(instance_id)
        asked = self._questions.repeat(index) if screen in ASKING else None
        if asked is None:
            return False
        how, first_class = Asked.of(asked, screen), self._state.answers[index].class_id
        self._recorder.record(
            Repeat(
                instance_id=instance_id,
                class_id=class_id,
                word=word,
                first=asked.first,
                first_class=first_class,
                asked=how,
            )
        )
        return True

    def flag(self, instance_id: str) -> None:
        """Set or take away a bookmark; answers nothing."""
        self._pool.index(instance_id)
        self._recorder.record(Flag(instance_id))

    def keep(self, instance_id: str, *, shown: int | None = None) -> None:
        """A second look found the given label right: it is not offered again unless the label changes.

        `shown`: the class that stood before the eye.

        Raises
        ------
        GuessChanged
            The label is not the one that was `shown` any more; nothing changed.
        UsageError
            Nobody gave it a label.
        """
        answer = self._state.answers.get(self._pool.index(instance_id))
        if answer is None or answer.kind != "label":
            raise UsageError("there is no given label to keep", "press the key of its class")
        if shown is not None and shown != answer.class_id:
            raise GuessChanged("the label has changed since it was shown", "look again, ⏎ again keeps it")
        self._recorder.record(Keep(instance_id, answer.class_id))

    def page(self, labels: list[tuple[str, int, str]], *, screen: str = PAGES_OF_A_CLASS) -> None:
        """A page of a grid at once: (instance_id, class_id, "confirmed" or "human"); one undo takes it back."""
        # all of them before the event: a page is recorded whole or not at all
        for instance_id, class_id, word in labels:
            self._pool.index(instance_id)
            self._state.check_active(class_id)
            if word not in (Provenance.CONFIRMED.word, Provenance.HUMAN.word):
                raise UsageError(f"a page gives no {word!r} labels", "give confirmed or human ones")
        if labels:
            self._recorder.record(Page(tuple(labels), Asked(screen=screen)))
            # only pages that the engine chooses earn a rest from it: on other screens the person chose them
            if screen == PAGES_OF_A_CLASS:
                self.pacing.page_done(sum(word == Provenance.HUMAN.word for _, _, word in labels))

    # -- guesses that are accepted ---------------------------------------------------------------------------------

    def held(self, index: int) -> int:
        """The class that an instance is held to be now, a person's word or the machine's; UNLABELED = nobody says."""
        return self._questions.held.label_of(index)

    def painted(self, question: Question) -> None:
        """`question` was painted as it is: from here on its guesses stay, whatever the engine sends."""
        self._questions.painted(question)

    def renew(self) -> None:
        """Bring what is asked to the front anew (opened, resumed, returned to): with the guesses there are now."""
        self._questions.renew()

    def accept(self, instance_id: str, shown: int, *, screen: str = QUESTION) -> None:
        """Save the class that is `shown` as the first guess of an instance; UNLABELED where none is.

        Raises
        ------
        GuessChanged
            Something else is held of it by now; nothing was saved, and the question's guesses are new.
        UsageError
            There is no guess; nothing was saved.
        NotSaved
            As :meth:`label`.
        """
        index = self._pool.index(instance_id)
        asked = self._questions.asked(index) if screen in ASKING else None
        is_blind = asked is not None and asked.blind
        is_repeat = asked is not None and self._questions.repeat(index) is not None  # shown as it was the first time
        if not is_blind and not is_repeat:
            try:
                self._check_held({index: shown})
            # the new guess comes to the screen, so that the next `enter` saves what was read
            except GuessChanged:
                if asked is not None:
                    self._questions.renew()
                raise
        # the guess of a blind question was seen by nobody: `enter` cannot mean it
        if is_blind or shown == UNLABELED:
            raise UsageError("there is no guess to accept yet", "press the key of a class")
        self.label(instance_id, shown, screen=screen)

    def confirm(
        self,
        labels: list[tuple[str, int, str]],
        painted: Mapping[int, int],
        *,
        screen: str = PAGES_OF_A_CLASS,
    ) -> None:
        """Save a page; `painted`: index -> the class it was held to be when its caption was drawn.

        `labels` as of :meth:`page`. What a person set himself is not in `painted`.

        Raises
        ------
        GuessChanged
            Something else is held of some of them by now; nothing was saved.
        NotSaved
            As :meth:`page`.
        """
        self._check_held(painted)
        self.page(labels, screen=screen)

    def _check_held(self, painted: Mapping[int, int]) -> None:
        changed = [(index, now) for index, was in painted.items() if (now := self.held(index)) != was]
        if not changed:
            return
        if len(painted) > 1:
            what = "1 label has changed" if len(changed) == 1 else f"{len(changed)} labels have changed"
            raise GuessChanged(f"{what}, and the captions with them", "look again, ⏎ again saves the page")
        _, now = changed[0]
        if now == UNLABELED:
            raise GuessChanged("the guess has changed: now there is none", "press the key of a class")
        name = display_safe(self._state.classes[now].name, 100)
        raise GuessChanged(f"the guess has changed: now {name}", "⏎ again saves it")
