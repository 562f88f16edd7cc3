"""Raw pixels, and tables as they are: the encoder that changes nothing."""

from __future__ import annotations

import numpy as np

from labeler.core.types import FloatArray
from labeler.plugins.encoders.base import Images
from labeler.plugins.encoders.raster import check_images, to_unit


class Pixels:
    """Pixels in [0, 1], flattened to (n, h*w) or (n, h*w*3); a table (n, d) passes as float32."""

    version = 1
    takes: tuple[str, ...] = ("images", "table")

    def fit(self, images: Images) -> Pixels:
        """Learn nothing; refuse what :meth:`transform` would refuse."""
        if images.ndim != 2:
            check_images(images)
        return self

    def transform(self, images: Images) -> FloatArray:
        """Features (n, d) float32; missing and infinite entries of a table become 0."""
        if images.ndim == 2:
            table = np.ascontiguousarray(images, dtype=np.float32)
            known = np.isfinite(table)
            return table if known.all() else np.where(known, table, np.float32(0))
        check_images(images)
        return np.ascontiguousarray(to_unit(images).reshape(len(images), int(np.prod(images.shape[1:]))))
