"""The looks of a cluster: the mean of its images, and images drawn from a mixture of pixels."""

from __future__ import annotations

import numpy as np

from labeler.core.numeric.pca import PrincipalAxes
from labeler.core.types import ByteArray, FloatArray, IndexArray

AVERAGED = 1_000
"""Members whose images make a mean image, at most: those nearest the center."""


def mean_image(raw: ByteArray, members: IndexArray) -> ByteArray | None:
    """Return the mean (h, w[, 3]) uint8 of the images of `members` in `raw` (n, h, w[, 3]); None of nobody.

    `members` come nearest to the center first; the first :data:`AVERAGED` count.
    """
    if not len(members):
        return None
    # sorted: a memory map is read from front to back
    shown = np.sort(members[:AVERAGED])
    total = np.zeros(raw.shape[1:])
    for index in shown:
        total += raw[index]
    return np.round(total / len(shown)).astype(np.uint8)


def pixel_images(samples: FloatArray, axes: PrincipalAxes | None, raw: ByteArray) -> list[ByteArray]:
    """Return `samples` (m, d) of pixels in [0, 1], or of their components on `axes`, as images of the pool's size.

    Empty where they are no pixels of such images: a table's, or none.
    """
    if axes is not None and len(samples):
        samples = axes.restore(samples)
    # features of another encoder have no pixels to go back to
    if raw.ndim < 3 or not len(samples) or samples.shape[1] != int(np.prod(raw.shape[1:])):
        return []
    return list(np.round(np.clip(samples, 0.0, 1.0) * 255).astype(np.uint8).reshape(-1, *raw.shape[1:]))
