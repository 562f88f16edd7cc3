"""A form for the percentile: the share of a cluster that the label of its representative spreads to."""

from __future__ import annotations

from collections.abc import Callable

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Input, Static

from labeler.ui.forms.base import Form

# twenty presses from end to end
STEP = 5.0


class Percentile(Form[float | str | None]):
    """A number from 0 to 100, or ``auto``; the arrows move it."""

    def __init__(self, then: Callable[[float | str | None], None], current: float | None) -> None:
        super().__init__(then)
        self._current = current

    def compose(self) -> ComposeResult:
        """Title, what it means, input."""
        with Vertical(classes="dialog"):
            yield Static("percentile", classes="title", markup=False)
            yield Static(
                "A representative's label spreads to this share of its cluster, nearest first.\n"
                "0 = representatives alone, 100 = whole clusters, auto = as far as it is safe.",
                markup=False,
                classes="explanation",
            )
            shown = "auto" if self._current is None else f"{self._current:g}"
            yield Input(shown, max_length=8, id="percent", select_on_focus=True)
            yield Static(id="preview", markup=False)

    def on_mount(self) -> None:
        """Ready to type."""
        self.set_focus(self.query_one(Input))
        self._explain("")

    def typed_into(self) -> Widget:
        """The number."""
        return self.query_one(Input)

    async def other(self, key: str) -> bool:
        """The arrows move the number."""
        if key not in ("up", "down"):
            return False
        value = self._value()
        # from auto or from what is no number the arrows begin at a usual one
        number = value if isinstance(value, float) else 20.0
        if isinstance(value, float):
            number += STEP if key == "up" else -STEP
        self.query_one(Input).value = f"{min(max(number, 0.0), 100.0):g}"
        self._explain("")
        return True

    async def submit(self) -> None:
        """Set it, if it is a number that can be."""
        value = self._value()
        if value is None:
            self._explain("a number from 0 to 100, or auto")
        else:
            await self.finish(value)

    def _value(self) -> float | str | None:
        text = self.query_one(Input).value.strip().rstrip("%").strip().lower()
        if text == "auto":
            return "auto"
        try:
            # a comma is the decimal point of half the world
            number = float(text.replace(",", "."))
        except ValueError:
            return None
        return number if 0 <= number <= 100 else None

    def _explain(self, trouble: str) -> None:
        keys = Content.assemble(
            ("⏎ ", "bold $command"), ("set   ", "$quiet"),
            ("↑ ↓ ", "bold $command"), ("5 more, less   ", "$quiet"),
            ("esc ", "bold $command"), ("back", "$quiet"),
        )  # fmt: skip
        self.query_one("#preview", Static).update(Content.assemble((trouble, "bold $warn"), "\n", keys))
