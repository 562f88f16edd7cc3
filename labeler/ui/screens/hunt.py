"""A hunt: pictures that may be of a rare class, one after the other, until misses run on.

Each answer turns it: what is found shows where more may be, what is not keeps it from there. The picture under the
cursor and those before it stay; what follows is what the engine holds to be likeliest by then.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.content import Content

from labeler.core.protocols import Engine
from labeler.core.text import counted, display_safe
from labeler.core.types import IndexArray
from labeler.session.view import View
from labeler.ui.actions import Actions, back
from labeler.ui.requests import as_indices, ask
from labeler.ui.screens import commands
from labeler.ui.screens.base import Target
from labeler.ui.screens.thumbnails import ThumbnailScreen

AHEAD = 60
"""Pictures that are asked for at a time."""
MISSES = 20
"""Misses in a row at which there is hardly more to find."""
_ANSWERED = ("label", "reject", "skip")


class HuntScreen(ThumbnailScreen):
    """Thumbnails, the likeliest first; the class key of what is hunted is a find, any other answer a miss.

    Parameters
    ----------
    class_id
        What is hunted.
    """

    ACTIONS: ClassVar[Actions] = {
        "hunt": back("back to where the hunt was opened"),
    }
    MOVES = "move over the pictures"
    SAYS_PAGE = False

    def __init__(self, class_id: int) -> None:
        super().__init__()
        self._class_id = class_id
        self._indices: list[int] = []
        self._asked = True
        self._goes_on = False  # although misses ran on

    def on_mount(self) -> None:
        """Ask for the first ones."""
        self._want()

    def _want(self) -> None:
        seen = self._indices[: self.cursor + 1]
        engine = self.labeler.project.engine
        ask(self, engine.request(Engine.hunt, self._class_id, AHEAD, as_indices(seen)), self._take)

    def _take(self, indices: IndexArray) -> None:
        """They are here; up to the cursor everything stays, and what was answered meanwhile is no question."""
        self._asked = False
        # nothing the person has looked at moves
        seen = self._indices[: self.cursor + 1]
        standings = self.labeler.project.session.state.answers
        new = [index for index in indices.tolist() if index not in standings and index not in seen]
        self._indices = seen + new
        if self._indices and self.cursor == len(seen) - 1 and self._is_done(self._indices[self.cursor]):
            self.cursor = min(self.cursor + 1, len(self._indices) - 1)  # it waited for one to go on to
        self.draw_again()

    def shown(self) -> Sequence[int]:
        """Return what was looked at, and what comes next."""
        return self._indices

    def target(self) -> Target | None:
        """The picture under the cursor; none at the end."""
        return None if self.is_over else super().target()

    def is_ready(self) -> bool:
        """The picture under the cursor, or nothing to wait for."""
        return not self._asked and self.grid.cursor_ready()

    # -- finds and misses ----------------------------------------------------------------------------------------

    def _is_done(self, index: int) -> bool:
        standing = self.labeler.project.session.state.answers.get(index)
        return standing is not None and standing.kind in _ANSWERED

    def _is_find(self, index: int) -> bool:
        standing = self.labeler.project.session.state.answers.get(index)
        return standing is not None and standing.kind == "label" and standing.class_id == self._class_id

    @property
    def tally(self) -> tuple[int, int, int]:
        """Finds, answers, and misses in a row at their end."""
        looks = [self._is_find(index) for index in self._indices if self._is_done(index)]
        # from the end: only misses since the last find say that it runs dry
        run = next((place for place, is_find in enumerate(reversed(looks)) if is_find), len(looks))
        return sum(looks), len(looks), run

    @property
    def is_over(self) -> bool:
        """Whether misses ran on, and nobody wanted to go on all the same."""
        return self.tally[2] >= MISSES and not self._goes_on

    # -- what is answered ----------------------------------------------------------------------------------------

    def nothing_to_answer(self) -> str:
        """Waiting, or why it ended."""
        if self._asked:
            return "what may be of it is being looked for"
        if self.is_over:
            return f"{MISSES} misses in a row: hardly more of it is left. H leads back, ⏎ goes on all the same"
        return f"every {self.labeler.project.session.pool.noun} has an answer: H leads back"

    def answered(self) -> None:
        """Go on to the next one; what follows it is asked for anew."""
        self.cursor = min(self.cursor + 1, max(len(self._indices) - 1, 0))
        self._want()

    def moved_in_time(self) -> None:
        """Go to the picture whose answer was taken back or came back."""
        super().moved_in_time()
        last = self.labeler.project.session.last
        if last is not None and last.index in self._indices:
            self.cursor = self._indices.index(last.index)
        # the answers before are others now, and so may be the end
        self._goes_on = False
        self._want()

    def do_accept(self) -> None:
        """The guess of the caption; at the end: go on."""
        if not self._asked and self.is_over:
            self._goes_on = True
            self.draw_again()
        else:
            commands.accept(self)

    async def do_hunt(self) -> None:
        """Leave the hunt."""
        await self.labeler.leave()

    # -- drawing -------------------------------------------------------------------------------------------------

    def heading(self, view: View) -> Content:
        """Return what is hunted, and what came of it."""
        finds, looks, _ = self.tally
        name = view.class_names.get(self._class_id, "?")
        title = Content.styled(f"hunt for {display_safe(name, 30)}", "bold")
        tally = f"  {counted(finds, 'find')} in {counted(looks, 'answer')}" if looks else ""
        if self.target() is None:
            return Content.assemble(title, tally, (f"  {self.nothing_to_answer()}", "$quiet"))
        return Content.assemble(title, tally, ("  nearest to what there is of it, farthest from the rest", "$quiet"))

    def facts(self, view: View) -> list[str]:
        """Return the place of the target."""
        run = self.tally[2]
        return [f"{self.cursor + 1:,} of {len(self._indices):,}", *([counted(run, "miss", "misses")] if run else [])]
