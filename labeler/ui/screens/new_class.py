"""Name a new class; it is added and answers the question that waits below."""

from __future__ import annotations

from collections.abc import Callable

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Input, Static

from labeler.display import display_safe
from labeler.session.keys import assign_key
from labeler.ui.screens.form import Form


class NewClass(Form[str | None]):
    """One name; the key it will get is shown while it is typed."""

    def __init__(self, then: Callable[[str | None], None], *, answers: bool) -> None:
        super().__init__(then)
        self._answers = answers

    def compose(self) -> ComposeResult:
        """Title, input, what will happen."""
        with Vertical(classes="dialog"):
            yield Static("new class", classes="title", markup=False)
            yield Input(placeholder="its name", max_length=200, id="name")
            yield Static(id="preview", markup=False)

    def on_mount(self) -> None:
        """Ready to type."""
        self.set_focus(self.query_one(Input))
        self._preview("")

    def on_input_changed(self, event: Input.Changed) -> None:
        """Show the key the class will have."""
        self._preview(event.value)

    def _preview(self, name: str) -> None:
        session = self.labeler.project.session
        name = name.strip()
        does = "adds it and answers the question" if self._answers else "adds it"
        found = session.class_named(name)
        said = Content("")
        if found is not None:
            said = Content.assemble(("there already, key ", "$quiet"), (found.key or "none", "bold $answer"))
            does = "answers with it" if self._answers else "leaves it as it is"
        elif name:
            taken = {info.key for info in session.state.classes.values() if info.key}
            key = assign_key(name, taken, session.key_layout)
            said = Content.assemble(
                (f"{display_safe(name, 40)} gets the key ", "$quiet"), (key or "none: type its name", "bold $answer")
            )
        keys = Content.assemble(
            ("⏎ ", "bold $command"), (does, "$quiet"), ("   esc ", "bold $command"), ("back", "$quiet")
        )
        self.query_one("#preview", Static).update(Content.assemble(said, "\n", keys))

    def typed_into(self) -> Widget:
        """The name."""
        return self.query_one(Input)

    async def submit(self) -> None:
        """Hand the name over."""
        await self.finish(self.query_one(Input).value.strip() or None)
