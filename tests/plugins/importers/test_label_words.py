"""What is a label, what is none, and which labels are one class: counted and said, and never guessed silently."""

from __future__ import annotations

import json
import unicodedata

import numpy as np
import pytest

from labeler.core.errors import SourceError
from labeler.plugins.importers.detect import open_source
from labeler.plugins.importers.label_columns import Known, labels_of_arrays, labels_of_parquet
from labeler.plugins.importers.label_tables import read_label_rows
from labeler.plugins.importers.label_words import MISSING, settled
from labeler.plugins.importers.labels import read_labels, read_truth
from tests.plugins.importers.test_zip_archive import png


def rows_of(tmp_path, text, name="l.csv", **more):
    path, notes = tmp_path / name, []
    path.write_text(text)
    return [row.label for row in read_label_rows(path, notes=notes, **more)], notes


@pytest.mark.parametrize(
    "word", ["", "nan", "NaN", "NA", "N/A", "n/a", "<NA>", "#N/A", "null", "NULL", "None", "NaT", "\\N", "  "]
)
@pytest.mark.parametrize("form", ["csv", "tsv", "jsonl"])
def test_a_missing_value_is_no_label_and_counted(tmp_path, word, form):
    if form == "jsonl":
        text = "".join(json.dumps({"path": name, "label": label}) + "\n" for name, label in (("a", "x"), ("b", word)))
    else:
        sep = "\t" if form == "tsv" else ","
        text = f"path{sep}label\na{sep}x\nb{sep}{word}\n"
    labels, notes = rows_of(tmp_path, text, f"l.{form}")
    assert labels == ["x"]
    assert len(notes) == 1
    assert "1 row has no label" in notes[0]
    assert (f"--classes {word}" in notes[0]) == bool(word.strip())


def test_json_has_words_of_its_own_for_it(tmp_path):
    text = '{"path":"a","label":"x"}\n{"path":"b","label":NaN}\n{"path":"c","label":null}\n'
    labels, notes = rows_of(tmp_path, text, "l.jsonl")
    assert labels == ["x"]
    assert notes == ["l.jsonl: 2 rows have no label (NaN 1, null 1); if NaN is a class: --classes NaN"]


@pytest.mark.parametrize("word", sorted(MISSING))
def test_a_class_that_is_called_so_is_one_where_it_is_known_or_given(tmp_path, word):
    text = f"path,label\na,{word}\nb,x\n"
    assert rows_of(tmp_path, text, classes=[word]) == ([word, "x"], [])
    given = f"path,label,provenance\na,{word},human\nb,x,\n"
    assert rows_of(tmp_path, given) == ([word, "x"], [])


@pytest.mark.parametrize("label", ["none", "Nan", "nap", "Null island", "0", "False", "-", "?", "no"])
def test_words_that_only_look_like_it_are_classes(tmp_path, label):
    assert rows_of(tmp_path, f"path,label\na,{label}\n") == ([label], [])


@pytest.mark.parametrize(
    ("names", "classes", "expected"),
    [
        (["café", unicodedata.normalize("NFD", "café")], (), {"café"}),
        (["cat", "cat\u00a0", " cat", "c\u200bat"], (), {"cat"}),
        (["1.0", "1", "2.0"], (), {"1", "2"}),
        (["1.0", "2.0"], ("0", "1", "2"), {"1", "2"}),
        (["1.0", "2.5"], (), {"1.0", "2.5"}),  # measures or versions: nothing is folded
        (["1.0", "1"], ("1.0", "1"), {"1.0", "1"}),  # the project has both
        (["1.0"], ("2.1",), {"1.0"}),
        (
            [unicodedata.normalize("NFD", "é")],
            (unicodedata.normalize("NFD", "é"),),
            {unicodedata.normalize("NFD", "é")},
        ),
    ],
)
def test_spellings_of_one_class_are_one(names, classes, expected):
    found, notes = settled(names, classes)
    assert set(found.values()) == expected
    assert bool(notes) == (
        len(set(names)) > len(expected) or any(name.endswith(".0") and found[name] != name for name in names)
    )


def test_classes_that_differ_in_capitals_stay_two_and_are_said():
    found, notes = settled(["Cat", "cat"])
    assert len(set(found.values())) == 2
    assert notes == ["two classes that differ in capitals only: Cat and cat"]


# -- numbers of classes ------------------------------------------------------------------------------------------------


def arrays(tmp_path, y, names=("a", "b", "c"), **more):
    np.savez(
        tmp_path / "l.npz", ids=np.array([f"{n}.png" for n in range(len(y))]), y=y, classes=np.array(names), **more
    )
    return labels_of_arrays(tmp_path / "l.npz", Known())


