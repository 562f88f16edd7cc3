"""Keys as they are typed: their names, held keys, Caps Lock, the line in which they wait, names that are typed.

Keys wait in line: each is looked at only when the question that its predecessor brought up has been painted. So an
answer belongs to the question on the screen when its turn came, at any speed of typing. Keys for forms (a name being
typed) pass through the same line, so that what is typed right after ``N`` lands in the form.
"""

from __future__ import annotations

import asyncio
import time
import unicodedata
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from typing import TYPE_CHECKING

from textual import events

from labeler.session.keys import AZERTY
from labeler.ui.actions import MAY_REPEAT

if TYPE_CHECKING:
    from labeler.core.types import ClassInfo
    from labeler.session.view import ClassCount

FASTEST = 1 / 25
"""Seconds between two presses of the same key, below which nobody presses: the keyboard repeats."""
RUN = 6
"""Presses in a row that may come that fast (a delayed terminal hands over several at once) before it is a held key."""
RELEASED = 0.25
"""Seconds without the held key after which it was let go."""
PAUSE = 1.0
"""Seconds without a key after which nobody is in the midst of typing."""
CAPITALS = 3


def token(key: str, character: str | None) -> str:
    """A key by its character where it has one ("a", "A", "?"), else by Textual's name ("enter", "ctrl+z")."""
    if key == "space" or character == " ":
        return "space"
    if character and len(character) == 1 and character.isprintable():
        return character
    return key


def unshifted(key: str, layout: str) -> str:
    """The digit that an AZERTY keyboard means by ``&``, ``é`` ...; other keys and layouts as they are."""
    return AZERTY.get(key, key) if layout == "azerty" else key


def looks_azerty(key: str) -> bool:
    """Whether `key` is one that only the digit row of an AZERTY keyboard sends so easily."""
    return key in AZERTY and not key.isascii()


class Press(Enum):
    """The kinds of presses."""

    MEANT = 0
    HELD = 1  # another repeat of a key that is held down
    PAUSED = 2  # the repeat at which it was noticed


@dataclass(slots=True)
class HeldKey:
    """Tells a key that is held down from one pressed often. Feed every press in order of arrival."""

    _key: str = ""
    # the first press comes after an endless gap
    _at: float = float("-inf")
    _run: int = 0
    ignored: int = 0

    def pressed(self, key: str, at: float) -> Press:
        """Judge a press of `key` at second `at`."""
        gap = at - self._at
        same = key == self._key
        # once it is held, the first repeat after the pause of the keyboard is no new press
        holding = self._run > RUN
        self._key, self._at = key, at
        if not same or gap >= (RELEASED if holding else FASTEST):
            self._run, self.ignored = 1, 0
            return Press.MEANT
        self._run += 1
        if self._run <= RUN:
            return Press.MEANT
        self.ignored += 1
        return Press.HELD if holding else Press.PAUSED


@dataclass(slots=True)
class CapsLock:
    """Counts capitals in a row that fit nothing."""

    _misses: int = 0

    def missed(self, key: str) -> bool:
        """Note a key that fitted nothing; True when it looks like Caps Lock."""
        # one or two wrong capitals are slips; digits and signs tell nothing of Caps Lock
        self._misses = self._misses + 1 if len(key) == 1 and key.isupper() else 0
        return self._misses >= CAPITALS

    def fitted(self) -> None:
        """Note a key that did something."""
        self._misses = 0


# -- the line --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Waiting:
    """A key in line.

    `paints`: how many questions had been painted when it came. `released`: the key held down before it was let go.
    `blind`: nothing at all was on the screen yet. `in_sight`: a question was, though it may not have been counted yet.
    """

    token: str
    event: events.Key
    paints: int
    released: bool = False
    blind: bool = False
    in_sight: bool = False

    @property
    def early(self) -> bool:
        """Whether it came before the first question was painted."""
        return self.paints == 0 and not self.in_sight


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
        self._arrived_at = 0.0  # the last key, by `time.monotonic()`
        self._holding = False

    def arrived(self, event: events.Key, *, text: bool, blind: bool = False, in_sight: bool = False) -> None:
        """Put a key in line (in a form, `text`, a held key is ordinary); the rest: :class:`Waiting`."""
        key = token(event.key, event.character)
        self._arrived_at = time.monotonic()
        # in a form a held key is ordinary typing; here forty answers a second would be nobody's
        if not text and key not in MAY_REPEAT and self._hold.pressed(key, event.time) is not Press.MEANT:
            self._holding = True
            self._held(key, self._hold.ignored)
            return
        self._line.append(Waiting(key, event, self.paints, self._holding, blind, in_sight))
        self._holding = False
        self._came.set()

    @property
    def idle(self) -> bool:
        """Whether every key was handled."""
        return not self._line and not self._busy

    @property
    def rests(self) -> bool:
        """Whether nobody types: every key was handled, and the last one came a while ago."""
        return self.quiet > PAUSE

    @property
    def quiet(self) -> float:
        """Seconds since the last key came; 0 while one waits."""
        return time.monotonic() - self._arrived_at if self.idle else 0.0

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
        # the one that did not come would wait for ever
        for task in tasks:
            task.cancel()


