"""Names of classes: one spelling for names that look alike, whichever way they came in."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache

from labeler.core.errors import UsageError

SMALLEST_NAME, LONGEST_NAME = 1, 200
MOST_CLASSES = 10_000
"""More names than this at once are no list of classes."""

_INVISIBLE = dict.fromkeys((0xAD, 0x200B, 0x2060, 0xFEFF))
"""Soft hyphen, zero-width space, word joiner, byte order mark. The joiners of scripts and emoji mean something."""
_WHOLE = re.compile(r"([+-]?[0-9]{1,15})\.0+")  # of more digits a float no longer tells neighbors apart
_BROKEN = re.compile(r"[+-]?[0-9]*\.[0-9]*[1-9][0-9]*(?:[eE][+-]?[0-9]+)?")


@lru_cache(1 << 14)  # a table names the same few classes row by row
def class_name(text: str) -> str:
    """`text` as a class is called: composed (NFC), without what cannot be seen, white space as one plain space."""
    return " ".join(unicodedata.normalize("NFC", text.translate(_INVISIBLE)).split())


def check_names(names: Iterable[str]) -> None:
    """Refuse what cannot be the names of classes, before the first of them is added.

    Raises
    ------
    UsageError
        A name is empty or too long, or they are absurdly many.
    """
    # as they are kept: two spellings of one name are one class, and count once
    different = set(map(class_name, names))
    if len(different) > MOST_CLASSES:
        raise UsageError(
            f"{len(different):,} different class names are more than {MOST_CLASSES:,}",
            "is it the right column? each row seems to have a class of its own",
        )
    for name in different:
        if not SMALLEST_NAME <= len(name) <= LONGEST_NAME:
            raise UsageError(
                f"a class name has 1 to {LONGEST_NAME} characters, not {len(name):,}: {name[:30]!r}",
                "shorten it",
            )


def whole_number(text: str) -> str:
    """``1`` for ``1.0``, as spreadsheets and pandas write whole numbers beside a gap; other texts as they are."""
    match = _WHOLE.fullmatch(text)
    return match[1].removeprefix("+") if match else text


def is_fraction(text: str) -> bool:
    """Whether `text` is a number with something behind its point: among such, ``1.0`` is meant as it is written."""
    return _BROKEN.fullmatch(text) is not None
