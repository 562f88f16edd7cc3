"""Records to JSON and arrays and back: what is forgiven, what is refused, and no small file makes a large array."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, make_dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from labeler.core import codec
from labeler.core.codec import Unreadable, decode, encode, unpack_array
from labeler.core.types import Advice, FloatArray, IntArray, Provenance
from tests.records import example, same


@dataclass(frozen=True)
class Inner:
    name: str
    points: IntArray


@dataclass(frozen=True)
class Outer:
    number: int
    inner: Inner
    why: Provenance = Provenance.NONE
    weights: FloatArray = field(default_factory=lambda: np.empty(0, np.float32))
    pairs: tuple[tuple[int, float], ...] = ()
    names: dict[int, str] = field(default_factory=dict)
    reach: float | str | None = None


def packed(record):
    arrays: dict[str, np.ndarray] = {}
    return json.loads(json.dumps(encode(record, arrays))), arrays


def test_a_record_of_everything_comes_back():
    record = example(Outer)
    assert same(decode(Outer, *packed(record)), record)


def test_arrays_have_the_names_of_their_fields():
    assert sorted(packed(example(Outer))[1]) == ["inner.points", "weights"]


def test_what_is_missing_has_its_default_and_what_is_new_is_passed_over():
    stored, arrays = packed(example(Outer))
    for name in ("why", "pairs", "names", "reach"):
        del stored[name]
    del arrays["weights"]
    back = decode(Outer, stored | {"mood": [1]}, arrays | {"more": np.ones(1)})
    assert (back.why, back.pairs, back.names, back.reach, len(back.weights)) == (Provenance.NONE, (), {}, None, 0)


@pytest.mark.parametrize(
    "change",
    [
        {"number": "7"},
        {"number": True},
        {"number": 1.0},
        {"number": None},
        {"number": 10**30},
        {"inner": None},
        {"inner": ["name"]},
        {"inner": {}},
        {"why": 77},
        {"pairs": 3},
        {"pairs": [[1]]},
        {"pairs": [[1, "x"]]},
        {"pairs": [[1, float("nan")]]},
        {"names": {"x": "a"}},
        {"names": {"1" * 5000: "a"}},
        {"names": [1]},
        {"reach": float("inf")},
        {"reach": []},
        {"reach": 10**400},
    ],
    ids=lambda change: str(change)[:30],
)
def test_what_is_not_of_its_type_is_refused(change):
    stored, arrays = packed(example(Outer))
    with pytest.raises(Unreadable):
        decode(Outer, stored | change, arrays)


@pytest.mark.parametrize("array", [np.array(["a"]), np.array([1.5]), np.array([2**40]), np.array([1 + 2j])])
def test_an_array_that_does_not_fit_its_field_is_refused(array):
    stored, arrays = packed(example(Outer))
    with pytest.raises(Unreadable):
        decode(Outer, stored, arrays | {"inner.points": array})


def test_an_array_of_another_size_holds_the_same_numbers():
    stored, arrays = packed(example(Outer))
    back = decode(Outer, stored, arrays | {"inner.points": np.array([7, -1], ">i8"), "weights": np.array([0.5])})
    assert (back.inner.points.dtype, back.inner.points.tolist()) == (np.int32, [7, -1])
    assert back.weights.dtype == np.float32


@pytest.mark.parametrize(
    ("dtype", "shape", "data"),
    [
        ("|O", [1], bytes(8)),
        ("<U2", [1], bytes(8)),
        ("<M8", [1], bytes(8)),
        ("i4,i4", [1], bytes(8)),
        ("V8", [1], bytes(8)),
        ("<f8" * 1000, [1], bytes(8)),
        (None, [1], bytes(8)),
        (7, [1], bytes(8)),
        ("<i4", [3], bytes(8)),
        ("<i4", [10**18], bytes(8)),
        ("<i4", [2**62, 2**62], bytes(8)),
        ("<i4", [-1], bytes(8)),
        ("<i4", [-2, -1], bytes(8)),
        ("<i4", [1.0, 2], bytes(8)),
        ("<i4", [True, 2], bytes(8)),
        ("<i4", [1] * 100, bytes(4)),
        ("<i4", [0, 10**30], b""),
        ("<i4", 2, bytes(8)),
        ("<i4", None, bytes(8)),
    ],
    ids=lambda value: str(value)[:20],
)
def test_no_array_is_made_of_what_is_none(dtype, shape, data):
    with pytest.raises(Unreadable):
        unpack_array(dtype, shape, data)


@given(st.sampled_from(sorted(dtype.str for dtype in codec.DTYPES)), st.lists(st.integers(0, 3), max_size=3))
def test_every_array_comes_back(dtype, shape):
    array = np.ones(shape, dtype)
    dtype, shape, data = codec.pack_array(array)
    back = unpack_array(dtype, json.loads(json.dumps(shape)), data)
    assert same(back, np.ascontiguousarray(array))


def test_what_cannot_be_stored_is_refused_at_once_and_not_dropped():
    for value in (np.array([None]), np.array(["a"]), np.array(["2020"], "M8")):
        with pytest.raises(TypeError):
            codec.pack_array(value)
    with pytest.raises(TypeError):
        encode(make_dataclass("Odd", [("arrays", list)])([np.ones(1)]), {})
    with pytest.raises(TypeError):
        decode(make_dataclass("Odd", [("names", set[str])]), {"names": ["a"]})


@pytest.mark.parametrize("text", ["", "{", "[" * 200_000, "1" * 5000, b"\xff\xfe", None, 7])
def test_no_text_is_read_with_a_traceback(text):
    with pytest.raises(Unreadable):
        codec.loads(text)


ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@given(st.fixed_dictionaries({}, optional=dict.fromkeys(("code", "text", "key"), ANY)))
def test_anything_is_a_record_or_refused(stored):
    try:
        advice = decode(Advice, stored)
    except Unreadable:
        return
    assert all(type(value) is str for value in (advice.code, advice.text, advice.key))
