"""Draw the pictures of README and docs: the application on the demo's digits, without a terminal.

    python docs/make_screenshots.py [--png]

writes docs/images/*.svg (and .png with --png, which needs cairosvg). The same digits, answers and engine give the
same pictures: the round is computed here instead of in the worker, whose timing would show.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from functools import partial
from html import escape
from pathlib import Path
from typing import Any

from rich.cells import cell_len
from rich.color import Color
from rich.segment import Segment
from textual import events

from labeler.core.types import Progress
from labeler.project.reply import PendingReply

IMAGES = Path(__file__).parent / "images"
CELL_WIDTH, CELL_HEIGHT, MARGIN, BAR = 9.6, 20.0, 14.0, 30.0
FONT = "'DejaVu Sans Mono', ui-monospace, Menlo, Consolas, monospace"
BLOCKS = {"▀": (0.0, 0.0, 1.0, 0.5), "█": (0.0, 0.0, 1.0, 1.0), "▌": (0.0, 0.0, 0.5, 1.0), "▐": (0.5, 0.0, 0.5, 1.0)}
BLOCKS |= {char: (0.0, 0.0, eighths / 8, 1.0) for eighths, char in enumerate("▏▎▍▌▋▊▉", start=1)}
BLOCKS |= {char: (0.0, 1 - eighths / 8, 1.0, eighths / 8) for eighths, char in enumerate("▁▂▃▄▅▆▇", start=1)}
THIN = 0.08
LINES = {"─": "lr", "│": "tb", "╭": "rb", "╮": "lb", "╰": "rt", "╯": "lt", "┤": "ltb", "└": "rt"}
"""Box characters, by the sides of the cell that their lines lead to."""
DRAWN = BLOCKS.keys() | LINES.keys()


def svg(rows: list[list[Segment]], columns: int, title: str) -> str:
    """The screen as SVG; block characters become rectangles, so that no font leaves gaps between them."""
    width, height = columns * CELL_WIDTH + 2 * MARGIN, len(rows) * CELL_HEIGHT + MARGIN + BAR
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" width="{width:g}">',
        f"<title>{escape(title)}</title>",
        f'<rect width="{width:g}" height="{height:g}" rx="8" fill="#121416"/>',
        *(f'<circle cx="{20 + 18 * n}" cy="15" r="5" fill="{c}"/>' for n, c in enumerate(("#e66", "#eb5", "#6b6"))),
        f'<g font-family="{FONT}" font-size="16" shape-rendering="crispEdges">',
    ]
    texts: list[str] = []  # behind the rectangles of all rows, so that nothing covers a letter
    for row, segments in enumerate(rows):
        column = 0
        for segment in segments:
            wide = cell_len(segment.text)
            for part in _run(segment, MARGIN + column * CELL_WIDTH, BAR + row * CELL_HEIGHT, wide):
                (texts if part.startswith("<text") else parts).append(part)
            column += wide
    return "\n".join([*parts, *texts, "</g>", "</svg>", ""])


def _run(segment: Segment, x: float, y: float, wide: int) -> list[str]:
    style = segment.style
    front, back = (style.color, style.bgcolor) if style else (None, None)
    if style and style.reverse:
        front, back = back, front
    parts = []
    if back is not None and not back.is_default:
        parts.append(_rect(x, y, wide * CELL_WIDTH, CELL_HEIGHT, back))
    color = _hex(front) if front is not None and not front.is_default else "#d7dce5"
    if segment.text.strip():
        for word, start in _words(segment.text):
            if front is not None and word[0] in DRAWN:
                for offset, char in enumerate(word):
                    parts += _drawn(char, x + (start + offset) * CELL_WIDTH, y, front)
                continue
            weight = ' font-weight="bold"' if style and style.bold else ""
            length = cell_len(word) * CELL_WIDTH
            parts.append(
                f'<text x="{x + start * CELL_WIDTH:g}" y="{y + 15:g}" fill="{color}"{weight} '
                f'textLength="{length:g}" lengthAdjust="spacingAndGlyphs">{escape(word)}</text>'
            )
    return parts


def _drawn(char: str, x: float, y: float, color: Color) -> list[str]:
    """A block or a line of a box as rectangles."""
    if char in BLOCKS:
        left, top, wide, high = BLOCKS[char]
        return [_rect(x + left * CELL_WIDTH, y + top * CELL_HEIGHT, wide * CELL_WIDTH, high * CELL_HEIGHT, color)]
    thin, middle, center = THIN * CELL_HEIGHT, y + CELL_HEIGHT / 2, x + CELL_WIDTH / 2
    found = []
    for side in LINES[char]:
        if side in "lr":
            start = x if side == "l" else center - thin / 2
            found.append(_rect(start, middle - thin / 2, CELL_WIDTH / 2 + thin / 2, thin, color))
        else:
            start = y if side == "t" else middle - thin / 2
            found.append(_rect(center - thin / 2, start, thin, CELL_HEIGHT / 2 + thin / 2, color))
    return found


def _words(text: str) -> list[tuple[str, int]]:
    """Words with the column each begins in; what is drawn stands apart from what is written."""
    column, found = 0, []
    for kind, group in itertools.groupby(text, lambda char: None if char == " " else char in DRAWN):
        word = "".join(group)
        if kind is not None:
            found.append((word, column))
        column += cell_len(word)
    return found


def _rect(x: float, y: float, width: float, height: float, color: Color) -> str:
    return f'<rect x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" fill="{_hex(color)}"/>'


def _hex(color: Color) -> str:
    return color.get_truecolor().hex


async def draw() -> dict[str, str]:
    """The pictures by name."""
    from labeler.project.open import open_demo
    from labeler.ui.app import LabelerApp

    pictures: dict[str, str] = {}
    with open_demo() as project:
        project.engine.start = lambda post: None  # type: ignore[method-assign]
        ticks, numbers = itertools.count(1_700_000_000.0, 2.0), itertools.count(1)
        project.session.recorder.clock, project.session.recorder.new_id = (
            lambda: next(ticks),
            lambda: f"{next(numbers):032x}",
        )
        project.closing_round()
        app = LabelerApp(project)
        async with app.run_test(size=(100, 30)) as pilot:

            async def press(*keys: str) -> None:
                for key in keys:
                    app.post_message(events.Key(key, " " if key == "space" else key if len(key) == 1 else None))
                    while True:
                        await pilot.pause(0.02)
                        if app.line.idle:
                            break
                await pilot.pause(0.2)

            def take(name: str, title: str) -> None:
                rows = [list(strip) for strip in app.screen._compositor.render_strips()]
                pictures[name] = svg(rows, app.size.width, title)

            await pilot.pause(0.5)
            truth = project.truth or {}
            await press("R")
            for _ in range(9):
                await press(truth[app.screen.target().instance_id])
            take("contact-sheet", "labeler: the contact sheet of the representatives")
            await press("R")
            for _ in range(5):
                await press(truth[app.screen.target().instance_id])
            project.closing_round()
            await press(truth[app.screen.target().instance_id])
            take("question", "labeler: one picture, one key")
            pipeline = project.open_pipeline()
            while app.view.answers < 60:
                await press(truth[app.screen.target().instance_id])
                if app.view.answers % 3 == 0:
                    project.session.merge_round(pipeline.closing_round(project.session.snapshot()))

            for _ in pipeline.round(project.session.snapshot()):
                pass
            project.engine.is_ready = True
            project.engine.request = partial(at_once, project, pipeline)  # type: ignore[method-assign]
            await press("G", "right", "X")
            take("grid", "labeler: a page of one class to confirm at a glance")
            await press("G", "D")
            take("dashboard", "labeler: how far it is, and what pays next")
            await press("D", "T", "O")
            take("clusters", "labeler: what each cluster holds, and how far its labels spread")
            await press("T", "C", "3", "X", "5", "M", "8")
            take("classes", "labeler: the table of classes, one about to be merged")
            await press("M", "ctrl+z", "1", "S", "X", "right", "right", "X")
            take("split", "labeler: labels of one class that go to a new one")
            await press("S", "C")
            await second_looks(app, project, pipeline, press, take)
            await found(app, project, pipeline, press, take)
            await numbers_of_clusters(app, project, pipeline, press, take)
            await press("?")
            take("help", "labeler: every key")
    return pictures


def at_once(project: Any, pipeline: Any, method: Any, *args: Any, **kwargs: Any) -> PendingReply[Any]:
    """Answer a request here, in place of a worker."""
    pending: PendingReply[Any] = PendingReply()
    if method.__name__ == "closing":  # it would be another round than the one that is drawn
        return pending
    owner = pipeline if hasattr(pipeline, method.__name__) else pipeline.engine
    result = getattr(owner, method.__name__)(project.session.snapshot(), *args, **kwargs)
    is_job = isinstance(result, Iterator)
    results = [step for step in result if not isinstance(step, Progress)] if is_job else [result]
    pending.put(results[-1], is_last=True)
    return pending


async def second_looks(app: Any, project: Any, pipeline: Any, press: Any, take: Any) -> None:
    """Two answers go wrong, as to every person; the engine doubts them."""
    truth = project.truth or {}
    for wrong in (False, False, True, False, True):
        right = int(truth[app.screen.target().instance_id])
        await press(str((right + 3) % 10 if wrong else right))
    project.closing_round()
    app.view = project.view()

    await press("I")
    take("why", "labeler: the answers that carry a label")
    await press("I", "S")
    take("second-look", "labeler: an answer the engine doubts")
    await press("S")


async def found(app: Any, project: Any, pipeline: Any, press: Any, take: Any) -> None:
    """Search, and what is like one that was found."""
    await press("/", *"class:8", "space", *"open", "enter")
    take("search", "labeler: eights that nobody has looked at")
    await press("8", "M", "right", "right", "X")
    take("more-like-this", "labeler: the nearest of a kind")
    await press("M", "/")


async def numbers_of_clusters(app: Any, project: Any, pipeline: Any, press: Any, take: Any) -> None:
    """Numbers of clusters side by side, as the worker compares them."""
    await press("K")
    take("choose-k", "labeler: how many clusters")
    await press("K")


def main() -> None:
    """Write the pictures."""
    os.environ["COLORTERM"] = "truecolor"
    os.environ["TZ"] = "UTC"
    time.tzset()
    os.environ.pop("NO_COLOR", None)
    with tempfile.TemporaryDirectory() as folder:
        os.environ["XDG_DATA_HOME"] = folder
        pictures = asyncio.run(draw())
    IMAGES.mkdir(exist_ok=True)
    for name, text in pictures.items():
        (IMAGES / f"{name}.svg").write_text(text)
        if "--png" in sys.argv:
            import cairosvg

            cairosvg.svg2png(bytestring=text.encode(), write_to=str(IMAGES / f"{name}.png"), scale=1.25)


if __name__ == "__main__":
    main()
