"""Thumbnails in rows and columns with a cursor: the body of every screen of thumbnails."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip
from textual.widget import Widget

from labeler.core.text import display_safe
from labeler.ui.pictures.cache import Pictures
from labeler.ui.render.short_names import short_name
from labeler.ui.widgets.picture import centered, thumbnail_row

LEAST_ROWS, MOST_ROWS = 4, 14


@dataclass(frozen=True, slots=True)
class Cell:
    """One thumbnail: its instance, the caption below it (a word, or the name of a class), and the caption's color role.

    `lead` and `trail` stand before and behind the caption, however short that has to be.
    """

    index: int
    caption: str
    role: str = "quiet"
    lead: str = ""
    trail: str = ""

    def written(self, names: tuple[str, ...], width: int) -> str:
        """The caption in at most `width` cells, told from those of the other classes, whose `names` these are."""
        room = width - len(self.lead) - len(self.trail)
        caption = short_name(self.caption, names, room) if self.caption in names else display_safe(self.caption, 60)
        return f"{self.lead}{caption}{self.trail}" if caption else ""


@dataclass(frozen=True, slots=True)
class Layout:
    """Thumbnails of `rows` rows, `aspect` times as wide, `across` x `down` a page."""

    rows: int
    across: int
    down: int
    aspect: int = 2

    @property
    def columns(self) -> int:
        """Width of a thumbnail."""
        return self.rows * self.aspect

    @property
    def page(self) -> int:
        """Thumbnails a page."""
        return self.across * self.down


# asked for in every line that is drawn
@lru_cache(maxsize=64)
def layout(count: int, width: int, height: int, usual: int = 0, aspect: int = 2) -> Layout:
    """The largest thumbnails with which `count` fit on one page; the smallest legible ones where none do.

    Pictures of `usual` pixels of height that are smaller than a thumbnail grow by whole numbers only: sizes that
    would leave a margin are passed over.
    """
    sizes = [
        # beside a thumbnail the two bars of the cursor, below it the caption
        Layout(rows, max(width // (rows * aspect + 2), 1), max(height // (rows + 1), 1), aspect)
        for rows in range(max(min(MOST_ROWS, height - 1, width // aspect - 1), LEAST_ROWS), LEAST_ROWS - 1, -1)
        if rows == LEAST_ROWS or not usual or rows * 2 < usual or rows * 2 % usual == 0
    ]
    best = next((candidate for candidate in sizes if candidate.page >= count), None)
    if best is None or count == 0:
        return sizes[-1]
    across = -(-count // best.down)  # no wider than need be: the eye has a shorter way
    return Layout(best.rows, across, -(-count // across), aspect)


class SheetGrid(Widget):
    """Draws cells; the cursor is a bar on the left and brackets around the caption, not a color alone.

    Only the cells of the page in sight are made: there may be as many thumbnails as instances.
    """

    def __init__(self, pictures: Pictures, *, id: str) -> None:  # noqa: A002 -- the name Textual gives it
        super().__init__(id=id)
        self._pictures = pictures
        self._indices: Sequence[int] = ()
        self._make: Callable[[int], Cell] = lambda place: Cell(self._indices[place], "")
        self._cells: dict[int, Cell] = {}
        self._usual = pictures.usual_height
        self.names: tuple[str, ...] = ()  # of all classes: captions are told from each other
        self.cursor = 0

    @property
    def layout_now(self) -> Layout:
        """The layout of the cells at the present size."""
        return layout(len(self._indices), *self.size, self._usual, self._pictures.aspect)

    @property
    def page(self) -> int:
        """The page the cursor is on."""
        return self.cursor // self.layout_now.page

    @property
    def pages(self) -> int:
        """The number of pages."""
        return -(-len(self._indices) // self.layout_now.page)

    @property
    def in_sight(self) -> Sequence[int]:
        """The instances of the page the cursor is on."""
        size = self.layout_now.page
        return self._indices[self.page * size : (self.page + 1) * size]

    def show(self, indices: Sequence[int], make: Callable[[int], Cell], cursor: int) -> None:
        """Draw a cell for each of `indices`, made by `make(place)` when it is in sight, with the cursor on one."""
        self._indices, self._make, self.cursor = indices, make, cursor
        # made anew when they are in sight: what they say may have changed
        self._cells = {}
        self.refresh()

    def move(self, step: int) -> int:
        """Return the place of the cursor `step` cells on; it stops at the ends."""
        return min(max(self.cursor + step, 0), max(len(self._indices) - 1, 0))

    def cursor_ready(self) -> bool:
        """Whether the picture under the cursor is drawn."""
        if not self._indices:
            return True
        now = self.layout_now
        return self._pictures.strips(self._indices[self.cursor], now.columns, now.rows) is not None

    def all_ready(self) -> bool:
        """Whether every picture of the page is drawn."""
        now = self.layout_now
        drawn = [self._pictures.strips(index, now.columns, now.rows) for index in self.in_sight]  # asks for all of them
        return None not in drawn

    def step(self, direction: str) -> int:
        """Return the place of the cursor one cell to the left, right, up or down; it stops at the ends."""
        across = self.layout_now.across
        place = self.cursor + {"left": -1, "right": 1, "up": -across, "down": across}[direction]
        return place if 0 <= place < len(self._indices) else self.cursor

    def at(self, x: int, y: int) -> int | None:
        """The cell at a point of the widget."""
        now = self.layout_now
        left, top = self._margins(now)
        column, row = (x - left) // (now.columns + 2), (y - top) // (now.rows + 1)
        if not (0 <= column < now.across and 0 <= row < now.down):
            return None
        place = self.page * now.page + row * now.across + column
        return place if place < len(self._indices) else None

    def render_line(self, y: int) -> Strip:
        """One row of the page."""
        width = self.size.width
        style = self.visual_style.rich_style
        now = self.layout_now
        left, top = self._margins(now)
        row, line = divmod(y - top, now.rows + 1)
        if y < top or row >= now.down:
            return Strip.blank(width, style)
        start = self.page * now.page + row * now.across
        parts = [Strip.blank(left, style)]
        for place in range(start, min(start + now.across, len(self._indices), (self.page + 1) * now.page)):
            parts += self._cell_line(place, line, now, style)
        return Strip.join(parts).extend_cell_length(width, style).crop(0, width)

    def _cell_line(self, place: int, line: int, now: Layout, style: Style) -> list[Strip]:
        cell, here = self._cell(place), place == self.cursor
        roles = self.app.theme_variables
        edge = style + Style.parse(roles["command"]) if here else style
        if line < now.rows:
            middle = thumbnail_row(self._pictures, cell.index, line, now.columns, now.rows, style)
            return [
                Strip([Segment("▌" if here else " ", edge)], 1),
                middle,
                Strip([Segment("▐" if here else " ", edge)], 1),
            ]
        caption = cell.written(self.names, now.columns)
        if here:
            text = f"[{centered(caption, now.columns)}]"
            return [Strip([Segment(text, style + Style.parse(f"bold reverse {roles['command']}"))], now.columns + 2)]
        text = f" {centered(caption, now.columns)} "
        return [Strip([Segment(text, style + Style.parse(roles[cell.role]))], now.columns + 2)]

    def _cell(self, place: int) -> Cell:
        if place not in self._cells:
            self._cells[place] = self._make(place)
        return self._cells[place]

    def _margins(self, now: Layout) -> tuple[int, int]:
        width, height = self.size
        return (width - now.across * (now.columns + 2)) // 2, max((height - now.down * (now.rows + 1)) // 2, 0)
