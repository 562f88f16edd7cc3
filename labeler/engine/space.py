"""The space z the engine works in: principal components next to a diffusion map of their neighbour graph.

Clusters, questions and both label models live in z; in it classes lie apart that touch in the encoder's space.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from labeler.core.numeric.neighbor_graph import NeighbourGraph, duplicates, neighbour_graph, normalized
from labeler.core.numeric.pca import PrincipalAxes, principal_axes
from labeler.core.types import FloatArray, IndexArray, Progress

N_DIFFUSION = 20  # coordinates of the diffusion map beside the components
POWER = 5  # steps of the walk behind it: what differs farther away counts less
MANY_GROUPS = 0.5
"""Of the first coordinate's variance the last one has so much or more where a pool has more groups than coordinates:
.58 and .60 for photos of 30 and 43 kinds in a network's view, .92 for 120 kinds of characters; .38 for digits, .1 for
CIFAR. Larger pools have more: MNIST's ten classes .53 for 10,000 images, .68 for 70,000."""
TOLERANCE = 1e-3
RESTARTS = 60  # a search that has not settled by then ends, with what it has
DENSE_UP_TO = 400  # so small that all eigenvectors are had at once, without a search
NUMBERS_A_STEP = 30_000_000
"""Numbers read between two signs of life of the eigenvectors' search."""


def diffusion_map(
    weights: sparse.csr_array, n_dimensions: int = N_DIFFUSION, power: float = POWER, random_state: int = 0
) -> Generator[Progress, None, FloatArray]:
    """Yield signs of life; return coordinates (n, m) float32: leading random-walk eigenvectors times eigenvalue^power.

    Coifman & Lafon, "Diffusion maps" (2006). The constant eigenvector is left out.
    """
    n = weights.shape[0]
    m = min(n_dimensions, n - 2)
    if m < 1 or weights.nnz == 0:
        return np.zeros((n, 0), dtype=np.float32)
    matrix, degrees = normalized(weights)
    if n <= DENSE_UP_TO:
        values, vectors = np.linalg.eigh(matrix.toarray().astype(np.float64))
        values, vectors = values[::-1][: m + 1], vectors[:, ::-1][:, : m + 1]
    else:
        start = np.random.default_rng(random_state).standard_normal(n).astype(np.float32)
        values, vectors = yield from leading_eigenvectors(matrix, m + 1, start, islands(weights, degrees, m + 1))
    root = np.sqrt(np.where(degrees > 0, degrees, np.inf))
    coordinates = vectors / np.where(np.isfinite(root), root, 1.0).astype(np.float32)[:, None]
    coordinates *= np.sqrt(degrees.sum() / n)
    damped = np.clip(values, 0.0, 1.0) ** power  # an odd power of a negative one would turn a coordinate around
    return np.ascontiguousarray(coordinates[:, 1:] * damped[1:], dtype=np.float32)


def islands(weights: sparse.csr_array, degrees: FloatArray, most: int) -> FloatArray:
    """The eigenvectors (m, n) of eigenvalue 1 of a normalised graph: one for each of its largest separate parts.

    A Lanczos process sees one direction of an eigenspace, so that it would miss all but one of them.
    """
    n_parts, part_of = sparse.csgraph.connected_components(weights, directed=False)
    sizes = np.bincount(part_of, minlength=n_parts)
    parts = [part for part in np.argsort(-sizes, kind="stable")[:most] if sizes[part] > 1]
    vectors = np.stack([np.sqrt(np.where(part_of == part, degrees, 0.0)) for part in parts])
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), dtype=np.float32)


