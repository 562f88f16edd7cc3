"""Pages of one predicted class: "are these all 3?". One key confirms a page, exceptions are set right first."""

from __future__ import annotations

from dataclasses import dataclass, field

from textual import events
from textual.app import ComposeResult
from textual.content import Content

from labeler.core.vocabulary import UNLABELED, Grid, Provenance
from labeler.display import display_safe
from labeler.session.view import View
from labeler.ui import phrases
from labeler.ui.actions import Place
from labeler.ui.screens.base import Target
from labeler.ui.screens.commands import CommandScreen
from labeler.ui.widgets.legend import legend
from labeler.ui.widgets.line import Block, Line
from labeler.ui.widgets.sheet_grid import Cell, SheetGrid, layout

LARGEST_PAGE = 25


@dataclass(slots=True)
class Page:
    """A page as the engine gave it, and what the person set otherwise (place on the page -> class)."""

    class_id: int
    indices: list[int]
    runner_ups: list[int]
    otherwise: dict[int, int] = field(default_factory=dict)
    cursor: int = 0
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

    def set(self, place: int, class_id: int) -> None:
        """What the person says of one picture."""
        if class_id == self.class_id:
            self.otherwise.pop(place, None)
        else:
            self.otherwise[place] = class_id

    def drop(self, place: int) -> None:
        """Take a picture off the page."""
        del self.indices[place], self.runner_ups[place]
        moved = {at - (at > place): class_id for at, class_id in self.otherwise.items() if at != place}
        self.otherwise.clear()
        self.otherwise.update(moved)
        self.cursor = min(self.cursor, max(len(self.indices) - 1, 0))


