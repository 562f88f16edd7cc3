"""The layouts of programs that are not installed here, against the rules that they publish; the sources are named."""

from __future__ import annotations

import base64
import io
import json
import os
from pathlib import Path
from urllib.parse import parse_qs, urlsplit
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

from labeler.core.errors import UsageError
from labeler.plugins.exporters.fiftyone import FiftyOneExporter
from labeler.plugins.exporters.huggingface import HuggingFaceExporter
from labeler.plugins.exporters.labelstudio import LabelStudioExporter
from labeler.plugins.exporters.prodigy import ProdigyExporter
from labeler.plugins.exporters.write import write_export

IDS = ["a/1.png", "b/1.png", "b/1.jpg", "c d#?.png", "e%.png"]
NAMES = ["10", "2", '<a "b"> & c']
INDICES = [0, 1, 2, 0, 1]


@pytest.fixture
def rows(make_rows, tmp_path: Path):
    """Five rows with files of their own, two of which share a base name and three a stem; human and propagated ones."""
    for shade, name in enumerate(IDS):
        (tmp_path / "photos" / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.full((3, 4), 40 * shade, np.uint8)).save(tmp_path / "photos" / name)
    return make_rows(IDS, NAMES, INDICES, locate=lambda row: tmp_path / "photos" / IDS[row])


def exported(exporter, rows, tmp_path: Path, name: str = "out") -> Path:
    return write_export(exporter, rows, tmp_path / name, {}, force=False).path


def test_labelstudio_tasks_follow_the_published_format(rows, tmp_path: Path) -> None:
    """https://labelstud.io/guide/task_format and https://labelstud.io/guide/predictions: `data` holds what the
    configuration's ``$image`` names; results carry from_name, to_name, type and value; a prediction has model_version
    and score; "You must use different IDs for each task elements, annotations, predictions and their result items"."""
    target = exported(LabelStudioExporter(), rows, tmp_path)
    config = ElementTree.parse(target / "config.xml").getroot()  # noqa: S314 - our own
    (image,), (choices,) = config.iter("Image"), config.iter("Choices")
    assert config.tag == "View"
    assert image.get("value") == "$image"
    assert choices.get("toName") == image.get("name")
    assert [choice.get("value") for choice in choices.iter("Choice")] == NAMES
    tasks = json.loads((target / "tasks.json").read_text(encoding="utf-8"))
    assert isinstance(tasks, list)
    assert len(tasks) == len(IDS)
    seen = []
    for task, name, index, human in zip(tasks, IDS, INDICES, [True, False] * 3, strict=False):
        assert bool(task["annotations"]) == human
        assert bool(task["predictions"]) == (not human)
        (said,) = task["annotations"] or task["predictions"]
        (result,) = said["result"]
        assert (result["from_name"], result["to_name"]) == (choices.get("name"), image.get("name"))
        assert (result["type"], result["value"]) == ("choices", {"choices": [NAMES[index]]})
        seen += [task["id"], result["id"]]
        assert task["data"]["path"] == name
        assert task["data"]["provenance"] == ("human" if human else "propagated")
        if not human:
            assert said["model_version"].startswith("labeler ")
            assert 0 <= said["score"] <= 1
    assert len(set(seen)) == len(seen)


def test_labelstudio_serves_the_images_by_the_address_in_the_task(rows, tmp_path: Path) -> None:
    """https://labelstud.io/guide/storage#Local-storage: ``/data/local-files/?d=<path below the document root>``."""
    target = exported(LabelStudioExporter(), rows, tmp_path)
    for task, name in zip(json.loads((target / "tasks.json").read_text()), IDS, strict=True):
        address = urlsplit(task["data"]["image"])
        assert address.path == "/data/local-files/"
        (place,) = parse_qs(address.query)["d"]
        assert os.path.samefile(target / place, tmp_path / "photos" / name)
    target = exported(LabelStudioExporter(prefix="https://example.org/i/"), rows, tmp_path, "web")
    assert json.loads((target / "tasks.json").read_text())[3]["data"]["image"] == "https://example.org/i/c%20d%23_.png"


def test_fiftyone_labels_are_keyed_by_distinct_stems(rows, tmp_path: Path) -> None:
    """https://docs.voxel51.com/user_guide/import_datasets.html#fiftyoneimageclassificationdataset:
    ``data/<uuid>.<ext>``, ``labels.json`` with "classes" and "labels": {uuid: target}; a target is a class id,
    or an object with "label", "confidence" and "attributes". Its importer maps a stem to the one file that has it."""
    target = exported(FiftyOneExporter(), rows, tmp_path)
    found = json.loads((target / "labels.json").read_text(encoding="utf-8"))
    assert found["classes"] == NAMES
    files = {os.path.splitext(name)[0]: name for name in os.listdir(target / "data")}
    assert len(files) == len(IDS)
    assert set(found["labels"]) == set(files)
    by_path = {value["attributes"]["path"]: (stem, value) for stem, value in found["labels"].items()}
    for name, index in zip(IDS, INDICES, strict=True):
        stem, value = by_path[name]
        assert value["label"] == index
        assert 0 <= value["confidence"] <= 1
        assert value["attributes"]["provenance"] in ("human", "propagated")
        assert os.path.samefile(target / "data" / files[stem], tmp_path / "photos" / name)


