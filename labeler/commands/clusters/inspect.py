"""The clusters of a source or a project: how many there are, and what each one holds."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from threadpoolctl import threadpool_limits

from labeler.commands.clusters.descriptions import Words, means
from labeler.commands.clusters.portraits import mean_image, pixel_images
from labeler.commands.clusters.report import SHOWN, Card, ClusterReport
from labeler.commands.clusters.spaces import Space, space_of
from labeler.core import steps
from labeler.core.errors import LabelerError, UsageError
from labeler.core.numeric import choose_k
from labeler.core.numeric.choose_k import Silhouettes, Tried
from labeler.core.protocols import Clustering
from labeler.core.recipe import AS_IT_IS, LEAD, Reading
from labeler.core.text import unreadable_line
from labeler.core.types import BoolArray, ByteArray, FloatArray, IndexArray, IntArray, Progress, Round
from labeler.engine.representatives import nearest_to_center
from labeler.plugins import registry
from labeler.plugins.clusterers.mixtures import Gmm
from labeler.plugins.importers.base import Source
from labeler.plugins.importers.detect import open_source
from labeler.project.options import check_size
from labeler.session.clusters import Clusters
from labeler.worker.pipeline import complete

if TYPE_CHECKING:
    from labeler.project.project import Project

DEFAULT_K = 20
DIAGRAMS = 6
"""Numbers of clusters whose silhouettes are drawn side by side, at most."""


@dataclass(frozen=True, slots=True)
class Plan:
    """The request: `ks` are the numbers to compare (none = no comparison); `sample`: rows drawn from a mixture.

    `seed`: None = the project's, or 0.
    """

    encoder: str = ""
    clusterer: str = ""
    n_clusters: int | None = None
    ks: tuple[int, ...] = ()
    features: str = ""
    reading: Reading = AS_IT_IS
    seed: int | None = None
    sample: int = 0


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
    if first < 1 or last < first or step < 1:
        raise UsageError(f"{text!r} is no range of numbers from 1 up", "such as 5:100:5")
    return tuple(range(first, last + 1, step))


def of_source(path: Path, plan: Plan, progress: Callable[[Progress], None]) -> tuple[ClusterReport, Source]:
    """Cluster a source; the source is handed back open, for pictures.

    Raises
    ------
    SourceError, UsageError, EngineError
        The source cannot be read, a plug-in or parameter does not exist, the clusterer takes no pool of that size.
    """
    plan = replace(plan, seed=plan.seed or 0)
    source = open_source(path, plan.reading)
    # before anything is read: clusterers that compare all with all refuse a large pool
    check_size(plan.clusterer, len(source.ids))
    check_mixture(plan)
    # looking leaves nothing behind: a source that is no project has no place for a cache
    with tempfile.TemporaryDirectory(prefix="labeler-") as scratch:
        return _clustered(source, source.ids, None, Path(scratch), plan, progress), source


def of_project(project: Project, plan: Plan, progress: Callable[[Progress], None]) -> ClusterReport:
    """Inspect a project's own clusters, or cluster its source anew where the request says how or in which features.

    Both by the project's own encoder (of several views the one that leads), features and seed, if none is given.
    """
    recipe = complete(project.recipe())
    is_elsewhere = bool(plan.encoder or plan.features)
    is_anew = is_elsewhere or bool(plan.clusterer or plan.n_clusters or plan.ks or plan.sample)
    round_, leading = (None, "") if is_elsewhere else _round_and_lead(project, is_anew, progress)
    plan = replace(
        plan,
        encoder=plan.encoder or recipe.encoder or leading,
        features=plan.features or recipe.features,
        seed=recipe.seed if plan.seed is None else plan.seed,
    )
    source, pool = project.source, project.session.pool
    assert source is not None  # noqa: S101 - opened with it
    usable = ~(pool.missing | pool.unreadable)
    if round_ is None or is_anew:
        plan = replace(plan, clusterer=plan.clusterer or recipe.clusterer)
        check_size(plan.clusterer, len(pool.ids))
        check_mixture(plan)
        report = _clustered(source, pool.ids, usable, Path(recipe.cache), plan, progress)
    else:
        report = _as_it_is(project, round_, source, usable, plan, progress)
    assert report.seen_in is not None  # noqa: S101 - both clustered points
    rows = report.seen_in.rows
    cards = [replace(card, classes=_classes(project, rows[card.members])) for card in report.cards]
    return replace(report, cards=cards, of_views=[] if is_elsewhere else project.view_notes())


def check_mixture(plan: Plan) -> None:
    """Refuse with a UsageError, before any work, to draw from what is no mixture."""
    name = registry.parse_spec(plan.clusterer or "kmeans").name
    if plan.sample and not issubclass(registry.load("clusterer", name), Gmm):
        raise UsageError(
            f"nothing can be drawn from {name}: it is no mixture", "draw from --clusterer gmm or bayesian-gmm"
        )


def images_of(
    read: Callable[[int], ByteArray] | None, rows: IndexArray | None = None
) -> Callable[[int], ByteArray | None]:
    """Return a function from a row of a report to its image, None for what cannot be shown.

    `rows` says which instance each row is.
    """

    def image(index: int) -> ByteArray | None:
        try:
            return read(index if rows is None else int(rows[index])) if read is not None else None
        except LabelerError:
            return None

    return image


def rows_of(report: ClusterReport) -> IndexArray | None:
    """Return which instance each row of the report is; None = the same."""
    return report.seen_in.rows if report.seen_in is not None else None


# -- inside ------------------------------------------------------------------------------------------------------


def _clustered(
    source: Source,
    ids: Sequence[str],
    usable: BoolArray | None,
    cache: Path,
    plan: Plan,
    progress: Callable[[Progress], None],
) -> ClusterReport:
    seed = plan.seed or 0
    space = space_of(source, ids, usable, cache, plan.encoder, plan.features, seed, progress)
    points = space.points
    clusterer = registry.create("clusterer", plan.clusterer or "kmeans")
    known: dict[int, Clustering] = {}

    def cluster(k: int) -> Generator[Progress, None, Clustering]:
        yield Progress("clustering")
        # the range and the number that is taken may be the same: clustered once
        if k not in known:
            with threadpool_limits(1):
                known[k] = space.in_columns(clusterer.cluster(points, k, seed))
        return known[k]

    tried: list[Tried] = []
    for step in choose_k.compare(points, cluster, [k for k in plan.ks if k < len(points)], seed):
        if isinstance(step, Tried):
            tried.append(step)
        else:
            progress(step)
    # a mixture has a likelihood to choose by; without one the elbow stands in
    best = choose_k.best_by(tried, "bic") or choose_k.elbow(tried)
    # of a small pool fewer, so that a cluster has five members in the mean
    k = plan.n_clusters or best or min(DEFAULT_K, max(len(points) // 5, 2))
    clustering = steps.run(cluster(max(min(k, len(points)), 1)), progress)
    typical = clustering.exemplars if len(clustering.exemplars) else nearest_to_center(clustering)
    shown = choose_k.silhouettes(points, clustering, seed)
    report = ClusterReport(
        str(source.path), len(points), space.encoder, plan.clusterer or "kmeans", space.named(), clustering, shown,
        _described(source, space, clustering, shown, typical), tried, _anomalies(space.ids, clustering),
        pixel_images(clustering.samples, space.axes, space.raw) if space.encoder == "pixels" else [], space,
        [(some, choose_k.silhouettes(points, known[some], seed)) for some in _side_by_side(tried, k)],
        notes=_notes(source, space),
    )  # fmt: skip
    if not plan.sample or clustering.mixture is None:
        return report
    return replace(report, drawn=space.restored(clustering.mixture.draw(plan.sample)))


def _side_by_side(tried: Sequence[Tried], k: int) -> list[int]:
    """Return the numbers whose silhouettes are drawn: those nearest to the one that is taken, in order."""
    defined = [row.k for row in tried if row.silhouette is not None]
    return sorted(sorted(defined, key=lambda number: (abs(number - k), number))[:DIAGRAMS]) if len(defined) > 1 else []


def _round_and_lead(project: Project, is_anew: bool, progress: Callable[[Progress], None]) -> tuple[Round | None, str]:
    """Return the round whose clusters are the project's own, and the encoder of the view that leads ("" = the first).

    Where the view that the last round's clusters are of is not here, a closing round by those that are.
    """
    round_, snapshot = project.view().round, project.session.snapshot()
    if round_ is None:  # a project that was only made has no round yet
        round_ = None if is_anew else project.closing_round(progress)
        return round_, _leading(round_)
    if not _leading(round_):
        return round_, ""
    pipeline = project.open_settled_pipeline(progress)
    if is_anew:
        return round_, pipeline.leading(snapshot).encoder
    if pipeline.view(_leading(round_)) is None:
        progress(Progress("computing every label anew"))
        round_ = pipeline.closing_round(snapshot)
        project.session.merge_round(round_, save=False)
    return round_, str(round_.facts["encoder"])


def _leading(round_: Round | None) -> str:
    """Return the encoder whose view led a round, which its clusters are of; "" where there is one view alone."""
    return str(round_.facts.get("encoder", "")) if round_ is not None and LEAD in round_.facts else ""


def _as_it_is(
    project: Project,
    round_: Round,
    source: Source,
    usable: BoolArray,
    plan: Plan,
    progress: Callable[[Progress], None],
) -> ClusterReport:
    """The project's own clusters."""
    seed, cache = plan.seed or 0, Path(project.recipe().cache)
    space = space_of(source, project.session.pool.ids, usable, cache, plan.encoder, plan.features, seed, progress)
    clusters = round_.clusters[space.rows]
    clustering = Clustering(
        clusters,
        round_.distances[space.rows],
        _centers(space.points, clusters, int(round_.clusters.max(initial=-1)) + 1),
        _inertia(space.points, clusters),
        outliers=round_.outliers[space.rows].astype(np.bool_) if len(round_.outliers) else np.empty(0, dtype=np.bool_),
        facts=dict(round_.facts.get("clustering", {})),
    )
    typical = np.searchsorted(space.rows, np.intersect1d(_typical(round_), space.rows)).astype(np.int64)
    shown = choose_k.silhouettes(space.points, clustering, seed)
    # one all of whose members are missing by now has nothing to show
    cards = [card for card in _described(source, space, clustering, shown, typical) if card.size]
    return ClusterReport(
        str(source.path), len(space.ids), space.encoder, str(round_.facts.get("clusterer", "kmeans")), space.named(),
        clustering, shown, cards, anomalies=_anomalies(space.ids, clustering), seen_in=space,
        notes=_notes(source, space),
    )  # fmt: skip