def leading_eigenvectors(
    matrix: sparse.csr_array, wanted: int, start: FloatArray, known: FloatArray, tolerance: float = TOLERANCE
) -> Generator[Progress, None, tuple[NDArray[np.float64], FloatArray]]:
    """Yield signs of life; return the `wanted` largest eigenvalues of a symmetric `matrix` and vectors (n, wanted).

    Lanczos with thick restarts (Wu & Simon, SIAM J. Matrix Anal. 22, 2000) and full reorthogonalisation, until each
    residual is below `tolerance` times the eigenvalue, as ARPACK does it, but in steps. `known` (m, n) are orthogonal
    eigenvectors of eigenvalue 1, the largest.
    """
    n, n_known = len(start), len(known)
    if n_known >= wanted:
        return np.ones(wanted), np.ascontiguousarray(known[:wanted].T)
    size = min(n, 3 * wanted + 10)
    basis = np.empty((size, n), dtype=np.float32)
    basis[:n_known] = known
    small = np.diag(np.r_[np.ones(n_known), np.zeros(size - n_known)])
    next_one, read = start - (known @ start) @ known, 0
    next_one /= np.linalg.norm(next_one)
    for restart in range(RESTARTS):
        for row in range(n_known, size):
            basis[row] = next_one
            image = matrix @ next_one
            for _ in range(2):  # twice is enough (Parlett)
                along = basis[: row + 1] @ image
                image -= along @ basis[: row + 1]
                small[row, : row + 1] += along
            length = float(np.linalg.norm(image))
            if length < 1e-6:  # an invariant subspace: go on in a new direction
                image = np.random.default_rng((restart, row)).standard_normal(n).astype(np.float32)
                image -= (basis[: row + 1] @ image) @ basis[: row + 1]
                next_one, length = image / np.linalg.norm(image), 0.0
            else:
                next_one = image / np.float32(length)
            read += 4 * (row + 1) * n + 2 * matrix.nnz
            if read > NUMBERS_A_STEP:
                read = 0
                yield Progress("mapping the graph")
        lower = np.tril(small)
        values, turn = np.linalg.eigh(lower + np.tril(small, -1).T)
        values, turn = values[::-1], turn[:, ::-1]
        residuals = length * np.abs(turn[-1, :wanted])
        if size == n or (residuals <= tolerance * np.abs(values[:wanted])).all():
            break
        n_known = min(wanted + (size - wanted) // 2, size - 1)
        for columns in _blocks(n):
            basis[:n_known, columns] = turn[:, :n_known].T.astype(np.float32) @ basis[:, columns]
        small[:] = 0.0
        small[np.arange(n_known), np.arange(n_known)] = values[:n_known]
        yield Progress("mapping the graph")
    return values[:wanted], np.ascontiguousarray((turn[:, :wanted].T.astype(np.float32) @ basis).T)


def _blocks(n: int, size: int = 4_096) -> list[slice]:
    return [slice(start, start + size) for start in range(0, n, size)]


def at_unit_variance(part: FloatArray) -> tuple[FloatArray, float]:
    """Center `part` (n, d) and scale it, in place, to a total variance of 1 (a constant one: to 0); mean and scale."""
    mean = part.mean(axis=0, dtype=np.float64).astype(np.float32)
    part -= mean
    variance = sum(float(np.square(part[rows], dtype=np.float64).sum()) for rows in _blocks(len(part))) / len(part)
    scale = 1.0 / np.sqrt(variance) if variance > 1e-12 else 1.0
    part *= np.float32(scale)
    return mean, float(scale)


@dataclass(frozen=True, slots=True)
class Space:
    """The engine's space: `z` (n, <= 120), the neighbour graph **of z**, and `axes`, which lead to `components`.

    z is the encoder's components next to the diffusion map, each half of a total variance of 1. `first_of` (n,) int64
    is the first instance that each one repeats: itself, unless it is a duplicate.
    """

    axes: PrincipalAxes
    z: FloatArray
    graph: NeighbourGraph
    first_of: IndexArray
    groups: float = 0.0
    """The degree to which the neighbour graph of the components falls into groups: the variance of the diffusion map,
    the sum of its eigenvalues to the power 2 POWER (von Luxburg, "A tutorial on spectral clustering", 2007). It needs
    no label and compares views of the same pool."""
    has_many_groups: bool = False
    """Whether the pool falls into more groups than the map has coordinates: even the last one still tells groups apart
    (von Luxburg 2007: as many eigenvalues near 1 as there are groups)."""

    @property
    def components(self) -> FloatArray:
        """The encoder's components (n, <= 100): the first columns of z."""
        return self.z[:, : self.axes.axes.shape[1]]


def space(X: FloatArray, n_dimensions: int = N_DIFFUSION, random_state: int = 0) -> Generator[Progress, None, Space]:
    """Yield signs of life; return the space of features `X` (n, d)."""
    axes = yield from principal_axes(X, random_state=random_state)
    width = axes.axes.shape[1]
    z = np.empty((len(X), width + max(0, min(n_dimensions, len(X) - 2))), dtype=np.float32)
    components = z[:, :width]
    yield from axes.project_into(X, components)
    axes = axes.moved(*at_unit_variance(components))
    graph = yield from neighbour_graph(components, random_state=random_state)
    yield Progress("mapping the graph")
    first_of = duplicates(components, graph)
    diffusion = yield from diffusion_map(graph.weights, n_dimensions, random_state=random_state)
    del graph  # the next one is of z: both at once would be the peak of memory
    z[:, width : width + diffusion.shape[1]] = diffusion
    z = z[:, : width + diffusion.shape[1]]
    variances = np.var(z[:, width:], axis=0, dtype=np.float64)
    groups = float(variances.sum())
    is_many = len(variances) == N_DIFFUSION and bool(variances[-1] >= MANY_GROUPS * variances[0] > 0)
    at_unit_variance(z[:, width:])
    return Space(axes, z, (yield from neighbour_graph(z, random_state=random_state)), first_of, groups, is_many)
