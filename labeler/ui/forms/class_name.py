"""Name a class: a new one (it is added and answers the question that waits below), one to rename, one split off."""

from __future__ import annotations

from collections.abc import Callable

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Input, Static

from labeler.core.text import counted, display_safe
from labeler.core.types import ClassInfo
from labeler.session.keys import assign_key
from labeler.session.session import Session
from labeler.ui.forms.base import Form


class NameForm(Form[str | None]):
    """One name; what it will lead to is shown while it is typed."""

    def __init__(self, then: Callable[[str | None], None], title: str, present: str = "") -> None:
        super().__init__(then)
        self._title, self._present = title, display_safe(present, 200)
        self._value = present if self._present == present else ""  # an input draws what it holds as it is

    def says(self, name: str) -> tuple[Content, str]:
        """Return what there is to say of `name`, and what ``enter`` does with it."""
        raise NotImplementedError

    @property
    def session(self) -> Session:
        """The session whose classes they are."""
        return self.labeler.project.session

    def compose(self) -> ComposeResult:
        """Title, input, what will happen."""
        with Vertical(classes="dialog"):
            yield Static(self._title, classes="title", markup=False)
            shown = self._present or "its name"
            # 200 characters are the longest name that is accepted
            yield Input(self._value, placeholder=shown, max_length=200, id="name", select_on_focus=True)
            yield Static(id="preview", markup=False)

    def on_mount(self) -> None:
        """Ready to type."""
        self.set_focus(self.query_one(Input))
        self._preview(self._value)

    def on_input_changed(self, event: Input.Changed) -> None:
        """Show what it leads to."""
        self._preview(event.value)

    def _preview(self, name: str) -> None:
        text, does = self.says(name.strip())
        keys = Content.assemble(
            ("⏎ ", "bold $command"), (does, "$quiet"), ("   esc ", "bold $command"), ("back", "$quiet")
        )
        self.query_one("#preview", Static).update(Content.assemble(text, "\n", keys))

    def key_for(self, name: str) -> Content:
        """The key a class of that name will get."""
        taken = {info.key for info in self.session.state.active_classes() if info.key}
        key = assign_key(name, taken, self.session.classes.key_layout)
        retired = any(info.name == name for info in self.session.state.classes.values() if is_asleep(info))
        back = " (C brings the retired one back)" if retired else ""
        return Content.assemble(
            (f"{display_safe(name, 40)} gets the key ", "$quiet"),
            (key or "none: type its name", "bold $answer"),
            (back, "$warn"),
        )

    def typed_into(self) -> Widget:
        """The name."""
        return self.query_one(Input)

    async def submit(self) -> None:
        """Hand the name over."""
        await self.finish(self.query_one(Input).value.strip() or None)


def is_asleep(info: ClassInfo) -> bool:
    """Whether a class can be brought back."""
    # what was merged lives on in the other class
    return info.retired and info.merged_into < 0


class NewClass(NameForm):
    """A class to add; where a question waits below, it is answered with it."""

    def __init__(self, then: Callable[[str | None], None], *, answers: bool) -> None:
        super().__init__(then, "new class")
        self._answers = answers

    def says(self, name: str) -> tuple[Content, str]:
        """Its key, or that it is there."""
        info = self.session.classes.named(name)
        if info is not None:
            text = Content.assemble(("there already, key ", "$quiet"), (info.key or "none", "bold $answer"))
            return text, "answers with it" if self._answers else "leaves it as it is"
        does = "adds it and answers the question" if self._answers else "adds it"
        return self.key_for(name) if name else Content(""), does


class Rename(NameForm):
    """Another name for a class."""

    def __init__(self, then: Callable[[str | None], None], info: ClassInfo) -> None:
        super().__init__(then, f"rename {display_safe(info.name, 40)}", info.name)
        self._info = info

    def says(self, name: str) -> tuple[Content, str]:
        """Whether it is free; key and labels stay."""
        info = self.session.classes.named(name)
        if name == self._info.name or not name:
            return Content(""), "leaves it as it is"
        if info is not None:
            return Content.styled("another class is called so: M merges the two", "bold $warn"), "cannot"
        return Content.styled("its key and its labels stay", "$quiet"), "renames it"


class SplitName(NameForm):
    """The class that some labels of another one go to."""

    def __init__(self, then: Callable[[str | None], None], source: str, moved: int) -> None:
        super().__init__(then, f"split {display_safe(source, 40)}")
        self._moved = moved

    def says(self, name: str) -> tuple[Content, str]:
        """Its key, or that the name is taken."""
        if self.session.classes.named(name) is not None:
            return Content.styled("there is a class of that name: choose another", "bold $warn"), "cannot"
        return self.key_for(name) if name else Content(""), f"moves {counted(self._moved, 'label')} to it"
