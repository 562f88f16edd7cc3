"""Some instances of a source, as a source."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from labeler.core.types import ByteArray, FloatArray, IndexArray
from labeler.plugins.importers.base import Source
from labeler.plugins.importers.scaling import ValueRange


class Subset:
    """The instances of `source` at `rows` (int64, in their order); everything else as in the source."""

    def __init__(self, source: Source, rows: IndexArray) -> None:
        self.whole = source
        self._rows = np.asarray(rows, dtype=np.int64)
        self.path, self.kind, self.content = source.path, source.kind, source.content
        self.ids: Sequence[str] = [source.ids[int(row)] for row in self._rows]
        self.unreadable, self.notes = source.unreadable, source.notes
        # not in the protocol: a source of somebody else's plug-in need not have it
        self.shown: ValueRange | None = getattr(source, "shown", None)

    def fingerprint(self) -> str:
        """That of the source and the rows."""
        return hashlib.blake2b(self.whole.fingerprint().encode() + self._rows.tobytes(), digest_size=16).hexdigest()

    def image(self, index: int) -> ByteArray:
        """Decode the image, as the whole source does."""
        return self.whole.image(int(self._rows[index]))

    def decoded(self, index: int, content: bytes, fit: int) -> ByteArray:
        """Decode bytes at hand, as the whole source does."""
        return self.whole.decoded(int(self._rows[index]), content, fit)

    def content_bytes(self, index: int) -> bytes:
        """Return the bytes of the instance."""
        return self.whole.content_bytes(int(self._rows[index]))

    def uniform_images(self) -> ByteArray | None:
        """Return the chosen rows of the images where they are one array; else None."""
        whole = self.whole.uniform_images()
        return None if whole is None else whole[self._rows]

    def table(self) -> FloatArray | None:
        """Return the chosen rows of the table; None where there is none."""
        whole = self.whole.table()
        return None if whole is None else whole[self._rows]

    def texts(self) -> list[str] | None:
        """Return the chosen texts; None where there are none."""
        whole = self.whole.texts()
        return None if whole is None else [whole[row] for row in self._rows.tolist()]

    def column_names(self) -> list[str]:
        """Return the names of the table's columns."""
        return self.whole.column_names()

    def location(self, index: int) -> Path | None:
        """Return the file of the instance where it is a file of its own; else None."""
        return self.whole.location(int(self._rows[index]))

    def folder_labels(self) -> dict[str, str]:
        """Return the folders of the chosen instances."""
        chosen = set(self.ids)
        return {name: label for name, label in self.whole.folder_labels().items() if name in chosen}

    def truth(self) -> dict[str, str]:
        """Return the labels that the source carries of the chosen instances."""
        chosen = set(self.ids)
        return {name: label for name, label in self.whole.truth().items() if name in chosen}

    def close(self) -> None:
        """Close the whole source."""
        self.whole.close()
