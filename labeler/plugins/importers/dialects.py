"""CSV as it is met: which sign separates the cells, and what quotes mean, judged by the whole text and never by luck.

RFC 4180 comes first. Where a text breaks its rules, or its lines come out with different numbers of cells, other ways
of writing are tried: a space before the quote, backslashes before quotes (MySQL, Spark, pandas with `escapechar`), and
quotes that are only letters (what editors write as TSV). The first that reads every line whole is taken.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from labeler.core.errors import SourceError

MAX_CELL = 1 << 26
"""Characters of one cell at most: more is a quote that is never closed."""
SEPARATORS = ",;\t|"
Lines = Iterator[tuple[int, list[str]]]
"""(line number, cells) of lines that are not blank."""

csv.field_size_limit(MAX_CELL)  # of the process: the limit of 131,072 that csv has refuses long texts
_SEPARATOR_LINE = re.compile(r'"?sep=([,;\t|])"?\r?\n', re.IGNORECASE)
_DECIMAL = re.compile(r"\s*[+-]?\d[\d.]*,\d+(?:[eE][+-]?\d+)?\s*")
_QUOTED = re.compile(r'"[^"]*"')


@dataclass(frozen=True, slots=True)
class Way:
    """One way of writing cells: options of `csv.reader`, and what is done to the lines before."""

    options: dict[str, Any] = field(default_factory=dict)
    mended: Callable[[str], str] = str


_STANDARD = Way()
_LETTERS = Way({"quoting": csv.QUOTE_NONE})


def _doubled(line: str) -> str:
    return line.replace('\\"', '""')


def csv_lines(text: str, shown: str, separator: str = "") -> Lines:
    """The lines of a CSV or TSV; raises SourceError at a quote that no way of writing explains."""
    body, skipped, separator = _body(text, separator)
    way = _way_of(body, separator)
    for line, cells in lines_of(_reader(io.StringIO(body, newline=""), separator, way), shown):
        yield line + skipped, cells


def way_of_head(head: str, separator: str) -> Way:
    """The way in which the beginning of a text is written: for tables too large to look at twice."""
    return _way_of(head, separator, cut=True)


def reader_of(lines: Iterable[str], separator: str, way: Way) -> Any:
    """A reader of lines that come one after the other."""
    return _reader(lines, separator, way)


def delimiter_of(text: str) -> str:
    """The sign that separates the cells of the first line: the one it has most of outside quotes; comma in doubt.

    A first line ``sep=;``, which spreadsheets write for each other, says it itself.
    """
    separator = separator_line(text)
    if separator:
        return separator
    head = text[: text.find("\n")] if "\n" in text else text
    bare = _QUOTED.sub("", head)
    for sign in SEPARATORS[1:]:  # decimal commas separate nothing, be there more of them
        if sign in bare and all("," not in part or _DECIMAL.fullmatch(part) for part in bare.split(sign)):
            return sign
    # max() takes the first of those that tie, which is the comma
    return max(SEPARATORS, key=bare.count)


def separator_line(head: str) -> str:
    """Return the separator that a first line ``sep=;`` names; "" where it is none."""
    match = _SEPARATOR_LINE.match(head[:10])
    return match[1] if match else ""


def lines_of(reader: Any, shown: str) -> Lines:
    """Yield the lines of a :func:`csv.reader` that are not blank; raises SourceError at a broken quote."""
    try:
        for row in reader:
            if any(row):
                yield reader.line_num, row
    except csv.Error as error:
        hint = "check the quotes: one cell seems never to end"
        # csv.Error comes without a code: its text is all there is
        if "field limit" in str(error):
            hint = f"a cell is longer than {MAX_CELL:,} letters: is a quote never closed?"
        raise SourceError(f"{shown}, line {reader.line_num}: {error}", hint) from error


def _body(text: str, separator: str) -> tuple[str, int, str]:
    """The text without a line that names its separator, how many lines that takes, and the separator."""
    declared = separator_line(text)
    if declared:
        return text.partition("\n")[2], 1, declared
    return text, 0, separator or delimiter_of(text)


def _reader(lines: Iterable[str], separator: str, way: Way) -> Any:
    mended = map(way.mended, lines) if way.mended is not str else lines
    return csv.reader(mended, delimiter=separator, strict=True, **way.options)


def _way_of(text: str, separator: str, cut: bool = False) -> Way:
    # quotes alone make ways differ, and without them csv need not look for any
    if '"' not in text:
        return _LETTERS
    ways = _ways(text, separator)
    if len(ways) == 1:
        return ways[0]
    best, least = _STANDARD, _judge(text, separator, _STANDARD, cut)
    if not any(least):
        return best
    for way in ways[1:]:
        faults = _judge(text, separator, way, cut)
        if way is _LETTERS and separator != "\t" and faults[1]:
            continue  # outside of TSV, quotes that leave lines of other lengths are broken ones
        if faults < least:
            best, least = way, faults
    return best


def _ways(text: str, separator: str) -> list[Way]:
    """List the ways of quoting that the text has signs of, RFC 4180 first."""
    spaced = [Way({"skipinitialspace": True})] if re.search(f'[{separator}] +"', text) else []
    # the order decides between ways that read the text equally well
    ways = [_STANDARD, *spaced]
    if '\\"' in text:
        for way in [_STANDARD, *spaced]:
            ways.append(Way(way.options, _doubled))
            ways.append(Way(way.options | {"escapechar": "\\"}))
    if separator == "\t" or all(line.count('"') % 2 == 0 for line in text.split("\n")):
        ways.append(_LETTERS)
    return ways


def _judge(text: str, separator: str, way: Way, cut: bool) -> tuple[bool, int, int]:
    """(whether it fails, lines of another number of cells than the first, cells that look wrongly cut)."""
    reader = _reader(io.StringIO(text, newline=""), separator, way)
    width = odd = strange = 0
    is_strange = partial(_is_strange, separator=separator, quoted=way.options.get("quoting") != csv.QUOTE_NONE)
    try:
        for row in reader:
            if not any(row):
                continue
            width = width or len(row)
            odd += len(row) != width
            strange += sum(map(is_strange, row))
    except csv.Error as error:
        # where only the head of a text was read its last quote may well be open
        return not (cut and "unexpected end" in str(error)), odd, strange
    return False, odd, strange


def _is_strange(cell: str, separator: str, quoted: bool) -> bool:
    """Whether a cell looks as if quotes meant something else: what was cut at one, or was not and should have been."""
    if not quoted:
        return len(cell) > 1 and cell[0] == cell[-1] == '"'
    return (separator in cell and "\n" in cell) or (cell[:1] == " " and cell.lstrip(" ")[:1] == '"')
