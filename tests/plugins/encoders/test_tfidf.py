"""TF-IDF and a truncated SVD."""

from __future__ import annotations

import numpy as np
import pytest

from labeler.plugins.encoders.automatic import choose_encoder
from labeler.plugins.encoders.tfidf import Tfidf


def texts(*some: str) -> np.ndarray:
    return np.array(some, dtype=object)


def test_texts_about_the_same_lie_together_whatever_the_chunk():
    cats, cars = "the cat purrs and the cat sleeps", "the engine of the car roars"
    pool = texts(*[f"{cats} {number}" for number in range(30)], *[f"{cars} {number}" for number in range(30)])
    encoder = Tfidf(n_components=8).fit(pool)
    X = encoder.transform(pool)
    assert X.dtype == np.float32
    assert X.flags.c_contiguous
    np.testing.assert_allclose(np.linalg.norm(X, axis=1), 1, rtol=1e-5)
    like = X @ X.T
    assert like[:30, :30].min() > like[:30, 30:].max()
    np.testing.assert_allclose(np.vstack([encoder.transform(pool[:7]), encoder.transform(pool[7:])]), X, atol=1e-6)
    np.testing.assert_array_equal(Tfidf(n_components=8).fit(pool).transform(pool), X)


@pytest.mark.parametrize("pool", [texts("one"), texts("", ""), texts("!!!", "?"), texts("a b", "caf\udce9 noir")])
def test_small_and_strange_pools(pool):
    encoder = Tfidf().fit(pool)
    X = encoder.transform(pool)
    assert X.shape[0] == len(pool)
    assert np.isfinite(X).all()
    assert not encoder.transform(texts("zzz")).any()  # no word that is known
    assert encoder.transform(pool[:0]).shape == (0, X.shape[1])


def test_it_is_chosen_for_texts_and_refuses_wrong_parameters():
    assert choose_encoder(texts("a", "b"), 0)[0] == "tfidf"
    with pytest.raises(ValueError, match="at least 1"):
        Tfidf(n_components=0)
    with pytest.raises(ValueError, match="fit comes before"):
        Tfidf().transform(texts("a"))
