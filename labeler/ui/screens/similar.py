"""More like this: the nearest instances of one, page by page, until too many in a row are of another kind.

Each picture is captioned as what it is held to be itself: that one is near makes it of no kind.
"""

from __future__ import annotations

from textual.content import Content

from labeler.core.protocols import Engine
from labeler.core.text import display_safe
from labeler.core.types import UNLABELED, IndexArray
from labeler.ui.actions import Place
from labeler.ui.page import Page
from labeler.ui.render.lines import amount
from labeler.ui.requests import as_indices, ask
from labeler.ui.screens.base import Target
from labeler.ui.screens.pages import PageScreen

MISSES = 3
"""Misses in a row, in the order of nearness, at which the kind has come to its end."""


class AlikeScreen(PageScreen):
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

    PLACE = Place.ALIKE

    def __init__(self, like: Target, kind: int, *, hidden: bool = False) -> None:
        super().__init__()
        self._like, self._kind, self._hidden = like, kind, hidden
        self._ended = False

    # -- pages ---------------------------------------------------------------------------------------------------

    def ask_for_page(self, size: int, seen: list[int]) -> None:
        """The nearest that were not shown yet."""
        engine = self.labeler.project.engine
        ask(self, engine.request(Engine.similar, self._like.index, size, as_indices(seen)), self._take)

    def _take(self, indices: IndexArray) -> None:
        """They are here, nearest first; none where nothing is left."""
        self.take_page(Page(self._kind, indices.tolist()) if len(indices) else None)

    def went_by(self, page: Page) -> None:
        """Farther away, unless too many in a row were of another kind."""
        _, self._ended = self._misses([other for other in self._confirmed if other is not page] + [page])
        if self._ended:
            self._page, self.cursor = None, 0
        else:
            self._want_page()

    def came_back(self, page: Page) -> None:
        """It goes on from here."""
        self._ended, self._kind = False, page.class_id

    def class_is_gone(self, page: Page) -> None:
        """The next class key says what they are."""
        self._kind = UNLABELED

    def held_of(self, index: int) -> int:
        """Nothing of them where one is asked blind."""
        return UNLABELED if self._hidden else super().held_of(index)

    def without_a_label(self, page: Page) -> int:
        """Their kind, where a person gave it to the one they are near to."""
        standing = self.labeler.project.session.state.standings.get(self._like.index)
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
        if self._asked:
            return "the nearest are being looked for"
        if self._ended:
            return f"{MISSES} misses in a row: this kind ends here. ⏎ or M leads back"
        return "nothing without an answer is left near it: ⏎ or M leads back"

    def answer(self, class_id: int) -> None:
        """Says what kind they are (on the picture they are near to, where nobody knows yet, or again), or sets one."""
        page = self.page_to_answer()
        if page is None or not self._names_all(page, class_id):
            super().answer(class_id)
            return
        self.typed = ""
        if set(page.captions) == {class_id} and self.cursor not in page.otherwise:
            self.labeler.say("it says so already: ⏎ confirms the page", "quiet")
            return
        self._kind = class_id
        page.name(class_id)
        self.changed()

    def _names_all(self, page: Page, class_id: int) -> bool:
        if page.class_id == UNLABELED or page.indices[self.cursor] == self._like.index:
            return True
        return class_id == page.class_id == page.class_at(self.cursor) and self._differ(page)

    def _differ(self, page: Page) -> bool:
        """Whether some are captioned as another kind than theirs."""
        return any(page.captions[place] != page.class_id for place in range(len(page.indices)))

    async def do_accept(self) -> None:
        """All but the marked ones are of the kind; at the end: back."""
        if self._is_over:
            await self.leave()
        elif self._page is not None and self._page.class_id == UNLABELED:
            self.labeler.say("which class are they? press its key first", "warn")
        else:
            self.confirm()

    async def do_skip(self) -> None:
        """Leave the page and look farther away; at the end: back."""
        if self._is_over:
            await self.leave()
        else:
            self.leave_page()

    def do_reject(self) -> None:
        """A miss, or not."""
        page = self.page_to_answer()
        if page is not None:
            page.leave_out(self.cursor)
            self.changed()

    async def do_alike(self) -> None:
        """Back."""
        await self.leave()

    @property
    def _is_over(self) -> bool:
        return self._page is None and not self._asked

    # -- drawing -------------------------------------------------------------------------------------------------

    def question(self, page: Page, names: dict[int, str]) -> Content:
        """Are they all of the kind?"""
        like = display_safe(self._like.instance_id, 40)
        asked = (
            Content.styled("which class are these? press its key", "bold")
            if page.class_id == UNLABELED
            else self.are_these_all(page, names)
        )
        info = self.labeler.project.session.state.classes.get(page.class_id)
        all_of_it = f"   {info.key} {info.key}: all {self.short(info.name, 20)}" if info and info.key else ""
        all_of_it = all_of_it if page.class_id != UNLABELED and self._differ(page) else ""
        misses = f"   {amount(len(page.otherwise), 'miss', 'misses')}" if page.otherwise else ""
        return Content.assemble(
            asked, (all_of_it, "$quiet"), (misses, "bold $warn"), (f"   nearest to {like} first", "$quiet")
        )
