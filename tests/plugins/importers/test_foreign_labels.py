"""Labels as Label Studio, Prodigy, Hugging Face and FiftyOne write them themselves, not only as our exports do."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from labeler.core.errors import LabelerError, SourceError
from labeler.plugins.importers.detect import open_source
from labeler.plugins.importers.labels import read_labels
from tests.fuzz.targets import explained
from tests.plugins.importers.test_zip_archive import png

NAMES = ("cats/1.png", "dogs/2.png", "dogs/3.png")


@pytest.fixture
def source(tmp_path):
    for name in NAMES:
        (tmp_path / "pool" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "pool" / name).write_bytes(png())
    return open_source(tmp_path / "pool")


def taken(path, source):
    return [(row.instance_id, row.label, row.provenance) for row in read_labels(path, source)]


def choice(*names, **more):
    return {
        "result": [{"type": "choices", "from_name": "c", "to_name": "i", "value": {"choices": list(names)}}],
        **more,
    }


def task(image, *annotations, predictions=()):
    return {"id": 7, "data": {"image": image}, "annotations": list(annotations), "predictions": list(predictions)}


def test_label_studio(source, tmp_path):
    """Addresses of uploads, local files and buckets; a person's annotation of a predicted task is a person's."""
    tasks = [
        task("/data/upload/1/0a1b2c3d-1.png", choice("cat"), predictions=[choice("dog", score=0.3)]),
        task("/data/local-files/?d=photos%2Fdogs%2F2.png", choice("dog"), choice("wolf", was_cancelled=True)),
        task("s3://bucket/dogs/3.png", choice("dog", "wolf")),
        task("s3://bucket/unknown.png", choice("dog")),
    ]
    (tmp_path / "export.json").write_text(json.dumps(tasks, indent=1))
    assert taken(tmp_path / "export.json", source) == [
        ("cats/1.png", "cat", "human"),
        ("cats/1.png", "dog", "predicted"),
        ("dogs/2.png", "dog", "human"),
    ]
    assert any("1 annotation without one class" in note for note in source.notes)
    assert any("1 label fits no instance" in note for note in source.notes)


def test_label_studio_in_short(source, tmp_path):
    """JSON-MIN and CSV: the id there is the task's, the image names the instance."""
    address = "/data/upload/1/0a1b2c3d-2.png"
    (tmp_path / "min.json").write_text(json.dumps([{"id": 1, "image": address, "choice": "dog"}]))
    (tmp_path / "min.csv").write_text(f"image,id,choice,annotator\n{address},1,dog,3\n")
    for name in ("min.json", "min.csv"):
        assert taken(tmp_path / name, source)[0][:2] == ("dogs/2.png", "dog")


def test_prodigy(source, tmp_path):
    tasks = [
        {"image": "data:image/png;base64,AA", "meta": {"file": "1.png"}, "accept": ["cat"], "answer": "accept"},
        {"image": "photos/dogs/2.png", "label": "dog", "answer": "accept"},
        {"image": "3.png", "accept": ["dog"], "answer": "reject"},
        {"image": "3.png", "accept": ["dog", "cat"], "answer": "accept"},
        {"image": "3.png", "accept": ["dog"], "answer": "accept", "meta": {"provenance": "propagated"}},
        {
            "image": "3.png",
            "accept": ["dog"],
            "answer": "accept",
            "meta": {"provenance": "propagated"},
            "_timestamp": 1,
        },
    ]
    (tmp_path / "out.jsonl").write_text("\n".join(map(json.dumps, tasks)) + "\n\n")
    assert taken(tmp_path / "out.jsonl", source) == [
        ("cats/1.png", "cat", "human"),
        ("dogs/2.png", "dog", "human"),
        ("dogs/3.png", "dog", "propagated"),
        ("dogs/3.png", "dog", "human"),
    ]
    assert sum("left out" in note for note in source.notes) == 2


@pytest.mark.parametrize("split", ["", "train/"])
def test_hugging_face(source, tmp_path, split):
    (tmp_path / "set" / split).mkdir(parents=True)
    (tmp_path / "set" / split / "metadata.csv").write_text("file_name,label\n1.png,cat\n2.png,dog\n")
    assert taken(tmp_path / "set", source) == [("cats/1.png", "cat", None), ("dogs/2.png", "dog", None)]


@pytest.mark.parametrize(
    "labels",
    [
        {"classes": ["cat", "dog"], "labels": {"1": 0, "2": 1, "3": None}},
        {"labels": {"1": "cat", "2": "dog"}, "classes": None},
        {"labels": {"1": {"label": 0, "confidence": 0.5}, "2": {"label": 1}}, "classes": ["cat", "dog"]},
        {"classes": ["cat", "dog"], "labels": {"cats/1": 0, "dogs/2": 1, "3": 99}},
    ],
)
def test_fiftyone(source, tmp_path, labels):
    (tmp_path / "set").mkdir()
    (tmp_path / "set/labels.json").write_text(json.dumps(labels))
    for path in (tmp_path / "set", tmp_path / "set/labels.json"):
        assert [row[:2] for row in taken(path, source)] == [("cats/1.png", "cat"), ("dogs/2.png", "dog")]


def test_arrays_without_ids_or_with_a_class_that_is_none_are_refused(source, tmp_path):
    np.savez(tmp_path / "a.npz", y=[0, 1])
    with pytest.raises(SourceError, match="no arrays 'ids' and 'y'"):
        taken(tmp_path / "a.npz", source)
    np.savez(tmp_path / "b.npz", y=[5], ids=["1.png"], classes=["cat"])
    with pytest.raises(SourceError, match="row 0 has the class 5, classes are numbered 0 to 0"):
        taken(tmp_path / "b.npz", source)


@pytest.mark.mostly_slow
@given(text=st.data())
@pytest.mark.parametrize("name", ["t.json", "t.jsonl", "labels.json"])
def test_any_bent_file_is_read_or_explained(tmp_path_factory, name, text):
    whole = {
        "t.json": json.dumps([task("1.png", choice("cat")), task("2.png", choice("dog"))]),
        "t.jsonl": json.dumps({"image": "1.png", "accept": ["cat"], "answer": "accept"}) + "\n",
        "labels.json": json.dumps({"classes": ["cat"], "labels": {"1": 0}}),
    }[name]
    at = text.draw(st.integers(0, len(whole)))
    bent = whole[:at] + text.draw(st.text('[]{}":,0a\\\x1b', max_size=5)) + whole[at + text.draw(st.integers(0, 9)) :]
    folder = tmp_path_factory.mktemp("bent")
    (folder / "1.png").write_bytes(png())
    (folder / name).write_text(bent)
    try:
        read_labels(folder / name, open_source(folder))
    except LabelerError as error:
        explained(error)
