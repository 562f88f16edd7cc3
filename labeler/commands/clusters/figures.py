"""Figures of clusterings by matplotlib: curves over k with silhouette diagrams, or the tree of merges."""

from __future__ import annotations

import colorsys
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.offsetbox import AnnotationBbox, OffsetImage
from scipy.cluster.hierarchy import dendrogram

from labeler.commands.clusters.report import Card, ClusterReport
from labeler.core.numeric import choose_k
from labeler.core.numeric.choose_k import Silhouettes
from labeler.core.text import display_safe
from labeler.core.types import ByteArray

WIDTH = 10.0
"""Inches, as all lengths here."""
CURVES, PANEL, BARS, TITLE, TILE = 4.0, 3.0, 6.0, 1.0, 0.9
LEAST_BAND = 0.16
"""Height of a cluster in the silhouette diagram, that its name is legible."""
TALLEST = 400.0
"""A picture has 65,535 rows of pixels at most."""
ACROSS, TILES_ACROSS = 3, 13
MOST_LEAVES = 200
"""Clusters up to which the tree of merges is drawn."""
THUMB = 34.0
"""Points of a thumbnail's longer side."""
INK, QUIET, LINE, MARK = "#1e1e24", "#8c8c94", "#3264be", "#cd3c32"

Thumbnails = Callable[[int], "ByteArray | None"]
"""The image of an instance by its index; None where there is none to show."""
Section = tuple[float, Callable[[Any], None]]
"""A part of a figure, across its width: its height, and what draws it on a subfigure."""


