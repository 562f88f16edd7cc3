from __future__ import annotations

import numpy as np
import pytest

from labeler.core.numeric import neighbor_graph as graphs
from labeler.core.numeric.neighbor_graph import NeighbourGraph, duplicates, neighbour_graph, normalized
from labeler.core.types import FloatArray
from tests.engine.pools import blobs


def built(X: FloatArray, k: int = 10) -> NeighbourGraph:
    job = neighbour_graph(X, k)
    while True:
        try:
            next(job)
        except StopIteration as end:
            return end.value


def true_neighbours(X: FloatArray, k: int = 10) -> np.ndarray:
    norms = np.square(X.astype(np.float64)).sum(axis=1)
    squared = norms[:, None] + norms[None, :] - 2 * X.astype(np.float64) @ X.T
    np.fill_diagonal(squared, np.inf)
    return np.argsort(squared, axis=1)[:, :k]


def recall(found: np.ndarray, true: np.ndarray) -> float:
    return float(np.mean([len(set(a) & set(b)) / len(b) for a, b in zip(found, true, strict=True)]))


def test_small_pools_are_exact() -> None:
    X, _ = blobs(400)
    assert recall(built(X).neighbours, true_neighbours(X)) > 0.999


@pytest.mark.slow
@pytest.mark.parametrize("size", [60, 200, 5000])
def test_large_pools_keep_a_recall_of_95_percent(monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    monkeypatch.setattr(graphs, "EXACT_UP_TO", 500)
    monkeypatch.setattr(graphs, "CELL_SIZE", size)
    X, _ = blobs(3000, n_classes=10, d=40)
    assert recall(built(X).neighbours, true_neighbours(X)) >= 0.95


def pairs_compared(monkeypatch: pytest.MonkeyPatch, X: FloatArray) -> tuple[NeighbourGraph, int]:
    """The graph by cells of forty, and how many pairs of rows were looked at for it."""
    monkeypatch.setattr(graphs, "EXACT_UP_TO", 500)
    monkeypatch.setattr(graphs, "CELL_SIZE", 40)
    compared, knn = 0, graphs.faiss.knn

    def counted(queries: FloatArray, points: FloatArray, k: int) -> tuple[FloatArray, np.ndarray]:
        nonlocal compared
        compared += len(queries) * len(points)
        return knn(queries, points, k)

    monkeypatch.setattr(graphs.faiss, "knn", counted)
    return built(X), compared


def test_a_pool_of_copies_is_not_compared_all_with_all(monkeypatch: pytest.MonkeyPatch) -> None:
    X = np.random.default_rng(0).normal(size=(3_000, 8)).astype(np.float32)
    X[500:] = X[0]  # blank pages, five in six
    graph, compared = pairs_compared(monkeypatch, X)
    assert compared < len(X) ** 2 / 4
    assert (graph.neighbours != np.arange(len(X))[:, None]).all()
    assert graph.distances[500:].max() < 1e-2
    assert recall(graph.neighbours[1:500], true_neighbours(X)[1:500]) > 0.8
    assert (duplicates(X, graph)[500:] == 0).all()


@pytest.mark.parametrize("n", [362, 363, 364, 365])  # around the size at which one cell falls into three blocks
def test_every_copy_of_one_row_has_all_its_neighbors(monkeypatch: pytest.MonkeyPatch, n: int) -> None:
    monkeypatch.setattr(graphs, "EXACT_UP_TO", 200)
    monkeypatch.setattr(graphs, "CELL_SIZE", 20)
    graph = built(np.ones((n, 3), dtype=np.float32))
    assert (graph.neighbours != np.arange(n)[:, None]).all()
    assert (np.diff(graph.weights.indptr) > 0).all()


def test_what_a_row_costs_hardly_grows_with_the_pool(monkeypatch: pytest.MonkeyPatch) -> None:
    costs = [pairs_compared(monkeypatch, blobs(n, n_classes=10, d=8)[0])[1] for n in (2_000, 16_000)]
    assert costs[1] < 8**1.35 * costs[0]  # cells are not all of one size


def test_weights_are_symmetric_and_leave_oneself_out() -> None:
    weights = built(blobs(200)[0]).weights
    assert abs(weights - weights.T).max() == 0
    assert weights.diagonal().max() == 0
    assert 0 < weights.data.min() <= weights.data.max() <= 1


def test_the_normalised_graph_has_a_spectrum_within_one() -> None:
    matrix, degrees = normalized(built(blobs(150)[0]).weights)
    values = np.linalg.eigvalsh(matrix.toarray())
    assert values.max() == pytest.approx(1, abs=1e-5)
    assert values.min() >= -1 - 1e-5
    assert (degrees > 0).all()


@pytest.mark.parametrize("n", [1, 2, 5, 11])
def test_fewer_instances_than_neighbours(n: int) -> None:
    found = built(np.random.default_rng(0).normal(size=(n, 3)).astype(np.float32))
    assert found.neighbours.shape == (n, min(10, n - 1))
    assert (found.neighbours != np.arange(n)[:, None]).all()


def test_identical_rows_repeat_the_first_of_them() -> None:
    X, _ = blobs(100)
    X[[7, 40, 90]] = X[3]
    first_of = duplicates(X, built(X))
    assert (first_of[[3, 7, 40, 90]] == 3).all()
    others = np.setdiff1d(np.arange(100), [3, 7, 40, 90])
    assert (first_of[others] == others).all()
