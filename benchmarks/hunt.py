"""How many answers until ten more of a rare class are there: a hunt, beside margin and beside chance.

    LABELER_DATA=... python benchmarks/hunt.py mnist cifar3000 --seeds 10

A pool is drawn in which one class, another one for each seed, has 0.5 % (at least 15 instances; *rare* says how many).
All three begin after the same answers: 20 representatives in the order the engine asks them, and one instance of the
class, as if somebody had met it. Then a simulated person answers what is asked until 10 more of the class are there, at
most CAP answers. *hunt*: `Engine.hunt`. *margin*: the default engine's own queue, re-ranked after each answer, with a
round after every tenth, as in a session. *chance*: questions drawn at random, the mean over 200 orders.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from data import SETS, load, mnist

from labeler.core import steps
from labeler.core.types import IndexArray, Snapshot
from labeler.engine.default import DefaultEngine
from labeler.plugins.importers.detect import open_source
from labeler.worker.features import prepare

CAP = 300
WANTED = 10
SHARE, LEAST = 0.005, 15
LARGEST = 6_000
BEGUN = 20


def pool_of(name: str, seed: int, folder: Path) -> tuple[Any, Any]:
    """Images and whether each is of the rare class."""
    if name == "mnist":
        X, y = mnist("train")
    else:
        found = load(name, seed, folder)
        X, y = found.images, found.y
    names = np.unique(y)
    is_rare = y == names[seed % len(names)]
    rng = np.random.default_rng(seed)
    size = min(LARGEST, int((~is_rare).sum()) + LEAST)
    n_rare = max(LEAST, round(SHARE * size))
    rows = [
        rng.choice(np.flatnonzero(kind), n, replace=False) for kind, n in ((is_rare, n_rare), (~is_rare, size - n_rare))
    ]
    chosen = np.sort(np.concatenate(rows))
    return np.asarray(X[chosen]), is_rare[chosen], y[chosen]


def snapshot(indices: list[int], class_ids: list[int]) -> Snapshot:
    """What an engine is told of so many answers."""
    none = np.empty(0, dtype=np.int64)
    n = len(indices)
    return Snapshot(
        revision=n,
        round=1 + n // 10,
        indices=np.array(indices, dtype=np.int64),
        class_ids=np.array(class_ids, dtype=np.int32),
        provenances=np.ones(n, dtype=np.uint8),
        weights=np.ones(n, dtype=np.float32),
        class_list=np.unique(np.array(class_ids, dtype=np.int32)),
        excluded=none,
        held_back=none,
        deferred=none,
    )


def answers_to_find(engine: DefaultEngine, y: IndexArray, rare: int, begun: list[int], hunts: bool) -> tuple[int, int]:
    """Answers given and instances of the class among them, until WANTED are there or CAP were given."""
    indices, finds = list(begun), 0
    for n in range(1, CAP + 1):
        state = snapshot(indices, y[indices].tolist())
        if hunts:
            order = engine.hunt(state, rare, 1, np.empty(0, dtype=np.int64))
        else:
            if n % 10 == 1:
                steps.run(engine.round(state))
            order = engine.rerank(state).indices
        indices.append(int(order[0]))
        finds += int(y[indices[-1]] == rare)
        if finds == WANTED:
            return n, finds
    return CAP, finds


def by_chance(is_rare: Any, begun: list[int], seed: int) -> float:
    """Answers until WANTED are there where the questions are drawn at random, the mean over 200 orders."""
    left = np.setdiff1d(np.arange(len(is_rare)), begun)
    rng = np.random.default_rng(seed)
    return float(np.mean([np.flatnonzero(is_rare[rng.permutation(left)])[WANTED - 1] + 1 for _ in range(200)]))


def run(name: str, seed: int) -> dict[str, Any]:
    """One pool."""
    with tempfile.TemporaryDirectory() as folder:
        X, is_rare, labels = pool_of(name, seed, Path(folder))
        y = np.unique(labels, return_inverse=True)[1].astype(np.int64)
        path = Path(folder) / "pool.npz"
        np.savez(path, X=X)
        source = open_source(path)
        ready = steps.run(prepare(source, list(source.ids), Path(folder) / "cache", "", "", 0))
        features, encoder = np.asarray(ready.features), ready.encoder
    rare = int(y[is_rare][0])
    results: dict[str, Any] = {"n": len(y), "rare": int(is_rare.sum()), "encoder": encoder}
    for way in ("hunt", "margin"):
        engine = DefaultEngine(None, 0)
        steps.run(engine.open(features))
        met = int(np.random.default_rng(seed).choice(np.flatnonzero(is_rare)))
        begun = [int(index) for index in engine.order[:BEGUN] if index != met and not is_rare[index]] + [met]
        results[way] = answers_to_find(engine, y, rare, begun, way == "hunt")
    results["chance"] = by_chance(is_rare, begun, seed)
    return results


def main() -> None:
    """Print a row a set."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="+", choices=sorted({*SETS, "mnist"}))
    parser.add_argument("--seeds", type=int, default=10)
    given = parser.parse_args()
    print("| set | instances (rare) | encoder | hunt: answers to 10, median | finds | margin | finds | chance |")
    print("|---" * 8 + "|", flush=True)
    for name in given.names:
        rows = [run(name, seed) for seed in range(given.seeds)]
        cells = []
        for way in ("hunt", "margin"):
            middle = statistics.median(row[way][0] for row in rows)
            reached = sum(row[way][1] == WANTED for row in rows)
            cells += [f"{'≥ ' if middle == CAP else ''}{middle:.0f} ({reached} of {len(rows)} found 10)"]
            cells += [f"{statistics.mean(row[way][1] for row in rows):.1f}"]
        chance = statistics.mean(row["chance"] for row in rows)
        first = rows[0]
        print(
            f"| {name} | {first['n']:,} ({first['rare']}) | {first['encoder']} | {' | '.join(cells)} | {chance:,.0f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
