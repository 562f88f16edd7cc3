"""Annotations made for detection, as classes of images: COCO, YOLO, labelme. An image all of whose boxes are of one
class has it; boxes and outlines themselves are not used, and that is said.

COCO: https://cocodataset.org/#format-data. YOLO: https://docs.ultralytics.com/datasets/detect.
labelme: https://github.com/wkentaro/labelme.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from labeler.core.errors import SourceError, UnreadableInstance
from labeler.core.json_file import items
from labeler.core.text import counted, display_safe
from labeler.plugins.importers.files import first_bytes, read_bytes
from labeler.plugins.importers.folder_listing import list_folder
from labeler.plugins.importers.id_matching import match_names, name_of_media
from labeler.plugins.importers.label_columns import Known, RowsAndNotes, class_at
from labeler.plugins.importers.label_tables import LabelRow
from labeler.plugins.importers.names import is_junk
from labeler.plugins.importers.sidecar_labels import may_be_label, sample_labels
from labeler.plugins.importers.yolo_names import class_names_in, is_list_of_names

Reader = Callable[[Path, Known], RowsAndNotes]

# enough to get past COCO's `info` and `licenses`, which usually stand before its lists
_PEEK = 1 << 16
# by keys near the beginning, not by parsing: such a file may be gigabytes
_COCO = re.compile(r'"(?:images|annotations|categories)"\s*:\s*\[')
_LABELME = re.compile(r'"shapes"\s*:\s*\[')
# a class, then x, y, width and height of a box, or more numbers for an outline
_BOX = re.compile(r"(\d+)((?:\s+[-+.\deE]+){4,})\s*")
_LABEL_BYTES = 1 << 24
_LOOK, _SAMPLE = 20, 200


def files_below(root: Path, ending: str) -> list[str]:
    """Paths, relative to `root`, of the files with this ending below it; hidden ones and links are not followed."""
    listed = []
    for folder, folders, names in os.walk(root):
        # in place, because os.walk goes on by this list; sorted, so that every machine lists alike
        folders[:] = sorted(name for name in folders if not is_junk(name))
        inside = os.path.relpath(folder, root).replace(os.sep, "/")
        lead = "" if inside == "." else f"{inside}/"
        listed += [f"{lead}{name}" for name in sorted(names) if name.lower().endswith(ending) and not is_junk(name)]
    return listed


def annotation_reader(path: Path) -> Reader | None:
    """Return the reader of the annotations of a folder; None where there are none of these kinds."""
    documents = _spread(files_below(path, ".json"))
    if any(is_coco(path / name) for name in documents):
        return coco_folder
    if any(_is_yolo(path / name) for name in _spread(_label_files(path))):
        return yolo_folder
    if any(is_labelme(path / name) for name in documents):
        return labelme_folder
    return sample_folder if files_below(path, ".cls") else None


def _spread(names: list[str]) -> list[str]:
    """Some of many names, evenly spread: by these a folder is judged, not by a hundred thousand files."""
    return names[:: max(1, len(names) // _SAMPLE)]


def _head(path: Path) -> str:
    return first_bytes(path, _PEEK).removeprefix(b"\xef\xbb\xbf").decode("utf-8", "replace").lstrip()


# -- COCO --------------------------------------------------------------------------------------------------------------


def is_coco(path: Path) -> bool:
    """Whether a .json begins like one of COCO."""
    head = _head(path)
    return head.startswith("{") and _COCO.search(head) is not None


def coco_folder(path: Path, known: Known) -> RowsAndNotes:
    """Every COCO file below a folder; where some are called ``instances_...``, only these."""
    files = [name for name in files_below(path, ".json") if is_coco(path / name)]
    # COCO comes with captions_ and person_keypoints_ of the same images, which say no class of them
    instances = [name for name in files if "instances" in name.rpartition("/")[2].lower()]
    rows: list[LabelRow] = []
    notes = [f"only {display_safe(', '.join(instances), 120)} is read"] if 0 < len(instances) < len(files) else []
    for name in instances or files:
        some, why = coco(path / name, known)
        folders = [name.rpartition("/")[0], *_folders_called_in(path, name)]
        rows += _placed(some, path, folders, known.ids)
        notes += [f"{display_safe(name, 60)}: {note}" for note in why]
    return rows, notes


def coco(path: Path, known: Known) -> RowsAndNotes:
    """``images``, ``annotations`` and ``categories`` of one file."""
    names = {entry["id"]: str(entry["name"]) for entry in items(path, "categories.item")}
    files = {entry["id"]: str(entry["file_name"]) for entry in items(path, "images.item")}
    classes: dict[Any, set[Any]] = {}
    boxes = 0
    for entry in items(path, "annotations.item"):
        if "category_id" in entry:  # a caption has none
            classes.setdefault(entry["image_id"], set()).add(entry["category_id"])
            boxes += bool(entry.get("bbox") or entry.get("segmentation"))
    rows, several, strange = [], 0, 0
    for image, categories in classes.items():
        strange += image not in files
        several += image in files and len(categories) > 1
        if image not in files or len(categories) > 1:
            continue
        (category,) = categories
        if category not in names:
            raise SourceError(
                f"{display_safe(path.name)}: an annotation has the category {display_safe(str(category), 30)},"
                " which is not among the categories",
                "nothing was taken; add it to the categories, or drop the annotation",
            )
        rows.append(LabelRow(name_of_media(files[image]), names[category]))
    notes = _notes_on_images(several, len(files.keys() - classes.keys()), boxes)
    if strange:
        notes.append(f"{counted(strange, 'image')} with annotations not among the images: left out")
    return rows, notes


def coco_images(path: Path) -> Iterator[str]:
    """The names of the images of one file."""
    return (name_of_media(str(entry["file_name"])) for entry in items(path, "images.item"))


def _folders_called_in(root: Path, name: str) -> list[str]:
    """Folders of images that a file of annotations is named after: ``train2017`` for ``instances_train2017.json``."""
    stem = os.path.splitext(name.rpartition("/")[2])[0].lower()
    inner = [folder for top in ("", "images/") for folder in _folders(root / top, top)]
    return [folder for folder in inner if folder.rpartition("/")[2].lower() in re.split(r"[_\-. ]", stem)]


def _folders(path: Path, lead: str) -> list[str]:
    return sorted(f"{lead}{entry.name}" for entry in path.iterdir() if entry.is_dir()) if path.is_dir() else []


def _notes_on_images(several: int, none: int, boxes: int) -> list[str]:
    notes = []
    if several:
        notes.append(f"{counted(several, 'image has', 'images have')} annotations of several classes: no label")
    if none:
        notes.append(f"{counted(none, 'image has', 'images have')} no annotation: no label")
    if boxes:
        notes.append(f"{counted(boxes, 'box or outline', 'boxes or outlines')} not used: a class goes to the image")
    return notes


def _placed(rows: list[LabelRow], root: Path, folders: Iterable[str], ids: Sequence[str] | None) -> list[LabelRow]:
    """Rows whose names are relative to one of `folders` below `root`, or to `root`: to where the files are; where they
    are not here, to where most of `ids` are named."""
    leads = list(dict.fromkeys(f"{folder}/" for folder in folders if folder))
    names = [row.instance_id for row in rows]
    # `file_name` in COCO mostly has no folder, while the images lie in train2017/ or the like
    best = next((lead for lead in (*leads, "") if any(map(_is_file, _some_of(f"{root}/{lead}", names)))), None)
    if best is None:
        counts = {lead: len(match_names([f"{lead}{name}" for name in names], ids or ())) for lead in ("", *leads)}
        best = max(counts, key=lambda lead: counts[lead])
    return [row._replace(instance_id=f"{best}{row.instance_id}") for row in rows]


def _some_of(lead: str, names: Sequence[str]) -> list[str]:
    return [f"{lead}{name}" for name in names[:_LOOK]]


def _is_file(path: str) -> bool:
    try:
        return os.path.isfile(path)
    except ValueError:  # a NUL in it
        return False


# -- YOLO --------------------------------------------------------------------------------------------------------------


def yolo_folder(path: Path, known: Known) -> RowsAndNotes:
    """``labels/train/0001.txt`` for ``images/train/0001.jpg``, a line a box: its class, then four or more numbers."""
    names = class_names_in(path)
    rows: list[LabelRow] = []
    several = none = boxes = odd = 0
    for name in _label_files(path):
        numbers = _classes_of_boxes(path / name)
        if numbers is None:
            odd += 1
            continue
        boxes += len(numbers)
        several += len(set(numbers)) > 1
        none += not numbers
        if len(set(numbers)) == 1:
            label = class_at(numbers[0], names, 0, f"{display_safe(path.name)}/{display_safe(name)}") if names else ""
            rows.append(LabelRow(_image_of(name), label or numbers[0]))
    notes = _notes_on_images(several, none, boxes)
    if odd:
        notes.append(f"{counted(odd, 'file')} of other texts passed over")
    if not names and rows:
        notes.append("no data.yaml or classes.txt names the classes: they are numbers")
    return rows, notes


def _label_files(path: Path) -> list[str]:
    """Texts that may hold boxes: those below a folder ``labels`` where there is one, else all."""
    texts = [name for name in files_below(path, ".txt") if not is_list_of_names(name)]
    return [name for name in texts if "labels" in name.lower().split("/")[:-1]] or texts


def _is_yolo(path: Path) -> bool:
    line = _head(path).partition("\n")[0]
    return _BOX.fullmatch(line) is not None


def _classes_of_boxes(path: Path) -> list[str] | None:
    """The class of every line; None where a line is no box."""
    try:
        lines = read_bytes(path, _LABEL_BYTES).decode("utf-8-sig", "replace").splitlines()
    except UnreadableInstance:
        return None
    boxes = [_BOX.fullmatch(line.strip()) for line in lines if line.strip()]
    return [box[1] for box in boxes if box is not None] if all(boxes) else None


def _image_of(name: str) -> str:
    """The image, without its ending, that a file of labels is for."""
    parts = os.path.splitext(name)[0].split("/")
    # the last one, as Ultralytics replaces the last `images` to get from an image to its labels
    for at in range(len(parts) - 2, -1, -1):
        if parts[at].lower() == "labels":
            parts[at] = "images"
            break
    return "/".join(parts)


# -- labelme, samples --------------------------------------------------------------------------------------------------


def is_labelme(path: Path) -> bool:
    """Whether a .json begins like one of labelme."""
    head = _head(path)
    return head.startswith("{") and _LABELME.search(head) is not None


def labelme_folder(path: Path, known: Known) -> RowsAndNotes:
    """A .json an image: its flag that is set, or the label that all its shapes have."""
    return _labelme(path, [name for name in files_below(path, ".json") if is_labelme(path / name)])


def labelme(path: Path, known: Known) -> RowsAndNotes:
    """One such file."""
    return _labelme(path.parent, [path.name])


def _labelme(path: Path, names: Sequence[str]) -> RowsAndNotes:
    rows: list[LabelRow] = []
    several = none = shapes = 0
    for name in names:
        with (path / name).open(encoding="utf-8-sig", errors="surrogateescape") as stream:
            document = json.load(stream)
        # flags are labelme's way to label a whole image; shapes speak for it only where no single flag is set
        flags = {str(flag) for flag, is_set in (document.get("flags") or {}).items() if is_set is True}
        labels = flags if len(flags) == 1 else {str(shape["label"]) for shape in document["shapes"]}
        shapes += len(document["shapes"])
        several += len(labels) > 1
        none += not labels
        if len(labels) == 1:
            # labelme on Windows writes backslashes
            image = str(document.get("imagePath") or os.path.splitext(name)[0]).replace("\\", "/")
            rows.append(LabelRow(_beside(name, image), labels.pop()))
    return rows, _notes_on_images(several, none, shapes)


def _beside(name: str, image: str) -> str:
    folder = name.rpartition("/")[0]
    return os.path.normpath(f"{folder}/{image}") if folder and not os.path.isabs(image) else image


def sample_folder(path: Path, known: Known) -> RowsAndNotes:
    """``0001.jpg`` and ``0001.cls`` in a folder, as in an unpacked shard of WebDataset."""
    images = [name for name, _, _ in list_folder(path, every_link=True).files]
    beside = {name: path / name for name in _small_files(path)}
    labels, notes = sample_labels(images, beside, lambda place: read_bytes(place))
    return [LabelRow(name, label) for name, label in labels.items()], notes


def _small_files(path: Path) -> Iterator[str]:
    for ending in (".cls", ".json", ".txt"):
        for name in files_below(path, ending):
            if may_be_label(name, (path / name).stat().st_size):
                yield name
