"""Rows of a project file's tables, each with its seal; and what is derived, which may be lost and is made anew."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from numpy.typing import NDArray

from labeler.core.codec import Unreadable, loads
from labeler.core.errors import DamagedProject
from labeler.core.types import Round
from labeler.store import cells, rows, seals
from labeler.store.connection import Connection
from labeler.store.open import LOOK, explain_errors
from labeler.store.open_file import OpenFile


class Tables:
    """The tables of an open project file. `notes`: what was found damaged and can be made anew, one line each."""

    def __init__(self, file: OpenFile) -> None:
        self.path = file.path
        self._file = file
        self.notes: list[str] = [file.note] if file.note else []
        self.read_only = file.lock is None

    @property
    def _db(self) -> Connection:
        return self._file.db

    # -- derived -------------------------------------------------------------------------------------------------

    def save_round(self, round_: Round) -> None:
        """Keep the arrays of `round_` in place of the last round's, and its facts for good."""
        if self.read_only:
            return
        with self._file.saving(), self._file.unsynced(), self._db.atomic():
            self._put("rounds", round_.round, round_.revision, json.dumps(rows.round_facts(round_)))
            for name, array in rows.round_arrays(round_).items():
                self._put("arrays", "round", name, *rows.pack_array(array))

    def load_round(self) -> Round | None:
        """The last round; None when there is none or it cannot be read (it is derived: the engine makes it anew)."""
        with explain_errors(self.path):
            try:
                last = next(self._rows("rounds", "ORDER BY revision DESC, round DESC LIMIT 1"), None)
                if last is None:
                    return None
                # finite: facts of a round, as the inertia of a clusterer that has none, may be nan
                return rows.round_of(last[0], last[1], loads(last[2], finite=False), self._arrays("round"))
            except (DamagedProject, Unreadable):
                self.notes.append("the last round is damaged: what the machine said is missing until it is made anew")
                return None

    def arrays(self, owner: str) -> dict[str, NDArray[Any]]:
        """All arrays of one owner ("round", "pool") by name; without damaged ones, which is noted: they are derived."""
        try:
            return self._arrays(owner)
        except (DamagedProject, Unreadable):
            self.notes.append(f"what was read of the {owner} is damaged: it is made anew")
            return {}

    def put_arrays(self, owner: str, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Keep arrays by name, one row each."""
        with self._file.saving(), self._file.unsynced(), self._db.atomic():
            for name, array in arrays.items():
                self._put("arrays", owner, name, *rows.pack_array(array))

    # -- rows ----------------------------------------------------------------------------------------------------

    def _put(self, table: str, *values: Any) -> None:
        """Write a row in place of the one with its key, with its seal."""
        row = [*values, seals.seal(values)]
        self._db.execute(f"INSERT OR REPLACE INTO {table} VALUES ({marks(row)})", row)  # noqa: S608

    def _arrays(self, owner: str) -> dict[str, NDArray[Any]]:
        with explain_errors(self.path):
            stored = self._rows("arrays", "WHERE owner = ?", [owner])
            return {name: rows.unpack_array(dtype, shape, data) for _, name, dtype, shape, data in stored}

    def _rows(self, table: str, which: str = "", values: Sequence[Any] = ()) -> Iterator[tuple[Any, ...]]:
        """Rows of a table, without their seals. Raises DamagedProject at the first that is not as it was written."""
        columns = ", ".join(seals.COLUMNS[table])
        for *row, seal in self._db.execute(f"SELECT {columns}, seal FROM {table} {which}", values):  # noqa: S608
            if seal != seals.seal(row) or not cells.is_typed(table, row):
                raise self._damaged(f"a row of {table}")
            yield tuple(row)

    def _damaged(self, what: str) -> DamagedProject:
        return DamagedProject(f"{self.path} is damaged: {what} is not as it was written", LOOK.format(self.path))


def marks(values: Sequence[Any]) -> str:
    """Placeholders of as many values."""
    return ", ".join("?" * len(values))
