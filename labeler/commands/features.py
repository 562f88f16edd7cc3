"""`labeler features`: encode a source shard by shard, on all cores or on a cluster."""

from __future__ import annotations

import shlex
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from labeler.commands.result import Result
from labeler.core import steps
from labeler.core.recipe import AS_IT_IS, Reading
from labeler.core.text import counted, display_safe
from labeler.core.types import Progress
from labeler.plugins.importers import remote
from labeler.plugins.importers.base import Source
from labeler.plugins.importers.detect import open_source
from labeler.worker.shards.executors import PROCESSES, workers_of
from labeler.worker.shards.manifest import ADDRESSES, NEAREST_TABLE, NEAREST_VECTORS
from labeler.worker.shards.run import Outcome, ask, compute_all

CLUSTERS, NEAREST = 50, 10


@dataclass(frozen=True, slots=True)
class FeaturesReport(Result):
    """The contents of a folder of features; `seconds` on the clock, `cpu` of processors."""

    source: str
    out: str
    n: int
    unreadable: int
    encoder: str
    reason: str
    width: int
    bytes: int
    clusters: int
    shards: int
    shards_before: int
    seconds: float
    cpu: float
    executor: str
    label: str
    label_nearest: str  # "" where they are no files of their own

    def lines(self) -> list[str]:
        """Return what was computed, where it is, and how to go on."""
        size = f"{self.bytes / 1e6:,.0f} MB" if self.bytes >= 1e6 else f"{self.bytes:,} bytes"
        encoder = f"encoder {self.encoder}, {self.reason}"
        there = f", {self.shards_before:,} of them there before" if self.shards_before else ""
        lines = [
            f"{counted(self.n, 'image')} as {self.width:,} features each ({encoder}): {size} in {self.out}",
            f"{counted(self.shards, 'shard')}{there}; {self.seconds:,.1f} s, by {self.executor}",
            f"{counted(self.clusters, 'cluster')}; nearest to their centroids: {self.out}/nearest.csv",
        ]
        if self.unreadable:
            lines.append(f"{counted(self.unreadable, 'image')} could not be read: zeros, in no cluster")
        lines.append(f"label them: {self.label}")
        return [*lines, f"or those nearest alone: {self.label_nearest}"] if self.label_nearest else lines


def features(
    source: str,
    out: Path,
    encoder: str = "",
    executor: str = PROCESSES,
    n_clusters: int = CLUSTERS,
    n_nearest: int = NEAREST,
    seed: int = 0,
    reading: Reading = AS_IT_IS,
    progress: Callable[[Progress], None] = lambda _: None,
    note: Callable[[str], None] = lambda _: None,
) -> FeaturesReport:
    """Compute the features of a source, a path or an address, into a folder; what is there of them is not done again.

    Raises
    ------
    LabelerError
        The source, the folder, the encoder or the executor cannot be used; a worker cannot do its part.
    """
    started = time.perf_counter()
    progress(Progress("looking at the source"))
    opened = _opened(source, reading)
    try:
        for line in opened.notes:
            note(line)
        asked = ask(opened, encoder, n_clusters, n_nearest, seed, reading)
        with workers_of(executor) as workers:
            name = workers.name
            outcome = steps.run(compute_all(opened, asked, out, workers), progress)
        return _report(opened, source, out, outcome, time.perf_counter() - started, name)
    finally:
        opened.close()


def _opened(source: str, reading: Reading) -> Source:
    if remote.ADDRESS.match(source):
        return remote.open_address(source, reading)
    return open_source(Path(source), reading)


def _report(source: Source, name: str, out: Path, outcome: Outcome, seconds: float, executor: str) -> FeaturesReport:
    job, manifest = outcome.job, outcome.manifest
    is_remote = job.asked.kind == "remote"
    is_of_files = is_remote or source.location(0) is not None
    shown, place = display_safe(name, 1000), display_safe(str(out), 1000)
    addresses, table, vectors = (shlex.quote(f"{place}/{file}") for file in (ADDRESSES, NEAREST_TABLE, NEAREST_VECTORS))
    return FeaturesReport(
        *(shown, place, manifest.n, manifest.unreadable, job.encoder, job.reason, job.width),
        *(manifest.n * job.width * 4, len(manifest.sizes), len(manifest.shards), outcome.n_before),
        *(round(seconds, 3), round(outcome.cpu, 3), executor),
        f"labeler label {addresses if is_remote else shlex.quote(shown)} --features {shlex.quote(place)}",
        f"labeler label {table} --features {vectors}" if is_of_files else "",
    )
