"""A plug-in of a person's own, for tests: a heavy encoder that writes down what it encodes.

Run by its name (`--plugin`) in the worker and in its children.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

import numpy as np

import labeler

PAUSE = float(os.environ.get("PAUSE", "0"))


@labeler.plugin("encoder", "counting")
class Counting:
    """Means of the rows of an image; each one encoded is a line of the file that $ENCODED names."""

    version = 1
    takes = ("images",)
    rows_a_step = 4

    def __init__(self, is_exact: bool = True, side: int = 0) -> None:
        self.is_exact, self.side = is_exact, side

    def fit(self, images: np.ndarray) -> Counting:
        """Learn nothing."""
        return self

    def transform(self, images: np.ndarray) -> np.ndarray:
        """Features (n, h)."""
        time.sleep(PAUSE)
        rows = images.reshape(len(images), images.shape[1], -1).mean(axis=2).astype(np.float32)
        with Path(os.environ["ENCODED"]).open("a") as file:  # one short write: it comes whole
            file.write("".join(f"{image.mean():.6f}\n" for image in images))
        return rows
