"""Project files that somebody made on purpose: each a sound one, bent in one place, with all seals computed anew."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from labeler.store import rows, seals
from labeler.store.settings import OPTIONS

DEEP = "[" * 100_000 + "]" * 100_000
DEEP_OBJECTS = '{"a":' * 5_000 + "1" + "}" * 5_000
LONG_NUMBER = "9" * 5_000
ODD_JSON = (
    *(DEEP, DEEP_OBJECTS, LONG_NUMBER, "9" * 400, "-" + "9" * 30, "1e999", "NaN", "-Infinity", "[1e999]"),
    *("[]", "{}", "null", "true", "7", "-1", "0.5", '"x"', '"\\u0000"', '"\\ud800"', "[[]]", '{"": null}', "", "{"),
    *('["a", "b"]', '{"path": 1, "relative": 2}', '{"path": "a\\u0000b", "relative": "."}', '"' + "x" * 200_000 + '"'),
)
"""What a cell that should hold JSON may hold."""
ODD_CELLS: tuple[Any, ...] = (
    *(None, -1, 0, 2**62, 2**63 - 1, -(2**63), 1e300, float("inf"), 0.5, "", "x", "\0", "9" * 5_000, b"", b"\xff\0x"),
)
"""What any cell may hold where SQLite lets it."""
ODD_DTYPES = (
    "O",
    "|O",
    "|O8",
    "<M8[ns]",
    "<m8",
    "V8",
    "|V0",
    "<U0",
    "|S1",
    "<U4",
    ">i4",
    "<c16",
    "i4,i4",
    "<f16",
    "x",
    "",
)
ODD_SHAPES = ("[1000000000000]", "[-1]", "[-1, 0]", "[1, 1, 1, 1, 1, 1]", "{}", "7", "null", "[0.5]", '["a"]', "[true]",
              "[0]", "[100, 0, 99999999999999999999]", DEEP, LONG_NUMBER)  # fmt: skip
DERIVED = (
    *("labels", "provenances", "tiers", "sources", "clusters", "scores", "representatives", "runner_ups", "foreign"),
    *("seconds", "doubts", "queue.indices", "queue.guesses", "queue.rules", "queue.margins"),
)
SCHEMAS = {
    "an endless view": (
        "ALTER TABLE events RENAME TO hidden",
        "CREATE VIEW events AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i AS seq,"
        " 'x' AS event_id, 'label' AS kind, 0.0 AS at, '' AS annotator, NULL AS instance, 0 AS class_id,"
        " NULL AS target, '{}' AS payload, x'00' AS seal FROM n WHERE i < 0",
    ),
    "an endless view of the pool": (
        "DROP TABLE pool",
        "CREATE VIEW pool AS WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n)"
        " SELECT i AS start, 1 AS count, x'61' AS ids, 0 AS joined_at, x'00' AS seal FROM n WHERE i < 0",
    ),
    "a trigger": ("CREATE TRIGGER t AFTER INSERT ON events BEGIN DELETE FROM events WHERE seq < new.seq; END",),
    "a trigger on the project": ("CREATE TRIGGER t AFTER INSERT ON project BEGIN UPDATE pool SET count = 0; END",),
    "a virtual table": ("CREATE VIRTUAL TABLE words USING fts5(word)",),
    "one of another module": ("CREATE VIRTUAL TABLE places USING rtree(id, low, high)",),
    "a computed column": ("ALTER TABLE project ADD COLUMN more TEXT AS (hex(zeroblob(1000000)))",),
    "an index of an expression": ("CREATE INDEX i ON events (length(hex(zeroblob(1000000))))",),
    "a partial index": ("CREATE INDEX i ON events (seq) WHERE kind = 'label'",),
    "another order of text": ("CREATE INDEX i ON events (kind COLLATE NOCASE)",),
    "a table more": ("CREATE TABLE more (x CHECK (length(hex(zeroblob(x))) > 0))",),
    "a table fewer": ("DROP TABLE question",),
    "no journal": ("DROP TABLE events",),
    "another column": ("ALTER TABLE arrays RENAME COLUMN data TO other",),
}  # fmt: skip


@dataclass(frozen=True)
class Hostile:
    """A kind of hostile file: `make` bends the copy of a sound project at a path."""

    name: str
    make: Callable[[Path], None]


def bent(path: Path, *statements: str | tuple[str, tuple[Any, ...]], sealed: bool = True) -> None:
    """Run statements on a project file as its maker would, and seal what there is."""
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("PRAGMA ignore_check_constraints = ON")
        for statement in statements:
            sql, values = (statement, ()) if isinstance(statement, str) else statement
            db.execute(sql, values)
        if sealed:
            seals.seal_all(db)


def _set(table: str, column: str, value: Any, where: str) -> Callable[[Path], None]:
    return lambda path: bent(path, (f"UPDATE OR REPLACE {table} SET {column} = ? WHERE {where}", (value,)))


def _put(key: str, text: str) -> Callable[[Path], None]:
    return lambda path: bent(path, ("INSERT OR REPLACE INTO project VALUES (?, ?, NULL)", (key, text)))


def json_cells() -> Iterator[Hostile]:
    """Every cell of JSON holds something else."""
    kinds = ("label", "page", "import", "audit_begin", "audit_answer", "class_add", "setting", "unsure", "undo")
    for number, text in enumerate(ODD_JSON):
        for key in ("source", "options", "created", "fingerprint", "backup", "own", "left_out"):
            yield Hostile(f"{key} is odd {number}", _put(key, text))
        for kind in kinds:
            last = f"seq = (SELECT MAX(seq) FROM events WHERE kind = '{kind}')"
            yield Hostile(f"the payload of {kind} is odd {number}", _set("events", "payload", text, last))
        yield Hostile(f"the question is odd {number}", _set("question", "value", text, "1"))
        yield Hostile(f"facts are odd {number}", _set("rounds", "facts", text, "1"))


def fields() -> Iterator[Hostile]:
    """Every field of a JSON object holds something else."""
    values = ("[]", "{}", "null", "true", "-1", "1e300", str(2**62), '"x"', '"\\ud800"', '["a"]', "[[1, 2]]")
    kinds = ("label", "page", "import", "audit_begin", "audit_answer", "class_add", "setting")
    for value in values:
        for option in OPTIONS:
            yield Hostile(f"option {option} = {value}", _put("options", f'{{"{option}": {value}}}'))
        for kind, table, column, where in (
            ("question", "question", "value", "1"),
            ("facts", "rounds", "facts", "1"),
            *((k, "events", "payload", f"kind = '{k}'") for k in kinds),
        ):
            yield Hostile(f"all of {kind} = {value}", _each_field(table, column, where, value))


def _each_field(table: str, column: str, where: str, value: str) -> Callable[[Path], None]:
    """Each of the fields of the last such row, in a row of its own where there are several rows."""

    def make(path: Path) -> None:
        with closing(sqlite3.connect(path, isolation_level=None)) as db:
            rows = db.execute(f"SELECT rowid, {column} FROM {table} WHERE {where} ORDER BY rowid DESC").fetchall()
            for place, (rowid, text) in enumerate(rows):
                fields = json.loads(text) or {}
                names = sorted(fields)
                if not names:
                    continue
                fields[names[place % len(names)]] = "@"
                packed = json.dumps(fields).replace('"@"', value)
                db.execute(f"UPDATE {table} SET {column} = ? WHERE rowid = ?", (packed, rowid))
            seals.seal_all(db)

    return make


def arrays() -> Iterator[Hostile]:
    """Arrays of odd types, shapes and values."""
    for table, where in (("arrays", "owner = 'round'"), ("arrays", "owner = 'pool'"), ("frozen", "1")):
        for dtype in ODD_DTYPES:
            yield Hostile(f"{table} {where} of dtype {dtype!r}", _set(table, "dtype", dtype, where))
        for number, shape in enumerate(ODD_SHAPES):
            yield Hostile(f"{table} {where} of odd shape {number}", _set(table, "shape", shape, where))
        for fill in (b"\xff", b"\x7f", b"\x00"):
            yield Hostile(f"{table} {where} full of {fill.hex()}", _fill(table, where, fill))
    for name in DERIVED:
        for fill in (b"\xff", b"\x7f"):
            yield Hostile(f"{name} full of {fill.hex()}", _fill("arrays", f"name = '{name}'", fill))
        yield Hostile(
            f"{name} is gone", lambda path, name=name: bent(path, f"DELETE FROM arrays WHERE name = '{name}'")
        )
        yield Hostile(f"{name} is empty", lambda path, name=name: bent(
            path, f"UPDATE arrays SET data = x'', shape = '[0]' WHERE name = '{name}'"))  # fmt: skip


def _fill(table: str, where: str, fill: bytes) -> Callable[[Path], None]:
    def make(path: Path) -> None:
        with closing(sqlite3.connect(path, isolation_level=None)) as db:
            for rowid, size in db.execute(f"SELECT rowid, length(data) FROM {table} WHERE {where}").fetchall():
                db.execute(f"UPDATE {table} SET data = ? WHERE rowid = ?", (fill * size, rowid))
            seals.seal_all(db)

    return make


def cells() -> Iterator[Hostile]:
    """Every column holds something of another type, or far out of its range."""
    for table, columns in (("events", ("seq", *rows.EVENT_COLUMNS)), *rows.COLUMNS.items()):
        for column in columns:
            for number, value in enumerate(ODD_CELLS):
                yield Hostile(f"{table}.{column} is odd {number}", _cell(table, column, value))


def _cell(table: str, column: str, value: Any) -> Callable[[Path], None]:
    def make(path: Path) -> None:
        where = f"rowid = (SELECT MAX(rowid) FROM {table})"
        try:
            bent(path, (f"UPDATE OR REPLACE {table} SET {column} = ? WHERE {where}", (value,)))
        except sqlite3.Error:  # what SQLite refuses to hold, nobody can hand over
            bent(path)

    return make


def schemas() -> Iterator[Hostile]:
    """Programs in place of tables."""
    for name, statements in SCHEMAS.items():
        yield Hostile(name, lambda path, statements=statements: bent(path, *statements, sealed=False))
    for version in (0, 1, 2, 99, -1):
        yield Hostile(f"schema {version}", lambda path, version=version: bent(path, f"PRAGMA user_version = {version}"))
    yield Hostile(
        "no notes of migrations", lambda path: bent(path, "DELETE FROM _sqlite_migrations", "PRAGMA user_version = 1")
    )
    yield Hostile("a sequence that is odd", lambda path: bent(path, "UPDATE sqlite_sequence SET seq = 'x'"))
    yield Hostile(
        "a sequence far ahead", lambda path: bent(path, "UPDATE sqlite_sequence SET seq = 9223372036854775807")
    )
    yield Hostile(
        "a blob of 60 MB",
        lambda path: bent(
            path, ("INSERT OR REPLACE INTO project VALUES ('x', CAST(zeroblob(60000000) AS TEXT), NULL)", ())
        ),
    )
    yield Hostile(
        "an array of 60 MB",
        lambda path: bent(path, "UPDATE arrays SET data = zeroblob(60000000) WHERE name = 'labels'"),
    )


def looped_pages() -> Iterator[Hostile]:
    """Trees of pages that point into themselves: a few kilobytes of rows without end."""
    for table in ("project", "events", "arrays", "pool", "rounds", "frozen", "sqlite_master"):
        yield Hostile(f"the pages of {table} point into themselves", lambda path, table=table: _loop(path, table))
        yield Hostile(
            f"the pages of the index of {table} point into themselves",
            lambda path, table=table: _loop(path, f"sqlite_autoindex_{table}_1"),
        )


def _loop(path: Path, table: str, levels: int = 12) -> None:
    """Make the root of a table a tree whose inner pages name the next one many times, and the last one the old root."""
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        row = db.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", (table,)).fetchone()
        size = db.execute("PRAGMA page_size").fetchone()[0]
        pages = db.execute("PRAGMA page_count").fetchone()[0]
        db.execute("PRAGMA journal_mode = DELETE")
    root = 1 if table == "sqlite_master" else row[0] if row else 0
    content = bytearray(path.read_bytes())
    if not root:
        return
    first = bytearray(content[(root - 1) * size : root * size])
    start = 100 if root == 1 else 0
    is_index = first[start] in (2, 10)
    leaf = pages + 1
    content += first if not start else _moved_root(first, size)
    for level in range(levels):
        content += _inner(size, leaf + level, is_index, 0)
    top = _inner(size, leaf + levels, is_index, start)
    content[(root - 1) * size + start : root * size] = top[start:]
    content[28:32] = (leaf + levels).to_bytes(4, "big")
    path.write_bytes(content)


def _moved_root(first: bytearray, size: int) -> bytearray:
    """Page 1 as a leaf elsewhere: its header moves to the front."""
    out = bytearray(first)
    n = int.from_bytes(first[103:105], "big")
    out[0 : 8 + 2 * n] = first[100 : 108 + 2 * n]
    return out


def _inner(size: int, child: int, is_index: bool, start: int) -> bytearray:
    """An inner page that names one child as often as it can."""
    page = bytearray(size)
    cell = child.to_bytes(4, "big") + (b"\x02\x01\x09" if is_index else b"\x7f")
    count = 100
    end = size
    for number in range(count):
        end -= len(cell)
        page[end : end + len(cell)] = cell
        at = start + 12 + 2 * number
        page[at : at + 2] = end.to_bytes(2, "big")
    page[start] = 2 if is_index else 5
    page[start + 3 : start + 5] = count.to_bytes(2, "big")
    page[start + 5 : start + 7] = end.to_bytes(2, "big")
    page[start + 8 : start + 12] = child.to_bytes(4, "big")
    return page


def long_journals() -> Iterator[Hostile]:
    """Journals of events that are dear to fold."""
    yield Hostile(
        "many classes", lambda path: _many(path, "class_add", lambda n: (None, 100 + n, f'{{"name":"c{n}"}}'), 30_000)
    )
    yield Hostile(
        "many reaches", lambda path: _many(path, "reach", lambda n: (f"{n % 100:05}", None, '{"percentile":9}'), 60_000)
    )
    yield Hostile(
        "many merges",
        lambda path: _many(path, "class_merge", lambda n: (None, n % 10, f'{{"into":{(n + 1) % 10}}}'), 30_000),
    )
    yield Hostile("many keys", lambda path: _many(path, "class_key", lambda n: (None, n % 10, '{"key":"x"}'), 60_000))
    yield Hostile("many flags", lambda path: _many(path, "flag", lambda n: (f"{n % 100:05}", None, "{}"), 60_000))
    yield Hostile("many splits", lambda path: _many(path, "split", lambda n: (f"{n % 100:05}", None, "{}"), 20_000))
    yield Hostile("a class far out", lambda path: _many(path, "class_add", lambda n: (None, 2**62, '{"name":"c"}'), 1))
    yield Hostile(
        "a class at the end", lambda path: _many(path, "class_add", lambda n: (None, 999_999, '{"name":"c"}'), 1)
    )
    yield Hostile("an unknown kind", lambda path: _many(path, "x" * 10_000, lambda n: (None, None, "{}"), 1))
    yield Hostile("an event of no time", lambda path: bent(path, "UPDATE events SET at = 1e300"))
    yield Hostile(
        "a gap in the journal",
        lambda path: bent(
            path, "UPDATE events SET seq = 4611686018427387904 WHERE seq = (SELECT MAX(seq) FROM events)"
        ),
    )


def _many(path: Path, kind: str, row: Callable[[int], tuple[Any, ...]], count: int) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("BEGIN")
        for number in range(count):
            instance, class_id, payload = row(number)
            db.execute(
                "INSERT INTO events (event_id, kind, at, annotator, instance, class_id, payload)"
                " VALUES (?, ?, ?, ?, ?, ?, ?)",
                (f"h{number}", kind, 1e9, "", instance, class_id, payload),
            )  # fmt: skip
        seals.seal_all(db)
        db.execute("COMMIT")


KINDS: dict[str, Callable[[], Iterator[Hostile]]] = {
    "json": json_cells, "fields": fields, "arrays": arrays, "cells": cells, "schemas": schemas, "pages": looped_pages,
    "journals": long_journals,
}  # fmt: skip
