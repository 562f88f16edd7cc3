"""Principal components of a pool's features, a chunk of rows at a time: a pool may be larger than the memory."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import eigh

from labeler.core import steps
from labeler.core.mapped import let_go
from labeler.core.types import FloatArray, IndexArray, Progress

N_COMPONENTS = 100
FIT_ROWS = 20_000
EXACT_UP_TO = 800
"""Rows or columns up to which the eigenvectors are computed directly; a larger problem is sketched first."""
EXTRA = 40
SWEEPS = 6
"""Columns of the sketch beyond those wanted, and sweeps over the rows: the variance kept is then within 0.5 %."""
CHUNK = 4_096
WHAT = "finding principal components"


@dataclass(frozen=True, slots=True)
class PrincipalAxes:
    """The mean (d,) and the leading `axes` (d, m) of a pool's features."""

    mean: FloatArray
    axes: FloatArray

    def project(self, X: FloatArray) -> FloatArray:
        """Components (n, m) float32 of `X` (n, d), never whitened."""
        out = np.empty((len(X), self.axes.shape[1]), dtype=np.float32)
        steps.run(self.project_into(X, out))
        return out

    def project_into(self, X: FloatArray, out: FloatArray) -> Generator[Progress, None, None]:
        """Yield signs of life; write the components of `X` (n, d) to `out` (n, m)."""
        chunk = steps.rows_at_once(self.axes.size, 64, CHUNK)
        for start in range(0, len(X), chunk):
            rows = slice(start, start + chunk)
            np.matmul(np.asarray(X[rows], dtype=np.float32) - self.mean, self.axes, out=out[rows])
            let_go(X)
            yield Progress(WHAT)

    def restore(self, points: FloatArray) -> FloatArray:
        """The features (n, d) float32 nearest the mean that have these components (n, m)."""
        return (self.mean + np.asarray(points, dtype=np.float32) @ self.axes.T).astype(np.float32)

    def moved(self, mean: FloatArray, scale: float) -> PrincipalAxes:
        """The axes whose components are these, less their `mean` (m,), times `scale`."""
        return PrincipalAxes(self.mean + self.axes @ mean, self.axes * np.float32(scale))


def principal_axes(
    X: FloatArray, n_components: int = N_COMPONENTS, random_state: int = 0
) -> Generator[Progress, None, PrincipalAxes]:
    """Yield signs of life; return the at most `n_components` leading axes of `X` (n, d), fitted on FIT_ROWS rows."""
    n, d = X.shape
    rng = np.random.default_rng(random_state)
    chosen = np.arange(n) if n <= FIT_ROWS else np.sort(rng.choice(n, FIT_ROWS, replace=False))
    yield Progress(WHAT)
    total = np.zeros(d)
    for block in _blocks(X, chosen, d):
        total += block.sum(axis=0, dtype=np.float64)
        yield Progress(WHAT)
    mean = (total / max(len(chosen), 1)).astype(np.float32)
    # all directions are wanted: turning them would change no distance
    if d <= n_components:
        return PrincipalAxes(mean, np.eye(d, dtype=np.float32))
    if min(len(chosen), d) > EXACT_UP_TO:
        axes = yield from _sketched(X, chosen, mean, n_components, rng)
    elif len(chosen) < d:
        axes = yield from _by_rows(X[chosen] - mean, n_components)
    else:
        covariance = np.zeros((d, d))
        for block in _blocks(X, chosen, d * d):
            covariance += (block - mean).T @ (block - mean)
            yield Progress(WHAT)
        axes = _leading(covariance, n_components)[1].astype(np.float32)
    return PrincipalAxes(mean, np.ascontiguousarray(axes if axes.shape[1] else np.eye(d, 1, dtype=np.float32)))


def axes_of_sample(centered: FloatArray, n_components: int) -> FloatArray:
    """Return orthonormal axes (d, k) float32 of a few thousand centered rows (n, d), largest variance first; k >= 1.

    Axes whose variance is lost in float32 rounding are left out; the sign makes the largest loading positive, so
    that the same data give the same features on every machine.
    """
    n, d = centered.shape
    # Neither the squares of huge values nor those of tiny ones leave float32.
    centered = centered / max(float(np.abs(centered).max(initial=0.0)), 1e-30)
    by_gram = n < d
    small: NDArray[np.float32] = centered @ centered.T if by_gram else centered.T @ centered
    values, vectors = _leading(small.astype(np.float64), n_components)
    axes = vectors[:, : max(1, int(np.count_nonzero(values > 1e-6 * max(float(values[0]), 1e-30))))]
    if by_gram:
        axes = centered.T.astype(np.float64) @ axes
        axes = axes / np.maximum(np.linalg.norm(axes, axis=0), 1e-12)
    largest = axes[np.abs(axes).argmax(axis=0), np.arange(axes.shape[1])]
    return np.ascontiguousarray(axes * np.where(largest < 0, -1.0, 1.0), dtype=np.float32)


def _by_rows(centred: FloatArray, n_components: int) -> Generator[Progress, None, FloatArray]:
    """Axes (d, m) of few rows with many columns, from their Gram matrix."""
    n, d = centred.shape
    gram = np.zeros((n, n))
    columns = steps.rows_at_once(n * n, 64, d)
    for start in range(0, d, columns):
        part = centred[:, start : start + columns]
        gram += part @ part.T
        yield Progress(WHAT)
    values, vectors = _leading(gram, n_components)
    keep = values > 1e-9 * max(values[0], 1e-30)  # centered rows always lack one direction: its value is divided by
    return np.asarray((centred.T @ vectors[:, keep].astype(np.float32)) / np.sqrt(values[keep]), dtype=np.float32)


def _sketched(
    X: FloatArray, chosen: IndexArray, mean: FloatArray, n_components: int, rng: np.random.Generator
) -> Generator[Progress, None, FloatArray]:
    """Axes (d, m) by subspace iteration from random directions (Halko, Martinsson & Tropp, SIAM Review 53, 2011)."""
    d = X.shape[1]
    width = min(n_components + EXTRA, d)
    sketch = rng.standard_normal((d, width)).astype(np.float32)
    for _ in range(SWEEPS):
        # orthonormal before each sweep: the directions would all turn to the first axis
        directions, _ = np.linalg.qr(sketch)
        sketch, inside = np.zeros((d, width), dtype=np.float32), np.zeros((width, width))
        for block in _blocks(X, chosen, 2 * d * width):
            centred = block - mean
            shadow = centred @ directions
            sketch += centred.T @ shadow
            inside += shadow.T @ shadow
            yield Progress(WHAT)
    _, turn = _leading(inside, n_components)
    return np.asarray(directions @ turn.astype(np.float32), dtype=np.float32)


def _leading(matrix: NDArray[np.float64], wanted: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The largest eigenvalues (m,) of a symmetric matrix and their vectors (d, m), largest first."""
    side = len(matrix)
    values, vectors = eigh(matrix, subset_by_index=(max(side - wanted, 0), side - 1), check_finite=False)
    return values[::-1], vectors[:, ::-1]


def _blocks(X: FloatArray, chosen: IndexArray, work_a_row: int) -> Iterator[FloatArray]:
    """The `chosen` rows of `X` in float32, a step's work at a time."""
    chunk = steps.rows_at_once(work_a_row, 64, CHUNK)
    for start in range(0, len(chosen), chunk):
        yield np.asarray(X[chosen[start : start + chunk]], dtype=np.float32)
        let_go(X)
