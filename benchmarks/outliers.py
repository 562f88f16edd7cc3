"""How many of the planted odd ones an outlier method finds.

    python benchmarks/outliers.py digits wine breast-cancer --seeds 5
    LABELER_DATA=... python benchmarks/outliers.py mnist grocery --seeds 5

26 instances are put among those of a set (2,000 drawn of a larger one): 6 of noise, 6 inverted, 5 blank (black or
white), 5 with a cross drawn over them and 4 mixed, which are the left half of one and the right half of another. In a
table noise is drawn uniformly between the least and the largest value of each column, an inverted row is mirrored
between the two, a blank one is 0 throughout, a mixed one has every other column of another row; none is crossed, there
are 9 mixed ones. Everything else is as `labeler outliers` does it: the encoder chosen by looking at the pool, its
features, small pictures beside them (*both*; a table has none), the method. Found = planted ones among the 26 oddest.
"""

from __future__ import annotations

import argparse
import itertools
import tempfile
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
from data import ROOT, SETS, data_folder, load, mnist
from numpy.typing import NDArray
from PIL import Image

from labeler.core import steps
from labeler.plugins import registry
from labeler.plugins.importers.detect import open_source
from labeler.plugins.outliers.sampling import scored
from labeler.worker.features import Prepared, prepare
from labeler.worker.picture_view import view_of

NOISE, INVERTED, BLANK, CROSSED, MIXED = 6, 6, 5, 5, 4
PLANTED = NOISE + INVERTED + BLANK + CROSSED + MIXED
LARGEST, SIDE = 2_000, 64
KINDS = ("noise", "inverted", "blank", "crossed", "mixed")


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


def with_planted(X: NDArray[Any], seed: int) -> tuple[NDArray[Any], NDArray[np.int64]]:
    """The pool with PLANTED more instances in random places, and the kind of each (0 = its own, 1 ... = of KINDS)."""
    rng = np.random.default_rng((seed, 1))
    flat = X.reshape(len(X), -1)
    low, high = flat.min(axis=0), flat.max(axis=0)
    if X.dtype == np.uint8:
        low, high = np.full_like(low, X.min()), np.full_like(high, X.max())
    uniform = low + rng.random((NOISE, flat.shape[1])) * (high.astype(np.float64) - low)
    inverted = low + (high - flat[rng.choice(len(X), INVERTED, replace=False)])
    blank = np.zeros((BLANK, flat.shape[1])) + (rng.choice([0, 255], (BLANK, 1)) if X.dtype == np.uint8 else 0)
    n_crossed = CROSSED if X.ndim > 2 else 0
    crossed = X[rng.choice(len(X), n_crossed, replace=False)].copy()
    for image in crossed:
        steps = np.arange(2 * max(image.shape[:2])) / (2 * max(image.shape[:2]))
        rows, columns = (steps * image.shape[0]).astype(int), (steps * image.shape[1]).astype(int)
        image[rows, columns] = image[rows, columns[::-1]] = 255 - int(np.median(image))
    n_mixed = CROSSED + MIXED - n_crossed
    left, right = (X[rng.choice(len(X), n_mixed, replace=False)].copy() for _ in range(2))
    if X.ndim > 2:
        left[:, :, X.shape[2] // 2 :] = right[:, :, X.shape[2] // 2 :]
    else:
        left[:, 1::2] = right[:, 1::2]
    parts = (uniform, inverted, blank, crossed, left)
    odd = [np.asarray(part).reshape(-1, *X.shape[1:]).astype(X.dtype) for part in parts]
    kinds = np.repeat(np.arange(len(KINDS) + 1), (len(X), *map(len, odd)))
    order = rng.permutation(len(kinds))
    return np.concatenate((X, *odd))[order], kinds[order]


def prepared_of(X: NDArray[Any], folder: Path, seed: int) -> Prepared:
    """A pool with the features of an encoder that nobody chose."""
    path = folder / "pool.npz"
    np.savez(path, X=X)
    source = open_source(path)
    cache = folder / f"cache-{seed}"
    return steps.run(prepare(source, list(source.ids), cache, "", "", seed))


def main() -> None:
    """Print the table of each set."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="+", choices=sorted({*SETS, "mnist"}))
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument(
        "--methods", nargs="*", default=["local-outlier-factor:n_neighbors=50", *registry.names("outlier method")]
    )
    arguments = parser.parse_args()
    for name in arguments.names:
        hits: defaultdict[tuple[str, str], list[NDArray[np.int64]]] = defaultdict(list)
        encoders: set[str] = set()
        for seed in range(arguments.seeds):
            with tempfile.TemporaryDirectory() as folder:
                pool, kinds = with_planted(pool_of(name, seed, Path(folder)), seed)
                ready = prepared_of(pool, Path(folder), seed)
                encoders.add(ready.encoder)
                views = {"features": ready.features, "both": view_of(ready.features, ready.raw, ready.encoder)}
                for view, method in itertools.product(views, arguments.methods):
                    if view == "features" or views[view] is not ready.features:
                        scores = steps.run(scored(views[view], method, seed))
                        oddest = kinds[np.argsort(-scores, kind="stable")[:PLANTED]]
                        hits[method, view].append(np.bincount(oddest, minlength=len(KINDS) + 1)[1:])
        print(
            f"\n## {name}: {len(kinds):,} instances, encoder {', '.join(sorted(encoders))}, {arguments.seeds} seeds\n"
        )
        print("| method | looks at | found of 26 | least | " + " | ".join(KINDS) + " |\n" + "|---" * 9 + "|")
        for (method, view), rows in hits.items():
            table = np.array(rows)
            each = " | ".join(f"{number:.1f}" for number in table.mean(axis=0))
            print(
                f"| {method} | {view} | {table.sum(axis=1).mean():.1f} | {table.sum(axis=1).min()} | {each} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
