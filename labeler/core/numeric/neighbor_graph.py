"""The neighbour graph: who is near whom, and how strongly. One path from 1 row to 1,000,000."""

from __future__ import annotations

import math
from collections.abc import Generator, Iterator
from dataclasses import dataclass

import faiss
import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from labeler.core.numeric.kmeans import lloyd
from labeler.core.types import FloatArray, Progress

EXACT_UP_TO = 20_000
"""Rows up to which every pair is looked at; beyond, each looks into the cells near to it (recall >= .95)."""
CELL_SIZE = 1_280
"""Rows in a cell of the smallest pool that has cells. Large: products of large matrices cost the least a row."""
CELL_GROWTH = 0.2
"""Cells grow by this power of the pool, and with them what a row costs: in groups without finer structure the neighbors
of a row lie in more and more cells of one size."""
PROBED_CELLS = 6
CROWDED = 8
"""A cell of so many times the average is looked into a block at a time: half a pool of blank pages is one cell, and
comparing all with all there would take hours."""
POINTS_A_CELL = 64
CELL_ITERATIONS = 8
BATCH = 2_048


@dataclass(frozen=True, slots=True)
class NeighbourGraph:
    """`neighbours` (n, k) int32 and their `distances` (n, k) float32 (Euclidean), self left out, nearest first.

    `weights` is the symmetric (n, n) float32 CSR affinity built from them.
    """

    neighbours: NDArray[np.int32]
    distances: FloatArray
    weights: sparse.csr_array


def neighbour_graph(
    X: FloatArray, n_neighbors: int = 10, random_state: int = 0
) -> Generator[Progress, None, NeighbourGraph]:
    """Yield signs of life; return the k-nearest-neighbour graph of `X` (n, d) with self-tuned weights."""
    n = len(X)
    k = min(n_neighbors, n - 1)
    neighbours = np.zeros((n, max(k, 0)), dtype=np.int32)
    distances = np.zeros((n, max(k, 0)), dtype=np.float32)
    if k > 0 and n <= EXACT_UP_TO:
        everything = _dense(X)
        for start in range(0, n, BATCH):
            rows = np.arange(start, min(start + BATCH, n))
            squared, positions = faiss.knn(everything[rows], everything, k + 1)  # each finds itself, too
            neighbours[rows], distances[rows] = _without_self(positions, squared, rows, k)
            yield Progress("looking for neighbours", rows[-1] + 1, n)
    elif k > 0:
        yield from _search_cells(X, random_state, neighbours, distances)
    return NeighbourGraph(neighbours, distances, self_tuned_weights(neighbours, distances))


def _search_cells(
    X: FloatArray, random_state: int, neighbours: NDArray[np.int32], distances: FloatArray
) -> Generator[Progress, None, None]:
    """Yield signs of life; fill `neighbours` and `distances` (n, k): of each row, the nearest in the cells near to it.

    Cell by cell: all rows that look into a cell are compared with all that lie in it at once, which is a product of
    matrices and takes a third of the time of looking row by row.
    """
    n, k = neighbours.shape
    size = CELL_SIZE * (n / EXACT_UP_TO) ** CELL_GROWTH
    centers = yield from _centers(X, math.ceil(n / size), random_state)
    looked_into = np.empty((n, min(PROBED_CELLS, len(centers))), dtype=np.int32)
    for start in range(0, n, BATCH):
        batch = slice(start, start + BATCH)
        looked_into[batch] = faiss.knn(_dense(X[batch]), centers, looked_into.shape[1])[1]
        yield Progress("looking for neighbours", 0, n)
    looking, starts = _by_cell(looked_into, len(centers))
    yield Progress("looking for neighbours", 0, n)
    members, first = _by_cell(looked_into[:, :1], len(centers))
    nearest = np.full((n, k + 1), -1, dtype=np.int64)  # each finds itself, too
    squared = np.full((n, k + 1), np.inf, dtype=np.float32)
    for cell, center in enumerate(centers):
        lookers, within = looking[starts[cell] : starts[cell + 1]], members[first[cell] : first[cell + 1]]
        for some, block in _blocks(X, center, lookers, within, math.ceil(CROWDED * size)):
            points = _dense(X[block])
            for start in range(0, len(some), BATCH):
                who = some[start : start + BATCH]
                there, places = faiss.knn(_dense(X[who]), points, k + 1)
                both = (
                    np.stack((squared[who], there)),
                    np.stack((nearest[who], np.where(places < 0, -1, block[places]))),
                )
                squared[who], nearest[who] = faiss.merge_knn_results(*both)
                yield Progress("looking for neighbours", int(n * starts[cell] / len(looking)), n)
    for start in range(0, n, BATCH):
        rows = np.arange(start, min(start + BATCH, n))
        neighbours[rows], distances[rows] = _without_self(nearest[rows], squared[rows], rows, k)


