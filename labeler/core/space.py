"""The space z the engine works in: principal components next to a diffusion map of their neighbour graph.

Clusters, questions and both label models live in z; in it classes lie apart that touch in the encoder's space.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass

import numpy as np
from scipy import sparse
from scipy.sparse.linalg import eigsh

from labeler.core.graph import NeighbourGraph, duplicates, neighbour_graph, normalized
from labeler.core.vocabulary import FloatArray, IndexArray, Progress

N_COMPONENTS = 100
N_DIFFUSION = 20
POWER = 5
FIT_ROWS = 20_000
CHUNK = 8_192


@dataclass(frozen=True, slots=True)
class PrincipalAxes:
    """The mean (d,) and the leading `axes` (d, m) of a pool's features."""

    mean: FloatArray
    axes: FloatArray

    def project(self, X: FloatArray) -> FloatArray:
        """Components (n, m) float32 of `X` (n, d), unscaled (never whitened)."""
        out = np.empty((len(X), self.axes.shape[1]), dtype=np.float32)
        for start in range(0, len(X), CHUNK):
            block = np.asarray(X[start : start + CHUNK], dtype=np.float32)
            out[start : start + CHUNK] = (block - self.mean) @ self.axes
        return out


def principal_axes(X: FloatArray, n_components: int = N_COMPONENTS, random_state: int = 0) -> PrincipalAxes:
    """The at most `n_components` leading axes of `X` (n, d), fitted on at most FIT_ROWS rows."""
    n, d = X.shape
    rng = np.random.default_rng(random_state)
    rows = X if n <= FIT_ROWS else X[np.sort(rng.choice(n, FIT_ROWS, replace=False))]
    rows = np.asarray(rows, dtype=np.float32)
    mean = rows.mean(axis=0, dtype=np.float64).astype(np.float32)
    if d <= n_components:
        return PrincipalAxes(mean, np.eye(d, dtype=np.float32))
    centred = rows - mean
    if len(rows) < d:  # the small side: Gram matrix
        values, vectors = np.linalg.eigh((centred @ centred.T).astype(np.float64))
        keep = np.flatnonzero(values > 1e-9 * max(values[-1], 1e-30))[::-1][:n_components]
        axes = (centred.T @ vectors[:, keep].astype(np.float32)) / np.sqrt(values[keep]).astype(np.float32)
    else:
        _, vectors = np.linalg.eigh((centred.T @ centred).astype(np.float64))
        axes = vectors[:, ::-1][:, :n_components].astype(np.float32)
    return PrincipalAxes(mean, np.ascontiguousarray(axes if axes.shape[1] else np.eye(d, 1, dtype=np.float32)))


def diffusion_map(
    weights: sparse.csr_array, n_dimensions: int = N_DIFFUSION, power: float = POWER, random_state: int = 0
) -> FloatArray:
    """Coordinates (n, m) float32: the leading random-walk eigenvectors times their eigenvalue to the `power`.

    Coifman & Lafon, "Diffusion maps" (2006). The constant eigenvector is left out.
    """
    n = weights.shape[0]
    m = min(n_dimensions, n - 2)
    if m < 1 or weights.nnz == 0:
        return np.zeros((n, 0), dtype=np.float32)
    matrix, degrees = normalized(weights)
    if n <= 400:
        values, vectors = np.linalg.eigh(matrix.toarray().astype(np.float64))
        values, vectors = values[::-1][: m + 1], vectors[:, ::-1][:, : m + 1]
    else:
        start = np.random.default_rng(random_state).standard_normal(n).astype(np.float32)
        values, vectors = eigsh(matrix, k=m + 1, which="LA", v0=start, tol=1e-3, ncv=min(n - 1, 3 * m + 10))
        order = np.argsort(-values)
        values, vectors = values[order], vectors[:, order]
    root = np.sqrt(np.where(degrees > 0, degrees, np.inf))
    coordinates = vectors / np.where(np.isfinite(root), root, 1.0)[:, None]
    coordinates *= np.sqrt(degrees.sum() / n)
    kept = np.clip(values, 0.0, 1.0) ** power
    return np.ascontiguousarray(coordinates[:, 1:] * kept[1:], dtype=np.float32)


def joined(parts: list[FloatArray]) -> FloatArray:
    """Columns side by side, each part (n, d_i) scaled to a total variance of 1; constant parts add nothing."""
    scaled = []
    for part in parts:
        centred = part - part.mean(axis=0, dtype=np.float64).astype(np.float32)
        variance = float(np.square(centred, dtype=np.float64).sum()) / max(len(part), 1)
        if part.shape[1] and variance > 1e-12:
            scaled.append(centred / np.float32(np.sqrt(variance)))
    if not scaled:
        return np.zeros((len(parts[0]), 1), dtype=np.float32)
    return np.ascontiguousarray(np.concatenate(scaled, axis=1), dtype=np.float32)


@dataclass(frozen=True, slots=True)
class Space:
    """Where the engine works: the encoder's `components` (n, <= 100), `z` (n, <= 120), the neighbour graph **of z**.

    `first_of` (n,) int64 is the first instance that each one repeats: itself, unless it is a duplicate.
    """

    axes: PrincipalAxes
    components: FloatArray
    z: FloatArray
    graph: NeighbourGraph
    first_of: IndexArray


def space(X: FloatArray, n_dimensions: int = N_DIFFUSION, random_state: int = 0) -> Generator[Progress, None, Space]:
    """Yield signs of life; return the space of features `X` (n, d)."""
    yield Progress("finding principal components")
    axes = principal_axes(X, random_state=random_state)
    components = axes.project(X)
    graph = yield from neighbour_graph(components, random_state=random_state)
    yield Progress("mapping the graph")
    diffusion = diffusion_map(graph.weights, n_dimensions, random_state=random_state)
    z = joined([components, diffusion])
    first_of = duplicates(components, graph)
    return Space(axes, components, z, (yield from neighbour_graph(z, random_state=random_state)), first_of)
