"""How many clusters a source has, and what the clusters of a source or a project hold."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from threadpoolctl import threadpool_limits

from labeler import registry
from labeler.clusters.portraits import mean_image, pixel_images
from labeler.core import choose_k
from labeler.core.choose_k import Silhouettes, Tried
from labeler.core.components import PrincipalAxes, principal_axes
from labeler.core.protocols import Clustering
from labeler.core.representatives import nearest_to_center
from labeler.core.steps import finished
from labeler.core.vocabulary import ByteArray, FloatArray, IndexArray, IntArray, Progress, Round
from labeler.errors import LabelerError, UsageError
from labeler.importers.base import AS_IT_IS, Reading, Source
from labeler.importers.detect import open_source
from labeler.importers.names import counted
from labeler.options import check_size
from labeler.prepare import prepare
from labeler.session.clusters import Clusters

if TYPE_CHECKING:
    from labeler.project import Project

FEATURES = 100
"""Principal components of the encoder's features that are clustered, at most."""
DEFAULT_K = 20
SHOWN = 3
"""Typical and odd members that are named."""
TOLD = 4
"""Features told of a cluster: those in which its mean is farthest from all instances', in standard deviations."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What was asked for. `ks` are the numbers to compare (none = no comparison)."""

    encoder: str = ""
    clusterer: str = ""
    n_clusters: int | None = None
    ks: tuple[int, ...] = ()
    features: str = ""
    reading: Reading = AS_IT_IS
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Card:
    """One cluster: `typical` and `odd` members by id, `means` of a table's columns and how far they are
    `apart` from those of all, in standard deviations; `far` = the columns that stand out."""

    cluster: int
    size: int
    silhouette: float | None
    typical: list[str]
    odd: list[str]
    classes: dict[str, int]
    means: dict[str, float] | None
    apart: dict[str, float] | None
    far: list[tuple[str, float, float]]  # (column, mean, standard deviations from the mean of all)
    warnings: list[str]
    mean: ByteArray | None  # the mean of its images
    members: IndexArray  # nearest to its center first


@dataclass(frozen=True, slots=True)
class Found:
    """What `labeler clusters` reports."""

    source: str
    n_instances: int
    encoder: str
    clusterer: str
    space: str
    clustering: Clustering
    silhouettes: Silhouettes
    cards: list[Card]
    tried: list[Tried] = field(default_factory=list)
    anomalies: list[str] = field(default_factory=list)
    samples: list[ByteArray] = field(default_factory=list)  # images drawn from a mixture, where it saw pixels


def parse_range(text: str) -> tuple[int, ...]:
    """``5:100:5`` as the numbers 5, 10 ... 100; ``5:10`` goes by ones; both ends belong to it.

    Raises
    ------
    UsageError
        It is no such range of numbers from 2 up.
    """
    try:
        parts = [int(part) for part in text.split(":")]
        first, last, step = parts if len(parts) == 3 else (*parts, 1)
    except ValueError:
        raise UsageError(f"{text!r} is no range of numbers", "write FIRST:LAST or FIRST:LAST:STEP") from None
    if first < 2 or last < first or step < 1:
        raise UsageError(f"{text!r} is no range of numbers from 2 up", "such as 5:100:5")
    return tuple(range(first, last + 1, step))


def of_source(path: Path, plan: Plan, progress: Callable[[Progress], None]) -> tuple[Found, Source]:
    """Cluster a source; the source is handed back open, for pictures.

    Raises
    ------
    SourceError, UsageError, EngineError
        The source cannot be read, a plug-in or parameter does not exist, the clusterer takes no pool of that size.
    """
    source = open_source(path, plan.reading)
    check_size(plan.clusterer, len(source.ids))
    with tempfile.TemporaryDirectory(prefix="labeler-") as scratch:
        return _clustered(source, source.ids, Path(scratch), plan, progress), source


