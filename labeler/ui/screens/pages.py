"""Pages to confirm at a glance, "are these all 3?": one key for the page, exceptions are set right first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from textual.content import Content

from labeler.core.types import UNLABELED
from labeler.session.view import View
from labeler.ui.page import Page
from labeler.ui.render import lines
from labeler.ui.render.short_names import short_name
from labeler.ui.screens.base import Target
from labeler.ui.screens.thumbnails import ThumbnailScreen
from labeler.ui.widgets.sheet_grid import Cell, layout

LARGEST_PAGE = 25


class PageScreen(ThumbnailScreen):
    """One page at a time; the next is asked for when one is confirmed or left."""

    def __init__(self) -> None:
        super().__init__()
        self._page: Page | None = None
        self._seen: list[int] = []  # instances of pages shown: not on a page again while the screen is open
        self._confirmed: list[Page] = []
        self._asked = False

    # -- what a screen adds --------------------------------------------------------------------------------------

    def ask_for_page(self, size: int, seen: list[int]) -> None:
        """Ask the engine for the next page of at most `size`; the answer comes by :meth:`heard`."""
        raise NotImplementedError

    def question(self, page: Page, names: dict[int, str]) -> Content:
        """What is asked about the page."""
        raise NotImplementedError

    def went_by(self, page: Page) -> None:
        """The page was confirmed and saved; the next one is asked for unless the screen has come to its end."""

    def came_back(self, page: Page) -> None:
        """The page was taken back and is shown again."""

    # -- pages ---------------------------------------------------------------------------------------------------

    def _want_page(self) -> None:
        self._page, self._asked, self.cursor = None, True, 0
        self.painted.clear()
        width, height = self.grid.size
        size = min(LARGEST_PAGE, layout(LARGEST_PAGE, width, height, self.labeler.pictures.usual_height).page)
        self.ask_for_page(size, self._seen)

    def take_page(self, page: Page | None) -> None:
        """The engine's answer: a page, or None where nothing is left to confirm."""
        if not self._asked:
            return
        self._asked = False
        if page is not None:
            standings = self.labeler.project.session.state.answers
            for place in reversed(range(len(page.indices))):
                if page.indices[place] in standings:  # answered while the engine was looking
                    page.drop(place)
            if page.indices:
                self._page = page
                self._seen += page.indices
        self.draw_again()

    def shown(self) -> Sequence[int]:
        """The page."""
        return self._page.indices if self._page is not None else ()

    def guess(self) -> int | None:
        """What confirming would say of the picture under the cursor."""
        said = self._page.class_at(self.cursor) if self._page is not None else UNLABELED
        return said if said != UNLABELED else None

    # -- what is answered ----------------------------------------------------------------------------------------

    def page_to_answer(self) -> Page | None:
        """The page; says why where there is none."""
        if self._page is None:
            self.labeler.say(self.nothing_to_answer(), "warn")
        return self._page

    def answer(self, class_id: int) -> None:
        """A class key sets the picture under the cursor; the page is saved as a whole."""
        page = self.page_to_answer()
        if page is not None:
            self.typed = ""
            same = page.class_at(self.cursor) == class_id
            page.set(self.cursor, class_id)
            self.changed()
            if same:
                self.labeler.say("it says so already: ⏎ confirms the page", "quiet")

    def answered(self) -> None:
        """The picture under the cursor got an answer of its own: it leaves the page."""
        if self._page is not None:
            self._page.drop(self.cursor)
            if not self._page.indices:
                self._want_page()

    def confirm(self) -> None:
        """Save the page."""
        page = self.page_to_answer()
        if page is None:
            return
        if self.paints_at_key < page.painted:
            self.labeler.say("that key was pressed before this page was there: ignored", "warn")
            return
        session, place, painted = self.labeler.project.session, str(self.PLACE), page.painted_as()
        labels = [(session.pool.ids[index], class_id, word.word) for index, class_id, word in page.labels()]

        def saved() -> None:
            if labels:
                self._confirmed.append(page)
            self.went_by(page)

        self.labeler.command(lambda: session.confirm(labels, painted, screen=place), saved)

    def leave_page(self) -> None:
        """Save nothing, look at the next."""
        if self.page_to_answer() is not None:
            self._want_page()
            self.labeler.say("left as it is", "quiet")
            self.redraw()

    def moved_in_time(self) -> None:
        """A page taken back is shown again as it was confirmed; one brought back makes way for the next."""
        super().moved_in_time()
        last = self.labeler.project.session.last
        if last is None:
            return
        if last.what == "undo page" and self._confirmed:
            self._page, self._asked, self.cursor = self._confirmed.pop(), False, 0
            self.came_back(self._page)
            self.renew()
        elif last.what == "redo page":
            if self._page is None:
                self._want_page()
            else:
                self._confirmed.append(self._page)
                self.went_by(self._page)

    def _named(self, name: str | None) -> None:
        if name is None:
            return
        session = self.labeler.project.session

        def chosen() -> None:
            info = session.classes.named(name)
            if self._page is not None and info is not None:
                self.answer(info.class_id)

        self.labeler.command(lambda: session.classes.id_for(name), chosen)

    def changed(self) -> None:
        """The page was set otherwise: what was said before is out of date."""
        self.labeler.news.clear()
        self.draw_again()

    # -- drawing -------------------------------------------------------------------------------------------------

    def draw(self, view: View) -> None:
        """The page, as far as its classes are there, each picture captioned as what it is held to be.

        Captions follow what is held until they are painted, and stay from then on. Where they change, a key from before
        they are painted confirms nothing; where they do not, the person has seen them.
        """
        self._let_go_of_classes()
        page = self._page
        if page is not None and not page.is_fixed and not page.is_named:
            held = [self.held_of(index) for index in page.indices]
            if page.caption(held, without=self.without_a_label(page)):
                self._drawn_for, page.painted = None, 0
        super().draw(view)

    def held_of(self, index: int) -> int:
        """What a picture is held to be now, as far as the page may say so."""
        return self.labeler.project.session.held(index)

    def without_a_label(self, page: Page) -> int:
        """The caption of a picture that is held to be nothing: what the engine laid the page out for."""
        return page.class_id

    def renew(self) -> None:
        """Captions are drawn anew."""
        super().renew()
        if self._page is not None:
            self._page.is_fixed = False

    def kind_of(self, target: Target) -> int:
        """What the person set the picture to, else what it is held to be."""
        page = self._page
        set_to = page.otherwise.get(self.cursor, UNLABELED) if page is not None else UNLABELED
        return set_to if set_to != UNLABELED else super().kind_of(target)

    def _let_go_of_classes(self) -> None:
        """Classes may have been merged or retired since the page came: what it says follows."""
        page, lookup = self._page, self.labeler.project.session.state.stands_for()
        if page is None:
            return
        named = page.class_id != UNLABELED
        page.restate(lambda class_id: int(lookup[class_id]))
        if named and page.class_id == UNLABELED:
            self.class_is_gone(page)

    def class_is_gone(self, page: Page) -> None:
        """The class that the page asks about was retired: another page."""
        self._seen = [index for index in self._seen if index not in page.indices]
        self._want_page()

    def heading(self, view: View) -> Content:
        """What is asked."""
        if self._page is None:
            return Content.styled(self.nothing_to_answer(), "$quiet")
        return self.question(self._page, {count.info.class_id: count.info.name for count in view.classes})

    def are_these_all(self, page: Page, names: dict[int, str]) -> Content:
        """The question of every such page: about one class where all captions name it, else about the captions."""
        counts = Counter(class_id for class_id in page.captions if class_id != UNLABELED)
        every = tuple(names.values())
        if len(counts) > 1:
            room = max((self.size.width - 40) // len(counts), 20)
            listed = [
                f"{count} {short_name(names.get(class_id, ''), every, room)}"
                for class_id, count in counts.most_common()
            ]
            return Content.assemble(("is every caption right? ", "bold"), (", ".join(listed), "bold $guess"))
        name = short_name(names.get(next(iter(counts), page.class_id), ""), every, max(self.size.width - 40, 20))
        return Content.assemble(("are these all ", "bold"), (name, "bold $guess"), ("?", "bold"))

    def cell(self, place: int, names: dict[int, str]) -> Cell:
        """The page as confirming would save it."""
        page = self._page
        if page is None:
            return Cell(self.shown()[place], "")
        index, name = page.indices[place], names.get(page.class_at(place), "")
        if place not in page.otherwise:
            return Cell(index, name)
        return Cell(index, name, "warn", lead="→ ") if name else Cell(index, "left out", "warn")

    def facts(self, view: View) -> list[str]:
        """How far the person is."""
        return [f"{lines.amount(view.given, 'label')} given"]

    def is_ready(self) -> bool:
        """Every picture of the page, or nothing to wait for."""
        return not self._asked and self.grid.all_ready()

    def was_painted(self) -> None:
        """A page counts as one question, once, or anew where its captions changed."""
        page = self._page
        if page is None:
            return
        page.is_fixed = True
        if page.painted == 0:
            self.labeler.question_was_painted()
            page.painted = self.labeler.paints

    def resized(self) -> None:
        """The first page is asked for when the size is known."""
        if self._page is None and not self._asked and not self._seen:
            self._want_page()
        super().resized()
