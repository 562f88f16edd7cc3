"""A second opinion on every label, given ones and machine ones: what would all the others say?

A kernel ridge regression on the encoder's own components takes every instance's current label as a target and
predicts each instance from all the *others*, in closed form (h_ii of the hat matrix). It errs elsewhere than graph
and kernel in z do, so where it disagrees there is an error twice as often as where their margin is small. The hat
matrix does not depend on the labels: it is factored once (Nystroem, Williams & Seeger 2001), an opinion is then two
thin matrix products, and the first of them only follows the labels that changed.
"""

from __future__ import annotations

from collections.abc import Generator
from copy import copy

import numpy as np
from numpy.typing import NDArray
from scipy.fft import dct
from scipy.linalg import blas, cholesky, lapack

from labeler.core.numeric.kernels import gaussian
from labeler.core.steps import rows_at_once
from labeler.core.types import FloatArray, IndexArray, IntArray, Progress
from labeler.engine.kernel_ridge import median_distance

GAMMA = 0.75
RIDGE = 0.1
CHUNK = 256
"""Rows widened to float32 at a time: they stay in the processor's cache."""
COLUMNS = 256
FOLLOWED = 8
"""Sums are followed while fewer than one label in so many changes; beyond, they are taken anew."""
SMALLEST = 2.0**-20  # a row of zeros has a scale, too, and a power of two is exact