def _blocks(
    X: FloatArray, center: FloatArray, lookers: NDArray[np.int32], within: NDArray[np.int32], largest: int
) -> Iterator[tuple[NDArray[np.int32], NDArray[np.int32]]]:
    """Give who looks (q,) into which rows (m,) of one cell: all into all, or where it is crowded, those as far from its
    center as oneself: near rows are as far from any point, up to their distance (the triangle inequality)."""
    if len(within) <= largest:
        if len(within):
            yield lookers, within
        return
    far = _distances(X, center, within)
    order = np.argsort(far, kind="stable")
    # of one size: copies of a row all look into the last block, and a remnant of fewer than they ask for starves them
    n_blocks = math.ceil(len(order) / largest)
    starts = np.arange(n_blocks) * len(order) // n_blocks
    blocks = np.searchsorted(far[order[starts[1:]]], _distances(X, center, lookers), side="right")
    for block, members in enumerate(np.split(within[order], starts[1:])):
        yield lookers[blocks == block], members


def _distances(X: FloatArray, center: FloatArray, rows: NDArray[np.int32]) -> FloatArray:
    """The squared distances (len(rows),) of `rows` from `center` (d,)."""
    parts = [
        np.square(_dense(X[rows[start : start + BATCH]]) - center).sum(axis=1) for start in range(0, len(rows), BATCH)
    ]
    return np.concatenate([np.empty(0, dtype=np.float32), *parts])


def _by_cell(cells: NDArray[np.int32], n_cells: int) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Return the rows (m,) of cells (n, p) in the order of the cells, and where those of each cell start."""
    flat = cells.ravel()
    order = np.argsort(flat.astype(np.min_scalar_type(n_cells)), kind="stable")  # by radix, where 16 bits hold them
    starts = np.concatenate(([0], np.cumsum(np.bincount(flat, minlength=n_cells))))
    return (order // cells.shape[1]).astype(np.int32), starts


def _centers(X: FloatArray, n_cells: int, random_state: int) -> Generator[Progress, None, FloatArray]:
    """Yield signs of life; return the centers of cells of `X`, `n_cells` or, where rows are copies, fewer."""
    rng = np.random.default_rng(random_state)
    sample = _dense(X[np.sort(rng.choice(len(X), min(len(X), POINTS_A_CELL * n_cells), replace=False))])
    # copies of one center would be the nearest cells of all around, and hide the others
    seeds = np.unique(sample[rng.choice(len(sample), n_cells, replace=False)], axis=0)
    centers, _ = yield from lloyd(sample, seeds, CELL_ITERATIONS)
    return _dense(centers)


def _dense(X: FloatArray) -> FloatArray:
    return np.ascontiguousarray(X, dtype=np.float32)


def _without_self(
    positions: NDArray[np.int64], squared: FloatArray, own_rows: NDArray[np.int64], k: int
) -> tuple[NDArray[np.int32], FloatArray]:
    """Drop each row's own entry (or the farthest one, where duplicates pushed it out); keep the order."""
    rows = own_rows[:, None]
    own = positions == rows
    own[~own.any(axis=1), -1] = True
    keep = ~own
    others = positions[keep].reshape(len(positions), k)
    far = np.sqrt(np.maximum(squared[keep].reshape(len(positions), k), 0.0))
    missing = others < 0  # the cells near to a row may hold fewer: an edge to oneself carries nothing
    others = np.where(missing, rows, others)
    return others.astype(np.int32), np.where(missing, 0.0, far).astype(np.float32)


