"""An answer could not be written: say so until the person decides; the key is kept."""

from __future__ import annotations

from collections.abc import Callable

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Input, Static

from labeler.core.errors import LabelerError, NotSaved
from labeler.core.text import display_safe
from labeler.ui.forms.base import Form
from labeler.ui.widgets.line import Line

Decision = Callable[[], object]


class Unsaved(Form[Decision | None]):
    """The choices where an answer could not be saved; one of three decisions is carried out.

    Parameters
    ----------
    error
        What went wrong.
    dropped
        How many keys were typed behind the one that is kept.
    again, elsewhere, give_up
        Save the key again, on another disk, or not at all.
    """

    def __init__(
        self, error: NotSaved, dropped: int, *, again: Decision, elsewhere: Decision, give_up: Decision
    ) -> None:
        super().__init__(self._decided)
        self._error, self._dropped = error, dropped
        self._again, self._elsewhere, self._give_up = again, elsewhere, give_up

    def _decided(self, decision: Decision | None) -> None:
        # escape decides as well: the key is given up
        (decision or self._give_up)()

    def compose(self) -> ComposeResult:
        """Yield what happened, and what can be done."""
        title = "perhaps NOT saved" if self._error.is_uncertain else "NOT saved"
        # the title says it already
        message = self._error.message.removeprefix(f"{title}: ")
        lines: list[Content | str] = [Content.styled(display_safe(message, 300), "bold")]
        if self._error.hint:
            lines += ["\n", display_safe(self._error.hint, 300)]
        before = "Everything before it is on disk."
        if self._error.is_lost:
            before = (
                "Everything before it is held by this program alone: save it elsewhere, or quit for a backup of it."
            )
        lines += [f"\n\n{before} This key is kept and nothing else changed."]
        if self._dropped:
            keys = "1 key" if self._dropped == 1 else f"{self._dropped} keys"
            lines += [f"\n{keys} typed after it: ignored."]
        lines += [
            "\n\n",
            Content.assemble(
                ("⏎ ", "bold $command"),
                ("try again   ", "$quiet"),
                ("tab ", "bold $command"),
                ("save elsewhere   ", "$quiet"),
                ("esc ", "bold $command"),
                ("give this key up   ", "$quiet"),
                ("ctrl+q ", "bold $command"),
                ("quit", "$quiet"),
            ),
        ]
        with Vertical(classes="dialog alarm"):
            yield Static(title, classes="title", markup=False)
            yield Static(Content.assemble(*lines), markup=False)
            yield Line(id="unsaved-note")

    async def submit(self) -> None:
        """Try again."""
        await self.finish(self._again)

    async def other(self, key: str) -> bool:
        """``tab``: to another disk. The rest does nothing, and is told so."""
        if key == "tab":
            await self.finish(self._elsewhere)
        else:
            why = Content.styled("nothing else is answered before this key is saved or given up", "$warn")
            self.query_one("#unsaved-note", Line).show(lambda width: why.truncate(width, ellipsis=True))
        return True


class Elsewhere(Form[str | None]):
    """The place to go on: all that is saved is copied there, and the key that was kept is saved there. None = back."""

    def __init__(self, then: Callable[[str | None], None]) -> None:
        super().__init__(then)

    def compose(self) -> ComposeResult:
        """Words, the place, what is wrong with it."""
        with Vertical(classes="dialog alarm"):
            yield Static("save elsewhere", classes="title", markup=False)
            yield Static(
                "A folder or a file on another disk. What is saved is copied there, the key that was kept as well,"
                " and you go on in that file. The one here stays as it is.\n",
                markup=False,
            )
            yield Input(placeholder="/media/stick/", id="place")
            yield Line(id="place-note")
            yield Static(
                Content.assemble(
                    ("⏎ ", "bold $command"), ("save there   ", "$quiet"),
                    ("esc ", "bold $command"), ("back   ", "$quiet"),
                    ("ctrl+q ", "bold $command"), ("quit", "$quiet"),
                ),
                classes="hint",
                markup=False,
            )  # fmt: skip

    def on_mount(self) -> None:
        """Ready to type."""
        self.set_focus(self.query_one(Input))

    def typed_into(self) -> Widget:
        """The place."""
        return self.query_one(Input)

    async def submit(self) -> None:
        """Copy; what is wrong with the place is said, and another can be typed."""
        place = self.query_one(Input).value.strip()
        if not place:
            return
        try:
            path = self.labeler.project.save_elsewhere(place)
        except LabelerError as error:
            why = Content.styled(display_safe(f"{error.message}: {error.hint}", 300), "bold $warn")
            self.query_one("#place-note", Line).show(lambda width: why)
            return
        await self.finish(str(path))
