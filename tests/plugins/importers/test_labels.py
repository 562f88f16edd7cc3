"""Truth and labels from elsewhere: tolerant of how they are written, strict about what they mean."""

from __future__ import annotations

import gzip
import json
import struct
import unicodedata

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from labeler.core.errors import LabelerError, SourceError
from labeler.plugins.importers.detect import open_source
from labeler.plugins.importers.id_matching import match_names
from labeler.plugins.importers.label_tables import LabelRow, read_label_rows
from labeler.plugins.importers.labels import read_labels, read_truth


def put(path, value=0):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full((4, 5), value, np.uint8)).save(path)
    return path


@pytest.fixture
def pool(tmp_path):
    """Four images in two class folders; `x.png` occurs in both."""
    for value, name in enumerate(("Greek/character01/a.png", "Greek/character01/x.png", "Latin/b.png", "Latin/x.png")):
        put(tmp_path / "pool" / name, value)
    return open_source(tmp_path / "pool")


def write(path, text, encoding="utf-8"):
    path.write_bytes(text.encode(encoding))
    return path


def test_folders(pool):
    truth = read_truth("folders", pool)
    assert truth["Greek/character01/a.png"] == "Greek/character01"
    assert truth["Latin/x.png"] == "Latin"


@pytest.mark.parametrize(
    "text",
    [
        "path,label\nLatin/b.png,B\n",
        "\ufeffpath,label\r\nLatin/b.png,B\r\n",
        'extra;Label;PATH\r\n1;"B";"Latin/b.png"\r\n',
        "id\tlabel\nLatin/b.png\tB\n\n\n",
        'path,label,note\n"Latin/b.png","B","a ""quoted"", cell\nof two lines"\n',
        "path,label\n./Latin/b.png,B\n",
        "path,label\nLatin\\b.png,B\n",
        "path,label\n/home/me/pool/Latin/b.png, B \n",
        "path,label\nLatin/b.png,B\nLatin/x.png,\n",
        "path,label\nLatin/b.png,B\nLatin/b.png,B\n",
    ],
)
def test_csv_however_it_is_written(tmp_path, pool, text):
    assert read_truth(str(write(tmp_path / "t.csv", text)), pool) == {"Latin/b.png": "B"}


def test_utf16_as_spreadsheets_write_it(tmp_path, pool):
    path = write(tmp_path / "t.csv", "path\tlabel\r\nLatin/b.png\tβ\r\n", "utf-16")
    assert read_truth(str(path), pool) == {"Latin/b.png": "β"}


def test_jsonl(tmp_path, pool):
    lines = [{"path": "Latin/b.png", "label": 3, "more": [1]}, {"id": "Latin/x.png", "label": 4.0}]
    expected = {"Latin/b.png": "3", "Latin/x.png": "4"}
    path = write(tmp_path / "t.jsonl", "\n".join(map(json.dumps, lines)) + "\n")
    assert read_truth(str(path), pool) == expected
    assert read_truth(str(write(tmp_path / "t.json", json.dumps(lines))), pool) == expected


def test_unknown_names_are_counted(tmp_path, pool):
    text = "path,label\nLatin/b.png,B\nnope.png,C\nx.png,D\n"
    assert read_truth(str(write(tmp_path / "t.csv", text)), pool) == {"Latin/b.png": "B"}
    assert pool.notes == [
        "t.csv: 2 labels fit no instance: nope.png: none is called so; "
        "x.png: Greek/character01/x.png, Latin/x.png end so"
    ]


def test_names_that_are_not_utf8_match(tmp_path):
    import os

    put(tmp_path / "pool/a.png")
    os.rename(tmp_path / "pool/a.png", os.path.join(os.fsencode(tmp_path), b"pool/caf\xe9.png"))
    (tmp_path / "t.csv").write_bytes(b"path,label\ncaf\xe9.png,caf\xe9\n")
    truth = read_truth(str(tmp_path / "t.csv"), open_source(tmp_path / "pool"))
    assert truth == {"caf\udce9.png": "café"}


