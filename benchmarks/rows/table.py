"""The table of results: read back from Markdown, lines of some rows put in place of their old ones, written again."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

COLUMNS = ("#", "what", "ours", "reference", "ratio", "target", "held", "measured")
_LINE = re.compile(r"^\| (\d+) \|")
_NOTE = re.compile(r"^- (\d+): ")


@dataclass(frozen=True, slots=True)
class Line:
    """One figure of a row, as the table shows it; `measured` is its date and the load before."""

    row: int
    what: str
    ours: str
    reference: str
    ratio: str
    target: str
    held: str
    measured: str = ""

    def __str__(self) -> str:
        cells = (self.what, self.ours, self.reference, self.ratio, self.target, self.held, self.measured)
        return f"| {self.row} | {' | '.join(cell.replace('|', '/') for cell in cells)} |"


@dataclass(frozen=True, slots=True)
class Rows:
    """The measurements of rows: their lines, and notes of a line each as (row, text)."""

    lines: list[Line] = field(default_factory=list)
    notes: list[tuple[int, str]] = field(default_factory=list)

    def __add__(self, other: Rows) -> Rows:
        return Rows([*self.lines, *other.lines], [*self.notes, *other.notes])

    def only(self, numbers: Sequence[int]) -> Rows:
        """Return those of some rows."""
        return Rows(
            [line for line in self.lines if line.row in numbers], [note for note in self.notes if note[0] in numbers]
        )


def merged(before: str, rows: Rows, head: str) -> str:
    """Return the table with `rows` in place of their old lines and notes of the text `before`; the others stay.

    `head`: all that stands above the table.
    """
    again = {line.row for line in rows.lines} | {number for number, _ in rows.notes}
    lines = _others(before, _LINE, again) + [(line.row, str(line)) for line in rows.lines]
    notes = _others(before, _NOTE, again) + [(number, f"- {number}: {text}") for number, text in rows.notes]
    table = [f"| {' | '.join(COLUMNS)} |", "|" + "---|" * len(COLUMNS), *_in_order(lines)]
    listed = (
        ["", "## Data, shortfalls and what a profile says of them (by the same command)", "", *_in_order(notes)]
        if notes
        else []
    )
    return "\n".join([head.rstrip(), "", *table, *listed]) + "\n"


def _others(text: str, pattern: re.Pattern[str], again: set[int]) -> list[tuple[int, str]]:
    numbered = [(pattern.match(line), line) for line in text.splitlines()]
    return [(int(match[1]), line) for match, line in numbered if match and int(match[1]) not in again]


def _in_order(numbered: list[tuple[int, str]]) -> list[str]:
    return [line for _, line in sorted(numbered, key=lambda pair: pair[0])]  # stable: a row's own order stays


def factor(ratio: float) -> str:
    """A ratio in words of the table: 2.1 x, or 1/8.0 where it is below a half."""
    return f"1/{1 / ratio:,.1f}" if 0 < ratio < 0.5 else f"{ratio:,.2f} x"


def verdict(*holds: bool) -> str:
    """The cell that says whether a row is held."""
    return "yes" if all(holds) else "**no**"
