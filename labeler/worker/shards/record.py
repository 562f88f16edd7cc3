"""The files of a shard: three arrays, and a record of them, written last, by which they count."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from labeler.core import codec, files
from labeler.core.types import FloatArray, IndexArray, IntArray

ASSIGNED = np.dtype([("cluster", "<i4"), ("distance", "<f4")])
"""A row of ``assigned-*.npy``; an image that cannot be read has the cluster -1."""
NEAREST = np.dtype([("cluster", "<i4"), ("row", "<i8"), ("distance", "<f4")])
"""A row of ``nearest-*.npy``: by cluster, the nearest first; `row` counts through all shards."""
KINDS = ("features", "assigned", "nearest")


@dataclass(frozen=True, slots=True)
class Record:
    """The side record of a shard, written last: without it the shard does not count.

    `files`: name -> sha256; `bytes`: name -> size; `sizes` (k,) of the clusters; `unreadable`: place -> why;
    `seconds` on the clock, and `cpu` of the thread that did it.
    """

    job: str
    number: int
    start: int
    ids: tuple[str, ...]
    files: dict[str, str]
    bytes: dict[str, int]
    sizes: tuple[int, ...]
    unreadable: dict[str, str]
    seconds: float
    cpu: float


def name_of(kind: str, number: int) -> str:
    """Return the name of a file of a shard."""
    return f"{kind}-{number:06d}.{'json' if kind == 'shard' else 'npy'}"


def read_record(out: Path, number: int, digest: str) -> Record | None:
    """Return the record of a shard of a job; None where it is not there or its files are not as large as it says."""
    try:
        record = codec.decode(Record, codec.loads((out / name_of("shard", number)).read_text()))
        sizes = {name: (out / name).stat().st_size for name in record.files}
    except (OSError, ValueError):  # a record that cannot be read is none
        return None
    complete = {name_of(kind, number) for kind in KINDS}
    return record if record.job == digest and sizes == record.bytes and complete == record.files.keys() else None


def closest(clusters: IntArray, rows: IndexArray, distances: FloatArray, count: int) -> NDArray[Any]:
    """Return the `count` rows nearest each centroid, as NEAREST; equal distances in the order of the rows."""
    order = np.lexsort((rows, distances, clusters))
    order = order[clusters[order] >= 0]
    sorted_clusters = clusters[order]
    ranks = np.arange(len(order)) - np.searchsorted(sorted_clusters, sorted_clusters)
    order = order[ranks < count]
    nearest = np.empty(len(order), dtype=NEAREST)
    nearest["cluster"], nearest["row"], nearest["distance"] = clusters[order], rows[order], distances[order]
    return nearest


def write_arrays(out: Path, number: int, arrays: Mapping[str, NDArray[Any]]) -> tuple[dict[str, str], dict[str, int]]:
    """Write a shard's arrays by kind; return the sha256 and the size of each file by name. Raises OSError."""
    hashes: dict[str, str] = {}
    sizes: dict[str, int] = {}
    token = uuid.uuid4().hex  # machines of a cluster may write the same shard: each has a name of its own meanwhile
    for kind, array in arrays.items():
        name = name_of(kind, number)
        with files.whole(out / name, token=token) as draft, open(draft, "wb") as stream:
            writer = _Hashed(stream)
            np.lib.format.write_array(writer, np.ascontiguousarray(array), allow_pickle=False)
        hashes[name], sizes[name] = writer.hash.hexdigest(), writer.length
    return hashes, sizes


def write_record(out: Path, record: Record) -> None:
    """Write the record of a shard: from now on it counts. Raises OSError."""
    with files.whole(out / name_of("shard", record.number), token=uuid.uuid4().hex) as draft:
        draft.write_text(json.dumps(codec.encode(record, {})))


class _Hashed:
    """A stream that hashes what it writes, so that it need not be read again for that."""

    def __init__(self, stream: Any) -> None:
        self._stream, self.hash, self.length = stream, hashlib.sha256(), 0

    def write(self, data: bytes) -> int:
        """Write some bytes."""
        self.hash.update(data)
        self.length += len(data)
        written: int = self._stream.write(data)
        return written
