"""Vectors in the encoder's place: of a file from elsewhere, or of the shards that `labeler features` computed."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from pathlib import Path

import numpy as np

from labeler.core.types import FloatArray, IndexArray, Progress
from labeler.engine.representatives import Given, coverage_order
from labeler.plugins.importers.base import Source
from labeler.plugins.importers.vectors import check_rows, read_features
from labeler.worker.cache import digest, why_broken, writing
from labeler.worker.shards.manifest import (
    check_source,
    fill_vectors,
    read_assigned,
    read_centroids,
    read_manifest,
    read_nearest,
)


def from_elsewhere(
    features: str, source: Source, ids: Sequence[str], cache: Path, key: str
) -> Generator[Progress, None, tuple[FloatArray, Path]]:
    """Yield progress; return the vectors (n, d) of `ids`, and an array file that holds just these.

    That is the file itself, or a copy in the cache: of shards one file is made, which can be mapped as a whole.

    Raises
    ------
    SourceError
        They do not fit the source, or cannot be read.
    """
    place = Path(features)
    if place.is_dir():
        return (yield from _of_shards(place, source, ids, cache, key))
    vectors = read_features(place, list(ids))
    if isinstance(vectors, np.memmap) and place.suffix.lower() == ".npy":
        return vectors, place
    status = place.stat()
    # size and time stand for the content: a file may be of gigabytes, too much to hash at each opening
    path = _entry(cache, key, place.resolve(), status.st_size, status.st_mtime_ns)
    if why_broken(path, len(ids)):
        _remove_older(cache)
        with writing(path) as draft, open(draft, "wb") as stream:
            np.save(stream, vectors)
    return vectors, path


def check_vectors(features: str, source: Source | None, ids: Sequence[str]) -> None:
    """Refuse vectors that do not fit the instances of a source, as far as that is told without reading them.

    Raises
    ------
    SourceError
        How many rows there are and how many are wanted, or which source they are of.
    """
    place = Path(features)
    if not place.is_dir():
        check_rows(place, ids)
        return
    manifest = read_manifest(place)
    if source is not None:
        check_source(manifest, place, source)


def first_of_shards(features: str, source: Source, size: int) -> IndexArray | None:
    """Return at most `size` rows of a source that are nearest to the centroids of its shards, in the order to ask them.

    None where the vectors are of a file. First the nearest of each, by how much of the source it stands for; then the
    second of each, and so on.

    Raises
    ------
    SourceError
        They do not fit the source, or cannot be read.
    """
    place = Path(features)
    if not features or not place.is_dir():
        return None
    manifest = read_manifest(place)
    check_source(manifest, place, source)
    nearest = read_nearest(place, manifest)
    ranks = np.arange(len(nearest)) - np.searchsorted(nearest["cluster"], nearest["cluster"])
    own = nearest["cluster"][ranks == 0]
    order = coverage_order(read_centroids(place, manifest)[own], np.array(manifest.sizes)[own])
    position = np.full(len(manifest.sizes), -1, dtype=np.int64)
    position[own[order]] = np.arange(len(own))
    rows: IndexArray = nearest["row"][np.lexsort((position[nearest["cluster"]], ranks))][:size]
    return rows


def clusters_of_shards(features: str, source: Source, ids: Sequence[str]) -> Given | None:
    """Return the clusters of `ids` by the centroids of a source's shards; None where the vectors are of a file,
    or none of `ids` is in a cluster.

    Raises
    ------
    SourceError
        They do not fit the source, or a shard is not as it was written.
    """
    place = Path(features)
    if not features or not place.is_dir():
        return None
    manifest = read_manifest(place)
    check_source(manifest, place, source)
    clusters = read_assigned(manifest, place, ids)
    places = {name: row for row, name in enumerate(ids)}
    nearest = read_nearest(place, manifest)
    first = nearest[np.r_[True, np.diff(nearest["cluster"]) != 0]] if len(nearest) else nearest
    rows = np.array([places.get(source.ids[row], -1) for row in first["row"].tolist()], dtype=np.int64)
    rows = rows[rows >= 0]
    rows = rows[clusters[rows] >= 0]
    return Given(clusters, rows) if len(rows) else None


def _of_shards(
    place: Path, source: Source, ids: Sequence[str], cache: Path, key: str
) -> Generator[Progress, None, tuple[FloatArray, Path]]:
    manifest = read_manifest(place)
    check_source(manifest, place, source)
    path = _entry(cache, key, manifest.digest)
    if why_broken(path, len(ids)):
        _remove_older(cache)
        with writing(path) as draft:
            yield from fill_vectors(manifest, place, ids, draft)
    vectors: FloatArray = np.load(path, mmap_mode="r")
    return vectors, path


def _entry(cache: Path, *parts: object) -> Path:
    return cache / f"vectors-{digest(*parts)}.npy"


def _remove_older(cache: Path) -> None:
    """Make room: each may be as large as the pool."""
    for older in cache.glob("vectors-*.npy"):
        older.unlink(missing_ok=True)
