"""The contact sheet: all representatives at a glance, labeled in any order."""

from __future__ import annotations

from textual import events
from textual.app import ComposeResult
from textual.content import Content

from labeler.core.vocabulary import UNLABELED
from labeler.session.view import View
from labeler.ui import phrases
from labeler.ui.actions import Place
from labeler.ui.screens.base import Target
from labeler.ui.screens.commands import CommandScreen
from labeler.ui.widgets.legend import legend
from labeler.ui.widgets.line import Block
from labeler.ui.widgets.sheet_grid import Cell, SheetGrid

_SAID = {"unsure": "unsure", "reject": "rejected", "skip": "skipped"}


class ContactSheet(CommandScreen):
    """Thumbnails in the order they would be asked; that order is fixed while the sheet is open."""

    PLACE = Place.SHEET

    def __init__(self) -> None:
        super().__init__()
        self._indices: list[int] = []
        self._cursor = 0
        self._focused: int | None = None
        self._focused_guess: int | None = None
        self._drawn_for: tuple[int, int, int] | None = None

    def body(self) -> ComposeResult:
        """Thumbnails, and the legend below them."""
        yield SheetGrid(self.labeler.pictures, id="sheet")
        yield Block(id="sheet-legend")

    @property
    def grid(self) -> SheetGrid:
        """The thumbnails."""
        return self.query_one("#sheet", SheetGrid)

    def on_mount(self) -> None:
        """Take the representatives as they are now; start at the question, else at the first without an answer."""
        view = self.labeler.view
        if view is None or view.round is None:
            return
        self._indices = [int(index) for index in view.round.representatives]
        asked = view.question.index if view.question is not None else None
        if asked in self._indices:
            self._cursor = self._indices.index(asked)
        elif not self._is_open(self._indices[0]):
            self._move_on()

    # -- what is answered ----------------------------------------------------------------------------------------

    def target(self) -> Target | None:
        """The representative under the cursor."""
        if not self._indices:
            return None
        index = self._indices[self._cursor]
        return Target(index, self.labeler.project.session.pool.ids[index])

    def guess(self) -> int | None:
        """What the caption under the cursor said when the cursor came there."""
        return self._focused_guess

    def nothing_to_answer(self) -> str:
        """There is no representative."""
        return "there are no representatives"

    def answered(self) -> None:
        """On to the next one without an answer."""
        self._move_on()

    def moved_in_time(self) -> None:
        """To where something was taken back or came back."""
        super().moved_in_time()
        last = self.labeler.project.session.last
        if last is not None and last.index in self._indices:
            self._cursor = self._indices.index(last.index)

    def _is_open(self, index: int) -> bool:
        return index not in self.labeler.project.session.state.standings

    def _move_on(self) -> None:
        after = [*range(self._cursor + 1, len(self._indices)), *range(self._cursor)]
        found = next((place for place in after if self._is_open(self._indices[place])), None)
        if found is not None:
            self._cursor = found
        else:
            self.labeler.news.say("all representatives have an answer: R leads back to the questions")

    # -- drawing -------------------------------------------------------------------------------------------------

    def draw(self, view: View) -> None:
        """Show what each representative is by now."""
        now = (view.revision, self._cursor, id(view.round))
        if now != self._drawn_for:
            self._drawn_for = now
            self.painted.clear()
        target = self.target()
        if target is not None and target.index != self._focused:  # then it stays: nothing changes under the eye
            self._focused, self._focused_guess = target.index, self._guess_of(target.index)
        names = {count.info.class_id: count.info.name for count in view.classes}
        self.grid.show([self._cell(index, names) for index in self._indices], self._cursor)
        typed = self.typed
        block = self.query_one("#sheet-legend", Block)
        block.show(lambda width, height: legend(view.classes, typed, width, height))
        self._draw_about(view)
        self._note_paint()

    def _draw_about(self, view: View) -> None:
        target = self.target()
        if target is None:
            self.draw_lines(view, lambda width: Content(""))
            return
        done = sum(not self._is_open(index) for index in self._indices)
        facts = [f"{done} of {len(self._indices)} answered"]
        if self.grid.pages > 1:
            facts.append(f"page {self.grid.page + 1} of {self.grid.pages}")
        flagged = target.index in self.labeler.project.session.state.flagged
        self.draw_lines(view, lambda width: phrases.about(target.instance_id, facts, flagged, width))

    def _cell(self, index: int, names: dict[int, str]) -> Cell:
        standing = self.labeler.project.session.state.standings.get(index)
        if standing is not None:
            return Cell(index, _SAID.get(standing.kind) or f"✓ {names.get(standing.class_id, '')}", "saved")
        guess = self._focused_guess if index == self._focused else self._guess_of(index)
        return Cell(index, f"{names[guess]}?", "guess") if guess in names else Cell(index, "·")

    def _guess_of(self, index: int) -> int | None:
        class_id, _ = self.labeler.project.session.label_of(index)
        active = self.labeler.view.classes if self.labeler.view is not None else ()
        known = any(count.info.class_id == class_id for count in active)
        return class_id if class_id != UNLABELED and known else None

    def _note_paint(self) -> None:
        if not self.painted.is_set() and self.grid.cursor_ready():
            self.grid.call_after_refresh(self._painted, self._drawn_for)

    def _painted(self, drawn: tuple[int, int, int] | None) -> None:
        if drawn == self._drawn_for and self.in_front and self.grid.cursor_ready():
            self.painted.set()
            self.labeler.question_was_painted()

    def picture_ready(self, index: int) -> None:
        """A thumbnail was drawn."""
        if index in self._indices:
            self.grid.refresh()
            self._note_paint()

    def on_resize(self) -> None:
        """The same sheet at another size."""
        super().on_resize()
        self._drawn_for = None
        self.call_after_refresh(self.redraw)

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

    def do_page_back(self) -> None:
        """A page back."""
        self._go(self.grid.move(-self.grid.layout_now.page))

    def do_page_on(self) -> None:
        """A page on."""
        self._go(self.grid.move(self.grid.layout_now.page))

    def _go(self, place: int) -> None:
        self._cursor = place
        self.redraw()

    async def do_sheet(self) -> None:
        """Back."""
        await self.leave()

    def on_click(self, event: events.Click) -> None:
        """The mouse may move the cursor too."""
        if event.widget is self.grid:
            place = self.grid.at(event.x, event.y)
            if place is not None:
                self._go(place)
