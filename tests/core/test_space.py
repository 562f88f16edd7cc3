from __future__ import annotations

import numpy as np
import pytest

from labeler.core.space import Space, diffusion_map, joined, principal_axes, space
from labeler.core.vocabulary import FloatArray
from tests.core.pools import blobs


def laid_out(X: FloatArray) -> Space:
    job = space(X)
    while True:
        try:
            next(job)
        except StopIteration as end:
            return end.value


@pytest.mark.parametrize("shape", [(300, 150), (60, 150), (300, 8)])
def test_principal_components_keep_what_they_can(shape: tuple[int, int]) -> None:
    X = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    components = principal_axes(X).project(X)
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
    sparse_map = diffusion_map(weights, 3)
    dense = weights.toarray()
    degrees = dense.sum(axis=1)
    values, vectors = np.linalg.eigh(dense / np.sqrt(np.outer(degrees, degrees)))
    expected = vectors[:, ::-1][:, 1:4] / np.sqrt(degrees / degrees.mean())[:, None] * values[::-1][1:4] ** 5
    for column in range(3):
        assert abs(np.corrcoef(sparse_map[:, column], expected[:, column])[0, 1]) > 0.99


def test_constant_parts_add_nothing() -> None:
    part = np.random.default_rng(0).normal(size=(20, 3)).astype(np.float32)
    assert joined([part, np.ones((20, 5), dtype=np.float32)]).shape == (20, 3)
    assert joined([np.ones((20, 5), dtype=np.float32)]).shape == (20, 1)
