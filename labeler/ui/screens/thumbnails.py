"""The base of every screen of thumbnails: heading, cells with a cursor, legend; moving, painting, resizing."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.content import Content

from labeler.core.types import UNLABELED
from labeler.session.view import View
from labeler.ui.actions import Group
from labeler.ui.render import lines
from labeler.ui.screens.base import LabelScreen, Target
from labeler.ui.widgets.legend import legend
from labeler.ui.widgets.line import Block, Line
from labeler.ui.widgets.sheet_grid import Cell, SheetGrid

_SAID = {"unsure": "unsure", "reject": "rejected", "skip": "skipped"}


class ThumbnailScreen(LabelScreen):
    """Thumbnails in an order that stays while they are looked at; the one under the cursor is the target."""

    GROUPS = LabelScreen.GROUPS | {Group.MOVES, Group.PAGES}
    SAYS_PAGE: ClassVar[bool] = True
    """Whether the page stands beside the path of the target, where there are several."""

    def __init__(self) -> None:
        super().__init__()
        self.cursor = 0
        self._drawn_for: tuple[Hashable, ...] | None = None
        self._focused: int | None = None
        self._focused_guess: int | None = None
        self._focus_was_painted = False

    # -- what a screen adds --------------------------------------------------------------------------------------

    def shown(self) -> Sequence[int]:
        """The instances, in the order of the thumbnails."""
        raise NotImplementedError

    def heading(self, view: View) -> Content:
        """The line above the thumbnails: what they are, or what to press where there is none."""
        raise NotImplementedError

    def facts(self, view: View) -> list[str]:
        """Return what stands beside the path of the target."""
        raise NotImplementedError

    def cell(self, place: int, names: dict[int, str]) -> Cell:
        """The thumbnail at `place`; `names` of all classes."""
        return self.standing_cell(self.shown()[place], names)

    def location(self, target: Target) -> str:
        """The path of the target as it is shown."""
        return target.instance_id

    def foot(self, view: View, width: int, height: int) -> Content:
        """Below the thumbnails: the classes and their keys."""
        return legend(view.classes, self.typing, width, height, self.leading(view))

    def is_ready(self) -> bool:
        """Whether enough is drawn for an answer: the picture under the cursor."""
        return self.grid.cursor_ready()

    def was_painted(self) -> None:
        """The person sees what an answer would go to."""
        self._focus_was_painted = True
        self.count_paint()

    # -- the parts -----------------------------------------------------------------------------------------------

    def body(self) -> ComposeResult:
        """Title, thumbnails, legend."""
        yield Line(id="asked")
        yield SheetGrid(self.labeler.pictures, id="sheet")
        yield Block(id="sheet-legend")

    @property
    def grid(self) -> SheetGrid:
        """The thumbnails."""
        return self.query_one("#sheet", SheetGrid)

    def target(self) -> Target | None:
        """The instance under the cursor."""
        shown = self.shown()
        if not shown:
            return None
        index = shown[self.cursor]
        return Target(index, self.labeler.project.session.pool.ids[index])

    def guess(self) -> int | None:
        """Return what the caption under the cursor said when it was painted there."""
        return self._focused_guess

    def guess_of(self, index: int) -> int | None:
        """The class an instance is held to be by now, a person's or the machine's; None without one."""
        class_id = self.labeler.project.session.held(index)
        return None if class_id == UNLABELED else class_id

    def renew(self) -> None:
        """The caption under the cursor as well."""
        self._focused = self._drawn_for = None

    def _focus(self) -> None:
        """Let `enter` give what the caption says when the cursor comes there; from its painting on it stays."""
        target = self.target()
        if target is None:
            return
        # the person has read the caption: what is saved must be what was read
        if target.index == self._focused and self._focus_was_painted and self._is_active(self._focused_guess):
            return
        before = (self._focused, self._focused_guess)
        self._focused, self._focused_guess = target.index, self.guess_of(target.index)
        if before != (self._focused, self._focused_guess):
            self._focus_was_painted, self._drawn_for = False, None

    def _is_active(self, class_id: int | None) -> bool:
        classes = self.labeler.project.session.state.classes
        return class_id is None or (class_id in classes and not classes[class_id].retired)

    def standing_cell(self, index: int, names: dict[int, str]) -> Cell:
        """A thumbnail that says what its instance is by now: a person's word, or the machine's guess."""
        standing = self.labeler.project.session.state.answers.get(index)
        if standing is not None:
            if standing.kind in _SAID:
                return Cell(index, _SAID[standing.kind], "saved")
            return Cell(index, names.get(standing.class_id, ""), "saved", lead="✓ ")
        # under the cursor as it was painted, elsewhere as it is held by now
        guess = self._focused_guess if index == self._focused else self.guess_of(index)
        return Cell(index, names[guess], "guess", trail="?") if guess in names else Cell(index, "·")

    # -- drawing -------------------------------------------------------------------------------------------------

    def draw(self, view: View) -> None:
        """Show what each thumbnail is by now."""
        shown = self.shown()
        # what is shown may have become less since the cursor was put
        self.cursor = min(self.cursor, max(len(shown) - 1, 0))
        target = self.target()
        self._focus()
        names = view.class_names
        self.grid.names = tuple(names.values())
        self.show_cells(shown, names)
        # whatever can change what is on the screen; a key waits until this state of it was painted
        now = (view.revision, self.cursor, id(view.round), *self.grid.in_sight)
        if now != self._drawn_for:
            self._drawn_for = now
            self.painted.clear()
        heading = self.heading(view)
        self.query_one("#asked", Line).show(lambda width: heading.truncate(width, ellipsis=True))
        block = self.query_one("#sheet-legend", Block)
        block.show(lambda width, height: self.foot(view, width, height))
        self._draw_about(view, target)
        self._note_paint()

    def show_cells(self, shown: Sequence[int], names: dict[int, str]) -> None:
        """Hand the thumbnails to the grid."""
        self.grid.show(shown, lambda place: self.cell(place, names), self.cursor)

    def not_drawn(self) -> None:
        """Let the next `draw` count as one of something new."""
        self._drawn_for = None

    def draw_again(self) -> None:
        """Draw what changed and the view does not know of."""
        self.not_drawn()
        self.redraw()

    def _draw_about(self, view: View, target: Target | None) -> None:
        if target is None:
            self.draw_lines(view, lambda width: Content(""))
            return
        facts = self.facts(view)
        if self.SAYS_PAGE and self.grid.pages > 1:
            facts.append(f"page {self.grid.page + 1} of {self.grid.pages}")
        flagged = target.index in self.labeler.project.session.state.flagged
        self.draw_lines(view, lambda width: lines.about(self.location(target), facts, flagged, width))

    def _note_paint(self) -> None:
        if not self.painted.is_set() and self.is_ready():
            self.grid.call_after_refresh(self._painted, self._drawn_for)

    def _painted(self, drawn: tuple[Hashable, ...] | None) -> None:
        if drawn == self._drawn_for and self.in_front and self.is_ready():
            self.painted.set()
            self.was_painted()

    def picture_ready(self, index: int) -> None:
        """A thumbnail was drawn."""
        if self.is_mounted and index in self.grid.in_sight:
            self.grid.refresh()
            self._note_paint()

    def on_resize(self) -> None:
        """The same thumbnails at another size."""
        super().on_resize()
        self.call_after_refresh(self.resized)

    def resized(self) -> None:
        """The new size is known."""
        self.draw_again()

    # -- moving --------------------------------------------------------------------------------------------------

    def go(self, place: int) -> None:
        """Put the cursor on a thumbnail; says so where it is there already."""
        if not self.shown():
            self.labeler.say(self.nothing_to_answer(), "quiet")
        elif place == self.cursor:
            self.labeler.say("nothing further this way", "quiet")
        else:
            self.cursor = place
            self.labeler.status.clear()
            self.redraw()

    def do_move_left(self) -> None:
        """One back."""
        self.go(self.grid.step("left"))

    def do_move_right(self) -> None:
        """One on."""
        self.go(self.grid.step("right"))

    def do_move_up(self) -> None:
        """One row up."""
        self.go(self.grid.step("up"))

    def do_move_down(self) -> None:
        """One row down."""
        self.go(self.grid.step("down"))

    def do_page_back(self) -> None:
        """A page back."""
        self.go(self.grid.move(-self.grid.layout_now.page))

    def do_page_on(self) -> None:
        """A page on."""
        self.go(self.grid.move(self.grid.layout_now.page))

    def on_click(self, event: events.Click) -> None:
        """The mouse may move the cursor too."""
        if event.widget is self.grid:
            place = self.grid.at(event.x, event.y)
            if place is not None:
                self.go(place)
