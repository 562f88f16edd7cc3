"""The legend (key, class, counts) and the guesses as bars: text for a region of given size."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.cells import cell_len, chop_cells
from textual.content import Content

from labeler.core.text import display_safe, percent
from labeler.core.types import UNLABELED, ClassInfo
from labeler.session.view import ClassCount
from labeler.ui.keys import Typed, matches, needed
from labeler.ui.render.lines import bar
from labeler.ui.render.short_names import full_names, longest, name_lines, short_name, short_names, wrapped

_NARROWEST, _NARROWEST_UNCOUNTED = 12, 7
"""Cells a column of the legend takes at least, with counts and without."""
_GAP = 2
_READABLE, _READABLE_BY_KEY = 7, 3
"""Cells of a shortened name at least: where it is typed, and where a key answers with it."""
_FLOWS = 60
"""Cells of width from which on a legend that cannot hold all classes is written like words in a line."""
TYPE = "type a name"


def legend(classes: Sequence[ClassCount], typed: Typed, width: int, height: int, first: Sequence[int] = ()) -> Content:
    """Every class with its key and counts, in as many columns as it takes; `typed` narrows them.

    Where they do not all fit so that they can be read, those of `first` (class ids) lead, in full.
    """
    if width <= 0 or height <= 0:
        return Content("")
    if not classes:
        return Content.assemble(("no classes yet\n", "$quiet"), ("N", "bold $command"), (" adds the first", "$quiet"))
    shown = matches(typed.text, classes)
    if typed.text and not shown:
        return Content.assemble((typed.text, "bold $warn"), (" fits no class: ⌫", "$quiet"))
    # while a name is typed, what fits best leads
    leading = {class_id: place for place, class_id in enumerate(() if typed.text else dict.fromkeys(first))}
    ordered: Sequence[ClassCount] = sorted(shown, key=lambda count: leading.get(count.info.class_id, len(leading)))
    names = tuple(count.info.name for count in classes)
    chosen = shown[min(typed.place, len(shown) - 1)].info.class_id if typed.text else -1
    # the title gives way where it would take the row of a class
    titled = height > len(classes) or (height > 4 and width < _FLOWS)
    rows = height - titled
    by_typing = needed(classes)
    lines = _grid(shown, names, chosen, _comfortable(classes), width, rows, hint=by_typing and not titled)
    if lines is None or (typed.text and not titled):
        ordered = _from(ordered, chosen)
        if width >= _FLOWS or not titled:
            lines = _in_a_flow(ordered, typed, names, chosen, width, rows, by_typing=by_typing)
        elif by_typing:
            lines = _one_a_line(ordered, 2 if typed.text else len(leading), names, chosen, width, rows)
        else:  # each has a key, which is what one looks for
            lines, titled = _keys(ordered, names, width, height), False
    return Content("\n").join([*([_title(typed, by_typing, width)] if titled else []), *lines])


def _title(typed: Typed, by_typing: bool, width: int) -> Content:
    title = (f"{typed.text}▏", "bold $answer") if typed.text else (TYPE if by_typing else "", "$command")
    more = ("  ↑ ↓", "$quiet") if typed.text and len(typed.text) + 16 < width else ("", "")
    return Content.assemble(("classes ", "$quiet"), title, more).truncate(width, ellipsis=True)


def _from(ordered: Sequence[ClassCount], chosen: int) -> Sequence[ClassCount]:
    """Return those in sight: from the first, or from a little before the one that is chosen."""
    place = next((place for place, count in enumerate(ordered) if count.info.class_id == chosen), 0)
    return ordered[max(place - 1, 0) :]


def _name(count: ClassCount) -> str:
    """Return what stands beside the key; nothing where it would only say the key again."""
    return "" if count.info.name == count.info.key else count.info.name


def fits(count: int, width: int, height: int) -> bool:
    """Whether `count` classes can be shown with their counts."""
    return count <= max(width // _NARROWEST, 1) * (height - 1)


def _grid(
    shown: Sequence[ClassCount],
    names: tuple[str, ...],
    chosen: int,
    comfortable: int,
    width: int,
    rows: int,
    *,
    hint: bool,
) -> list[Content] | None:
    """All classes in columns: with counts if that will do, else without; None where they could not be read so.

    `hint`: room is left for a word on how to answer.
    """
    # counts give way before names do
    for counted in (True, False):
        columns = 1
        least = _NARROWEST if counted else _NARROWEST_UNCOUNTED
        # as few columns as hold all: names have the more room
        while columns * rows < len(shown) + hint and width // (columns + 1) >= least:
            columns += 1
        wide = min(width // columns, comfortable)
        gap = _GAP if counted else 1
        room = wide - gap - 2 - (4 if counted else 0)
        if columns * rows < len(shown) + hint or not _readable(shown, names, room):
            continue
        # columns of the same height, however few classes the last one holds
        used = min(rows, -(-(len(shown) + hint) // columns))
        spread = counted and wide >= min(comfortable, 24)
        cells = [
            _entry(count, names, wide - gap, first=count.info.class_id == chosen, counted=counted, spread=spread)
            for count in shown
        ]
        cells += [Content.styled(TYPE, "$command").truncate(wide - 1, ellipsis=True)] if hint else []
        return [
            Content.assemble(*(cell.pad_right(max(wide - cell.cell_length, 0)) for cell in cells[row::used]))
            for row in range(used)
        ]
    return None


def _readable(shown: Sequence[ClassCount], names: tuple[str, ...], room: int) -> bool:
    """Whether names in so many cells tell the classes apart."""
    written = tuple(name for name in map(_name, shown) if name)
    least = _READABLE if needed(shown) else _READABLE_BY_KEY
    if room < min(longest(written), least):
        return False
    short = short_names(names, room)
    return all(name in short for name in written)


def _keys(ordered: Sequence[ClassCount], names: tuple[str, ...], width: int, rows: int) -> list[Content]:
    """Return the keys there is room for, names as far as they go beside them, and where all of them stand."""
    columns = max(width // _NARROWEST_UNCOUNTED, 1)
    wide, used = width // columns, max(rows - 1, 1)
    written = ordered[: columns * used]
    cells = [_entry(count, names, wide - 1, first=False, counted=False, spread=False) for count in written]
    lines = [
        Content.assemble(*(cell.pad_right(max(wide - cell.cell_length, 0)) for cell in cells[row::used]))
        for row in range(used)
    ]
    return [*lines, *_rest(len(ordered) - len(written), width, by_typing=False)]


def _one_a_line(
    ordered: Sequence[ClassCount], whole: int, names: tuple[str, ...], chosen: int, width: int, rows: int
) -> list[Content]:
    """A class a line, the first `whole` of them in full if it takes two, and how the others are reached."""
    lines: list[Content] = []
    written = 0
    for place, count in enumerate(ordered):
        own = _whole_entry(count, names, width, 2 if place < whole else 1, first=count.info.class_id == chosen)
        if len(lines) + len(own) > rows - (place + 1 < len(ordered) or len(ordered) < len(names)):
            break
        lines += own
        written += 1
    return [*lines, *_rest(len(ordered) - written, width, by_typing=True)][: max(rows, 1)]


def _whole_entry(count: ClassCount, names: tuple[str, ...], width: int, most: int, *, first: bool) -> list[Content]:
    """A class in at most so many lines; its count where there is room beside it."""
    key, lines = count.info.key or "·", name_lines(count.info.name, names, width - 3, most)
    given = f"{count.given:>4}"
    room = width - 2 - cell_len(key) + 1 - cell_len(lines[-1]) - len(given)
    style = "bold underline" if first else ""
    entry = [
        Content.assemble(
            (key, "bold $answer" if count.info.key else "$quiet") if place == 0 else " ",
            ("⏎", "bold $command") if first and place == 0 else (" ", ""),
            (line, style),
        )
        for place, line in enumerate(lines)
    ]
    if room >= 0:
        entry[-1] = Content.assemble(entry[-1], " " * room, (given, "bold" if count.given else "$quiet"))
    return entry


def _in_a_flow(
    ordered: Sequence[ClassCount],
    typed: Typed,
    names: tuple[str, ...],
    chosen: int,
    width: int,
    rows: int,
    *,
    by_typing: bool,
) -> list[Content]:
    """The first classes in full, one after the other, and how the others are reached."""
    lines: list[Content] = [Content.assemble((f"{typed.text}▏ " if typed.text else "", "bold $answer"))]
    written = 0
    for count in ordered:
        first = count.info.class_id == chosen
        entry = Content.assemble(
            (count.info.key or "·", "bold $answer" if count.info.key else "$quiet"),
            ("⏎", "bold $command") if first else " ",
            (name_lines(count.info.name, names, width - 4, 1)[0], "bold underline" if first else ""),
        )
        left = len(ordered) - written - 1
        rest = _rest(left, width, by_typing=by_typing)[0].cell_length + 3 if len(lines) == rows else 0
        if lines[-1].cell_length + entry.cell_length + rest > width:
            if len(lines) == rows:
                break
            lines.append(Content(""))
        lines[-1] = Content.assemble(lines[-1], entry, "   ")
        written += 1
    lines[-1] = Content.assemble(lines[-1], *_rest(len(ordered) - written, width, by_typing=by_typing))
    return lines


def _rest(hidden: int, width: int, *, by_typing: bool) -> list[Content]:
    how = (TYPE, "$command") if by_typing else ("C lists all", "$command")
    return [Content.assemble((f"+{hidden:,} more: " if hidden else "", "$quiet"), how).truncate(width, ellipsis=True)]


def _comfortable(classes: Sequence[ClassCount]) -> int:
    """The width of a column in which every name and count fits."""
    # key and mark, name, a space, given, what spreads, the gap: see `_entry`
    return 2 + longest(tuple(map(_name, classes))) + 1 + 3 + 7 + _GAP


def _entry(
    count: ClassCount, names: tuple[str, ...], width: int, *, first: bool, counted: bool, spread: bool
) -> Content:
    info = count.info
    key = (info.key or "·", "bold $answer" if info.key else "$quiet")
    given = f"{count.given:>3}"
    more = f" {f'+{count.propagated}' if count.propagated else '':<6}" if spread else ""
    right = Content.assemble((given, "bold" if count.given else "$quiet"), (more, "$quiet"))
    if not counted:
        right = Content("")
    room = max(width - 1 - cell_len(key[0]) - right.cell_length - bool(right.cell_length), 0)
    name = _name(count)
    middle = Content.styled(short_name(name, names, room) if name else "", "bold underline" if first else "")
    hint = ("⏎", "bold $command") if first else (" ", "")
    gap = " " * (room - middle.cell_length)
    return Content.assemble(key, hint, middle, gap, " " if right.cell_length else "", right)


def guess_rows(names: tuple[str, ...], width: int) -> int:
    """Rows that a guess takes so that whatever class it is stands in full, as far as two lines go."""
    return 1 if longest(names) <= width - _NUMBER - _MARK - _KEY else 2


def guesses(known: Sequence[tuple[ClassInfo, float]], chosen: int, width: int, names: tuple[str, ...] = ()) -> Content:
    """The model's guesses, likeliest first; ``⏎`` accepts the one marked. `names` of all classes."""
    title = Content.styled("guesses", "$quiet")
    if not known:
        return Content.assemble(title, "\n", ("none yet: the first", "$quiet"), "\n", ("answers teach it", "$quiet"))
    names = tuple(dict.fromkeys((*names, *(info.name for info, _ in known))))
    written = [_guess_name(info.name, names, width) for info, _ in known]
    column = max((cell_len(last) for above, last in written if not above), default=0)
    lines: list[Content] = [title]
    for place, ((info, score), (above, last)) in enumerate(zip(known, written, strict=True)):
        here = place == chosen
        key = "" if info.key == info.name else f"{info.key or '·'} "
        beside = [*above, last.ljust(column + len(last) - cell_len(last)) if not above else last]
        leads = [(key, "bold $answer"), *(("  ", "") for _ in above)]
        left = width - cell_len(leads[len(above)][0]) - cell_len(beside[-1]) - _NUMBER - _MARK - 1
        length = max(left - 3, min(left, 3))
        drawn = bar(score, length) if length >= 3 else " " * max(length, 0)
        lines += [Content.assemble(lead, line) for lead, line in zip(leads, above, strict=False)]
        lines.append(
            Content.assemble(
                leads[-1],
                beside[-1],
                " " if left >= 0 else "",
                (drawn, ("$guess on $panel" if here else "$quiet on $panel") if length >= 3 else ""),
                (percent(score) if score else "").rjust(_NUMBER),
                (" ⏎" if here else "  ", "bold $command"),
            )
        )
    return Content("\n").join(lines)


