from __future__ import annotations

import numpy as np
import pytest

from labeler.plugins.clusterers.facility_location import FacilityLocation
from tests.engine.pools import blobs


def cost(X, centers):
    """The mean distance to the nearest center: what facility location keeps small."""
    return np.sqrt(np.square(X[:, None, :] - centers[None, :, :]).sum(axis=2)).min(axis=1).mean()


def test_centers_are_instances():
    X, _ = blobs(200)
    found = FacilityLocation().cluster(X, 6, 0)
    assert all((center == X).all(axis=1).any() for center in found.centers)


def test_the_greedy_choice_is_that_of_trying_every_instance():
    X, _ = blobs(60)
    found = FacilityLocation().cluster(X, 3, 0)
    opened = np.empty((0, X.shape[1]), dtype=np.float32)
    for _ in range(3):
        best = min(range(60), key=lambda row: cost(X, np.vstack([opened, X[row]])))
        opened = np.vstack([opened, X[best]])
    assert cost(X, found.centers) == pytest.approx(cost(X, opened), rel=1e-3)


def test_many_copies_of_one_place_get_one_center():
    X = np.repeat(np.eye(3, dtype=np.float32), 40, axis=0)
    found = FacilityLocation().cluster(X, 5, 0)
    assert len(found.centers) == 3
    assert found.inertia == pytest.approx(0)
