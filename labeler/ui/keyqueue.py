"""Keys wait in line: each is looked at only when the question that its predecessor brought up has been painted.

So an answer belongs to the question on the screen when its turn came, at any speed of typing. Keys for forms (a
name being typed) pass through the same line, so that what is typed right after ``N`` lands in the form.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from textual import events

from labeler.ui.actions import ACTIONS
from labeler.ui.keyboard import HeldKey, Press, token

_MAY_REPEAT = frozenset(key for action in ACTIONS if action.repeats for key in action.keys)


@dataclass(frozen=True, slots=True)
class Waiting:
    """A key in line.

    `paints`: how many questions had been painted when it came. `released`: the key held down before it was let go.
    `blind`: nothing at all was on the screen yet.
    """

    token: str
    event: events.Key
    paints: int
    released: bool = False
    blind: bool = False

    @property
    def early(self) -> bool:
        """Whether it came before the first question was painted."""
        return self.paints == 0


class KeyQueue:
    """The line. `take` is called with one key at a time, in order, and awaited before the next.

    Parameters
    ----------
    take
        Handles one key; returns when the screen is ready for the next.
    held
        Called with the key and how many of its presses were ignored so far, while one is held down.
    """

    def __init__(self, take: Callable[[Waiting], Awaitable[None]], held: Callable[[str, int], None]) -> None:
        self._take, self._held = take, held
        self._line: asyncio.Queue[Waiting] = asyncio.Queue()
        self._hold = HeldKey()
        self._busy = False
        self._holding = False

    def arrived(self, event: events.Key, *, paints: int, text: bool, blind: bool = False) -> None:
        """Put a key in line (in a form, `text`, a held key is ordinary); `blind`: the screen is empty still."""
        key = token(event.key, event.character)
        if not text and key not in _MAY_REPEAT and self._hold.pressed(key, event.time) is not Press.MEANT:
            self._holding = True
            self._held(key, self._hold.ignored)
            return
        self._line.put_nowait(Waiting(key, event, paints, self._holding, blind))
        self._holding = False

    @property
    def idle(self) -> bool:
        """Whether every key was handled."""
        return self._line.empty() and not self._busy

    def forget(self) -> int:
        """Drop what waits (the answers behind one that could not be saved); returns how many."""
        dropped = 0
        while not self._line.empty():
            self._line.get_nowait()
            dropped += 1
        return dropped

    async def run(self) -> None:
        """Work the line, for as long as the application lives."""
        while True:
            key = await self._line.get()
            self._busy = True
            try:
                await self._take(key)
            finally:
                self._busy = False