@pytest.mark.parametrize(
    ("name", "text", "why"),
    [
        ("t.csv", "", "no column 'path'"),
        ("t.csv", "Latin/b.png,B\n", "no column 'path'"),
        ("t.csv", "path,colour\nLatin/b.png,B\n", "no column 'label'"),
        ("t.csv", "path,label\n", "holds no label"),
        ("t.csv", 'path,label\n"Latin/b.png,B\n', "line 2: unexpected end"),
        ("t.csv", "path,label\n,B\n", "line 2: a label without a path"),
        ("t.csv", "path,label\nLatin/b.png,B\nLatin/b.png,C\n", "two labels: 'B' and 'C'"),
        ("t.csv", "path,label\nb.png,B\nLatin/b.png,C\n", "fits? no instance|two labels|"),
        ("t.csv", "path,label\nnope.png,B\n", "none of the names"),
        ("t.csv", "path,label,confidence\nLatin/b.png,B,2\n", "confidence '2'"),
        ("t.jsonl", "{\n", "line 1: no JSON"),
        ("t.jsonl", "[" * 100_000, "no JSON"),
        ("t.jsonl", '"text"\n', "no JSON object"),
        ("t.jsonl", '{"path": "Latin/b.png", "label": [1]}\n', "list or object"),
    ],
)
def test_what_cannot_be_used_is_one_line(tmp_path, pool, name, text, why):
    path = write(tmp_path / name, text)
    if why.endswith("|"):  # one name matches exactly, so the other's base name is no longer free
        assert read_truth(str(path), pool) == {"Latin/b.png": "C"}
        return
    with pytest.raises(SourceError, match=why) as caught:
        read_truth(str(path), pool)
    assert "\n" not in caught.value.message


def test_truth_that_is_not_there(tmp_path, pool):
    assert read_truth(str(tmp_path / "pool"), pool) == read_truth("folders", pool)  # class folders, as import-labels
    for spec in ("y", str(tmp_path / "missing.csv")):
        with pytest.raises(SourceError) as caught:
            read_truth(spec, pool)
        assert "--truth takes" in caught.value.hint
    np.savez(tmp_path / "x.npz", X=np.zeros((2, 3, 3), np.uint8), y=[4, 5], other=[1])
    flat = open_source(tmp_path / "x.npz")
    assert read_truth("y", flat) == {"00000": "4", "00001": "5"}
    with pytest.raises(SourceError, match="sub-folders"):
        read_truth("folders", flat)
    path = write(tmp_path / "t.csv", "id,label\n1,b\n0,a\n")  # a spreadsheet takes the zeros away
    assert read_truth(str(path), flat) == {"00000": "a", "00001": "b"}


def idx(values):
    values = np.asarray(values, np.uint8)
    return bytes((0, 0, 8, values.ndim)) + struct.pack(f">{values.ndim}I", *values.shape) + values.tobytes()


def test_idx_labels(tmp_path):
    folder = tmp_path / "m"
    folder.mkdir()
    for prefix, count in (("train", 4), ("t10k", 2)):
        (folder / f"{prefix}-images-idx3-ubyte").write_bytes(idx(np.zeros((count, 2, 2))))
        (folder / f"{prefix}-labels-idx1-ubyte.gz").write_bytes(gzip.compress(idx(np.arange(count))))
    source = open_source(folder)
    whole = read_truth(str(folder), source)
    assert len(whole) == 6
    assert whole["train:00003"] == "3"
    assert read_truth(str(folder / "t10k-labels-idx1-ubyte.gz"), source) == {"t10k:00000": "0", "t10k:00001": "1"}
    single = open_source(folder / "train-images-idx3-ubyte")
    (folder / "gold-labels-idx1-ubyte").write_bytes(idx([9, 8, 7, 6]))
    assert list(read_truth(str(folder / "gold-labels-idx1-ubyte"), single).values()) == ["9", "8", "7", "6"]
    (folder / "train-labels-idx1-ubyte").write_bytes(idx(np.arange(3)))
    with pytest.raises(SourceError, match="3 labels for 4 images"):
        read_truth(str(folder), source)


def test_labels_with_provenance(tmp_path, pool):
    text = "path,label,provenance,confidence\nLatin/b.png,B,Human,\nLatin/x.png,B,predicted,0.25\n"
    assert read_labels(write(tmp_path / "t.csv", text), pool) == [
        LabelRow("Latin/b.png", "B", "human", None),
        LabelRow("Latin/x.png", "B", "predicted", 0.25),
    ]


