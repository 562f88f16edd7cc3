"""The result of all shards and the way back into a project: manifest, the nearest of each centroid, vectors."""

from __future__ import annotations

import csv
import hashlib
import json
import os
import time
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from labeler.core import codec, files
from labeler.core.errors import SourceError
from labeler.core.mapped import let_go
from labeler.core.text import counted, display_safe, escaped
from labeler.core.types import FloatArray, IntArray, Progress
from labeler.plugins.importers.base import Source
from labeler.plugins.importers.remote import ADDRESS, RemoteSource
from labeler.worker.cache import RunningDigest
from labeler.worker.mapped_file import create
from labeler.worker.shards.job import FITTED, Job, check_job, read_job
from labeler.worker.shards.record import ASSIGNED, NEAREST, Record, closest, name_of, read_record

MANIFEST, ADDRESSES = "manifest.json", "addresses.txt"
NEAREST_ROWS, NEAREST_TABLE, NEAREST_VECTORS = "nearest.npy", "nearest.csv", "nearest.npz"
PATIENCE = 60.0
"""Seconds that a record is waited for: a network's folder may show late what another machine wrote."""
_PAUSE = 0.5
_HINT = "make them: labeler features SOURCE {0}"


@dataclass(frozen=True, slots=True)
class Entry:
    """One shard in the manifest: its rows, and the sha256 of each of its files by name."""

    number: int
    start: int
    rows: int
    files: dict[str, str]


@dataclass(frozen=True, slots=True)
class Manifest:
    """All there is in a folder of features, written when it is whole; `sizes` (k,) of the clusters."""

    job: Job
    digest: str  # of the job
    shards: tuple[Entry, ...]
    sizes: tuple[int, ...]
    unreadable: int
    tool: str = "labeler"  # by which a folder of images passes over one that lies in it

    @property
    def n(self) -> int:
        """The number of instances."""
        return self.job.asked.n


# -- written ----------------------------------------------------------------------------------------------------------


def write_manifest(out: Path, job: Job, source: Source) -> Manifest:
    """Write what all shards come to, the manifest last; raises SourceError where one is gone."""
    entries: list[Entry] = []
    nearest: list[NDArray[Any]] = []
    sizes = np.zeros(0, dtype=np.int64)
    unreadable = 0
    for record in _records(out, job):
        entries.append(Entry(record.number, record.start, len(record.ids), record.files))
        nearest.append(np.load(out / name_of("nearest", record.number)))
        sizes = np.array(record.sizes) if not len(sizes) else sizes + record.sizes
        unreadable += len(record.unreadable)
    every = np.concatenate(nearest)
    best = closest(every["cluster"], every["row"], every["distance"], job.asked.n_nearest)
    with files.whole(out / NEAREST_ROWS) as draft, open(draft, "wb") as stream:
        np.save(stream, best)
    _write_nearest(out, job, best, source)
    if isinstance(source, RemoteSource):  # the source of a project that is to show them
        with files.whole(out / ADDRESSES) as draft:
            draft.write_text("".join(f"{address}\n" for address in source.ids), encoding="utf-8")
    manifest = Manifest(job, job.digest, tuple(entries), tuple(int(size) for size in sizes), unreadable)
    with files.whole(out / MANIFEST) as draft:
        draft.write_text(json.dumps(codec.encode(manifest, {}), indent=1))
    return manifest


def _records(out: Path, job: Job) -> Iterator[Record]:
    until = time.monotonic() + PATIENCE
    for number in range(job.n_shards):
        while (record := read_record(out, number, job.digest)) is None:
            if time.monotonic() > until:
                raise SourceError(f"shard {number} is gone from {display_safe(str(out))}", "the same command makes it")
            time.sleep(_PAUSE)
        yield record


