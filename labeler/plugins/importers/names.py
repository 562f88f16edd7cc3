"""File names: which are images, which are passed over, and in which order a person expects them."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from labeler.core.pool import RowIds
from labeler.core.text import counted, display_safe, plain_text

IMAGE_ENDINGS = frozenset(
    f".{ending}"
    for ending in (
        *("png", "jpg", "jpeg", "jpe", "jfif", "bmp", "dib", "gif"),
        *("tif", "tiff", "webp", "pgm", "ppm", "pbm", "pnm", "avif", "heic", "heif", "hif"),
    )
)
"""Endings of the files that an image pool is made of (compared in lower case)."""

ENDINGS_IN_WORDS = "images end in png, jpg, bmp, gif, tif, webp, avif, heic, pgm or ppm"

_JUNK = frozenset(
    {
        *("thumbs.db", "ehthumbs.db", "ehthumbs_vista.db", "desktop.ini", "picasa.ini", "icon\r", "__macosx"),
        *("$recycle.bin", "recycler", "recycled", "system volume information", "found.000", "lost+found"),
        # of the disk stations of Synology and QNAP; the last is Python's
        *("@eadir", "#recycle", "#snapshot", "@tmp", "@recycle", "@recently-snapshot", "__pycache__"),
    }
)
"""What systems, disk stations and programs leave in folders (compared in lower case), beside all that is hidden."""
_OURS = re.compile(r"\.labeler\.(db.*|cache)$")
_ARCHIVE = re.compile(r"\.(?:zip|tar|tgz|tbz2?|txz|tar\.(?:gz|bz2|xz))$", re.IGNORECASE)
_DIGITS = re.compile(r"[0-9]+")
# t10k is how MNIST calls its test set, and the one name of a split with digits in it
_WORDS = re.compile(r"t10k|[^\W\d_]+")
# as row_ids() writes them: five digits or more
_ROW_OF = re.compile(r"([^/]+):\d{5,}")
_SPLITS = frozenset(
    {
        *("train", "training", "trainset", "test", "testing", "testset", "val", "valid", "validation", "dev"),
        *("eval", "evaluation", "holdout", "unsplit", "all", "t10k"),
    }
)
"""What folders of the parts of a data set are called."""
_CALLED = {
    **dict.fromkeys(("training", "trainset"), "train"),
    **dict.fromkeys(("testing", "testset", "t10k"), "test"),
    **dict.fromkeys(("valid", "validation", "dev"), "val"),
}


def is_archive(name: str) -> bool:
    """Whether `name` ends like a zip or tar, packed or not."""
    return _ARCHIVE.search(name) is not None


def has_image_ending(name: str) -> bool:
    """Whether `name` ends like an image this program reads."""
    return name[name.rfind(".") :].lower() in IMAGE_ENDINGS


def is_junk(name: str) -> bool:
    """Whether one part of a path is hidden, left behind by a file manager, or this program's own."""
    return name.startswith(".") or name.lower() in _JUNK or is_ours(name)


def is_ours(name: str) -> bool:
    """Whether a file is called like a project, its log or its cache."""
    return ".labeler." in name and _OURS.search(name) is not None


def junk_note(names: Mapping[str, int]) -> str:
    """One line that counts what :func:`is_junk` and was passed over (name -> how often), without our own; maybe ""."""
    counts: Counter[str] = Counter()
    for name, times in names.items():
        if not is_ours(name):
            counts["._*" if name.startswith("._") else name] += times
    if not counts:
        return ""
    often = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    few = ", ".join(f"{display_safe(name, 30)} {times:,}" for name, times in often[:6])
    lead = counted(counts.total(), "hidden or left-over file or folder", "hidden or left-over files and folders")
    return f"passed over {lead} ({few}{', ...' if len(counts) > 6 else ''})"


def natural_key(name: str) -> str:
    """Sort key that puts ``img2`` before ``img10``; names that differ only in zeros keep their plain order.

    A run of digits is led by its length, as text: one string a name sorts 70,000 names in a quarter of the time
    of tuples, and a run may be longer than `int` accepts.
    """
    return f"{_DIGITS.sub(_ranked, name)}\0{name}"


def _ranked(run: re.Match[str]) -> str:
    digits = run[0].lstrip("0")
    return f"0{chr(len(digits))}{digits}"


def row_ids(count: int, prefix: str = "") -> RowIds:
    """``00000``, ``00001``, ... (``train:00000`` with a prefix), wide enough that text order is row order."""
    return RowIds([(prefix, count)])


def classes_of_folders(ids: Iterable[str]) -> dict[str, str]:
    """id -> path of the folder it lies in (``Greek/character01``); ids at the top have none.

    Folders of a split (``train/circle``, ``circle/val``) are no part of the class. One folder around everything says
    nothing about classes: fewer than two different folders give no class. Bytes that are not UTF-8 become escapes,
    because a class name is stored and exported as text.
    """
    classes = {i: plain_text(name) for i, (_, name) in parted(ids).items() if name}
    return classes if len(set(classes.values())) > 1 else {}


