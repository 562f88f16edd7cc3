"""A key press to the next painted question, in the application as ``labeler label`` opens it, without a terminal."""

from __future__ import annotations

import asyncio
import contextlib
import io
import os
import re
import sys
import time
from pathlib import Path
from typing import Any

from textual import events
from textual.app import App

from tests.walks.walk import Walk

QUESTION = re.compile(r"\S+ · \d+×\d+")
"""The path and size of an image: its drawing is there."""
FIRST, COUNTED = 8, 15
"""Answers before any is counted, and how many are."""
REST = 0.5
"""Seconds between keys, in which what the worker sent is taken in."""
PATIENCE = 120.0
Entered = set[tuple[str, str, int]]


def pressed(project: Path, walk: Walk) -> list[Entered]:
    """The functions that each of some keys enters, on the demo's classes."""
    keys: list[Entered] = []

    def run(app: App[Any], **_: Any) -> None:
        asyncio.run(_drive(app, walk, keys))

    os.environ["TEXTUAL_DRIVER"] = "textual.drivers.headless_driver:HeadlessDriver"
    whole, App.run = App.run, run  # type: ignore[method-assign, assignment]
    sys.argv = ["labeler", "--quiet", "label", str(project)]
    try:
        with walk, contextlib.suppress(SystemExit), contextlib.redirect_stdout(io.StringIO()):
            from labeler.__main__ import main

            main()
    finally:
        App.run = whole  # type: ignore[method-assign]
    return keys


async def _drive(app: App[Any], walk: Walk, keys: list[Entered]) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        answers = int((await _painted(app, r"([\d,]+) answer"))[1].replace(",", ""))
        for press in range(FIRST + COUNTED):
            await asyncio.sleep(REST)
            await pilot.pause()
            walk.clear()
            key = "0123456789"[press * 7 % 10]
            app.post_message(events.Key(key, key))
            answers += 1
            await _painted(app, rf"\b({answers:,}) answer")
            if press >= FIRST:
                keys.append(set(walk.functions))


async def _painted(app: App[Any], counter: str) -> re.Match[str]:
    """Wait until the screen holds the counter and a question; looking is no part of the walk."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        noting = sys.getprofile()
        sys.setprofile(None)
        text = _text(app)
        sys.setprofile(noting)
        match = re.search(counter, text)
        if match and QUESTION.search(text):
            return match
        await asyncio.sleep(0.001)
    raise TimeoutError(f"no question was painted with {counter}:\n{text}")


def _text(app: App[Any]) -> str:
    lines = app.screen._compositor.render_strips()
    return "\n".join("".join(segment.text for segment in line) for line in lines)
