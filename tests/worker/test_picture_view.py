"""What the odd ones of a pool of images are looked for in, and whether planted ones are found in it."""

import numpy as np
import pytest

from labeler.core import steps
from labeler.plugins import registry
from labeler.plugins.encoders.hog import DeskewHog
from labeler.plugins.outliers import DEFAULT, sampling
from labeler.plugins.outliers.sampling import scored
from labeler.worker.picture_view import SIDE, Beside, view_of


@pytest.fixture(scope="module")
def pool(digits_path):
    """500 digits and 20 that are none, the last ones: noise, inverted, blank, crossed, five each."""
    rng = np.random.default_rng(0)
    with np.load(digits_path) as arrays:
        images = arrays["X"][:500]
    noise = rng.integers(0, 256, (5, 8, 8), dtype=np.uint8)
    crossed = images[40:45].copy()
    crossed[:, range(8), range(8)] = crossed[:, range(8), range(7, -1, -1)] = 255
    blank = np.zeros((5, 8, 8), dtype=np.uint8)
    blank[3:] = 255
    pictures = np.concatenate((images, noise, 255 - images[10:15], blank, crossed))
    return pictures, DeskewHog().fit(pictures).transform(pictures)


def found(view, method):
    scores = steps.run(scored(view, method, 0))
    return set(np.argsort(-scores, kind="stable")[:20].tolist()) & set(range(500, 520))


def test_the_default_finds_most_of_what_was_planted_among_digits(pool):
    images, features = pool
    hits = found(view_of(features, images, "deskew-hog"), DEFAULT)
    assert len(hits) >= 15
    assert set(range(500, 515)) <= hits  # every noise, inverted and blank one


def test_the_features_alone_are_blind_to_what_is_inverted(pool):
    _, features = pool
    assert not found(features, DEFAULT) & set(range(505, 510))


def test_a_pool_larger_than_the_sample_is_judged_the_same_way(pool, monkeypatch):
    images, features = pool
    monkeypatch.setattr(sampling, "SAMPLE", 400)
    monkeypatch.setattr(sampling, "BLOCK", 64)
    assert len(found(view_of(features, images, "deskew-hog"), DEFAULT)) >= 12


def test_both_parts_weigh_the_same_whatever_their_size():
    rng = np.random.default_rng(1)
    features = rng.normal(0, 1000, (60, 7)).astype(np.float32)
    images = rng.integers(0, 256, (60, 20, 30, 3), dtype=np.uint8)
    view = Beside(features, images)
    assert view.shape == (60, 7 + SIDE * SIDE * 3)
    rows = view[:]
    assert rows.dtype == np.float32
    for part in (rows[:, :7], rows[:, 7:]):
        assert part.var(axis=0).sum() == pytest.approx(1.0, rel=1e-3)
    np.testing.assert_array_equal(view[[3, 50]], rows[[3, 50]])
    np.testing.assert_array_equal(view[10:20], rows[10:20])


@pytest.mark.parametrize(
    ("features", "raw"),
    [
        (np.zeros((0, 4), np.float32), np.zeros((0, 8, 8), np.uint8)),
        (np.ones((1, 4), np.float32), np.zeros((1, 1, 1), np.uint8)),
        (np.ones((30, 4), np.float32), np.full((30, 4, 5), 7, np.uint8)),
    ],
    ids=["none", "one", "all alike"],
)
def test_odd_pools_are_survived(features, raw):
    for name in registry.names("outlier method"):
        scores = steps.run(scored(view_of(features, raw, "hog"), name, 0))
        assert scores.shape == (len(features),)
        assert np.isfinite(scores).all()


@pytest.mark.parametrize(("raw", "encoder"), [(np.zeros((5, 3)), "scaled"), (np.zeros((5, 8, 8)), "pixels")])
def test_tables_texts_and_pixels_stand_for_themselves(raw, encoder):
    features = np.zeros((5, 3), np.float32)
    assert view_of(features, raw, encoder) is features
