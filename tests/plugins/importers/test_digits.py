"""The shipped digits: archive, truth file and the program's copy agree."""

from __future__ import annotations

from pathlib import Path

import numpy as np

import labeler
from labeler.plugins.importers.detect import open_source
from labeler.plugins.importers.labels import read_truth

ROOT = Path(__file__).resolve().parents[3]


def test_archive_and_demo_are_the_same_digits():
    archive = open_source(ROOT / "datasets/digits.zip")
    demo = open_source(Path(labeler.__file__).parent / "_data/digits.npz")
    assert list(archive.ids) == list(demo.ids)
    assert len(demo.ids) == 1797
    assert demo.ids[0] == "digits/0000.png"
    assert demo.uniform_images().shape == (1797, 8, 8)
    assert all(np.array_equal(archive.image(index), demo.image(index)) for index in range(1797))
    assert read_truth(str(ROOT / "datasets/digits.csv"), archive) == demo.truth()
    assert archive.folder_labels() == {}
    assert archive.notes == demo.notes == []


def test_they_are_small_and_no_package():
    assert (ROOT / "datasets/digits.zip").stat().st_size < 500_000
    assert not (ROOT / "datasets/__init__.py").exists()
