"""The end of the journal of a project file, and whether another journal goes on from there.

An event's seal covers all events before it: two journals that have the same seal at a place are the same up to it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from labeler.store.open import explain_errors
from labeler.store.store import Store


@dataclass(frozen=True, slots=True)
class End:
    """An event of a journal by its place, its id and its seal; place 0 is before the first."""

    seq: int = 0
    event_id: str = ""
    seal: bytes = b""


def end_of(store: Store) -> End:
    """The last event of a journal."""
    with explain_errors(store.path):
        row = store._db.execute("SELECT seq, event_id, seal FROM events ORDER BY seq DESC LIMIT 1").fetchone()
    return _end(row) if row else End()


def ends_at(store: Store, places: Iterable[int]) -> dict[int, End]:
    """The events of a journal at some places, as far as it has them."""
    ends = {0: End()}
    with explain_errors(store.path):
        for seq in set(places) - {0}:
            row = store._db.execute("SELECT seq, event_id, seal FROM events WHERE seq = ?", [seq]).fetchone()
            if row:
                ends[seq] = _end(row)
    return ends


def n_instances(store: Store) -> int:
    """Return how many instances the pool has."""
    with explain_errors(store.path):
        return int(store._db.execute("SELECT COALESCE(SUM(count), 0) FROM pool").fetchone()[0])


def _end(row: tuple[object, ...]) -> End:
    seq, event_id, seal = row
    return End(int(str(seq)), str(event_id), seal if isinstance(seal, bytes) else b"")
