"""The manifest of an export: what it says of the rows, the files and their hashes, and how it is written."""

from __future__ import annotations

import math
import os
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

import labeler
from labeler.core.files import Draft
from labeler.core.text import escaped, json_text
from labeler.plugins.exporters.base import ExportRows
from labeler.plugins.exporters.data_card import CARD, card
from labeler.plugins.exporters.earlier_export import MANIFEST, TOOL, sha256_of


def manifest_of(rows: ExportRows, given: dict[str, Any], counts: dict[str, int], warnings: list[str]) -> dict[str, Any]:
    """Return the manifest of `rows`: what the caller has `given`, and what is the same for every export."""
    own = {
        "tool": TOOL,
        "classes": rows.class_names,
        "counts": {
            "total": len(rows.ids),
            "classes": dict.fromkeys(rows.class_names, 0) | counts,
            "provenance": dict(Counter(rows.provenances)),
            "class_provenance": _by_class_and_provenance(rows),
            "splits": dict(Counter(filter(None, rows.splits))),  # "" is no split
        },
        "warnings": warnings,
    }
    defaults: dict[str, Any] = {"version": labeler.__version__, "seed": None, "configuration": {}, "certificate": None}
    # in this order: what an export says of itself cannot be given from outside
    document: dict[str, Any] = plain(defaults | given | own)
    return document


def describe(draft: Draft, rows: ExportRows, target: Path, document: dict[str, Any]) -> None:
    """Write the manifest of an export and its data card: into a folder, beside a file (the card in the manifest)."""
    text = card(document, rows)
    inside = draft.path.is_dir()
    if inside:
        (draft.path / CARD).write_text(text, encoding="utf-8", newline="\n")
    else:
        document["card"] = text
    # last, as the card is one of the files that are hashed
    document |= _hashes(draft.path, target.name)
    write_json(draft.path / MANIFEST if inside else draft.beside, document)


def plain(value: Any) -> Any:
    """Return `value` as JSON can hold it: paths and numpy's numbers converted, NaN to null, texts escaped."""
    if isinstance(value, Mapping):
        return {escaped(str(key)): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, (np.generic, np.ndarray)):
        return plain(value.tolist())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if value is None or isinstance(value, (bool, int, float)):
        return value
    return escaped(str(value))


def write_json(path: Path, document: dict[str, Any]) -> None:
    """Write a manifest so that the same one is the same bytes: keys sorted, line ends of no system."""
    path.write_text(json_text(document, pretty=True) + "\n", encoding="utf-8", newline="\n")


def by_class(rows: ExportRows) -> dict[str, int]:
    """Count the rows of each class that has any."""
    return dict(Counter(rows.class_names[index] for index in rows.class_indices.tolist()))


def _by_class_and_provenance(rows: ExportRows) -> dict[str, dict[str, int]]:
    counts: dict[str, dict[str, int]] = {}
    for index, word in zip(rows.class_indices.tolist(), rows.provenances, strict=True):
        words = counts.setdefault(rows.class_names[index], {})
        words[word] = words.get(word, 0) + 1
    return counts


def _hashes(new: Path, name: str) -> dict[str, dict[str, str]]:
    """``files``: sha256 of the one file under the `name` it will have, or of all in the folder by relative path; and
    ``links`` where there are any: where they lead.
    """
    if not new.is_dir():
        return {"files": {name: sha256_of(new)}}
    hashes: dict[str, str] = {}
    links: dict[str, str] = {}
    for folder, _, names in os.walk(new, onerror=_raise):  # no list of paths: for a million files that is a gigabyte
        root = Path(folder)
        place = root.relative_to(new).as_posix()
        for base in names:
            path, shown = root / base, base if root == new else f"{place}/{base}"
            hashes[shown] = sha256_of(path)
            if path.is_symlink():
                links[shown] = escaped(os.readlink(path))
    return {"files": hashes, "links": links} if links else {"files": hashes}


def _raise(error: OSError) -> None:
    raise error
