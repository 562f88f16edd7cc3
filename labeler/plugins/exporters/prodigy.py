"""Prodigy: JSON lines for ``prodigy db-in``, in the layout of its choice interface.

Layout after https://prodi.gy/docs/api-interfaces#choice and https://prodi.gy/docs/recipes#db-in: ``options`` are the
classes, ``accept`` holds the id of the one chosen, ``answer`` is "accept" for every exported label. Which of them a
person gave is in ``meta``, with all else that is known. An image is named by the path of its file; without a file of
its own it is written into the line, as a data URI.
"""

from __future__ import annotations

import base64
import json
from collections import Counter
from itertools import chain
from pathlib import Path

from labeler.core.text import escape_warnings, escaped, json_text, unescaped
from labeler.plugins.exporters.base import ExportRows, Needs
from labeler.plugins.exporters.csv_jsonl import COLUMNS, records
from labeler.plugins.exporters.image_files import png_bytes


class ProdigyExporter:
    """One task a line."""

    is_folder = False
    needs: Needs = "images"

    def write(self, rows: ExportRows, target: Path) -> list[str]:
        """Write `rows` to `target`; returns warnings.

        Raises
        ------
        UnreadableInstance
            An image that has no file of its own cannot be decoded.
        OSError
            The file cannot be written.
        """
        options = [{"id": escaped(name), "text": escaped(name)} for name in rows.class_names]
        inline = 0
        with target.open("x", encoding="utf-8", newline="\n") as stream:
            for position, record in enumerate(records(rows)):
                cells = dict(zip(COLUMNS, record, strict=True))
                # taken out, as `meta` repeats all other cells
                chosen = cells.pop("label")
                source = rows.locate(position)
                inline += source is None
                task = {
                    # absolute: Prodigy would look for it from where it was started
                    "image": _data_uri(rows, position) if source is None else escaped(str(source.absolute())),
                    "options": options,
                    "accept": [chosen],
                    "answer": "accept",
                    "_view_id": "choice",
                    "meta": {name: value for name, value in cells.items() if value not in ("", None)},
                }
                stream.write(json_text(task) + "\n")
        warnings = escape_warnings(chain(rows.ids, rows.class_names))
        if inline:
            what = "1 image is no file" if inline == 1 else f"{inline} images are no files"
            warnings.append(f"{what}: written into the lines, as PNG")
        return warnings

    def count(self, target: Path) -> dict[str, int]:
        """Parse every line of `target`; class name -> number of accepted tasks that offer it."""
        counts: Counter[str] = Counter()
        with target.open(encoding="utf-8", newline="\n") as stream:
            for task in map(json.loads, stream):
                (chosen,) = task["accept"]
                offered = any(option["id"] == chosen for option in task["options"])
                counts[unescaped(chosen)] += offered and task["answer"] == "accept"
        return {name: number for name, number in counts.items() if number}


def _data_uri(rows: ExportRows, position: int) -> str:
    return f"data:image/png;base64,{base64.b64encode(png_bytes(rows.image(position))).decode('ascii')}"
