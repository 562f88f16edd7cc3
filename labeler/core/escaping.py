"""Ids and class names that are not text every program can read: one reversible escape for all exports.

A file name whose bytes are not UTF-8 reaches Python with surrogates in it; neither a UTF-8 file nor a strict JSON
reader takes those, and NUL ends a string in numpy and in several CSV readers. Such a text is written as
``escaped:`` followed by the text with ``%XX`` for each stray byte (and for ``%`` itself): ``escaped:caf%E9.png``.
A text that really begins with ``escaped:`` is escaped as well, so no two texts are ever written alike, and
percent-decoding what follows the prefix (``urllib.parse.unquote_to_bytes``) gives the bytes of the file name.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from typing import Any

PREFIX = "escaped:"

_STRAY = re.compile(r"[\x00\ud800-\udfff]")
_ESCAPE = re.compile(r"[%\x00\ud800-\udfff]")
# XML 1.0 has no controls but tab and line ends, which a reader of attributes may make spaces of.
_NOT_XML = re.compile(r"[\x00-\x1f\ud800-\udfff\ufffe\uffff]")
_ESCAPE_XML = re.compile(r"[%\x00-\x1f\ud800-\udfff\ufffe\uffff]")
_UNESCAPE = re.compile(r"%u([0-9A-F]{4})|%([0-9A-F]{2})")
# JSON leaves these as they are, but some readers end a line at them and terminals act on C1 controls.
_JSON_CONTROLS = {code: f"\\u{code:04x}" for code in (*range(0x7F, 0xA0), 0x2028, 0x2029)}


def escaped(text: str) -> str:
    """Return `text` as it is written to a file: unchanged unless a reader could not take it."""
    if _STRAY.search(text) is None and not text.startswith(PREFIX):
        return text
    return PREFIX + _ESCAPE.sub(lambda match: _code(ord(match[0])), text)


def escaped_for_xml(text: str) -> str:
    """Like :func:`escaped`, with what XML cannot hold escaped as well."""
    if _NOT_XML.search(text) is None and not text.startswith(PREFIX):
        return text
    return PREFIX + _ESCAPE_XML.sub(lambda match: _code(ord(match[0])), text)


def unescaped(text: str) -> str:
    """Undo :func:`escaped` exactly."""
    if not text.startswith(PREFIX):
        return text
    return _UNESCAPE.sub(lambda match: _char(match[1], match[2]), text.removeprefix(PREFIX))


def escape_warnings(texts: Iterable[str], written: Callable[[str], str] = escaped) -> list[str]:
    """One line if any of `texts` is `written` escaped, else none."""
    changed = sum(written(text) is not text for text in texts)
    if not changed:
        return []
    what = "1 name is" if changed == 1 else f"{changed} names are"
    return [f'{what} not plain UTF-8 text: written as "{PREFIX}" and the name with its stray bytes as %XX']


def json_text(value: Any, pretty: bool = False) -> str:
    """Return `value` as JSON without control characters: on one line, or `pretty`: indented, its keys sorted.

    Raises
    ------
    ValueError
        `value` holds NaN or an infinity, which are not JSON.
    """
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, indent=2 if pretty else None, sort_keys=pretty)
    return text.translate(_JSON_CONTROLS)


def _code(code: int) -> str:
    if 0xDC80 <= code <= 0xDCFF:  # a byte that os.fsdecode could not decode
        return f"%{code - 0xDC00:02X}"
    return f"%{code:02X}" if code < 0x80 else f"%u{code:04X}"


def _char(surrogate: str | None, byte: str) -> str:
    if surrogate is not None:
        return chr(int(surrogate, 16))
    code = int(byte, 16)
    return chr(code if code < 0x80 else 0xDC00 + code)
