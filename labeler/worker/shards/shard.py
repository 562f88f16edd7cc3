"""The work of one shard: read, encode, assign to the nearest centroid, write; run wherever an executor runs it."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from labeler.core import steps
from labeler.core.errors import LabelerError, SourceError, UnreadableInstance
from labeler.core.numeric.kmeans import assign
from labeler.core.text import display_safe
from labeler.core.types import FloatArray, IndexArray
from labeler.plugins.encoders.base import Encoder, Images
from labeler.plugins.importers.base import Source
from labeler.worker.heavy_encoders import looks_itself
from labeler.worker.image_store import Framing, ImagePlan, fill_images
from labeler.worker.shards.part import Part
from labeler.worker.shards.record import ASSIGNED, KINDS, Record, closest, read_record, write_arrays, write_record
from labeler.worker.shards.tools import Tools, tools_of


@dataclass(frozen=True, slots=True)
class Shard:
    """The recipe of a shard: all that a worker needs beside the folder `out` and the job in it of this `digest`.

    `witness`: instances that could be read where the command began, so that a worker knows whether it sees the source;
    `plugins`: the file that brought the encoder, where a person did.
    """

    out: str
    digest: str
    number: int
    start: int
    ids: tuple[str, ...]
    part: Part
    witness: Part
    plugins: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Done:
    """A shard that is there: its rows, and the seconds of a processor that it took."""

    number: int
    rows: int
    cpu: float


@dataclass(frozen=True, slots=True)
class Refused:
    """The reason why a worker cannot do any shard, or not this one, however often it tries."""

    message: str
    hint: str


def compute(shard: Shard) -> Done | Refused:
    """Compute a shard, unless it is there: an engine may ask again for what a lost worker had done.

    Raises
    ------
    OSError, Exception
        What may go better at another time or place; what never will is returned.
    """
    out = Path(shard.out)
    record = read_record(out, shard.number, shard.digest)
    if record is not None:
        return Done(shard.number, len(record.ids), record.cpu)
    started, begun = time.perf_counter(), time.thread_time()
    try:
        tools = tools_of(shard.out, shard.digest, shard.plugins)
        _check_source(shard.out, shard.digest, shard.witness)
        features, assigned, unreadable = _encoded(tools, shard)
    except LabelerError as error:  # not raised: some of them cannot be pickled
        return Refused(error.message, error.hint)
    clusters, distances = assigned["cluster"], assigned["distance"]
    rows = np.arange(shard.start, shard.start + len(shard.ids))
    close = closest(clusters, rows, distances, tools.job.asked.n_nearest)
    hashes, lengths = write_arrays(out, shard.number, dict(zip(KINDS, (features, assigned, close), strict=True)))
    sizes = tuple(np.bincount(clusters[clusters >= 0], minlength=len(tools.centroids)).tolist())
    seconds, cpu = round(time.perf_counter() - started, 4), round(time.thread_time() - begun, 4)
    place = (shard.digest, shard.number, shard.start, shard.ids)
    write_record(out, Record(*place, hashes, lengths, sizes, unreadable, seconds, cpu))
    return Done(shard.number, len(shard.ids), cpu)


def framing_of(encoder: Encoder, source: Source) -> Framing | None:
    """Return the encoder's own way to bring images to its size; None where it takes them as a store has them."""
    has_its_own = looks_itself(encoder, source) and hasattr(encoder, "framed")
    return cast("Framing", encoder) if has_its_own else None


def read_images(
    source: Source, rows: IndexArray, plan: ImagePlan, framing: Framing | None
) -> tuple[Images, dict[int, str]]:
    """Return the images at `rows` of a source in the shape of a plan, and place -> why one cannot be read."""
    images = np.zeros((len(rows), *plan.shape), dtype=np.uint8)
    _, broken = steps.run(fill_images(source, rows, plan, images, framing))
    return images, broken


def _encoded(tools: Tools, shard: Shard) -> tuple[FloatArray, NDArray[Any], dict[str, str]]:
    """Features (n, d), ASSIGNED (n,), and what could not be read, whose features are zeros."""
    source, rows = shard.part.open()
    features = np.zeros((len(rows), tools.job.width), dtype=np.float32)
    assigned = np.zeros(len(rows), dtype=ASSIGNED)
    unreadable: dict[str, str] = {}
    framing = framing_of(tools.encoder, source)
    for start in range(0, len(rows), tools.job.step):
        here = slice(start, start + tools.job.step)
        images, broken = read_images(source, rows[here], tools.job.plan, framing)
        part = tools.encoder.transform(images)
        part[list(broken)] = 0
        clusters, distances = assign(part, tools.centroids)
        clusters[list(broken)], distances[list(broken)] = -1, 0
        features[here] = part
        assigned["cluster"][here], assigned["distance"][here] = clusters, distances
        unreadable |= {str(start + place): why for place, why in broken.items()}
    return features, assigned, unreadable


@lru_cache(maxsize=2)
def _check_source(out: str, digest: str, witness: Part) -> None:
    """Refuse, once a process, where nothing of the source is seen: all its images would count as unreadable."""
    source, rows = witness.open()
    for row in rows.tolist():
        try:
            source.content_bytes(row)
        except UnreadableInstance:
            continue
        return
    where = getattr(witness, "base", "") or str(source.path)
    what = f"a worker cannot read the images of the source ({display_safe(where)})"
    raise SourceError(what, "give a source that all machines of the cluster see, under the same path")