def test_prodigy_tasks_are_accepted_choices(rows, make_rows, tmp_path: Path) -> None:
    """https://prodi.gy/docs/api-interfaces#choice: ``options`` of id and text, ``accept`` the chosen ids; annotated
    tasks have ``answer`` accept, reject or ignore (the recipe `choice` of explosion/prodigy-recipes makes the same)."""
    target = exported(ProdigyExporter(), rows, tmp_path)
    tasks = [json.loads(line) for line in target.read_text(encoding="utf-8").splitlines()]
    for task, name, index in zip(tasks, IDS, INDICES, strict=True):
        assert task["options"] == [{"id": name, "text": name} for name in NAMES]
        assert (task["accept"], task["answer"]) == ([NAMES[index]], "accept")
        assert os.path.samefile(task["image"], tmp_path / "photos" / name)
        assert task["meta"]["path"] == name
        assert task["meta"]["provenance"] in ("human", "propagated")
    inline = make_rows(["x"], ["a"], [0])
    (task,) = map(json.loads, exported(ProdigyExporter(), inline, tmp_path, "inline").read_text().splitlines())
    kind, _, content = task["image"].partition(";base64,")
    assert kind == "data:image/png"
    with Image.open(io.BytesIO(base64.b64decode(content))) as image:
        assert np.array_equal(np.asarray(image), inline.image(0))


@pytest.mark.parametrize("kind", ["jsonl", "csv"])
def test_hugging_face_metadata_lie_beside_the_images(kind: str, rows, tmp_path: Path) -> None:
    """https://huggingface.co/docs/datasets/image_dataset#imagefolder: ``file_name`` links an image to its metadata."""
    target = exported(HuggingFaceExporter(metadata=kind), rows, tmp_path)
    text = (target / "train" / f"metadata.{kind}").read_text(encoding="utf-8")
    assert text.startswith("file_name," if kind == "csv" else '{"file_name": ')
    if kind == "jsonl":
        for row, name in zip(map(json.loads, text.splitlines()), IDS, strict=True):
            assert os.path.samefile(target / "train" / row["file_name"], tmp_path / "photos" / name)
    with pytest.raises(ValueError, match="jsonl"):
        HuggingFaceExporter(metadata="xml")


@pytest.mark.parametrize("exporter", [HuggingFaceExporter, FiftyOneExporter, LabelStudioExporter])
def test_a_link_that_does_not_exist_is_refused_first(exporter, rows, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="link=soft"):
        exporter(link="soft").write(rows, tmp_path / "out")
    assert not (tmp_path / "out").exists()
    target = exported(exporter(link="sym"), rows, tmp_path)
    assert any(path.is_symlink() for path in target.rglob("*.png"))


def test_classes_that_a_reader_would_take_for_something_else_are_warned_of(make_rows, tmp_path: Path) -> None:
    def said(exporter, *names: str) -> str:
        rows = make_rows([f"{n}" for n in range(len(names))], list(names), list(range(len(names))))
        return " ".join(write_export(exporter, rows, tmp_path / "t", {}, force=True).warnings)

    assert "as dates" in said(HuggingFaceExporter(metadata="jsonl"), "2024-01-01", "2024-05-06")
    assert "as dates" not in said(HuggingFaceExporter(metadata="jsonl"), "2024-01-01", "cat")
    assert "as numbers" in said(HuggingFaceExporter(metadata="csv"), "1", "007")
    assert "as missing" in said(HuggingFaceExporter(metadata="csv"), "NA", "cat")
    assert "as numbers" not in said(HuggingFaceExporter(metadata="jsonl"), "1", "007")


def test_without_pyarrow_hugging_face_labels_are_text_and_that_is_said(make_rows, tmp_path, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    exporter = HuggingFaceExporter()
    warnings = exporter.write(make_rows(["a", "b", "c"], ["x", "y"], [1, 0, 1]), tmp_path / "set")
    assert (tmp_path / "set" / "train" / "metadata.jsonl").is_file()
    assert any("ClassLabel" in line for line in warnings)
    assert not any(
        "ClassLabel" in line
        for line in HuggingFaceExporter("jsonl").write(
            make_rows(["a", "b", "c"], ["x", "y"], [1, 0, 1]), tmp_path / "asked"
        )
    )


def test_with_pyarrow_hugging_face_labels_are_class_labels_by_themselves(make_rows, tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet")
    rows = make_rows(["a", "b", "c"], ["x", "y"], [1, 0, 1])
    exporter = HuggingFaceExporter()
    exporter.write(rows, tmp_path / "set")
    schema = parquet.read_schema(tmp_path / "set" / "train" / "metadata.parquet")
    features = json.loads(schema.metadata[b"huggingface"])["info"]["features"]
    assert features["label"] == {"names": rows.class_names, "_type": "ClassLabel"}
    assert sum(exporter.count(tmp_path / "set").values()) == len(rows.ids)
