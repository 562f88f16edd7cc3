"""The keys that answer classes: given once, kept with the class."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Iterator

DIGITS = "1234567890"
COMMAND_LETTERS = "axfuq"
"""Small letters that mean a command while no class owns them (Prodigy's), and `q`, which never answers by chance."""
LETTERS = "abcdefghijklmnopqrstuvwxyz"
LAYOUTS = ("digits", "letters", "azerty")
AZERTY = dict(zip("&é\"'(-è_çà", DIGITS, strict=True))
"""What the digit row of an AZERTY keyboard sends without shift -> the digit printed on the key."""


def can_answer(key: str, layout: str = "digits") -> bool:
    """Whether a class may have this key: a digit or a letter of any script, but no capital; those command."""
    if len(key) != 1 or key != key.lower() or (layout == "azerty" and key in AZERTY):
        return False
    # of ASCII no sign, for / and others command; beyond it the letters and digits of any script
    return key in DIGITS + LETTERS if key.isascii() else key.isalnum()


def own_key(name: str, layout: str = "digits") -> str:
    """The key that a class named by one digit or letter is called by; "" for other names."""
    # composed: a letter with its accent apart is two characters to Python, and no key
    own = unicodedata.normalize("NFC", name.strip()).lower()
    return own if can_answer(own, layout) else ""


def assign_key(name: str, taken: Collection[str], layout: str = "digits") -> str:
    """The key for a new class called `name`, or "" when none is left.

    A class named by one digit or letter takes it; the others take 1 ... 9 0, then letters that are no
    command's, then any letter. With `layout` "letters" digits are not given (but a class called ``7`` still has 7).
    """
    own = own_key(name, layout)
    if own and own not in taken:
        return own
    return next((key for key in _candidates(layout) if key not in taken), "")


def _candidates(layout: str) -> Iterator[str]:
    if layout != "letters":
        yield from DIGITS
    yield from (letter for letter in LETTERS if letter not in COMMAND_LETTERS)
    # last of all: a class with such a key hides a command, which is still better than a class without a key
    yield from COMMAND_LETTERS
