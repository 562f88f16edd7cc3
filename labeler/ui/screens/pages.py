"""The part of a screen that shows pages to confirm, "are these all 3?": one key for the page, exceptions first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from textual.content import Content

from labeler.core.text import counted
from labeler.core.types import UNLABELED
from labeler.session.view import View
from labeler.ui.page import Page
from labeler.ui.render.short_names import short_name
from labeler.ui.screens.thumbnails import ThumbnailScreen
from labeler.ui.widgets.sheet_grid import Cell, layout

LARGEST_PAGE = 25


@dataclass(frozen=True, slots=True)
class PageRules:
    """The rules in which screens that show pages differ.

    `ask` asks the engine for the next page of at most so many that were not seen; its answer is handed to
    :meth:`Pages.take`. `question` is what is asked about a page. `went_by` follows a page that was confirmed and saved,
    `came_back` one that was taken back. `class_is_gone`: the class that the page asks about was retired. `held` is what
    a picture is held to be, as far as the page may say so, and `without_a_label` the caption where that is nothing.
    """

    ask: Callable[[int, list[int]], None]
    question: Callable[[Page, dict[int, str]], Content]
    went_by: Callable[[Page], None]
    came_back: Callable[[Page], None]
    class_is_gone: Callable[[Page], None]
    held: Callable[[int], int]
    without_a_label: Callable[[Page], int]


class Pages:
    """One page at a time; the next is asked for when one is confirmed or left.

    Parameters
    ----------
    screen
        The screen that shows them.
    rules
        What it does its own way.
    """

    def __init__(self, screen: ThumbnailScreen, rules: PageRules) -> None:
        self._screen, self._rules = screen, rules
        self.page: Page | None = None
        self.seen: list[int] = []  # instances of pages shown: not on a page again while the screen is open
        self.confirmed: list[Page] = []
        self.is_asked = False

    def want(self) -> None:
        """Ask for the next page."""
        screen = self._screen
        self.page, self.is_asked, screen.cursor = None, True, 0
        screen.painted.clear()
        width, height = screen.grid.size
        # no more than are in sight at once: nothing is confirmed unseen
        size = min(LARGEST_PAGE, layout(LARGEST_PAGE, width, height, screen.labeler.pictures.usual_height).page)
        self._rules.ask(size, self.seen)

    def take(self, page: Page | None) -> None:
        """Take the engine's answer: a page, or None where nothing is left to confirm."""
        if not self.is_asked:
            return
        self.is_asked = False
        if page is not None:
            standings = self._screen.labeler.project.session.state.answers
            # from behind: dropping one moves up the places after it
            for place in reversed(range(len(page.indices))):
                if page.indices[place] in standings:  # answered while the engine was looking
                    page.drop(place)
            if page.indices:
                self.page = page
                self.seen += page.indices
        self._screen.draw_again()

    @property
    def indices(self) -> Sequence[int]:
        """The instances of the page."""
        return self.page.indices if self.page is not None else ()

    def guess(self) -> int | None:
        """The class that confirming would give to the picture under the cursor."""
        class_id = self.page.class_at(self._screen.cursor) if self.page is not None else UNLABELED
        return class_id if class_id != UNLABELED else None

    def kind_of(self) -> int:
        """The class that the person set the picture under the cursor to; UNLABELED = none."""
        return self.page.otherwise.get(self._screen.cursor, UNLABELED) if self.page is not None else UNLABELED

    # -- what is answered ----------------------------------------------------------------------------------------

    def to_answer(self) -> Page | None:
        """The page; says why where there is none."""
        if self.page is None:
            self._screen.labeler.say(self._screen.nothing_to_answer(), "warn")
        return self.page

    def set(self, class_id: int) -> None:
        """Set the picture under the cursor; the page is saved as a whole."""
        page, cursor = self.to_answer(), self._screen.cursor
        if page is not None:
            self._screen.typed = ""
            # before it is set: afterwards it says so in any case
            same = page.class_at(cursor) == class_id
            page.set(cursor, class_id)
            self.changed()
            if same:
                self._screen.labeler.say("it says so already: ⏎ confirms the page", "quiet")

    def drop(self) -> None:
        """Take the picture under the cursor off the page: it got an answer of its own."""
        if self.page is not None:
            self.page.drop(self._screen.cursor)
            if not self.page.indices:
                self.want()

    def confirm(self) -> None:
        """Save the page."""
        page, screen = self.to_answer(), self._screen
        if page is None:
            return
        if screen.paints_at_key < page.painted:
            screen.labeler.say("that key was pressed before this page was there: ignored", "warn")
            return
        session, place, painted = screen.labeler.project.session, screen.recorded_as, page.painted_as()
        # taken now: the page may be drawn anew while the answer is written
        labels = [(session.pool.ids[index], class_id, word.word) for index, class_id, word in page.labels()]

        def saved() -> None:
            # a page whose pictures were all left out saved nothing that an undo could bring back
            if labels:
                self.confirmed.append(page)
            self._rules.went_by(page)

        screen.labeler.command(lambda: session.confirm(labels, painted, screen=place), saved)

    def leave(self) -> None:
        """Save nothing, look at the next."""
        if self.to_answer() is not None:
            self.want()
            self._screen.labeler.say("left as it is", "quiet")
            self._screen.redraw()

    def moved_in_time(self) -> None:
        """Show a page that was taken back as it was confirmed; one brought back makes way for the next."""
        last = self._screen.labeler.project.session.last
        if last is None:
            return
        if last.what == "undo page" and self.confirmed:
            self.page, self.is_asked, self._screen.cursor = self.confirmed.pop(), False, 0
            self._rules.came_back(self.page)
            self._screen.renew()
        elif last.what == "redo page":
            if self.page is None:
                self.want()
            else:
                self.confirmed.append(self.page)
                self._rules.went_by(self.page)

    def named(self, name: str | None) -> None:
        """Add the class that was named, and set the picture under the cursor to it."""
        if name is None:
            return
        session = self._screen.labeler.project.session

        def chosen() -> None:
            info = session.classes.named(name)
            if self.page is not None and info is not None:
                self._screen.answer(info.class_id)

        self._screen.labeler.command(lambda: session.classes.id_for(name), chosen)

    def changed(self) -> None:
        """Draw the page, which was set otherwise: what was said before is out of date."""
        self._screen.labeler.status.clear()
        self._screen.draw_again()

    # -- drawing -------------------------------------------------------------------------------------------------

    def caption(self) -> bool:
        """Caption each picture as what it is held to be, as far as its class is there; whether a caption changed.

        Captions follow what is held until they are painted, and stay from then on. Where they change, a key from before
        they are painted confirms nothing; where they do not, the person has seen them.
        """
        self._let_go_of_classes()
        page = self.page
        if page is None or page.is_fixed or page.is_named:
            return False
        held = [self._rules.held(index) for index in page.indices]
        if not page.caption(held, without=self._rules.without_a_label(page)):
            return False
        page.painted = 0
        return True

    def renew(self) -> None:
        """Have the captions drawn anew."""
        if self.page is not None:
            self.page.is_fixed = False

    def _let_go_of_classes(self) -> None:
        """Follow classes that were merged or retired since the page came."""
        page, lookup = self.page, self._screen.labeler.project.session.state.stands_for()
        if page is None:
            return
        named = page.class_id != UNLABELED
        page.restate(lambda class_id: int(lookup[class_id]))
        if named and page.class_id == UNLABELED:
            self._rules.class_is_gone(page)

    def forget(self, page: Page) -> None:
        """Let go of a page as if it had not been shown, and ask for another one."""
        self.seen = [index for index in self.seen if index not in page.indices]
        self.want()

    def heading(self, view: View) -> Content:
        """The question about the page, or why there is none."""
        if self.page is None:
            return Content.styled(self._screen.nothing_to_answer(), "$quiet")
        return self._rules.question(self.page, {count.info.class_id: count.info.name for count in view.classes})

    def are_these_all(self, page: Page, names: dict[int, str]) -> Content:
        """The question of every such page: about one class where all captions name it, else about the captions."""
        counts = Counter(class_id for class_id in page.captions if class_id != UNLABELED)
        every, width = tuple(names.values()), self._screen.size.width
        if len(counts) > 1:
            # 40 cells for the words around the names
            room = max((width - 40) // len(counts), 20)
            listed = [
                f"{count} {short_name(names.get(class_id, ''), every, room)}"
                for class_id, count in counts.most_common()
            ]
            return Content.assemble(("is every caption right? ", "bold"), (", ".join(listed), "bold $guess"))
        name = short_name(names.get(next(iter(counts), page.class_id), ""), every, max(width - 40, 20))
        return Content.assemble(("are these all ", "bold"), (name, "bold $guess"), ("?", "bold"))

    def cell(self, place: int, names: dict[int, str]) -> Cell:
        """The picture at `place` as confirming would save it."""
        page = self.page
        if page is None:
            return Cell(self.indices[place], "")
        index, name = page.indices[place], names.get(page.class_at(place), "")
        if place not in page.otherwise:
            return Cell(index, name)
        return Cell(index, name, "warn", lead="→ ") if name else Cell(index, "left out", "warn")

    def facts(self, view: View) -> list[str]:
        """The number of labels so far."""
        return [f"{counted(view.given, 'label')} given"]

    def is_ready(self) -> bool:
        """Whether every picture of the page is drawn, or nothing is waited for."""
        return not self.is_asked and self._screen.grid.all_ready()

    def was_painted(self) -> None:
        """Count a page as one question, once, or anew where its captions changed."""
        page = self.page
        if page is None:
            return
        page.is_fixed = True
        if page.painted == 0:
            self._screen.count_paint()
            page.painted = self._screen.labeler.line.paints

    def ask_first(self) -> None:
        """Ask for the first page: the size is known."""
        if self.page is None and not self.is_asked and not self.seen:
            self.want()
