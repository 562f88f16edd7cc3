"""JSON item by item gives what JSON at once gives, wherever chunks end; anything else is a ValueError of one line."""

from __future__ import annotations

import io
import json
import sys

import ijson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from labeler.core import json_file
from labeler.core.json_file import items, members

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@pytest.fixture(params=["yajl2_c", "python"])
def _backend(request, monkeypatch):
    """Each of ijson's ways to read: in C where its wheel has it, in Python everywhere."""
    try:
        backend = ijson.get_backend(request.param)
    except ImportError:
        pytest.skip(f"ijson has no {request.param} here")
    monkeypatch.setattr(json_file, "_reader", lambda: backend)


@pytest.fixture
def file(tmp_path, _backend):
    def write(content):
        path = tmp_path / "x.json"
        path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8", "surrogateescape"))
        return path

    return write


def test_without_ijsons_wheel_its_python_reads(monkeypatch):
    assert json_file._backend().backend in ("yajl2_c", "python")
    real = ijson.get_backend

    def get_backend(name):
        if name != "python":
            raise ImportError(name)
        return real(name)

    monkeypatch.setattr(ijson, "get_backend", get_backend)
    assert json_file._backend().backend == "python"


@pytest.mark.slow
@given(values=st.lists(VALUES, max_size=6), indent=st.sampled_from([None, 2]))
def test_arrays(tmp_path_factory, values, indent):
    path = tmp_path_factory.getbasetemp() / "array.json"
    path.write_text(json.dumps(values, indent=indent), encoding="utf-8")
    assert list(items(path, "item")) == values


@pytest.mark.slow
@given(
    outer=st.dictionaries(st.sampled_from("abc"), VALUES, max_size=4),
    inner=st.dictionaries(st.text(max_size=3), VALUES),
    entries=st.lists(VALUES, max_size=3),
)
def test_objects(tmp_path_factory, outer, inner, entries):
    path = tmp_path_factory.getbasetemp() / "object.json"
    path.write_text(json.dumps(outer | {"labels": inner, "images": entries}), encoding="utf-8")
    assert dict(members(path, "labels")) == inner
    assert list(items(path, "images.item")) == entries


@given(st.lists(VALUES, max_size=6), st.integers(1, 7))
def test_depth_and_size_are_measured_wherever_the_chunks_end(values, chunk):
    guard = json_file._Guard(io.BytesIO(json.dumps(values).encode()), b"[", 1)
    while guard.read(chunk):
        pass
    assert not guard.refusal
    assert guard._depth == 0
    assert guard._lead == b""


@pytest.mark.parametrize("text", ["", "{}", "[1", "[1,]", "[1 2]", "[1] x", "[1] [2]", "[", '["a]', "[01]", '[{"a":'])
def test_what_is_no_array(file, text):
    with pytest.raises(ValueError) as caught:
        list(items(file(text), "item"))
    assert "\n" not in str(caught.value)
    assert str(caught.value)


@pytest.mark.parametrize("text", ["", "[]", '{"a" 1}', "{1: 2}", '{"a": 1', '{"a": 1} {}', '{"labels": {"a": 1'])
def test_what_is_no_object(file, text):
    with pytest.raises(ValueError) as caught:
        list(members(file(text), "labels"))
    assert "\n" not in str(caught.value)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("text", ["[" * 100_000, "[" * 5_000 + "]" * 5_000, '[{"a":' * 50_000, '["}}}}",' * 40_000])
def test_what_is_nested_too_deeply_takes_no_memory(file, text):
    with pytest.raises(ValueError, match="nested too deeply"):
        list(items(file(text), "item"))


def test_deep_but_within_the_limit(file):
    (item,) = items(file("[" * 900 + "]" * 900), "item")
    assert str(item).count("[") == 899


def test_an_item_that_never_ends_takes_no_memory(file, monkeypatch):
    monkeypatch.setattr(json_file, "MAX_ITEM", 200_000)
    with pytest.raises(ValueError, match="larger than 200,000 bytes"):
        list(items(file('["' + "a" * 1_000_000), "item"))
    with pytest.raises(ValueError, match="larger than 200,000 bytes"):
        list(items(file("[[" + "1," * 500_000), "item"))


def test_many_items_are_no_large_item_and_others_may_come_before(file, monkeypatch):
    monkeypatch.setattr(json_file, "MAX_ITEM", 70_000)
    path = file(json.dumps({"others": [{"a": ["b" * 50]}] * 2_000, "images": [{"a": 1}] * 20_000}))
    assert path.stat().st_size > 300_000
    assert sum(1 for _ in items(path, "images.item")) == 20_000


def test_what_is_no_json_late_in_a_large_file_is_one_line(file, monkeypatch):
    monkeypatch.setattr(json_file, "MAX_ITEM", 200_000)
    with pytest.raises(ValueError) as caught:
        list(items(file("[" + "1, " * 100_000 + "x]"), "item"))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "values"),
    [
        (b'\xef\xbb\xbf ["a"]', ["a"]),
        (b'["a", "caf\xe9.jpg"]', ["a", "caf\udce9.jpg"]),
        (rb'["a", "\udce9"]', ["a", "\udce9"]),
        (rb'["\ud83d\ude00", "\\\"", "\u0000"]', ["\U0001f600", '\\"', "\0"]),
        (b"[123456789012345678901234567890]", [123456789012345678901234567890]),
        (b'[{"a": 1, "a": 2}]', [{"a": 2}]),
    ],
)
def test_what_python_reads_is_read(file, content, values):
    assert list(items(file(content), "item")) == values


def test_numbers_that_are_none(file):
    first, nan, infinite = items(file('[{"id": 1}, NaN, -Infinity]'), "item")
    assert (first, nan != nan, infinite) == ({"id": 1}, True, float("-inf"))


def test_a_number_too_long_for_an_integer_is_one_line(file):
    with pytest.raises(ValueError):
        list(items(file("[" + "9" * (sys.get_int_max_str_digits() + 1) + "]"), "item"))


def test_members_after_what_ijson_refuses_come_once(file):
    path = file('{"classes": ["x"], "labels": {"a": 0, "b": NaN, "c": 1}}')
    names = [name for name, _ in members(path, "labels")]
    assert names == ["a", "b", "c"]
    assert list(items(path, "classes.item")) == ["x"]
