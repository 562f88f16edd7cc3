"""The legend (key, class, counts) and the guesses as bars: text for a region of given size."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.cells import cell_len
from textual.content import Content

from labeler.core.vocabulary import UNLABELED, ClassInfo
from labeler.display import display_safe
from labeler.session.view import ClassCount
from labeler.ui.phrases import bar, percent
from labeler.ui.typeahead import matches

_NARROWEST, _NARROWEST_UNCOUNTED = 12, 7
"""Cells a column of the legend takes at least, with counts and without."""
_GAP = 2


def legend(classes: Sequence[ClassCount], typed: str, width: int, height: int) -> Content:
    """Every class with its key and counts, in as many columns as it takes; `typed` narrows them."""
    if width <= 0 or height <= 0:
        return Content("")
    if not classes:
        return Content.assemble(("no classes yet\n", "$quiet"), ("N", "bold $command"), (" adds the first", "$quiet"))
    found = matches(typed, classes)
    if typed and not found:
        return Content.assemble((typed, "bold $warn"), (" fits no class: ⌫", "$quiet"))
    titled = height > len(classes) or (height > 4 and width < 60)
    rows_free = height - titled
    columns = _columns(len(found), width, rows_free)
    rows = min(rows_free, -(-len(found) // columns))
    hidden = len(found) - rows * columns
    if hidden > 0:
        found = found[: rows * columns - 1]
    comfortable = _comfortable(classes)
    wide = min(width // columns, comfortable)
    spread = wide >= min(comfortable, 24)
    cells = [
        _entry(count, wide - _GAP, first=bool(typed) and place == 0, spread=spread) for place, count in enumerate(found)
    ]
    if hidden > 0:
        cells.append(Content.assemble((f"+{hidden + 1} more", "$quiet")).truncate(wide - 1, ellipsis=True))
    lines = [Content.assemble(("classes ", "$quiet"), (f"{typed}▏" if typed else "", "bold $answer"))] if titled else []
    for row in range(rows):
        line = [cell.pad_right(max(wide - cell.cell_length, 0)) for cell in cells[row::rows]]
        lines.append(Content.assemble(*line))
    return Content("\n").join(lines)


def _name(count: ClassCount) -> str:
    """What stands beside the key; nothing where it would only say the key again."""
    return "" if count.info.name == count.info.key else display_safe(count.info.name, 60)


def fits(count: int, width: int, height: int) -> bool:
    """Whether `count` classes can be shown with their counts."""
    return count <= max(width // _NARROWEST, 1) * (height - 1)


def _columns(count: int, width: int, rows: int) -> int:
    """As few columns as hold all classes: with counts if that will do, else without."""
    columns = 1
    for least in (_NARROWEST, _NARROWEST_UNCOUNTED):
        while columns * rows < count and width // (columns + 1) >= least:
            columns += 1
    return columns


def _comfortable(classes: Sequence[ClassCount]) -> int:
    """The width of a column in which every name and count fits."""
    names = max(cell_len(_name(count)) for count in classes)
    return 2 + names + 1 + 3 + 7 + _GAP


def _entry(count: ClassCount, width: int, *, first: bool, spread: bool) -> Content:
    info = count.info
    key = (info.key or "·", "bold $answer" if info.key else "$quiet")
    given = f"{count.given:>3}"
    more = f" {f'+{count.propagated}' if count.propagated else '':<6}" if spread else ""
    right = Content.assemble((given, "bold" if count.given else "$quiet"), (more, "$quiet"))
    if width < _NARROWEST - _GAP:
        right = Content("")
    room = max(width - 2 - right.cell_length - 1, 0)
    middle = Content.styled(_name(count), "bold underline" if first else "")
    if middle.cell_length > room:
        middle = middle.truncate(room, ellipsis=True)
    hint = ("⏎", "bold $command") if first else (" ", "")
    gap = " " * (room - middle.cell_length)
    return Content.assemble(key, hint, middle, gap, " ", right)


def guesses(known: Sequence[tuple[ClassInfo, float]], chosen: int, width: int) -> Content:
    """The model's guesses, likeliest first; ``⏎`` accepts the one marked."""
    title = Content.styled("guesses", "$quiet")
    if not known:
        return Content.assemble(title, "\n", ("none yet: the first", "$quiet"), "\n", ("answers teach it", "$quiet"))
    lines: list[Content] = [title]
    name_room = min(max(cell_len(display_safe(info.name)) for info, _ in known), max(width // 3, 4))
    for place, (info, score) in enumerate(known):
        here = place == chosen
        key = "" if info.key == info.name else (info.key or "·")
        name = Content(display_safe(info.name, 60)).truncate(name_room, ellipsis=True)
        number = (percent(score) if score else "").rjust(5)
        length = max(width - (2 if key else 0) - name_room - len(number) - 6, 3)
        lines.append(
            Content.assemble(
                (f"{key} " if key else "", "bold $answer"),
                name,
                " " * (name_room - name.cell_length),
                " ",
                (bar(score, length), "$guess on $panel" if here else "$quiet on $panel"),
                number,
                (" ⏎" if here else "  ", "bold $command"),
            )
        )
    return Content("\n").join(lines)


def none_shown(why: str) -> Content:
    """In place of the guesses: a question that measures shows none."""
    return Content("\n").join([Content.styled("guesses", "$quiet"), Content.styled(f"none shown: {why}", "$quiet")])


def both_answers(
    said: Sequence[tuple[str, int]], infos: Mapping[int, ClassInfo], marked: int | None, width: int
) -> Content:
    """What two people said, the later first; ``⏎`` takes the one marked."""
    lines: list[Content] = [Content.styled("two answers: settle it", "bold $warn")]
    for who, class_id in said:
        info = infos.get(class_id)
        key, name = "·", "of no class" if class_id == UNLABELED else "a retired class"
        if info is not None:
            key, name = "" if info.key == info.name else info.key or "·", display_safe(info.name, 60)
        by = f" {display_safe(who, 40) or 'somebody'}"
        here = class_id == marked
        text = Content.assemble(name, (by, "$quiet")).truncate(max(width - 4, 4), ellipsis=True)
        lines.append(
            Content.assemble((f"{key} " if key else "", "bold $answer"), text, (" ⏎" if here else "", "bold $command"))
        )
    return Content("\n").join(lines)