def of_project(project: Project, plan: Plan, progress: Callable[[Progress], None]) -> Found:
    """Inspect a project's own clusters, or cluster its source anew where a clusterer, a number or a range was given."""
    recipe = project.recipe()
    plan = replace(plan, encoder=plan.encoder or recipe.encoder, features=plan.features or recipe.features)
    source, ids = project.source, project.session.pool.ids
    assert source is not None  # noqa: S101 - opened with it
    if plan.clusterer or plan.n_clusters or plan.ks:
        check_size(plan.clusterer, len(ids))
        found = _clustered(source, ids, Path(recipe.cache), plan, progress)
        return replace(found, cards=[replace(card, classes=_classes(project, card.members)) for card in found.cards])
    view = project.view()
    round_ = view.round if view.round is not None else project.closing_round(progress)
    points, encoder, raw, _ = _points(source, ids, Path(recipe.cache), plan, progress)
    clustering = Clustering(
        round_.clusters,
        round_.distances,
        np.empty((int(round_.clusters.max(initial=-1)) + 1, 0), dtype=np.float32),
        _inertia(points, round_.clusters),
        outliers=round_.outliers.astype(np.bool_),
        facts=dict(round_.facts.get("clustering", {})),
    )
    clusterer = str(round_.facts.get("clusterer", "kmeans"))
    described = _described(source, ids, clustering, points, raw, plan.seed, _typical(round_))
    cards = [replace(card, classes=_classes(project, card.members)) for card in described]
    shown = choose_k.silhouettes(points, clustering, plan.seed)
    return Found(
        str(source.path), len(ids), encoder, clusterer, _space(points), clustering, shown, cards,
        anomalies=_anomalies(ids, clustering),
    )  # fmt: skip


def images_of(read: Callable[[int], ByteArray] | None) -> Callable[[int], ByteArray | None]:
    """`read`, with None for what cannot be shown."""

    def image(index: int) -> ByteArray | None:
        try:
            return read(index) if read is not None else None
        except LabelerError:
            return None

    return image


# -- inside ------------------------------------------------------------------------------------------------------


