"""Whether what was labeled is still what its name says: files are replaced, renamed and sorted anew between sessions.

A label stays with the content it was given to. The content's hash is kept from when the source was read; where the
source has another fingerprint than last time, what was answered is read again and compared.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from labeler.core.errors import LabelerError
from labeler.core.pool import Pool
from labeler.core.text import counted, display_safe
from labeler.core.types import ByteArray
from labeler.plugins.importers.base import Source

MOST_AT_CLOSE = 2_000
"""Contents read at most when a session ends before its pool was read: the person waits for it."""


@dataclass(frozen=True, slots=True)
class Changes:
    """The fate of answered instances. `hashes` (n, 32) uint8: content as it is now, zeros where not known.

    `moved`: (index, index where its content is now); `replaced`: indices with another content, theirs is nowhere.
    """

    hashes: ByteArray
    moved: list[tuple[int, int]] = field(default_factory=list)
    replaced: list[int] = field(default_factory=list)

    @property
    def any(self) -> bool:
        """Whether anything changed."""
        return bool(self.moved or self.replaced)


def content_hash(source: Source, row: int) -> bytes | None:
    """The hash of one instance's content as it is now; None where it cannot be read."""
    try:
        return hashlib.sha256(source.content_bytes(row)).digest()
    except (LabelerError, OSError, ValueError):
        return None


def look(source: Source, ids: Sequence[str], answered: Iterable[int], hashes: ByteArray) -> Changes:
    """Compare the contents of `answered` indices of the pool `ids` with their `hashes` (n, 32), zeros = not known."""
    rows = Pool(source.ids)
    now: dict[int, bytes] = {}
    wanted: dict[bytes, list[int]] = {}
    settled: set[int] = set()
    for index in sorted(answered):
        before = hashes[index].tobytes()
        if not any(before):
            settled.add(index)  # nobody knows what it was
            continue
        row = rows.position(ids[index])
        content = content_hash(source, row) if row is not None else None
        if content is not None:
            now[index] = content
        if content == before:
            settled.add(index)
        else:
            wanted.setdefault(before, []).append(index)
    places = _find(source, ids, rows, wanted, settled, now) if wanted else {}
    out = np.zeros_like(hashes)
    for index in settled:
        out[index] = hashes[index]
    for index, content in now.items():
        out[index] = np.frombuffer(content, dtype=np.uint8)
    lost = [index for indices in wanted.values() for index in indices]
    replaced = sorted(index for index in lost if index in now)  # the others are missing, and their labels are kept
    for index in set(lost) - set(replaced):
        out[index] = hashes[index]
    for index, place in places.items():
        out[place] = hashes[index]
    return Changes(out, sorted(places.items()), replaced)


def _find(
    source: Source,
    ids: Sequence[str],
    rows: Pool,
    wanted: dict[bytes, list[int]],
    settled: set[int],
    now: dict[int, bytes],
) -> dict[int, int]:
    """Return where the contents in `wanted` are now, the youngest instances first; those found are taken out of it."""
    places: dict[int, int] = {}
    # first what was read already, then the newest: files that were renamed joined the pool last
    for place in sorted(set(range(len(ids))) - settled, key=lambda index: (index not in now, -index)):
        if not wanted:
            break
        row = rows.position(ids[place])
        if row is None:
            continue
        content = now.get(place) or content_hash(source, row)
        waiting = wanted.get(content or b"")
        if waiting and content is not None:
            places[waiting.pop(0)] = place
            if not waiting:
                del wanted[content]
    return places


def said_of(changes: Changes, ids: Sequence[str]) -> list[str]:
    """One line for each kind of change, safe to show."""
    lines = []
    if changes.moved:
        lead = counted(len(changes.moved), "answer")
        pairs = [f"{_named(ids[old])} is {_named(ids[new])} now" for old, new in changes.moved[:2]]
        lines.append(f"the source changed: {lead} went with the content to its new name ({', '.join(pairs)})")
    if changes.replaced:
        lead = counted(len(changes.replaced), "answer")
        names = ", ".join(_named(ids[index]) for index in changes.replaced[:3])
        lines.append(
            f"the source changed: {lead} set aside, what was labeled was replaced by something else ({names});"
            " asked anew; if it shows the same, undo takes this back"
        )
    return lines


def _named(name: str) -> str:
    return display_safe(name, 50)


def completed(source: Source, ids: Sequence[str], answered: Iterable[int], hashes: ByteArray) -> ByteArray | None:
    """`hashes` with the contents of answered instances that it lacks, the latest first; None where it has all."""
    lacking = [index for index in answered if not hashes[index].any()][-MOST_AT_CLOSE:]
    if not lacking:
        return None
    rows = Pool(source.ids)
    out = hashes.copy()
    for index in lacking:
        row = rows.position(ids[index])
        content = content_hash(source, row) if row is not None else None
        if content is not None:
            out[index] = np.frombuffer(content, dtype=np.uint8)
    return out
