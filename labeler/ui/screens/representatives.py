"""The contact sheet: all representatives at a glance, labeled in any order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.content import Content

from labeler.session.view import View
from labeler.ui.actions import Actions, back
from labeler.ui.screens.thumbnails import ThumbnailScreen


class ContactSheet(ThumbnailScreen):
    """Thumbnails in the order they would be asked; that order is fixed while the sheet is open."""

    RECORDED_AS = "sheet"
    ACTIONS: ClassVar[Actions] = {
        "representatives": back("back to where the contact sheet was opened"),
    }
    MOVES = "move over the sheet"

    def __init__(self) -> None:
        super().__init__()
        self._indices: list[int] = []

    def on_mount(self) -> None:
        """Take the representatives as they are now; start at the question, else at the first without an answer."""
        view = self.labeler.view
        if view is None or view.round is None:
            return
        # of the moment it is opened: a new round must not move pictures under the person's eyes
        self._indices = [int(index) for index in view.round.representatives]
        asked = view.question.index if view.question is not None else None
        if asked in self._indices:
            self.cursor = self._indices.index(asked)
        elif not self._is_open(self._indices[0]):
            self._move_on()

    def shown(self) -> Sequence[int]:
        """The representatives."""
        return self._indices

    # -- what is answered ----------------------------------------------------------------------------------------

    def nothing_to_answer(self) -> str:
        """There is no representative."""
        return "there are no representatives"

    def answered(self) -> None:
        """Go on to the next one without an answer."""
        self._move_on()

    def moved_in_time(self) -> None:
        """Go to the picture whose answer was taken back or came back."""
        super().moved_in_time()
        last = self.labeler.project.session.last
        if last is not None and last.index in self._indices:
            self.cursor = self._indices.index(last.index)

    def _is_open(self, index: int) -> bool:
        return index not in self.labeler.project.session.state.answers

    def _move_on(self) -> None:
        # forward first, then from the beginning: answers may be given in any order
        after = [*range(self.cursor + 1, len(self._indices)), *range(self.cursor)]
        following = next((place for place in after if self._is_open(self._indices[place])), None)
        if following is not None:
            self.cursor = following
        else:
            self.labeler.status.say("all representatives have an answer: R leads back to the questions")

    # -- drawing -------------------------------------------------------------------------------------------------

    def heading(self, view: View) -> Content:
        """Return what is shown."""
        return Content.assemble(("representatives", "bold"), ("  one of each cluster, in any order", "$quiet"))

    def facts(self, view: View) -> list[str]:
        """Return how many have an answer."""
        done = sum(not self._is_open(index) for index in self._indices)
        return [f"{done} of {len(self._indices)} answered"]

    async def do_representatives(self) -> None:
        """Leave the contact sheet."""
        await self.labeler.leave()
