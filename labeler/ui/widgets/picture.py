"""One picture in the middle of its region."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from rich.segment import Segment
from textual.strip import Strip
from textual.widget import Widget

from labeler.core.text import display_safe
from labeler.ui.pictures.cache import Drawn, Pictures
from labeler.ui.pictures.looks import FIT


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
            if drawn is not None and drawn is not self._drawn:
                self._drawn = drawn
                words = ("cannot be shown", "", drawn.trouble, "", "space skips it, X rejects it" if self._asks else "")
                self._lines = self._spoken(words) if drawn.trouble else list(drawn.strips)
            else:
                return  # not there yet, or on the screen already
        self.refresh()

    @property
    def dimensions(self) -> str:
        """Width and height of the picture shown, as ``28×28``, or how long a text is ("" where there is none)."""
        drawn = self._drawn if self.ready else None
        return drawn.about if drawn and drawn.strips else ""

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
