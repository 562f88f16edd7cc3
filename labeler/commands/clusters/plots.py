"""Pictures of clusterings by Pillow alone: curves over k with a silhouette diagram, or the tree of merges."""

from __future__ import annotations

import colorsys
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from labeler.commands.clusters import panels
from labeler.commands.clusters.inspect import Found
from labeler.core.errors import UsageError
from labeler.core.files import whole
from labeler.core.numeric import choose_k
from labeler.core.text import display_safe
from labeler.core.types import ByteArray
from labeler.plugins.importers.files import first_bytes

if TYPE_CHECKING:
    from PIL.ImageDraw import ImageDraw

DRAWN_BY = "labeler clusters"
"""What a picture says of itself, so that it may be drawn anew."""
WIDTH, HEIGHT, MARGIN, THUMB = 1_000, 420, 60, 40
INK, QUIET, PAPER, MARK = (30, 30, 36), (150, 150, 158), (255, 255, 255), (205, 60, 50)
LINE = (50, 100, 190)
GAP = 6
LEAST_BAND = 14
TILE, CAPTION = 64, 16
ACROSS = (WIDTH - MARGIN) // (TILE + GAP)
MOST_LEAVES = 200
"""Clusters up to which the tree of merges is drawn."""

Box = tuple[int, int, int, int]
Thumbnails = Callable[[int], "ByteArray | None"]
"""The image of an instance by its index; None where there is none to show."""


def check(path: Path, option: str = "--plot") -> None:
    """Refuse with a UsageError, before any work, what is not called .png or has no folder."""
    if path.suffix.lower() != ".png":
        raise UsageError(f"{path} is no .png file", f"pictures are written as PNG: {option} clusters.png")
    if not path.absolute().parent.is_dir():
        raise UsageError(f"there is no folder {path.absolute().parent}", "make it first, or name another")
    if os.path.lexists(path) and not _is_drawn_here(path):
        raise UsageError(f"{display_safe(str(path))} exists already, and was not drawn here", "choose another name")


def save(found: Found, image_of: Thumbnails, path: Path) -> None:
    """Draw a report as a PNG: the tree of merges of a hierarchy, else curves and silhouettes."""
    is_tree = len(found.clustering.tree) and 1 < len(found.cards) <= MOST_LEAVES
    save_png(_tree(found, image_of) if is_tree else _diagrams(found, image_of), path)


def save_image(image: ByteArray, path: Path) -> None:
    """Write an image (h, w[, 3]) uint8 as it is."""
    from PIL import Image

    save_png(Image.fromarray(image), path)


def save_png(picture: Any, path: Path) -> None:
    """Write a picture, whole or not at all, that says who drew it."""
    from PIL.PngImagePlugin import PngInfo

    text = PngInfo()
    text.add_text("Software", DRAWN_BY)
    with whole(path) as draft, open(draft, "wb") as file:
        picture.save(file, format="PNG", pnginfo=text)


def _is_drawn_here(path: Path) -> bool:
    """Whether a file is such a picture: no other one is written over."""
    return f"Software\0{DRAWN_BY}".encode() in first_bytes(path, 200)


# -- curves and silhouettes --------------------------------------------------------------------------------------


