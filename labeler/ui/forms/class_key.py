"""Give a class another key: press it."""

from __future__ import annotations

from collections.abc import Callable

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Static

from labeler.core.text import display_safe
from labeler.core.types import ClassInfo
from labeler.session.keys import COMMAND_LETTERS, can_answer
from labeler.ui.forms.base import Form
from labeler.ui.keys import unshifted


class ClassKey(Form[str | None]):
    """A free key is taken at once; one that means something already asks for ``enter`` first."""

    def __init__(self, then: Callable[[str | None], None], info: ClassInfo) -> None:
        super().__init__(then)
        self._info = info
        self._wanted = ""

    def compose(self) -> ComposeResult:
        """Title, what to press, what it means."""
        name, key = display_safe(self._info.name, 40), self._info.key or "none"
        with Vertical(classes="dialog"):
            yield Static(f"key of {name}", classes="title", markup=False)
            words = Content.assemble(("its key is ", "$quiet"), (key, "bold $answer"), (": press another", "$quiet"))
            yield Static(words, markup=False)
            yield Static(id="preview", markup=False)

    def on_mount(self) -> None:
        """Say what can be pressed; nothing is yet."""
        self._say(Content.styled("a digit or a small letter", "$quiet"))

    async def submit(self) -> None:
        """Take the key that was asked about."""
        await self.finish(self._wanted or None)

    async def other(self, key: str) -> bool:
        """The key, if it can be one."""
        key = unshifted(key, self.labeler.layout)
        session = self.labeler.project.session
        holder = next((info for info in session.state.active_classes() if info.key == key), None)
        self._wanted = ""
        if not can_answer(key, self.labeler.layout):
            self._say(Content.styled("only a digit or a small letter answers a class", "bold $warn"))
        elif holder is not None and holder.class_id != self._info.class_id:
            other, own = display_safe(holder.name, 30), self._info.key
            then = f"; it gets {own} instead" if own else "; it is left without one"
            self._ask(key, Content.assemble((key, "bold $answer"), (f" is the key of {other}{then}", "$warn")))
        # allowed, but the command is then reached by its capital alone
        elif key in COMMAND_LETTERS and key != self._info.key:
            self._ask(key, Content.assemble((key, "bold $answer"), (" is a command: as a key it answers", "$warn")))
        else:
            await self.finish(key)
        return True

    def _ask(self, key: str, text: Content) -> None:
        self._wanted = key
        self._say(text)

    def _say(self, text: Content) -> None:
        does = ("⏎ ", "bold $command"), ("takes it   ", "$quiet")
        keys = Content.assemble(*(does if self._wanted else ()), ("esc ", "bold $command"), ("back", "$quiet"))
        self.query_one("#preview", Static).update(Content.assemble(text, "\n", keys))