def _centers(points: FloatArray, clusters: IntArray, k: int) -> FloatArray:
    """Return the means (k, d) of clusters that were found elsewhere; 0 where nobody is in one."""
    totals = np.zeros((k, points.shape[1]))
    np.add.at(totals, clusters, points)
    return (totals / np.maximum(np.bincount(clusters, minlength=k), 1)[:, None]).astype(np.float32)


def _notes(source: Source, space: Space) -> list[str]:
    """List what was left out: passed over by the listing, or not to be read."""
    unreadable = source.unreadable | space.unreadable
    return [*source.notes, *([unreadable_line(unreadable)] if unreadable else [])]


def _inertia(points: FloatArray, labels: IntArray) -> float:
    """Return the inertia in this space of clusters from another one: comparable with a range of k."""
    total = 0.0
    for label in np.unique(labels[labels >= 0]):
        members = points[labels == label]
        total += float(np.square(members - members.mean(axis=0), dtype=np.float64).sum())
    return total


def _described(
    source: Source, space: Space, clustering: Clustering, scores: Silhouettes, typical: IndexArray
) -> list[Card]:
    """Return a card a cluster, the largest first."""
    ids, raw = space.ids, space.raw
    # anomalies belong to no cluster, whatever number stands beside them
    held = ~clustering.outliers if len(clustering.outliers) else np.ones(len(ids), dtype=np.bool_)
    order = np.lexsort((clustering.distances, clustering.clusters))
    order = order[held[order]]
    bounds = np.searchsorted(clustering.clusters[order], np.arange(len(clustering.centers) + 1))
    words = Words(raw) if source.content == "text" else None
    columns = source.column_names() if source.content == "table" else []
    if source.content == "table" and not columns:
        columns = [f"column {number}" for number in range(raw.shape[1])]
    first = {int(clustering.clusters[index]): int(index) for index in typical}
    cards = []
    for cluster in range(len(clustering.centers)):
        members = order[bounds[cluster] : bounds[cluster + 1]]
        near = [first[cluster]] if cluster in first else []
        # one more than is shown, for the typical one may be among them
        near += [index for index in members[: SHOWN + 1].tolist() if index not in near]
        # in a small cluster the farthest are the nearest too: named once
        far = [index for index in members[::-1][:SHOWN].tolist() if index not in near[:SHOWN]]
        mean, apart, far_columns = means(raw, members, columns) if columns and len(members) else (None, None, [])
        cards.append(
            Card(
                cluster,
                len(members),
                scores.of(cluster),
                [ids[index] for index in near[:SHOWN]],
                [ids[index] for index in far],
                {},
                mean,
                apart,
                far_columns,
                [],
                mean_image(raw, members) if source.content == "images" else None,
                np.array([*near[:1], *(index for index in members if index not in near[:1])], dtype=np.int64),
                words.of(members) if words is not None else [],
            )
        )
    odd = choose_k.oddities([card.size for card in cards], [card.silhouette for card in cards])
    cards = [replace(card, warnings=list(words)) for card, words in zip(cards, odd, strict=True)]
    return sorted(cards, key=lambda card: -card.size)


def _typical(round_: Round) -> IndexArray:
    usable = np.ones(len(round_.labels), dtype=np.bool_)
    return np.array(Clusters(round_, usable).by_size(), dtype=np.int64)


def _classes(project: Project, members: IndexArray) -> dict[str, int]:
    """Return class name -> labels among the members, given or the machine's, the most frequent first."""
    names = {class_id: info.name for class_id, info in project.session.state.classes.items()}
    counts: dict[str, int] = {}
    for index in members.tolist():
        name = names.get(project.session.label_of(index)[0])
        if name is not None:
            counts[name] = counts.get(name, 0) + 1
    return dict(sorted(counts.items(), key=lambda item: -item[1]))


def _anomalies(ids: Sequence[str], clustering: Clustering) -> list[str]:
    return [ids[int(index)] for index in np.flatnonzero(clustering.outliers)]