# -- names that are typed, for more classes than keys ----------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Typed:
    """A name that is being typed; `place` = which of those that fit ``⏎`` takes."""

    text: str = ""
    place: int = 0


class Typeahead:
    """The name that is being typed on a screen, and the class of those that fit which the arrows chose."""

    def __init__(self) -> None:
        self.text = ""
        self._choice = Typed()  # which of the classes that fit, while the same is typed

    @property
    def typed(self) -> Typed:
        """The text that is typed, and which of the classes that fit ``enter`` takes."""
        return Typed(self.text, self._choice.place if self._choice.text == self.text else 0)

    def press(self, key: str, classes: Sequence[ClassCount]) -> bool:
        """Narrow the classes by one more key, or choose among them; False where the key does neither."""
        if narrows(key):
            self.text, self._choice = self.text + key, Typed()
        elif self.text and key == "backspace":
            self.text = self.text[:-1]
        elif self.text and key == "escape":
            self.text = ""
        elif self.text and key in ("up", "down"):
            fitting, step = len(matches(self.text, classes)), 1 if key == "down" else -1
            self._choice = Typed(self.text, (self.typed.place + step) % max(fitting, 1))
        else:
            # within a name a space must not skip the picture
            return bool(self.text) and key == "space"
        return True

    def class_of(self, key: str, classes: Sequence[ClassCount]) -> ClassInfo | None:
        """The class that a key gives: its own, or with ``enter`` the one whose name is typed."""
        if not self.text:
            return next((count.info for count in classes if count.info.key == key), None)
        fitting = matches(self.text, classes) if key == "enter" else []
        return fitting[min(self.typed.place, len(fitting) - 1)].info if fitting else None


def needed(classes: Sequence[ClassCount]) -> bool:
    """Whether some class has no key of its own."""
    return any(not count.info.key for count in classes)


def narrows(key: str) -> bool:
    """Whether a key is one that narrows: small letters, digits, and in scripts without capitals every letter and mark.

    Capitals command where there is a command of that letter; those of other scripts than Latin are letters as well.
    """
    if len(key) != 1:
        return False
    if key.isascii():
        return key.islower() or key.isdigit()
    return key.isalnum() or _is_mark(key)


def matches(typed: str, classes: Sequence[ClassCount]) -> list[ClassCount]:
    """The classes that fit what was typed, best first: just that name, that name but for capitals, the key, the
    beginning, a word's beginning, anywhere in it."""
    if not typed:
        return list(classes)
    # keyboards send a letter and its mark as one character or as two
    typed = unicodedata.normalize("NFC", typed)
    wanted = _folded(typed)
    # with their places: those that fit alike stay in the order of the legend
    ranked = [(_rank(typed, wanted, count.info), place, count) for place, count in enumerate(classes)]
    return [count for rank, _, count in sorted(ranked, key=lambda item: item[:2]) if rank < _NO_MATCH]


_NO_MATCH = 7


# every letter that is typed asks for the forms of all classes again
@lru_cache(maxsize=10_000)
def _forms(name: str) -> tuple[str, str, tuple[str, ...], str]:
    """The name, without capitals, its words, and these without what lies between them."""
    whole, folded = unicodedata.normalize("NFC", name), _folded(name)
    words = "".join(char if char.isalnum() or _is_mark(char) else " " for char in folded).split()
    return whole, folded, tuple(words), "".join(words)


def _rank(typed: str, wanted: str, info: ClassInfo) -> int:
    whole, name, words, together = _forms(info.name)
    fits = (
        whole == typed,
        name == wanted or together == wanted,
        typed == info.key,
        whole.startswith(typed),
        name.startswith(wanted) or together.startswith(wanted),
        any(word.startswith(wanted) for word in words),
        wanted in together,
    )
    return fits.index(True) if True in fits else _NO_MATCH


def _folded(text: str) -> str:
    """The same for texts that differ in capitals, or in how a letter and its mark are put together."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold())


def _is_mark(char: str) -> bool:
    return unicodedata.category(char).startswith("M")
