from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy import sparse

from labeler.core import steps
from labeler.core.numeric.neighbor_graph import normalized
from labeler.core.numeric.pca import principal_axes
from labeler.core.types import FloatArray
from labeler.engine.space import Space, at_unit_variance, diffusion_map, islands, leading_eigenvectors, space
from tests.engine.pools import blobs


def laid_out(X: FloatArray) -> Space:
    return steps.run(space(X))


@pytest.mark.parametrize("shape", [(300, 150), (60, 150), (300, 8)])
def test_principal_components_keep_what_they_can(shape: tuple[int, int]) -> None:
    X = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    components = steps.run(principal_axes(X)).project(X)
    centred = X - X.mean(axis=0)
    values = np.linalg.svd(centred, compute_uv=False) ** 2
    kept = values[: min(100, shape[1], shape[0] - 1)].sum()
    assert np.square(components).sum() == pytest.approx(kept, rel=1e-3)


def test_each_half_of_z_has_the_same_variance() -> None:
    found = laid_out(blobs(500, d=30)[0])
    width = found.components.shape[1]
    assert found.z[:, :width].var(axis=0).sum() == pytest.approx(1, rel=1e-3)
    assert found.z[:, width:].var(axis=0).sum() == pytest.approx(1, rel=1e-3)


def test_classes_lie_farther_apart_in_z() -> None:
    X, y = blobs(500, d=30, spread=2.0)
    found = laid_out(X)

    def separation(points: FloatArray) -> float:
        within = sum(((points[y == c] - points[y == c].mean(axis=0)) ** 2).sum() for c in np.unique(y))
        return 1 - within / ((points - points.mean(axis=0)) ** 2).sum()

    assert separation(found.z) > separation(found.components)


def test_sparse_and_dense_eigenvectors_agree() -> None:
    X = np.random.default_rng(0).normal(size=(450, 3)) * (9, 3, 1)
    weights = laid_out(X.astype(np.float32)).graph.weights
    sparse_map = steps.run(diffusion_map(weights, 3))
    dense = weights.toarray()
    degrees = dense.sum(axis=1)
    values, vectors = np.linalg.eigh(dense / np.sqrt(np.outer(degrees, degrees)))
    expected = vectors[:, ::-1][:, 1:4] / np.sqrt(degrees / degrees.mean())[:, None] * values[::-1][1:4] ** 5
    for column in range(3):
        assert abs(np.corrcoef(sparse_map[:, column], expected[:, column])[0, 1]) > 0.99


def test_constant_parts_add_nothing() -> None:
    part = np.full((20, 3), 7, dtype=np.float32)
    at_unit_variance(part)
    assert not part.any()
    flat = laid_out(np.ones((60, 4), dtype=np.float32))
    assert np.isfinite(flat.z).all()
    assert not flat.components.any()


def test_newcomers_are_projected_to_where_the_pool_lies() -> None:
    X = blobs(300, d=30)[0] + np.float32(5)
    found = laid_out(X)
    np.testing.assert_allclose(found.axes.project(X), found.components, atol=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize(("n", "d"), [(1200, 900), (900, 1200)])
def test_sketched_components_keep_as_much_variance(n: int, d: int) -> None:
    rng = np.random.default_rng(0)
    X = (rng.normal(size=(n, d)) * np.linspace(3, 1, d) + 2).astype(np.float32)
    components = steps.run(principal_axes(X)).project(X)
    values = np.linalg.svd(X - X.mean(axis=0), compute_uv=False) ** 2
    assert components.shape == (n, 100)
    assert np.square(components, dtype=np.float64).sum() >= 0.98 * values[:100].sum()


def test_a_memory_mapped_pool_gives_the_same_components(tmp_path: Path) -> None:
    X = blobs(9_000, d=120)[0]
    np.save(tmp_path / "X.npy", X)
    mapped = np.load(tmp_path / "X.npy", mmap_mode="r")
    axes, same = steps.run(principal_axes(X)), steps.run(principal_axes(mapped))
    np.testing.assert_array_equal(axes.axes, same.axes)
    np.testing.assert_array_equal(axes.project(X), same.project(mapped))


@pytest.mark.parametrize("spread", [1.0, 3.0], ids=["in separate parts", "in one"])
def test_eigenvectors_are_those_of_the_whole_matrix(spread: float) -> None:
    weights = laid_out(blobs(900, n_classes=7, d=5, spread=spread)[0]).graph.weights
    matrix, degrees = normalized(weights)
    start = np.random.default_rng(0).standard_normal(900).astype(np.float32)
    values, vectors = steps.run(leading_eigenvectors(matrix, 12, start, islands(weights, degrees, 12)))
    expected = np.linalg.eigvalsh(matrix.toarray().astype(np.float64))[::-1][:12]
    np.testing.assert_allclose(values, expected, atol=3e-3)
    np.testing.assert_allclose(vectors.T @ vectors, np.eye(12), atol=1e-4)
    assert np.linalg.norm(matrix @ vectors - vectors * values.astype(np.float32), axis=0).max() < 2e-3


@pytest.mark.parametrize("n_parts", [20, 30])
def test_separate_parts_of_a_graph_each_have_their_coordinate(n_parts: int) -> None:
    block = np.ones((30, 30), dtype=np.float32) - np.eye(30, dtype=np.float32)
    weights = sparse.csr_array(sparse.block_diag([block] * n_parts))
    coordinates = steps.run(diffusion_map(weights, 20))
    assert np.isfinite(coordinates).all()
    parts = np.repeat(np.arange(n_parts), 30)
    assert len(np.unique(coordinates.round(3), axis=0)) >= min(n_parts, 21)
    assert all(np.ptp(coordinates[parts == part], axis=0).max() < 1e-3 for part in range(n_parts))


def test_no_step_of_laying_out_takes_more_than_its_share(monkeypatch: pytest.MonkeyPatch) -> None:
    X = blobs(1_000, d=40)[0]
    whole = sum(1 for _ in space(X))
    monkeypatch.setattr("labeler.engine.space.NUMBERS_A_STEP", 100_000)
    monkeypatch.setattr("labeler.core.steps.WORK", 1)
    assert sum(1 for _ in space(X)) > whole + 30
