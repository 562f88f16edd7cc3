"""The application as screens and forms see it: what they draw from, and what they ask it to do."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Protocol

from labeler.session.view import View
from labeler.ui.keys import KeyQueue
from labeler.ui.pictures.cache import Pictures
from labeler.ui.status_line import StatusLine

if TYPE_CHECKING:
    from labeler.project.open import Project


class Host(Protocol):
    """The application, as much of it as a screen needs.

    A screen reaches it as ``self.labeler``. The things that Textual's own application does (ending, the clipboard, its
    size) are not repeated here: for those there is ``self.app``.
    """

    project: Project
    view: View | None
    pictures: Pictures
    status: StatusLine
    line: KeyQueue
    layout: str
    """Of the keyboard: ``digits``, ``letters`` or ``azerty``."""
    looked_for: str
    """The last search."""

    def say(self, text: str, role: str = "info") -> None:
        """Say one line in the status bar."""

    def ignored_early(self, what: str = "the first picture") -> None:
        """Count a key from before the first painted question, or form: never an answer, never text."""

    def command(self, what: Callable[[], object], then: Callable[[], None] | None = None) -> None:
        """Run a session command; on success tell the engine, call `then` and draw, else say what is wrong."""

    def common(self, name: str) -> Callable[[Any], Awaitable[None] | None]:
        """Return what the common command of that name does on a screen."""

    def open(self, name: str, *arguments: Any, **options: Any) -> Awaitable[object]:
        """Open the screen or form of that name, or go back to it where it is open below and needs no arguments."""

    async def leave(self, to: str = "") -> None:
        """Close the screen in front, or all down to the one called `to`, and draw that before the next key."""

    def heard_by(self, message: object) -> None:
        """Take what the worker sent; from any thread."""

    def frame_is_there(self) -> None:
        """Take up what waited for the frame of a question: it was painted."""
