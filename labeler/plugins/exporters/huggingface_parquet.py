"""``metadata.parquet`` of a Hugging Face image folder: the label is a ClassLabel, with its names in their order.

`datasets` takes features from the schema's ``huggingface`` entry (checked in 5.2); JSON lines and CSV give it texts.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from labeler.core.text import escaped
from labeler.plugins.exporters.parquet import ROW_GROUP, TYPES

if TYPE_CHECKING:
    import pyarrow

_VALUES = {"bool_": "bool"}  # what `datasets` calls it


class MetadataParquet:
    """A file that is written row by row, in groups of 50,000; needs the extra `parquet`."""

    def __init__(self, path: Path, columns: Sequence[str], class_names: Sequence[str]) -> None:
        from pyarrow import parquet  # an extra

        names = [escaped(name) for name in class_names]
        self._places = {name: place for place, name in enumerate(names)}
        self._label = list(columns).index("label")
        self._schema = _schema(columns, names)
        self._stream = path.open("xb")
        self._writer = parquet.ParquetWriter(self._stream, self._schema)
        self._rows: list[list[Any]] = []

    def add(self, values: Sequence[Any]) -> None:
        """One row, the label as the text it is escaped to."""
        row = list(values)
        # a ClassLabel is stored as the number of its name
        row[self._label] = self._places[row[self._label]]
        self._rows.append(row)
        if len(self._rows) >= ROW_GROUP:
            self._flush()

    def close(self) -> None:
        """Write what is left."""
        self._flush()
        self._writer.close()
        self._stream.close()

    def _flush(self) -> None:
        import pyarrow  # an extra

        if self._rows:
            columns = zip(zip(*self._rows, strict=True), self._schema, strict=True)
            arrays = [pyarrow.array(list(column), field.type) for column, field in columns]
            self._writer.write_table(pyarrow.Table.from_arrays(arrays, schema=self._schema))
        self._rows = []


def labels_in(path: Path) -> Iterator[tuple[str, str]]:
    """(file name, label) of every row."""
    from pyarrow import parquet  # an extra

    with parquet.ParquetFile(path) as file:
        features = json.loads(file.schema_arrow.metadata[b"huggingface"])["info"]["features"]
        names = features["label"]["names"]
        for batch in file.iter_batches(columns=["file_name", "label"]):
            for row in batch.to_pylist():
                yield row["file_name"], names[row["label"]]


def _schema(columns: Sequence[str], names: Sequence[str]) -> pyarrow.Schema:
    import pyarrow  # an extra

    # int64 is how `datasets` itself stores a ClassLabel
    types = {name: TYPES.get(name, "string") for name in columns} | {"label": "int64"}
    features: dict[str, dict[str, Any]] = {
        name: {"dtype": _VALUES.get(kind, kind), "_type": "Value"} for name, kind in types.items()
    }
    features["label"] = {"names": list(names), "_type": "ClassLabel"}
    fields = [(name, getattr(pyarrow, kind)()) for name, kind in types.items()]
    return pyarrow.schema(fields, metadata={"huggingface": json.dumps({"info": {"features": features}})})
