"""How many of the planted odd ones an outlier method finds.

    python benchmarks/outliers.py digits wine breast-cancer --seeds 5
    LABELER_DATA=... python benchmarks/outliers.py mnist grocery --seeds 5

26 instances are put among those of a set (2,000 drawn of a larger one): 7 of noise, 7 inverted, 6 blank and 6 crossed,
which are the left half of one and the right half of another. In a table noise is drawn uniformly between the least and
the largest value of each column, an inverted row is mirrored between the two, a blank one is 0 throughout, a crossed
one has every other column of another row. Everything else is as `labeler outliers` does it: the encoder chosen by
looking at the pool, its features, the method. Found = planted ones among the 26 oddest.
"""

from __future__ import annotations

import argparse
import tempfile
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
from data import ROOT, SETS, data_folder, load, mnist
from numpy.typing import NDArray
from PIL import Image

from labeler import registry
from labeler.core.steps import finished
from labeler.importers.detect import open_source
from labeler.outliers.pools import scored
from labeler.prepare import prepare

NOISE, INVERTED, BLANK, CROSSED = 7, 7, 6, 6
PLANTED = NOISE + INVERTED + BLANK + CROSSED
LARGEST, SIDE = 2_000, 64
KINDS = ("noise", "inverted", "blank", "crossed")


def pool_of(name: str, seed: int, folder: Path) -> NDArray[Any]:
    """Images (n, h, w[, 3]) uint8 or a table (n, d) float32, at most LARGEST drawn by `seed`."""
    rng = np.random.default_rng(seed)
    if name == "grocery":
        source = open_source(data_folder() / "photos" / "grocery.zip")
        rows = np.sort(rng.choice(len(source.ids), LARGEST, replace=False))
        images = (Image.fromarray(source.image(int(row))).convert("RGB").resize((SIDE, SIDE)) for row in rows)
        return np.stack([np.asarray(image, dtype=np.uint8) for image in images])
    if name == "digits":
        with np.load(ROOT / "labeler" / "_data" / "digits.npz") as arrays:
            return np.asarray(arrays["X"])
    X = mnist("t10k")[0] if name == "mnist" else load(name, seed, folder).images
    if len(X) > LARGEST:
        X = X[np.sort(rng.choice(len(X), LARGEST, replace=False))]
    return np.asarray(X)


def planted(X: NDArray[Any], seed: int) -> tuple[NDArray[Any], NDArray[np.int64]]:
    """The pool with PLANTED more instances in random places, and the kind of each (0 = its own, 1 ... = of KINDS)."""
    rng = np.random.default_rng((seed, 1))
    flat = X.reshape(len(X), -1)
    low, high = flat.min(axis=0), flat.max(axis=0)
    if X.dtype == np.uint8:
        low, high = np.full_like(low, X.min()), np.full_like(high, X.max())
    uniform = low + rng.random((NOISE, flat.shape[1])) * (high.astype(np.float64) - low)
    inverted = low + (high - flat[rng.choice(len(X), INVERTED, replace=False)])
    blank = np.zeros((BLANK, flat.shape[1])) + (rng.choice([0, 255], (BLANK, 1)) if X.dtype == np.uint8 else 0)
    left, right = (X[rng.choice(len(X), CROSSED, replace=False)].copy() for _ in range(2))
    if X.ndim > 2:
        left[:, :, X.shape[2] // 2 :] = right[:, :, X.shape[2] // 2 :]
    else:
        left[:, 1::2] = right[:, 1::2]
    odd = [np.asarray(part).reshape(-1, *X.shape[1:]).astype(X.dtype) for part in (uniform, inverted, blank, left)]
    kinds = np.repeat(np.arange(len(KINDS) + 1), (len(X), NOISE, INVERTED, BLANK, CROSSED))
    order = rng.permutation(len(kinds))
    return np.concatenate((X, *odd))[order], kinds[order]


def features_of(X: NDArray[Any], folder: Path, seed: int) -> tuple[NDArray[np.float32], str]:
    """What an encoder that nobody chose makes of a pool, and its name."""
    path = folder / "pool.npz"
    np.savez(path, X=X)
    source = open_source(path)
    cache = folder / f"cache-{seed}"
    ready = finished(prepare(source, list(source.ids), cache, "", "", seed))
    return np.asarray(ready.features), ready.encoder


def main() -> None:
    """Print the table of each set."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="+", choices=sorted({*SETS, "mnist"}))
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--methods", nargs="*", default=registry.names("outlier method"))
    arguments = parser.parse_args()
    for name in arguments.names:
        hits: defaultdict[str, list[NDArray[np.int64]]] = defaultdict(list)
        encoders: set[str] = set()
        for seed in range(arguments.seeds):
            with tempfile.TemporaryDirectory() as folder:
                pool, kinds = planted(pool_of(name, seed, Path(folder)), seed)
                features, encoder = features_of(pool, Path(folder), seed)
                encoders.add(encoder)
                for method in arguments.methods:
                    scores = finished(scored(features, method, seed))
                    oddest = kinds[np.argsort(-scores, kind="stable")[:PLANTED]]
                    hits[method].append(np.bincount(oddest, minlength=len(KINDS) + 1)[1:])
        print(
            f"\n## {name}: {len(kinds):,} instances, encoder {', '.join(sorted(encoders))}, {arguments.seeds} seeds\n"
        )
        print("| method | found of 26 | least | " + " | ".join(KINDS) + " |\n" + "|---" * 7 + "|")
        for method, rows in hits.items():
            table = np.array(rows)
            each = " | ".join(f"{number:.1f}" for number in table.mean(axis=0))
            print(f"| {method} | {table.sum(axis=1).mean():.1f} | {table.sum(axis=1).min()} | {each} |", flush=True)


if __name__ == "__main__":
    main()
