"""Parquet: the columns of the CSV export with their types, for pandas, Polars, DuckDB and Spark (extra `parquet`)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING

from labeler.core.text import escape_warnings, unescaped
from labeler.plugins.exporters.base import ExportRows, Needs
from labeler.plugins.exporters.csv_jsonl import COLUMNS, records

if TYPE_CHECKING:
    import pyarrow

# rows that are in memory at once, and that a reader may pass over together
ROW_GROUP = 50_000
# pyarrow's types by name, so that this table stands here without importing it
TYPES = {
    "confidence": "float32",
    "weight": "float32",
    "cluster": "int32",
    "round": "int32",
    "flagged": "bool_",
}


class ParquetExporter:
    """Texts as strings, numbers as numbers, a missing confidence as null; row groups of 50,000."""

    is_folder = False
    needs: Needs = ""

    def write(self, rows: ExportRows, target: Path) -> list[str]:
        """Write `rows` to the new file `target`; returns warnings. Raises OSError where it cannot be written."""
        import pyarrow  # an extra
        from pyarrow import parquet  # an extra

        schema = pyarrow.schema([(name, getattr(pyarrow, TYPES.get(name, "string"))()) for name in COLUMNS])
        with target.open("xb") as stream, parquet.ParquetWriter(stream, schema) as writer:
            for table in _tables(rows, schema):
                writer.write_table(table)
        return escape_warnings(chain(rows.ids, rows.class_names))

    def count(self, target: Path) -> dict[str, int]:
        """Read the column of labels, one row group after the other; class name -> number of rows."""
        from pyarrow import parquet  # an extra

        counts: Counter[str] = Counter()
        with parquet.ParquetFile(target) as file:
            for batch in file.iter_batches(columns=["label"]):
                counts.update(batch.column(0).to_pylist())
        return {unescaped(name): number for name, number in counts.items()}


def _tables(rows: ExportRows, schema: pyarrow.Schema) -> Iterator[pyarrow.Table]:
    import pyarrow  # an extra

    every = records(rows)
    while part := list(islice(every, ROW_GROUP)):
        columns = zip(*part, strict=True)
        arrays = [pyarrow.array(list(column), field.type) for column, field in zip(columns, schema, strict=True)]
        yield pyarrow.Table.from_arrays(arrays, schema=schema)