def _write_nearest(out: Path, job: Job, nearest: NDArray[Any], source: Source) -> None:
    """Write the nearest to each centroid as a list of images, and their vectors: a source, and its features.

    That is what a person labels of a source that is too large for one machine.
    """
    ids = [source.ids[row] for row in nearest["row"].tolist()]
    paths = [_path_of(source, row) for row in nearest["row"].tolist()]
    clusters = nearest["cluster"]
    ranks = np.arange(len(nearest)) - np.searchsorted(clusters, clusters)
    with files.whole(out / NEAREST_TABLE) as draft, open(draft, "w", newline="", encoding="utf-8") as stream:
        table = csv.writer(stream)
        table.writerow(("id", "path", "cluster", "rank", "distance"))
        for name, path, cluster, rank, distance in zip(ids, paths, clusters, ranks, nearest["distance"], strict=True):
            table.writerow((escaped(name), escaped(path), int(cluster), int(rank), f"{distance:.6g}"))
    vectors = np.empty((len(nearest), job.width), dtype=np.float32)
    numbers, places = np.divmod(nearest["row"], job.rows_a_shard)
    for number in np.unique(numbers).tolist():
        rows = np.flatnonzero(numbers == number)
        vectors[rows] = np.load(out / name_of("features", number), mmap_mode="r")[places[rows]]
    with files.whole(out / NEAREST_VECTORS) as draft, open(draft, "wb") as stream:
        np.savez(stream, allow_pickle=False, X=vectors, ids=np.array([escaped(path) for path in paths]))


def _path_of(source: Source, row: int) -> str:
    """The file of an instance from the root, or its address; "" where it is no file of its own."""
    if isinstance(source, RemoteSource):
        return source.ids[row]
    place = source.location(row)
    if place is None:
        return source.ids[row] if ADDRESS.match(source.ids[row]) else ""
    return os.path.abspath(place)


# -- read -------------------------------------------------------------------------------------------------------------


def read_manifest(out: Path) -> Manifest:
    """Return the manifest of a folder of features.

    Raises
    ------
    SourceError
        There is none, it is not whole yet, or it does not speak of each row once.
    """
    shown = display_safe(str(out))
    try:
        manifest = codec.decode(Manifest, codec.loads((out / MANIFEST).read_text()))
        _check_manifest(manifest)
    except FileNotFoundError:
        job = read_job(out)
        if job is None:
            raise SourceError(f"the folder {shown} holds no features", _HINT.format(shown)) from None
        n_done = sum(read_record(out, number, job.digest) is not None for number in range(job.n_shards))
        what = f"the features in {shown} are not whole: {n_done:,} of {counted(job.n_shards, 'shard')}"
        raise SourceError(
            what, f"the same command goes on: labeler features {display_safe(job.source)} {shown}"
        ) from None
    except (OSError, ValueError) as error:
        what = f"{display_safe(str(out / MANIFEST))} cannot be read: {display_safe(str(error), 100)}"
        raise SourceError(what, _HINT.format(shown)) from error
    return manifest


def _check_manifest(manifest: Manifest) -> None:
    """Refuse a manifest that a hand or a disk has changed: rows of a shard that it passes over were zeros, unsaid.

    Raises
    ------
    ValueError
        What is wrong with it.
    """
    job, size = manifest.job, manifest.job.rows_a_shard
    check_job(job)
    if manifest.digest != job.digest:
        raise ValueError("the job in it is not as it was written")
    places = [(entry.number, entry.start, entry.rows) for entry in manifest.shards]
    # the number first: the range of one that was changed may be endless
    if len(places) != job.n_shards or places != [
        (number, number * size, min(size, manifest.n - number * size)) for number in range(job.n_shards)
    ]:
        raise ValueError("its shards are not all rows, each once")
    if min(*manifest.sizes, manifest.unreadable, 0) < 0 or sum(manifest.sizes) + manifest.unreadable != manifest.n:
        raise ValueError("its clusters are not all rows")


def check_source(manifest: Manifest, out: Path, source: Source) -> None:
    """Refuse features of another source, or of another state of it.

    Raises
    ------
    SourceError
        The line says which they are of.
    """
    asked = manifest.job.asked
    if asked.fingerprint == source.fingerprint():
        return
    shown = display_safe(str(out))
    state = (
        "another state of it"
        if os.path.abspath(source.path) == manifest.job.source
        else display_safe(manifest.job.source)
    )
    what = f"the features in {shown} are of {asked.n:,} instances, of {state}, and do not fit this source"
    raise SourceError(
        what, f"make them of it, in another folder: labeler features {display_safe(str(source.path))} OUT"
    )


