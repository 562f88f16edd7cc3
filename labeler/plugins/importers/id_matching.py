"""Names written by others -> ids of a source: by what both of them say of the path, never by less."""

from __future__ import annotations

import os
import posixpath
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from urllib.parse import parse_qs, unquote, urlsplit

from labeler.core.text import display_safe
from labeler.plugins.importers.names import has_image_ending, is_split_name

# Label Studio puts eight hex digits before the name of a file that was uploaded
_UPLOAD = re.compile(r"^/?data/upload/(?:\d+/)?(?:[0-9a-f]{8}-)?")
_ADDRESS = re.compile(r"(?:https?|file|s3|gs|gcs|az|azure|azure-blob|hdfs)://|/data/(?:upload|local-files)/")
# the host of these is no folder; the bucket of s3:// and its like is a part of the path
_HOSTED = ("http", "https", "file", "")
_DRIVE = re.compile(r"[A-Za-z]:/")
# pandas makes 12.0 of 12 where a column of numbers has a gap
_ROW = re.compile(r"0*([0-9]+)(?:\.0+)?")
_NAMED = 3
_LONGEST = 4_096
"""Characters of a path that is compared part by part: longer ones are no paths."""


@dataclass
class Matches:
    """Names and the ids they mean: `ids` by name; `missed`: why, for every other name; `notes` for the person."""

    ids: dict[str, str] = field(default_factory=dict)
    missed: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def match_names(names: Iterable[str], ids: Sequence[str], root: str = "") -> dict[str, str]:
    """name -> id for every name that means one id without doubt: see :func:`matched`."""
    return matched(names, ids, root).ids


def matched(names: Iterable[str], ids: Sequence[str], root: str = "") -> Matches:
    """Match names with ids; `root` is the name of the source's folder.

    Tried in this order: the same text; the same path written another way (Unicode form, ``./``, backslashes); the same
    row number (``12`` or ``12.0`` for ``00012``); the same trailing parts, as far as both have them, an ending only
    where the name has one. Trailing parts count where one id alone has them, no other name means that id, and the
    names' further folders are the same all over the file: those of `root`, else one. Folders that differ never match,
    and what an exact name has taken is not given to another one. Time grows with the length of all names.
    """
    left = dict.fromkeys(names)
    result = Matches()
    result.ids = {name: name for name in left.keys() & set(ids)}
    for key in (path_key, _number):
        _settle(result, left)
        if left:
            _take_same(result, left, ids, key)
    _settle(result, left)
    if left:
        _take_trailing(result, list(left), ids, root)
    return result


def name_of_media(address: str) -> str:
    """Return the name in an address: ``/data/local-files/?d=a%2Fb.png`` -> ``a/b.png``; ``s3://bucket/b.png`` ->
    ``bucket/b.png``; Label Studio's ``/data/upload/1/0a1b2c3d-b.png`` -> ``b.png``; a plain name stays."""
    if _ADDRESS.match(address) is None:
        return address
    try:
        parts = urlsplit(address)
        inner = parse_qs(parts.query).get("d")
    except ValueError:  # an address with half a bracket
        return address
    if inner:
        return inner[0]
    place = unquote(parts.path) if parts.scheme in _HOSTED else f"{parts.netloc}{unquote(parts.path)}"
    return _UPLOAD.sub("", place)


def _settle(result: Matches, left: dict[str, None]) -> None:
    for name in result.ids:
        left.pop(name, None)


def _take_same(result: Matches, left: Iterable[str], ids: Sequence[str], key: Callable[[str], str]) -> None:
    """Match the names whose key one free id alone has, and no other name."""
    taken = set(result.ids.values())
    wanted, offered = _unique(left, key), _unique((i for i in ids if i not in taken), key)
    result.ids |= {name: offered[text] for text, name in wanted.items() if text in offered}


def _unique(names: Iterable[str], key: Callable[[str], str]) -> dict[str, str]:
    """key -> name, for the keys that only one name has."""
    single: dict[str, str] = {}
    twice: set[str] = set()
    for name in names:
        text = key(name)
        if text in single:
            twice.add(text)
        elif text:
            single[text] = name
    return {text: name for text, name in single.items() if text not in twice}


# -- trailing parts ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Hit:
    """An id that ends as a name does: `before` are the name's folders before what both have ("" = none)."""

    instance_id: str
    before: str


def _take_trailing(result: Matches, left: list[str], ids: Sequence[str], root: str) -> None:
    hits, several = _hits(left, ids)
    is_whole = any(not _number(name) for name in result.ids)  # written as the source has them: others are elsewhere
    for name in several:
        result.missed[name] = f"{_shown(several[name])} end so"
    own = {name for name, hit in hits.items() if not hit.before or _folder(hit.before) == root}
    ours = Counter([*result.ids.values(), *(hits[name].instance_id for name in own)])
    taken = ours + Counter(hit.instance_id for name, hit in hits.items() if name not in own)
    foreign = {hit.before for name, hit in hits.items() if name not in own}
    refused = _refusal(foreign, root, bool(is_whole or any(hits[name].before for name in own)))
    for name, hit in hits.items():
        if (ours if name in own else taken)[hit.instance_id] > 1:
            result.missed[name] = f"another name means {display_safe(hit.instance_id, 60)} too"
        elif name in own or not refused:
            result.ids[name] = hit.instance_id
        else:
            result.missed[name] = refused
    used = [name for name in hits if name in result.ids and name not in own]
    if used:
        what = f"written in {display_safe(next(iter(foreign)), 60)}/, a folder that the source does not say"
        result.notes.append(f"{len(used):,} matched by what follows another folder: {what}")
    for name in left:
        if name not in result.ids:
            result.missed.setdefault(name, "none is called so")


