"""The loop over all shards of a source: what is not there is handed out, as much at a time as is worked on."""

from __future__ import annotations

import os
from collections import Counter, deque
from collections.abc import Generator
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Future, wait
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from labeler.core.errors import EngineError, LabelerError, ProjectError, SourceError, UsageError
from labeler.core.files import sweep
from labeler.core.recipe import AS_IT_IS, Reading
from labeler.core.text import counted, display_safe
from labeler.core.types import Progress
from labeler.plugins.importers.base import Source
from labeler.worker.cache import digest
from labeler.worker.mapped_file import is_full
from labeler.worker.shards import plan
from labeler.worker.shards.executors import Alone, Workers
from labeler.worker.shards.job import FITTED, Asked, Job, read_job
from labeler.worker.shards.manifest import MANIFEST, Manifest, write_manifest
from labeler.worker.shards.part import Part, part_of
from labeler.worker.shards.record import read_record
from labeler.worker.shards.shard import Done, Refused, Shard, compute
from labeler.worker.work import range_of_files

LOOK = 0.5  # seconds between two signs of life


class Interrupted(LabelerError):
    """A person asked to stop."""

    exit_code = 130


@dataclass(frozen=True, slots=True)
class Outcome:
    """The manifest of what is there now, and how much of it was there before."""

    job: Job
    manifest: Manifest
    n_before: int  # shards
    cpu: float  # seconds, of all shards of this run


def ask(
    source: Source,
    encoder: str = "",
    n_clusters: int = 50,
    n_nearest: int = 10,
    seed: int = 0,
    reading: Reading = AS_IT_IS,
) -> Asked:
    """Return what is asked for of a source.

    Raises
    ------
    UsageError
        It holds no images, or a number is out of range.
    """
    if source.content != "images":
        what = f"{display_safe(str(source.path))} holds {source.content}, not images"
        raise UsageError(what, "one machine does these: labeler label SOURCE")
    if n_clusters < 1 or n_nearest < 1:
        raise UsageError(f"{min(n_clusters, n_nearest)} is out of range", "give --clusters and --nearest from 1 up")
    shown = range_of_files(source) or ""
    return Asked(
        *(source.kind, source.fingerprint(), len(source.ids), digest(*source.ids), encoder),
        *(n_clusters, n_nearest, seed, reading, shown),
    )


def compute_all(
    source: Source, asked: Asked, out: Path, workers: Workers | Alone | None = None, rows_a_shard: int = 0
) -> Generator[Progress, None, Outcome]:
    """Yield progress; compute what is not there yet of a source's features into `out`, and return what is there.

    Parameters
    ----------
    workers
        Who does the shards; None = this process.
    rows_a_shard
        0 = the work of a second.

    Raises
    ------
    UsageError
        `out` holds something else.
    Interrupted
        By ctrl+c; the shards that are done are there.
    LabelerError
        A shard cannot be done.
    """
    job = _job_there(out, asked)
    try:
        if job is None:
            job = yield from plan.make_job(source, asked, out, rows_a_shard)
        shards = Shards(source, asked, out, job)
        n_before = len(shards.done)
        if shards.left:
            yield from _do(shards, workers or Alone())
        yield Progress("writing the manifest")
        manifest = write_manifest(out, job, source)
    except KeyboardInterrupt:
        raise Interrupted(_how_far(out, job)) from None
    except OSError as error:
        if not is_full(error):
            raise
        raise ProjectError(f"there is no room for the features: {error.strerror}", f"make room for {out}") from error
    return Outcome(job, manifest, n_before, shards.cpu)


def _how_far(out: Path, job: Job | None) -> str:
    if job is None:
        return "interrupted before the first shard"
    n_done = sum(read_record(out, number, job.digest) is not None for number in range(job.n_shards))
    return f"interrupted: {n_done:,} of {counted(job.n_shards, 'shard')} done; the same command goes on from there"


def _job_there(out: Path, asked: Asked) -> Job | None:
    """Return the job that a folder holds, made ready for another run; None where it is new or empty.

    Raises
    ------
    UsageError
        It holds another job, or other things.
    """
    try:
        out.mkdir(exist_ok=True)
    except FileNotFoundError:  # no folder above it is made: a wrong word in a long path would fill the wrong disk
        raise UsageError(f"there is no folder {display_safe(str(out.parent))}", "make it first") from None
    except FileExistsError:
        what = "a link that leads nowhere" if not out.exists() else "a file"
        raise UsageError(
            f"{display_safe(str(out))} is {what}", "give a folder, which is made if it is not there"
        ) from None
    job = read_job(out)
    sweep(out)
    if job is None:
        left = [name for name in os.listdir(out) if not name.startswith(".") and name != FITTED]
        if left:
            what = f"{display_safe(str(out))} is not empty, and holds no features of labeler's"
            raise UsageError(what, "give a folder of its own")
        return None
    if differing := job.asked.differs(asked):
        what = f"{display_safe(str(out))} holds features by another {differing}"
        raise UsageError(what, f"they are of {display_safe(job.source)}, by {job.encoder}: give another folder")
    return job


