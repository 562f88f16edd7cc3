"""The instances of an open project: what can be seen of them."""

from __future__ import annotations

import os

import numpy as np

from labeler.core.content import Card, Columns, Passage, Shown
from labeler.core.errors import UnreadableInstance
from labeler.core.pool import Pool
from labeler.core.types import ByteArray, FloatArray, IndexArray
from labeler.plugins.importers.base import Source
from labeler.session.session import Session

_LATELY = 500  # so that a key takes as long after 1,500 answers as after 100
"""Answers, the latest ones, among which the nearest are looked for."""


class Instances:
    """Images, cards, texts and files by index, what lies near an instance and which content an answer was given to.

    `source` is None where a project was opened without it: then nothing can be looked at.
    """

    def __init__(self, session: Session, source: Source | None, hashes: ByteArray) -> None:
        self._session, self._source, self._hashes = session, source, hashes
        self._features: FloatArray | None = None
        self._rows = Pool(source.ids if source is not None else [])
        self._is_in_order = self._rows.is_of(session.pool.ids)
        self._columns: Columns | None = None

    def image(self, index: int) -> ByteArray:
        """The image of one instance, whole. May be called from any thread.

        Raises
        ------
        UnreadableInstance
            It cannot be decoded, is missing, or the source holds no images.
        """
        row = self._row(index)
        if self._source is None or row is None or self._source.content != "images":
            raise UnreadableInstance("there is no image to show here")
        return self._source.image(row)

    @property
    def content(self) -> str:
        """The kind of the instances: "images", or "table" where they are the rows of one, "text"."""
        return self._source.content if self._source is not None else "images"

    def shown(self, index: int) -> Shown:
        """Return what a person looks at to answer. May be called from any thread; raises as :meth:`image`."""
        row = self._row(index)
        texts = self._source.texts() if self._source is not None and self._source.content == "text" else None
        if texts is not None and row is not None:
            return Passage(texts[row])
        columns = self.columns()
        if columns is None or row is None:
            return self.image(index)
        return columns.card(row)

    def columns(self) -> Columns | None:
        """Return where the values of a table's columns lie; None where the instances are no rows of a table."""
        source = self._source
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
        path = self._source.location(row) if self._source is not None and row is not None else None
        return str(path) if path is not None else self._session.pool.ids[index]

    def folder_classes(self) -> list[str]:
        """Names of the source's sub-folders, as classes to offer; empty where it has none."""
        labels = self._source.folder_labels() if self._source is not None else {}
        return sorted(set(labels.values()))

    def file_size(self, index: int) -> int | None:
        """Bytes of the instance's file; None where it is none."""
        try:
            return os.stat(self.location(index)).st_size
        except (OSError, ValueError):
            return None

    def neighbors(self, index: int, count: int) -> list[tuple[int, int]]:
        """The nearest labeled instances as (index, class_id), nearest first; empty before the pool is encoded."""
        given = self._session.state.answers.columns.of("label")
        given = given[given["index"] != index][-_LATELY:]
        if self._features is None or not len(given) or index >= len(self._features):
            return []
        distances = np.square(self._features[given["index"]] - self._features[index]).sum(axis=1)
        nearest = given[np.argsort(distances, kind="stable")[:count]]
        return list(zip(nearest["index"].tolist(), nearest["class_id"].tolist(), strict=True))

    def in_no_cluster(self) -> IndexArray:
        """Return the instances in no cluster, by the last round; none where its clusterer knows no such."""
        round_ = self._session.machine_labels.round
        outliers = np.flatnonzero(round_.outliers) if round_ is not None else np.empty(0)
        return outliers.astype(np.int64)

    def sha256(self) -> ByteArray:
        """Content hashes (n, 32) uint8, of answered instances as they were answered; zeros where not known."""
        return self._hashes

    def take_features(self, features: FloatArray) -> None:
        """Use the encoded pool (n, d) to tell what lies near."""
        self._features = features

    def take_hashes(self, hashes: ByteArray) -> None:
        """Take the content as it is now; that of what was answered stays: a change since shows at the next opening."""
        answered = np.array(list(self._session.state.answers), dtype=np.int64)
        stays = answered[self._hashes[answered].any(axis=1)]
        before, self._hashes = self._hashes, hashes.copy()
        self._hashes[stays] = before[stays]

    # -- inside --------------------------------------------------------------------------------------------------

    def _row(self, index: int) -> int | None:
        """Position of a pool index in the source."""
        if not 0 <= index < len(self._session.pool):
            return None
        return index if self._is_in_order else self._rows.position(self._session.pool.ids[index])