class GridScreen(CommandScreen):
    """One page at a time; the next is asked for when one is confirmed or left."""

    PLACE = Place.GRID

    def __init__(self) -> None:
        super().__init__()
        self._page: Page | None = None
        self._seen: list[int] = []  # instances of pages shown: not on a page again while the screen is open
        self._confirmed: list[Page] = []
        self._asked = False
        self._drawn_for: tuple[int, int, int] | None = None

    def body(self) -> ComposeResult:
        """The question, the page, the legend."""
        yield Line(id="asked")
        yield SheetGrid(self.labeler.pictures, id="sheet")
        yield Block(id="sheet-legend")

    @property
    def grid(self) -> SheetGrid:
        """The thumbnails."""
        return self.query_one("#sheet", SheetGrid)

    # -- pages ---------------------------------------------------------------------------------------------------

    def _want_page(self) -> None:
        self._page, self._asked = None, True
        self.painted.clear()
        width, height = self.grid.size
        size = min(LARGEST_PAGE, layout(LARGEST_PAGE, width, height, self.labeler.pictures.usual_height).page)
        self.labeler.project.want_page(size, self._seen)

    def take_page(self, grid: Grid | None) -> None:
        """The engine's answer: a page, or None where nothing is left to confirm."""
        if not self._asked:
            return
        self._asked = False
        standings = self.labeler.project.session.state.standings
        if grid is not None:
            pairs = zip(grid.indices.tolist(), grid.runner_ups.tolist(), strict=True)
            open_ = [(index, other) for index, other in pairs if index not in standings]
            if open_:
                self._page = Page(grid.class_id, [index for index, _ in open_], [other for _, other in open_])
                self._seen += self._page.indices
                if not grid.pays:
                    self.labeler.say("hardly an error is expected here: single questions (G) mend more a key")
        self.redraw()

    # -- what is answered ----------------------------------------------------------------------------------------

    def target(self) -> Target | None:
        """The picture under the cursor (for unsure and flag)."""
        if self._page is None or not self._page.indices:
            return None
        index = self._page.indices[self._page.cursor]
        return Target(index, self.labeler.project.session.pool.ids[index])

    def guess(self) -> int | None:
        """The class of the page."""
        return self._page.class_id if self._page is not None else None

    def nothing_to_answer(self) -> str:
        """Waiting, or nothing is left."""
        if self._asked:
            return "a page is being looked for"
        return "no page to confirm now: G leads back to single questions"

    def answer(self, class_id: int) -> None:
        """A class key sets the picture under the cursor; the page is saved as a whole."""
        if self._page is None:
            self.labeler.say(self.nothing_to_answer(), "warn")
            return
        self.typed = ""
        self._page.set(self._page.cursor, class_id)
        self._changed()

    def answered(self) -> None:
        """The picture under the cursor got an answer of its own: it leaves the page."""
        if self._page is not None:
            self._page.drop(self._page.cursor)
            if not self._page.indices:
                self._want_page()

    def do_accept(self) -> None:
        """Confirm the page."""
        page = self._page
        if page is None:
            self.labeler.say(self.nothing_to_answer(), "warn")
            return
        if self.paints_at_key < page.painted:
            self.labeler.say("that key was pressed before this page was there: ignored", "warn")
            return
        session = self.labeler.project.session
        labels = []
        for place, index in enumerate(page.indices):
            word = Provenance.HUMAN if place in page.otherwise else Provenance.CONFIRMED
            labels.append((session.pool.ids[index], page.class_at(place), word.word))

        def saved() -> None:
            self._confirmed.append(page)
            self._want_page()

        self.labeler.command(lambda: session.page(labels), saved)

    def do_skip(self) -> None:
        """Leave the page, look at the next."""
        if self._page is None:
            self.labeler.say(self.nothing_to_answer(), "warn")
            return
        self._want_page()
        self.labeler.say("left as it is", "quiet")
        self.redraw()

    def do_reject(self) -> None:
        """The runner-up for the picture under the cursor, or back."""
        if self._page is None:
            self.labeler.say(self.nothing_to_answer(), "warn")
        elif not self._page.swap(self._page.cursor):
            self.labeler.say("it has no runner-up: press the key of its class", "warn")
        else:
            self._changed()

    def moved_in_time(self) -> None:
        """A page taken back is shown again as it was confirmed; one brought back makes way for the next."""
        super().moved_in_time()
        last = self.labeler.project.session.last
        if last is None:
            return
        if last.what == "undo page" and self._confirmed:
            self._page, self._asked = self._confirmed.pop(), False
        elif last.what == "redo page":
            if self._page is not None:
                self._confirmed.append(self._page)
            self._want_page()

    def _named(self, name: str | None) -> None:
        if name is None:
            return
        session = self.labeler.project.session

        def chosen() -> None:
            info = session.class_named(name)
            if self._page is not None and info is not None:
                self._page.set(self._page.cursor, info.class_id)

        self.labeler.command(lambda: session.class_id_for(name), chosen)

    def _changed(self) -> None:
        self.labeler.news.clear()
        self._drawn_for = None
        self.redraw()

    # -- drawing -------------------------------------------------------------------------------------------------

    def draw(self, view: View) -> None:
        """The page as confirming would save it."""
        now = (view.revision, id(self._page), self._page.cursor if self._page else 0)
        if now != self._drawn_for:
            self._drawn_for = now
            self.painted.clear()
        names = {count.info.class_id: count.info.name for count in view.classes}
        page = self._page
        cells = [self._cell(page, place, names) for place in range(len(page.indices))] if page is not None else []
        self.grid.show(cells, page.cursor if page is not None else 0)
        asked = self._question(names)
        self.query_one("#asked", Line).show(lambda width: asked.truncate(width, ellipsis=True))
        typed = self.typed
        self.query_one("#sheet-legend", Block).show(lambda width, height: legend(view.classes, typed, width, height))
        self._draw_about(view)
        self._note_paint()

    def _question(self, names: dict[int, str]) -> Content:
        page = self._page
        if page is None:
            return Content.styled(self.nothing_to_answer(), "$quiet")
        name = display_safe(names.get(page.class_id, ""), 40)
        others = len(page.otherwise)
        said = f"   {others} set otherwise" if others else ""
        return Content.assemble("are these all ", (name, "bold $guess"), "?", (said, "bold $warn"))

    def _cell(self, page: Page, place: int, names: dict[int, str]) -> Cell:
        name = names.get(page.class_at(place), "")
        return (
            Cell(page.indices[place], f"→ {name}", "warn")
            if place in page.otherwise
            else Cell(page.indices[place], name)
        )

    def _draw_about(self, view: View) -> None:
        target = self.target()
        if target is None:
            self.draw_lines(view, lambda width: Content(""))
            return
        session = self.labeler.project.session
        facts, flagged = [f"{phrases.amount(view.given, 'label')} given"], target.index in session.state.flagged
        self.draw_lines(view, lambda width: phrases.about(target.instance_id, facts, flagged, width))

    def _note_paint(self) -> None:
        if not self.painted.is_set() and not self._asked and self.grid.all_ready():
            self.grid.call_after_refresh(self._painted, self._drawn_for)

    def _painted(self, drawn: tuple[int, int, int] | None) -> None:
        if drawn == self._drawn_for and self.in_front and not self._asked and self.grid.all_ready():
            self.painted.set()
            if self._page is not None and self._page.painted == 0:
                self.labeler.question_was_painted()
                self._page.painted = self.labeler.paints

    def picture_ready(self, index: int) -> None:
        """A thumbnail was drawn."""
        if self._page is not None and index in self._page.indices:
            self.grid.refresh()
            self._note_paint()

    def on_resize(self) -> None:
        """The same page at another size; the first page is asked for when the size is known."""
        super().on_resize()
        self._drawn_for = None
        self.call_after_refresh(self._sized)

    def _sized(self) -> None:
        if self._page is None and not self._asked and not self._seen:
            self._want_page()
        self.redraw()

    # -- commands ------------------------------------------------------------------------------------------------

    def do_move_left(self) -> None:
        """One back."""
        self._go(self.grid.step("left"))

    def do_move_right(self) -> None:
        """One on."""
        self._go(self.grid.step("right"))

    def do_move_up(self) -> None:
        """One row up."""
        self._go(self.grid.step("up"))

    def do_move_down(self) -> None:
        """One row down."""
        self._go(self.grid.step("down"))

    def _go(self, place: int) -> None:
        if self._page is not None:
            self._page.cursor = place
            self.redraw()

    def on_click(self, event: events.Click) -> None:
        """The mouse may move the cursor too."""
        if event.widget is self.grid:
            place = self.grid.at(event.x, event.y)
            if place is not None:
                self._go(place)

    async def do_grid(self) -> None:
        """Back."""
        await self.leave()