def draw(report: ClusterReport, image_of: Thumbnails) -> Figure:
    """Return the figure of a report: the tree of merges of a hierarchy, else curves and silhouettes."""
    if len(report.clustering.tree) and 1 < len(report.cards) <= MOST_LEAVES:
        return _tree(report, image_of)
    several = report.diagrams if len(report.diagrams) > 1 else []
    sections: list[Section] = []
    if report.tried:
        sections.append((CURVES, lambda part: _curves(part, report)))
    if several:
        sections.append((PANEL * -(-len(several) // ACROSS), lambda part: _panels(part, several)))
    n_shown = sum(card.silhouette is not None for card in report.cards)
    sections.append((min(max(BARS, LEAST_BAND * n_shown) + TITLE, TALLEST), lambda part: _bars(part, report, image_of)))
    for title, tiles in _portraits(report):
        sections.append((TITLE / 2 + TILE * -(-len(tiles) // TILES_ACROSS), _sheet(title, tiles)))
    figure = _figure(WIDTH, sum(height for height, _ in sections))
    parts = figure.subfigures(len(sections), 1, height_ratios=[height for height, _ in sections], squeeze=False)
    for (_, paint), part in zip(sections, parts[:, 0], strict=True):
        paint(part)
    return figure


def _figure(width: float, height: float) -> Figure:
    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)  # no window, no display
    return figure


# -- curves and silhouettes --------------------------------------------------------------------------------------


def _curves(part: Any, report: ClusterReport) -> None:
    """Draw the inertia and the mean silhouette over k, each with the k that it speaks for."""
    ks = [tried.k for tried in report.tried]
    elbow, best = choose_k.elbow(report.tried), choose_k.best_by(report.tried, "silhouette")
    left, right = part.subplots(1, 2)
    _curve(left, "inertia", ks, [tried.inertia for tried in report.tried], elbow, "elbow")
    _curve(right, "mean silhouette", ks, [tried.silhouette for tried in report.tried], best, "best")


def _curve(axes: Any, title: str, ks: Sequence[int], values: Sequence[float | None], k: int | None, word: str) -> None:
    """Draw one line over k, with the k that is marked."""
    points = [(at, value) for at, value in zip(ks, values, strict=True) if value is not None]
    axes.set_title(title, loc="left")
    axes.set_xlabel("clusters")
    if not points:
        axes.text(0.5, 0.5, "not defined", color=QUIET, ha="center", transform=axes.transAxes)
        return
    axes.plot(*zip(*points, strict=True), color=LINE, marker="o", markersize=4)
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.grid(alpha=0.3)
    if k is not None:
        axes.axvline(k, color=MARK, linewidth=1, label=f"{word}: k = {k}")
        axes.legend(loc="best")


def _panels(part: Any, diagrams: Sequence[tuple[int, Silhouettes]]) -> None:
    """Draw the silhouette diagrams of several numbers of clusters side by side, on one scale."""
    rows = -(-len(diagrams) // ACROSS)
    cells = part.subplots(rows, ACROSS, squeeze=False, sharex=True).ravel()
    for axes, (k, shown) in zip(cells, diagrams, strict=False):
        axes.set_title(f"k = {k}, mean {shown.score or 0.0:.3f}", loc="left", fontsize=10)
        _draw_bands(axes, shown, np.unique(shown.clusters).tolist())
        axes.set_yticks([])
        axes.tick_params(labelbottom=True)
    for axes in cells[len(diagrams) :]:
        axes.set_axis_off()


def _bars(part: Any, report: ClusterReport, image_of: Thumbnails) -> None:
    """Draw the silhouette diagram of the clusters that were taken, with a typical image of each."""
    shown = report.silhouettes
    cards = [card for card in report.cards if card.silhouette is not None]
    axes = part.subplots()
    score = "" if shown.score is None else f", mean {shown.score:.3f}"
    axes.set_title(f"silhouettes of {len(shown.rows):,} instances, {len(report.cards)} clusters{score}", loc="left")
    least = LEAST_BAND / BARS * max(len(shown.values), 1)
    bands = _draw_bands(axes, shown, [card.cluster for card in cards], least)
    middles, heights = [middle for middle, _ in bands], [height for _, height in bands]
    names = [f"{card.cluster} ({card.size:,})" for card in cards]
    axes.set_yticks(middles, names, fontsize=8)
    axes.tick_params(axis="y", length=0, pad=THUMB + 10)
    axes.set_xlabel("silhouette: 1 = well inside its cluster, below 0 = nearer to another")
    points = 72 * max(BARS, LEAST_BAND * len(cards)) / max(sum(heights), 1.0)  # of one unit, about
    for card, (middle, height) in zip(cards, bands, strict=True):
        _put(
            axes,
            image_of(int(card.members[0])),
            (0.0, middle),
            (-THUMB / 2 - 5, 0.0),
            min(THUMB, points * height),
            "axes",
        )
        if card.warnings:
            axes.annotate(
                ", ".join(card.warnings), (1.0, middle), xycoords=axes.get_yaxis_transform(), ha="right", va="center",
                color=MARK, fontsize=8,
            )  # fmt: skip


def _draw_bands(
    axes: Any, shown: Silhouettes, clusters: Sequence[int], least: float = 0.0
) -> list[tuple[float, float]]:
    """Draw each cluster's values, the largest first, as a band of at least that height, and a dashed line at the mean.

    Return the middle and the height of each band.
    """
    gap = max(len(shown.values) / 150, 0.2)
    top, bands = 0.0, []
    for number, cluster in enumerate(clusters):
        values = np.sort(shown.values[shown.clusters == cluster])[::-1]
        height = max(len(values), least)
        edges = top + np.linspace(0, height, len(values) + 1)
        axes.fill_betweenx(edges, 0, np.append(values, values[-1:]), step="post", color=_color(number), lw=0)
        bands.append((top + height / 2, height))
        top += height + gap
    axes.set_ylim(max(top, 1.0), 0.0)
    axes.axvline(0.0, color=INK, linewidth=0.8)
    if shown.score is not None:
        axes.axvline(shown.score, color=MARK, linestyle="--", linewidth=1.2)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    return bands


def _portraits(report: ClusterReport) -> list[tuple[str, list[tuple[str, ByteArray]]]]:
    """Return sheets of tiles, (title, (caption, image) each): the mean image of each cluster, images of a mixture."""
    means = [(f"{card.cluster} ({card.size:,})", card.mean) for card in report.cards if card.mean is not None]
    samples = [("", image) for image in report.samples]
    sheets = [("mean image of each cluster", means), ("drawn from the mixture: images it makes up", samples)]
    return [(title, tiles) for title, tiles in sheets if tiles]


def _sheet(title: str, tiles: list[tuple[str, ByteArray]]) -> Callable[[Any], None]:
    """Return what draws tiles in rows below their title."""

    def paint(part: Any) -> None:
        axes = part.subplots()
        axes.set_title(title, loc="left")
        for number, (caption, image) in enumerate(tiles):
            down, across = divmod(number, TILES_ACROSS)
            _draw_tile(axes, image, across, down * 1.25)
            axes.text(across + 0.45, down * 1.25 + 1.08, caption, fontsize=7, color=QUIET, ha="center", va="center")
        axes.set(xlim=(0, TILES_ACROSS), ylim=(-(-len(tiles) // TILES_ACROSS) * 1.25, 0), aspect="equal")
        axes.set_axis_off()

    return paint


def _draw_tile(axes: Any, image: ByteArray, left: float, top: float) -> None:
    """Draw an image into a square of 0.9 at a place, its proportions kept."""
    height, width = image.shape[:2]
    scale = 0.9 / max(height, width)
    corners = (left, left + width * scale, top + height * scale, top)
    axes.imshow(image, cmap="gray", vmin=0, vmax=255, extent=corners, interpolation="nearest")


# -- the tree of merges ------------------------------------------------------------------------------------------


def _tree(report: ClusterReport, image_of: Thumbnails) -> Figure:
    """Return the last merges, from the clusters (below) to one (above): a bar is as high as its two were far apart."""
    cards, links = _links(report)
    drawn = dendrogram(links, no_plot=True)
    figure = _figure(max(WIDTH, 0.5 * len(cards) + 1), 6.0)
    axes = figure.subplots()
    axes.set_title(
        f"the last {len(cards) - 1} merges of {report.clusterer}, {report.n_instances:,} instances",
        loc="left", parse_math=False,
    )  # fmt: skip
    for across, up in zip(drawn["icoord"], drawn["dcoord"], strict=True):
        axes.plot(across, up, color=INK, linewidth=1.5)
    places = 5.0 + 10.0 * np.arange(len(cards))  # where a dendrogram has its leaves
    ordered = [cards[leaf] for leaf in drawn["leaves"]]
    for number, (place, card) in enumerate(zip(places, ordered, strict=True)):
        axes.plot(place, 0.0, marker="o", color=_color(number), clip_on=False, zorder=3)
        _put(axes, image_of(int(card.members[0])), (place, 0.0), (0.0, -THUMB / 2 - 8), THUMB, "data")
    names = [f"{card.size:,}\n{display_safe(next(iter(card.classes), ''), 6)}" for card in ordered]
    axes.set_xticks(places, names, fontsize=8, parse_math=False)
    axes.tick_params(axis="x", length=0, pad=THUMB + 12)
    axes.set(xlim=(0, 10 * len(cards)), ylim=(0, None), ylabel="distance of what was merged")
    for side in ("top", "right", "bottom"):
        axes.spines[side].set_visible(False)
    return figure


def _links(report: ClusterReport) -> tuple[list[Card], Any]:
    """Return the cards by leaf, and the last merges as scipy's linkage (k - 1, 4) over these leaves."""
    merges, heights = report.clustering.tree, report.clustering.facts["last_merges"]
    n, count = len(merges) + 1, len(report.cards) - 1
    first = len(merges) - count
    cluster_of = report.clustering.clusters
    by_cluster = {int(cluster_of[int(card.members[0])]): card for card in report.cards}
    numbers: dict[int, int] = {}  # node of the whole tree -> leaf, or k + place of its merge
    cards: list[Card] = []
    links = np.zeros((count, 4))
    for place in range(count):
        for side, node in enumerate(map(int, merges[first + place])):
            if node < n + first and node not in numbers:  # a cluster
                numbers[node] = len(cards)
                cards.append(by_cluster[int(cluster_of[_sample_of(node, merges, n)])])
            links[place, side] = numbers[node]
        numbers[n + first + place] = count + 1 + place
        links[place, 2] = heights[place - count]
    sizes = [1.0] * len(cards)  # scipy counts leaves, and refuses more
    for place in range(count):  # after all leaves are numbered
        links[place, 3] = sum(sizes[int(child)] for child in links[place, :2])
        sizes.append(links[place, 3])
    return cards, links


def _sample_of(node: int, merges: Any, n: int) -> int:
    """Return an instance below a node."""
    while node >= n:
        node = int(merges[node - n, 0])
    return node


# -- both --------------------------------------------------------------------------------------------------------


def _put(
    axes: Any, image: ByteArray | None, at: tuple[float, float], offset: tuple[float, float], side: float, unit: str
) -> None:
    """Put a thumbnail of `side` points at a place, `offset` points away; across in the data's unit or the axes'."""
    if image is None or side < 2:
        return
    picture = OffsetImage(
        image, zoom=side / max(image.shape[:2]), cmap="gray", norm=_full_range(), interpolation="nearest", dpi_cor=True
    )
    across = "data" if unit == "data" else axes.get_yaxis_transform()
    box = AnnotationBbox(
        picture, at, xybox=offset, xycoords=across, boxcoords="offset points", frameon=False, pad=0,
        annotation_clip=False,
    )  # fmt: skip
    axes.add_artist(box)


def _full_range() -> Any:
    """Return the scale on which 0 is black and 255 white, whatever an image holds."""
    return Normalize(0, 255)


def _color(number: int) -> tuple[float, float, float]:
    """Return a color that differs from the one before: steps of the golden angle around the circle."""
    return colorsys.hsv_to_rgb(number * 0.618034 % 1.0, 0.55, 0.8)
