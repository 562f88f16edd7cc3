"""A plug-in of a person's own, for tests: an encoder whose compiled code is for another machine.

Run by its name in children; in a process where it must never run it says so and leaves that process alone.
"""

from __future__ import annotations

import os
import signal
import sys

import numpy as np

import labeler


@labeler.plugin("encoder", "crashing")
class Crashing:
    """Ends its process as an illegal instruction does: when it is made ("load"), or at work ("work"), or not at all."""

    version = 1
    takes = ("images",)
    is_exact = True
    rows_a_step = 20

    def __init__(self, at: str = "work") -> None:
        self.at = at
        self._meet("load")

    def fit(self, images: np.ndarray) -> Crashing:
        """Learn nothing."""
        return self

    def transform(self, images: np.ndarray) -> np.ndarray:
        """Features (n, h)."""
        self._meet("work")
        return images.reshape(len(images), images.shape[1], -1).mean(axis=2).astype(np.float32)

    def _meet(self, at: str) -> None:
        is_child = sys.argv[0].endswith("child.py")
        assert is_child or at == "load", "it works in a process that must live"
        if at == self.at:
            assert is_child, "it ends a process that must live"
            os.kill(os.getpid(), signal.SIGILL)
