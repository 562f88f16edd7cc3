"""Clusters as cards: five pictures of each in a row, and what is inside them in words beside."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from labeler.session.clusters import NOBODY, SLOTS
from labeler.ui.pictures.cache import Pictures
from labeler.ui.widgets.picture import centered
from labeler.ui.widgets.sheet_grid import LEAST_ROWS, MOST_ROWS, Layout, SheetGrid

ACROSS = len(SLOTS)
LEAST_WORDS = 20
"""Cells that the words of a card need."""
_RULE = 3
"""Cells between the cluster's own pictures and the one outside."""

Words = Sequence[Sequence[tuple[str, str]]]
"""Lines of (text, style): the style names color roles of the theme as ``bold guess``."""


@dataclass(frozen=True, slots=True)
class CardLayout(Layout):
    """Cards of five pictures; their words stand `beside` them, on one line below where that is too narrow."""

    beside: bool = True

    @property
    def height(self) -> int:
        """Rows of a card."""
        return self.rows + (1 if self.beside else 2)

    @property
    def pictures_width(self) -> int:
        """Cells that the pictures of a card take."""
        return ACROSS * (self.columns + 2) + _RULE


@lru_cache(maxsize=64)
def card_layout(count: int, width: int, height: int, usual: int = 0) -> CardLayout:
    """The largest pictures that leave room for the words and for two cards (or all, where there are fewer)."""
    for rows in range(MOST_ROWS, LEAST_ROWS - 1, -1):
        # a row for the titles of the columns
        cards = CardLayout(rows, ACROSS, max((height - 1) // (rows + 1), 1))
        fits = cards.pictures_width + LEAST_WORDS <= width and cards.down >= min(count, 2)
        if fits and (rows == LEAST_ROWS or not usual or rows * 2 < usual or rows * 2 % usual == 0):
            return cards
    beside = width >= CardLayout(LEAST_ROWS, ACROSS, 1).pictures_width + LEAST_WORDS
    return CardLayout(LEAST_ROWS, ACROSS, max((height - 1) // (LEAST_ROWS + 2 - beside), 1), beside=beside)


class CardGrid(SheetGrid):
    """Draws cards one below the other. A place is five times the card and the picture in it; NOBODY is no place."""

    def __init__(self, pictures: Pictures, *, id: str) -> None:  # noqa: A002 -- the name Textual gives it
        super().__init__(pictures, id=id)
        self._words: Callable[[int, int, int], Words] = lambda card, width, height: ()
        self._beside: dict[int, Words] = {}

    @property
    def cards(self) -> int:
        """The number of cards."""
        return len(self._indices) // ACROSS

    @property
    def layout_now(self) -> CardLayout:
        """The layout of the cards at the present size."""
        return card_layout(self.cards, *self.size, self._usual)

    @property
    def in_sight(self) -> Sequence[int]:
        """The instances of the page the cursor is on."""
        return [index for index in super().in_sight if index != NOBODY]

    def tell(self, words: Callable[[int, int, int], Words]) -> None:
        """Write `words(card, width, height)` beside each card in sight."""
        self._words, self._beside = words, {}

    def move(self, step: int) -> int:
        """Return the place of the cursor `step` places on, in the same picture of a card; it stops at the ends."""
        card, slot = divmod(self.cursor, ACROSS)
        card = min(max(card + step // ACROSS, 0), max(self.cards - 1, 0))
        return self._nearest(card, slot)

    def step(self, direction: str) -> int:
        """Return the place of the cursor one picture to the left or right in its card, or one card up or down."""
        card, slot = divmod(self.cursor, ACROSS)
        if direction in ("up", "down"):
            return self.move(ACROSS if direction == "down" else -ACROSS)
        # a cluster of few has empty places in its card: the cursor passes them by
        way = range(slot + 1, ACROSS) if direction == "right" else range(slot - 1, -1, -1)
        places = (card * ACROSS + other for other in way)
        return next((place for place in places if self._indices[place] != NOBODY), self.cursor)

    def at(self, x: int, y: int) -> int | None:
        """The picture at a point of the widget."""
        now = self.layout_now
        # the rule before the nearest of another cluster belongs to no picture
        x -= _RULE if x >= (ACROSS - 1) * (now.columns + 2) else 0
        slot, row = x // (now.columns + 2), (y - 1) // now.height
        card = self.page * now.down + row
        if not (0 <= slot < ACROSS and 0 <= row < now.down and y > 0 and card < self.cards):
            return None
        place = card * ACROSS + slot
        return place if self._indices[place] != NOBODY else None

    def render_line(self, y: int) -> Strip:
        """One row: the titles of the columns, then the cards."""
        width, style, now = self.size.width, self.visual_style.rich_style, self.layout_now
        quiet = style + Style.parse(self.app.theme_variables["quiet"])
        row, line = divmod(y - 1, now.height)
        card = self.page * now.down + row
        if y == 0 and self.cards:
            titles = [f" {centered(name, now.columns)} " for name in SLOTS]
            titles.insert(ACROSS - 1, " " * _RULE)
            return Strip([Segment("".join(titles), quiet)]).extend_cell_length(width, style).crop(0, width)
        if y == 0 or row >= now.down or card >= self.cards:
            return Strip.blank(width, style)
        if line > now.rows:
            parts = [Strip.blank(1, style), self._words_line(card, 0, width - 2, 1, style)]
            return Strip.join(parts).extend_cell_length(width, style).crop(0, width)
        parts = []
        for slot in range(ACROSS):
            if slot == ACROSS - 1:
                parts.append(Strip([Segment(" │ ", quiet)], _RULE))
            place = card * ACROSS + slot
            if self._indices[place] == NOBODY:
                parts.append(Strip.blank(now.columns + 2, style))
            else:
                parts += self._cell_line(place, line, now, style)
        if now.beside:
            words = self._words_line(card, line, width - now.pictures_width - 2, now.rows + 1, style)
            parts += [Strip.blank(1, style), words]
        return Strip.join(parts).extend_cell_length(width, style).crop(0, width)

    def _words_line(self, card: int, line: int, width: int, height: int, style: Style) -> Strip:
        if card not in self._beside:
            self._beside[card] = self._words(card, width, height)
        lines, roles = self._beside[card], self.app.theme_variables
        segments, left = [], width
        for text, words in lines[line] if line < len(lines) else ():
            text = set_cell_size(text, min(cell_len(text), max(left, 0)))
            left -= cell_len(text)
            named = " ".join(roles.get(word, word) for word in words.split())
            segments.append(Segment(text, style + Style.parse(named) if named else style))
        return Strip(segments)

    def _nearest(self, card: int, slot: int) -> int:
        place = card * ACROSS + slot
        return place if place < len(self._indices) and self._indices[place] != NOBODY else card * ACROSS
