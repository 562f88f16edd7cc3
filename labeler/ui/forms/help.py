"""Every key, made from the table."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from labeler.ui.actions import key_name
from labeler.ui.forms.base import Form
from labeler.ui.screens.base import LabelScreen

# lines; 10,000 are more than there are
_SCROLLS = {"up": -1, "down": 1, "pageup": -10, "pagedown": 10, "home": -10_000, "end": 10_000}

_ANSWERS = "give the picture the class of that key (see the legend)"

_WORDS = (
    "One key labels the picture, saves it and brings the next one. An answer belongs to the picture that was on the "
    "screen when its turn came; you may type ahead.",
    "Small letters and digits are answers: the legend shows which. Capitals are commands. The small letters a x u f "
    "mean their capital until a class owns them.",
    "More classes than keys? Type the beginning of a name, ⏎ takes the first.",
    "The chain in the line below the picture: each representative stands for a cluster; its label spreads to the "
    "closest part of the cluster (P); a classifier learns from both; then the most uncertain are asked.",
)


class Help(Form[None]):
    """A page to read; any of its keys leads back to the same question."""

    def __init__(self, screen: type[LabelScreen]) -> None:
        super().__init__()
        self._screen_class = screen

    def compose(self) -> ComposeResult:
        """The table and a few words."""
        with VerticalScroll(classes="page", can_focus=False):
            yield Static("keys", classes="title", markup=False)
            yield Static(self._keys(), markup=False, id="keys-table")
            yield Static("how it works", classes="title", markup=False)
            for words in _WORDS:
                yield Static(words, classes="explanation", markup=False)
        yield Static(self._back(), classes="hint", markup=False)

    def _keys(self) -> Content:
        keys, class_keys = self._screen_class.KEYS, self._screen_class.CLASS_KEYS
        answers = class_keys or (_ANSWERS if keys.answers else "")
        rows = [("0-9 a-z", answers)] if answers else []
        rows += [(action.shown_keys, action.help) for action in keys if not action.repeats]
        arrows = " ".join(action.main_key for action in keys if action.repeats)
        if arrows:
            # below what answers, and as one line: arrows are no commands to remember one by one
            rows.insert(2, (arrows, self._screen_class.MOVES or "move"))
        wide = max(len(keys) for keys, _ in rows) + 2
        lines = [Content.assemble((keys.ljust(wide), "bold $command"), text) for keys, text in rows]
        return Content("\n").join(lines)

    def _back(self) -> Content:
        return Content.assemble(
            ("? ", "bold $command"), ("or ", "$quiet"), (f"{key_name('enter')} ", "bold $command"),
            ("back to the pictures   ", "$quiet"), ("↑ ↓ ", "bold $command"), ("scroll", "$quiet"),
        )  # fmt: skip

    async def submit(self) -> None:
        """Go back to the pictures."""
        await self.finish(None)

    async def other(self, key: str) -> bool:
        """Scroll or go back."""
        if key in _SCROLLS:
            self.query_one(VerticalScroll).scroll_relative(y=_SCROLLS[key], animate=False)
        # whatever people press to leave a page: nothing is answered or ended here
        elif key in ("?", "q", "Q", "space", "backspace"):
            await self.finish(None)
        return True
