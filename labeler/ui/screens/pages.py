"""Pages to confirm at a glance, "are these all 3?": one key for the page, exceptions are set right first."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from textual.content import Content

from labeler.core.vocabulary import UNLABELED, Provenance
from labeler.session.view import View
from labeler.ui import phrases
from labeler.ui.screens.thumbnails import ThumbnailScreen
from labeler.ui.short_names import short_name
from labeler.ui.widgets.sheet_grid import Cell, layout

LARGEST_PAGE = 25


@dataclass(slots=True)
class Page:
    """A page as the engine gave it, and what the person set otherwise (place on the page -> class).

    UNLABELED as the class of a place: it is left without an answer.
    """

    class_id: int
    indices: list[int]
    runner_ups: list[int] = field(default_factory=list)
    otherwise: dict[int, int] = field(default_factory=dict)
    painted: int = 0  # the how manyth painted question it was; 0 = not painted yet

    def class_at(self, place: int) -> int:
        """What confirming would say of one picture."""
        return self.otherwise.get(place, self.class_id)

    def swap(self, place: int) -> bool:
        """The runner-up instead of the caption, or back; False where there is no runner-up."""
        if place in self.otherwise:
            del self.otherwise[place]
            return True
        if self.runner_ups[place] == UNLABELED:
            return False
        self.otherwise[place] = self.runner_ups[place]
        return True

    def leave_out(self, place: int) -> None:
        """No answer for one picture, or back."""
        if place in self.otherwise:
            del self.otherwise[place]
        else:
            self.otherwise[place] = UNLABELED

    def set(self, place: int, class_id: int) -> None:
        """What the person says of one picture."""
        if class_id == self.class_id:
            self.otherwise.pop(place, None)
        else:
            self.otherwise[place] = class_id

    def restate(self, stands_for: Callable[[int], int]) -> None:
        """The same in the classes there are by now; UNLABELED stands for itself."""
        self.class_id = stands_for(self.class_id)
        self.runner_ups = [stands_for(class_id) for class_id in self.runner_ups]
        said = {
            place: stands_for(class_id)
            for place, class_id in self.otherwise.items()
            if class_id == UNLABELED or stands_for(class_id) not in (UNLABELED, self.class_id)
        }
        self.otherwise.clear()
        self.otherwise.update(said)

    def drop(self, place: int) -> None:
        """Take a picture off the page."""
        del self.indices[place]
        if self.runner_ups:
            del self.runner_ups[place]
        moved = {at - (at > place): class_id for at, class_id in self.otherwise.items() if at != place}
        self.otherwise.clear()
        self.otherwise.update(moved)

    def labels(self) -> list[tuple[int, int, Provenance]]:
        """What confirming saves: (index, class_id, provenance)."""
        return [
            (index, self.class_at(place), Provenance.HUMAN if place in self.otherwise else Provenance.CONFIRMED)
            for place, index in enumerate(self.indices)
            if self.class_at(place) != UNLABELED
        ]


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
            standings = self.labeler.project.session.state.standings
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
        session, place = self.labeler.project.session, str(self.PLACE)
        labels = [(session.pool.ids[index], class_id, word.word) for index, class_id, word in page.labels()]

        def saved() -> None:
            if labels:
                self._confirmed.append(page)
            self.went_by(page)

        self.labeler.command(lambda: session.page(labels, screen=place), saved)

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
            info = session.class_named(name)
            if self._page is not None and info is not None:
                self.answer(info.class_id)

        self.labeler.command(lambda: session.class_id_for(name), chosen)

    def changed(self) -> None:
        """The page was set otherwise: what was said before is out of date."""
        self.labeler.news.clear()
        self.draw_again()

    # -- drawing -------------------------------------------------------------------------------------------------

    def draw(self, view: View) -> None:
        """The page, as far as its classes are there."""
        self._let_go_of_classes()
        super().draw(view)

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
        """The question of every such page."""
        name = short_name(names.get(page.class_id, ""), tuple(names.values()), max(self.size.width - 40, 20))
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
        return [f"{phrases.amount(view.given, 'label')} given"]

    def is_ready(self) -> bool:
        """Every picture of the page, or nothing to wait for."""
        return not self._asked and self.grid.all_ready()

    def was_painted(self) -> None:
        """A page counts as one question, once."""
        if self._page is not None and self._page.painted == 0:
            self.labeler.question_was_painted()
            self._page.painted = self.labeler.paints

    def resized(self) -> None:
        """The first page is asked for when the size is known."""
        if self._page is None and not self._asked and not self._seen:
            self._want_page()
        super().resized()