def self_tuned_weights(neighbours: NDArray[np.int32], distances: FloatArray) -> sparse.csr_array:
    """Symmetric affinity exp(-d_ij^2 / (s_i s_j)), s_i = distance to the last neighbour.

    Zelnik-Manor & Perona, "Self-tuning spectral clustering" (2004). An edge exists if either end names the other.
    """
    n, k = neighbours.shape
    if k == 0:
        return sparse.csr_array((n, n), dtype=np.float32)
    scale = distances[:, -1].copy()
    positive = scale[scale > 0]
    # where all neighbours are copies the scale is 0
    scale = np.maximum(scale, 1e-3 * float(np.median(positive)) if len(positive) else 1.0)
    rows = np.repeat(np.arange(n, dtype=np.int32), k)
    columns = neighbours.ravel()
    values = np.exp(-(distances.ravel() ** 2) / (scale[rows] * scale[columns])).astype(np.float32)
    # a far neighbour stays one: no row loses its last edge to rounding
    values = np.maximum(values, 1e-6)
    values[rows == columns] = 0.0
    one_way = sparse.csr_array((values, (rows, columns)), shape=(n, n))
    both = one_way.maximum(one_way.T).tocsr()
    both.eliminate_zeros()
    both.sort_indices()
    return both


def normalized(weights: sparse.csr_array) -> tuple[sparse.csr_array, FloatArray]:
    """D^-1/2 W D^-1/2 (symmetric, spectrum in [-1, 1]) and the degrees (n,); isolated rows stay empty."""
    degrees = np.asarray(weights.sum(axis=1), dtype=np.float32).ravel()
    root = 1.0 / np.sqrt(np.where(degrees > 0, degrees, 1.0))
    data = weights.data * np.repeat(root, np.diff(weights.indptr))
    data *= root[weights.indices]
    return sparse.csr_array((data, weights.indices, weights.indptr), shape=weights.shape), degrees


def duplicates(X: FloatArray, graph: NeighbourGraph, tolerance: float = 1e-3) -> NDArray[np.int64]:
    """Return for each instance the first (n,) it repeats: itself, or another at (nearly) no distance in `X` (n, d).

    `tolerance` is relative to the median distance to the last neighbour in `graph`, the graph of `X`.
    """
    n, k = graph.neighbours.shape
    first = np.arange(n, dtype=np.int64)
    if k == 0:
        return first
    typical = graph.distances[:, -1]
    typical = typical[typical > 0]
    limit = float(np.median(typical)) if len(typical) else 1.0
    scale = float(np.abs(X).max(initial=0.0))
    # faiss expands (a - b)^2, which leaves rounding errors on equal rows: look closely at what is near
    rows, ranks = np.nonzero(graph.distances <= max(0.03 * limit, 1e-2 * scale))
    others = graph.neighbours[rows, ranks]
    near = np.empty(len(rows), dtype=np.bool_)
    for start in range(0, len(rows), BATCH):
        some = slice(start, start + BATCH)
        near[some] = np.linalg.norm(X[rows[some]] - X[others[some]], axis=1) <= tolerance * limit
    rows, others = rows[near], others[near]
    if not len(rows):
        return first
    links = sparse.csr_array((np.ones(len(rows), dtype=np.int8), (rows, others)), shape=(n, n))
    _, component = sparse.csgraph.connected_components(links, directed=False)
    _, first_of = np.unique(component, return_index=True)
    return np.asarray(first_of[component], dtype=np.int64)
