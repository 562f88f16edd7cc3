"""One picture in the middle of its region, and a few thumbnails in a row, each above a word."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip
from textual.widget import Widget

from labeler.core.text import display_safe
from labeler.ui.pictures.cache import OF_PICTURES, Drawn, Pictures
from labeler.ui.pictures.half_blocks import FIT
from labeler.ui.render.short_names import short_name

GAP = 2
FEW, LEAST_ROWS = 3, 4
"""Rather smaller than fewer; but no lower than this."""


class Picture(Widget):
    """Shows an instance, or a few words where there is none.

    While a picture is still being decoded the one before stays (nothing flickers); `ready` tells them apart and
    no answer is taken until it is true. `asks`: it is the picture of a question, looked at as the person chose; others
    are shown whole.
    """

    def __init__(self, pictures: Pictures, *, id: str, asks: bool = False) -> None:  # noqa: A002
        super().__init__(id=id)
        self._pictures = pictures
        self._asks = asks
        self.index: int | None = None
        self._drawn: Drawn | None = None
        self._lines: list[Strip] = []
        self._words: tuple[str, ...] = ()
        self.ready = False
        self._drawn_of: int | None = None  # whose drawing it is: `index` changes first
        self._rendered_of: int | None = None

    def show(self, index: int | None, words: Sequence[str] = ()) -> None:
        """Show an instance, or `words` where `index` is None."""
        self.index, self._words = index, tuple(words)
        self.look_again()

    def look_again(self) -> None:
        """Take the drawing from the cache if it is there by now."""
        columns, rows = self.size
        if self.index is None:
            self._drawn, self.ready = None, True
            self._lines = self._spoken(self._words)
        else:
            drawn = self._pictures.strips(self.index, columns, rows, self._pictures.look if self._asks else FIT)
            self.ready = drawn is not None
            # the cache hands out the same drawing as long as it holds it
            if drawn is not None and drawn is not self._drawn:
                self._drawn, self._drawn_of = drawn, self.index
                words = ("cannot be shown", "", drawn.trouble, "", "space skips it, X rejects it" if self._asks else "")
                self._lines = self._spoken(words) if drawn.trouble else list(drawn.strips)
            else:
                return  # not there yet, or on the screen already
        self.refresh()

    @property
    def in_sight(self) -> bool:
        """Whether the picture of `index` went into a frame; the frame is written before anything else is done.

        At whatever size: who saw it may answer while it is drawn for the place that other widgets left.
        """
        return self.index is not None and self._rendered_of == self.index

    @property
    def dimensions(self) -> str:
        """Width and height of the picture shown, as ``28×28``, or how long a text is ("" where there is none)."""
        drawn = self._drawn if self.ready else None
        return drawn.about if drawn and drawn.strips else ""

    @property
    def file_size(self) -> int | None:
        """Bytes of the file that is shown; None where it is no file of its own."""
        return self._drawn.file_size if self.ready and self._drawn else None

    @property
    def pages(self) -> int:
        """Pages of the card or text shown; 0 for a picture."""
        return self._drawn.pages if self.ready and self._drawn else 0

    def on_resize(self) -> None:
        """Draw it for the new size."""
        self._drawn = None
        self.look_again()

    def render_line(self, y: int) -> Strip:
        """One row of the region."""
        style = self.visual_style.rich_style
        width, height = self.size
        top = (height - len(self._lines)) // 2
        if not 0 <= y - top < len(self._lines):
            return Strip.blank(width, style)
        shown = self._drawn
        if shown:
            self._rendered_of = self._drawn_of
        line = shown.row(y - top, style) if shown and shown.strips else self._lines[y - top].apply_style(style)
        left = (width - line.cell_length) // 2
        right = width - left - line.cell_length
        blanks = Strip.blank(max(left, 0), style), Strip.blank(max(right, 0), style)
        return Strip.join([blanks[0], line, blanks[1]]).crop(0, width)

    def _spoken(self, words: Sequence[str]) -> list[Strip]:
        width = max(self.size.width - 4, 10)
        lines: list[Strip] = []
        for words_of_line in words:
            for line in textwrap.wrap(display_safe(words_of_line, 400), width) or [""]:
                lines.append(Strip([Segment(line)]))
        return lines


def centered(text: str, width: int) -> str:
    """`text` in the middle of exactly `width` cells, cut where it is longer."""
    length = cell_len(text)
    if length > width:
        return set_cell_size(text, max(width - 1, 0)) + "…" if width > 0 else ""
    left = (width - length) // 2
    return " " * left + text + " " * (width - length - left)


class Neighbors(Widget):
    """Thumbnails below a title, as many as fit beside each other: nearest labeled neighbors, examples of a class.

    Keeps its region empty where there are none.
    """

    def __init__(self, pictures: Pictures, *, id: str, title: str = "nearest labeled") -> None:  # noqa: A002 -- Textual's
        super().__init__(id=id)
        self._pictures, self._title = pictures, title
        self._shown: tuple[tuple[int, str], ...] = ()
        self._names: tuple[str, ...] = ()

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

    def show(self, neighbors: Sequence[tuple[int, str]], names: tuple[str, ...] = ()) -> None:
        """Show (index, word) pairs, the first ones first; a word that is one of `names` is told from the others."""
        shown = tuple(neighbors)
        self._names = names
        if shown != self._shown:
            self._shown = shown
            self.refresh()

    def expect(self, indices: Iterable[int]) -> None:
        """Have thumbnails drawn that may be shown soon."""
        self._pictures.expect(indices, *self._thumb)

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
