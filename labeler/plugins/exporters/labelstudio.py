"""Label Studio: ``tasks.json``, the labeling configuration ``config.xml`` and the images.

Layout after https://labelstud.io/guide/tasks#Basic-Label-Studio-JSON-format and
https://labelstud.io/guide/predictions: what a person gave, confirmed or brought in is an annotation, what spread or was
predicted a prediction with a score. Ids of tasks and results differ throughout, as is asked there. Images are named as
`Label Studio's local files`_ are served: start it with ``LABEL_STUDIO_LOCAL_FILES_SERVING_ENABLED=true`` and
``LABEL_STUDIO_LOCAL_FILES_DOCUMENT_ROOT`` = the exported folder, and add its ``images`` as local storage.

.. _Label Studio's local files: https://labelstud.io/guide/storage#Local-storage
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote
from xml.etree import ElementTree
from xml.sax.saxutils import quoteattr

import labeler
from labeler.core.json_file import items
from labeler.core.text import escape_warnings, escaped, escaped_for_xml, json_text, unescaped
from labeler.core.types import GIVEN
from labeler.plugins.exporters.base import ExportRows, Needs
from labeler.plugins.exporters.csv_jsonl import COLUMNS, Cell, records
from labeler.plugins.exporters.file_names import safe_file_names
from labeler.plugins.exporters.image_files import are_files, link_of, put_images, wanted_name

LOCAL_FILES = "/data/local-files/?d=images/"
CONFIG, TASKS = "config.xml", "tasks.json"
_GIVEN = (*(word.word for word in GIVEN), "rejected")
"""What a person said of an image, and not a machine."""


class LabelStudioExporter:
    """Tasks to import, a configuration to paste, images to serve.

    `prefix` is what comes before an image's (percent-encoded) name in a task: an address, where they are elsewhere.
    `link` as for imagefolder.
    """

    is_folder = True
    needs: Needs = "images"

    def __init__(self, prefix: str = LOCAL_FILES, link: str = "hard") -> None:
        self.prefix, self.link = prefix, link

    def write(self, rows: ExportRows, target: Path) -> list[str]:
        """Make the folder `target` and fill it; returns warnings. Raises as the imagefolder exporter does."""
        link = link_of(rows, self.link)
        own = are_files(rows)
        wanted = [wanted_name(name, not is_file) for name, is_file in zip(rows.ids, own, strict=True)]
        files = [f"images/{name}" for name in safe_file_names(rows.ids, wanted)]
        target.mkdir()
        (target / "images").mkdir()
        warnings = put_images(rows, files, own, target, link)
        # a class is an attribute in the configuration, and tasks have to spell it as that does
        names = [escaped_for_xml(name) for name in rows.class_names]
        (target / CONFIG).write_text(_config(names), encoding="utf-8", newline="\n")
        with (target / TASKS).open("x", encoding="utf-8", newline="\n") as stream:
            # task by task: all of them at once would be a copy of the whole export in memory
            stream.write("[")
            for number, task in enumerate(self._tasks(rows, names, files), 1):
                stream.write((",\n" if number > 1 else "\n") + json_text(task))
            stream.write("\n]\n")
        return [*warnings, *escape_warnings(rows.ids), *escape_warnings(rows.class_names, escaped_for_xml)]

    def count(self, target: Path) -> dict[str, int]:
        """Read configuration and tasks; class name -> number of tasks with that choice, an image and a place in it."""
        root = ElementTree.parse(target / CONFIG).getroot()  # noqa: S314 - written above
        choices = {choice.get("value") for choice in root.iter("Choice")}
        counts: Counter[str] = Counter()
        for task in items(target / TASKS, "item"):
            # any other number of results or choices fails here, and the export with it
            (result,) = (task["annotations"] or task["predictions"])[0]["result"]
            (choice,) = result["value"]["choices"]
            counts[unescaped(choice)] += choice in choices and (target / "images" / task["data"]["file"]).is_file()
        return {name: number for name, number in counts.items() if number}

    def _tasks(self, rows: ExportRows, names: list[str], files: list[str]) -> Iterator[dict[str, Any]]:
        every = zip(rows.class_indices.tolist(), records(rows), files, strict=True)
        for number, (class_index, record, file) in enumerate(every, 1):
            yield self._task(number, names[class_index], record, file.partition("/")[2])

    def _task(self, number: int, name: str, record: tuple[Cell, ...], file: str) -> dict[str, Any]:
        cells = dict(zip(COLUMNS, record, strict=True))
        result = {
            "id": f"r{number}",
            "from_name": "choice",
            "to_name": "image",
            "type": "choices",
            "value": {"choices": [name]},
        }
        annotations, predictions = [], []
        if cells["provenance"] in _GIVEN:
            annotations.append({"id": number, "result": [result], "was_cancelled": False, "ground_truth": False})
        else:
            version = f"labeler {labeler.__version__}"
            predictions.append({"model_version": version, "score": cells["confidence"], "result": [result]})
        shown = {key: value for key, value in cells.items() if key != "label" and value not in ("", None)}
        data = {"image": self.prefix + quote(escaped(file)), "file": file, **shown}
        return {"id": number, "data": data, "annotations": annotations, "predictions": predictions}


def _config(names: list[str]) -> str:
    choices = "".join(f"    <Choice value={quoteattr(name)}/>\n" for name in names)
    return (
        '<View>\n  <Image name="image" value="$image"/>\n'
        f'  <Choices name="choice" toName="image" choice="single">\n{choices}  </Choices>\n</View>\n'
    )
