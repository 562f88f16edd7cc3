from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

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
