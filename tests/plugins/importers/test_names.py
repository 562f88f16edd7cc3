"""Order and text of names."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labeler.plugins.importers.names import (
    classes_of_folders,
    has_image_ending,
    is_junk,
    natural_key,
    row_ids,
    split_of,
    splits_of_ids,
)


def test_natural_order():
    names = ["img10", "img2", "a", "img02", "img", "10/x", "9/x", "img1" + "0" * 5000, "é1", "img0"]
    assert sorted(names, key=natural_key) == [
        *("9/x", "10/x", "a", "img", "img0", "img02", "img2", "img10"),
        *("img1" + "0" * 5000, "é1"),
    ]


@given(st.lists(st.text(), unique=True))
def test_natural_order_is_total(names):
    assert len({natural_key(name) for name in names}) == len(names)


@pytest.mark.parametrize("name", [".x", "Thumbs.db", "a.labeler.db", "a.labeler.db-wal", "a.labeler.cache"])
def test_junk(name):
    assert is_junk(name)


def test_endings():
    assert has_image_ending("A.JPeG")
    assert not any(map(has_image_ending, ["png", "a.png.txt", "", "a."]))


def test_row_ids():
    assert row_ids(2, "train") == ["train:00000", "train:00001"]
    assert row_ids(100_001)[0] == "000000"


@pytest.mark.parametrize(
    ("ids", "classes", "splits"),
    [
        (["train/circle/0", "val/circle/1", "val/square/2"], ["circle", "circle", "square"], ["train", "val", "val"]),
        (["circle/train/0", "circle/val/1", "square/val/2"], ["circle", "circle", "square"], ["train", "val", "val"]),
        (["set/Training/a/0", "set/Testing/b/1"], ["a", "b"], ["train", "test"]),
        (["seg_train/seg_train/sea/0", "seg_test/seg_test/ice/1"], ["sea", "ice"], ["train", "test"]),
        (["train2017/a/0", "val2017/b/1"], ["a", "b"], ["train", "val"]),
        (["train/x/a/0", "train/x/b/1", "dev/x/a/2"], ["x/a", "x/b", "x/a"], ["train", "train", "val"]),
        (
            ["train/a/0", "train/b/1", "test/2"],
            ["a", "b", ""],
            ["train", "train", "test"],
        ),  # test is unlabeled
        (["train/0", "test/1"], ["", ""], ["train", "test"]),  # no class at all
        (["train/a/0", "train/b/1"], ["a", "b"], ["", ""]),  # one split alone divides nothing
    ],
)
def test_folders_of_splits_are_no_classes(ids, classes, splits):
    given = (classes_of_folders(ids), splits_of_ids(ids))
    assert tuple([found.get(i, "") for i in ids] for found in given) == (classes, splits)


@pytest.mark.parametrize(
    "ids",
    [
        ["train/a/0", "car/b/1"],  # vehicles
        ["train station/0", "test rig/1"],
        ["a/test/0", "b/other/1"],
        ["all/0", "none/1"],
        ["training shoes/0", "boots/1"],
        ["Greek/character01/0", "Latin/b/1"],
    ],
)
def test_classes_that_only_sound_like_splits_stay_whole(ids):
    assert list(classes_of_folders(ids).values()) == [i.rpartition("/")[0] for i in ids]
    assert splits_of_ids(ids) == {}


def test_a_split_has_one_name():
    names = ("Validation", "valid", "dev", "seg_train", "TESTING", "holdout", "cat")
    assert [split_of(name) for name in names] == ["val", "val", "val", "train", "test", "holdout", ""]


def test_rows_of_a_split_are_of_it():
    ids = ["train:00000", "train:00001", "t10k:00000"]
    assert splits_of_ids(ids) == {"train:00000": "train", "train:00001": "train", "t10k:00000": "test"}
    assert splits_of_ids(["emnist-letters-train:00000", "emnist-letters-test:00000"]) == {
        "emnist-letters-train:00000": "train",
        "emnist-letters-test:00000": "test",
    }
    assert splits_of_ids(["train:00000", "train:00001"]) == {}  # one split says nothing
    assert splits_of_ids(["images:00000", "photos:00000"]) == {}
