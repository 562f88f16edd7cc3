"""How many clicks the peers need on the same instances, features and seeds: scikit-activeml and GraphLearning.

    pip install scikit-activeml graphlearning annoy
    python benchmarks/peers.py digits --seeds 3
    LABELER_DATA=... python benchmarks/peers.py mnist10k --seeds 1 --peers margin@kmeans10,laplace@kmeans10
    LABELER_DATA=... python benchmarks/peers.py cifar3000 --seeds 1 --view network      (needs the extra `photos`)
    LABELER_DATA=... python benchmarks/peers.py grocery --seeds 1 --view vectors.npy    (vectors from elsewhere)

Answers come from the truth, one at a time; the figure is the share of ALL instances whose label is right after m
clicks, asked ones included, as `labeler simulate` counts it. Ours runs in the same process through the same session as
the application. Every peer gets the features that ours has (`--view`): those of the built-in encoders, the pretrained
network's, or both side by side, each block of the same total variance; of these the first 100 principal components,
scaled as a whole to a variance of 1 a column on average. (`--scale standard` scales every column before the components
are taken; whitened components are worse for every peer.) PEER@START: what is asked first (one at random, or the
instances nearest to K centers of k-means), then by the peer's rule. See peer_loops.py for what predicts.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
from data import SETS, PoolFile, load
from peer_loops import ROWS, Curve, graph_learning_curve, skactiveml_curve, start_of
from sklearn.decomposition import PCA
from sklearn.preprocessing import StandardScaler

from labeler.commands.simulate import Simulation, simulate
from labeler.core import steps
from labeler.plugins.encoders.automatic import NETWORK, further_views
from labeler.plugins.importers.detect import open_source
from labeler.project.options import Options
from labeler.worker import pipeline
from labeler.worker.features import encode_again, prepare

COMPONENTS = 100
PEERS = (
    *("laplace@random", "laplace@kmeans10", "laplace@kmeans100"),
    *("margin@random", "margin@kmeans10", "margin@kmeans50", "entropy@kmeans10", "random@random", "random@kmeans50"),
    *("typiclust@random", "probcover@random", "core-set@random"),
)
"""What is run unless `--peers` names others; a start of few clusters serves the first rows, one of many the later."""


def built_in_views(encoder: str, reason: str) -> list[tuple[str, bool]]:
    """`further_views` without the network: what ours has beside its first encoder where the extra is not installed."""
    return [(spec, may_lead) for spec, may_lead in further_views(encoder, reason) if spec != NETWORK]


def our_curve(pool: PoolFile, options: Options, clicks: int, view: str) -> Curve:
    """This project's engine through `labeler simulate`, with the features of the view and no others."""
    views = built_in_views if view == "builtin" else further_views
    with mock.patch.object(pipeline, "further_views", views):
        report = simulate(Simulation(pool.path, pool.truth, clicks, options))
    return {row["clicks"]: row["labels_accuracy"] for row in report.curve}


def options_of(view: str, seed: int) -> Options:
    """The options by which ours sees the same view."""
    if view.endswith(".npy"):
        return Options(seed=seed, features=view)
    return Options(seed=seed, encoder=NETWORK if view == "network" else None)


def views_of(pool: PoolFile, view: str) -> list[Any]:
    """The blocks of features (n, d) of a view: of each encoder one."""
    if view.endswith(".npy"):
        return [np.load(view)]
    source = open_source(pool.path)
    ids = list(source.ids)
    with tempfile.TemporaryDirectory() as cache:
        prepared = steps.run(prepare(source, ids, Path(cache), NETWORK if view == "network" else "", "", 0))
        is_alone = view == "network" or source.content != "images"
        names = [] if is_alone else [spec for spec, _ in built_in_views(prepared.encoder, prepared.reason)]
        if view == "both":
            names.append(NETWORK)
        blocks = [steps.run(encode_again(source, ids, Path(cache), prepared, name)) for name in names]
        return [np.array(block) for block in (prepared.features, *blocks)]  # copies: the cache goes


def scaled(blocks: list[Any], scale: str) -> Any:
    """What the peers get of the blocks (n, d): `COMPONENTS` columns, scaled as the module says."""
    if scale == "standard":
        X = np.hstack([StandardScaler().fit_transform(block) for block in blocks])
    else:
        X = np.hstack([_of_unit_variance(block) for block in blocks])
    X = PCA(min(COMPONENTS, *X.shape), random_state=0).fit_transform(X)
    return _of_unit_variance(X) * np.sqrt(X.shape[1])


