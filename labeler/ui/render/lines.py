"""The fixed lines of a label screen: pure functions from the view and a width to styled text.

Styles name the color roles of the theme (``$saved``, ``$quiet`` ...); outside strings pass `display_safe` and are
never read as markup.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from rich.cells import cell_len
from textual.content import Content

from labeler.core.text import counted, display_safe, percent
from labeler.core.types import Progress
from labeler.session.pace import spoken
from labeler.session.view import Stage, View
from labeler.ui.actions import Action
from labeler.ui.render.short_names import short_name

NEXT = 20
"""Answers ahead that a time is given for."""

_BETWEEN = 2
"""Cells between two keys of the footer."""

_EIGHTHS = " ▏▎▍▌▋▊▉"


def bar(share: float, width: int) -> str:
    """A bar of `width` cells, filled to `share`."""
    eighths = round(min(max(share, 0.0), 1.0) * width * 8)
    full, rest = divmod(eighths, 8)
    return ("█" * full + (_EIGHTHS[rest] if rest else "")).ljust(width)[:width]


def file_size(size: int) -> str:
    """Bytes as people read them."""
    value, unit = float(size), "B"
    # by thousands, as file managers and makers of disks count
    for unit in ("B", "kB", "MB", "GB"):
        if value < 1000 or unit == "GB":
            break
        value /= 1000
    return f"{value:.0f} {unit}" if unit == "B" or value >= 10 else f"{value:.1f} {unit}"


def ends(left: Content, right: Content, width: int) -> Content:
    """Two texts at the two ends of a line; the right one keeps its place, the left one gives way."""
    if right.cell_length >= width:
        return right.truncate(width, ellipsis=True)
    room = width - right.cell_length - (1 if right.cell_length else 0)
    if left.cell_length > room:
        left = left.truncate(room, ellipsis=True)
    return Content.assemble(left, " " * (width - left.cell_length - right.cell_length), right)


def beside(left: Callable[[int], Content], rights: Sequence[Content], width: int) -> Content:
    """A text and the first of `rights` that leaves it room; `left` makes the text for a width."""
    for right in rights:
        room = width - right.cell_length - 1
        text = left(room)
        if text.cell_length <= room:
            break
    return ends(text, right, width)


def header(name: str, view: View, width: int) -> Content:
    """Project on the left, progress on the right."""
    left = Content.assemble(("labeler ", "bold $command"), (display_safe(name, 60), "bold"))
    parts: list[tuple[str, str]] = [(counted(view.answers, "answer"), "bold")]
    # the time is the first to go: 100 columns are what the style sheet calls wide
    if width >= 100 and view.pace is not None:
        parts.insert(0, (f"{time_to_go(view.pace, view.representatives_left, view.open_questions)} · ", "$quiet"))
    if width >= 72:
        parts.append((f" · {view.labeled:,} of {counted(view.n_to_label, view.noun)} labeled", "$quiet"))
    room = 16 if width >= 100 else 8
    parts += [(" ", ""), (bar(view.coverage, room), "$saved on $panel"), (f" {percent(view.coverage):>5}", "bold")]
    return ends(left, Content.assemble(*parts), width)


def time_to_go(pace: float, representatives: int, open_questions: int) -> str:
    """Return the time left at the person's own pace: to the last representative, then of the next answers."""
    if representatives:
        return f"{spoken(pace * representatives)} to the last representative"
    ahead = min(NEXT, open_questions)
    return f"{spoken(pace * ahead)} for {counted(ahead, 'more answer')}" if ahead else "nothing is left to ask"


def chain(stages: Sequence[Stage], width: int) -> Content:
    """The chain with its link in force marked; where it is too long its beginning gives way."""
    stages = [stage for stage in stages if stage.text.strip()]
    dropped = False
    while True:
        parts: list[tuple[str, str]] = [("… > ", "$quiet")] if dropped else []
        for position, stage in enumerate(stages):
            if position:
                parts.append((" > ", "$quiet"))
            text = display_safe(re.sub(r":\w+=.*", "", stage.text.strip()), 40)  # without a plug-in's parameters
            parts.append((f"▸{text}", "bold $guess") if stage.active else (text, "$quiet"))
        line = Content.assemble(*parts)
        if line.cell_length <= width or len(stages) < 2 or stages[0].active:
            return line.truncate(width, ellipsis=True)
        # the beginning is settled early in a session, the end is what works now
        stages, dropped = stages[1:], True


