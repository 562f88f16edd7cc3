"""Images as rows of a CSV: MNIST as it is shared, and what only looks like it."""

from __future__ import annotations

import numpy as np
import pytest

from labeler.core.errors import SourceError
from labeler.plugins.importers.detect import open_source
from labeler.plugins.importers.labels import read_truth


def digits(n=12, side=28, top=255):
    """Discs on black: corners are empty, as in MNIST."""
    rng = np.random.default_rng(0)
    at = np.arange(side)
    images = np.zeros((n, side, side), np.uint8)
    for image in images:
        y, x = rng.uniform(side * 0.4, side * 0.6, 2)
        image[(at[:, None] - y) ** 2 + (at - x) ** 2 < (side / 4) ** 2] = rng.integers(top // 2, top + 1)
    images[0, side // 2, side // 2] = top
    return images


def opened(tmp_path, header, columns, name="t.csv"):
    lines = ([",".join(header)] if header else []) + [",".join(map(str, row)) for row in columns]
    (tmp_path / name).write_text("\n".join(lines) + "\n")
    return open_source(tmp_path / name)


IMAGES = digits()
FLAT = IMAGES.reshape(len(IMAGES), -1)
LABELS = np.arange(len(IMAGES)) % 10
KAGGLE = [f"pixel{n}" for n in range(784)]
JOINED = np.column_stack([LABELS, FLAT])


@pytest.mark.parametrize(
    ("header", "columns"),
    [
        (["label", *KAGGLE], JOINED),  # Kaggle's digit recognizer
        (["label", *[f"{y}x{x}" for y in range(1, 29) for x in range(1, 29)]], JOINED),  # mnist_train.csv
        (["label", *[f"pixel{n}" for n in range(1, 785)]], JOINED),  # Fashion-MNIST
        (None, JOINED),  # Redmon's mnist_train.csv
        ([*KAGGLE, "class"], np.column_stack([FLAT, LABELS])),  # OpenML
        (["", "label", *KAGGLE], np.column_stack([np.arange(12), JOINED])),  # with pandas' index
        (["label", *map(str, range(784))], JOINED),  # a data frame without names
        (["digit", *[f"pixel_{y}_{x}" for y in range(28) for x in range(28)]], JOINED),
        (None, np.column_stack([FLAT, LABELS])),
    ],
)
def test_mnist_opens_as_images_with_its_labels(tmp_path, header, columns):
    source = opened(tmp_path, header, columns)
    assert (source.kind, source.content) == ("csv", "images")
    assert (source.table() == FLAT).all()  # without the label
    assert source.table().dtype == np.float32
    assert (source.uniform_images() == IMAGES).all()
    assert list(read_truth("y", source).values()) == [str(label) for label in LABELS]
    assert "read as images of 28 x 28 pixels" in source.notes[0]
    assert "is no pixel" in source.notes[0]


def test_without_labels_and_in_other_sizes(tmp_path):
    assert (opened(tmp_path, KAGGLE, FLAT).uniform_images() == IMAGES).all()
    assert opened(tmp_path, None, FLAT).truth() == {}
    small = digits(8, 8, 16)
    optdigits = opened(tmp_path, None, np.column_stack([small.reshape(8, -1), np.arange(8)]))
    assert optdigits.uniform_images().shape == (8, 8, 8)
    assert optdigits.uniform_images().max() == 255
    assert list(optdigits.truth().values()) == list("01234567")
    scaled = opened(tmp_path, ["label", *KAGGLE], np.column_stack([LABELS, FLAT / 255]))
    assert np.abs(scaled.uniform_images().astype(int) - IMAGES).max() <= 1


@pytest.mark.parametrize("order", ["pixel by pixel", "plane by plane"])
def test_three_squares_are_colors_in_the_order_they_were_written_in(tmp_path, order):
    ramp = np.arange(16, dtype=np.uint8) * 9
    color = np.stack([np.stack([np.add.outer(ramp, ramp) // 2 + 40 * c + k for c in range(3)], -1) for k in range(4)])
    flat = (color if order == "pixel by pixel" else np.moveaxis(color, 3, 1)).reshape(4, -1)
    source = opened(tmp_path, None, np.column_stack([[3, 1, 2, 0], flat]))
    assert (source.uniform_images() == color).all()
    assert list(source.truth().values()) == ["3", "1", "2", "0"]


@pytest.mark.parametrize(
    ("header", "change"),
    [
        ([f"f{n}" for n in range(64)], lambda rows: rows),  # features with names of their own
        (None, lambda rows: rows + 0.5),
        (None, lambda rows: rows - 300),
        (None, lambda rows: rows * 100),
        (None, lambda rows: rows[:, :63]),
        (None, lambda rows: np.minimum(rows, 1)),  # yes and no
        (None, lambda rows: np.vstack([*[rows] * 8, rows + 300])),  # seen only further on
    ],
)
def test_a_table_of_features_stays_one(tmp_path, header, change):
    rows = change(np.random.default_rng(0).integers(0, 200, (20, 64)))
    source = opened(tmp_path, header, rows)
    assert source.content == "table"
    np.testing.assert_allclose(source.table(), rows)


def test_a_pixel_that_is_none_is_refused_in_one_line(tmp_path):
    rows = JOINED.astype(object)
    rows[3, 5] = "x"
    with pytest.raises(SourceError, match="one of the pixels is no number") as caught:
        opened(tmp_path, ["label", *KAGGLE], rows)
    assert "\n" not in caught.value.message
