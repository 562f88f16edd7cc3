"""``root/<class>/file`` or ``root/<split>/<class>/file``, as torchvision and Hugging Face read image sets.

Beside the folders stand ``classes.txt`` (the class folders, one a line, in the order of the class list),
``class_map.json`` (folder -> class name, where a name had to be changed to be a folder's) and ``labels.csv``
(the columns of the CSV export after a first column ``file``: where every label came from). The data card,
``README.md``, is written where the manifest is (:mod:`labeler.plugins.exporters.write`).
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from labeler.core.text import escaped, json_text, unescaped
from labeler.plugins.exporters.base import ExportRows, Needs
from labeler.plugins.exporters.csv_jsonl import is_yes, write_csv
from labeler.plugins.exporters.file_names import safe_file_names, safe_folder_names
from labeler.plugins.exporters.image_files import are_files, link_of, put_images, wanted_name

CLASSES, CLASS_MAP, LABELS = "classes.txt", "class_map.json", "labels.csv"
# no folder of a class may take one of these names
_OWN_FILES = (CLASSES, CLASS_MAP, LABELS, "README.md", "manifest.json")
# IMG_EXTENSIONS in torchvision.datasets.folder
_TORCHVISION = (".jpg", ".jpeg", ".png", ".ppm", ".bmp", ".pgm", ".tif", ".tiff", ".webp")


class ImageFolderExporter:
    """Instances with a file of their own are linked or copied, all others are decoded and written as PNG.

    `link` (or the option of the rows of this name) is ``hard``: a copy where the file system refuses, ``sym`` or
    ``copy``.
    """

    is_folder = True
    needs: Needs = "images"

    def __init__(self, link: str = "hard") -> None:
        self.link = link

    def write(self, rows: ExportRows, target: Path) -> list[str]:
        """Make the folder `target` and fill it; returns warnings.

        Raises
        ------
        ExportError
            Files of instances are gone, or a name would leave `target`.
        UsageError
            The option link is none of hard, sym and copy.
        UnreadableInstance
            An image that has no file of its own cannot be decoded.
        OSError
            The folder cannot be written.
        """
        link = link_of(rows, self.link)
        own = are_files(rows)
        class_folders = safe_folder_names(rows.class_names, _OWN_FILES)
        files = _layout(rows, class_folders, own)
        target.mkdir()
        copied = put_images(rows, files, own, target, link)
        _write_lines(target / CLASSES, class_folders)
        changed = {
            folder: escaped(name)
            for folder, name in zip(class_folders, rows.class_names, strict=True)
            if folder != name
        }
        if changed:
            _write_lines(target / CLASS_MAP, [json_text(changed, pretty=True)])
        warnings = write_csv(target / LABELS, rows, is_yes(rows.options, "csv_safe"), files)
        return [*_warnings(rows, class_folders, files, len(changed)), *copied, *warnings]

    def count(self, target: Path) -> dict[str, int]:
        """Walk `target`; class name -> number of files that open in its folders (a dangling link does not count)."""
        class_map = target / CLASS_MAP
        changed = json.loads(class_map.read_text(encoding="utf-8")) if class_map.exists() else {}
        counts: Counter[str] = Counter()
        for folder, _, files in os.walk(target):
            # at the top lie the files about the export, no images
            if folder == str(target):
                continue
            name = os.path.basename(folder)
            counts[unescaped(changed[name]) if name in changed else name] += sum(
                os.path.isfile(os.path.join(folder, file)) for file in files
            )
        return {name: number for name, number in counts.items() if number}


def _layout(rows: ExportRows, class_folders: Sequence[str], own: Sequence[bool]) -> list[str]:
    """The file of every row, relative to the root, with forward slashes."""
    splits = list(dict.fromkeys(rows.splits))
    roots = {"": ""}
    if any(splits):  # without any split there is no such level; with some, the rows of none get one of their own
        names = safe_folder_names([split or "unsplit" for split in splits], _OWN_FILES)
        roots = {split: f"{name}/" for split, name in zip(splits, names, strict=True)}
    members: dict[str, list[int]] = {}
    for position, index in enumerate(rows.class_indices.tolist()):
        members.setdefault(f"{roots[rows.splits[position]]}{class_folders[index]}", []).append(position)
    files = [""] * len(rows.ids)
    for folder, positions in members.items():
        ids = [rows.ids[position] for position in positions]
        wanted = [wanted_name(rows.ids[position], not own[position]) for position in positions]
        for position, name in zip(positions, safe_file_names(ids, wanted), strict=True):
            files[position] = f"{folder}/{name}"
    return files


def _write_lines(path: Path, lines: Sequence[str]) -> None:
    with path.open("x", encoding="utf-8", newline="\n") as stream:
        stream.writelines(f"{line}\n" for line in lines)


def _warnings(rows: ExportRows, class_folders: Sequence[str], files: Sequence[str], changed: int) -> Iterator[str]:
    if changed:
        names = "1 class name is" if changed == 1 else f"{changed} class names are"
        yield f"{names} no folder name: see {CLASS_MAP}"
    if sorted(class_folders) != list(class_folders):
        yield f'torchvision numbers classes in the order of strings ("10" before "2"): see {CLASSES} for this order'
    present: dict[str, set[str]] = {}
    for file in files:
        *root, folder, _ = file.split("/")
        present.setdefault("".join(root), set()).add(folder)
    for split, folders in present.items():
        if len(folders) < len(class_folders):
            where = f"{split} has" if split else "there are"
            yield f"{where} images of {len(folders)} of {len(class_folders)} classes: torchvision numbers only those"
    passed_over = sum(not file.lower().endswith(_TORCHVISION) for file in files)
    if passed_over:
        yield f"torchvision passes over {passed_over} of {len(files)} files by their ending (.gif and others)"
    if "" in rows.splits and any(rows.splits):
        yield f"{rows.splits.count('')} instances belong to no split: they are in unsplit"
