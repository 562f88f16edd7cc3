"""The classes, asked for once at the first start; none is fine, new ones come on the way."""

from __future__ import annotations

import re

from textual import events
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Input, Static

from labeler.core.errors import LabelerError, NotSaved
from labeler.core.text import display_safe
from labeler.ui.forms.base import Form
from labeler.ui.keys import Typed
from labeler.ui.widgets.legend import legend
from labeler.ui.widgets.line import Block, Line


def names_in(text: str) -> list[str]:
    """The class names in what was typed or pasted: one a line, or separated by commas; each once, in order."""
    # what lists are written and spreadsheets pasted with
    names = (name.strip() for name in re.split(r"[,;\n\r\t]", text))
    return list(dict.fromkeys(name for name in names if name))


class _Names(Input):
    """An input that takes pasted lines as a list."""

    def _on_paste(self, event: events.Paste) -> None:
        event.stop()
        event.prevent_default()
        self.insert_text_at_cursor(", ".join(names_in(event.text)))


class ClassSetup(Form[None]):
    """Type names, see the keys they get; an empty line starts labeling."""

    def compose(self) -> ComposeResult:
        """Words, input, the legend as it grows, and a sign of life from behind."""
        with Vertical(classes="page"):
            yield Static("which classes are there?", classes="title", markup=False)
            yield Static(
                "Type the names with commas between, then ⏎. Or one a line; an empty line begins.\n"
                "Each gets a key. None yet? Leave it empty: N adds a class at any moment.",
                classes="explanation",
                markup=False,
            )
            yield _Names(placeholder="cat, dog, bird", id="names")
            yield Line(id="setup-folders")
            yield Line(id="setup-note")
            yield Block(id="setup-legend")
        yield Line(id="message")
        yield Static(self._keys(), classes="hint", markup=False)

    def on_mount(self) -> None:
        """Ready to type."""
        self.set_focus(self.query_one(Input))
        # a folder whose name holds a comma would come back as two classes
        self._folders = [name for name in self.labeler.project.instances.folder_classes() if names_in(name) == [name]]
        self._draw()
        self.draw_message()

    def typed_into(self) -> Widget:
        """The names."""
        return self.query_one(Input)

    async def submit(self) -> None:
        """Add what was typed; nothing typed: begin."""
        field = self.query_one(Input)
        names = names_in(field.value)
        if not names:
            await self.finish(None)
            return
        listed = "," in field.value
        left = self._add(names)
        if listed and not left:  # a list is complete; single names may go on
            await self.finish(None)
            return
        # names that were refused stay in the line, to be mended
        field.value = ", ".join(left)
        field.cursor_position = len(field.value)
        self._draw()

    async def cancel(self) -> None:
        """Begin without what is in the line."""
        await self.finish(None)

    async def other(self, key: str) -> bool:
        """``tab`` takes the offered names into the line, to be changed or confirmed."""
        if key != "tab" or not self._folders:
            return key == "tab"
        field = self.query_one(Input)
        field.value = ", ".join(dict.fromkeys([*names_in(field.value), *self._folders]))
        field.cursor_position = len(field.value)
        return True

    def _add(self, names: list[str]) -> list[str]:
        """Add the classes; returns the names that could not be, with the reason on the screen."""
        project, left, why = self.labeler.project, [], ""
        for name in names:
            try:
                project.session.classes.id_for(name, setup=True)
            except NotSaved as error:
                left.append(name)
                why = f"NOT saved: {error.message} (⏎ tries again)"
            except LabelerError as error:
                left.append(name)
                why = f"{error.message}: {error.hint}"
        self.query_one("#setup-note", Line).show(lambda width: Content.styled(display_safe(why), "bold $warn"))
        self.labeler.view = project.view()
        project.engine.changed()
        return left

    def _draw(self) -> None:
        if self._folders:
            shown = display_safe(", ".join(self._folders), 400)
            offer = Content.assemble(
                ("tab ", "bold $command"), (f"takes the names of the sub-folders: {shown}", "$quiet")
            )
            self.query_one("#setup-folders", Line).show(lambda width: offer)
        classes = self.labeler.project.view().classes
        if classes:
            self.query_one("#setup-legend", Block).show(lambda width, height: legend(classes, Typed(), width, height))

    def draw_message(self) -> None:
        """Say what is being prepared meanwhile."""
        if self.is_mounted:
            self.query_one("#message", Line).show(lambda width: self.labeler.status.line())

    def _keys(self) -> Content:
        return Content.assemble(
            ("⏎ ", "bold $command"), ("adds the name; after a list or on an empty line it begins   ", "$quiet"),
            ("ctrl+q ", "bold $command"), ("quit", "$quiet"),
        )  # fmt: skip
