"""Every registered encoder keeps the promises of ``encoders/base.py``."""

from __future__ import annotations

import numpy as np
import pytest

from labeler.core.errors import UsageError
from labeler.plugins import registry

NEEDS_A_FILE = ("onnx", "hub")  # tests/plugins/encoders/test_onnx_model.py and test_hub.py make one
NAMES = [
    name for name in registry.names("encoder") if registry.entry("encoder", name).available and name not in NEEDS_A_FILE
]
SHAPES = [(4, 4), (8, 8), (28, 28), (19, 33), (64, 64), (4, 4, 3), (32, 32, 3), (64, 48, 3)]


def blobs(n: int, shape: tuple[int, ...], seed: int = 0) -> np.ndarray:
    """Smooth random uint8 images (n, *shape)."""
    rng = np.random.default_rng(seed)
    ys, xs = np.mgrid[: shape[0], : shape[1]]
    center = rng.uniform(0.3, 0.7, (n, 2)) * shape[:2]
    width = rng.uniform(0.1, 0.3, n) * min(shape[:2])
    squared = (ys - center[:, 0, None, None]) ** 2 + (xs - center[:, 1, None, None]) ** 2
    images = 255 * np.exp(-squared / (2 * width[:, None, None] ** 2))
    if len(shape) == 3:
        images = images[..., None] * rng.uniform(0.3, 1, (n, 1, 1, 3))
    return images.astype(np.uint8)


def takers(kind: str) -> list[str]:
    return [name for name in NAMES if kind in registry.load("encoder", name).takes]


def check(features: np.ndarray, n: int) -> None:
    assert features.shape[0] == n
    assert features.ndim == 2
    assert features.dtype == np.float32
    assert features.flags.c_contiguous
    assert np.isfinite(features).all()


@pytest.mark.parametrize("name", NAMES)
def test_says_what_it_is(name: str) -> None:
    encoder = registry.create("encoder", name)
    assert isinstance(encoder.version, int)
    assert encoder.takes
    assert set(encoder.takes) <= {"images", "table", "text"}


@pytest.mark.slow
@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("name", takers("images"))
def test_images_of_every_size(name: str, shape: tuple[int, ...]) -> None:
    images = blobs(7, shape)
    encoder = registry.create("encoder", name).fit(images)
    features = encoder.transform(images)
    check(features, 7)
    assert np.ptp(features, axis=0).max() > 0
    none = encoder.transform(images[:0])
    assert none.shape == (0, features.shape[1])


@pytest.mark.slow
@pytest.mark.parametrize("shape", [(8, 8), (28, 28), (20, 20, 3)], ids=str)
@pytest.mark.parametrize("name", takers("images"))
def test_rows_do_not_depend_on_the_chunk(name: str, shape: tuple[int, ...]) -> None:
    images = blobs(200, shape)
    encoder = registry.create("encoder", name).fit(images[:50])
    whole = encoder.transform(images)
    parts = [encoder.transform(part) for part in (images[:1], images[1:8], images[8:])]
    np.testing.assert_allclose(np.concatenate(parts), whole, rtol=1e-4, atol=2e-4)


@pytest.mark.slow
@pytest.mark.parametrize("name", takers("images"))
def test_same_input_same_output(name: str) -> None:
    images = blobs(30, (16, 16))
    before = images.copy()
    first, second = (registry.create("encoder", name).fit(images).transform(images) for _ in range(2))
    np.testing.assert_array_equal(first, second)
    np.testing.assert_array_equal(images, before)


@pytest.mark.mostly_slow
@pytest.mark.parametrize("shape", [(5, 5), (28, 28), (12, 12, 3)], ids=str)
@pytest.mark.parametrize("name", takers("images"))
def test_nothing_to_see(name: str, shape: tuple[int, ...]) -> None:
    """One image, equal images and blank ones are finite; equal images are equal rows."""
    single = blobs(1, shape)
    same = np.repeat(single, 6, axis=0)
    for images in (single, same, np.zeros((6, *shape), np.uint8), np.full((6, *shape), 255, np.uint8)):
        features = registry.create("encoder", name).fit(images).transform(images)
        check(features, len(images))
        assert np.ptp(features, axis=0).max() < 1e-3
        assert np.abs(features).max() < 1e3


@pytest.mark.parametrize("name", takers("images"))
def test_fit_on_blank_images_then_shown_others(name: str) -> None:
    encoder = registry.create("encoder", name).fit(np.zeros((3, 10, 10), np.uint8))
    features = encoder.transform(np.random.default_rng(0).integers(0, 256, (5, 10, 10)).astype(np.uint8))
    check(features, 5)
    assert np.abs(features).max() < 1e4


@pytest.mark.parametrize("name", takers("table"))
def test_tables(name: str) -> None:
    table = np.random.default_rng(0).normal(size=(40, 6)).astype(np.float32) * [1, 10, 1e6, 1e-6, 1, 1]
    table = table.astype(np.float32)
    table[:, 5] = 3
    encoder = registry.create("encoder", name).fit(table)
    features = encoder.transform(table)
    check(features, 40)
    parts = np.concatenate([encoder.transform(table[:1]), encoder.transform(table[1:])])
    np.testing.assert_allclose(parts, features, rtol=1e-4, atol=1e-3)
    assert encoder.transform(table[:0]).shape == (0, features.shape[1])


@pytest.mark.parametrize("name", takers("table"))
def test_broken_tables(name: str) -> None:
    """One row, constant columns, gaps and infinities stay finite."""
    gaps = np.ones((5, 4), np.float32)
    gaps[0, 0], gaps[1, 1], gaps[2, 1] = np.nan, np.inf, -np.inf
    for table in (np.ones((1, 3), np.float32), np.zeros((6, 3), np.float32), gaps):
        check(registry.create("encoder", name).fit(table).transform(table), len(table))


@pytest.mark.parametrize("name", NAMES)
def test_refuses_what_it_does_not_take(name: str) -> None:
    encoder = registry.create("encoder", name)
    other = np.zeros((3, 5), np.float32) if "table" not in encoder.takes else np.zeros((3, 2, 2, 2, 2), np.uint8)
    with pytest.raises(ValueError, match="takes"):
        encoder.fit(other)


@pytest.mark.parametrize("name", NAMES)
def test_unknown_parameters_are_refused(name: str) -> None:
    with pytest.raises(UsageError, match="no parameter 'nonsense'"):
        registry.create("encoder", f"{name}:nonsense=1")


@pytest.mark.parametrize(
    "spec",
    [
        "pca:n_components=0",
        "pca:n_components=many",
        "scaled:clip=-1",
        "hog:bins=1",
        "hog:cell=0",
        "hog:cell=20",
        "hog:size=3",
        "deskew-hog:size=0",
        "deskew-hog:cell=15",
        "scattering:scales=9",
        "scattering:angles=-1",
        "scattering:n_components=0",
    ],
)
def test_unusable_values_are_refused(spec: str) -> None:
    with pytest.raises(UsageError):
        registry.create("encoder", spec)
