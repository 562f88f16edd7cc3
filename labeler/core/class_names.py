"""Names of classes: one spelling for names that look alike, whichever way they came in."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

_INVISIBLE = dict.fromkeys((0xAD, 0x200B, 0x2060, 0xFEFF))
"""Soft hyphen, zero-width space, word joiner, byte order mark. The joiners of scripts and emoji mean something."""
_WHOLE = re.compile(r"([+-]?[0-9]{1,15})\.0+")  # of more digits a float no longer tells neighbors apart
_BROKEN = re.compile(r"[+-]?[0-9]*\.[0-9]*[1-9][0-9]*(?:[eE][+-]?[0-9]+)?")


@lru_cache(1 << 14)  # a table names the same few classes row by row
def class_name(text: str) -> str:
    """`text` as a class is called: composed (NFC), without what cannot be seen, white space as one plain space."""
    return " ".join(unicodedata.normalize("NFC", text.translate(_INVISIBLE)).split())


def whole_number(text: str) -> str:
    """``1`` for ``1.0``, as spreadsheets and pandas write whole numbers beside a gap; other texts as they are."""
    match = _WHOLE.fullmatch(text)
    return match[1].removeprefix("+") if match else text


def is_fraction(text: str) -> bool:
    """Whether `text` is a number with something behind its point: among such, ``1.0`` is meant as it is written."""
    return _BROKEN.fullmatch(text) is not None
