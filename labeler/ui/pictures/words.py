"""Rows of a table and texts as strips: pure functions, as `half_blocks.py` has them for pictures.

Where there is room (the question) all is shown, in pages if need be; a thumbnail shows what stands out most, or the
first words.
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from rich.cells import cell_len, chop_cells, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from labeler.core.content import Card, Fact, Passage
from labeler.core.text import display_safe
from labeler.ui.pictures.half_blocks import Depth
from labeler.ui.theme import THEME

LARGE = 32
"""Cells of width from which a card or text is shown as the question's is."""
LINE = 76
"""Cells of a line of text at most: longer ones are hard to read."""
# cells of the columns of a card at most
NAME, VALUE, TRACK, SIGMA = 24, 11, 31, 6
# wrapping a book would hold up all pictures behind it
MOST_CHARACTERS = 200_000
FAR, CLEAR = 2.0, 0.5
"""Standard deviations from which a value stands far out, and from which it stands out at all."""
_ASCII = str.maketrans("▲▼·─┼●…", "^v.-+o~")

Page = tuple[list[Strip], int]
"""The strips and how many pages there are."""


def word_strips(what: Card | Passage, columns: int, rows: int, page: int, depth: Depth) -> Page:
    """A card or a text in `columns` x `rows` cells; `page` counts from 0 and goes round."""
    if isinstance(what, Card):
        if columns < LARGE:
            return _short_card(what, columns, rows, depth), 1
        return _card(what, columns, rows, page, depth)
    if columns < LARGE:
        return _first_words(what.text, columns, rows), 1
    return _text(what.text, columns, rows, page)


def about(what: Card | Passage) -> str:
    """Return the size in words."""
    if isinstance(what, Card):
        return f"{len(what.facts):,} columns"
    return f"{len(what.text.split()):,} words"


def mean_lines(mean: Card, width: int, count: int) -> list[list[tuple[str, str]]]:
    """Return what sets some rows apart: the means farthest from the pool's, a line of (text, roles) each."""
    lines = []
    for fact in mean.outstanding(count):
        number, sigma = f" {fact.value}", f" {fact.apart:+.1f} sd"
        room = max(width - 3 - len(number) - len(sigma), 4)
        name = set_cell_size(_cut(_name(fact), room), room)
        emphasis = "foreground" if abs(fact.apart) >= CLEAR else "quiet"
        lines.append([(f"{direction(fact)} ", "guess"), (name, emphasis), (number, emphasis), (sigma, "quiet")])
    return lines


def direction(fact: Fact) -> str:
    """▲ above the middle of the pool, ▼ below, · near it; twice where it is far."""
    if abs(fact.apart) < CLEAR:
        return "· "
    sign = "▲" if fact.apart > 0 else "▼"
    return sign * 2 if abs(fact.apart) >= FAR else f"{sign} "


# -- cards -------------------------------------------------------------------------------------------------------


