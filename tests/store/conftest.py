from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from labeler.store import schema
from labeler.store.store import Store


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "pool.labeler.db"


@pytest.fixture
def open_store() -> Iterator[Callable[..., Store]]:
    """Opens stores and closes what a test left open."""
    opened: list[Store] = []

    def open_(path: Path, **options: bool) -> Store:
        opened.append(Store.open(path, **options))
        return opened[-1]

    yield open_
    for store in opened:
        store.close()


@pytest.fixture
def store(path: Path, open_store: Callable[..., Store]) -> Store:
    return open_store(path, create=True)


@pytest.fixture
def older(path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Makes the project file as the version with the first so many migrations did, and runs statements on it."""

    def make(n_migrations: int, *statements: str) -> Path:
        connection = sqlite3.connect(path, isolation_level=None)
        with monkeypatch.context() as patched:
            patched.setattr(schema, "MIGRATIONS", schema.MIGRATIONS[:n_migrations])
            connection.execute("BEGIN")
            schema.bring_up_to_date(connection)
        for statement in statements:
            connection.execute(statement)
        connection.execute("COMMIT")
        connection.close()
        return path

    return make
