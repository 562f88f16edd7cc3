"""The image store filled from files, in children where that takes long: photos of phones are 30 ms each."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator

import numpy as np

from labeler.core.types import ByteArray, IndexArray, Progress
from labeler.plugins.importers.base import Source
from labeler.worker import children
from labeler.worker.image_store import N_LOOKED_AT, ImagePlan, fill_images, plan_images
from labeler.worker.protocol import Employ, Work
from labeler.worker.work import Reading, range_of_files, read_work

FILES = 16
"""Files that a child gets at once."""

Read = tuple[ByteArray, dict[int, str]]
"""sha256 (n, 32) of the contents, and why which of them could not be read."""


def plan_reading(source: Source, n: int) -> tuple[ImagePlan, float]:
    """Return the store's shape, and about how many seconds it takes one core to read `n` instances into it."""
    started = time.perf_counter()
    plan = plan_images(source)
    return plan, (time.perf_counter() - started) / max(1, min(N_LOOKED_AT, len(source.ids))) * n


def read_images(
    source: Source, rows: IndexArray, plan: ImagePlan, target: ByteArray, seconds: float
) -> Generator[Progress, None, Read]:
    """Yield progress; write every image into `target`, the same bits as :func:`fill_images`, however many processes."""
    size = children.size_for(seconds) if source.uniform_images() is None else 0
    if not size or range_of_files(source) is None:
        return (yield from fill_images(source, rows, plan, target))
    hashes = np.zeros((len(rows), 32), dtype=np.uint8)
    unreadable: dict[int, str] = {}
    n_done = 0
    with children.Children(Employ(), size, None) as helpers:
        for part in helpers.do(_works(source, rows, plan, hashes, unreadable)):
            if part is not None:
                start = part.number * FILES
                target[start : start + len(part.rows)] = part.rows
                unreadable |= {start + place: why for place, why in part.broken.items()}
                n_done += len(part.rows)
            yield Progress(f"reading ({helpers.ended})" if helpers.ended else "reading", n_done, len(rows))
    return hashes, dict(sorted(unreadable.items()))


def _works(
    source: Source, rows: IndexArray, plan: ImagePlan, hashes: ByteArray, unreadable: dict[int, str]
) -> Iterator[Work]:
    """Yield the works of a pool, and keep what is seen of them here: hashes, and files that cannot be read at all."""
    for number, start in enumerate(range(0, len(rows), FILES)):
        reading: Reading = read_work(source, rows[start : start + FILES], plan, number)
        hashes[start : start + FILES] = reading.hashes
        unreadable |= {start + place: why for place, why in reading.broken.items()}
        yield reading.work
