"""JSON item by item gives what JSON at once gives, wherever the chunks end; anything else is a ValueError."""

from __future__ import annotations

import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labeler.core import json_stream
from labeler.core.json_stream import array_items, object_members

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@pytest.mark.slow
@given(st.lists(VALUES, max_size=6), st.sampled_from([None, 2]), st.integers(1, 7))
def test_arrays(values, indent, chunk):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_stream, "CHUNK", chunk)
        assert list(array_items(io.StringIO(json.dumps(values, indent=indent)))) == values


@pytest.mark.slow
@given(
    st.dictionaries(st.text(max_size=3), VALUES, max_size=4),
    st.dictionaries(st.text(max_size=3), VALUES),
    st.integers(1, 7),
)
def test_objects(outer, inner, chunk):
    whole = outer | {"labels": inner}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_stream, "CHUNK", chunk)
        found = list(object_members(io.StringIO(json.dumps(whole)), "labels"))
    assert {place[0]: value for place, value in found if len(place) == 1} == {
        k: v for k, v in outer.items() if k != "labels"
    }
    assert {place[1]: value for place, value in found if len(place) == 2} == inner


@pytest.mark.parametrize("text", ["", "{}", "[1", "[1,]", "[1 2]", "[1] x", "[", "[" * 100_000, '["a]', "[01]"])
def test_what_is_no_array(text):
    with pytest.raises(ValueError):
        list(array_items(io.StringIO(text)))


@pytest.mark.parametrize("text", ["", "[]", '{"a" 1}', "{1: 2}", '{"labels": [1]}', '{"a": 1', '{"a": 1} {}'])
def test_what_is_no_object(text):
    with pytest.raises(ValueError):
        list(object_members(io.StringIO(text), "labels"))


def test_an_item_that_never_ends_takes_no_memory(monkeypatch):
    monkeypatch.setattr(json_stream, "MAX_ITEM", 1_000)
    monkeypatch.setattr(json_stream, "CHUNK", 100)
    with pytest.raises(ValueError, match="larger than 1,000 characters"):
        list(array_items(io.StringIO('["' + "a" * 100_000)))
