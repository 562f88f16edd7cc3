"""Screens where text is typed or a choice is made: they see each key in its turn, like the label screens."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Generic, cast

from textual import events
from textual.screen import ModalScreen, ScreenResultType
from textual.widget import Widget

from labeler.ui.host import Host
from labeler.ui.keys import Waiting
from labeler.ui.screens.base import LabelScreen

if TYPE_CHECKING:
    from labeler.project.open import Received

_A_MOMENT = 1.0
"""Seconds after which it is looked whether what is waited for is there at all."""


class Form(ModalScreen[ScreenResultType], Generic[ScreenResultType]):
    """A screen in front of the label screen. ``enter`` submits, ``escape`` leaves, the rest is typed.

    The two are handled here and in turn (not by the input's own messages), so that a key typed right behind
    ``enter`` already belongs to the screen below.
    """

    AUTO_FOCUS = None

    def __init__(self, then: Callable[[ScreenResultType | None], None] = lambda result: None) -> None:
        super().__init__()
        self._then = then

    @property
    def labeler(self) -> Host:
        """The application, as far as a form knows it."""
        return cast("Host", self.app)

    def typed_into(self) -> Widget | None:
        """The widget that takes text, if there is one."""
        return None

    async def press(self, waiting: Waiting) -> None:
        """Handle one key and return when its effect is there."""
        await self._there()
        key = waiting.token
        # no form may hold anybody
        if key in ("ctrl+q", "ctrl+c"):
            self.app.exit()
            return
        if waiting.blind:
            self.labeler.ignored_early("this page")
        elif key == "enter":
            await self._settled()
            await self.submit()
        elif key == "escape":
            await self.cancel()
        elif not await self.other(key):
            widget = self.typed_into()
            if widget is not None:
                await self._type(widget, waiting.event)
                await self._settled()

    async def _type(self, widget: Widget, event: events.Key) -> None:
        """Characters go to the widget; what it does on other keys (backspace, home ...) are its bindings."""
        # posted as a message a binding would be looked up by Textual, out of turn
        bound = self.active_bindings.get(event.key)
        if bound is not None and bound.node is widget and not event.is_printable:
            await self.app.run_action(bound.binding.action, widget)
        else:
            widget.post_message(event)

    async def submit(self) -> None:
        """``enter``."""
        raise NotImplementedError

    async def cancel(self) -> None:
        """``escape``."""
        await self.finish(None)

    async def finish(self, result: ScreenResultType | None) -> None:
        """Close, hand the result over and draw what lies below, all before the next key has its turn."""
        await self.dismiss(result)
        self._then(result)
        below = self.app.screen
        if isinstance(below, LabelScreen):
            below.on_screen_resume()

    async def other(self, key: str) -> bool:
        """Any other key; False passes it on to the input."""
        return False

    async def heard(self, received: Received) -> None:
        """The worker said something."""

    def draw_message(self) -> None:
        """The application has something new to say."""

    async def _there(self) -> None:
        """A key typed right behind the one that opened this form waits for its parts."""
        # polled: a form that is closed before it was mounted never says so
        while not self.is_mounted and self.app.is_running:
            await asyncio.sleep(0.01)

    async def _settled(self) -> None:
        """Wait until all that was typed is in the widget, however long it takes."""
        widget = self.typed_into()
        if widget is None:
            return
        done = asyncio.Event()
        # behind all that was posted to the widget so far
        widget.call_later(done.set)
        while widget.is_attached and self.app.is_running and not done.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(done.wait(), _A_MOMENT)