def n_landmarks(n: int) -> int:
    """Landmarks for a pool of `n`: more are better; time bounds them in small pools, memory in large ones."""
    if n <= 20_000:
        return min(n, max(600, min(n // 5, 2_000)))
    # 600 at 70,000 save 29 MB of 206, but 0.18 points fewer are right after 20 answers (benchmarks/engine_speed.md)
    return 1_000 if n <= 100_000 else 200


class SecondOpinion:
    """Kernel ridge over the whole pool, each instance left out.

    Parameters
    ----------
    landmarks, to_hat
        (m, d) and (m, r) float32: kernel columns of the landmarks times `to_hat` are rows of the factor.
    hat, scale
        (n, r) int8 and (n,) float32: the hat matrix is H @ H.T with the rows of H = hat * scale. The scales are short
        numbers, so that class sums of H's rows in float64 are exact: whatever the order of the changes that led
        to labels, the same labels give the same bits.
    """

    def __init__(
        self, gamma: float, landmarks: FloatArray, to_hat: FloatArray, hat: NDArray[np.int8], scale: FloatArray
    ) -> None:
        self.gamma, self.landmarks, self.to_hat = gamma, landmarks, to_hat
        self.hat, self.scale = hat, scale
        norms = np.empty(len(hat), dtype=np.float32)
        for rows in _chunks(len(hat)):
            norms[rows] = np.square(hat[rows], dtype=np.float32).sum(axis=1)
        self.leverage = np.minimum(norms * np.square(scale), np.float32(0.999))  # 1 - leverage is divided by
        self.sums = ClassSums(hat, scale)

    def scores(self, positions: IntArray, n_classes: int, *, fresh: bool = False) -> FloatArray:
        """Scores (n, k) of every instance by the labels `positions` (n,) of all others; -1 = no label, no say.

        `fresh` uses nothing kept from earlier calls.
        """
        fitted = np.empty((len(positions), n_classes), dtype=np.float32)
        _fit(self.hat, self.sums_of(positions, n_classes, fresh=fresh), fitted)
        fitted *= self.scale[:, None]
        return _left_out(fitted, positions, self.leverage)

    def scores_of(self, points: FloatArray, positions: IntArray, n_classes: int) -> FloatArray:
        """Scores (m, k) of instances outside the pool at `points` (m, d)."""
        coefficients = self.coefficients(positions, n_classes)
        return np.asarray(gaussian(points, self.landmarks, self.gamma) @ coefficients, dtype=np.float32)

    def coefficients(self, positions: IntArray, n_classes: int) -> FloatArray:
        """Return the factors (m, k) of the landmarks' kernel columns in the scores of anything else."""
        return np.asarray(self.to_hat @ self.sums_of(positions, n_classes, fresh=True).astype(np.float32))

    def sums_of(self, positions: IntArray, n_classes: int, *, fresh: bool = False) -> NDArray[np.float64]:
        """The sums (r, k) of the factor's rows by their labels."""
        return self.sums.anew(positions, n_classes) if fresh else self.sums.following(positions, n_classes)


class ClassSums:
    """The sums (r, k) of a factor's rows by their labels, which follow labels as they change."""

    def __init__(self, hat: NDArray[np.int8], scale: FloatArray) -> None:
        self._hat, self._scale = hat, scale
        self._positions: IntArray = np.empty(0, dtype=np.int32)
        self._sums: NDArray[np.float64] = np.empty((hat.shape[1], 0))

    def apart(self) -> ClassSums:
        """Return sums that begin with these and follow labels of their own."""
        other = copy(self)
        other._positions, other._sums = self._positions.copy(), self._sums.copy()
        return other

    def anew(self, positions: IntArray, n_classes: int) -> NDArray[np.float64]:
        """The sums by the labels `positions` (n,), from nothing kept."""
        sums = np.zeros((self._hat.shape[1], n_classes))
        self._change(sums, np.full_like(positions, -1), positions, np.flatnonzero(positions >= 0))
        return sums

    def following(self, positions: IntArray, n_classes: int) -> NDArray[np.float64]:
        """The same sums, by what changed since the last ones; the next ones change them in place."""
        changed = None
        if n_classes == self._sums.shape[1] and len(self._positions):
            changed = np.flatnonzero(positions != self._positions)
        if changed is None or FOLLOWED * len(changed) > len(positions):
            self._sums = self.anew(positions, n_classes)
        else:
            self._change(self._sums, self._positions, positions, changed)
        self._positions = positions.copy()
        return self._sums

    def _change(self, sums: NDArray[np.float64], before: IntArray, after: IntArray, rows: NDArray[np.intp]) -> None:
        """Move the factor's `rows` from the sums of their classes `before` to those `after`, in place."""
        for part in _chunks(len(rows)):
            some = rows[part]
            targets = np.zeros((len(some), sums.shape[1]))
            for positions, sign in ((before[some], -1.0), (after[some], 1.0)):
                labeled = np.flatnonzero(positions >= 0)
                targets[labeled, positions[labeled]] += sign * self._scale[some[labeled]]
            sums += self._hat[some].astype(np.float64).T @ targets


class ShortOpinion:
    """The scores of some instances, `rows` (s,), by the labels of all."""

    def __init__(self, whole: SecondOpinion, rows: IndexArray) -> None:
        self._rows = rows
        self._hat, self._scale, self._leverage = whole.hat[rows], whole.scale[rows], whole.leverage[rows]
        self._sums = whole.sums.apart()

    def apart(self) -> ShortOpinion:
        """Return the same rows for labels of another kind, whose changes are followed by themselves."""
        other = copy(self)
        other._sums = self._sums.apart()
        return other

    def scores(self, positions: IntArray, n_classes: int) -> FloatArray:
        """Scores (s, k) by the labels `positions` (n,) of the whole pool."""
        fitted = np.empty((len(self._rows), n_classes), dtype=np.float32)
        # all classes, whatever changed: a product of fewer columns may have other bits
        _fit(self._hat, self._sums.following(positions, n_classes), fitted)
        fitted *= self._scale[:, None]
        return _left_out(fitted, positions[self._rows], self._leverage)


def _fit(hat: NDArray[np.int8], sums: NDArray[np.float64], out: FloatArray) -> None:
    narrow = sums.astype(np.float32)
    for rows in _chunks(len(hat)):
        np.matmul(hat[rows].astype(np.float32), narrow, out=out[rows])


def _left_out(fitted: FloatArray, positions: IntArray, leverage: FloatArray) -> FloatArray:
    """Return what is `fitted` (n, k), in place without each instance's own label."""
    labeled = np.flatnonzero(positions >= 0)
    fitted[labeled, positions[labeled]] -= leverage[labeled]
    fitted /= np.where(positions >= 0, 1.0 - leverage, np.float32(1.0))[:, None]
    return fitted


def second_opinion(points: FloatArray, random_state: int = 0) -> Generator[Progress, None, SecondOpinion]:
    """Yield signs of life; return what judges labels on `points` (n, d)."""
    yield Progress("preparing second opinions")
    rng = np.random.default_rng(random_state)
    n = len(points)
    m = n_landmarks(n)
    gamma = GAMMA / median_distance(points, random_state)
    landmarks = points[np.sort(rng.choice(n, m, replace=False))]
    step = rows_at_once(m * m, CHUNK, 16 * CHUNK)
    square = gaussian(landmarks, landmarks, gamma).astype(np.float64, order="F")
    square[np.diag_indices(m)] += 1e-6 * square.sum(axis=0).max()  # what float32 leaves of the smallest eigenvalues
    yield Progress("preparing second opinions", 0, 2 * n)
    yield from _invert_root(square)
    whiten = square.T.astype(np.float32, order="F")
    square[:] = 0.0
    square[np.diag_indices(m)] = RIDGE
    for start in range(0, n, step):
        block = _times(gaussian(points[start : start + step], landmarks, gamma), whiten)
        for first in range(0, m, COLUMNS):  # the lower half alone; at once it would be as large as the sum
            square[first:, first : first + COLUMNS] += (block[:, first : first + COLUMNS].T @ block[:, first:]).T
        yield Progress("preparing second opinions", start, 2 * n)
    yield from _invert_root(square)
    root = square.T.astype(np.float32, order="F")
    del square
    # with random signs the cosine transform spreads any row over all its entries: int8 then holds it well
    root *= rng.choice((-1.0, 1.0), m).astype(np.float32)
    to_hat = np.empty((m, m), dtype=np.float32, order="F")
    for start in range(0, m, step):
        to_hat[start : start + step] = _times(whiten[start : start + step].copy(order="C"), root)
        yield Progress("preparing second opinions", n, 2 * n)
    del whiten, root
    # the largest array there is, 67 MiB at 70,000 rows: in float32 it would be four times that
    hat, scale = np.empty((n, m), dtype=np.int8), np.empty(n, dtype=np.float32)
    for start in range(0, n, step):
        rows = slice(start, start + step)
        hat[rows], scale[rows] = _rounded(_mixed(_times(gaussian(points[rows], landmarks, gamma), to_hat)))
        yield Progress("preparing second opinions", n + start, 2 * n)
    return SecondOpinion(gamma, landmarks, _mixed(to_hat), hat, scale)


def _invert_root(matrix: NDArray[np.float64]) -> Generator[Progress, None, None]:
    """Put L (m, m) in the place of `matrix`, positive definite and in column order: L.T @ L is its inverse.

    By Cholesky, ten times faster than by eigh; nothing as large as the matrix is made.
    """
    lower = cholesky(matrix, lower=True, overwrite_a=True, check_finite=False)
    assert np.shares_memory(lower, matrix)  # noqa: S101 - a copy would be lost below
    yield Progress("preparing second opinions")
    lapack.dtrtri(lower, lower=1, overwrite_c=1)
    yield Progress("preparing second opinions")


def _times(rows: FloatArray, triangle: FloatArray) -> FloatArray:
    """`rows` (b, m) @ `triangle` (m, m), upper, in column order; half the work of a full product. Changes `rows`."""
    return np.asarray(blas.strmm(1.0, triangle, rows.T, trans_a=1, overwrite_b=1).T, dtype=np.float32)


def _mixed(rows: FloatArray) -> FloatArray:
    """`rows` rotated so that the entries of a row are alike: int8 then holds them well, H @ H.T is as it was."""
    return np.asarray(dct(rows, norm="ortho", axis=1), dtype=np.float32)


def _rounded(rows: FloatArray) -> tuple[NDArray[np.int8], FloatArray]:
    """Each of the `rows` (b, r) as int8 times a scale (b,) of eight binary digits."""
    fraction, exponent = np.frexp(np.maximum(np.abs(rows).max(axis=1, initial=0.0) / 127.0, SMALLEST))
    scale = np.ldexp(np.ceil(fraction * 256.0) / 256.0, exponent).astype(np.float32)
    return np.rint(rows / scale[:, None]).astype(np.int8), scale


def _chunks(n: int) -> list[slice]:
    return [slice(start, min(start + CHUNK, n)) for start in range(0, n, CHUNK)]
