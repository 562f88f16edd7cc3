"""Text of the dashboard: pure functions from the view and a size to styled text.

Only what questions drawn at random say is called an accuracy: what the others and the model tell ranks, and measures
nothing.
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from rich.cells import cell_len
from textual.content import Content

from labeler.core.advice import answer_first
from labeler.core.text import counted, display_safe, percent
from labeler.core.types import Advice
from labeler.session.learning_curve import Point, answers_to_cover
from labeler.session.pace import spoken
from labeler.session.view import ClassCount, View
from labeler.ui.actions import Action, key_name
from labeler.ui.render.charts import area, divided, sampled, sparkline
from labeler.ui.render.short_names import longest, short_name

_AXIS = 7
"""Cells left of the chart."""
_LABEL = 17
"""Cells of what a line is about."""
_NUMBER = 8
_SPARKS = 3
_NAME_ROOM = 12
_NOTES = (
    "at least likely: given, or of the tiers locked and likely; agreement: of all labels with those a round before.",
    "What the engine expects ranks well and measures nothing: only images drawn by chance tell how many are right.",
)

Spans = list[tuple[str, str]]


def curve(view: View, width: int, height: int) -> Content:
    """The learning curve over the answers: what the export holds, and three lines below it."""
    history = view.history
    title = Content.assemble(("learning curve", "bold"), ("  share in the export", "$quiet"))
    if not history or not history[-1].answers:
        hint = "no answers yet: D leads back"
        return Content("\n").join([title.truncate(width, ellipsis=True), Content(""), Content.styled(hint, "$quiet")])
    columns, rows = max(width - _AXIS - 1, 10), max(height - _SPARKS - 2, 2)
    at = [point.answers for point in history]
    lines = area(sampled(at, [point.coverage for point in history], columns), rows)
    chart = [title.truncate(width, ellipsis=True)]
    marks = {0: "100 %", rows - 1: "0 %"} | ({rows // 2: "50 %"} if rows > 3 else {})
    for row, line in enumerate(lines):
        chart.append(Content.assemble((f"{marks.get(row, ''):>5} ┤", "$quiet"), (line, "$saved")))
    last = counted(at[-1], "answer") if at[-1] <= view.answers else f"{at[-1]:,} answers and pages"
    axis = f"      └0{last:─>{columns - 1}}"
    chart.append(Content.styled(axis, "$quiet"))
    return Content("\n").join([*chart, *_sparks(history, at, width)])


def _sparks(history: Sequence[Point], at: Sequence[int], width: int) -> list[Content]:
    columns = max(width - _LABEL - 1 - _NUMBER, 6)
    latest = history[-1]
    trusted = [point.trusted for point in history]
    errors = [point.expected_errors for point in history]
    agreement = [point.agreement for point in history]
    rows = (
        ("at least likely", trusted, 1.0, percent(latest.trusted)),
        ("expected errors", errors, None, "-" if latest.expected_errors is None else f"{latest.expected_errors:,.0f}"),
        ("agreement", agreement, 1.0, "-" if latest.agreement is None else f"{latest.agreement:.3f}"),
    )
    return [
        Content.assemble(
            (f"{name:<{_LABEL}}", "$quiet"),
            (f"{sparkline(sampled(at, values, columns), most):<{columns}}", "$guess"),
            (f" {number:>{_NUMBER - 1}}", "bold"),
        )
        for name, values, most, number in rows
    ]


def balance(classes: Sequence[ClassCount], width: int, height: int) -> Content:
    """Labels a class: given ones solid, the machine's in grey."""
    title = Content.assemble(
        ("classes", "bold"), ("  █", "$saved"), (" given ", "$quiet"), ("▒", "$guess"), (" machine", "$quiet")
    )
    if not classes:
        return Content.assemble(title, "\n", ("N adds the first", "$quiet"))
    # the last row is for the classes that have none
    rows = max(height - 1, 1)
    shown = classes if len(classes) <= rows else classes[: rows - 1]
    totals = [count.given + count.propagated + count.predicted for count in shown]
    names = tuple(count.info.name for count in classes)
    room = min(longest(tuple(count.info.name for count in shown)), _NAME_ROOM)
    columns = max(width - room - 1 - 11, 4)
    lines = [title.truncate(width, ellipsis=True)]
    for count, total in zip(shown, totals, strict=True):
        most = max(*totals, 1)
        given, machine = divided([count.given / most, (total - count.given) / most], columns)
        name = Content(short_name(count.info.name, names, room))
        lines.append(
            Content.assemble(
                name.pad_right(max(room - name.cell_length, 0)),
                " ",
                ("█" * given, "$saved"),
                ("▒" * machine, "$guess"),
                " " * (columns - given - machine),
                (f"{count.given:>4}", "bold" if count.given else "$quiet"),
                (f"{f'+{total - count.given:,}' if total > count.given else '':>7}", "$quiet"),
            )
        )
    if len(classes) > len(shown):
        rest = classes[len(shown) :]
        given = sum(count.given for count in rest)
        lines.append(Content.styled(f"{len(rest)} more classes: {given:,} given", "$quiet"))
    return Content("\n").join(lines)