def _card(card: Card, columns: int, rows: int, page: int, depth: Depth) -> Page:
    width = min(columns - 2, NAME + VALUE + TRACK + SIGMA + 3)
    name = min(max((cell_len(_name(fact)) for fact in card.facts), default=1), NAME, width * 2 // 5)
    value = min(max((len(fact.value) for fact in card.facts), default=1), VALUE)
    track = min(max(width - name - value - SIGMA - 3, 5), TRACK)
    width = name + value + track + SIGMA + 3
    # two rows: the scale above, an empty one below
    fits = len(card.facts) + 2 <= rows
    a_page = max(rows - (2 if fits else 4), 1)
    pages = max(-(-len(card.facts) // a_page), 1)
    facts: Sequence[Fact] = card.facts if fits else card.outstanding(len(card.facts))
    shown = facts[page % pages * a_page :][:a_page]
    middle = track // 2
    scale = f"{'low':<{middle}}{'high':>{track - middle}}"
    lines = [_line([(f"{'':<{name + value + 1}} ", ""), (f"{scale} {'sd':>{SIGMA}}", "quiet")], width, depth)]
    lines += [_fact_line(fact, name, value, track, depth) for fact in shown]
    if not fits:
        footing = f"page {page % pages + 1} of {pages}, V turns it · farthest out first"
        lines += [_blank(width), _line([(set_cell_size(footing, width), "quiet")], width, depth)]
    return lines, pages


def _fact_line(fact: Fact, name: int, value: int, track: int, depth: Depth) -> Strip:
    far, clear = abs(fact.apart) >= FAR, abs(fact.apart) >= CLEAR
    place = min(int(fact.rank * track), track - 1)
    cells = ["─"] * track
    cells[track // 2] = "┼"
    before, after = "".join(cells[:place]), "".join(cells[place + 1 :])
    emphasis = "bold foreground" if far else "foreground" if clear else "quiet"
    mark = "bold warn" if far else "bold guess" if clear else "guess"
    return _line(
        [
            (set_cell_size(_cut(_name(fact), name), name) + " ", emphasis),
            (f"{fact.value[:value]:>{value}} ", emphasis),
            (before, "quiet"),
            ("●", mark),
            (f"{after} ", "quiet"),
            (f"{fact.apart:>+{SIGMA}.1f}", emphasis),
        ],
        name + value + track + SIGMA + 3,
        depth,
    )


def _short_card(card: Card, columns: int, rows: int, depth: Depth) -> list[Strip]:
    """Draw the facts that stand out most, a line each."""
    strips = []
    for fact in card.outstanding(rows):
        sign = direction(fact) if columns >= 12 else direction(fact)[0]
        room = columns - len(sign) - (1 if columns >= 12 else 0)
        with_value = room - len(fact.value) - 1 >= 7
        name = room - len(fact.value) - 1 if with_value else room
        far, clear = abs(fact.apart) >= FAR, abs(fact.apart) >= CLEAR
        parts = [
            (sign + (" " if columns >= 12 else ""), "bold warn" if far and columns >= 12 else "guess"),
            (set_cell_size(_cut(_name(fact), name), name), "foreground" if clear else "quiet"),
            (f" {fact.value}" if with_value else "", "foreground" if clear else "quiet"),
        ]
        strips.append(_line(parts, columns, depth))
    return strips + [_blank(columns)] * (rows - len(strips))


def _name(fact: Fact) -> str:
    return display_safe(fact.name, 60)


# -- texts -------------------------------------------------------------------------------------------------------


def _text(text: str, columns: int, rows: int, page: int) -> Page:
    width = max(min(columns - 4, LINE), 1)
    lines = wrapped(text, width)
    fits = len(lines) <= rows
    a_page = rows if fits else max(rows - 2, 1)
    pages = max(-(-len(lines) // a_page), 1)
    shown = [(line, "foreground") for line in lines[page % pages * a_page :][:a_page]]
    if not fits:
        shown += [("", "")] * (a_page - len(shown) + 1)
        shown.append((f"page {page % pages + 1} of {pages}, V turns it", "quiet"))
    return [_line([(line, role)], width, Depth.TRUE) for line, role in shown], pages


def _first_words(text: str, columns: int, rows: int) -> list[Strip]:
    # four characters a cell are enough, though white space falls away
    lines = wrapped(" ".join(text[: columns * rows * 4].split()), columns)
    if len(lines) > rows:
        lines = [*lines[: rows - 1], _cut(f"{lines[rows - 1]}…" if cell_len(lines[rows - 1]) < columns else
                 lines[rows - 1] + "…", columns)]  # fmt: skip
    return [_line([(line, "foreground")], columns, Depth.TRUE) for line in [*lines, *[""] * (rows - len(lines))]]


def wrapped(text: str, width: int) -> list[str]:
    """`text` as lines of at most `width` cells that no terminal acts on; its own line ends are kept."""
    lines: list[str] = []
    for own in text[:MOST_CHARACTERS].expandtabs(4).splitlines():
        # an escape takes up to ten characters
        safe = display_safe(own, MOST_CHARACTERS * 10)
        # textwrap counts characters, a terminal cells: wide ones are chopped afterwards
        for line in textwrap.wrap(safe, width, break_on_hyphens=False) or [""]:
            lines += chop_cells(line, width) if cell_len(line) > width else [line]
    if len(text) > MOST_CHARACTERS:
        lines.append(f"… {len(text) - MOST_CHARACTERS:,} more characters are not shown"[:width])
    while lines and not lines[-1]:
        lines.pop()
    return lines or ["(empty)"[:width]]


# -- lines -------------------------------------------------------------------------------------------------------


def _cut(text: str, width: int) -> str:
    return text if cell_len(text) <= width else set_cell_size(text, max(width - 1, 0)) + "…"


def _line(parts: Sequence[tuple[str, str]], width: int, depth: Depth) -> Strip:
    segments = [
        Segment(text.translate(_ASCII) if depth is Depth.ASCII else text, _style(role)) for text, role in parts if text
    ]
    return Strip(segments).adjust_cell_length(width)


def _blank(width: int) -> Strip:
    return Strip([Segment(" " * width)], width)


def _style(roles: str) -> Style:
    colors = {**THEME.variables, "foreground": THEME.foreground or ""}
    return Style.parse(" ".join(colors.get(word, word) for word in roles.split())) if roles else Style()
