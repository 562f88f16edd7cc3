"""Silhouette diagrams of several numbers of clusters side by side."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from labeler.core.numeric.choose_k import Silhouettes

if TYPE_CHECKING:
    from PIL.ImageDraw import ImageDraw

ACROSS = 3
SIDE, TITLE, EDGE = 300, 30, 16
INK, MARK = (30, 30, 36), (205, 60, 50)


def height(count: int) -> int:
    """Pixels that so many diagrams take."""
    return -(-count // ACROSS) * (SIDE + TITLE)


def draw_panels(
    draw: ImageDraw,
    diagrams: Sequence[tuple[int, Silhouettes]],
    top: int,
    left: int,
    write: Callable[[tuple[float, float], str, int], None],
    color: Callable[[int], tuple[int, int, int]],
) -> None:
    """Draw one diagram each on the same scale: bars of each cluster, sorted, and a dashed line at the mean of all."""
    low = min(min(float(shown.values.min(initial=0.0)) for _, shown in diagrams), 0.0)
    high = max(max(float(shown.values.max(initial=0.0)) for _, shown in diagrams), 0.1)
    for number, (k, shown) in enumerate(diagrams):
        x0 = left + number % ACROSS * SIDE
        y0 = top + number // ACROSS * (SIDE + TITLE)
        scale = (SIDE - 2 * EDGE) / (high - low)
        write((x0 + EDGE, y0 + 4), f"k = {k}, mean {shown.score or 0.0:.3f}", 14)
        _bars(draw, shown, (x0 + EDGE - low * scale, y0 + TITLE), scale, color)
        mean = x0 + EDGE + ((shown.score or 0.0) - low) * scale
        for dash in range(y0 + TITLE, y0 + SIDE, 10):
            draw.line((mean, dash, mean, min(dash + 5, y0 + SIDE)), fill=MARK, width=2)


def _bars(
    draw: ImageDraw,
    shown: Silhouettes,
    zero: tuple[float, int],
    scale: float,
    color: Callable[[int], tuple[int, int, int]],
) -> None:
    """The values of each cluster, the largest first, as one bar a line of pixels."""
    x, y = zero
    clusters = np.unique(shown.clusters)
    gap = 2 if len(clusters) < SIDE // 8 else 0
    room = SIDE - TITLE - gap * len(clusters)
    ordered = np.concatenate([np.sort(shown.values[shown.clusters == one])[::-1] for one in clusters])
    owner = np.sort(shown.clusters)
    for line in range(room):
        row = min(line * len(ordered) // room, len(ordered) - 1)
        place = int(np.searchsorted(clusters, owner[row]))
        down = y + line + gap * place
        draw.line((x, down, x + float(ordered[row]) * scale, down), fill=color(place))
    draw.line((x, y, x, y + SIDE - TITLE), fill=INK)