def fill_vectors(manifest: Manifest, out: Path, ids: Sequence[str], target: Path) -> Generator[Progress, None, None]:
    """Yield progress; write the features (n, d) of `ids` into one array file, zeros where the source has none.

    Raises
    ------
    SourceError
        A shard is not as it was written.
    OSError
        There is no room.
    """
    vectors = create(target, np.float32, (len(ids), manifest.job.width))
    places = {name: place for place, name in enumerate(ids)}
    names = RunningDigest()
    for entry in manifest.shards:
        yield Progress("reading features", entry.start, manifest.n)
        record, features = _checked(manifest, out, entry, "features", names)
        rows = np.array([places.get(name, -1) for name in record.ids], dtype=np.int64)
        there = rows >= 0
        vectors[rows[there]] = features[there]
        let_go(vectors)
    vectors.flush()
    yield Progress("reading features", manifest.n, manifest.n)


def read_assigned(manifest: Manifest, out: Path, ids: Sequence[str]) -> IntArray:
    """Return the cluster (n,) of each of `ids`; -1 where there is none. Raises SourceError."""
    places = {name: place for place, name in enumerate(ids)}
    clusters = np.full(len(ids), -1, dtype=np.int32)
    names = RunningDigest()
    for entry in manifest.shards:
        record, assigned = _checked(manifest, out, entry, "assigned", names)
        rows = np.array([places.get(name, -1) for name in record.ids], dtype=np.int64)
        clusters[rows[rows >= 0]] = assigned["cluster"][rows >= 0]
    return clusters


def read_nearest(out: Path, manifest: Manifest) -> NDArray[Any]:
    """Return the rows nearest each centroid as NEAREST, by cluster, the nearest first. Raises SourceError."""
    try:
        nearest: NDArray[Any] = np.load(out / NEAREST_ROWS, allow_pickle=False)
    except (OSError, ValueError) as error:
        raise _damaged(out, NEAREST_ROWS, manifest) from error
    is_sound = nearest.dtype == NEAREST and nearest.ndim == 1 and len(nearest) > 0
    if is_sound:
        clusters, rows = nearest["cluster"], nearest["row"]
        is_sound = bool(
            (np.diff(clusters) >= 0).all() and clusters[0] >= 0 and clusters[-1] < len(manifest.sizes)
        ) and bool(rows.min() >= 0 and rows.max() < manifest.n)
    if not is_sound:
        raise _damaged(out, NEAREST_ROWS, manifest)
    return nearest


def read_centroids(out: Path, manifest: Manifest) -> FloatArray:
    """Return the centroids (k, d). Raises SourceError."""
    try:
        with np.load(out / FITTED, allow_pickle=False) as stored:
            centroids: FloatArray = stored["centroids"]
    except (OSError, ValueError, KeyError, BadZipFile) as error:
        raise _damaged(out, FITTED, manifest) from error
    if centroids.shape != (len(manifest.sizes), manifest.job.width):
        raise _damaged(out, FITTED, manifest)
    return centroids


def _checked(
    manifest: Manifest, out: Path, entry: Entry, kind: str, names: RunningDigest
) -> tuple[Record, NDArray[Any]]:
    """The record of a shard and one of its arrays, which is as it was written; `names` takes up its ids.

    With the last shard they are those of the job, or vectors would go to other instances, or to none.
    """
    name = name_of(kind, entry.number)
    record = read_record(out, entry.number, manifest.digest)
    if record is None or record.files != entry.files or len(record.ids) != entry.rows:
        raise _damaged(out, name, manifest)
    names.update(record.ids)
    if entry == manifest.shards[-1] and names.hexdigest() != manifest.job.asked.ids:
        raise _damaged(out, "a record", manifest)
    with open(out / name, "rb") as stream:
        if hashlib.file_digest(stream, "sha256").hexdigest() != entry.files[name]:
            raise _damaged(out, name, manifest)
    array: NDArray[Any] = np.load(out / name, mmap_mode="r", allow_pickle=False)
    shape, dtype = ((entry.rows,), ASSIGNED) if kind == "assigned" else ((entry.rows, manifest.job.width), np.float32)
    if array.shape != shape or array.dtype != dtype:
        raise _damaged(out, name, manifest)
    return record, array


def _damaged(out: Path, name: str, manifest: Manifest) -> SourceError:
    source, shown = display_safe(manifest.job.source), display_safe(str(out))
    what = f"{name} of the features in {shown} is not as it was written"
    # of the encoder all shards were made, and which of the records it is nobody can tell
    lost = "the folder" if name in (FITTED, "a record") else "that file"
    return SourceError(what, f"remove {lost}; this makes it anew: labeler features {source} {shown}")
