"""The search line: what is looked for, how many fit, what can be typed."""

from __future__ import annotations

from collections.abc import Callable

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Input, Static

from labeler.core.text import counted, display_safe
from labeler.session.search import GUIDE, Found, find, folded
from labeler.ui.forms.base import Form
from labeler.ui.widgets.line import Block

Result = tuple[str, list[int]]


class SearchFor(Form[Result | None]):
    """A line for what is looked for; how many fit is said while it is typed, and below it what can be typed."""

    def __init__(self, then: Callable[[Result | None], None], query: str) -> None:
        super().__init__(then)
        self._query = query
        self._texts: list[str] = []
        self._matches = Found([])

    def compose(self) -> ComposeResult:
        """Title, input, what fits, what can be typed."""
        with Vertical(classes="dialog", id="search-form"):
            yield Static("search", classes="title", markup=False)
            yield Input(self._query, placeholder="words of the path, class:7, flagged ...", select_on_focus=True)
            yield Static(id="preview", markup=False)
            yield Block(id="guide")

    def on_mount(self) -> None:
        """Ready to type."""
        # once for the form: the paths of a large pool take a moment to fold
        self._texts = folded(self.labeler.project.session.pool.ids)
        self.set_focus(self.query_one(Input))
        self.query_one("#guide", Block).show(_guide)
        self._look(self._query)

    def on_input_changed(self, event: Input.Changed) -> None:
        """Count what fits."""
        self._look(event.value)

    def _look(self, query: str) -> None:
        self._matches = find(query, self.labeler.project.session, self._texts)
        number, noun = len(self._matches.indices), self.labeler.project.session.pool.noun
        text = self._matches.trouble or ("nothing fits" if not number else counted(number, noun))
        look = (("⏎ ", "bold $command"), ("look at them   ", "$quiet")) if number else ()
        keys = Content.assemble(*look, ("esc ", "bold $command"), ("back", "$quiet"))
        style = "bold $answer" if number else "bold $warn"
        self.query_one("#preview", Static).update(Content.assemble((display_safe(text, 200), style), "\n", keys))

    def typed_into(self) -> Widget:
        """The query."""
        return self.query_one(Input)

    async def submit(self) -> None:
        """Hand over what was found; with nothing found the line stays."""
        query = self.query_one(Input).value
        # typed so fast that the input has not told of it yet
        self._look(query)
        # else the line stays, with what is wrong beneath it
        if self._matches.indices:
            await self.finish((query.strip(), self._matches.indices))


def _guide(width: int, height: int) -> Content:
    wide = max(len(example) for example, _ in GUIDE) + 2 if width >= 90 else 0
    lines = []
    for example, meaning in GUIDE:
        line = Content.assemble((example.ljust(wide) if wide else f"{example}  ", "bold $answer"), (meaning, "$quiet"))
        lines.append(line.truncate(max(width, 1), ellipsis=True))
    return Content("\n").join(lines[: max(height, 0)])
