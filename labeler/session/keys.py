"""Which key answers which class: given once, kept with the class."""

from __future__ import annotations

from collections.abc import Collection, Iterator

DIGITS = "1234567890"
COMMAND_LETTERS = "axfuq"
"""Small letters that mean a command while no class owns them (Prodigy's), and `q`, which never answers by chance."""
LETTERS = "abcdefghijklmnopqrstuvwxyz"
LAYOUTS = ("digits", "letters", "azerty")
AZERTY = dict(zip("&é\"'(-è_çà", DIGITS, strict=True))
"""What the digit row of an AZERTY keyboard sends without shift -> the digit printed on the key."""


def assign_key(name: str, taken: Collection[str], layout: str = "digits") -> str:
    """The key for a new class called `name`, or "" when none is left.

    A class named by one digit or letter takes it; the others take 1 ... 9 0, then letters that are no
    command's, then any letter. With `layout` "letters" digits are not given (but a class called ``7`` still has 7).
    """
    own = name.strip().lower()
    if len(own) == 1 and own in DIGITS + LETTERS and own not in taken:
        return own
    return next((key for key in _candidates(layout) if key not in taken), "")


def _candidates(layout: str) -> Iterator[str]:
    if layout != "letters":
        yield from DIGITS
    yield from (letter for letter in LETTERS if letter not in COMMAND_LETTERS)
    yield from COMMAND_LETTERS