def splits_of_ids(ids: Sequence[str]) -> dict[str, str]:
    """id -> split (``train``, ``val``, ``test``, ...) in whose folder it lies, or whose row it is (``train:00012``);
    empty where there are no two."""
    rows = {i: match[1] for i in ids if (match := _ROW_OF.fullmatch(i))}
    splits = {i: split_of(split) for i, split in rows.items() if is_split_name(split)}
    splits |= {i: split_of(split) for i, (split, _) in parted(ids).items() if split}
    return splits if len(set(splits.values())) > 1 else {}


def parted(ids: Iterable[str]) -> dict[str, tuple[str, str]]:
    """id -> (split, path of the class folder), for ids in folders; "" where there is none.

    Archives in a folder are no class (``shard-000.tar/1.jpg``), unless they are called differently (``cat.zip``). A
    level is one of splits where every folder there is called like one, the first below what all share or the last.
    """
    folders = {i: i.rpartition("/")[0] for i in ids if "/" in i}
    paths = _without_archives(dict.fromkeys(folders.values()))
    shared = _shared(list(paths.values()))
    parts_of: dict[str, tuple[str, str]] = {}
    level = _split_level(list(paths.values()), shared)
    for path, parts in paths.items():
        if level is None:
            parts_of[path] = "", "/".join(parts)
        elif level < 0:
            parts_of[path] = parts[-1], "/".join(parts[:-1])
        else:
            below = level + 1
            while len(parts) > below and parts[below] == parts[level]:
                below += 1  # archives of sets are often unpacked into a folder of their own name
            parts_of[path] = parts[level], "/".join(parts[below:])
    return {i: parts_of[path] for i, path in folders.items()}


def _without_archives(paths: Iterable[str]) -> dict[str, list[str]]:
    """path -> its folders; an archive among them is one only where it is a split's or called unlike the others."""
    parts = {path: path.split("/") for path in paths}
    stems = {part: _ARCHIVE.sub("", part) for some in parts.values() for part in some if _ARCHIVE.search(part)}
    if not stems:
        return parts
    is_class = not _alike(stems.values())
    plain = {part: stem for part, stem in stems.items() if is_class or is_split_name(stem)}
    for path, some in parts.items():
        named = [plain.get(part, part) for part in some if part not in stems or part in plain]
        parts[path] = [part for at, part in enumerate(named) if not at or part != named[at - 1]]
    return parts


def _shared(paths: list[list[str]]) -> int:
    """Count the folders that all paths begin with."""
    if len(paths) < 2:
        return 0
    # what the first and the last in order begin with, all between them begin with
    ends = min(paths), max(paths)
    return next((at for at, pair in enumerate(zip(*ends, strict=False)) if pair[0] != pair[1]), min(map(len, ends)))


def _split_level(paths: list[list[str]], shared: int) -> int | None:
    """Return where splits are: the index of their folders, -1 = the last ones, None = nowhere."""
    for level in range(shared, -1, -1):  # "train/" alone around everything is one, too
        at = {parts[level] for parts in paths if len(parts) > level}
        if at and all(map(is_split_name, at)) and all(len(parts) > level for parts in paths) and _alike(at):
            return level
    last = {parts[-1] if parts else "" for parts in paths}
    if len(last) > 1 and all(map(is_split_name, last)) and all(len(parts) > 1 for parts in paths):
        return -1
    return None


def split_of(name: str) -> str:
    """The split a folder stands for: ``train`` for ``seg_train``, ``val`` for ``Valid``; else its own word."""
    words = [word for word in _WORDS.findall(name.lower()) if word in _SPLITS]
    return _CALLED.get(words[0], words[0]) if words else ""


def is_split_name(name: str) -> bool:
    """Whether a folder is called like a part of a data set: ``train``, ``Validation``, ``seg_test``, ``val2017``."""
    return bool(_SPLITS.intersection(_WORDS.findall(name.lower())))


def _alike(names: Iterable[str]) -> bool:
    """Whether names differ in nothing but the split they name: ``seg_train`` and ``seg_test``, not two classes."""
    return len({tuple(w for w in _WORDS.findall(name.lower()) if w not in _SPLITS) for name in names}) == 1


def count_endings(names: Sequence[str]) -> str:
    """Summarize files by ending, the most frequent first: ``.txt 3, .csv 1, without ending 1``."""
    endings = Counter(os.path.splitext(name)[1].lower() or "without ending" for name in names)
    shown = [f"{display_safe(ending, 20)} {count:,}" for ending, count in endings.most_common(5)]
    return ", ".join(shown) + (", ..." if len(endings) > 5 else "")
