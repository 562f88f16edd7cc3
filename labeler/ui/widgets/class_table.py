"""The table of classes: text for a region of given size."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len
from textual.content import Content

from labeler.session.view import ClassCount
from labeler.ui.render.short_names import longest as longest_of
from labeler.ui.render.short_names import short_name

COUNTS = ("human", "confirmed", "imported", "propagated", "predicted")
_SHORT = {"confirmed": "confirm.", "imported": "import.", "propagated": "propag.", "predicted": "predict."}
_COMFORTABLE = 78
_RETIRED, _NAMES = " · retired", 18
_KEY = 5
"""Cells before the name: the cursor's mark, the key and the space around them."""


def page_of(cursor: int, height: int) -> tuple[int, int]:
    """(first row, rows) of the page the cursor is on, below a title; pages turn, rows do not slide."""
    rows = max(height - 1, 1)
    return cursor // rows * rows, rows


def class_table(rows: Sequence[ClassCount], cursor: int, merging: int | None, width: int, height: int) -> Content:
    """Key, name and counts of every class; `merging` is the class that is to become another one."""
    if width <= 0 or height <= 0:
        return Content("")
    if not rows:
        return Content.assemble(("no classes yet: ", "$quiet"), ("N", "bold $command"), (" adds the first", "$quiet"))
    words = {word: word if width >= _COMFORTABLE else _SHORT.get(word, word) for word in COUNTS}
    wide = max(map(len, words.values())) + 1
    # one very long name does not push the counts far away from all others
    longest = min(longest_of(tuple(row.info.name for row in rows)), 60) + len(_RETIRED)
    room = max(min(width - _KEY - wide * len(COUNTS), max(longest, _NAMES)), 4)
    title = "class".ljust(room) + "".join(word.rjust(wide) for word in words.values())
    lines = [Content.styled(" key "[:_KEY] + title, "$quiet")]
    names = tuple(row.info.name for row in rows)
    start, count = page_of(cursor, height)
    for place, row in enumerate(rows[start : start + count], start=start):
        lines.append(_row(row, names, room, wide, here=place == cursor, goes=row.info.class_id == merging))
    return Content("\n").join(lines)


def _row(row: ClassCount, names: tuple[str, ...], room: int, wide: int, *, here: bool, goes: bool) -> Content:
    info = row.info
    mark = "▸" if here else "→" if goes else " "
    style = "bold reverse $command" if here else "bold $warn" if goes else "$quiet" if info.retired else "bold"
    note = Content.styled(_RETIRED if info.retired else "", "$warn")
    name = Content.styled(short_name(info.name, names, max(room - note.cell_length, 1)), style)
    gap = " " * max(room - name.cell_length - note.cell_length, 0)
    counts = [getattr(row, word) for word in COUNTS]
    cells = [(f"{count:>{wide},}", "" if count else "$quiet") for count in counts]
    key = (info.key or "·", "bold $answer" if info.key else "$quiet")
    lead = (f"{mark}  ", "bold $command" if here else "bold $warn")
    space = " " if cell_len(key[0]) == 1 else ""
    return Content.assemble(lead, key, space, name, note, gap, *cells)