class Shards:
    """The shards of a job: those that are `done`, and those that are `left`."""

    def __init__(self, source: Source, asked: Asked, out: Path, job: Job) -> None:
        self.source, self.asked, self.out, self.job = source, asked, out, job
        self.digest = job.digest
        self.done: set[int] = set()
        self.left: deque[int] = deque()
        self.n_rows = 0  # that are done
        self.cpu = 0.0
        for number in range(job.n_shards):
            if self.is_there(number):
                self.finish(number)
            else:
                self.left.append(number)
        if self.left:
            (out / MANIFEST).unlink(missing_ok=True)  # it would speak of shards that are not there
        self._witness: Part | None = None
        self._plugins = plan.files_of(job.encoder) if self.left else ()

    def finish(self, number: int, cpu: float = 0.0) -> None:
        """Count a shard as done, once."""
        if number not in self.done:
            self.done.add(number)
            self.n_rows += self._size(number)
            self.cpu += cpu

    def _size(self, number: int) -> int:
        start = number * self.job.rows_a_shard
        return min(self.asked.n, start + self.job.rows_a_shard) - start

    def is_there(self, number: int) -> bool:
        """Whether a shard is on disk, whole."""
        return read_record(self.out, number, self.digest) is not None

    def recipe(self, number: int) -> Shard:
        """Return what a worker needs for a shard."""
        if self._witness is None:
            self._witness = plan.witness_of(self.source, self.asked)
        start = number * self.job.rows_a_shard
        rows = range(start, start + self._size(number))
        ids = tuple(self.source.ids[row] for row in rows)
        part = part_of(self.source, self.asked.reading, rows)
        return Shard(os.path.abspath(self.out), self.digest, number, start, ids, part, self._witness, self._plugins)


def _do(shards: Shards, workers: Workers | Alone) -> Generator[Progress, None, None]:
    """Yield progress; have the shards done that are left."""
    pending: dict[Future[Any], int] = {}
    failures: Counter[int] = Counter()
    yield Progress("encoding", shards.n_rows, shards.asked.n)
    while shards.left or pending:
        try:
            while shards.left and len(pending) < workers.at_once:
                number = shards.left.popleft()
                try:
                    pending[workers.submit(compute, shards.recipe(number))] = number
                except BrokenExecutor:
                    shards.left.appendleft(number)
                    raise
            finished, _ = wait(pending, timeout=LOOK, return_when=FIRST_COMPLETED)
            for future in finished:
                _take(shards, pending, future, failures, workers.retries)
        except BrokenExecutor:
            workers.restart()
            # what the lost ones had done, and could not say any more, is on disk
            for number in sorted(pending.values(), reverse=True):
                if shards.is_there(number):
                    shards.finish(number)
                else:
                    shards.left.appendleft(number)
            pending.clear()
        yield Progress("encoding", shards.n_rows, shards.asked.n)


def _take(
    shards: Shards, pending: dict[Future[Any], int], future: Future[Any], failures: Counter[int], retries: int
) -> None:
    """Take what came of a shard: it is done, or left again."""
    number = pending[future]
    try:
        result = future.result()
    except BrokenExecutor:  # stays pending: whether it was done is asked of the disk
        raise
    except Exception as error:
        failures[number] += 1
        if failures[number] > retries or (isinstance(error, OSError) and is_full(error)):
            _give_up(number, error)
        del pending[future]
        shards.left.append(number)
        return
    del pending[future]
    if isinstance(result, Refused):
        raise SourceError(result.message, result.hint)
    if isinstance(result, Done):  # not looked for here: a network's folder may show it later
        shards.finish(number, result.cpu)


def _give_up(number: int, error: Exception) -> NoReturn:
    if isinstance(error, OSError):
        raise error
    why = display_safe(f"{type(error).__name__}: {error}", 300)
    raise EngineError(f"shard {number} failed, again and again ({why})", "the same command goes on from here")
