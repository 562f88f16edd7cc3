"""COCO, YOLO, labelme and Hugging Face's metadata: classes of images, as truth and as labels alike."""

from __future__ import annotations

import json

import pytest

from labeler.core.errors import SourceError
from labeler.plugins.importers.detect import open_source
from labeler.plugins.importers.labels import read_labels, read_truth
from labeler.plugins.importers.yolo_names import names_of_yaml
from tests.plugins.importers.test_zip_archive import png

SIX = [f"{split}/{row}.jpg" for split in ("train", "val") for row in range(3)]
LABELS = dict(zip(SIX, ["cat", "dog", "cat", "dog", "cat", "dog"], strict=True))


def pool(root, names=SIX):
    for place, name in enumerate(names):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(png(place))
    return root


def write(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def both(path, source):
    """Labels as import-labels takes them, which have to be those of --truth."""
    rows = {row.instance_id: row.label for row in read_labels(path, source)}
    assert read_truth(str(path), source) == rows
    return rows


def coco(images, categories=((1, "cat"), (7, "dog")), **more):
    """{file name: categories of its annotations} as COCO has it."""
    number = {name: category for category, name in categories}
    return {
        "info": {"year": 2017},
        "licenses": [],
        "images": [{"id": place, "file_name": name, "width": 4} for place, name in enumerate(images)],
        "annotations": [
            {"id": 10 * place + at, "image_id": place, "category_id": number[label], "bbox": [0, 0, 1, 1]}
            for place, labels in enumerate(images.values())
            for at, label in enumerate(labels)
        ],
        "categories": [{"id": category, "name": name} for category, name in categories],
    } | more


# -- COCO --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("written", ["{}", "./{}", "/data/set/{}", "D:\\set\\{}", "https://example.org/set/{}"])
def test_coco_gives_an_image_its_only_category(tmp_path, written):
    source = open_source(pool(tmp_path / "set"))
    images = {name: [label, label] for name, label in LABELS.items()}
    images["train/0.jpg"], images["train/1.jpg"] = ["cat", "dog"], []
    named = {
        written.format(name if ":" not in written[:3] else name.replace("/", "\\")): c for name, c in images.items()
    }
    path = write(tmp_path / "a.json", coco(named))
    assert both(path, source) == {i: label for i, label in LABELS.items() if i not in SIX[:2]}
    assert "a.json: 1 image has annotations of several classes: no label" in source.notes
    assert "a.json: 1 image has no annotation: no label" in source.notes
    assert "a.json: 10 boxes or outlines not used: a class goes to the image" in source.notes


def test_coco_in_any_order_and_without_boxes(tmp_path):
    source = open_source(pool(tmp_path / "set"))
    document = coco({name: [label] for name, label in LABELS.items()})
    for annotation in document["annotations"]:
        del annotation["bbox"]
    path = write(tmp_path / "a.json", dict(reversed(document.items())))
    assert both(path, source) == LABELS
    assert source.notes == []


@pytest.mark.parametrize("lead", ["", "images/"])
def test_coco_of_the_same_base_names_in_two_folders(tmp_path, lead):
    """``instances_train2017.json`` names ``0.jpg``, which is in ``train2017`` and in ``val2017``."""
    root = tmp_path / "set"
    names = {name.replace("/", "2017/"): label for name, label in LABELS.items()}
    pool(root, [f"{lead}{name}" for name in names])
    for split in ("train2017", "val2017"):
        some = {name.rpartition("/")[2]: [label] for name, label in names.items() if name.startswith(split)}
        write(root / f"annotations/instances_{split}.json", coco(some))
        write(
            root / f"annotations/captions_{split}.json",
            {"images": [], "annotations": [{"image_id": 1, "caption": "x"}]},
        )
    expected = {f"{lead}{name}": label for name, label in names.items()}
    assert both(root, open_source(root)) == expected
    assert read_truth("y", open_source(root)) == expected


def test_coco_beside_the_images_of_each_split(tmp_path):
    root = pool(tmp_path / "set")
    for split in ("train", "val"):
        some = {name.partition("/")[2]: [label] for name, label in LABELS.items() if name.startswith(split)}
        write(root / split / "_annotations.coco.json", coco(some))
    assert both(root, open_source(root)) == LABELS


def test_coco_that_does_not_fit_is_one_line(tmp_path):
    source = open_source(pool(tmp_path / "set"))
    wrong = coco({"train/0.jpg": ["cat"]}) | {"categories": [{"id": 3, "name": "x"}]}
    with pytest.raises(SourceError, match="category 1, which is not among the categories"):
        both(write(tmp_path / "a.json", wrong), source)
    with pytest.raises(SourceError, match="holds no label"):
        both(write(tmp_path / "a.json", coco({"train/0.jpg": []})), source)
    with pytest.raises(SourceError, match="cannot be read"):
        both(write(tmp_path / "a.json", '{"images": [{"id": 1}], "annotations": []}'), source)
    with pytest.raises(SourceError, match="cannot be read"):
        both(write(tmp_path / "a.json", '{"images": [1, 2'), source)


# -- YOLO --------------------------------------------------------------------------------------------------------------

YAML = "path: ../set\nnames:\n  0: cat\n  1: dog  # a pet\nnc: 2\n"


def yolo(root, images, lines, more=""):
    """images/SPLIT/*.jpg or SPLIT/images/*.jpg and their labels."""
    names = [images.format(*name.split("/")) for name in SIX]
    pool(root, names)
    for name, label in zip(names, LABELS.values(), strict=True):
        text = lines.format("0" if label == "cat" else "1")
        write(root / f"{name.replace('images', 'labels')[:-4]}.txt", text)
    write(root / "data.yaml", YAML)
    return dict(zip(names, LABELS.values(), strict=True))


@pytest.mark.parametrize("images", ["images/{0}/{1}", "{0}/images/{1}", "images/{0}_{1}"])
@pytest.mark.parametrize(
    "lines", ["{0} 0.5 0.5 0.2 0.2\n", "{0} .5 .5 1e-3 1\n\n{0} 0.1 0.2 0.3 0.4\n", "{0} 0 0 1 0 1 1"]
)
def test_yolo_gives_an_image_the_class_of_all_its_boxes(tmp_path, images, lines):
    root = tmp_path / "set"
    labels = yolo(root, images, lines)
    source = open_source(root)
    assert both(root, source) == labels
    assert read_truth("y", open_source(root)) == labels
    assert any("boxes or outlines not used" in note for note in source.notes)


def test_yolo_of_several_classes_none_and_no_names(tmp_path):
    root = tmp_path / "set"
    labels = yolo(root, "images/{0}/{1}", "{0} 0.5 0.5 0.2 0.2\n")
    write(root / "labels/train/0.txt", "0 0.5 0.5 0.2 0.2\n1 0.5 0.5 0.2 0.2\n")
    write(root / "labels/train/1.txt", "\n")
    (root / "data.yaml").unlink()
    source = open_source(root)
    assert both(root / "labels", source) == {
        name: "0" if label == "cat" else "1" for name, label in list(labels.items())[2:]
    }
    notes = "\n".join(source.notes)
    assert "1 image has annotations of several classes: no label" in notes
    assert "1 image has no annotation: no label" in notes
    assert "they are numbers" in notes


def test_yolo_with_its_names_beside_and_a_number_too_high(tmp_path):
    root = pool(tmp_path / "set", ["a.jpg", "b.jpg"])
    write(root / "classes.txt", "cat\ndog\n")
    write(root / "a.txt", "1 0.5 0.5 0.2 0.2\n")
    write(root / "b.txt", "0 0.5 0.5 0.2 0.2\n")
    assert both(root, open_source(root)) == {"a.jpg": "dog", "b.jpg": "cat"}
    write(root / "b.txt", "2 0.5 0.5 0.2 0.2\n")
    with pytest.raises(SourceError, match=r"b\.txt.*the class 2, classes are numbered 0 to 1"):
        both(root, open_source(root))


def test_yolo_of_classification_is_folders_in_splits(tmp_path):
    root = pool(tmp_path / "set", ["train/cat/0.jpg", "train/dog/1.jpg", "val/cat/2.jpg"])
    expected = {"train/cat/0.jpg": "cat", "train/dog/1.jpg": "dog", "val/cat/2.jpg": "cat"}
    assert both(root, open_source(root)) == read_truth("folders", open_source(root)) == expected


@pytest.mark.parametrize(
    "text",
    [
        "names: [cat, 'big dog', \"a, b\"]",
        "nc: 3\nnames: ['cat',\n  'big dog',\n  'a, b'] # three\ntrain: x\n",
        "names:\n- cat\n- big dog\n- 'a, b'\nnc: 3",
        'names:\n  - cat\n  # no\n  - big dog\n  - "a, b"\n',
        "names:\n  0: cat\n  2: a, b\n  1: big dog\nval: y",
        "names: {0: cat, 1: big dog, 2: 'a, b'}",
        "names:\r\n  0: cat\r\n  1: big dog\r\n  2: a, b\r\n",
    ],
)
def test_names_of_a_yaml(text):
    assert names_of_yaml(text) == ["cat", "big dog", "a, b"]


@pytest.mark.parametrize("text", ["nc: 3", "names:\n", "names: [", "names: {1: a, 5: b}", "  names: [a]", "names: x"])
def test_a_yaml_without_names(text):
    assert names_of_yaml(text) == []


# -- labelme, Hugging Face, samples ------------------------------------------------------------------------------------


def test_labelme_by_shapes_or_flags(tmp_path):
    root = pool(tmp_path / "set")
    for place, (name, label) in enumerate(LABELS.items()):
        shapes = [{"label": label, "points": [[0, 0]]}] * 2
        document = {"version": "5.0", "flags": {}, "shapes": shapes, "imagePath": name.rpartition("/")[2]}
        if place == 1:
            document |= {"shapes": [], "flags": {"cat": False, "dog": True}, "imagePath": "..\\train\\1.jpg"}
        if place == 2:
            document["shapes"] = [*shapes, {"label": "other", "points": []}]
        write(root / f"{name[:-4]}.json", document)
    source = open_source(root)
    assert both(root, source) == {name: label for name, label in LABELS.items() if name != "train/2.jpg"}
    assert any("1 image has annotations of several classes" in note for note in source.notes)
    assert both(root / "val" / "0.json", open_source(root / "val")) == {"0.jpg": "dog"}


@pytest.mark.parametrize("ending", ["csv", "jsonl"])
@pytest.mark.parametrize("in_splits", [True, False])
def test_metadata_of_hugging_face_are_relative_to_themselves(tmp_path, ending, in_splits):
    root = pool(tmp_path / "set")
    for split in ("train", "val") if in_splits else ("",):
        names = {name.removeprefix(f"{split}/"): label for name, label in LABELS.items() if name.startswith(split)}
        lines = {
            "csv": "file_name,caption,label\n" + "".join(f"{name},a thing,{label}\n" for name, label in names.items()),
            "jsonl": "".join(json.dumps({"file_name": n, "label": label}) + "\n" for n, label in names.items()),
        }
        write(root / split / f"metadata.{ending}", lines[ending])
    source = open_source(root)
    assert list(source.ids) == SIX
    assert both(root, source) == LABELS
    assert read_truth("y", open_source(root)) == LABELS


def test_metadata_without_labels_are_said(tmp_path):
    root = pool(tmp_path / "set")
    write(root / "metadata.csv", "file_name,text\n" + "".join(f"{name},a cat\n" for name in SIX))
    with pytest.raises(SourceError, match="no column 'label'"):
        read_truth("y", open_source(root))


def test_a_class_in_a_file_beside_each_image(tmp_path):
    root = pool(tmp_path / "set")
    for name, label in LABELS.items():
        write(root / f"{name[:-4]}.cls", f"{label}\n")
    assert both(root, open_source(root)) == read_truth("y", open_source(root)) == LABELS


def test_names_of_one_split_are_never_those_of_another(tmp_path):
    """Each file names ``0.jpg``: opened alone, a split takes its own file's labels; a file that is gone takes none."""
    root = pool(tmp_path / "set")
    for split in ("train", "val"):
        write(root / split / "metadata.csv", f"file_name,label\n0.jpg,{split}\n7.jpg,{split}\n")
        write(tmp_path / "coco" / split / "a.json", coco({"0.jpg": [split]}, [(1, "train"), (2, "val")]))
    pool(root, ["val/7.jpg"])
    assert both(root, open_source(root)) == {"train/0.jpg": "train", "val/0.jpg": "val", "val/7.jpg": "val"}
    alone = open_source(root / "train")
    assert both(root, alone) == {"0.jpg": "train"}
    assert any("3 labels fit no instance" in note for note in alone.notes)
    pool(tmp_path / "coco", ["train/0.jpg", "val/0.jpg"])
    assert both(tmp_path / "coco", open_source(tmp_path / "coco" / "val")) == {"0.jpg": "val"}