def _refusal(foreign: Collection[str], root: str, is_mixed: bool) -> str:
    """Say why names with these folders before what they share with ids are not taken; "" where they are."""
    if is_mixed:
        return "others of the file are named as the source has them: this is another folder"
    if len(foreign) > 1:
        return f"the file writes several folders before it: {_shown([f'{name}/' for name in sorted(foreign)])}"
    if any(is_split_name(_folder(name)) and is_split_name(root) for name in foreign):
        return f"it is of another split than {display_safe(root, 40)}"
    return ""


def _hits(names: Sequence[str], ids: Sequence[str]) -> tuple[dict[str, _Hit], dict[str, list[str]]]:
    """The one id that ends as a name does, or is ended by it; and the ids of names that several do."""
    plain = [path_key(name) for name in names]
    whole: dict[str, list[str]] = {}
    wanted = {name for name in plain if 0 < len(name) <= _LONGEST}
    shorter: dict[str, list[str]] = {}
    # only endings as deep as one of the names: else every id would be cut at each of its slashes
    depths = {text.count("/") for text in wanted}
    for instance_id in ids:
        path = path_key(instance_id)
        for text in dict.fromkeys((path, _stem(path))):
            if len(text) > _LONGEST:
                continue
            whole.setdefault(text, []).append(instance_id)
            for ending in _endings(text, depths):
                if (
                    ending in wanted
                    and (text == path or _bare(ending))
                    and len(bearers := shorter.setdefault(ending, [])) < _NAMED
                ):
                    bearers.append(instance_id)
    hits: dict[str, _Hit] = {}
    several: dict[str, list[str]] = {}
    for name, path in zip(names, plain, strict=True):
        if len(path) > _LONGEST:
            continue
        ends = [_Hit(i, "") for i in dict.fromkeys(shorter.get(path, ()))] or _longer(path, whole)
        if len(ends) == 1:
            hits[name] = ends[0]
        elif ends:
            several[name] = [hit.instance_id for hit in ends]
    return hits, several


def _endings(text: str, depths: Collection[int]) -> Iterable[str]:
    """The trailing parts of a path that have as many folders as a name has, itself among them."""
    at = len(text)
    for folders in range(text.count("/") + 1):
        at = text.rfind("/", 0, at)
        if folders in depths:
            yield text[at + 1 :]


def _longer(path: str, whole: dict[str, list[str]]) -> list[_Hit]:
    """The ids that are whole at the end of `path`."""
    hits = []
    at = path.find("/")
    while at >= 0:
        ending = path[at + 1 :]
        ids = whole.get(ending) or whole.get(_bare(ending)) or []
        hits += [_Hit(instance_id, path[:at]) for instance_id in ids]
        at = path.find("/", at + 1)
    return hits[:_NAMED]


def path_key(name: str) -> str:
    """A path as names are compared: composed letters, forward slashes, no ``.``, ``..``, drive or root."""
    if not name.isascii():
        # macOS may hand out names with letters and accents apart
        name = unicodedata.normalize("NFC", _letters(name))
    text = name.strip().replace("\\", "/")
    text = _DRIVE.sub("", text, count=1) if _DRIVE.match(text) else text
    # only where there is something to take away: normpath() is slow for a million names
    if text.startswith(("/", ".")) or "//" in text or "/." in text:
        parts = posixpath.normpath(text).split("/") if text else []
        return "/".join(part for part in parts if part not in ("", ".", ".."))
    return text


def _letters(name: str) -> str:
    """A name that is no UTF-8 (an older file system's) as the tables of that time are read."""
    try:
        name.encode()
    except UnicodeEncodeError:
        is_bytes = all(not "\ud800" <= char <= "\udfff" or "\udc80" <= char <= "\udcff" for char in name)
        return name.encode("utf-8", "surrogateescape").decode("cp1252", "replace") if is_bytes else name
    return name


def _number(name: str) -> str:
    match = _ROW.fullmatch(name.strip()) if name.isascii() else None
    return match[1] if match else ""


def _bare(path: str) -> str:
    """`path` where its name has no ending, else ""."""
    return "" if has_image_ending(path) else path


def _stem(path: str) -> str:
    return os.path.splitext(path)[0] if has_image_ending(path) else path


def _folder(path: str) -> str:
    return path.rpartition("/")[2]


def _shown(names: Sequence[str]) -> str:
    return ", ".join(display_safe(name, 60) for name in names[:_NAMED]) + (", ..." if len(names) > _NAMED else "")
