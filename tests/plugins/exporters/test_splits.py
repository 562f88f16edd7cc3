from __future__ import annotations

from collections import Counter, defaultdict

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from labeler.core.errors import UsageError
from labeler.plugins.exporters.splits import split_rows

CLASSES = st.lists(st.integers(0, 4), max_size=80)


def array(classes: list[int]) -> np.ndarray:
    return np.array(classes, dtype=np.int32)


@given(CLASSES, st.integers(0, 9))
def test_without_duplicates_the_whole_and_every_class_get_their_shares(classes: list[int], seed: int) -> None:
    splits = split_rows([""] * len(classes), array(classes), (80, 10, 10), seed)
    fractions = {"train": 0.8, "val": 0.1, "test": 0.1}
    for split, fraction in fractions.items():
        assert abs(splits.count(split) - fraction * len(classes)) <= 1
        for index in set(classes):
            here = sum(s == split and c == index for s, c in zip(splits, classes, strict=True))
            assert abs(here - fraction * classes.count(index)) <= 2


@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.integers(0, 3)), max_size=60), st.integers(0, 9))
def test_duplicates_stay_together(pairs: list[tuple[str, int]], seed: int) -> None:
    sha256, classes = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    splits = split_rows(sha256, array(classes), (70, 30), seed)
    places = defaultdict(set)
    for digest, split in zip(sha256, splits, strict=True):
        places[digest].add(split)
    assert all(len(found) == 1 for found in places.values())
    assert set(splits) <= {"train", "test"}


def test_the_seed_decides_and_nothing_else() -> None:
    classes = array([0, 1] * 50)
    first = split_rows([""] * 100, classes, (80, 10, 10), 1)
    assert first == split_rows([""] * 100, classes, (0.8, 0.1, 0.1), 1)
    assert first != split_rows([""] * 100, classes, (80, 10, 10), 2)
    assert Counter(first) == {"train": 80, "val": 10, "test": 10}


def test_small_classes_reach_every_split() -> None:
    splits = split_rows([""] * 300, array([i // 3 for i in range(300)]), (80, 10, 10), 0)
    assert Counter(splits) == {"train": 240, "val": 30, "test": 30}


def test_a_share_of_zero_stays_empty() -> None:
    assert set(split_rows([""] * 9, array([0, 1, 2] * 3), (90, 0, 10), 0)) == {"train", "test"}


@pytest.mark.parametrize("shares", [(), (0, 0), (80, -10), (1, 1, 1, 1), (float("nan"), 1), (float("inf"), 1)])
def test_shares_that_are_none(shares: tuple[float, ...]) -> None:
    with pytest.raises(UsageError):
        split_rows([""], array([0]), shares, 0)


@pytest.mark.slow
@given(st.lists(st.tuples(st.sampled_from("abcde"), st.integers(0, 6), st.integers(0, 3)), max_size=60))
def test_near_duplicates_stay_together_too_and_with_the_duplicates_of_each(rows: list[tuple[str, int, int]]) -> None:
    sha256 = ["" if digest == "e" else digest for digest, _, _ in rows]
    repeats, classes = [near for _, near, _ in rows], [index for _, _, index in rows]
    splits = split_rows(sha256, array(classes), (70, 30), 0, repeats)
    for marks in (sha256, repeats):
        places = defaultdict(set)
        for mark, split in zip(marks, splits, strict=True):
            if mark != "":
                places[mark].add(split)
        assert all(len(found) == 1 for found in places.values())
