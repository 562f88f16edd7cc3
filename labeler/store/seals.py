"""Whether what is stored is as it was written: SQLite keeps no checksum of its pages, so every row has a seal.

A flipped bit must not change a label in silence. An event's seal covers that of the event before it as well, so that a
row that is gone or out of order shows too; how many there were is what SQLite's own counter of the table says.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from labeler.store.rows import COLUMNS, EVENTS, FIRST, chain, seal


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