def mark(view: View, location: str) -> Content:
    """The durable mark of the last thing that was saved; `location` is what it happened to."""
    last = view.last
    if last is None:
        return Content("")
    # "undo label" is the undo of a label, "label" a label
    what, _, of = last.what.rpartition(" ")
    named = short_name(last.class_name, tuple(view.class_names.values()), 20) if last.class_name else ""
    text = named if of in ("label", "audit_answer") and named else WORDS.get(of, of).format(named)
    verb = {"undo": "↶ taken back", "redo": "↷ back again"}.get(what, "✓ saved")
    place = f" · {tail(display_safe(location), 20)}" if location else ""
    return Content.assemble((f"{verb} ", "bold $saved"), (text, "bold"), (place, "$quiet"))


WORDS = {
    "label": "label",
    "skip": "skipped",
    "unsure": "unsure",
    "reject": "rejected",
    "flag": "flag",
    "keep": "kept",
    "page": "page",
    "import": "import",
    "predictions": "predictions",
    "setting": "setting",
    "audit_answer": "checked",
    "audit_begin": "audit",
    "audit_page": "page of the audit",
    "audit_end": "statement",
    "reach": "reach of a cluster",
    "split": "cluster in two",
    "source_change": "what the changed source set aside",
    "class_add": "class {}",
    "class_rename": "name {}",
    "class_key": "key of {}",
    "class_retire": "{} retired",
    "class_restore": "{} brought back",
    "class_merge": "merged into {}",
    "class_split": "{} split off",
}
"""The word for each kind of event that a person saves; {} is the name of its class."""


def tail(text: str, length: int) -> str:
    """The end of a text in at most `length` cells: of a path it says the most."""
    if cell_len(text) <= length:
        return text
    # by cells: a wide character takes two
    while cell_len(text) > length - 1:
        text = text[1:]
    return f"…{text}"


def about(location: str, facts: Sequence[str], flagged: bool, width: int) -> Content:
    """Return a line on one instance: its path (the end of it where it is long), size, bookmark."""
    rest = "".join(f" · {fact}" for fact in facts)
    flag = (" ⚑ flagged", "bold $warn") if flagged else ("", "")
    room = max(width - cell_len(rest) - cell_len(flag[0]), 16)
    return Content.assemble((tail(display_safe(location), room), "bold"), (rest, "$quiet"), flag)


def working(progress: Progress, tick: int) -> Content:
    """A sign of life of the worker: what it does, how far it is; `tick` moves the spinner."""
    spinner = "▖▘▝▗"[tick % 4]
    what = display_safe(progress.what, 60)
    if progress.total <= 1:
        # of unknown length: how far it is, and no bar that nobody could fill
        counted = f" {progress.done:,}" if progress.done > 1 else ""
        return Content.assemble((f"{spinner} ", "bold $guess"), what, (counted, "$quiet"))
    share = progress.done / progress.total
    return Content.assemble(
        (f"{spinner} ", "bold $guess"),
        what,
        (f" {progress.done:,} of {progress.total:,} ", "$quiet"),
        (bar(share, 12), "$guess on $panel"),
        f" {percent(share)}",
    )


def footer(actions: Sequence[Action], width: int) -> Content:
    """Keys and what they do, in the order of the table; where it is narrow those of less weight are left out."""
    shown = [action for action in actions if action.in_footer]
    pieces = {
        place: Content.assemble((action.main_key, "bold $command"), (f" {action.label}", "$quiet"))
        for place, action in enumerate(shown)
    }
    left, places = width + _BETWEEN, set()
    # the weightiest first; what does not fit is passed over, so that a shorter one may still be shown
    for place in sorted(pieces, key=lambda place: shown[place].gives_way):
        takes = pieces[place].cell_length + _BETWEEN
        if takes <= left:
            left -= takes
            places.add(place)
    parts: list[Content | str] = []
    for place in sorted(places):
        parts += [" " * _BETWEEN, pieces[place]] if parts else [pieces[place]]
    return Content.assemble(*parts)
