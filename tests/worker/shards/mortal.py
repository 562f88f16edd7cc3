"""A plug-in of a person's own, for tests: an encoder that takes its time, and may end the process that runs it.

Run by its name (`--plugin`) in the command's process, which it never ends, and in workers.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from pathlib import Path

import numpy as np

import labeler


@labeler.plugin("encoder", "mortal")
class Mortal:
    """Rows and columns less their means over the pool; not portable, so that what it is fitted on travels.

    It ends its process `deaths` times, each of which leaves a file beside `flag`; `fails` times it raises in its place.
    """

    version = 1
    takes = ("images",)
    rows_a_step = 10

    def __init__(self, pause: float = 0.0, flag: str = "", deaths: int = 0, fails: int = 0) -> None:
        self.pause, self.flag, self.deaths, self.fails = pause, flag, deaths, fails
        self.mean = None

    def fit(self, images: np.ndarray) -> Mortal:
        """Learn the mean image."""
        self.mean = images.reshape(len(images), *images.shape[1:]).mean(axis=0)
        return self

    def transform(self, images: np.ndarray) -> np.ndarray:
        """Features (n, h + w)."""
        time.sleep(self.pause)
        if len(images) == self.rows_a_step and multiprocessing.parent_process() is not None:
            self._meet()
        centered = images - self.mean
        return np.concatenate((centered.mean(axis=1), centered.mean(axis=2)), axis=1).astype(np.float32)

    def _meet(self) -> None:
        for number in range(self.deaths + self.fails):
            try:
                Path(f"{self.flag}.{number}").touch(exist_ok=False)
            except FileExistsError:
                continue
            if number < self.deaths:
                os.kill(os.getpid(), signal.SIGKILL)
            raise RuntimeError("not this time")