def _diagrams(found: Found, image_of: Thumbnails) -> Any:
    several = found.diagrams if len(found.diagrams) > 1 else []
    tops = (HEIGHT if found.tried else 0) + panels.height(len(several))
    shown = [card for card in found.cards if card.silhouette is not None]
    sizes = np.bincount(found.silhouettes.clusters, minlength=len(found.cards)) if shown else np.zeros(1, int)
    bands = [max(LEAST_BAND, round(600 * int(sizes[card.cluster]) / max(int(sizes.sum()), 1))) for card in shown]
    portraits = _portraits(found)
    below = tops + sum(bands) + GAP * len(bands) + 2 * MARGIN
    height = below + sum(_height(len(tiles)) for _, tiles in portraits) + (0 if portraits else MARGIN)
    picture, draw = _sheet(height)
    if found.tried:
        half = WIDTH // 2
        ks = [one.k for one in found.tried]
        elbow, best = choose_k.elbow(found.tried), choose_k.best_by(found.tried, "silhouette")
        _curve(draw, (0, 0, half, HEIGHT), "inertia", ks, [one.inertia for one in found.tried], elbow, "elbow")
        _curve(
            draw, (half, 0, WIDTH, HEIGHT), "mean silhouette", ks, [one.silhouette for one in found.tried], best, "best"
        )
    if several:
        panels.draw_panels(draw, several, HEIGHT, MARGIN // 2, lambda *what: _text(draw, *what), _color)
    _silhouettes(draw, picture, found, bands, tops, height, image_of)
    for title, tiles in portraits:
        below = _sheet_of(draw, picture, title, tiles, below)
    return picture


def _portraits(found: Found) -> list[tuple[str, list[tuple[str, ByteArray]]]]:
    """Sheets of tiles, (title, (caption, image) each): the mean image of each cluster, what a mixture makes up."""
    means = [(f"{card.cluster} ({card.size:,})", card.mean) for card in found.cards if card.mean is not None]
    samples = [("", image) for image in found.samples]
    sheets = [("mean image of each cluster", means), ("drawn from the mixture: images it makes up", samples)]
    return [(title, tiles) for title, tiles in sheets if tiles]


def _height(tiles: int) -> int:
    """Pixels that a sheet of tiles takes with its title."""
    return MARGIN + -(-tiles // ACROSS) * (TILE + GAP + CAPTION)


def _sheet_of(draw: ImageDraw, picture: Any, title: str, tiles: list[tuple[str, ByteArray]], top: int) -> int:
    """Draw tiles in rows below their title; where the next thing may begin."""
    _text(draw, (MARGIN, top), title, 18)
    for number, (caption, image) in enumerate(tiles):
        x, y = MARGIN + number % ACROSS * (TILE + GAP), top + MARGIN // 2 + number // ACROSS * (TILE + GAP + CAPTION)
        _paste(picture, image, (x, y), TILE)
        _text(draw, (x, y + TILE + 1), caption, 12, QUIET)
    return top + _height(len(tiles))


def _curve(
    draw: ImageDraw,
    box: Box,
    title: str,
    ks: Sequence[int],
    values: Sequence[float | None],
    mark: int | None,
    word: str,
) -> None:
    """One line over k, with the k that is marked."""
    left, top, right, bottom = box[0] + MARGIN + 20, box[1] + MARGIN, box[2] - 20, box[3] - MARGIN
    known = [value for value in values if value is not None]
    _text(draw, (left, box[1] + 20), title, 18)
    draw.rectangle((left, top, right, bottom), outline=QUIET)
    if not known:
        _text(draw, (left + 10, top + 10), "not defined", 14, QUIET)
        return
    low, high = min(known), max(known)
    low, high = (low - abs(low) * 0.05, high + abs(high) * 0.05 or 1.0) if high > low else (low - 0.5, high + 0.5)

    def place(k: float, value: float) -> tuple[float, float]:
        across = (k - ks[0]) / max(ks[-1] - ks[0], 1)
        return left + across * (right - left), bottom - (value - low) / (high - low) * (bottom - top)

    points = [place(k, value) for k, value in zip(ks, values, strict=True) if value is not None]
    draw.line(points, fill=LINE, width=3)
    for x, y in points:
        draw.ellipse((x - 3, y - 3, x + 3, y + 3), fill=LINE)
    for value in (known[0], known[-1]) if title == "inertia" else (min(known), max(known)):
        _text(
            draw, (box[0] + 8, place(ks[0], value)[1] - 8), f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}", 13
        )
    for k in ks[:: max(len(ks) // 8, 1)]:
        _text(draw, (place(k, low)[0] - 8, bottom + 8), str(k), 13)
    if mark is not None:
        value = values[list(ks).index(mark)] or 0.0
        x, y = place(mark, value)
        draw.line((x, top, x, bottom), fill=MARK, width=1)
        draw.ellipse((x - 6, y - 6, x + 6, y + 6), outline=MARK, width=3)
        _text(draw, (min(x + 8, right - 110), top + 8), f"{word}: k = {mark}", 14, MARK)


def _silhouettes(
    draw: ImageDraw, picture: Any, found: Found, bands: Sequence[int], top: int, height: int, image_of: Thumbnails
) -> None:
    """The silhouette diagram: each cluster's values sorted, as bars; a dashed line at the mean of all."""
    shown = found.silhouettes
    shown_cards = [card for card in found.cards if card.silhouette is not None]
    score = "" if shown.score is None else f", mean {shown.score:.3f}"
    _text(
        draw,
        (MARGIN, top + 20),
        f"silhouettes of {len(shown.rows):,} instances, {len(found.cards)} clusters{score}",
        18,
    )
    low = min(float(shown.values.min(initial=0.0)), -0.05)
    high = max(float(shown.values.max(initial=0.0)), 0.1) * 1.05
    left, right = MARGIN + 110, WIDTH - 30

    def across(value: float) -> float:
        return left + (value - low) / (high - low) * (right - left)

    y = top + MARGIN
    for number, (card, band) in enumerate(zip(shown_cards, bands, strict=True)):
        values = np.sort(shown.values[shown.clusters == card.cluster])[::-1]
        color = _color(number)
        for row in range(band):
            value = float(values[min(row * len(values) // band, len(values) - 1)])
            draw.line((across(0), y + row, across(value), y + row), fill=color)
        _text(draw, (MARGIN - 40, y + band / 2 - 8), f"{card.cluster} ({card.size:,})", 13, INK)
        if card.warnings:
            _text(draw, (across(max(float(values[0]), 0)) + 8, y + band / 2 - 8), ", ".join(card.warnings), 13, MARK)
        _paste(
            picture,
            image_of(int(card.members[0])),
            (MARGIN + 50, y + band // 2 - min(band, THUMB) // 2),
            min(band, THUMB),
        )
        y += band + GAP
    draw.line((across(0), top + MARGIN, across(0), y), fill=INK)
    if shown.score is not None:
        for dash in range(top + MARGIN, y, 12):
            draw.line((across(shown.score), dash, across(shown.score), min(dash + 6, y)), fill=MARK, width=2)
    for tick in np.arange(np.ceil(low * 5) / 5, high, 0.2):
        _text(draw, (across(float(tick)) - 10, y + 8), f"{abs(tick) if abs(tick) < 0.05 else tick:.1f}", 13)


# -- the tree of merges ------------------------------------------------------------------------------------------


def _tree(found: Found, image_of: Thumbnails) -> Any:
    """The last merges, from the clusters (below) to one (above): a bar is as high as what was merged was far apart."""
    merges, n = found.clustering.tree, len(found.clustering.tree) + 1
    heights = found.clustering.facts["last_merges"]
    first = len(merges) - (len(found.cards) - 1)
    members = {int(card.members[0]): card for card in found.cards}
    cluster_of = found.clustering.clusters
    cards = {int(cluster_of[index]): card for index, card in members.items()}
    width = max(WIDTH, MARGIN * 2 + (THUMB + GAP) * len(found.cards))
    picture, draw = _sheet(HEIGHT + 2 * MARGIN + THUMB, width)
    title = f"the last {len(found.cards) - 1} merges of {found.clusterer}, {found.n_instances:,} instances"
    _text(draw, (MARGIN, 16), title, 18)
    base, step = HEIGHT, (width - 2 * MARGIN) / max(len(found.cards), 1)
    tallest = max(heights[-(len(found.cards) - 1) :]) or 1.0
    at: dict[int, tuple[float, float]] = {}
    leaves: list[int] = []

    def visit(node: int) -> tuple[float, float]:
        """Where a node's bar is: (x, y)."""
        if node < n + first:  # a cluster
            leaves.append(node)
            at[node] = MARGIN + step * (len(leaves) - 0.5), float(base)
            return at[node]
        (a, ya), (b, yb) = (visit(int(child)) for child in merges[node - n])
        y = base - (base - MARGIN) * heights[node - n - len(merges)] / tallest
        draw.line([(a, ya), (a, y), (b, y), (b, yb)], fill=INK, width=2)
        at[node] = (a + b) / 2, y
        return at[node]

    visit(n + len(merges) - 1)
    for number, node in enumerate(leaves):
        leaf = node
        while leaf >= n:
            leaf = int(merges[leaf - n, 0])
        card, x = cards[int(cluster_of[leaf])], at[node][0]
        draw.ellipse((x - 4, base - 4, x + 4, base + 4), fill=_color(number))
        _paste(picture, image_of(int(card.members[0])), (round(x - THUMB / 2), base + 12), min(THUMB, round(step)))
        common = next(iter(card.classes), "")
        _text(draw, (x - step / 2 + 2, base + 16 + THUMB), f"{card.size:,}", 12)
        _text(draw, (x - step / 2 + 2, base + 32 + THUMB), display_safe(common, 6), 12, QUIET)
    for share in (0.25, 0.5, 0.75, 1.0):
        y = base - (base - MARGIN) * share
        _text(draw, (6, y - 8), f"{tallest * share:.3g}", 12, QUIET)
    return picture


# -- what both use -----------------------------------------------------------------------------------------------


def _sheet(height: int, width: int = WIDTH) -> tuple[Any, ImageDraw]:
    from PIL import Image, ImageDraw

    picture = Image.new("RGB", (width, height), PAPER)
    return picture, ImageDraw.Draw(picture)


def _text(draw: ImageDraw, at: tuple[float, float], words: str, size: int, color: tuple[int, int, int] = INK) -> None:
    from PIL import ImageFont

    draw.text(at, words, fill=color, font=ImageFont.load_default(size))


def _paste(picture: Any, image: ByteArray | None, at: tuple[int, int], side: int) -> None:
    from PIL import Image

    if image is None or side < 2:
        return
    small = Image.fromarray(image).convert("RGB")
    scale = side / max(small.size)
    size = (max(round(small.width * scale), 1), max(round(small.height * scale), 1))
    picture.paste(small.resize(size, Image.Resampling.NEAREST if scale > 1 else Image.Resampling.BOX), at)


def _color(number: int) -> tuple[int, int, int]:
    """Colors that follow each other differ: steps of the golden angle around the circle."""
    red, green, blue = colorsys.hsv_to_rgb(number * 0.618034 % 1.0, 0.55, 0.8)
    return round(red * 255), round(green * 255), round(blue * 255)
