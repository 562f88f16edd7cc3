"""Charts of characters: pure functions from numbers and a size to lines of text."""

from __future__ import annotations

from collections.abc import Sequence

_LEVELS = " ▁▂▃▄▅▆▇█"


def sampled(at: Sequence[int], values: Sequence[float | None], width: int) -> list[float | None]:
    """The steps of a curve in `width` columns from 0 to the last of `at`: in each the latest value known by then."""
    last, place, points, known = at[-1] if at else 0, 0, [], None
    for column in range(width):
        until = last * column / max(width - 1, 1)
        while place < len(at) and at[place] <= until:
            # a gap keeps the value from before it
            known = values[place] if values[place] is not None else known
            place += 1
        points.append(known)
    return points


def area(values: Sequence[float | None], height: int) -> list[str]:
    """Shares as a filled chart of `height` lines, the top one first; what is not known is left out."""
    lines = []
    for row in range(height - 1, -1, -1):
        parts = [round(min(max((value or 0.0) * height - row, 0.0), 1.0) * 8) for value in values]
        lines.append("".join(_LEVELS[part] for part in parts))
    if values and lines:  # what is a little more than nothing is not nothing
        floor = [_LEVELS[1] if value and sign == " " else sign for value, sign in zip(values, lines[-1], strict=True)]
        lines[-1] = "".join(floor)
    return lines


def sparkline(values: Sequence[float | None], most: float | None = None) -> str:
    """One line; `most` is its top, by default the largest value."""
    top = most if most is not None else max((value for value in values if value is not None), default=0.0)
    return area([None if value is None else value / top if top else 0.0 for value in values], 1)[0] if values else ""


def divided(shares: Sequence[float], width: int) -> list[int]:
    """Cells of a bar of `width` for parts whose shares add up to 1 at most; no part that is there gets none."""
    cells = [max(round(share * width), 1) if share > 0 else 0 for share in shares]
    # rounding took too much: the largest part can spare it
    while sum(cells) > width and max(cells, default=0) > 1:
        cells[cells.index(max(cells))] -= 1
    return cells
