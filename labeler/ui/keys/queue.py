"""Keys wait in line: each is looked at only when the question that its predecessor brought up has been painted.

So an answer belongs to the question on the screen when its turn came, at any speed of typing. Keys for forms (a
name being typed) pass through the same line, so that what is typed right after ``N`` lands in the form.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from textual import events

from labeler.ui.actions import MAY_REPEAT
from labeler.ui.keys.held import HeldKey, Press, token


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
        self._line: deque[Waiting] = deque()
        self._came = asyncio.Event()
        self.paints = 0  # questions painted so far
        self._hold = HeldKey()
        self._busy = False
        self._holding = False

    def arrived(self, event: events.Key, *, text: bool, blind: bool = False) -> None:
        """Put a key in line (in a form, `text`, a held key is ordinary); `blind`: the screen is empty still."""
        key = token(event.key, event.character)
        # in a form a held key is ordinary typing; here forty answers a second would be nobody's
        if not text and key not in MAY_REPEAT and self._hold.pressed(key, event.time) is not Press.MEANT:
            self._holding = True
            self._held(key, self._hold.ignored)
            return
        self._line.append(Waiting(key, event, self.paints, self._holding, blind))
        self._holding = False
        self._came.set()

    @property
    def idle(self) -> bool:
        """Whether every key was handled."""
        return not self._line and not self._busy

    def forget(self) -> int:
        """Drop what waits (the answers behind one that could not be saved); returns how many."""
        dropped = len(self._line)
        self._line.clear()
        return dropped

    async def until(
        self, ready: asyncio.Event, lets_go: Callable[[Waiting], bool], look: Callable[[], None], every: float
    ) -> int | None:
        """Wait for `ready` on behalf of the key in hand, as long as it takes; `look` again `every` so many seconds.

        Only a key that `lets_go`, pressed from now on, ends the waiting: the key in hand and those before that one are
        dropped, and how many is returned; else None.
        """
        looked_at = len(self._line)  # typed ahead: they wait like the key in hand
        while not ready.is_set():
            self._came.clear()
            await _first_of(ready, self._came, within=every)
            if ready.is_set():
                break
            if not self._came.is_set():
                look()
            # what was typed ahead was meant for later pictures, so it cannot be the way out of this one
            fresh = [place for place in range(looked_at, len(self._line)) if lets_go(self._line[place])]
            if fresh:
                for _ in range(fresh[0]):
                    self._line.popleft()
                return 1 + fresh[0]
            looked_at = len(self._line)
        return None

    async def run(self) -> None:
        """Work the line, for as long as the application lives."""
        while True:
            while not self._line:
                self._came.clear()
                await self._came.wait()
            self._busy = True
            try:
                await self._take(self._line.popleft())
            finally:
                self._busy = False


async def _first_of(*occasions: asyncio.Event, within: float) -> None:
    """Wait for one of several, for so many seconds at most."""
    tasks = [asyncio.ensure_future(occasion.wait()) for occasion in occasions]
    try:
        await asyncio.wait(tasks, timeout=within, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
