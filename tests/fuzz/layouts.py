"""Targets of the layouts that data sets come in: arrays in parts, annotations, lists, shards."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
from hypothesis import strategies as st

from labeler.plugins.importers.detect import open_source
from labeler.plugins.importers.labels import read_labels
from tests.fuzz import seeds
from tests.fuzz.mutation import changed_bytes, changed_text, zipped
from tests.fuzz.targets import Target, read_source, run_labels

COCO = {
    "images": [{"id": place, "file_name": name} for place, name in enumerate(seeds.IDS) if name.isascii()],
    "annotations": [{"image_id": place, "category_id": place % 2, "bbox": [1, 2, 3, 4]} for place in range(3)],
    "categories": [{"id": 0, "name": "cat"}, {"id": 1, "name": "dog"}],
}
LABELME = {"version": "5", "flags": {}, "shapes": [{"label": "cat", "points": [[1, 2]]}], "imagePath": "a/0.png"}
DOCUMENTS = [json.dumps(COCO), json.dumps(COCO, indent=1), json.dumps(LABELME), '{"a/0.png": "cat", "b/2.png": 3}']
LINES = ["a/0.png cat\nb/2.png dog\n", "# x\n/root/a/1.png\n../b/3.png\t4\r\n", "C:\\data\\a\\0.png,1\n"]
YAML = ["names:\n  0: cat\n  1: dog\n", "names: [cat, 'a, b']\nnc: 2\n", "nc: 1\nnames: {0: cat}\n", "names:\n- a\n- b"]
BOXES = ["9 0.5 0.5 0.1 0.1\n", "0 0.5 0.5 0.1 0.1\n1 0.2 0.2 0.1 0.1\n", "1 0 0 1 0 1 1\n", "\n"]


def layout_targets() -> dict[str, Target]:
    """Every target by name."""
    return {
        "npz-parts": Target(_npz_cases, _run_file("pool.npz")),
        "labels-json": Target(lambda: changed_text(DOCUMENTS), run_labels("labels.json")),
        "labels-txt": Target(lambda: changed_text(LINES), run_labels("labels.txt")),
        "list-txt": Target(
            lambda: changed_text(["a.png cat\nb/c.png\n", "./a.png\n../pool/a.png"]), _run_list("l.txt")
        ),
        "list-json": Target(lambda: changed_text(['["a.png", "b/c.png"]', '{"a.png": "x"}']), _run_list("l.json")),
        "yolo": Target(lambda: st.tuples(changed_text(YAML), changed_text(BOXES)), _run_yolo),
        "shards": Target(lambda: st.tuples(changed_bytes([_shard()]), changed_bytes([_zip()])), _run_shards),
    }


def _npz_cases() -> st.SearchStrategy[bytes]:
    pixels, labels = seeds.npy(np.zeros((3, 4, 5), np.uint8)), seeds.npy(np.eye(3, dtype=np.uint8))

    def build(x: bytes, y: bytes, other: bytes) -> bytes:
        return zipped({"x_train.npy": x, "y_train.npy": y, "x_test.npy": other, "y_test.npy": labels})

    return st.builds(build, changed_bytes([pixels]), changed_bytes([labels]), changed_bytes([pixels]) | st.just(pixels))


def _run_file(name: str) -> Callable[[bytes, Path], None]:
    def run(content: bytes, folder: Path) -> None:
        (folder / name).write_bytes(content)
        read_source(folder / name)

    return run


def _png() -> bytes:
    return seeds.images()["PNG"][0]


def _run_list(name: str) -> Callable[[bytes, Path], None]:
    def run(content: bytes, folder: Path) -> None:
        (folder / "pool" / "b").mkdir(parents=True)
        for image in ("a.png", "b/c.png"):
            (folder / "pool" / image).write_bytes(_png())
        (folder / "pool" / name).write_bytes(content)
        read_source(folder / "pool" / name)

    return run


def _run_yolo(case: tuple[bytes, bytes], folder: Path) -> None:
    for place in ("labels/a", "images/a"):
        (folder / place).mkdir(parents=True)
    (folder / "data.yaml").write_bytes(case[0])
    (folder / "labels" / "a" / "0.txt").write_bytes(case[1])
    (folder / "labels" / "a" / "1.txt").write_text("0 0.1 0.1 0.1 0.1\n")
    (folder / "images" / "a" / "0.png").write_bytes(_png())
    (folder / "images" / "a" / "1.png").write_bytes(_png())
    read_source(folder)
    for row in read_labels(folder, open_source(folder)):
        row.label.encode()


def _shard() -> bytes:
    return seeds.tarred({"0.png": _png(), "0.cls": b"cat", "1.png": _png(), "1.json": b'{"label": 3}'})


def _zip() -> bytes:
    return zipped({"2.png": _png(), "2.txt": b"dog"})


def _run_shards(case: tuple[bytes, bytes], folder: Path) -> None:
    (folder / "a.tar").write_bytes(case[0])
    (folder / "b.zip").write_bytes(case[1])
    read_source(folder)
