"""A look at a sample: which encoder, fitted on it, the centroids, and how many rows are a shard."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Generator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

from labeler import __version__
from labeler.core.errors import SourceError, UnreadableInstance
from labeler.core.numeric.kmeans import kmeans_by_steps
from labeler.core.types import FloatArray, IndexArray, Progress
from labeler.plugins import registry
from labeler.plugins.encoders.base import Encoder, Images
from labeler.plugins.importers.base import Source
from labeler.plugins.importers.remote import RemoteSource
from labeler.plugins.pins import pinned
from labeler.worker.features import bring, choose, encoder_of, fitted, rows_a_chunk, side_of
from labeler.worker.heavy_encoders import looks_itself
from labeler.worker.image_store import ImagePlan, plan_images
from labeler.worker.shards.job import Asked, Job, write_job
from labeler.worker.shards.part import FilesPart, Part, part_of
from labeler.worker.shards.shard import framing_of, read_images
from labeler.worker.shards.tools import write_fitted

POINTS = 64
"""Instances a centroid in the sample."""
LEAST = 2_000
"""Instances of a sample at least, for the encoder's sake."""
SECONDS = 1.0
"""The work of a shard at least: to hand one out costs a cluster a hundredth of it (benchmarks/scale.py)."""
MOST_BYTES = 256_000_000
"""Features of a shard at most: a worker holds them until they are written."""
WITNESSES, _TRIED = 4, 100
_PROBE = 4
_AT_ONCE = 256


@dataclass(frozen=True, slots=True)
class Sample:
    """Rows of a source that could be read, their images (m, ...), the seconds that one took, and how they are read."""

    rows: IndexArray
    images: Images
    seconds: float
    plan: ImagePlan


def make_job(source: Source, asked: Asked, out: Path, rows_a_shard: int = 0) -> Generator[Progress, None, Job]:
    """Yield progress; look at a sample, write what all shards need into `out` and return the job.

    `rows_a_shard` is rounded up to whole steps of the encoder; 0 = the work of a second, as the sample took it.

    Raises
    ------
    LabelerError
        No such encoder, or what it needs is not here; nothing of the sample can be read.
    """
    with threadpool_limits(limits=1):  # as the workers have it: the centroids do not depend on the machine's cores
        chosen, fit_on, sample = yield from _fitted_on_sample(source, asked)
        encoder, step = chosen.encoder, rows_a_chunk(chosen.encoder)
        started = time.perf_counter()
        features = yield from _transformed(encoder, sample.images, step)
        seconds = sample.seconds + (time.perf_counter() - started) / len(features)
        clustering = yield from kmeans_by_steps(features, asked.n_clusters, asked.seed)
        digest = write_fitted(out, encoder, fit_on, sample.images[:_PROBE], clustering.centers)
    width = features.shape[1]
    place = source.address if isinstance(source, RemoteSource) else os.path.abspath(source.path)
    job = Job(
        *(asked, place, chosen.spec, encoder.version, chosen.reason, sample.plan.shape, sample.plan.exact, step),
        *(_rounded(rows_a_shard or _rows_of_a_second(seconds, width), step), width, digest, __version__),
    )
    write_job(out, job)
    return job


@dataclass(frozen=True, slots=True)
class _Chosen:
    """An encoder, its spec, and why it is this one."""

    encoder: Encoder
    spec: str
    reason: str


def _fitted_on_sample(source: Source, asked: Asked) -> Generator[Progress, None, tuple[_Chosen, Images, Sample]]:
    """Yield progress; return an encoder that is fitted, the images that it is fitted on, and a sample as it sees it."""
    size = min(asked.n, max(LEAST, asked.n_clusters * POINTS))
    rows = np.sort(np.random.default_rng(asked.seed).choice(asked.n, size, replace=False)).astype(np.int64)
    spec, reason = asked.encoder, "chosen by you"
    if spec:  # a wrong one is said before anything is read
        spec = yield from pinned("encoder", spec)
        encoder_of(registry.parse_spec(spec), "images")
    sample = yield from _read(source, asked, rows, plan_images(source))
    if not spec:
        yield Progress("choosing an encoder")
        spec, reason = choose(sample.images, asked.seed)
    encoder = encoder_of(registry.parse_spec(spec), "images")
    yield from bring(encoder)
    yield Progress("fitting the encoder")
    fit_on = sample.images
    encoder = fitted(encoder, fit_on)
    if looks_itself(encoder, source):  # once more, as it wants to see them
        side = side_of(encoder)
        sample = yield from _read(source, asked, sample.rows, ImagePlan((side, side, 3), exact=False), encoder)
    return _Chosen(encoder, spec, reason), fit_on, sample


def witness_of(source: Source, asked: Asked) -> Part:
    """Return some instances by which a worker knows whether it sees the source; raises SourceError without any."""
    readable: list[int] = []
    for row in np.linspace(0, asked.n - 1, min(_TRIED, asked.n)).astype(np.int64).tolist():
        with suppress(UnreadableInstance):
            source.content_bytes(row)
            readable.append(row)
        if len(readable) == WITNESSES:
            break
    if not readable:
        raise SourceError("none of the images that were tried can be read", "open one of them with another program")
    return part_of(source, asked.reading, readable)


def files_of(spec: str) -> tuple[str, ...]:
    """Return the file that brought a person's own encoder: workers run it as it was run here, and no other."""
    origin = registry.entry("encoder", registry.parse_spec(spec).name).origin
    return (origin,) if origin.endswith(".py") else ()


def _rows_of_a_second(seconds: float, width: int) -> int:
    return max(1, min(math.ceil(SECONDS / max(seconds, 1e-6)), MOST_BYTES // (4 * width)))


def _rounded(rows: int, step: int) -> int:
    return -(-rows // step) * step


def _read(
    source: Source, asked: Asked, rows: IndexArray, plan: ImagePlan, encoder: Encoder | None = None
) -> Generator[Progress, None, Sample]:
    """Yield progress; read rows of a source, as an encoder wants to see them or as an image store has them."""
    part = part_of(source, asked.reading, rows.tolist())
    here, places = part.open() if isinstance(part, FilesPart) else (source, rows)
    framing = framing_of(encoder, source) if encoder is not None else None
    images = np.zeros((len(rows), *plan.shape), dtype=np.uint8)
    is_read = np.ones(len(rows), dtype=np.bool_)
    started = time.perf_counter()
    for start in range(0, len(rows), _AT_ONCE):
        yield Progress("reading a sample", start, len(rows))
        some = slice(start, start + _AT_ONCE)
        images[some], broken = read_images(here, places[some], plan, framing)
        is_read[[start + place for place in broken]] = False
    if not is_read.any():
        raise SourceError("none of the images that were tried can be read", "open one of them with another program")
    seconds = (time.perf_counter() - started) / len(rows)
    return Sample(rows[is_read], images[is_read], seconds, plan)


def _transformed(encoder: Encoder, images: Images, step: int) -> Generator[Progress, None, FloatArray]:
    parts: list[FloatArray] = []
    for start in range(0, len(images), step):
        yield Progress("encoding a sample", start, len(images))
        parts.append(encoder.transform(images[start : start + step]))
    return np.concatenate(parts)
