"""A first look at a source of image files: their depth, so that one range holds for all; pages and bands not shown.

Only headers are read, of a sample spread evenly; where there are values deeper than 8 bits, a few images are decoded.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from labeler.core.errors import SourceError, UnreadableInstance
from labeler.core.recipe import Reading
from labeler.core.text import counted
from labeler.plugins.importers import heic, tiff, tiff_values
from labeler.plugins.importers.base import FileSource, ImageFiles, Source
from labeler.plugins.importers.decode import decode
from labeler.plugins.importers.image_pages import ENDINGS as TIFF_ENDINGS
from labeler.plugins.importers.image_pages import in_pages
from labeler.plugins.importers.scaling import Span, Survey, ValueRange, parse_range
from labeler.plugins.importers.tiff import Read

_HEADERS, _MEMBERS = 2_000, 48
"""Files whose headers are read, and members of an archive, which have to be unpacked for it."""
_DECODED = 48
# JPEG, GIF, BMP and WebP have 8 bits a value as they are read here
_MAYBE_DEEP = (".png", ".pgm", ".ppm", ".pnm", *TIFF_ENDINGS)
_PNM = re.compile(rb"P[2356]\s(?:#[^\n]*\n|\s)*\d+(?:#[^\n]*\n|\s)+\d+(?:#[^\n]*\n|\s)+(\d+)\s")
_PNG = b"\x89PNG\r\n\x1a\n"


@dataclass(frozen=True, slots=True)
class Header:
    """The header of an image file."""

    is_deep: bool = False
    has_more_pages: bool = False
    rest: int = 0  # bands that are not shown


def arranged(source: Source, reading: Reading) -> Source:
    """`source` as it is to be read: in pages, by one range; what is not shown of it is said in its notes.

    Raises
    ------
    SourceError
        All its images are HEIC, and the extra for them is not installed.
    UsageError
        The range is none.
    """
    shown = parse_range(reading.range)
    if not isinstance(source, ImageFiles):
        return source
    _check_heic(source)
    if reading.pages:
        source = in_pages(source)
    rows = [row for row, name in enumerate(source.ids) if name.lower().endswith(_MAYBE_DEEP)]
    sample = _spread(rows, _HEADERS if rows and source.location(rows[0]) is not None else _MEMBERS)
    headers = {row: _header(source, row) for row in sample}
    _say_what_is_not_shown(source, headers)
    _choose_range(source, shown, [row for row, header in headers.items() if header.is_deep])
    return source


def _choose_range(source: FileSource, shown: ValueRange | None, deep: list[int]) -> None:
    """Set the range of the source: the one given or remembered, else by the values of some of its `deep` images."""
    survey = Survey()
    if shown is None and deep:
        for row in _spread(deep, _DECODED):
            try:
                decode(source.content_bytes(row), shown=survey)
            except UnreadableInstance:
                continue  # said when the pool is read
        shown = survey.decided()
    source.shown = shown if shown is not None and (shown.whole or shown.fractions) else None
    if source.shown is None:
        return
    if source.shown.is_given and not deep and source.shown.for_bytes is None:
        source.notes.append("all images have 8 bits a value: a range above 255 does not change them")
    elif deep or source.shown.is_given:
        source.notes.append(_range_note(source.shown, survey))


def _range_note(shown: ValueRange, survey: Survey) -> str:
    spans = list(dict.fromkeys(span for span in (shown.whole, shown.fractions) if span is not None))
    line = f"values {' and '.join(map(_words, spans))} are shown as black to white"
    if shown.is_given:
        return line
    n, beyond = len(survey.whole) + len(survey.fractions), survey.beyond(shown)
    line += f", as {counted(n, 'image')} suggest" + ("s" if n == 1 else "") if n else ", as when the project began"
    line += f" ({beyond:,} of them beyond it)" if beyond else ""
    return f"{line}; --range LOW:HIGH sets another range"


def _words(span: Span) -> str:
    return f"{span[0]:g} to {span[1]:g}"


def _say_what_is_not_shown(source: FileSource, headers: dict[int, Header]) -> None:
    more = sum(header.has_more_pages for header in headers.values())
    if more:
        lead = f"{counted(more, 'TIFF file has', 'TIFF files have')} more than one page"
        source.notes.append(f"{lead}: the first is opened, --pages opens each as an instance")
    for rest in sorted({header.rest for header in headers.values()} - {0}):
        n = sum(header.rest == rest for header in headers.values())
        lead = counted(n, "TIFF file has", "TIFF files have")
        source.notes.append(f"{lead} {counted(rest, 'band')} beyond what can be shown: the first ones are")


def _check_heic(source: FileSource) -> None:
    if heic.is_installed():
        return
    n = sum(name.lower().endswith(heic.ENDINGS) for name in source.ids)
    if not n:
        return
    lead = counted(n, "HEIC image", "HEIC images")
    if n == len(source.ids):
        source.close()
        raise SourceError(f"{lead} and no other: they need an extra", f"install it with: {heic.HINT}")
    source.notes.append(f"{lead} cannot be read without an extra: {heic.HINT}")


def _header(source: FileSource, row: int) -> Header:
    try:
        with source.reader(row) as read:
            return _header_of(read)
    except UnreadableInstance:
        return Header()


def _header_of(read: Read) -> Header:
    head = read(0, 512)
    if head.startswith(_PNG):
        return Header(is_deep=head[24:25] == b"\x10")  # the depth is byte 24 of every PNG
    if (plain := _PNM.match(head)) is not None:
        # more digits than that are no number of levels, which ends at 65,535
        return Header(is_deep=len(plain[1]) < 10 and int(plain[1]) > 255)
    if not tiff.is_tiff(head):
        return Header()
    first = list(tiff.pages(read, most=2))
    if not first:
        return Header()
    is_deep = first[0].bits not in (1, 2, 4, 8) or first[0].number(tiff.FORMAT, 1) != 1
    rest = tiff_values.rest_of(first[0]) if tiff_values.is_for_us(first[0]) else 0
    return Header(is_deep, len(first) > 1, rest)


def _spread(rows: Sequence[int], most: int) -> list[int]:
    """Choose at most so many of `rows`, evenly spread."""
    if len(rows) <= most:
        return list(rows)
    return [rows[number * (len(rows) - 1) // (most - 1)] for number in range(most)]
