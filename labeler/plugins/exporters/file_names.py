"""Any string -> a folder or file name that is safe on every common file system, distinct from its siblings."""

from __future__ import annotations

import hashlib
import itertools
import re
import unicodedata
from collections import Counter
from collections.abc import Collection, Sequence

LIMIT = 120  # bytes of a name: half of what file systems take, so that a whole path fits as well

_FORBIDDEN = frozenset('/\\<>:"|?*')
# Unicode's categories: controls, formats, surrogates, private, unassigned, ends of lines and paragraphs
_INVISIBLE = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")
# devices of Windows, which it sees in names with any ending, and takes superscript digits for digits
_RESERVED = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9¹²³])[ ]*(\..*)?$", re.IGNORECASE)


def safe_name(text: str, limit: int = LIMIT) -> str:
    """Return one path component for `text`: `text` itself wherever that is safe, never empty, "." or "..".

    Separators, what Windows forbids and invisible characters become ``_``, as do leading dots and spaces and
    trailing ones; reserved device names get a ``_`` in front; at most `limit` bytes of UTF-8, the file ending kept.
    """
    name = "".join("_" if char in _FORBIDDEN or unicodedata.category(char) in _INVISIBLE else char for char in text)
    name = re.sub(r"^[. ]+|[. ]+$", lambda match: "_" * len(match[0]), _shortened(name, limit))
    if _RESERVED.match(name):
        name = _shortened(f"_{name}", limit)
    return name or "_"


def safe_folder_names(texts: Sequence[str], taken: Collection[str] = ()) -> list[str]:
    """Return a folder name for every text, no two alike where upper and lower case or NFC and NFD are one.

    Texts that are safe keep their name before others are given theirs; a clash gets ``~2``, ``~3``, ... in order.
    `taken` are names that none may have. The result depends on `texts` alone.
    """
    used = {_key(name) for name in taken}
    result: dict[int, str] = {}
    for position, text in enumerate(texts):
        if safe_name(text) == text and _key(text) not in used:
            used.add(_key(text))
            result[position] = text
    for position, text in enumerate(texts):
        if position in result:
            continue
        base = safe_name(text, LIMIT - 8)  # room for ~2, ~3, ...
        numbered = (f"{base}~{number}" for number in itertools.count(2))
        result[position] = _first_free(itertools.chain([base], numbered), used)
    return [result[position] for position in range(len(texts))]


def safe_file_names(ids: Sequence[str], names: Sequence[str]) -> list[str]:
    """Return a file name for every instance of one folder; `names` (same length) are the names they would like.

    Names that are wanted more than once all get ``-`` and eight digits of the hash of their id before the ending,
    so that an instance keeps its name whoever its neighbors are.
    """
    wanted = [safe_name(name, LIMIT - 20) for name in names]  # room for a hash and a number
    times = Counter(map(_key, wanted))
    used = {key for key, number in times.items() if number == 1}
    return [
        name if times[_key(name)] == 1 else _first_free(_hashed(name, instance_id), used)
        for instance_id, name in zip(ids, wanted, strict=True)
    ]


def _hashed(name: str, instance_id: str) -> itertools.chain[str]:
    stem, ending = _split_ending(name)
    stem = f"{stem}-{hashlib.sha256(instance_id.encode('utf-8', 'surrogatepass')).hexdigest()[:8]}"
    return itertools.chain([stem + ending], (f"{stem}~{number}{ending}" for number in itertools.count(2)))


def _first_free(candidates: itertools.chain[str], used: set[str]) -> str:
    for name in candidates:
        if _key(name) not in used:
            used.add(_key(name))
            return name
    raise AssertionError("endless")  # pragma: no cover


def _key(name: str) -> str:
    """Equal for names that some file system takes for one."""
    # twice, as casefold() may take a letter and its accent apart
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


def _shortened(name: str, limit: int) -> str:
    if len(name.encode()) <= limit:
        return name
    stem, ending = _split_ending(name)
    # the cut may go through a letter of several bytes: what is left of it goes, too
    return stem.encode()[: limit - len(ending.encode())].decode(errors="ignore") + ending


def _split_ending(name: str) -> tuple[str, str]:
    stem, dot, ending = name.rpartition(".")
    # more than eight letters after a point are a part of the name
    return (stem, f".{ending}") if dot and stem and ending.isascii() and 0 < len(ending) <= 8 else (name, "")
