"""Names written by others -> ids of a source."""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from urllib.parse import parse_qs, unquote, urlsplit

from labeler.importers.names import has_image_ending

_UPLOAD = re.compile(r"^/data/upload/(?:\d+/)?(?:[0-9a-f]{8}-)?")


def match_names(names: Iterable[str], ids: Sequence[str]) -> dict[str, str]:
    """name -> id for every name that means one id without doubt; the others are left out.

    Tried in this order, each on what the one before left: the same text; the same path written another way
    (Unicode form, ``./``, backslashes); the same row number (``12`` for ``00012``); the same base name; the same base
    name but for the ending, where the name has none.
    A name matches only where it is the only one and the id is the only one, so nothing is guessed.
    """
    left = dict.fromkeys(names)
    free = dict.fromkeys(ids)
    found = {name: name for name in left if name in free}
    for of_name, of_id in _KEYS:
        for name, instance_id in found.items():
            left.pop(name, None)
            free.pop(instance_id, None)
        if not left:
            break
        wanted, offered = _unique(left, of_name), _unique(free, of_id)
        found |= {name: offered[text] for text, name in wanted.items() if text in offered}
    return found


def name_of_media(address: str) -> str:
    """What an address that Label Studio writes names: ``/data/local-files/?d=a%2Fb.png`` -> ``a/b.png``;
    ``/data/upload/1/0a1b2c3d-b.png`` -> ``b.png``; a plain name stays."""
    if "/data/" not in address and "://" not in address:
        return address
    parts = urlsplit(address)
    inner = parse_qs(parts.query).get("d")
    return inner[0] if inner else _UPLOAD.sub("", unquote(parts.path))


def _unique(names: Iterable[str], key: Callable[[str], str]) -> dict[str, str]:
    """key -> name, for the keys that only one name has."""
    found: dict[str, str] = {}
    twice: set[str] = set()
    for name in names:
        text = key(name)
        if text in found:
            twice.add(text)
        elif text:
            found[text] = name
    return {text: name for text, name in found.items() if text not in twice}


def _path(name: str) -> str:
    text = unicodedata.normalize("NFC", name.strip()).replace("\\", "/")
    return text.removeprefix("./")


def _number(name: str) -> str:
    return (name.lstrip("0") or "0") if name.isascii() and name.isdigit() else ""


def _base_name(name: str) -> str:
    return _path(name).rpartition("/")[2]


def _without_ending(name: str) -> str:
    return "" if has_image_ending(name) else _base_name(name)


def _stem(name: str) -> str:
    return os.path.splitext(_base_name(name))[0]


_KEYS = ((_path, _path), (_number, _number), (_base_name, _base_name), (_without_ending, _stem))
"""What names and ids are compared by, one after the other."""
