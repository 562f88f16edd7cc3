"""Thumbnails under headings: neighbors of one kind stand below a line that names it, exceptions say so themselves."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from labeler.ui.render.short_names import short_name
from labeler.ui.widgets.picture import centered
from labeler.ui.widgets.sheet_grid import Cell, Layout, SheetGrid


class HeadedGrid(SheetGrid):
    """A sheet whose line of words is above the pictures and spans all of a row that share a heading.

    A cell's caption is what was said of it instead; empty = as the heading says. At the end of its line stands the
    letter that means it, where there is one.
    """

    _headings: Sequence[str] = ()
    _letters: str = ""

    def show_under(
        self,
        headings: Sequence[str],
        letters: str,
        indices: Sequence[int],
        make: Callable[[int], Cell],
        cursor: int,
    ) -> None:
        """Show each of `indices` below the heading in parallel; `letters` for the first of them. See :meth:`show`."""
        self._headings, self._letters = headings, letters
        self.show(indices, make, cursor)

    def _cell_line(self, place: int, line: int, now: Layout, style: Style) -> list[Strip]:
        if line:
            return super()._cell_line(place, line - 1, now, style)
        roles, width = self.app.theme_variables, now.columns + 2
        letter = self._letters[place] if place < len(self._letters) else ""
        room = width - 2 - 2 * len(letter)
        own, heading = self._cell(place).written(self.names, room), self._headings[place]
        if place == self.cursor:
            text = f"[{centered(own or short_name(heading, self.names, room), room)}{' ' * len(letter)}{letter}]"
            return [Strip([Segment(text, style + Style.parse(f"bold reverse {roles['command']}"))], width)]
        end = [Segment(f" {letter} ", style + Style.parse(f"bold {roles['answer']}"))] if letter else []
        if own:
            role = f"bold {roles[self._cell(place).role]}"
            return [Strip([Segment(f" {centered(own, room)}", style + Style.parse(role)), *end], width).crop(0, width)]
        part = self._rule(place, heading, now, style).crop(0, width - 3 * len(letter))
        return [Strip([*part, *end], width).crop(0, width)]

    def _rule(self, place: int, heading: str, now: Layout, style: Style) -> Strip:
        """The part of the line with the heading that lies above one picture."""
        roles, width = self.app.theme_variables, now.columns + 2
        first, end = self._run(place, now)
        whole = (end - first) * width
        # its letter ends the line, between two spaces
        letters = 3 if first < len(self._letters) else 0
        name = f"{short_name(heading, self.names, max(whole - 2 - letters, 1))} "
        strip = Strip(
            [
                Segment(" ", style),
                Segment(name, style + Style.parse(f"bold {roles['guess']}")),
                Segment("─" * whole, style + Style.parse(roles["quiet"])),
            ]
        ).crop(0, whole - 1)
        return strip.extend_cell_length(whole, style).crop((place - first) * width, (place - first + 1) * width)

    def _run(self, place: int, now: Layout) -> tuple[int, int]:
        """The places of the row that share the heading: from the first to before the end."""
        # headings do not run on over the end of a row
        row = place - (place - self.page * now.page) % now.across
        row_end = min(row + now.across, len(self._indices), (self.page + 1) * now.page)
        first = end = place
        while first > row and self._headings[first - 1] == self._headings[place]:
            first -= 1
        while end < row_end and self._headings[end] == self._headings[place]:
            end += 1
        return first, end
