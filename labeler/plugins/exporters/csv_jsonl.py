"""One row an instance: CSV and JSON lines, with the same columns, always all of them.

Texts are written as :mod:`labeler.core.text` says; `confidence` and `weight` with the fewest digits that
give the same float32 again, empty (CSV) or null (JSON) where there is none.
"""

from __future__ import annotations

import csv
import itertools
import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from labeler.core.errors import UsageError
from labeler.core.text import display_safe, escape_warnings, escaped, json_text, unescaped
from labeler.core.types import FloatArray
from labeler.plugins.exporters.base import ExportRows, Needs

COLUMNS = (
    "path",
    "label",
    "provenance",
    "confidence",
    "tier",
    "cluster",
    "round",
    "annotator",
    "sha256",
    "source",
    "weight",
    "flagged",
    "split",
)

Cell = str | int | float | bool | None

# tab and carriage return as well: a spreadsheet passes over them and runs what follows
_FORMULA = re.compile(r"[=+\-@\t\r]")
# A quote in front of a formula is doubled too: the prefix can then be taken off again without a doubt.
_TO_PREFIX = re.compile(r"'*[=+\-@\t\r]")
_PREFIXED = re.compile(r"'+[=+\-@\t\r]")
_QUOTE = re.compile(r'[",\r\n]')
# fmt: off
# what read_csv() takes for a missing value unless it is told otherwise
PANDAS_MISSING = frozenset((
    "", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN", "<NA>", "N/A", "NA",
    "NULL", "NaN", "None", "n/a", "nan", "null",
))
# fmt: on
_YES = {"yes": True, "true": True, "no": False, "false": False}


class CsvExporter:
    """UTF-8, one header line, lines end in ``\\n``, cells quoted as RFC 4180 says.

    `csv_safe` (or the option ``csv_safe=yes`` of the rows) puts a ``'`` before cells that a spreadsheet would run
    as a formula; without it they are written as they are and counted in a warning.
    """

    is_folder = False
    needs: Needs = ""

    def __init__(self, csv_safe: bool | str = False) -> None:
        self._safe_by_default = is_yes({"csv_safe": str(csv_safe)}, "csv_safe")
        self._safe = self._safe_by_default

    def write(self, rows: ExportRows, target: Path) -> list[str]:
        """Write `rows` to `target`; returns warnings.

        Raises
        ------
        UsageError
            The option csv_safe is neither yes nor no.
        OSError
            The file cannot be written.
        """
        self._safe = is_yes(rows.options, "csv_safe", self._safe_by_default)  # `count` must know it to read back
        return write_csv(target, rows, self._safe)

    def count(self, target: Path) -> dict[str, int]:
        """Read `target` with the csv module; class name -> number of rows."""
        with target.open(encoding="utf-8", newline="") as stream:
            labels = (row["label"] for row in csv.DictReader(stream, strict=True))
            return dict(Counter(unescaped(unprefixed(label) if self._safe else label) for label in labels))


class JsonlExporter:
    """UTF-8, one JSON object a line, the keys in the order of the CSV columns."""

    is_folder = False
    needs: Needs = ""

    def write(self, rows: ExportRows, target: Path) -> list[str]:
        """Write `rows` to `target`; returns warnings. Raises OSError where the file cannot be written."""
        with target.open("x", encoding="utf-8", newline="\n") as stream:
            for record in records(rows):
                stream.write(json_text(dict(zip(COLUMNS, record, strict=True))) + "\n")
        return text_warnings(rows)

    def count(self, target: Path) -> dict[str, int]:
        """Parse every line of `target`; class name -> number of lines."""
        with target.open(encoding="utf-8", newline="\n") as stream:
            return dict(Counter(unescaped(json.loads(line)["label"]) for line in stream))


def records(rows: ExportRows) -> Iterator[tuple[Cell, ...]]:
    """Every row as a tuple in the order of :data:`COLUMNS`, texts escaped; ValueError if columns differ in length."""
    names = [escaped(name) for name in rows.class_names]
    return zip(
        map(escaped, rows.ids),
        (names[index] for index in rows.class_indices.tolist()),
        rows.provenances,
        _shortest(rows.confidence),
        rows.tiers,
        rows.clusters.tolist(),
        rows.rounds.tolist(),
        map(escaped, rows.annotators),
        rows.sha256,
        map(escaped, rows.source_ids),
        _shortest(rows.weights),
        map(bool, rows.flagged),
        rows.splits,
        strict=True,
    )


def write_csv(target: Path, rows: ExportRows, csv_safe: bool = False, files: Sequence[str] | None = None) -> list[str]:
    """Write `rows` to the new file `target`; `files` (one a row) become a first column ``file``. Returns warnings."""
    formulas = 0
    with target.open("x", encoding="utf-8", newline="\n") as stream:
        stream.write(",".join(COLUMNS if files is None else ("file", *COLUMNS)) + "\n")
        for position, record in enumerate(records(rows)):
            values = record if files is None else (files[position], *record)
            formulas += sum(isinstance(value, str) and _FORMULA.match(value) is not None for value in values)
            stream.write(csv_line(values, csv_safe) + "\n")
    warnings = text_warnings(rows)
    if formulas and not csv_safe:
        cells = "1 cell begins" if formulas == 1 else f"{formulas} cells begin"
        warnings.append(f"{cells} with = + - or @, a formula to a spreadsheet: --csv-safe puts a ' before it")
    missing = [name for name in rows.class_names if name in PANDAS_MISSING]
    if missing:
        warnings.append(f"pandas reads the class {missing[0]!r} as missing: pass keep_default_na=False")
    return warnings


def text_warnings(rows: ExportRows) -> list[str]:
    """The lines that any export of `rows` as text owes the reader."""
    return escape_warnings(itertools.chain(rows.ids, rows.class_names))


def csv_line(values: Sequence[Cell], csv_safe: bool = False) -> str:
    """One line of a CSV, without its end."""
    return ",".join(_cell(value, csv_safe) for value in values)


def _cell(value: Cell, csv_safe: bool) -> str:
    # before numbers, as True is one to Python
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, str):
        return "" if value is None else str(value)
    if csv_safe and _TO_PREFIX.match(value):
        value = f"'{value}"
    # Python's csv writer before 3.13 leaves a lone \r unquoted, at which pandas ends the row.
    return '"{}"'.format(value.replace('"', '""')) if _QUOTE.search(value) else value


def unprefixed(cell: str) -> str:
    """A cell without the quote that `csv_safe` puts before a formula."""
    return cell[1:] if _PREFIXED.match(cell) else cell


def _shortest(values: FloatArray) -> Iterator[float | None]:
    # str() of a float32 has as few digits as give it again; as float64 it would have seventeen
    return (None if value != value else float(str(value)) for value in values)


def is_yes(options: dict[str, str], key: str, default: bool = False) -> bool:
    """Whether the option `key` (or the `default`) is yes; UsageError where it is neither yes nor no."""
    value = options.get(key, str(default)).lower()
    if value not in _YES:
        raise UsageError(f"{key}={display_safe(value)} is neither yes nor no", f"write {key}=yes")
    return _YES[value]
