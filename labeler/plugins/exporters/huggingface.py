"""Hugging Face `datasets`: ``root/<split>/metadata.parquet`` beside the images, or ``metadata.jsonl``.

Layout after https://huggingface.co/docs/datasets/image_dataset#imagefolder: ``file_name`` comes first and is relative
to its metadata file. Where there are metadata, labels of folders are not read (checked in `datasets` 5.2), so the label
is a column. Only Parquet can say that it is a ClassLabel (neither loader takes features from the card), so that is
what is written where pyarrow is installed; else JSON lines: a ``metadata.csv`` is read by pandas, which makes 7 of the
class "007" and nothing of the class "NA".
"""

from __future__ import annotations

import csv
import importlib.util
import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from labeler.core.errors import MissingExtra, UsageError
from labeler.core.text import display_safe, escaped, json_text, unescaped
from labeler.plugins.exporters.base import ExportRows, Needs
from labeler.plugins.exporters.csv_jsonl import COLUMNS, PANDAS_MISSING, Cell, csv_line, records, text_warnings
from labeler.plugins.exporters.file_names import safe_file_names
from labeler.plugins.exporters.huggingface_parquet import MetadataParquet, labels_in
from labeler.plugins.exporters.image_files import are_files, link_of, put_images, wanted_name

AUTO = "auto"
KINDS = ("parquet", "jsonl", "csv")
# as `datasets` calls data that come undivided
ONLY_SPLIT = "train"
_COLUMNS = ("file_name", *COLUMNS)
# what pandas, by which a metadata.csv is read, may make a number of
_READ_AS_NUMBER = re.compile(r"\s*[+-]?(\d|\.\d|inf|nan|true|false)", re.IGNORECASE)
# what Arrow's reader of JSON makes a time of
_READ_AS_DATE = re.compile(r"\d{4}-\d\d-\d\d([ T]\d\d(:\d\d(:\d\d)?)?)?Z?$")


class HuggingFaceExporter:
    """A folder for ``datasets.load_dataset("imagefolder", data_dir=...)``; images linked as in an image folder.

    `metadata` is ``parquet`` (an extra; the label is a ClassLabel), ``jsonl`` or ``csv``; ``auto``: Parquet where the
    extra is installed, else JSON lines. `link` as for imagefolder.
    """

    is_folder = True
    needs: Needs = "images"

    def __init__(self, metadata: str = AUTO, link: str = "hard") -> None:
        if metadata not in (AUTO, *KINDS):
            raise ValueError(f"metadata is {', '.join((AUTO, *KINDS))}")
        has_parquet = importlib.util.find_spec("pyarrow") is not None
        if metadata == "parquet" and not has_parquet:
            raise MissingExtra("metadata=parquet", "parquet")
        self._as_text = metadata == AUTO and not has_parquet
        self.metadata = metadata if metadata != AUTO else "parquet" if has_parquet else "jsonl"
        self.link = link

    def write(self, rows: ExportRows, target: Path) -> list[str]:
        """Make the folder `target` and fill it; returns warnings. Raises as the imagefolder exporter does."""
        link = link_of(rows, self.link)
        own = are_files(rows)
        members: dict[str, list[int]] = {}
        for position, split in enumerate(rows.splits):
            members.setdefault(split or ONLY_SPLIT, []).append(position)
        # splits become folders here, by whose names `datasets` knows them
        if any(re.fullmatch(r"[a-z]+", split) is None for split in members):
            raise UsageError("a split has a name that is no word", "splits are train, val and test")
        files = _files(rows, members, own)
        target.mkdir()
        warnings = put_images(rows, files, own, target, link)
        open_files: dict[str, MetadataParquet | _Lines] = {}
        try:
            for split in members or [ONLY_SPLIT]:
                (target / split).mkdir(exist_ok=True)
                path = target / split / f"metadata.{self.metadata}"
                is_parquet = self.metadata == "parquet"
                open_files[split] = MetadataParquet(path, _COLUMNS, rows.class_names) if is_parquet else _Lines(path)
            for file, record, split in zip(files, records(rows), rows.splits, strict=True):
                open_files[split or ONLY_SPLIT].add((file.partition("/")[2], *record))
        finally:
            for opened in open_files.values():
                opened.close()
        return [*warnings, *self._misread(rows), *text_warnings(rows)]

    def count(self, target: Path) -> dict[str, int]:
        """Read the metadata of every split; class name -> number of rows whose image opens as a file."""
        counts: Counter[str] = Counter()
        for path in sorted(target.glob(f"*/metadata.{self.metadata}")):
            if self.metadata == "parquet":
                counts.update(label for name, label in labels_in(path) if (path.parent / name).is_file())
                continue
            with path.open(encoding="utf-8", newline="\n" if self.metadata == "jsonl" else "") as stream:
                lines = csv.DictReader(stream, strict=True) if self.metadata == "csv" else map(json.loads, stream)
                counts.update(row["label"] for row in lines if (path.parent / row["file_name"]).is_file())
        return {unescaped(name): number for name, number in counts.items()}

    def _misread(self, rows: ExportRows) -> Iterator[str]:
        """Yield what `datasets` makes something else of than a ClassLabel, or than text."""
        if self._as_text:
            yield "datasets reads the labels as text: with the extra parquet they are written as ClassLabel"
        names = [escaped(rows.class_names[index]) for index in sorted(set(rows.class_indices.tolist()))]
        if self.metadata == "csv":
            missing = next((name for name in names if name in PANDAS_MISSING), None)
            if missing is not None:
                yield f"datasets reads the class {display_safe(missing)!r} of a metadata.csv as missing: use jsonl"
            if names and all(_READ_AS_NUMBER.match(name) for name in names):
                yield "datasets reads classes like these of a metadata.csv as numbers: write metadata=jsonl"
        elif self.metadata == "jsonl" and names and all(_READ_AS_DATE.match(name) for name in names):
            yield "datasets reads classes like these as dates: cast the column 'label' to string"


class _Lines:
    """A ``metadata.jsonl`` or ``metadata.csv`` that is written row by row."""

    def __init__(self, path: Path) -> None:
        self._stream = path.open("x", encoding="utf-8", newline="\n")
        self._as_csv = path.suffix == ".csv"
        if self._as_csv:
            self._stream.write(",".join(_COLUMNS) + "\n")

    def add(self, values: Sequence[Cell]) -> None:
        """One row."""
        line = csv_line(values) if self._as_csv else json_text(dict(zip(_COLUMNS, values, strict=True)))
        self._stream.write(line + "\n")

    def close(self) -> None:
        """Write what is left."""
        self._stream.close()


def _files(rows: ExportRows, members: dict[str, list[int]], own: Sequence[bool]) -> list[str]:
    """The file of every row, relative to the root: all images of a split lie beside its metadata."""
    files = [""] * len(rows.ids)
    for split, positions in members.items():
        ids = [rows.ids[position] for position in positions]
        wanted = [wanted_name(rows.ids[position], not own[position]) for position in positions]
        for position, name in zip(positions, safe_file_names(ids, wanted), strict=True):
            files[position] = f"{split}/{name}"
    return files
