"""A few thumbnails in a row below a title, each above a word: nearest labeled neighbors, examples of a class."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip
from textual.widget import Widget

from labeler.core.text import display_safe
from labeler.ui.pictures.cache import OF_PICTURES, Pictures
from labeler.ui.render.short_names import short_name

GAP = 2
FEW, LEAST_ROWS = 3, 4
"""Rather smaller than fewer; but no lower than this."""


def centered(text: str, width: int) -> str:
    """`text` in the middle of exactly `width` cells, cut where it is longer."""
    length = cell_len(text)
    if length > width:
        return set_cell_size(text, max(width - 1, 0)) + "…" if width > 0 else ""
    left = (width - length) // 2
    return " " * left + text + " " * (width - length - left)


class Neighbors(Widget):
    """The thumbnails that fit beside each other; keeps its region empty where there are none."""

    def __init__(self, pictures: Pictures, *, id: str, title: str = "nearest labeled") -> None:  # noqa: A002 -- Textual's
        super().__init__(id=id)
        self._pictures, self._title = pictures, title
        self._shown: tuple[tuple[int, str], ...] = ()
        self._names: Sequence[str] = ()

    @property
    def room(self) -> int:
        """The number of thumbnails that fit."""
        columns, rows = self._thumb
        return (self.size.width + GAP) // (columns + GAP) if rows >= 3 else 0

    @property
    def _thumb(self) -> tuple[int, int]:
        aspect = self._pictures.aspect
        if aspect > OF_PICTURES:  # words rather wider than many
            rows = max(self.size.height - 2, 0)
            return min(rows * aspect, (self.size.width - GAP) // 2), rows
        three_abreast = ((self.size.width + GAP) // FEW - GAP) // aspect
        rows = max(min(self.size.height - 2, max(three_abreast, LEAST_ROWS)), 0)
        return rows * aspect, rows

    def show(self, neighbors: Sequence[tuple[int, str]], names: Sequence[str] = ()) -> None:
        """Show (index, word) pairs, the first ones first; a word that is one of `names` is told from the others."""
        shown = tuple(neighbors)
        self._names = names
        if shown != self._shown:
            self._shown = shown
            self.refresh()

    def look_again(self, index: int) -> None:
        """A thumbnail may have been drawn."""
        if any(index == shown for shown, _ in self._shown):
            self.refresh()

    def render_line(self, y: int) -> Strip:
        """Title, rows of the thumbnails, names."""
        width, height = self.size
        style = self.visual_style.rich_style
        columns, rows = self._thumb
        y -= height - rows - 2  # at the bottom of the region
        if not self._shown or rows < 3 or y < 0:
            return Strip.blank(width, style)
        if y == 0:
            return Strip([Segment(set_cell_size(self._title, width), style + self._quiet)], width)
        parts: list[Strip] = []
        for index, name in self._shown[: self.room]:
            if parts:
                parts.append(Strip.blank(GAP, style))
            if y == rows + 1:
                word = short_name(name, self._names, columns) if name in self._names else display_safe(name, 40)
                parts.append(Strip([Segment(centered(word, columns), style)], columns))
                continue
            parts.append(thumbnail_row(self._pictures, index, y - 1, columns, rows, style))
        return Strip.join(parts).extend_cell_length(width, style).crop(0, width)

    @property
    def _quiet(self) -> Style:
        return Style.parse(self.app.theme_variables["quiet"])


def thumbnail_row(pictures: Pictures, index: int, row: int, columns: int, rows: int, style: Style) -> Strip:
    """Row `row` of a thumbnail of `columns` x `rows` cells, the picture in the middle of its ground."""
    drawn = pictures.strips(index, columns, rows)
    if drawn is None:
        return Strip.blank(columns, style)
    strips = drawn.strips
    if drawn.trouble and row == rows // 2:
        return Strip([Segment(centered("no image", columns), style)], columns)
    top = rows - len(strips)  # on the ground: the caption follows the picture
    if not 0 <= row - top < len(strips):
        return Strip.blank(columns, style)
    line = drawn.row(row - top, style)
    left = (columns - line.cell_length) // 2
    right = columns - left - line.cell_length
    return Strip.join([Strip.blank(left, style), line, Strip.blank(right, style)])
