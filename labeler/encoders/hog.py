"""Histograms of oriented gradients, batched; plain, and on glyphs made upright first."""

from __future__ import annotations

import numpy as np

from labeler.core.vocabulary import FloatArray
from labeler.encoders.base import Images
from labeler.encoders.deskew import upright
from labeler.encoders.raster import check_images, in_chunks, resize, to_grey


class Hog:
    """HOG of the luminance (Dalal & Triggs, CVPR 2005): unsigned gradients, 2x2 blocks, L2-Hys.

    Images are resized to `size` x `size` first. With the defaults on 28 px: 6 x 6 blocks x 4 cells x 9 bins = 1,296
    features in [0, 1]; the figures are those of ``skimage.feature.hog``, at a quarter of its time.

    Parameters
    ----------
    cell : int
        Side of a cell in pixels.
    bins : int
        Orientations in half a turn.
    size : int
        Side the images are resized to; 0 = 28 for sides up to 28 and 32 above.
    """

    version = 1
    takes: tuple[str, ...] = ("images",)

    def __init__(self, cell: int = 4, bins: int = 9, size: int = 0) -> None:
        if bins < 2:
            raise ValueError(f"bins must be at least 2, not {bins}")
        if size < 0:
            raise ValueError(f"size must be 0 (automatic) or a number of pixels, not {size}")
        if cell < 1 or 2 * cell > (size or 28):
            raise ValueError(f"cell must be between 1 and half the size ({(size or 28) // 2}), not {cell}")
        self.cell = cell
        self.bins = bins
        self.size = size

    def fit(self, images: Images) -> Hog:
        """Nothing to learn; refuses what :meth:`transform` would refuse."""
        check_images(images)
        return self

    def transform(self, images: Images) -> FloatArray:
        """Features (n, blocks * 4 * bins) float32 in [0, 1]."""
        check_images(images)
        side = self._side(images)
        return in_chunks(lambda chunk: self._encode(chunk, side), images, max(images[:1].size, side * side))

    def _side(self, images: Images) -> int:
        return self.size or (28 if max(images.shape[1:3]) <= 28 else 32)

    def _encode(self, images: Images, side: int) -> FloatArray:
        return hog_features(resize(to_grey(images), side, side), self.cell, self.bins)


class DeskewHog(Hog):
    """:class:`Hog` of the ink made upright: ground removed, slant sheared away, centered (see ``deskew.py``).

    For glyphs on a plain ground, dark on light or light on dark.
    """

    version = 1

    def __init__(self, cell: int = 4, bins: int = 9, size: int = 28) -> None:
        super().__init__(cell, bins, size)

    def _encode(self, images: Images, side: int) -> FloatArray:
        return hog_features(upright(to_grey(images), side), self.cell, self.bins)


def hog_features(images: FloatArray, cell: int, bins: int) -> FloatArray:
    """HOG (n, d) of grey images (n, h, w): cells of `cell` px, blocks of 2 x 2 cells with stride 1."""
    return normalised_blocks(cell_histograms(images, cell, bins))


def cell_histograms(images: FloatArray, cell: int, bins: int) -> FloatArray:
    """Gradient magnitude by unsigned orientation, averaged over each cell: (n, rows, columns, bins) float32."""
    n, h, w = images.shape
    rows, columns = h // cell, w // cell
    images = images[:, : rows * cell + 1, : columns * cell + 1]
    dy = np.zeros_like(images)
    dx = np.zeros_like(images)
    dy[:, 1:-1] = images[:, 2:] - images[:, :-2]
    dx[:, :, 1:-1] = images[:, :, 2:] - images[:, :, :-2]
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
