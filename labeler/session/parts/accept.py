"""`enter`: what is shown as a guess is saved, if it is what is held still; else it is shown anew, and nothing saved.

The one way in which a guess becomes a label. A screen hands over what it painted, the session compares.
"""

from __future__ import annotations

from collections.abc import Mapping

from labeler.core.errors import GuessChanged, UsageError
from labeler.core.text import display_safe
from labeler.core.types import UNLABELED, Question
from labeler.session.asked import ASKING, QUESTION
from labeler.session.parts.answers import PAGES_OF_A_CLASS, AnswerCommands


class AcceptCommands(AnswerCommands):
    """The commands of a session that save what a screen shows as the machine's guess."""

    def held(self, index: int) -> int:
        """The class that an instance is held to be now, a person's word or the machine's; UNLABELED = nobody says."""
        return self.questions.held.label_of(index)

    def painted(self, question: Question) -> None:
        """`question` was painted as it is: from here on its guesses stay, whatever the engine sends."""
        self.questions.painted(question)

    def renew(self) -> None:
        """What is asked comes to the front anew (opened, resumed, returned to): with the guesses there are now."""
        self.questions.renew()

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
        index = self.pool.index(instance_id)
        asked = self.questions.asked(index) if screen in ASKING else None
        is_blind = asked is not None and asked.blind
        is_repeat = asked is not None and self.questions.repeat(index) is not None  # shown as it was the first time
        if not is_blind and not is_repeat:
            try:
                self._check_held({index: shown})
            except GuessChanged:
                if asked is not None:
                    self.questions.renew()
                raise
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
        name = display_safe(self.state.classes[now].name, 100)
        raise GuessChanged(f"the guess has changed: now {name}", "⏎ again saves it")