def _guess_name(name: str, names: tuple[str, ...], width: int) -> tuple[list[str], str]:
    """A name in full: (lines of its own, what stands beside the figure); shortened only where two lines do not do."""
    room, own = width - _NUMBER - _MARK - _KEY, max(width - _KEY, 2)
    whole = full_names(names)[name]
    if cell_len(whole) <= room:
        return [], whole
    if cell_len(whole) > own + room - 1:
        whole = short_names(names, own + room - 1).get(name, whole)
    *above, last = wrapped(whole, own, 2)
    # broken between words its end is too long to stand beside the figure: broken anywhere it is shorter
    if above and cell_len(last) > room:
        *above, last = chop_cells(whole, own)
    return (above, last) if above and cell_len(last) <= room else ([*above, last], "")


_NUMBER, _MARK, _KEY = 5, 2, 2
"""Cells of a guess beside its name and bar: how sure, what accepts it, its key."""


def none_shown(why: str) -> Content:
    """In place of the guesses: a question that measures shows none."""
    return Content("\n").join([Content.styled("guesses", "$quiet"), Content.styled(f"none shown: {why}", "$quiet")])


def both_answers(
    answers: Sequence[tuple[str, int]],
    infos: Mapping[int, ClassInfo],
    marked: int | None,
    width: int,
) -> Content:
    """Return what two people said, the later first; ``⏎`` takes the one marked."""
    lines: list[Content] = [Content.styled("two answers: settle it", "bold $warn")]
    for who, class_id in answers:
        info = infos.get(class_id)
        key, name = "·", "of no class" if class_id == UNLABELED else "a retired class"
        if info is not None:
            key = "" if info.key == info.name else info.key or "·"
            name = short_name(info.name, tuple(other.name for other in infos.values()), max(width - 12, 4))
        by = f" {display_safe(who, 40) or 'somebody'}"
        here = class_id == marked
        text = Content.assemble(name, (by, "$quiet")).truncate(max(width - 4, 4), ellipsis=True)
        lines.append(
            Content.assemble((f"{key} " if key else "", "bold $answer"), text, (" ⏎" if here else "", "bold $command"))
        )
    return Content("\n").join(lines)
