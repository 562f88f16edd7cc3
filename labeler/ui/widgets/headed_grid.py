"""Thumbnails under headings: neighbors of one kind stand below a line that names it, exceptions say so themselves."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from labeler.display import display_safe
from labeler.ui.widgets.neighbors import centered
from labeler.ui.widgets.sheet_grid import Cell, Layout, SheetGrid


class HeadedGrid(SheetGrid):
    """As a sheet, but the line of words is above the pictures and spans all of a row that share a heading.

    A cell's caption is what was said of it instead; empty = as the heading says.
    """

    _headings: Sequence[str] = ()

    def show_under(
        self, headings: Sequence[str], indices: Sequence[int], make: Callable[[int], Cell], cursor: int
    ) -> None:
        """As :meth:`show`, each of `indices` below the heading in parallel."""
        self._headings = headings
        self.show(indices, make, cursor)

    def _cell_line(self, place: int, line: int, now: Layout, style: Style) -> list[Strip]:
        if line:
            return super()._cell_line(place, line - 1, now, style)
        roles, width = self.app.theme_variables, now.columns + 2
        said, heading = display_safe(self._cell(place).caption, 60), display_safe(self._headings[place], 60)
        if place == self.cursor:
            text = f"[{centered(said or heading, now.columns)}]"
            return [Strip([Segment(text, style + Style.parse(f"bold reverse {roles['command']}"))], width)]
        if said:
            text = f" {centered(said, now.columns)} "
            return [Strip([Segment(text, style + Style.parse(f"bold {roles[self._cell(place).role]}"))], width)]
        first, end = self._run(place, now)
        rule = f"{heading} ".ljust((end - first) * width, "─")
        strip = Strip(
            [
                Segment(" ", style),
                Segment(f"{heading} ", style + Style.parse(f"bold {roles['guess']}")),
                Segment(rule[len(heading) + 1 :], style + Style.parse(roles["quiet"])),
            ]
        ).crop(0, (end - first) * width - 1)
        strip = strip.extend_cell_length((end - first) * width, style)
        return [strip.crop((place - first) * width, (place - first + 1) * width)]

    def _run(self, place: int, now: Layout) -> tuple[int, int]:
        """The places of the row that share the heading: from the first to before the end."""
        row = place - (place - self.page * now.page) % now.across
        row_end = min(row + now.across, len(self._indices), (self.page + 1) * now.page)
        first = end = place
        while first > row and self._headings[first - 1] == self._headings[place]:
            first -= 1
        while end < row_end and self._headings[end] == self._headings[place]:
            end += 1
        return first, end
