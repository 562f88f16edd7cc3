"""The pools that rows measure on, made once a run by a job of their own and taken away with the folder."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from rows.process import job, run

MANY, MOST = 70_000, 1_000_000
COLUMNS = 128


@dataclass(frozen=True, slots=True)
class Pools:
    """Pools in `folder`, each a file or a folder of PNG files; sizes can be smaller, for a trial."""

    folder: Path
    many: int = MANY
    most: int = MOST

    @property
    def origin(self) -> str:
        """The kind of images: MNIST where LABELER_DATA is set, else glyphs that are made up of the digits here."""
        return "MNIST" if os.environ.get("LABELER_DATA") else "made-up glyphs (digits, shifted and bent)"

    def files(self) -> Path:
        """A folder of `many` PNG files, 28 x 28."""
        return self._job("png", self.many)

    def images(self) -> Path:
        """The same images and their classes in one npz, X and y."""
        return self._job("npz", self.many)

    def columns(self, n: int) -> Path:
        """Glyphs, shifted and bent to `n`, in the principal components of the default encoder: (n, <= 100) float32."""
        return self._job("columns", n)

    def groups(self, n: int) -> Path:
        """A gaussian mixture of 50 groups (n, 128) float32: the hard case, no direction counts less than another."""
        return self._job("groups", n)

    def _job(self, kind: str, n: int) -> Path:
        path = self.folder / f"{kind}-{n}{'' if kind == 'png' else '.npz' if kind == 'npz' else '.npy'}"
        if not path.exists():
            run(job("pool", kind, n, path))
        return path
