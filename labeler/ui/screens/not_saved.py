"""An answer could not be written: say so until the person decides; the key is kept."""

from __future__ import annotations

from collections.abc import Callable

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Static

from labeler.display import display_safe
from labeler.errors import NotSaved
from labeler.ui.screens.form import Form


class Unsaved(Form[bool | None]):
    """True = try again, None = give the key up."""

    def __init__(self, then: Callable[[bool | None], None], error: NotSaved, dropped: int) -> None:
        super().__init__(then)
        self._error, self._dropped = error, dropped

    def compose(self) -> ComposeResult:
        """What happened, what can be done."""
        lines: list[Content | str] = [Content.styled(display_safe(self._error.message, 300), "bold")]
        if self._error.hint:
            lines += ["\n", display_safe(self._error.hint, 300)]
        lines += ["\n\nEverything before it is on disk. This key is kept and nothing else changed."]
        if self._dropped:
            keys = "1 key" if self._dropped == 1 else f"{self._dropped} keys"
            lines += [f"\n{keys} typed after it: ignored."]
        lines += [
            "\n\n",
            Content.assemble(
                ("⏎ ", "bold $command"),
                ("try again   ", "$quiet"),
                ("esc ", "bold $command"),
                ("give this key up   ", "$quiet"),
                ("ctrl+q ", "bold $command"),
                ("quit", "$quiet"),
            ),
        ]
        with Vertical(classes="dialog alarm"):
            yield Static("NOT saved", classes="title", markup=False)
            yield Static(Content.assemble(*lines), markup=False)

    async def submit(self) -> None:
        """Try again."""
        await self.finish(True)
