"""Labels that lie beside images under the same key, as WebDataset keeps them: ``0001.jpg`` and ``0001.cls``."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar

from labeler.core.errors import UnreadableInstance
from labeler.core.text import counted, plain_text
from labeler.plugins.importers.label_words import LabelWords

ENDINGS = ("cls", "cls.txt", "label", "class", "json", "txt")
"""Of files that may say the class of an image, the surest first. A text may be a caption, JSON hold no label."""
# a class is a word; JSON around it may be longer, and what is longer still is something else
MAX_BYTES = 1 << 16
_KEYS = ("label", "class", "class_name", "classname", "cls", "category", "target")
_LONGEST = 100
"""Characters of a class: what is longer is a caption."""
_FEW = 10
# a line of YOLO is about a part of the image
_BOX = re.compile(r"\d+(\s+-?\d*\.?\d+(e-?\d+)?){4,}", re.IGNORECASE)
Place = TypeVar("Place")


def key_of(name: str) -> str:
    """``a/0001`` for ``a/0001.seg.png``: the path up to the first dot of its last part."""
    folder, slash, base = name.rpartition("/")
    return f"{folder}{slash}{base.partition('.')[0]}"


def ending_of(name: str) -> str:
    """``cls`` for ``a/0001.cls``, in lower case; "" where the name has none."""
    return name.rpartition("/")[2].partition(".")[2].lower()


def may_be_label(name: str, size: int) -> bool:
    """Whether a file could be the label of a sample."""
    return size <= MAX_BYTES and ending_of(name) in ENDINGS


def sample_labels(
    images: Iterable[str], beside: Mapping[str, Place], read: Callable[[Place], bytes]
) -> tuple[dict[str, str], list[str]]:
    """(image -> class by the files beside it, notes): of one ending for all, the first of ENDINGS that says something.

    Parameters
    ----------
    images
        Names of the images.
    beside
        Name -> place of the files that :func:`may_be_label`.
    read
        The bytes of a place; may raise UnreadableInstance.
    """
    by_ending: dict[str, dict[str, Place]] = {}
    for name, place in beside.items():
        by_ending.setdefault(ending_of(name), {})[key_of(name)] = place
    names = list(images)
    notes: list[str] = []
    for ending in ENDINGS:
        places = by_ending.get(ending, {})
        wanted = {name: places[key] for name in names if (key := key_of(name)) in places}
        if not wanted:
            continue
        words = LabelWords()
        labels = {name: label for name, place in wanted.items() if (label := _label(place, ending, read, words))}
        # only .txt may be anything: .cls and .label are called after what they hold
        if ending == "txt" and _are_captions(list(labels.values())):
            notes.append(f"the .txt beside {counted(len(wanted), 'image')} are captions or boxes, no classes")
            continue
        if labels:
            without = len(names) - len(labels)
            lead = counted(without, "image has", "images have")
            return labels, [*notes, *([f"{lead} no label in a .{ending} beside"] if without else [])]
    return {}, notes


def _label(place: Place, ending: str, read: Callable[[Place], bytes], words: LabelWords) -> str:
    try:
        text = read(place).decode("utf-8", "backslashreplace").removeprefix("\ufeff").strip()
    except UnreadableInstance:
        return ""
    if ending != "json":
        return words.text(plain_text(text))
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return ""
    if isinstance(value, dict):
        named = {str(key).lower(): entry for key, entry in value.items()}
        value = next((named[key] for key in _KEYS if key in named), None)
    return words.text(value) if isinstance(value, (str, int, float)) else ""


def _are_captions(texts: list[str]) -> bool:
    """Whether texts say something else of nearly each image, or more than a name: a sentence, boxes."""
    if any(len(text) > _LONGEST or "\n" in text or _BOX.fullmatch(text) for text in texts):
        return True
    return len(texts) > _FEW and len(set(texts)) * 2 > len(texts)
