"""Histograms of oriented gradients, batched: the classic, and stroke directions of glyphs made upright first."""

from __future__ import annotations

import numpy as np

from labeler.core.types import FloatArray
from labeler.plugins.encoders.base import Images
from labeler.plugins.encoders.deskew import upright
from labeler.plugins.encoders.raster import check_images, in_chunks, resize, to_grey


class Hog:
    """Histograms of gradient directions of the luminance, of images resized to `size` x `size`.

    By default softly binned and pooled (:func:`direction_shares`): 49 to 64 cells x 12 signed directions, rows of
    unit length. `classic` gives Dalal & Triggs' HOG (CVPR 2005) to the figures of ``skimage.feature.hog``: unsigned,
    hard cells, 2 x 2 blocks, L2-Hys; it finds fewer neighbours of the same class on glyphs and photos alike.

    Parameters
    ----------
    cell : int
        Side of a cell in pixels.
    bins : int
        Directions; 0 = 12 in a full turn, or 9 in half a turn where `classic`.
    size : int
        Side the images are resized to; 0 = 28 for sides up to 28 and 32 above.
    classic : bool
        The original's hard bins, blocks and normalisation.
    """

    version = 2
    takes: tuple[str, ...] = ("images",)

    def __init__(self, cell: int = 4, bins: int = 0, size: int = 0, classic: bool = False) -> None:
        self.classic = bool(classic)
        self.bins = bins or (9 if self.classic else 12)
        _check_geometry(cell, self.bins, size or 28)
        self.cell = cell
        self.size = size

    def fit(self, images: Images) -> Hog:
        """Nothing to learn; refuses what :meth:`transform` would refuse."""
        check_images(images)
        return self

    def transform(self, images: Images) -> FloatArray:
        """Features (n, d) float32 in [0, 1]: cells * bins of them, or blocks * 4 * bins where `classic`."""
        check_images(images)
        side = self.size or (28 if max(images.shape[1:3]) <= 28 else 32)
        features = hog_features if self.classic else direction_shares

        def encode(chunk: Images) -> FloatArray:
            return features(resize(to_grey(chunk), side, side), self.cell, self.bins)

        return in_chunks(encode, images, max(images[:1].size, self.bins * side**2))


class DeskewHog:
    """Directions of the strokes of ink made upright, for glyphs on a plain ground (dark on light or light on dark).

    The ground is removed, the slant sheared away, centre and size normalised (``deskew.py``); then signed gradient
    directions in overlapping cells (:func:`direction_shares`). Against deskewed classic HOG this took away two thirds
    of the neighbours of another class on MNIST, half on 8 x 8 digits and printed letters, a third on drawn signs.
    With the defaults 7 x 7 cells x 12 directions = 588 features, rows of unit length (zero where nothing is drawn).

    Parameters
    ----------
    cell : int
        Distance between the centers of cells in pixels; a cell fades out over its neighbours.
    bins : int
        Directions in a full turn.
    size : int
        Side of the upright image in pixels.
    """

    version = 3
    takes: tuple[str, ...] = ("images",)

    def __init__(self, cell: int = 4, bins: int = 12, size: int = 28) -> None:
        _check_geometry(cell, bins, size)
        self.cell = cell
        self.bins = bins
        self.size = size

    def fit(self, images: Images) -> DeskewHog:
        """Nothing to learn: ground and polarity are each image's own; refuses what :meth:`transform` would refuse."""
        check_images(images)
        return self

    def transform(self, images: Images) -> FloatArray:
        """Features (n, cells * bins) float32 in [0, 1]."""
        check_images(images)
        return in_chunks(self._encode, images, max(images[:1].size, self.bins * self.size**2))

    def _encode(self, images: Images) -> FloatArray:
        return direction_shares(upright(to_grey(images), self.size), self.cell, self.bins)


def direction_shares(images: FloatArray, cell: int, bins: int) -> FloatArray:
    """Square roots of each cell's and direction's share of all gradient: (n, cells * bins), unit length or zero.

    The root makes Euclidean distance Hellinger's, so that a few strong edges do not drown the many faint ones
    (Arandjelovic & Zisserman, CVPR 2012, for SIFT).
    """
    shares = pooled_directions(images, cell, bins).reshape(len(images), -1)
    shares /= shares.sum(axis=1, keepdims=True) + np.float32(1e-4)
    return np.asarray(np.sqrt(shares), dtype=np.float32)


