"""The encoders that k-means makes, on real pictures: two photographs in tiles, and the digits."""

from __future__ import annotations

import numpy as np
import pytest

from labeler.plugins.classifiers.logreg import LogReg
from labeler.plugins.encoders.kmeans_distances import KMeansDistances
from labeler.plugins.encoders.palette import Palette
from labeler.plugins.encoders.patches import Patches
from tests.plugins.clusterers.digits import X as DIGITS
from tests.plugins.clusterers.digits import Y


@pytest.fixture(scope="module")
def tiles():
    """Tiles of two photographs (a temple under a grey sky, a flower on green) and which one each is of."""
    from sklearn.datasets import load_sample_images

    found = []
    for image in load_sample_images().images:
        rows, columns = (side // 32 * 32 for side in image.shape[:2])
        cut = image[:rows, :columns].reshape(rows // 32, 32, columns // 32, 32, 3).swapaxes(1, 2)
        found.append(cut.reshape(-1, 32, 32, 3))
    return np.concatenate(found), np.repeat([0, 1], [len(part) for part in found]).astype(np.int32)


def learned(X, y, share=0.1):
    """Accuracy on the rest of a logistic regression fitted on a share."""
    rows = np.random.default_rng(0).permutation(len(X))
    few, rest = rows[: int(share * len(X))], rows[int(share * len(X)) :]
    model = LogReg().fit(X[few], y[few])
    return float((model.classes_[model.predict_proba(X[rest]).argmax(axis=1)] == y[rest]).mean())


@pytest.mark.slow
def test_the_palette_tells_photographs_by_their_colors(tiles):
    images, y = tiles
    features = Palette().fit(images).transform(images)
    np.testing.assert_allclose(np.square(features).sum(axis=1), 1, rtol=1e-5)  # shares of pixels
    assert features.shape[1] == 32
    assert learned(features, y, 0.3) > 0.93


def test_a_palette_of_the_colors_there_are_counts_them_exactly():
    red, blue = np.zeros((8, 8, 3), np.uint8), np.zeros((8, 8, 3), np.uint8)
    red[..., 0], blue[..., 2] = 255, 255
    mixed = red.copy()
    mixed[:2] = blue[:2]
    features = Palette(colors=5).fit(np.stack([red, blue])).transform(np.stack([red, blue, mixed]))
    assert features.shape == (3, 2)
    assert sorted(np.square(features[2]).tolist()) == pytest.approx([0.25, 0.75])
    with pytest.raises(ValueError, match="3 channels"):
        Palette().fit(np.stack([red])).transform(np.zeros((1, 8, 8), np.uint8))


@pytest.mark.slow
def test_patches_tell_photographs_and_digits_from_few(tiles):
    images, y = tiles
    assert learned(Patches(k=64).fit(images).transform(images), y) > 0.93
    digits = (DIGITS * 255).astype(np.uint8).reshape(-1, 8, 8)
    features = Patches(k=64).fit(digits).transform(digits)
    assert features.shape == (len(digits), 256)
    assert learned(features, Y.astype(np.int32)) > 0.92


def test_a_patch_feature_follows_its_quarter():
    rng = np.random.default_rng(0)
    images = np.zeros((40, 32, 32), np.uint8)
    images[:20, 2:12, 2:12] = images[20:, 20:30, 20:30] = rng.integers(0, 256, (20, 10, 10))
    quarters = Patches(k=16).fit(images).transform(images).reshape(40, 4, 16)
    spread = quarters.std(axis=0).sum(axis=1)
    assert spread[[0, 3]].min() > 10 * spread[[1, 2]].max()  # the other two hold nothing in any image
    flat = quarters[0, 1]
    assert np.abs(quarters[:20, 3] - flat).max() < 1e-4 < np.abs(quarters[:20, 0] - flat).max()
    assert np.abs(quarters[20:, 0] - flat).max() < 1e-4 < np.abs(quarters[20:, 3] - flat).max()


def test_distances_are_those_to_the_centers_and_enough_to_tell_digits():
    encoder = KMeansDistances(k=50).fit(DIGITS)
    features = encoder.transform(DIGITS)
    centers = encoder._centers
    np.testing.assert_allclose(features[:5], np.linalg.norm(DIGITS[:5, None] - centers[None], axis=2), rtol=1e-4)
    assert features.shape == (len(DIGITS), 50)
    assert learned(features, Y.astype(np.int32)) > 0.85
