"""Measures what `labeler features` costs an image and a shard, in processes and on a Dask cluster of this machine.

    python benchmarks/scale.py [IMAGES]        # 20,000 drawings of 28 x 28 pixels; two minutes

The numbers in docs/scale.md are computed from what this prints. Dask is left out where it is not installed.
"""

from __future__ import annotations

import pickle
import resource
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from PIL import Image

from labeler.commands.features import features
from labeler.plugins.importers.detect import open_source
from labeler.worker.shards.executors import Workers, workers_of
from labeler.worker.shards.job import read_job
from labeler.worker.shards.manifest import write_manifest
from labeler.worker.shards.run import Shards, ask
from labeler.worker.shards.shard import Shard

SIDE = 28
ENCODERS = ("deskew-hog", "hog", "pca", "scattering")
TASKS = 300


def draw(folder: Path, count: int) -> None:
    """Write so many rings and strokes on a dark ground, in folders of a thousand."""
    rng = np.random.default_rng(0)
    down, across = np.mgrid[:SIDE, :SIDE]
    for number in range(count):
        place = folder / f"{number // 1000:04d}"
        place.mkdir(parents=True, exist_ok=True)
        y, x, size = rng.uniform(9, 19), rng.uniform(9, 19), rng.uniform(4, 8)
        away = np.hypot(down - y, across - x) if number % 2 else abs(down - y) + abs(across - x) * rng.uniform(0, 2)
        pixels = 220 * (abs(away - size) < 1.5) + rng.integers(0, 25, (SIDE, SIDE))
        Image.fromarray(pixels.astype(np.uint8)).save(place / f"{number:07d}.png")


def nothing(shard: Shard) -> int:
    """Return the number of rows of a shard: the work of an empty task, whose recipe travels all the same."""
    return len(shard.ids)


def overhead(workers: Workers, shard: Shard) -> float:
    """Return the milliseconds that a shard costs beside its work."""
    for _ in range(4):
        workers.submit(nothing, shard).result()
    started = time.perf_counter()
    pending = [workers.submit(nothing, shard) for _ in range(TASKS)]
    for future in pending:
        future.result()
    return (time.perf_counter() - started) / TASKS * 1e3


@contextmanager
def cluster() -> Iterator[str]:
    """Yield the name of a cluster of two processes of this machine."""
    from distributed import LocalCluster  # an extra

    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None, host="127.0.0.1") as begun:
        yield begun.scheduler_address.replace("tcp", "dask")


def timed(work: Callable[[], object]) -> float:
    """Return the seconds on the clock."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def measure_runs(source: Path, scratch: Path, executors: list[str]) -> None:
    """Print what each encoder takes for all images: on the clock, and the CPU time of the shards."""
    for encoder in ENCODERS:
        for executor in executors:
            out = scratch / f"{encoder}-{executor.partition(':')[0]}-{executor[-1]}"
            report = features(str(source), out, encoder, executor)
            print(
                f"{encoder} ({report.width} features), {report.executor}: {report.seconds:.1f} s for"
                f" {report.n:,} images, {report.cpu / report.n * 1e6:.0f} CPU us an image, {report.shards} shards"
            )
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1e3
    print(
        f"largest worker: {peak:.0f} MB; the command: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3:.0f} MB"
    )


def measure_parent(source: Path, out: Path) -> Shard:
    """Print what the command itself does an image, which no worker takes from it; return a recipe."""
    listing = timed(lambda: open_source(source))
    tracemalloc.start()
    opened = open_source(source)
    held, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    job = read_job(out)
    assert job is not None, "measure_runs() left one"
    asked = ask(opened, ENCODERS[0])
    shards = Shards(opened, asked, out, job)
    recipe = shards.recipe(0)
    making = timed(lambda: pickle.dumps(shards.recipe(0)))
    resuming = timed(lambda: Shards(opened, asked, out, job))
    writing = timed(lambda: write_manifest(out, job, opened))
    n, rows = len(opened.ids), len(recipe.ids)
    print(
        f"the command, an image: listed {listing / n * 1e6:.1f} us, in a recipe {making / rows * 1e6:.1f} us and"
        f" {len(pickle.dumps(recipe)) / rows:.0f} bytes, looked for on resuming {resuming / n * 1e6:.2f} us,"
        f" in the manifest {writing / n * 1e6:.2f} us"
    )
    print(f"memory of the command an image: {held / n:.0f} bytes, {peak / n:.0f} while it is listed")
    sizes = {kind: sum(path.stat().st_size for path in out.glob(f"{kind}-*")) / n for kind in ("features", "assigned")}
    record = sum(path.stat().st_size for path in out.glob("shard-*")) / n
    print(f"bytes an image: features {sizes['features']:.0f}, assigned {sizes['assigned']:.0f}, record {record:.0f}")
    return recipe


def main() -> None:
    """Draw, measure and print."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000
    with tempfile.TemporaryDirectory() as folder:
        source, scratch = Path(folder, "images"), Path(folder)
        draw(source, count)
        executors = ["processes:1", "processes:2"]
        measure_runs(source, scratch, executors)
        recipe = measure_parent(source, scratch / f"{ENCODERS[0]}-processes-1")
        with workers_of("processes:2") as workers:
            print(
                f"a shard of {len(recipe.ids):,} names beside its work, 2 processes: {overhead(workers, recipe):.1f} ms"
            )
        if find_spec("distributed") is None:
            print("Dask: not installed (pip install '.[dask]')")
            return
        with cluster() as name:
            report = features(str(source), scratch / "dask", ENCODERS[0], name)
            print(f"{ENCODERS[0]}, {report.executor.partition(' at')[0]}: {report.seconds:.1f} s")
            with workers_of(name) as workers:
                print(f"a shard of {len(recipe.ids):,} names beside its work, Dask: {overhead(workers, recipe):.1f} ms")


if __name__ == "__main__":
    main()
