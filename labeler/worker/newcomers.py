"""Features of instances outside the pool, by the encoder as the pool fitted it."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass

import numpy as np

from labeler.core.errors import UsageError
from labeler.core.types import FloatArray, Progress
from labeler.plugins import registry
from labeler.plugins.encoders.base import Images
from labeler.plugins.importers.base import Source
from labeler.worker.features import Prepared, encoder_of, fitted, rows_a_chunk, seen_by
from labeler.worker.image_store import ImagePlan, fill_images


@dataclass(frozen=True, slots=True)
class EncodedSource:
    """`features` (m, d) float32 of a source's instances; of the `unreadable` (row -> why) they mean nothing."""

    features: FloatArray
    unreadable: dict[int, str]


def encode_others(source: Source, prepared: Prepared) -> Generator[Progress, None, EncodedSource]:
    """Yield progress; return the instances of `source` in the features of a prepared pool, a chunk at a time.

    Raises
    ------
    UsageError
        The pool's features came from a file, so nothing here can encode an image the same way; or the instances are
        of another kind than the pool's.
    """
    if prepared.encoder == "features":
        raise UsageError("the pool's features came from a file", "new instances need features from the same model")
    table, shape = (source.table() if source.content == "table" else None), prepared.raw.shape[1:]
    texts = source.texts() if source.content == "text" else None
    if (texts is None) != (prepared.raw.ndim > 1):
        raise UsageError("these instances are not of the pool's kind", "texts for texts: a CSV with the same column")
    if (texts is None and (table is None) != (len(shape) > 1)) or (table is not None and table.shape[1:] != shape):
        raise UsageError(
            "these instances are not of the pool's shape", "images for images, the same columns for a table"
        )
    encoder = fitted(encoder_of(registry.parse_spec(prepared.encoder), source.content), prepared.raw)
    plan, total, step = ImagePlan(shape, exact=False), len(source.ids), rows_a_chunk(encoder)
    parts: list[FloatArray] = []
    unreadable: dict[int, str] = {}
    for start in range(0, total, step):
        yield Progress("encoding", start, total)
        rows = np.arange(start, min(start + step, total), dtype=np.int64)
        seen: Images
        if texts is not None:
            seen = np.array([texts[row] for row in rows.tolist()], dtype=object)
        elif table is not None:
            seen = np.ascontiguousarray(table[rows])
        else:
            stored = np.zeros((len(rows), *shape), dtype=np.uint8)
            broken: dict[int, str]
            _, broken = yield from fill_images(source, rows, plan, stored)
            unreadable |= {start + row: why for row, why in broken.items()}
            seen = yield from seen_by(encoder, source, rows, stored)
        parts.append(encoder.transform(seen))
    width = prepared.features.shape[1]
    return EncodedSource(np.concatenate(parts) if parts else np.empty((0, width), dtype=np.float32), unreadable)
