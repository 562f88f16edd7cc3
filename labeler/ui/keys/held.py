"""Keys as they were typed, before anybody asks what they mean: names of keys, held keys, Caps Lock, AZERTY.

Pure bookkeeping over (key, time); the queue that feeds the screens is in :mod:`labeler.ui.keys.queue`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from labeler.session.keys import AZERTY

FASTEST = 1 / 25
"""Seconds between two presses of the same key, below which nobody presses: the keyboard repeats."""
RUN = 6
"""Presses in a row that may come that fast (a delayed terminal hands over several at once) before it is a held key."""
RELEASED = 0.25
"""Seconds without the held key after which it was let go."""
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
