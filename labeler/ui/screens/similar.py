"""More like this: the nearest instances of one, page by page, until too many in a row are of another kind.

Each picture is captioned as what it is held to be itself: that one is near makes it of no kind.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.content import Content

from labeler.core.protocols import Engine
from labeler.core.text import counted, display_safe
from labeler.core.types import UNLABELED, IndexArray
from labeler.session.view import View
from labeler.ui.actions import Actions, Group, back, says
from labeler.ui.page import Page
from labeler.ui.requests import as_indices, ask
from labeler.ui.screens.base import Target
from labeler.ui.screens.pages import PageRules, Pages
from labeler.ui.screens.thumbnails import ThumbnailScreen
from labeler.ui.widgets.sheet_grid import Cell

MISSES = 3
"""Misses in a row, in the order of nearness, at which the kind has come to its end."""


class SimilarScreen(ThumbnailScreen):
    """Pages of the instances nearest to one, "are these all 3?". What is marked is a miss and stays unanswered.

    A class key sets one picture; on the one they are near to, or pressed again where it is their kind, all of them.

    Parameters
    ----------
    like
        The instance they are near to.
    kind
        What it is held to be; UNLABELED = the person's next class key says it.
    hidden
        Nothing that is held of the pictures is shown, because one of them is asked blind.
    """

    RECORDED_AS = "alike"
    ACTIONS: ClassVar[Actions] = {
        "accept": says("all right", "confirm the page: every picture as its caption says"),
        "skip": says("leave", "leave the page as it is and look at the next"),
        "similar": back("back to the picture they are near to"),
        "reject": says("a miss", "of another kind: left without an answer, or back"),
    }
    # a page is in sight as a whole: there is nothing to turn to
    GROUPS = ThumbnailScreen.GROUPS - {Group.PAGES}
    MOVES = "move over the page"

    def __init__(self, like: Target, kind: int, *, hidden: bool = False) -> None:
        super().__init__()
        self._like, self._kind, self._hidden = like, kind, hidden
        self._ended = False
        self.pages = Pages(
            self,
            PageRules(
                ask=self.ask_for_page,
                question=self.question,
                went_by=self.went_by,
                came_back=self.came_back,
                class_is_gone=self.class_is_gone,
                held=self.held_of,
                without_a_label=self.without_a_label,
            ),
        )

    # -- pages ---------------------------------------------------------------------------------------------------

    def ask_for_page(self, size: int, seen: list[int]) -> None:
        """The nearest that were not shown yet."""
        engine = self.labeler.project.engine
        ask(self, engine.request(Engine.similar, self._like.index, size, as_indices(seen)), self._take)

    def _take(self, indices: IndexArray) -> None:
        """They are here, nearest first; none where nothing is left."""
        self.pages.take(Page(self._kind, indices.tolist()) if len(indices) else None)

    def went_by(self, page: Page) -> None:
        """Farther away, unless too many in a row were of another kind."""
        # the page is among the confirmed only where it saved a label: misses count in any case
        _, self._ended = self._misses([other for other in self.pages.confirmed if other is not page] + [page])
        if self._ended:
            self.pages.page, self.cursor = None, 0
        else:
            self.pages.want()

    def came_back(self, page: Page) -> None:
        """Go on from a page that was taken back."""
        self._ended, self._kind = False, page.class_id

    def class_is_gone(self, page: Page) -> None:
        """The next class key says what they are."""
        self._kind = UNLABELED

    def held_of(self, index: int) -> int:
        """Return what a picture is held to be; nothing where one is asked blind."""
        return UNLABELED if self._hidden else self.labeler.project.session.held(index)

    def without_a_label(self, page: Page) -> int:
        """Their kind, where a person gave it to the one they are near to."""
        standing = self.labeler.project.session.state.answers.get(self._like.index)
        return page.class_id if standing is not None and standing.kind == "label" and not self._hidden else UNLABELED

    def _misses(self, pages: list[Page]) -> tuple[int, bool]:
        """Misses in a row at the end of `pages`, and whether there ever were too many."""
        run, most = 0, 0
        for page in pages:
            for place in range(len(page.indices)):
                run = run + 1 if page.class_at(place) != page.class_id else 0
                most = max(most, run)
        return run, most >= MISSES

    # -- what is answered ----------------------------------------------------------------------------------------

    def nothing_to_answer(self) -> str:
        """Waiting, or why it ended."""
        if self.pages.is_asked:
            return "the nearest are being looked for"
        if self._ended:
            return f"{MISSES} misses in a row: this kind ends here. ⏎ or M leads back"
        return "nothing without an answer is left near it: ⏎ or M leads back"

    def answer(self, class_id: int) -> None:
        """Says what kind they are (on the picture they are near to, where nobody knows yet, or again), or sets one."""
        page = self.pages.to_answer()
        if page is None or not self._names_all(page, class_id):
            self.pages.set(class_id)
            return
        self.typed = ""
        if set(page.captions) == {class_id} and self.cursor not in page.otherwise:
            self.labeler.say("it says so already: ⏎ confirms the page", "quiet")
            return
        self._kind = class_id
        page.name(class_id)
        self.pages.changed()

    def _names_all(self, page: Page, class_id: int) -> bool:
        # on the picture they are near to a key speaks of the kind, elsewhere of one picture
        if page.class_id == UNLABELED or page.indices[self.cursor] == self._like.index:
            return True
        return class_id == page.class_id == page.class_at(self.cursor) and self._differ(page)

    def _differ(self, page: Page) -> bool:
        """Whether some are captioned as another kind than theirs."""
        return any(page.captions[place] != page.class_id for place in range(len(page.indices)))

    async def do_accept(self) -> None:
        """All but the marked ones are of the kind; at the end: back."""
        if self._is_over:
            await self.labeler.leave()
        elif self.pages.page is not None and self.pages.page.class_id == UNLABELED:
            self.labeler.say("which class are they? press its key first", "warn")
        else:
            self.pages.confirm()

    async def do_skip(self) -> None:
        """Leave the page and look farther away; at the end: back."""
        if self._is_over:
            await self.labeler.leave()
        else:
            self.pages.leave()

    def do_reject(self) -> None:
        """A miss, or not."""
        page = self.pages.to_answer()
        if page is not None:
            page.leave_out(self.cursor)
            self.pages.changed()

    async def do_similar(self) -> None:
        """Leave the pages."""
        await self.labeler.leave()

    @property
    def _is_over(self) -> bool:
        return self.pages.page is None and not self.pages.is_asked

    # -- drawing -------------------------------------------------------------------------------------------------

    def question(self, page: Page, names: dict[int, str]) -> Content:
        """Are they all of the kind?"""
        like = display_safe(self._like.instance_id, 40)
        asked = (
            Content.styled("which class are these? press its key", "bold")
            if page.class_id == UNLABELED
            else self.pages.are_these_all(page, names)
        )
        info = self.labeler.project.session.state.classes.get(page.class_id)
        # the first press sets the picture under the cursor, the second all of them
        all_of_it = f"   {info.key} {info.key}: all {self.short(info.name, 20)}" if info and info.key else ""
        all_of_it = all_of_it if page.class_id != UNLABELED and self._differ(page) else ""
        misses = f"   {counted(len(page.otherwise), 'miss', 'misses')}" if page.otherwise else ""
        return Content.assemble(
            asked, (all_of_it, "$quiet"), (misses, "bold $warn"), (f"   nearest to {like} first", "$quiet")
        )

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