def _clustered(
    source: Source, ids: Sequence[str], cache: Path, plan: Plan, progress: Callable[[Progress], None]
) -> Found:
    points, encoder, raw, axes = _points(source, ids, cache, plan, progress)
    clusterer = registry.create("clusterer", plan.clusterer or "kmeans")

    def cluster(k: int) -> Generator[Progress, None, Clustering]:
        yield Progress("clustering")
        with threadpool_limits(1):
            found: Clustering = clusterer.cluster(points, k, plan.seed)
        return found

    tried: list[Tried] = []
    for step in choose_k.compare(points, cluster, [k for k in plan.ks if k < len(points)], plan.seed):
        if isinstance(step, Tried):
            tried.append(step)
        else:
            progress(step)
    k = plan.n_clusters or choose_k.elbow(tried) or min(DEFAULT_K, max(len(points) // 5, 2))
    clustering = _finished(cluster(max(min(k, len(points)), 1)), progress)
    typical = clustering.exemplars if len(clustering.exemplars) else nearest_to_center(clustering)
    cards = _described(source, ids, clustering, points, raw, plan.seed, typical)
    shown = choose_k.silhouettes(points, clustering, plan.seed)
    return Found(
        str(source.path), len(ids), encoder, plan.clusterer or "kmeans", _space(points), clustering, shown, cards,
        tried, _anomalies(ids, clustering), pixel_images(clustering.samples, axes, raw) if encoder == "pixels" else [],
    )  # fmt: skip


def _points(
    source: Source, ids: Sequence[str], cache: Path, plan: Plan, progress: Callable[[Progress], None]
) -> tuple[FloatArray, str, Any, PrincipalAxes | None]:
    """What is clustered (n, d), the encoder, the images or table it is of, and the axes of what is components."""
    prepared = _finished(prepare(source, ids, cache, plan.encoder, plan.features, plan.seed), progress)
    X: FloatArray = prepared.features
    axes = None
    if X.shape[1] > FEATURES:
        with threadpool_limits(1):
            axes = finished(principal_axes(X, FEATURES, plan.seed))
            X = axes.project(X)
    return np.array(X, dtype=np.float32), prepared.encoder, prepared.raw, axes


def _inertia(points: FloatArray, labels: IntArray) -> float:
    """Of clusters that were found in another space, like the engine's own: comparable with a range of k in this one."""
    found = 0.0
    for label in np.unique(labels[labels >= 0]):
        members = points[labels == label]
        found += float(np.square(members - members.mean(axis=0), dtype=np.float64).sum())
    return found


def _finished(job: Generator[Progress, None, Any], progress: Callable[[Progress], None]) -> Any:
    while True:
        try:
            progress(next(job))
        except StopIteration as end:
            return end.value


def _space(points: FloatArray) -> str:
    return counted(points.shape[1], "feature") if points.shape[1] < FEATURES else f"{FEATURES} principal components"


def _described(
    source: Source,
    ids: Sequence[str],
    clustering: Clustering,
    points: FloatArray,
    raw: Any,
    seed: int,
    typical: IndexArray,
) -> list[Card]:
    """A card a cluster, the largest first."""
    held = ~clustering.outliers if len(clustering.outliers) else np.ones(len(ids), dtype=np.bool_)
    order = np.lexsort((clustering.distances, clustering.clusters))
    order = order[held[order]]
    bounds = np.searchsorted(clustering.clusters[order], np.arange(len(clustering.centers) + 1))
    scores = choose_k.silhouettes(points, clustering, seed)
    columns = source.column_names() if source.content == "table" else []
    if source.content == "table" and not columns:
        columns = [f"column {number}" for number in range(raw.shape[1])]
    first = {int(clustering.clusters[index]): int(index) for index in typical}
    cards = []
    for cluster in range(len(clustering.centers)):
        members = order[bounds[cluster] : bounds[cluster + 1]]
        near = [first[cluster]] if cluster in first else []
        near += [index for index in members[: SHOWN + 1].tolist() if index not in near]
        far = [index for index in members[::-1][:SHOWN].tolist() if index not in near[:SHOWN]]
        means, apart, told = _means(raw, members, columns) if columns and len(members) else (None, None, [])
        cards.append(
            Card(
                cluster,
                len(members),
                scores.of(cluster),
                [ids[index] for index in near[:SHOWN]],
                [ids[index] for index in far],
                {},
                means,
                apart,
                told,
                [],
                mean_image(raw, members) if source.content == "images" else None,
                np.array([*near[:1], *(index for index in members if index not in near[:1])], dtype=np.int64),
            )
        )
    odd = choose_k.oddities([card.size for card in cards], [card.silhouette for card in cards])
    cards = [replace(card, warnings=list(words)) for card, words in zip(cards, odd, strict=True)]
    return sorted(cards, key=lambda card: -card.size)


def _means(
    raw: FloatArray, members: IndexArray, columns: list[str]
) -> tuple[dict[str, float], dict[str, float], list[tuple[str, float, float]]]:
    """The mean of each column over the members, how far it is from that of all, and the columns that stand out most."""
    table = raw.astype(np.float64)
    mean = table[members].mean(axis=0)
    spread = table.std(axis=0)
    apart = (mean - table.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
    far = np.argsort(-np.abs(apart), kind="stable")[:TOLD]
    told = [(columns[place], float(mean[place]), float(apart[place])) for place in far if apart[place]]
    means, aparts = (
        {name: round(float(v), 6) for name, v in zip(columns, some, strict=True)} for some in (mean, apart)
    )
    return means, aparts, told


def _typical(round_: Round) -> IndexArray:
    usable = np.ones(len(round_.labels), dtype=np.bool_)
    return np.array(Clusters(round_, usable).by_size(), dtype=np.int64)


def _classes(project: Project, members: IndexArray) -> dict[str, int]:
    """Class name -> labels among the members, given or the machine's, the most frequent first."""
    names = {class_id: info.name for class_id, info in project.session.state.classes.items()}
    found: dict[str, int] = {}
    for index in members.tolist():
        name = names.get(project.session.label_of(index)[0])
        if name is not None:
            found[name] = found.get(name, 0) + 1
    return dict(sorted(found.items(), key=lambda item: -item[1]))


def _anomalies(ids: Sequence[str], clustering: Clustering) -> list[str]:
    return [ids[int(index)] for index in np.flatnonzero(clustering.outliers)]