def summary(
    view: View, actions: Sequence[Action], width: int, height: int, measured: Sequence[tuple[str, str]] = ()
) -> Content:
    """Tiers, keys, time, what the next keys bring, what was `measured` (name and statement), advice; the ways on where
    there is room."""
    lines = [
        _line("labels", _tiers(view, width - _LABEL)),
        _line("keys", _keys(view)),
        _line("time", _time(view)),
        _line("next 20 keys", _gain(view)),
    ]
    lines = [line.truncate(width, ellipsis=True) for line in lines]
    spare = max(height - len(lines) - 1, 0)  # one row for the advice
    for name, statement in measured:  # a statement whose interval is cut off says too much: whole or not at all
        texts = textwrap.wrap(display_safe(statement, 400), max(width - _LABEL, 20))
        if len(texts) <= spare:
            spare -= len(texts)
            lines += [_line(name if place == 0 else "", [(line, "bold")]) for place, line in enumerate(texts)]
    lines += _advice(view.advice, width, max(height - len(lines), 1))
    if height - len(lines) > 2:
        lines += [Content(""), *_ways(actions, width, height - len(lines) - 1)]
    if (spare := height - len(lines)) >= len(_NOTES):
        lines += [Content("")] * (spare > len(_NOTES))
        lines += [*(Content.styled(note, "$quiet").truncate(width, ellipsis=True) for note in _NOTES)]
    return Content("\n").join(lines)


def _line(name: str, spans: Spans) -> Content:
    return Content.assemble((f"{name:<{_LABEL}}", "$quiet"), *spans)


def _tiers(view: View, width: int) -> Spans:
    if not view.history:
        return [("nothing is labeled yet", "$quiet")]
    point = view.history[-1]
    parts = (
        ("given", point.given, "█", "$saved"),
        ("locked", point.locked, "▓", "$guess"),
        ("likely", point.likely, "▒", "$guess"),
        ("ask", point.ask, "░", "$warn"),
    )
    words = [f" {sign} {name} {count:,} " for name, count, sign, _ in parts]
    cells = divided([count / max(point.usable, 1) for _, count, _, _ in parts], max(width - sum(map(len, words)), 4))
    bar: Spans = [(sign * wide, role) for (_, _, sign, role), wide in zip(parts, cells, strict=True)]
    return bar + [(word, role) for word, (_, _, _, role) in zip(words, parts, strict=True)]


def _keys(view: View) -> Spans:
    labels = view.labeled
    if not view.keys or not labels:
        return [(counted(view.keys, "key"), "bold")]
    each = view.keys / labels
    return [
        (counted(view.keys, "key"), "bold"),
        (f" for {counted(labels, 'label')} in the export: ", "$quiet"),
        (f"{each:.2g}" if each < 1 else f"{each:.1f}", "bold"),
        (" a label", "$quiet"),
    ]


def _time(view: View) -> Spans:
    if view.pace is None:
        return [("your pace shows after five answers", "$quiet")]
    spans: Spans = [(spoken(view.pace), "bold"), (" an answer", "$quiet")]
    spans += [(" · 20 more ", "$quiet"), (spoken(20 * view.pace), "bold")]
    left = answers_to_cover(view.history)
    # an estimate beyond what there is to ask is none
    if left is not None and left <= view.open_questions:
        spans += [(f" · all covered: at least {left:,}, ", "$quiet"), (spoken(left * view.pace), "bold")]
    return spans


def _gain(view: View) -> Spans:
    facts = view.round.facts if view.round is not None else {}
    gain, least = facts.get("gain"), facts.get("gain_from")
    if not gain and least:
        return [(f"what they bring can be told from {least} answers on", "$quiet")]
    if not gain:
        return [("the engine does not say what they bring", "$quiet")]
    _, singles, pages = gain
    (first, most), (second, less) = sorted((("questions", singles), ("pages (G)", pages)), key=lambda way: -way[1])
    return [
        (f"{first} set right ", "$quiet"), (f"about {most:.1f}", "bold"),
        (f", {second} {less:.1f} (expected)", "$quiet"),
    ]  # fmt: skip


def _advice(advice: Advice | None, width: int, height: int) -> list[Content]:
    if advice is None:
        advice = answer_first()
    key = key_name(advice.key) if advice.key else ""
    text = textwrap.wrap(display_safe(advice.text, 400), max(width - _LABEL - 2, 20)) or [""]
    if len(text) > height and advice.short:
        text = textwrap.wrap(display_safe(advice.short, 400), max(width - _LABEL - 2, 20))
    if len(text) > height:
        text = [*text[: height - 1], text[height - 1] + " …"]
    lead = (f"{key} ", "bold $command") if key else ("", "")
    return [_line("advice", [lead, (text[0], "bold")]), *(_line("", [(line, "bold")]) for line in text[1:])]


def _ways(actions: Sequence[Action], width: int, height: int) -> list[Content]:
    """Return a line for each key that leads on from here."""
    rows = [("D", "back, to answer"), *((action.main_key, action.help) for action in actions)][:height]
    wide = max((cell_len(key) for key, _ in rows), default=0) + 2
    return [
        Content.assemble((key.ljust(wide), "bold $command"), (text, "$quiet")).truncate(width, ellipsis=True)
        for key, text in rows
    ]
