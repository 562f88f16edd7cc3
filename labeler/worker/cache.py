"""The cache of a project: its entries carry in their names what they were made of, so that nothing outdated is read."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from labeler.core.errors import LabelerError, ProjectError
from labeler.core.files import sweep, whole
from labeler.plugins import registry
from labeler.plugins.encoders.base import Encoder
from labeler.plugins.importers.base import Source
from labeler.plugins.importers.scaling import ValueRange
from labeler.plugins.registry import Spec
from labeler.worker.mapped_file import is_full
from labeler.worker.row_log import is_log

STORE_VERSION = 3
"""Raised where images are stored another way: what older versions left is made anew."""
IMAGE_ENTRIES = ("images.npy", "hashes.npy", "unreadable.json")
LOG_ENTRY = "rows-"


@dataclass(frozen=True, slots=True)
class Entries:
    """The contents of a cache: names of the entries for a source as it is now, name -> bytes of those for another state
    of it or another encoder, and name -> why of those that are not whole."""

    current: list[str]
    other: dict[str, int]
    broken: dict[str, str]


def entries(source: Source, ids: Sequence[str], cache: Path, chosen: str) -> Entries:
    """Hold what lies in a cache against the source and the encoders there are; `chosen`: one with its parameters."""
    key = key_of(source, ids)
    names = {f"{name}-{key}" for name in IMAGE_ENTRIES}
    for spec in (*registry.names("encoder"), *([chosen] if chosen else [])):
        parsed = registry.parse_spec(spec)
        with suppress(LabelerError):  # not installed, or it needs a model's file: what it left is told by no name
            version = version_of_class(parsed)  # to make it may load a library that ends this process
            names.add(features_entry(key, parsed, version or registry.create("encoder", parsed).version))
    contents = Entries([], {}, {})
    for path in sorted(cache.iterdir()):
        if not path.name.startswith((*IMAGE_ENTRIES, "features-", LOG_ENTRY)):
            continue
        ours = path.name in names or path.name.startswith(LOG_ENTRY)  # by content: of any state of the source
        if why := why_broken(path, len(ids) if ours else None):
            contents.broken[path.name] = why
        elif ours:
            contents.current.append(path.name)
        else:
            contents.other[path.name] = path.stat().st_size
    return contents


def why_broken(path: Path, n: int | None) -> str:
    """Return why an entry (of `n` instances, where that is known) is not whole; "" where it is."""
    try:
        if path.name.startswith(LOG_ENTRY):
            return "" if is_log(path) else "is none of ours"
        if path.name.startswith("unreadable"):
            reasons = json.loads(path.read_text())
            needed = {"unreadable", "blank"} if n is not None else set()  # older versions wrote the reasons alone
            return "" if isinstance(reasons, dict) and needed <= reasons.keys() else "is none of ours"
        shape = np.load(path, mmap_mode="r").shape  # mapped: its head is read alone, however large it is
        return "" if n is None or shape[0] == n else f"has {shape[0]:,} rows for {n:,} instances"
    except FileNotFoundError:
        return "is gone"
    except (OSError, ValueError, EOFError, IndexError):
        return "is not whole"


def key_of(source: Source, ids: Sequence[str]) -> str:
    """Return what tells the pool of a source, as it is now and is read now, from all others."""
    shown: ValueRange | None = getattr(source, "shown", None)  # not of the content, but of what is made of it
    by = [shown.text] if shown is not None else []
    return digest(source.fingerprint(), len(ids), digest(*ids), STORE_VERSION, *by)


def features_entry(key: str, spec: Spec, version: int) -> str:
    """Return the name of the features of a pool (by :func:`key_of`) by one encoder of a version."""
    return f"features-{digest(key, str(spec), version)}.npy"


def version_of_class(spec: Spec) -> int | None:
    """Return the version of an encoder if its class says it, so that none is made. Raises UsageError, MissingExtra."""
    version: object = getattr(registry.load("encoder", spec.name), "version", None)
    return version if isinstance(version, int) else None


def rows_entry(spec: Spec, encoder: Encoder, *seen: Any) -> str:
    """Return the name of the log of an encoder's features by content; `seen`: how it comes to see content."""
    return f"{LOG_ENTRY}{digest(str(spec), encoder.version, STORE_VERSION, *seen)}.log"


def make_folder(cache: Path) -> None:
    """Make the folder where it is not there, and clear what a killed process left; raises ProjectError."""
    try:
        cache.mkdir(parents=True, exist_ok=True)
        sweep(cache)
    except OSError as error:
        raise ProjectError(
            f"cannot write the cache {cache}: {error.strerror}", "make room, or move what is in the way"
        ) from error


@contextmanager
def writing(path: Path) -> Iterator[Path]:
    """Yield the draft of an entry, as :func:`labeler.core.files.whole`.

    Raises
    ------
    ProjectError
        The disk is full.
    OSError
        Whatever else is wrong with it.
    """
    try:
        with whole(path) as draft:
            yield draft
    except OSError as error:
        if not is_full(error):
            raise
        what = f"there is no room for the cache: {error.strerror}"
        raise ProjectError(what, f"make room on the disk of {path.parent}") from error


def digest(*parts: Any) -> str:
    """Return a name that differs where any of the parts does."""
    running = RunningDigest()
    running.update(parts)
    return running.hexdigest()


class RunningDigest:
    """The :func:`digest` of parts that come one after another."""

    def __init__(self) -> None:
        # 24 letters: short names, and no two of a project alike by chance
        self._hashed = hashlib.blake2b(digest_size=12)

    def update(self, parts: Iterable[Any]) -> None:
        """Add further parts."""
        for part in parts:
            # a NUL between the parts, or "ab" + "c" and "a" + "bc" had one name; names of files may be no UTF-8
            self._hashed.update(os.fsencode(str(part)) + b"\0")

    def hexdigest(self) -> str:
        """Return the digest of all parts by now."""
        return self._hashed.hexdigest()