def pooled_directions(images: FloatArray, cell: int, bins: int) -> FloatArray:
    """Signed gradient directions, softly binned in angle and place: (n, rows, columns, bins) float32.

    A gradient counts for the two nearest directions and for the cells around it, linearly (a triangle of half-width
    `cell`): a stroke that moves by a pixel changes the features little (Dalal & Triggs' trilinear interpolation).
    """
    n, h, w = images.shape
    dy, dx = _gradients(images)
    magnitude = np.hypot(dx, dy)
    turn = np.arctan2(dy, dx) * np.float32(bins / (2 * np.pi))
    maps = np.empty((n, h, w, bins), dtype=np.float32)
    for direction in range(bins):
        away = np.abs(turn - direction)
        away = np.minimum(away, np.abs(away - bins))
        maps[..., direction] = np.maximum(1 - away, 0) * magnitude
    down, across = _triangles(h, cell), _triangles(w, cell)
    by_row = np.matmul(down, maps.reshape(n, h, w * bins)).reshape(n * len(down), w, bins)
    pooled: FloatArray = np.matmul(across, by_row)
    return pooled.reshape(n, len(down), len(across), bins)


def _triangles(side: int, cell: int) -> FloatArray:
    """Weights (cells, side) of the pixels in each cell: one at its centre, zero a cell away; rows sum to 1."""
    centers = np.arange(side // cell) * cell + (cell - 1) / 2
    weights = np.maximum(1 - np.abs(np.arange(side) - centers[:, None]) / cell, 0)
    weights /= weights.sum(axis=1, keepdims=True)
    return np.asarray(weights, dtype=np.float32)


def _check_geometry(cell: int, bins: int, size: int) -> None:
    if not 2 <= bins <= 64:
        raise ValueError(f"bins must be between 2 and 64, not {bins}")
    if not 8 <= size <= 256:
        raise ValueError(f"size must be between 8 and 256 pixels, not {size}")
    if not 1 <= cell <= size // 2:
        raise ValueError(f"cell must be between 1 and half the size ({size // 2}), not {cell}")


def _gradients(images: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Central differences (dy, dx), zero at the border."""
    dy, dx = np.zeros_like(images), np.zeros_like(images)
    dy[:, 1:-1] = images[:, 2:] - images[:, :-2]
    dx[:, :, 1:-1] = images[:, :, 2:] - images[:, :, :-2]
    return dy, dx


def hog_features(images: FloatArray, cell: int, bins: int) -> FloatArray:
    """HOG (n, d) of grey images (n, h, w): cells of `cell` px, blocks of 2 x 2 cells with stride 1."""
    return normalised_blocks(cell_histograms(images, cell, bins))


def cell_histograms(images: FloatArray, cell: int, bins: int) -> FloatArray:
    """Gradient magnitude by unsigned orientation, averaged over each cell: (n, rows, columns, bins) float32."""
    n, h, w = images.shape
    rows, columns = h // cell, w // cell
    images = images[:, : rows * cell + 1, : columns * cell + 1]
    dy, dx = _gradients(images)
    dy = dy[:, : rows * cell, : columns * cell]
    dx = dx[:, : rows * cell, : columns * cell]
    magnitude = np.hypot(dx, dy)
    turn = np.arctan2(dy, dx) * np.float32(bins / np.pi)
    place = np.floor(turn).astype(np.int64) % bins
    cells = np.arange(rows)[:, None].repeat(cell, 0) * columns + np.arange(columns).repeat(cell)[None, :]
    place += (np.arange(n)[:, None, None] * (rows * columns) + cells) * bins
    sums = np.bincount(place.ravel(), magnitude.ravel(), minlength=n * rows * columns * bins)
    return (sums / (cell * cell)).astype(np.float32).reshape(n, rows, columns, bins)


def normalised_blocks(cells: FloatArray) -> FloatArray:
    """Blocks of 2 x 2 cells, each L2-Hys normalised (unit length, clipped at .2, unit length again): (n, d)."""
    n = len(cells)
    corners = (cells[:, :-1, :-1], cells[:, :-1, 1:], cells[:, 1:, :-1], cells[:, 1:, 1:])
    blocks = np.concatenate(corners, axis=3)
    for limit in (0.2, None):
        squares = np.einsum("...i,...i->...", blocks, blocks)
        blocks /= np.sqrt(squares + np.float32(1e-10))[..., None]
        if limit is not None:
            np.minimum(blocks, np.float32(limit), out=blocks)
    return blocks.reshape(n, -1)
