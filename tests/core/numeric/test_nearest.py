"""The nearest of a kind."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from labeler.core.numeric.nearest import CHUNK, nearest, squared_distances
from labeler.engine.book import BookEngine
from labeler.engine.default import DefaultEngine
from labeler.plugins.registry import create
from tests.engine.pools import blobs, snapshot

NONE = np.empty(0, dtype=np.int64)


@given(st.lists(st.integers(0, 3), min_size=1, max_size=40), st.integers(1, 45), st.data())
def test_it_is_the_sorted_order_with_ties_by_place(values, size, data):
    rows = np.array(values, dtype=np.float32)[:, None]
    index = data.draw(st.integers(0, len(values) - 1))
    candidates = np.array([data.draw(st.booleans()) for _ in values])
    expected = sorted(np.flatnonzero(candidates), key=lambda row: (abs(values[row] - values[index]), row))[:size]
    assert nearest(rows, index, candidates, size).tolist() == expected


def test_chunks_leave_no_seam():
    rows = np.random.default_rng(0).normal(size=(CHUNK + 5, 3)).astype(np.float32)
    whole = np.square(rows - rows[CHUNK + 1]).sum(axis=1)
    np.testing.assert_allclose(squared_distances(rows, CHUNK + 1), whole, rtol=1e-5)


@pytest.mark.parametrize("kind", ["default", "book"])
def test_engines_name_open_instances_of_the_same_group(kind):
    X, y = blobs()
    engine = (
        DefaultEngine(random_state=0)
        if kind == "default"
        else BookEngine(
            create("clusterer", "kmeans"), create("classifier", "logreg"), create("strategy", "margin-clusters")
        )
    )
    list(engine.open(X))
    state = snapshot([0, 1, 2], [0, 1, 2], excluded=[3], held_back=[4], deferred=[5])
    found = engine.similar(state, 0, 25, np.array([6], dtype=np.int64))
    assert len(found) == 25
    assert not set(found.tolist()) & set(range(7))
    assert (y[found] == y[0]).all()
    assert np.array_equal(found, engine.similar(state, 0, 25, np.array([6], dtype=np.int64)))
    again = engine.similar(state, 0, 25, found)
    assert not set(again.tolist()) & set(found.tolist())
    everyone = engine.similar(state, 0, 1000, NONE)
    assert len(everyone) == len(X) - 6
    assert engine.similar(snapshot([1], [0]), 0, 3, NONE)[0] == 0