@pytest.mark.parametrize("dtype", [np.int8, np.int64, np.float32, "U4"])
def test_numbers_that_say_no_class_are_left_out_and_said(tmp_path, dtype):
    rows, notes = arrays(tmp_path, np.array([-2, 0, -1, 2, -100], dtype))
    assert [(row.instance_id, row.label) for row in rows] == [("1.png", "a"), ("3.png", "c")]
    assert notes == ["3 rows have no label (-2 1, -1 1, -100 1)"]


@pytest.mark.parametrize(
    ("y", "row", "value"),
    [([0, 3], 1, "3"), ([1, 2, 3], 2, "3"), ([0, -3], 1, "-3"), ([0.0, 1.5], 1, "1.5"), ([0, 255], 1, "255"),
     (["a", "z"], 1, "z"), ([0, 2**62], 1, str(2**62))],
)  # fmt: skip
def test_a_number_of_no_class_is_refused_with_its_row(tmp_path, y, row, value):
    with pytest.raises(SourceError, match=f"row {row} has the class {value}, classes are numbered 0 to 2") as caught:
        arrays(tmp_path, np.array(y))
    assert "count from 0" in caught.value.hint


def test_names_beside_a_list_of_names_are_taken(tmp_path):
    assert [row.label for row in arrays(tmp_path, np.array(["b", "a", ""]))[0]] == ["b", "a"]


def test_parquet_says_names_and_gaps(tmp_path):
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    features = {"info": {"features": {"label": {"names": ["cat", "dog"], "_type": "ClassLabel"}}}}
    table = pyarrow.table({"file_name": ["1.png", "2.png", "3.png", "4.png"], "label": [1, 0, None, -1]})
    parquet.write_table(table.replace_schema_metadata({"huggingface": json.dumps(features)}), tmp_path / "h.parquet")
    rows, notes = labels_of_parquet(tmp_path / "h.parquet", Known())
    assert [row.label for row in rows] == ["dog", "cat"]
    assert "2 rows have no label" in notes[0]
    wrong = pyarrow.table({"file_name": ["1.png"], "label": [2]})
    parquet.write_table(wrong.replace_schema_metadata({"huggingface": json.dumps(features)}), tmp_path / "w.parquet")
    with pytest.raises(SourceError, match="row 0 has the class 2"):
        labels_of_parquet(tmp_path / "w.parquet", Known())
    parquet.write_table(pyarrow.table({"path": ["a", "b"], "label": [float("nan"), 1.0]}), tmp_path / "p.parquet")
    assert [row.label for row in labels_of_parquet(tmp_path / "p.parquet", Known())[0]] == ["1"]


# -- which column is which ---------------------------------------------------------------------------------------------


@pytest.fixture
def pool(tmp_path):
    for number in range(3):
        (tmp_path / f"pool/img{number}.png").parent.mkdir(exist_ok=True)
        (tmp_path / f"pool/img{number}.png").write_bytes(png())
    return open_source(tmp_path / "pool")


@pytest.mark.parametrize(
    "text",
    [
        "id,filename,class\n1,img0.png,x\n2,img1.png,y\n",
        "filename,id,class\nimg0.png,7,x\nimg1.png,8,y\n",
        "id,path,label\nimg0.png,/elsewhere/a.png,x\nimg1.png,/elsewhere/b.png,y\n",
        "file,image,label\nbatch1,img0.png,x\nbatch1,img1.png,y\n",
        "image_id,label\nimg0,x\nimg1,y\n",  # Kaggle
        "photo,species,label\nimg0.png,a,x\nimg1.png,b,y\n",  # a column of no usual name
        ",Photo,Label\n0,img0.png,x\n1,img1.png,y\n",
        "File Name;Class\nimg0.png;x\nimg1.png;y\n",
    ],
)
def test_the_column_that_names_files_is_the_id(tmp_path, pool, text):
    (tmp_path / "l.csv").write_text(text)
    rows = read_labels(tmp_path / "l.csv", pool)
    assert [(row.instance_id, row.label) for row in rows] == [("img0.png", "x"), ("img1.png", "y")]
    assert read_truth(str(tmp_path / "l.csv"), pool) == {"img0.png": "x", "img1.png": "y"}


@pytest.mark.parametrize("gone", [0, 1])
def test_an_id_that_could_be_a_file_name_is_none_where_the_files_are_named(tmp_path, gone):
    """``id`` numbers the rows, and the files are called by numbers, too: ``0`` would be ``0.png``."""
    for row in range(4):
        (tmp_path / f"{row}.png").write_bytes(png())
    rows = "".join(f"{row},{(row + 1 + gone) % (4 + gone)}.png,c{row}\n" for row in range(4))
    (tmp_path / "labels.csv").write_text(f"id,filename,class\n{rows}")
    source = open_source(tmp_path)
    labels = {row.instance_id: row.label for row in read_labels(tmp_path / "labels.csv", source)}
    expected = {f"{(row + 1 + gone) % (4 + gone)}.png": f"c{row}" for row in range(4)}
    assert labels == {name: label for name, label in expected.items() if name != "4.png"}
