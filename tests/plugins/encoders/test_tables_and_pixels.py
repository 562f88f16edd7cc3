from __future__ import annotations

import numpy as np
import pytest
from sklearn.decomposition import PCA

from labeler.plugins.encoders.pca import Pca
from labeler.plugins.encoders.pixels import Pixels
from labeler.plugins.encoders.raster import resize, to_grey
from labeler.plugins.encoders.scaled import Scaled

rng = np.random.default_rng(0)


def test_pixels_are_the_image_over_255() -> None:
    images = rng.integers(0, 256, (4, 5, 6, 3)).astype(np.uint8)
    np.testing.assert_allclose(Pixels().transform(images), images.reshape(4, -1) / 255, atol=1e-6)


def test_a_table_passes_as_it_is() -> None:
    table = rng.normal(size=(4, 7)).astype(np.float32)
    np.testing.assert_array_equal(Pixels().fit(table).transform(table), table)


@pytest.mark.parametrize("shape", [(300, 6, 6), (30, 12, 12)], ids=["covariance", "gram"])
def test_pca_is_that_of_scikit_learn(shape: tuple[int, int, int]) -> None:
    images = rng.integers(0, 256, shape).astype(np.uint8)
    ours = Pca(5).fit(images).transform(images)
    theirs = PCA(5, svd_solver="full").fit_transform(images.reshape(len(images), -1) / 255)
    np.testing.assert_allclose(np.abs(ours), np.abs(theirs), atol=1e-3)


def test_pca_keeps_no_more_than_there_is() -> None:
    line = np.outer(np.arange(20), np.ones(30)).astype(np.float32)
    assert Pca(10).fit(line).transform(line).shape == (20, 1)


def test_pca_refuses_other_rows_than_it_was_fitted_on() -> None:
    pca = Pca().fit(np.zeros((4, 5, 5), np.uint8))
    with pytest.raises(ValueError, match="fitted on 25 values"):
        pca.transform(np.zeros((4, 6, 6), np.uint8))
    with pytest.raises(ValueError, match="fit comes before"):
        Pca().transform(np.zeros((4, 6, 6), np.uint8))


def test_scaled_columns_have_mean_0_and_variance_1() -> None:
    table = rng.normal([5, -1000, 1e-5], [2, 300, 1e-6], (500, 3)).astype(np.float32)
    scaled = Scaled().fit(table).transform(table)
    np.testing.assert_allclose(scaled.mean(axis=0), 0, atol=1e-4)
    np.testing.assert_allclose(scaled.std(axis=0), 1, atol=1e-3)


def test_constant_columns_gaps_and_wild_values_do_no_harm() -> None:
    table = rng.normal(size=(50, 3)).astype(np.float32)
    table[:, 0] = 1e6
    table[3, 1] = np.nan
    encoder = Scaled().fit(table)
    scaled = encoder.transform(table)
    assert (scaled[:, 0] == 0).all()
    assert scaled[3, 1] == 0
    assert encoder.transform(np.array([[0, 0, 1e30]], np.float32))[0, 2] == 10


def test_luminance_is_pillows() -> None:
    colour = np.array([[[[255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 255]]]], np.uint8)
    np.testing.assert_allclose(to_grey(colour)[0, 0], [0.299, 0.587, 0.114, 1], atol=1e-5)


@pytest.mark.parametrize(("source", "target"), [(8, 28), (64, 28), (28, 28), (5, 7)])
def test_resizing_keeps_ramps_and_constants(source: int, target: int) -> None:
    ramp = ((np.arange(source) + 0.5) / source).astype(np.float32)
    image = np.broadcast_to(ramp, (2, source, source))
    out = resize(np.ascontiguousarray(image), target, target)
    inside = slice(target // 3, -(target // 3))
    np.testing.assert_allclose(out[0, 0, inside], ((np.arange(target) + 0.5) / target)[inside], atol=1e-3)
    np.testing.assert_allclose(resize(np.ones((1, source, source), np.float32), target, target), 1, atol=1e-5)
