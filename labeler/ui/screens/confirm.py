"""Pages of one predicted class: "are these all 3?", the class whose page mends most."""

from __future__ import annotations

from textual.content import Content

from labeler.core.protocols import Engine
from labeler.core.types import Grid
from labeler.ui.actions import Place
from labeler.ui.page import Page
from labeler.ui.requests import as_indices, ask
from labeler.ui.screens.pages import PageScreen


class GridScreen(PageScreen):
    """The engine chooses the class of each page."""

    PLACE = Place.GRID

    def __init__(self) -> None:
        super().__init__()
        self._pays = True  # the page, its keys

    def ask_for_page(self, size: int, seen: list[int]) -> None:
        """The page most worth confirming."""
        engine = self.labeler.project.engine
        ask(self, engine.request(Engine.grid, size=size, skip=as_indices(seen)), self._take)

    def _take(self, grid: Grid | None) -> None:
        """The page, or None where nothing is left to confirm."""
        waited = self._asked
        self.take_page(
            Page(grid.class_id, grid.indices.tolist(), grid.runner_ups.tolist()) if grid is not None else None
        )
        self._pays = grid is None or grid.pays
        if waited and self._page is not None and self.leads_back:
            self.labeler.say(self.leads_back)

    @property
    def leads_back(self) -> str:
        """Why single questions mend more a key now; empty where the page does."""
        left = self.labeler.project.session.pacing.singles_left
        if left:
            return f"the last pages held hardly an error: G leads back, {left} questions mend more now"
        return "" if self._pays else "hardly an error is expected here: single questions (G) mend more a key"

    def nothing_to_answer(self) -> str:
        """Waiting, or nothing is left."""
        if self._asked:
            return "a page is being looked for"
        return "no page to confirm now: G leads back to single questions"

    def went_by(self, page: Page) -> None:
        """On to the next."""
        self._want_page()

    def do_accept(self) -> None:
        """Confirm the page."""
        self.confirm()

    def do_skip(self) -> None:
        """Leave the page, look at the next."""
        self.leave_page()

    def do_reject(self) -> None:
        """The runner-up for the picture under the cursor, or back."""
        page = self.page_to_answer()
        if page is None:
            return
        if page.swap(self.cursor):
            self.changed()
        else:
            self.labeler.say("it has no runner-up: press the key of its class", "warn")

    def question(self, page: Page, names: dict[int, str]) -> Content:
        """Are they all of the page's class?"""
        others = len(page.otherwise)
        said = f"   {others} set otherwise" if others else ""
        return Content.assemble(self.are_these_all(page, names), (said, "bold $warn"))

    async def do_grid(self) -> None:
        """Back."""
        await self.leave()
