"""Labels that spread, saved: ``python -m jobs.saved_labels ROWS FOLDER``.

Ours: a whole round (labels, scores, tiers, sources, clusters, ... of every instance) into an open project file, as the
application saves it. Beside it sqlite-utils as it comes: a row an instance of id, label, provenance and score.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import sqlite_utils
from jobs.report import tell

from labeler.core.advice import go_on
from labeler.core.types import Provenance, Queue, Round
from labeler.store.store import Store

REPEATS = 7


def round_of(n: int) -> Round:
    """A round of `n` propagated labels, all of its arrays filled."""
    scores, classes = np.random.default_rng(0).random(n, dtype=np.float32), (np.arange(n) % 10).astype(np.int32)
    codes, few = np.full(n, Provenance.PROPAGATED, np.uint8), np.arange(min(n, 200))
    guesses, asked = np.zeros((len(few), 3), np.int32), few.astype(np.float32)
    queue = Queue(few, asked, np.zeros(len(few), np.uint8), ("uncertain",), asked, guesses, guesses.astype(np.float32))
    return Round(
        *(1, 1, "propagate", classes, codes, scores, codes, classes, classes, scores, classes, few, queue, go_on()),
        doubts=scores,
        shares=scores,
        seconds=classes,
    )


def timed(job: Callable[[], object]) -> dict[str, float]:
    """The median CPU and wall seconds."""
    cpu, wall = [], []
    for _ in range(REPEATS):
        began, at = time.process_time(), time.perf_counter()
        job()
        cpu.append(time.process_time() - began)
        wall.append(time.perf_counter() - at)
    return {"cpu": statistics.median(cpu), "wall": statistics.median(wall)}


def main() -> None:
    """Print the medians of both."""
    n, folder = int(sys.argv[1]), Path(sys.argv[2])
    round_ = round_of(n)
    rows = [
        {"id": f"{row:07d}.png", "label": int(label), "provenance": "propagated", "score": float(score)}
        for row, (label, score) in enumerate(zip(round_.labels, round_.scores, strict=True))
    ]
    plain = sqlite_utils.Database(folder / "plain.db")
    store = Store.open(folder / "saved.labeler.db", create=True)
    try:
        tables = (plain[f"labels{number}"] for number in range(REPEATS))
        row_by_row = timed(lambda: next(tables).insert_all(rows, pk="id"))
        ours = timed(lambda: store.save_round(round_))
        assert np.array_equal(store.load_round().labels, round_.labels)
    finally:
        store.close()
    tell(rows=n, ours=ours, sqlite_utils=row_by_row)


if __name__ == "__main__":
    main()
