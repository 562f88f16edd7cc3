"""Pages of one predicted class: "are these all 3?", the class whose page mends most."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.content import Content

from labeler.core.protocols import Engine
from labeler.core.types import UNLABELED, Grid
from labeler.session.view import View
from labeler.ui.actions import Actions, Group, back, says
from labeler.ui.page import Page
from labeler.ui.requests import as_indices, ask
from labeler.ui.screens.base import Target
from labeler.ui.screens.pages import PageRules, Pages
from labeler.ui.screens.thumbnails import ThumbnailScreen
from labeler.ui.widgets.sheet_grid import Cell


class ConfirmScreen(ThumbnailScreen):
    """The engine chooses the class of each page."""

    RECORDED_AS = "grid"
    ACTIONS: ClassVar[Actions] = {
        "accept": says("all right", "confirm the page: every picture as its caption says"),
        "skip": says("leave", "leave the page as it is and look at the next"),
        "pages": back("back to where the pages were opened"),
        "reject": says("not this", "the runner-up instead of the caption, for this picture"),
    }
    # a page is in sight as a whole: there is nothing to turn to
    GROUPS = ThumbnailScreen.GROUPS - {Group.PAGES}
    MOVES = "move over the page"

    def __init__(self) -> None:
        super().__init__()
        self._pays = True  # the page, its keys
        self.pages = Pages(
            self,
            PageRules(
                ask=self.ask_for_page,
                question=self.question,
                went_by=lambda page: self.pages.want(),
                came_back=lambda page: None,
                class_is_gone=lambda page: self.pages.forget(page),
                held=lambda index: self.labeler.project.session.held(index),
                without_a_label=lambda page: page.class_id,  # what the engine laid it out for
            ),
        )

    def ask_for_page(self, size: int, seen: list[int]) -> None:
        """The page most worth confirming."""
        engine = self.labeler.project.engine
        ask(self, engine.request(Engine.grid, size=size, skip=as_indices(seen)), self._take)

    def _take(self, grid: Grid | None) -> None:
        """The page, or None where nothing is left to confirm."""
        # a page that nobody waits for any more is let go without a word
        waited = self.pages.is_asked
        self.pages.take(
            Page(grid.class_id, grid.indices.tolist(), grid.runner_ups.tolist()) if grid is not None else None
        )
        self._pays = grid is None or grid.pays
        if waited and self.pages.page is not None and self.leads_back:
            self.labeler.say(self.leads_back)

    @property
    def leads_back(self) -> str:
        """The reason why single questions mend more a key now; empty where the page does."""
        left = self.labeler.project.session.pacing.singles_left
        if left:
            return f"the last pages held hardly an error: G leads back, {left} questions mend more now"
        return "" if self._pays else "hardly an error is expected here: single questions (G) mend more a key"

    def nothing_to_answer(self) -> str:
        """Waiting, or nothing is left."""
        if self.pages.is_asked:
            return "a page is being looked for"
        return "no page to confirm now: G leads back to single questions"

    def answer(self, class_id: int) -> None:
        """Set the picture under the cursor; the page is saved as a whole."""
        self.pages.set(class_id)

    def do_accept(self) -> None:
        """Confirm the page."""
        self.pages.confirm()

    def do_skip(self) -> None:
        """Leave the page, look at the next."""
        self.pages.leave()

    def do_reject(self) -> None:
        """The runner-up for the picture under the cursor, or back."""
        page = self.pages.to_answer()
        if page is None:
            return
        if page.swap(self.cursor):
            self.pages.changed()
        else:
            self.labeler.say("it has no runner-up: press the key of its class", "warn")

    def question(self, page: Page, names: dict[int, str]) -> Content:
        """Are they all of the page's class?"""
        others = len(page.otherwise)
        exceptions = f"   {others} set otherwise" if others else ""
        return Content.assemble(self.pages.are_these_all(page, names), (exceptions, "bold $warn"))

    async def do_pages(self) -> None:
        """Leave the pages."""
        await self.labeler.leave()

    # -- the page, which the part has --------------------------------------------------------------------------------

    def shown(self) -> Sequence[int]:
        """The instances of the page."""
        return self.pages.indices

    def guess(self) -> int | None:
        """The class that confirming would give to the picture under the cursor."""
        return self.pages.guess()

    def answered(self) -> None:
        """Take the picture under the cursor off the page."""
        self.pages.drop()

    def named(self, name: str | None) -> None:
        """Set the picture under the cursor to a class that was named."""
        self.pages.named(name)

    def kind_of(self, target: Target) -> int:
        """The class that the person set the picture to, else what it is held to be."""
        class_id = self.pages.kind_of()
        return class_id if class_id != UNLABELED else super().kind_of(target)

    def moved_in_time(self) -> None:
        """Follow a page that was taken back or came back."""
        super().moved_in_time()
        self.pages.moved_in_time()

    def renew(self) -> None:
        """Have the captions drawn anew."""
        super().renew()
        self.pages.renew()

    def draw(self, view: View) -> None:
        """Draw the page, each picture captioned as what it is held to be."""
        if self.pages.caption():
            self.not_drawn()
        super().draw(view)

    def heading(self, view: View) -> Content:
        """The question about the page."""
        return self.pages.heading(view)

    def cell(self, place: int, names: dict[int, str]) -> Cell:
        """A picture as confirming would save it."""
        return self.pages.cell(place, names)

    def facts(self, view: View) -> list[str]:
        """The number of labels so far."""
        return self.pages.facts(view)

    def is_ready(self) -> bool:
        """Whether every picture of the page is drawn."""
        return self.pages.is_ready()

    def was_painted(self) -> None:
        """Count the page as a question."""
        self.pages.was_painted()

    def resized(self) -> None:
        """Ask for the first page when the size is known."""
        self.pages.ask_first()
        super().resized()
