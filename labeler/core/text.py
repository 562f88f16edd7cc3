"""Text as people and files read it: outside strings made safe to show, counts in words, one escape for all exports.

Ids and class names are not always text that every program can read. A file name whose bytes are not UTF-8 reaches
Python with surrogates in it; neither a UTF-8 file nor a strict JSON reader takes those, and NUL ends a string in numpy
and in several CSV readers. :func:`escaped` writes such a text as ``escaped:`` followed by the text with ``%XX`` for
each stray byte (and for ``%`` itself): ``escaped:caf%E9.png``. A text that really begins with ``escaped:`` is escaped
as well, so no two texts are ever written alike, and percent-decoding what follows the prefix
(``urllib.parse.unquote_to_bytes``) gives the bytes of the file name.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from typing import Any

ESCAPE_PREFIX = "escaped:"

# they turn the order of what is shown around: a name could read as another one
_BIDI = {0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A)}
# controls, formats, surrogates, private and unassigned characters, separators of lines and paragraphs
_INVISIBLE = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")
_STRAY = re.compile(r"[\x00\ud800-\udfff]")
_ESCAPE = re.compile(r"[%\x00\ud800-\udfff]")
# XML 1.0 has no controls but tab and line ends, which a reader of attributes may make spaces of.
_NOT_XML = re.compile(r"[\x00-\x1f\ud800-\udfff\ufffe\uffff]")
_ESCAPE_XML = re.compile(r"[%\x00-\x1f\ud800-\udfff\ufffe\uffff]")
_UNESCAPE = re.compile(r"%u([0-9A-F]{4})|%([0-9A-F]{2})")
# JSON leaves these as they are, but some readers end a line at them and terminals act on C1 controls.
_JSON_CONTROLS = {code: f"\\u{code:04x}" for code in (*range(0x7F, 0xA0), 0x2028, 0x2029)}


# -- for a person ----------------------------------------------------------------------------------------------------


def display_safe(text: str, limit: int = 200) -> str:
    """Return `text` as one line that no terminal acts on, at most `limit` characters long.

    The one door for outside strings (file names, class names, messages of other programs) to a screen or stream:
    control characters (ESC, OSC, C1), bidirectional overrides, surrogates (bytes of a file name that are not UTF-8)
    and other invisible characters are shown as escapes (``\\x1b``); the middle of a long text gives way to ``…``.
    Zero-width joiners are escaped too: what cannot be seen cannot be trusted.
    """
    shown = "".join(_visible(char) for char in text)
    if len(shown) <= limit:
        return shown
    head = (limit - 1) // 2
    return f"{shown[:head]}…{shown[len(shown) - (limit - 1 - head) :]}"


def counted(count: int, thing: str, things: str = "") -> str:
    """Return ``1 file``, ``2 files``, ``1,797 images``; `things` where an s does not make the plural."""
    return f"{count:,} {thing if count == 1 else things or thing + 's'}"


def percent(share: float) -> str:
    """Return a share as people read it; never 0 % or 100 % of what is only nearly so."""
    value = round(share * 100)
    if value == 0 and share > 0:
        return "<1 %"
    return ">99 %" if value == 100 and share < 1 else f"{value} %"


def unreadable_line(reasons: Mapping[str, str], few: int = 5) -> str:
    """Return one line that counts what cannot be read (name -> reason), names the first few and says what to do."""
    names = [f"{display_safe(name, 60)} ({display_safe(why, 60)})" for name, why in list(reasons.items())[:few]]
    more = f" and {len(reasons) - few:,} more" if len(reasons) > few else ""
    return f"{len(reasons):,} cannot be read: {', '.join(names)}{more}; mend and open again, the rest goes on without"


# -- for a file ------------------------------------------------------------------------------------------------------


def plain_text(text: str) -> str:
    r"""Return `text` as something UTF-8 can hold: undecodable bytes and lone surrogates become ``\xe9``."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogateescape" if _from_bytes(text) else "backslashreplace").decode(
            "utf-8", "backslashreplace"
        )
    return text


def escaped(text: str) -> str:
    """Return `text` as it is written to a file: unchanged unless a reader could not take it."""
    if _STRAY.search(text) is None and not text.startswith(ESCAPE_PREFIX):
        return text
    return ESCAPE_PREFIX + _ESCAPE.sub(lambda match: _code(ord(match[0])), text)


def escaped_for_xml(text: str) -> str:
    """Return `text` as :func:`escaped` does, with what XML cannot hold escaped as well."""
    if _NOT_XML.search(text) is None and not text.startswith(ESCAPE_PREFIX):
        return text
    return ESCAPE_PREFIX + _ESCAPE_XML.sub(lambda match: _code(ord(match[0])), text)


def unescaped(text: str) -> str:
    """Undo :func:`escaped` exactly."""
    if not text.startswith(ESCAPE_PREFIX):
        return text
    return _UNESCAPE.sub(lambda match: _char(match[1], match[2]), text.removeprefix(ESCAPE_PREFIX))


def escape_warnings(texts: Iterable[str], written: Callable[[str], str] = escaped) -> list[str]:
    """Return one line if any of `texts` is `written` escaped, else none."""
    changed = sum(written(text) is not text for text in texts)
    if not changed:
        return []
    what = "1 name is" if changed == 1 else f"{changed} names are"
    return [f'{what} not plain UTF-8 text: written as "{ESCAPE_PREFIX}" and the name with its stray bytes as %XX']


def json_text(value: Any, pretty: bool = False) -> str:
    """Return `value` as JSON without control characters: on one line, or `pretty`: indented, its keys sorted.

    Raises
    ------
    ValueError
        `value` holds NaN or an infinity, which are not JSON.
    """
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, indent=2 if pretty else None, sort_keys=pretty)
    return text.translate(_JSON_CONTROLS)


# -- characters ------------------------------------------------------------------------------------------------------


def _visible(char: str) -> str:
    code = ord(char)
    if 0x20 <= code < 0x7F:
        return char
    if 0xDC80 <= code <= 0xDCFF:  # a byte that os.fsdecode could not decode
        return f"\\x{code - 0xDC00:02x}"
    if code in _BIDI or unicodedata.category(char) in _INVISIBLE:
        return char.encode("unicode_escape", "backslashreplace").decode("ascii")
    return char


def _from_bytes(text: str) -> bool:
    """Whether every surrogate in `text` stands for a byte of a file name (as `os.fsdecode` makes them)."""
    return all(0xDC80 <= ord(char) <= 0xDCFF for char in text if 0xD800 <= ord(char) <= 0xDFFF)


def _code(code: int) -> str:
    if 0xDC80 <= code <= 0xDCFF:  # a byte that os.fsdecode could not decode
        return f"%{code - 0xDC00:02X}"
    return f"%{code:02X}" if code < 0x80 else f"%u{code:04X}"


def _char(surrogate: str | None, byte: str) -> str:
    if surrogate is not None:
        return chr(int(surrogate, 16))
    code = int(byte, 16)
    return chr(code if code < 0x80 else 0xDC00 + code)