def _of_unit_variance(block: Any) -> Any:
    centered = np.asarray(block, dtype=np.float64) - np.mean(block, axis=0, dtype=np.float64)
    return centered / np.sqrt(np.square(centered).sum(axis=1).mean())


def peer_curve(peer: str, X: Any, y: Any, seed: int, clicks: int) -> Curve:
    """The curve of one peer, named PEER@START."""
    name, _, start = peer.partition("@")
    first = start_of(start, X, seed)
    if name == "laplace":
        return graph_learning_curve(first, X, y, seed, clicks)
    return skactiveml_curve(name, first, X, y, seed, clicks)


def title_of(peer: str) -> str:
    """A peer as the table names it."""
    name, _, start = peer.partition("@")
    who = "GraphLearning, Laplace + margin" if name == "laplace" else f"scikit-activeml, {name}"
    return who if start == "random" else f"{who}, {start.removeprefix('kmeans')} k-means centers first"


def curves(pool: PoolFile, X: Any, seed: int, arguments: argparse.Namespace) -> Iterator[tuple[str, Curve, float]]:
    """(who, curve, seconds) of ours, the book's chain and every peer."""
    _, y = np.unique(pool.y, return_inverse=True)
    ours = options_of(arguments.view, seed)
    runs: list[tuple[str, Callable[[], Curve]]] = [
        ("labeler", partial(our_curve, pool, ours, arguments.clicks, arguments.view))
    ]
    if arguments.book:
        book = Options(seed=seed, engine="book")
        runs.append(("labeler --engine book", partial(our_curve, pool, book, arguments.clicks, arguments.view)))
    runs += [
        (title_of(peer), partial(peer_curve, peer, X, y, seed, arguments.clicks))
        for peer in arguments.peers.split(",")
        if peer
    ]
    for who, run in runs:
        began = time.perf_counter()
        yield who, run(), time.perf_counter() - began


def main() -> None:
    """Print the table of one set."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("set", choices=sorted(SETS))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--clicks", type=int, default=200)
    parser.add_argument("--view", default="builtin", help="builtin, network, both, or a file of vectors (.npy)")
    parser.add_argument("--scale", default="whole", choices=("whole", "standard"))
    parser.add_argument("--peers", default=",".join(PEERS), help="PEER@START,...; empty: ours alone")
    parser.add_argument("--book", action="store_true", help="add the source's chain")
    arguments = parser.parse_args()
    if arguments.view not in ("builtin", "network", "both") and not arguments.view.endswith(".npy"):
        parser.error(f"--view {arguments.view!r}: builtin, network, both, or a file of vectors (.npy)")
    warnings.filterwarnings("ignore")
    table: dict[str, list[Curve]] = {}
    seconds: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(arguments.seeds):
            pool = load(arguments.set, seed, Path(folder))
            X = scaled(views_of(pool, arguments.view), arguments.scale)
            for who, curve, took in curves(pool, X, seed, arguments):
                table.setdefault(who, []).append(curve)
                seconds[who] = seconds.get(who, 0.0) + took
                print(f"seed {seed}: {who}: {curve} in {took:.0f} s", file=sys.stderr, flush=True)
    print_table(table, seconds, arguments)


def print_table(table: dict[str, list[Curve]], seconds: dict[str, float], arguments: argparse.Namespace) -> None:
    """Print a row for each who ran, and one of the best peer at each row."""
    rows = [row for row in ROWS if row <= arguments.clicks]
    print(f"{arguments.set}, view {arguments.view}, share of all labels right in percent, {arguments.seeds} seeds\n")
    print(f"| | {' | '.join(f'{row} clicks' for row in rows)} | seconds a run |")
    print(f"|---|{'---|' * len(rows)}---|")
    means = {who: [100 * np.mean([curve[row] for curve in listed]) for row in rows] for who, listed in table.items()}
    for who, shares in means.items():
        cells = [f"{share:.1f}" for share in shares]
        print(f"| {who} | {' | '.join(cells)} | {seconds[who] / arguments.seeds:.0f} |")
    peers = [shares for who, shares in means.items() if not who.startswith("labeler")]
    if peers:
        best = [f"{max(column):.1f}" for column in zip(*peers, strict=True)]
        print(f"| the best peer at each row | {' | '.join(best)} | |")


if __name__ == "__main__":
    main()
