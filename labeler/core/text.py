"""The one door for outside strings (file names, class names, messages of other programs) to a screen or stream."""

from __future__ import annotations

import unicodedata

_BIDI = {0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A)}
_ESCAPED = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")


def display_safe(text: str, limit: int = 200) -> str:
    """Return `text` as one line that no terminal acts on, at most `limit` characters long.

    Control characters (ESC, OSC, C1), bidirectional overrides, surrogates (bytes of a file name that are
    not UTF-8) and other invisible characters are shown as escapes (``\\x1b``); the middle of a long text
    gives way to ``…``. Zero-width joiners are escaped too: what cannot be seen cannot be trusted.
    """
    shown = "".join(_visible(char) for char in text)
    if len(shown) <= limit:
        return shown
    head = (limit - 1) // 2
    return f"{shown[:head]}…{shown[len(shown) - (limit - 1 - head) :]}"


def _visible(char: str) -> str:
    code = ord(char)
    if 0x20 <= code < 0x7F:
        return char
    if 0xDC80 <= code <= 0xDCFF:  # a byte that os.fsdecode could not decode
        return f"\\x{code - 0xDC00:02x}"
    if code in _BIDI or unicodedata.category(char) in _ESCAPED:
        return char.encode("unicode_escape", "backslashreplace").decode("ascii")
    return char
