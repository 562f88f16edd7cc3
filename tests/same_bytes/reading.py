"""What of an export are labels: ids, classes, provenance, rounds; never what a numeric library rounds its own way."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

LEFT_OUT = frozenset({"confidence", "weight", "score", "tier", "cluster", "source", "model_version"})
"""Columns and keys that rest on floats, what follows from them by little, and the version of the program."""
IMAGES = frozenset({".ppm", ".png"})


def labels_digest(folder: Path, place: Path) -> str:
    """A digest of everything below an exported case that is labels, by file; `place` is where the project lies."""
    digest = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        labels = labels_in(path)
        if labels is not None:
            part = json.dumps(labels, ensure_ascii=False, sort_keys=True).replace(str(place.resolve()), "FOLDER")
            digest.update(f"{path.relative_to(folder).as_posix()} {part}\n".encode("utf-8", "surrogatepass"))
    return digest.hexdigest()


def labels_in(path: Path) -> Any:
    """The labels in one file as JSON can hold them; None where it holds none (a manifest, a card, what was said)."""
    if path.name.endswith("manifest.json") or path.name == "standard error":
        return None
    if path.suffix in IMAGES:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    if path.suffix == ".npz":
        with np.load(path) as arrays:
            return {name: array.tolist() for name in sorted(arrays) if (array := arrays[name]).dtype.kind in "iuUSb"}
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".csv" or text.startswith("path,label,"):
        return [_labels_alone(row) for row in csv.DictReader(io.StringIO(text, newline=""))]
    if path.suffix == ".json":
        return _labels_alone(json.loads(text))
    if path.suffix == ".jsonl" or text.startswith("{"):
        return [_labels_alone(json.loads(line)) for line in text.splitlines()]
    return text if path.name in ("classes.txt", "exit code") else None


def _labels_alone(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _labels_alone(item) for name, item in value.items() if name not in LEFT_OUT}
    if isinstance(value, list):
        return [_labels_alone(item) for item in value]
    return None if isinstance(value, float) else value


def differences(before: Path, after: Path) -> Iterator[str]:
    """One line for each file below two folders that is not the same to the byte, with where it differs first."""
    names = {path.relative_to(side).as_posix() for side in (before, after) for path in side.rglob("*")}
    for name in sorted(names):
        old, new = before / name, after / name
        if old.is_dir() and new.is_dir():
            continue
        if not old.exists() or not new.exists():
            yield f"{name}: only {'before' if old.exists() else 'after'}"
        elif old.is_dir() or new.is_dir():
            yield f"{name}: a folder in one alone"
        elif old.read_bytes() != new.read_bytes():
            yield f"{name}: {_where(old, new)}"


def _where(old: Path, new: Path) -> str:
    if old.suffix == ".npz":
        return _where_arrays(old, new)
    lines = [path.read_bytes().splitlines() for path in (old, new)]
    for number, (first, second) in enumerate(zip(*lines, strict=False), 1):
        if first != second:
            at = next((i for i, (a, b) in enumerate(zip(first, second, strict=False)) if a != b), 0)
            shown = [line[max(at - 60, 0) : at + 60].decode("utf-8", "replace") for line in (first, second)]
            return f"line {number}, byte {at}\n    before ...{shown[0]}...\n    after  ...{shown[1]}..."
    return f"{len(lines[0])} and {len(lines[1])} lines, alike as far as both go"


def _where_arrays(old: Path, new: Path) -> str:
    with np.load(old) as before, np.load(new) as after:
        parts = [f"only in one: {name}" for name in sorted(set(before) ^ set(after))]
        for name in sorted(set(before) & set(after)):
            a, b = before[name], after[name]
            if a.dtype != b.dtype or a.shape != b.shape:
                parts.append(f"{name} {a.dtype}{a.shape} and {b.dtype}{b.shape}")
            elif a.tobytes() != b.tobytes():
                most = f" by up to {np.abs(a - b).max():.3g}" if a.dtype.kind == "f" else ""
                parts.append(f"{name} differs in {int((a != b).sum())} of {a.size}{most}")
    return "; ".join(parts) or "the arrays are the same, the file is not"
