"""Digests beside rows: SQLite keeps no checksum of its pages, and a flipped bit must not change a label in silence.

A row's seal is a digest of its values. An event's covers the seal of the event before it as well, so that a row that is
gone or out of order shows too; how many there were is what SQLite's own counter of the table says.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from typing import Any

COLUMNS: dict[str, tuple[str, ...]] = {
    "project": ("key", "value"),
    "pool": ("start", "count", "ids", "joined_at"),
    "rounds": ("round", "revision", "facts"),
    "arrays": ("owner", "name", "dtype", "shape", "data"),
    "frozen": ("audit", "name", "dtype", "shape", "data"),
    "question": ("only_row", "value"),
}
"""The tables whose rows are sealed one by one, with the columns that a seal covers."""
EVENT_COLUMNS = ("event_id", "kind", "at", "annotator", "instance", "class_id", "target", "payload")
EVENTS = ", ".join(EVENT_COLUMNS)
"""The same, as SQL lists them."""
FIRST = b""
"""What the first event follows."""
_SIZE = 16  # against accidents, not against people, who could compute any seal: 128 bits will do


def seal(values: Sequence[Any]) -> bytes:
    """The digest (16 bytes) of a row's values as SQLite hands them out: None, int, float, str, bytes.

    They are written with :func:`ascii`, which is the same in every version of Python; blobs are taken as they are.
    """
    written = [("blob", len(value)) if isinstance(value, bytes) else value for value in values]
    digest = hashlib.blake2b(ascii(written).encode("ascii"), digest_size=_SIZE)
    for value in values:
        if isinstance(value, bytes):
            digest.update(value)
    return digest.digest()


def chain(before: bytes, seq: int, values: Sequence[Any]) -> bytes:
    """The seal of the event at `seq` with the values of :data:`EVENT_COLUMNS`, after one whose seal is `before`."""
    return hashlib.blake2b(before + ascii((seq, *values)).encode("ascii"), digest_size=_SIZE).digest()


def seal_all(db: Any) -> None:
    """Seal every row there is, as it stands."""
    for table, columns in COLUMNS.items():
        for rowid, *values in db.execute(f"SELECT rowid, {', '.join(columns)} FROM {table}").fetchall():  # noqa: S608
            db.execute(f"UPDATE {table} SET seal = ? WHERE rowid = ?", [seal(values), rowid])  # noqa: S608
    before = FIRST
    for seq, *values in db.execute(f"SELECT seq, {EVENTS} FROM events ORDER BY seq").fetchall():  # noqa: S608
        before = chain(before, seq, values)
        db.execute("UPDATE events SET seal = ? WHERE seq = ?", [before, seq])


def events_of(db: Any) -> Iterator[tuple[tuple[Any, ...], bool, bool]]:
    """Every event's (seq, values...) in order, whether its seal holds and whether it is as it was written; a last (0,)
    where the last ones are gone.

    Where only the seal is damaged, that of the next event proves the row: it rests on the seal this row would have.
    Else the next is held against the seal that stands in the row: one damaged row is one.
    """
    # the counter first: a writer may go on while we read
    counter = db.execute("SELECT seq FROM sqlite_sequence WHERE name = 'events'").fetchone()
    before, seq = FIRST, 0
    doubtful: tuple[tuple[Any, ...], bytes] | None = None  # a row and the seal it would have
    for seq, *values, stored in db.execute(f"SELECT seq, {EVENTS}, seal FROM events ORDER BY seq"):  # noqa: S608
        if doubtful is not None:
            proven = stored == chain(doubtful[1], seq, values)
            yield doubtful[0], False, proven
            before, doubtful = doubtful[1] if proven else before, None
        own = chain(before, seq, values)
        if stored == own:
            yield (seq, *values), True, True
        else:
            doubtful = (seq, *values), own
        before = stored if isinstance(stored, bytes) else FIRST
    if doubtful is not None:
        yield doubtful[0], False, False
    if counter is not None and counter[0] != seq and not (isinstance(counter[0], int) and counter[0] < seq):
        yield (0,), False, False


def next_event(db: Any, values: Sequence[Any]) -> tuple[Any, ...]:
    """(seq, values..., seal) of the event that comes next. To be asked in the transaction that writes it."""
    last = db.execute("SELECT seq, seal FROM events ORDER BY seq DESC LIMIT 1").fetchone()
    seq, before = (last[0] + 1, last[1]) if last else (1, FIRST)
    return (seq, *values, chain(before, seq, values))


def damaged(db: Any) -> list[str]:
    """Return the rows that are not as they were written, in words."""
    lines = []
    for table, columns in COLUMNS.items():
        for *values, given in db.execute(f"SELECT {', '.join(columns)}, seal FROM {table}"):  # noqa: S608
            if given != seal(values):
                lines.append(f"{table} {' '.join(str(value)[:40] for value in values[:2] if not _is_long(value))}")
    for (seq, *_), sealed, _ in events_of(db):
        if not sealed:
            lines.append(f"event {seq} of the journal" if seq else "the last events of the journal are gone")
    return lines


def _is_long(value: Any) -> bool:
    return isinstance(value, bytes) or (isinstance(value, str) and len(value) > 100)