def test_conflicting_labels_are_left_to_the_session(tmp_path, pool):
    rows = read_labels(write(tmp_path / "t.csv", "path,label\nLatin/b.png,B\nLatin/b.png,C\n"), pool)
    assert [row.label for row in rows] == ["B", "C"]


def test_class_folders_by_name_and_by_content(tmp_path, pool):
    sorted_ = tmp_path / "sorted"
    put(sorted_ / "train/cat/a.png", 77)  # by base name, whatever it holds
    put(sorted_ / "test/dog/renamed.png", 3)  # the bytes of Latin/x.png
    put(sorted_ / "test/dog/foreign.png", 200)
    (sorted_ / "train/cat/b.png").symlink_to(tmp_path / "pool/Latin/b.png")
    rows = read_labels(sorted_, pool)
    assert {(row.instance_id, row.label) for row in rows} == {
        ("Greek/character01/a.png", "cat"),
        ("Latin/b.png", "cat"),
        ("Latin/x.png", "dog"),
    }
    assert pool.notes == ["sorted: 1 label fits no instance: test/dog/foreign.png: none is called so"]


def test_class_folders_use_the_map_of_an_export(tmp_path, pool):
    put(tmp_path / "out/Greek%2F1/a.png")
    write(tmp_path / "out/class_map.json", json.dumps({"Greek%2F1": "Greek/1"}))
    assert [row.label for row in read_labels(tmp_path / "out", pool)] == ["Greek/1"]


def test_labels_that_are_not_there(tmp_path, pool):
    (tmp_path / "flat").mkdir()
    put(tmp_path / "flat/a.png")
    with pytest.raises(SourceError, match="no class folders"):
        read_labels(tmp_path / "flat", pool)
    with pytest.raises(SourceError, match="no file or folder"):
        read_labels(tmp_path / "nope", pool)


def test_match_names_guesses_nothing():
    nfd = unicodedata.normalize("NFD", "é.png")
    assert match_names(["é.png"], [nfd]) == {"é.png": nfd}
    assert match_names(["é.png"], [nfd, "é.png"]) == {"é.png": "é.png"}
    assert match_names(["x/1.png", "y/1.png"], ["z/1.png"]) == {}
    assert match_names(["1.png"], ["a/1.png", "b/1.png"]) == {}
    assert match_names(["a/1.png", "1.png"], ["a/1.png", "b/1.png"]) == {"a/1.png": "a/1.png"}


@given(st.lists(st.text("ab/.01é", max_size=5)), st.lists(st.text("ab/.01é", max_size=5), unique=True))
def test_no_id_is_given_to_two_names(names, ids):
    found = match_names(names, ids)
    assert set(found) <= set(names)
    assert set(found.values()) <= set(ids)
    assert len(set(found.values())) == len(found)


@given(st.binary(max_size=200), st.sampled_from([".csv", ".jsonl", ".json"]))
def test_any_bytes_are_read_or_explained(tmp_path_factory, content, ending):
    path = tmp_path_factory.mktemp("t") / f"t{ending}"
    for candidate in (content, b"path,label\n" + content, b'{"path": "a", "label": "b"}\n' + content):
        path.write_bytes(candidate)
        try:
            for row in read_label_rows(path):
                row.label.encode()  # a class name is always text that can be stored
        except LabelerError as error:
            assert "\n" not in error.message  # noqa: PT017


def test_records_that_name_things_differently_are_read_each_by_its_own(tmp_path, pool):
    lines = [{"path": "Latin/b.png", "label": "B"}, {"id": "Latin/x.png", "class": "X", "label_of": None}]
    path = write(tmp_path / "t.jsonl", "\n".join(map(json.dumps, lines)))
    assert read_truth(str(path), pool) == {"Latin/b.png": "B", "Latin/x.png": "X"}
    path = write(tmp_path / "n.jsonl", json.dumps(lines[0]) + "\n" + json.dumps({"name": None, "label": "C"}))
    with pytest.raises(SourceError, match="line 2: a label without a path or id"):
        read_truth(str(path), pool)
