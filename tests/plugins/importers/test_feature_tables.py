"""Tables of strangers: numbers are features, the rest is named; nothing is dropped without a word."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from labeler.core.errors import LabelerError, MissingExtra, SourceError
from labeler.plugins.importers.detect import open_source
from labeler.plugins.importers.vectors import read_features
from tests.fuzz.targets import explained, read_source

CUSTOMERS = """CustomerID,Name,Age,Income,City,Note
c1,Anna,31,52000.5,Bern,
c2,Bob,,48000,Basel,
c3,"Chr, is",45,,Bern,
c4,Dana,23,61000,Chur,
"""


def write(path, text, encoding="utf-8"):
    path.write_bytes(text.encode(encoding))
    return path


def test_customers(tmp_path):
    source = open_source(write(tmp_path / "customers.csv", CUSTOMERS))
    assert list(source.ids) == ["c1", "c2", "c3", "c4"]
    assert source.column_names() == ["Age", "Income"]
    np.testing.assert_allclose(source.table(), [[31, 52000.5], [31, 48000], [45, 52000.5], [23, 61000]])
    assert source.notes == [
        "left out 2 columns that are no numbers: Name ('Anna'), City ('Bern')",
        "left out 1 empty column: Note",
        "2 missing values filled with the median of the column: Age 1, Income 1",
    ]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("sep", [",", ";", "\t"])
def test_as_different_programs_write_it(tmp_path, encoding, sep):
    text = sep.join(("id", "a", "b")) + "\r\n" + f'"é1"{sep}1{sep}2\r\n\r\n"x"{sep}3{sep}4\r\n'
    source = open_source(write(tmp_path / "t.csv", text, encoding))
    assert list(source.ids) == ["é1", "x"]
    assert source.table().tolist() == [[1, 2], [3, 4]]


def test_without_a_header_and_with_a_label(tmp_path):
    assert open_source(write(tmp_path / "a.csv", "1,2\n3,4\n")).table().tolist() == [[1, 2], [3, 4]]
    source = open_source(write(tmp_path / "b.csv", "x,label,y\n1,cat,2\n3,,4\n"))
    assert source.truth() == {"00000": "cat"}
    assert source.column_names() == ["x", "y"]
    assert any("'label' is no feature" in note for note in source.notes)


def test_ids_that_are_no_ids_are_said(tmp_path):
    source = open_source(write(tmp_path / "a.csv", "id,x\na,1\na,2\n"))
    assert list(source.ids) == ["00000", "00001"]
    assert any("does not name every row once" in note for note in source.notes)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("id,x\na,inf\n", "row 1 is inf"),
        ("id,x\na,1\nb,1e60\n", "row 2 is 1e\\+60"),
        ("id,x\na,1,2\n", "line 2: another number of cells"),
        ("id,x\n", "no rows"),
        ("a,b\nx,y\nz,w\n", "no column of numbers"),
        ('id,x\n"a,1\n', "line 2"),
        ("", "no rows|no column"),
    ],
)
def test_what_cannot_be_used_is_said_in_one_line(tmp_path, text, message):
    with pytest.raises(SourceError, match=message) as caught:
        open_source(write(tmp_path / "t.csv", text))
    assert "\n" not in caught.value.message
    assert caught.value.hint


@pytest.mark.slow
def test_a_hundred_thousand_columns(tmp_path):
    header = ",".join(f"c{n}" for n in range(100_000))
    source = open_source(write(tmp_path / "wide.csv", f"{header}\n" + (",".join(["1"] * 100_000) + "\n") * 3))
    assert source.table().shape == (3, 100_000)


@given(st.text(alphabet=',;\t"\n\r aid.1-9e\0\x1b\udce9é', max_size=200))
def test_any_text_is_read_or_explained(tmp_path_factory, text):
    path = tmp_path_factory.mktemp("any") / "t.csv"
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    try:
        read_source(path)
    except LabelerError as error:
        explained(error)


def parquet_of(file, **columns):
    pyarrow = pytest.importorskip("pyarrow", reason="pyarrow is not installed: pip install '.[parquet]'")
    from pyarrow import parquet

    parquet.write_table(pyarrow.table(columns), file)
    return file


def test_parquet(tmp_path):
    path = parquet_of(
        tmp_path / "t.parquet", name=["a", "b", "c"], x=[1.5, None, 2.5], n=[1, 2, 3], ok=[True, False, True],
        when=[["x"], ["y"], []], target=["u", None, "v"],
    )  # fmt: skip
    source = open_source(path)
    assert (source.kind, list(source.ids), source.column_names()) == ("parquet", ["a", "b", "c"], ["x", "n", "ok"])
    assert source.table().tolist() == [[1.5, 1, 1], [2, 2, 0], [2.5, 3, 1]]
    assert source.truth() == {"a": "u", "c": "v"}
    assert len(source.notes) == 3
    content = bytearray(path.read_bytes())
    content[20:60] = b"\xff" * 40
    content[-30:-10] = b"\0" * 20
    path.write_bytes(content)
    with pytest.raises(SourceError, match="damaged"):
        open_source(path)


def test_parquet_without_its_extra_names_it(tmp_path, monkeypatch):
    path = parquet_of(tmp_path / "t.parquet", x=[1.0])
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(MissingExtra) as caught:
        open_source(path)
    assert "parquet" in caught.value.hint


def test_features_from_parquet_join_by_id_or_row(tmp_path):
    ids = ["a.png", "b.png"]
    by_id = parquet_of(tmp_path / "i.parquet", path=["b.png", "a.png"], x=[3.0, 1.0], y=[4, 2])
    assert read_features(by_id, ids).tolist() == [[1, 2], [3, 4]]
    lists = parquet_of(tmp_path / "l.parquet", id=["b.png", "a.png"], embedding=[[3.0, 4.0], [1.0, 2.0]])
    assert read_features(lists, ids).tolist() == [[1, 2], [3, 4]]
    by_row = parquet_of(tmp_path / "r.parquet", x=[1.0, 3.0], y=[2, 4])
    assert read_features(by_row, ids).tolist() == [[1, 2], [3, 4]]
    for columns in (
        {"x": [1.0, None]},
        {"x": ["a", "b"]},
        {"e": [[1.0], [1.0, 2.0]]},
        {"label": ["a", "b"], "x": [1, 2]},
        {"x": [1.0]},
    ):
        with pytest.raises(SourceError):
            read_features(parquet_of(tmp_path / "bad.parquet", **columns), ids)
