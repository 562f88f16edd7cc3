"""A project file and its source, open: what can be read of both. The base of :class:`labeler.project.Project`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np

from labeler import locating
from labeler.core.cards import Card, Columns, Passage, Shown
from labeler.core.vocabulary import ByteArray, IndexArray
from labeler.errors import UnreadableInstance
from labeler.importers.base import Source
from labeler.options import readable
from labeler.session.session import Session
from labeler.session.state import State
from labeler.session.view import View
from labeler.store.store import Store
from labeler.worker_client import WorkerClient


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
        self.name = store.path.name.removesuffix(locating.SUFFIX)
        self._cache = locating.cache_of(store.path)  # also where answers are saved elsewhere from some time on
        self._client: WorkerClient | None = None
        self._features: Any = None
        self._rows: dict[int, int] | None = None
        self._columns: Columns | None = None
        self.ready = False
        self.backed_up = not store.read_only  # whether closing it leaves a backup

    @property
    def source_path(self) -> Path:
        """Where the instances are."""
        return self.source.path if self.source is not None else Path(self._store.project()["source"]["path"])

    @property
    def options(self) -> dict[str, Any]:
        """The options in force."""
        return readable(self._store.project().get("options"))[0]

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
        if self._columns is None and self.source is not None and (table := self.source.table()) is not None:
            self._columns = Columns(table, self.source.column_names())
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
        given = [
            (other, standing.class_id)
            for other, standing in self.session.state.standings.items()
            if standing.kind == "label" and other != index
        ][-500:]
        if self._features is None or not given or index >= len(self._features):
            return []
        rows = np.array([other for other, _ in given])
        distances = np.square(self._features[rows] - self._features[index]).sum(axis=1)
        return [given[int(position)] for position in np.argsort(distances, kind="stable")[:count]]

    def state_at(self, seq: int) -> State:
        """What the events before the one at `seq` of the journal amount to."""
        state = State(self.session.pool)
        for event in self._store.replay():
            if event.seq >= seq:
                break
            state.apply(event)
        return state

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
