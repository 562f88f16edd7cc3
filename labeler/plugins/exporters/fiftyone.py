"""FiftyOne: ``data/`` and ``labels.json``, its FiftyOneImageClassificationDataset.

Layout after https://docs.voxel51.com/user_guide/import_datasets.html#fiftyoneimageclassificationdataset:
``{"classes": [...], "labels": {"<stem>": {"label": 3, "confidence": 0.9, "attributes": {...}}}}``. The key is the
file's name without its ending, so ``1.jpg`` and ``1.png`` would be one: stems are made distinct. The layout has no
splits; with some, each is a folder of its own, to be opened by itself.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from labeler.core.json_file import items, members
from labeler.core.text import escape_warnings, escaped, json_text, unescaped
from labeler.plugins.exporters.base import ExportRows, Needs
from labeler.plugins.exporters.csv_jsonl import COLUMNS, Cell, records
from labeler.plugins.exporters.file_names import safe_file_names, safe_name
from labeler.plugins.exporters.image_files import are_files, link_of, put_images, wanted_name

# what the layout has a place for; all other columns become attributes
_OF_THE_LABEL = ("label", "confidence")


class FiftyOneExporter:
    """A folder for ``fiftyone.Dataset.from_dir(..., dataset_type=FiftyOneImageClassificationDataset)``.

    `link` as for imagefolder. What else is known of a label is among its attributes.
    """

    is_folder = True
    needs: Needs = "images"

    def __init__(self, link: str = "hard") -> None:
        self.link = link

    def write(self, rows: ExportRows, target: Path) -> list[str]:
        """Make the folder `target` and fill it; returns warnings. Raises as the imagefolder exporter does."""
        link = link_of(rows, self.link)
        own = are_files(rows)
        members: dict[str, list[int]] = {}
        for position, split in enumerate(rows.splits):
            members.setdefault(split, []).append(position)
        files = [""] * len(rows.ids)
        for split, positions in members.items():
            root = f"{safe_name(split)}/data" if split else "data"
            for position, name in zip(positions, _names(rows, positions, own), strict=True):
                files[position] = f"{root}/{name}"
        target.mkdir()
        warnings = put_images(rows, files, own, target, link)
        # an export of no rows still is a data set that opens
        for split, positions in (members or {"": []}).items():
            folder = target / safe_name(split) if split else target
            (folder / "data").mkdir(exist_ok=True)
            _write_labels(folder / "labels.json", rows, positions, files)
        if any(members):
            warnings.append("FiftyOne's layout knows no splits: open the folder of each as a data set")
        return [*warnings, *escape_warnings([*rows.ids, *rows.class_names])]

    def count(self, target: Path) -> dict[str, int]:
        """Read every ``labels.json``; class name -> number of labels whose stem names an image."""
        counts: Counter[str] = Counter()
        for path in [target / "labels.json", *sorted(target.glob("*/labels.json"))]:
            if path.is_file():
                stems = {os.path.splitext(name)[0] for name in os.listdir(path.parent / "data")}
                classes = [unescaped(name) for name in items(path, "classes.item")]
                for stem, value in members(path, "labels"):
                    if stem in stems:
                        counts[classes[value["label"]]] += 1
        return dict(counts)


def _names(rows: ExportRows, positions: Sequence[int], own: Sequence[bool]) -> list[str]:
    """File names whose stems are distinct."""
    wanted = [wanted_name(rows.ids[position], not own[position]) for position in positions]
    parts = [os.path.splitext(safe_name(name)) for name in wanted]
    stems = safe_file_names([rows.ids[position] for position in positions], [stem for stem, _ in parts])
    return [stem + ending for stem, (_, ending) in zip(stems, parts, strict=True)]


def _write_labels(path: Path, rows: ExportRows, positions: Iterable[int], files: Sequence[str]) -> None:
    # records are read in one pass over all rows, so every row asks whether it is in this split
    chosen = set(positions)
    every = zip(files, rows.class_indices.tolist(), records(rows), strict=True)
    with path.open("x", encoding="utf-8", newline="\n") as stream:
        stream.write(f'{{"classes": {json_text([escaped(name) for name in rows.class_names])}, "labels": {{')
        before = "\n"
        for position, (file, class_index, record) in enumerate(every):
            if position in chosen:
                stem = os.path.splitext(os.path.basename(file))[0]
                stream.write(f"{before}{json_text(stem)}: {json_text(_target(class_index, record))}")
                before = ",\n"
        stream.write("\n}}\n")


def _target(class_index: int, record: tuple[Cell, ...]) -> dict[str, object]:
    cells = dict(zip(COLUMNS, record, strict=True))
    attributes = {name: value for name, value in cells.items() if name not in _OF_THE_LABEL and value not in ("", None)}
    return {"label": class_index, "confidence": cells["confidence"], "attributes": attributes}
