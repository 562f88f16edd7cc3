"""Makes a pool: ``python -m jobs.pool {png|npz|columns|groups} ROWS PATH``.

Images are MNIST's own where LABELER_DATA is set and no more than there are is asked for, else glyphs (MNIST's, or the
digits of this repository) shifted and bent, no two quite alike.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from data import ROOT, mnist
from PIL import Image

from labeler.core import steps
from labeler.core.numeric.pca import principal_axes
from labeler.plugins import registry

SIDE, CHUNK, GROUPS = 28, 10_000, 50
ENCODER = "deskew-hog"
"""What the application chooses for ink on a plain ground, as these glyphs are."""


def originals() -> tuple[Any, Any]:
    """Glyphs (m, 28, 28) uint8 and their classes (m,), in an order drawn by lot."""
    if os.environ.get("LABELER_DATA"):
        parts = [mnist("t10k"), mnist("train")]
        return np.concatenate([part[0] for part in parts]), np.concatenate([part[1] for part in parts])
    with np.load(ROOT / "labeler" / "_data" / "digits.npz") as arrays:
        small, y = arrays["X"].reshape(-1, 8, 8), arrays["y"]
    small = (small.astype(np.float32) * (255 / small.max())).astype(np.uint8)
    enlarged = [np.asarray(Image.fromarray(image).resize((20, 20), Image.Resampling.BICUBIC)) for image in small]
    return np.pad(np.stack(enlarged), ((0, 0), (4, 4), (4, 4))), y


def bent(images: Any, rng: np.random.Generator) -> Any:
    """Each of `images` (m, 28, 28) slanted, waved and shifted by a few pixels of its own."""
    m = len(images)
    row, column = np.arange(SIDE)[:, None], np.arange(SIDE)[None, :]
    shift, slant = rng.uniform(-2, 2, (m, 2, 1, 1)), rng.uniform(-0.2, 0.2, (m, 1, 1))
    wave, phase = rng.uniform(0, 1.5, (m, 1, 1)), rng.uniform(0, 2 * np.pi, (m, 1, 1))
    rows = row + shift[:, 0] + wave * np.sin(2 * np.pi * column / SIDE + phase)
    columns = column + shift[:, 1] + slant * (row - SIDE / 2) + wave * np.cos(2 * np.pi * row / SIDE + phase)
    at = np.clip(np.rint(rows), 0, SIDE - 1).astype(np.int32) * SIDE
    at += np.clip(np.rint(columns), 0, SIDE - 1).astype(np.int32)
    return np.take_along_axis(images.reshape(m, -1), at.reshape(m, -1), axis=1).reshape(images.shape)


def glyphs(n: int, *, always_bent: bool = False) -> Iterator[tuple[Any, Any]]:
    """Chunks of glyphs (<= CHUNK, 28, 28) with their classes, `n` in all."""
    images, y = originals()
    rng = np.random.default_rng(0)
    as_they_are = n <= len(images) and not always_bent
    order = rng.permutation(len(images))
    for start in range(0, n, CHUNK):
        chosen = order[np.arange(start, min(start + CHUNK, n)) % len(order)]
        yield (images[chosen] if as_they_are else bent(images[chosen], rng)), y[chosen]


def write_png(n: int, path: Path) -> None:
    """A folder of files, a thousand a subfolder; it gets its name when it is whole."""
    draft, number = path.with_name("draft"), 0
    for images, _ in glyphs(n):
        for image in images:
            if number % 1_000 == 0:
                (draft / f"{number // 1_000:04d}").mkdir(parents=True)
            Image.fromarray(image).save(draft / f"{number // 1_000:04d}" / f"{number:07d}.png")
            number += 1
    draft.rename(path)


def write_npz(n: int, path: Path) -> None:
    """The same images in one file, `X`, with their classes, `y`."""
    parts = list(glyphs(n))
    np.savez(path, X=np.concatenate([part[0] for part in parts]), y=np.concatenate([part[1] for part in parts]))


def write_columns(n: int, path: Path) -> None:
    """Bent glyphs as the default engine sees them: the encoder's features on its principal axes."""
    encoder = registry.create("encoder", ENCODER)
    axes, target, start = None, None, 0
    classes = []
    for images, y in glyphs(n, always_bent=True):
        classes.append(y)
        features = encoder.transform(images)
        if axes is None:
            axes = steps.run(principal_axes(features, random_state=0))
            target = np.lib.format.open_memmap(path, "w+", np.float32, (n, axes.axes.shape[1]))
        target[start : start + len(images)] = axes.project(features)
        start += len(images)
    np.save(path.with_suffix(".y.npy"), np.concatenate(classes))


def write_groups(n: int, path: Path) -> None:
    """A gaussian mixture of 50 groups x 128."""
    rng = np.random.default_rng(0)
    centers, y = rng.standard_normal((GROUPS, 128)).astype(np.float32), rng.integers(0, GROUPS, n)
    target = np.lib.format.open_memmap(path, "w+", np.float32, (n, 128))
    for start in range(0, n, CHUNK):
        some = y[start : start + CHUNK]
        target[start : start + CHUNK] = centers[some] + rng.standard_normal((len(some), 128), dtype=np.float32)


WRITERS = {"png": write_png, "npz": write_npz, "columns": write_columns, "groups": write_groups}


if __name__ == "__main__":
    WRITERS[sys.argv[1]](int(sys.argv[2]), Path(sys.argv[3]))
