"""A project file and its source, open: what can be read of both."""

from __future__ import annotations

import os
from itertools import takewhile
from pathlib import Path
from typing import Any

import numpy as np

from labeler.core.content import Card, Columns, Passage, Shown
from labeler.core.errors import UnreadableInstance
from labeler.core.types import ByteArray, IndexArray
from labeler.plugins.importers.base import Source
from labeler.project import paths
from labeler.session.fold import fold
from labeler.session.session import Session
from labeler.session.state import State
from labeler.session.view import View
from labeler.store.store import Store
from labeler.worker.client import WorkerClient

_LATELY = 500
"""Answers, the latest ones, among which the nearest are looked for."""


class Opened:
    """One open project file: its session and its source."""

    def __init__(
        self, store: Store, session: Session, source: Source | None, notices: list[str], hashes: ByteArray
    ) -> None:
        self._store = store
        self._hashes = hashes
        self.session = session
        self.source = source
        self.notices = notices
        self.truth: dict[str, str] | None = None
        self.path = store.path
        self.name = store.path.name.removesuffix(paths.SUFFIX)
        self._first_path = store.path  # whose cache it is, also where answers are saved elsewhere from some time on
        self._cache: Path | None = None
        self._client: WorkerClient | None = None
        self._features: Any = None
        self._rows: dict[int, int] | None = None
        self._columns: Columns | None = None
        self.ready = False
        self._closed: tuple[int, int] | None = (
            None  # the revision of the closing round in force, and which merge it was
        )
        self.backed_up = not store.read_only  # whether closing it leaves a backup

    def cache(self) -> Path:
        """The folder of the cache; where it is not beside the project, a notice says so.

        Raises
        ------
        ProjectError
            It cannot be written, nor can the user's cache folder.
        """
        if self._cache is None or not self._cache.is_dir():  # it may be deleted at any time
            self._cache, elsewhere = paths.usable_cache(self._first_path)
            self.notices += [elsewhere] if elsewhere else []
        return self._cache

    @property
    def source_path(self) -> Path:
        """Where the instances are."""
        return self.source.path if self.source is not None else Path(self._store.project()["source"]["path"])

    def inputs(self) -> list[Path]:
        """The project, then what its labels are of and rest on: nothing that is written goes over them."""
        features = self.options.get("features")
        return [self.path, self.source_path, *([Path(features)] if features else [])]

    @property
    def options(self) -> dict[str, Any]:
        """The options in force."""
        return dict(self._store.project().get("options", {}))

    def view(self) -> View:
        """What screens draw from."""
        return self.session.view()

    def image(self, index: int) -> ByteArray:
        """The image of one instance, whole. May be called from any thread.

        Raises
        ------
        UnreadableInstance
            It cannot be decoded, is missing, or the source holds no images.
        """
        row = self._row(index)
        if self.source is None or row is None or self.source.content != "images":
            raise UnreadableInstance("there is no image to show here")
        return self.source.image(row)

    @property
    def content(self) -> str:
        """What the instances are: "images", or "table" where they are the rows of one, "text"."""
        return self.source.content if self.source is not None else "images"

    def shown(self, index: int) -> Shown:
        """What a person looks at to answer. May be called from any thread; raises as :meth:`image`."""
        row = self._row(index)
        texts = self.source.texts() if self.source is not None and self.source.content == "text" else None
        if texts is not None and row is not None:
            return Passage(texts[row])
        columns = self.columns()
        if columns is None or row is None:
            return self.image(index)
        return columns.card(row)

    def columns(self) -> Columns | None:
        """Where the values of a table's columns lie; None where the instances are no rows of a table."""
        source = self.source
        if self._columns is None and source is not None and source.content == "table":
            table = source.table()
            self._columns = Columns(table, source.column_names()) if table is not None else None
        return self._columns

    def mean_of(self, indices: IndexArray) -> Card | None:
        """The means of some rows of a table; None for other instances, or where none of them is there."""
        columns = self.columns()
        rows = [row for index in indices.tolist() if (row := self._row(index)) is not None]
        return columns.mean_of(np.array(rows, dtype=np.int64)) if columns is not None and rows else None

    def location(self, index: int) -> str:
        """The file of an instance, or its id where it is none."""
        row = self._row(index)
        path = self.source.location(row) if self.source is not None and row is not None else None
        return str(path) if path is not None else self.session.pool.ids[index]

    def folder_classes(self) -> list[str]:
        """Names of the source's sub-folders, as classes to offer; empty where it has none."""
        labels = self.source.folder_labels() if self.source is not None else {}
        return sorted(set(labels.values()))

    def file_size(self, index: int) -> int | None:
        """Bytes of the instance's file; None where it is none."""
        try:
            return os.stat(self.location(index)).st_size
        except (OSError, ValueError):
            return None

    def neighbors(self, index: int, count: int) -> list[tuple[int, int]]:
        """The nearest labeled instances as (index, class_id), nearest first; empty before the pool is encoded."""
        given = self.session.state.answers.columns.of("label")
        given = given[given["index"] != index][-_LATELY:]
        if self._features is None or not len(given) or index >= len(self._features):
            return []
        distances = np.square(self._features[given["index"]] - self._features[index]).sum(axis=1)
        nearest = given[np.argsort(distances, kind="stable")[:count]]
        return list(zip(nearest["index"].tolist(), nearest["class_id"].tolist(), strict=True))

    def state_at(self, seq: int) -> State:
        """What the events before the one at `seq` of the journal amount to."""
        return fold(State(self.session.pool), takewhile(lambda event: event.seq < seq, self._store.replay()))

    def mark(self) -> str | None:
        """What tells this state of the project from all others; None where the session is not what its file says.

        So it is where another process has gone on meanwhile, or where a changed source is followed without writing.
        """
        mark = self._store.mark()
        return mark if self._store.n_events() == self.session.state.revision else None

    def sha256(self) -> ByteArray:
        """Content hashes (n, 32) uint8, of answered instances as they were answered; zeros where not known."""
        return self._hashes

    # -- inside --------------------------------------------------------------------------------------------------

    def _row(self, index: int) -> int | None:
        """Position of a pool index in the source."""
        if self.source is None:
            return None
        if self._rows is None:
            positions = {name: row for row, name in enumerate(self.source.ids)}
            self._rows = {i: positions[name] for i, name in enumerate(self.session.pool.ids) if name in positions}
        return self._rows.get(index)
