from __future__ import annotations

import dataclasses
import inspect
import io
import os
import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from labeler.core import requests
from labeler.core.numeric.choose_k import Tried
from labeler.core.recipe import Recipe
from labeler.core.requests import Comparison, Outliers, PoolRequests, signature
from labeler.core.types import Grid, Progress
from labeler.worker import protocol
from labeler.worker.protocol import Answered, Failed, Open, QueueReady, Ready, Reply, Request, RoundReady


def same(first, second):
    if isinstance(first, np.ndarray):
        return first.dtype == second.dtype and first.shape == second.shape and np.array_equal(first, second)
    if dataclasses.is_dataclass(first):
        names = [field.name for field in dataclasses.fields(first)]
        alike = type(first).__name__ == type(second).__name__  # one that was read has the types of its method
        return alike and all(same(getattr(first, n), getattr(second, n)) for n in names)
    if isinstance(first, list):
        return type(second) is list and len(first) == len(second) and all(map(same, first, second))
    return type(first) is type(second) and first == second


@pytest.fixture
def every_message(make_round, make_queue, make_snapshot):
    snapshot = make_snapshot({3: 1, 0: 2}, excluded=[5], percentile=None)
    grid = Grid(1, np.array([4, 2]), np.array([0, -1], np.int32), 0.25)
    recipe = Recipe("/a/b\udcff", "/cache", "book", n_clusters=7, features="x.npy")
    tried = Tried(10, 9, 123.5, 0.25, -1.5, 2.0)
    return [
        Open(recipe),
        Open(recipe, ["a", "b\udce9", "猫"]),
        Answered(snapshot, True),
        Request("similar", [1], snapshot, signature("similar").arguments(3, 25, np.array([1, 2], np.int64))),
        Request("outliers", [2, 5], snapshot, signature("outliers").arguments(200, np.array([7], np.int64))),
        Request("closing", [3], snapshot, signature("closing").arguments()),
        Request("unheard_of", [4], snapshot),
        Reply("similar", [1], 4, np.array([4, 2], np.int64)),
        Reply("outliers", [2, 5], 4, Outliers(np.array([7, 4], np.int64), np.array([1.5, 1.25], np.float32))),
        Reply("closing", [3], 4, make_round(6, 2, [1, -1, 0, 0, 0, 0], [4, 0, 5, 5, 5, 5])),
        Reply("grid", [6], 4, grid),
        Reply("grid", [6], 4, None),
        Reply("shares", [7], 4, [(1, 0.75), (2, 0.25)]),
        Reply("compare_numbers", [8], 4, Comparison([tried, Tried(50, 49, 1.0, None)], 12, "kmeans"), is_last=False),
        Ready("pca:n_components=4", "because", {"3": "cut short"}, np.zeros((2, 32), np.uint8), "/cache/f.npy"),
        Ready("pixels", "", {}, np.empty((0, 32), np.uint8)),
        QueueReady(4, make_queue([3, 1], classes=(1, 0))),
        RoundReady(make_round(6, 2, [1, -1, 0, 0, 0, 0], [4, 0, 5, 5, 5, 5])),
        Progress("reading", 3, 10),
        Failed("what", "hint", fatal=True, has_ended=True, numbers=[4]),
        protocol.Offer("another encoder"),
        protocol.Employ("scattering", ("own.py",), [protocol.Learned("mean", np.ones(3, np.float32))]),
        protocol.Work(3, np.zeros((1, 2, 2), np.uint8), np.arange(3, dtype=np.uint8), np.array([3, -1]), (2, 2, 3)),
        protocol.Part(3, np.ones((1, 4), np.float32), {1: "cut short"}),
        protocol.Undone(3),
        protocol.Employed(),
    ]


@pytest.mark.parametrize("name", requests.names())
def test_every_request_says_in_full_what_it_takes_and_gives(name):
    asked = signature(name)
    assert [item.type for item in dataclasses.fields(asked.arguments)].count(inspect.Parameter.empty) == 0
    assert asked.result is not None
    assert asked.is_job == (asked.owner is PoolRequests)


def test_every_type_of_message_comes_through_a_pipe_as_it_was(every_message):
    assert {type(message) for message in every_message} == set(protocol._TYPES.values())
    reading, writing = os.pipe()

    def write():
        with os.fdopen(writing, "wb") as stream:
            for message in every_message:
                protocol.write(stream, message)

    threading.Thread(target=write, daemon=True).start()
    with os.fdopen(reading, "rb") as stream:
        for message in every_message:
            assert same(protocol.read(stream), message), message
        assert protocol.read(stream) is None


def test_a_frame_cut_anywhere_gives_none(make_queue):
    whole = io.BytesIO()
    protocol.write(whole, QueueReady(1, make_queue([1, 2, 3])))
    content = whole.getvalue()
    for length in range(len(content)):
        assert protocol.read(io.BytesIO(content[:length])) is None, length


FACTS = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@pytest.mark.slow
@given(st.dictionaries(st.text(), FACTS, max_size=4), st.lists(st.integers(-5, 5), max_size=4))
def test_any_facts_and_arrays_survive(make_round, facts, values):
    round_ = dataclasses.replace(make_round(2), facts=facts | {"type": "x", "array": [1], "dict": {}, "list": []})
    stream = io.BytesIO()
    protocol.write(stream, RoundReady(round_))
    protocol.write(stream, Reply("grid", [1], 0, Grid(0, np.array(values, np.int64), np.array(values, np.int32), 0.0)))
    stream.seek(0)
    assert same(protocol.read(stream), RoundReady(round_))
    assert protocol.read(stream).result.indices.tolist() == values


def test_no_array_of_objects_is_ever_read():
    forged = io.BytesIO()
    header = b'{"type": "Reply", "fields": {"name": "similar"}, "arrays": [["result", "|O", [1], 8]]}'
    forged.write(protocol._PREFIX.pack(len(header), 8) + header + b"\0" * 8)
    forged.seek(0)
    with pytest.raises(ValueError, match=r"(?i)object"):
        protocol.read(forged)
