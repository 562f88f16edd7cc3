"""Every key, made from the table."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from labeler.ui.actions import ANSWERING, Place, key_name, on
from labeler.ui.forms.base import Form

_SCROLLS = {"up": -1, "down": 1, "pageup": -10, "pagedown": 10, "home": -10_000, "end": 10_000}

_MOVES = {
    Place.QUESTION: "choose another guess to accept; move over a zoomed picture",
    Place.SHEET: "move over the sheet",
    Place.GRID: "move over the page",
    Place.ALIKE: "move over the page",
    Place.CLUSTERS: "move over the clusters and their pictures",
    Place.WHY: "move over the answers",
    Place.SEARCH: "move over what was found",
    Place.ODD: "move over the odd ones",
    Place.HUNT: "move over the pictures",
    Place.CLASSES: "choose a class",
    Place.SPLIT: "move over the labels",
    Place.CHOOSE_K: "choose a number of clusters",
    Place.AUDIT_PAGES: "move over the page",
}

_CLASS_KEYS = dict.fromkeys(ANSWERING, "give the picture the class of that key (see the legend)")
_CLASS_KEYS[Place.AUDIT_PAGES] = "a class: what the picture at the cursor is; a letter above a picture: not this"
_CLASS_KEYS[Place.CLASSES] = "go to the class of that key"

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

    def __init__(self, place: Place) -> None:
        super().__init__()
        self._place = place

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
        rows = [("0-9 a-z", _CLASS_KEYS[self._place])] if self._place in _CLASS_KEYS else []
        rows += [(action.shown_keys, action.help) for action in on(self._place) if not action.repeats]
        arrows = " ".join(action.main_key for action in on(self._place) if action.repeats)
        if arrows:
            rows.insert(2, (arrows, _MOVES[self._place]))
        wide = max(len(keys) for keys, _ in rows) + 2
        lines = [Content.assemble((keys.ljust(wide), "bold $command"), text) for keys, text in rows]
        return Content("\n").join(lines)

    def _back(self) -> Content:
        return Content.assemble(
            ("? ", "bold $command"), ("or ", "$quiet"), (f"{key_name('enter')} ", "bold $command"),
            ("back to the pictures   ", "$quiet"), ("↑ ↓ ", "bold $command"), ("scroll", "$quiet"),
        )  # fmt: skip

    async def submit(self) -> None:
        """Back."""
        await self.finish(None)

    async def other(self, key: str) -> bool:
        """Scroll or go back."""
        if key in _SCROLLS:
            self.query_one(VerticalScroll).scroll_relative(y=_SCROLLS[key], animate=False)
        elif key in ("?", "q", "Q", "space", "backspace"):
            await self.finish(None)
        return True
