"""The first frame: what is being opened, before there is anything of it to show."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from textual.content import Content
from textual.widget import Widget

from labeler.core.text import display_safe

if TYPE_CHECKING:
    from labeler.project.opener import Opener

A_WHILE = 2.0
"""Seconds after which it is said how long it takes."""


class FirstFrame(Widget):
    """The whole screen while a project is opened: a header like every screen's, what is done, and the way out."""

    DEFAULT_CSS = "FirstFrame { width: 1fr; height: 1fr; }"

    def __init__(self, opener: Opener) -> None:
        super().__init__(markup=False)
        self._opener = opener
        self._words = self._what()

    def look(self) -> None:
        """Draw anew where something else is done than before."""
        if self._words != (words := self._what()):
            self._words = words
            self.refresh()

    def render(self) -> Content:
        """The lines for the present size."""
        width, height = self.size
        name = display_safe(self._opener.name, 60)
        header = Content.assemble((" labeler ", "bold $command"), (name, "bold"))
        footer = Content.assemble((" ctrl+c ", "bold $command"), "leave")
        above = [_bar(header, width), *[Content("")] * ((height - 4) // 2)]
        words = [Content.styled(line, "$quiet").center(width) for line in self._words]
        below = [Content("")] * max(height - len(above) - len(words) - 1, 0)
        return Content("\n").join([*above, *words, *below, _bar(footer, width)])

    def _what(self) -> list[str]:
        opener, step = self._opener, self._opener.step
        took = time.monotonic() - opener.began if opener.began else 0.0
        words = [f"opening {display_safe(opener.name, 60)}{f' · {took:.0f} s' if took >= A_WHILE else ''}"]
        if step is not None:
            words.append(
                f"{display_safe(step.what, 60)}{f': {step.done:,} of {step.total:,}' if step.total > 1 else ''}"
            )
        return words


def _bar(text: Content, width: int) -> Content:
    return text.truncate(width, ellipsis=True, pad=True).stylize_before("on $surface")
