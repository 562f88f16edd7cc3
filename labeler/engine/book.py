"""The chain of the source, as an engine: k-means -> representatives -> percentile -> classifier -> uncertain.

Source: Géron, Hands-On Machine Learning, ch. 9: ask the instance nearest each centroid, propagate its label to the
closest percentile of its cluster, train a classifier on human + propagated labels, ask the most uncertain
instances from distinct clusters, again.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from threadpoolctl import ThreadpoolController

from labeler.core import advice
from labeler.core.errors import EngineError
from labeler.core.model import Model, no_labels
from labeler.core.numeric.largest import largest
from labeler.core.numeric.nearest import nearest, nearest_target
from labeler.core.numeric.selection import best
from labeler.core.protocols import Classifier, Clusterer, Clustering, PoolStrategy, PoolView, QueryStrategy
from labeler.core.steps import blocks
from labeler.core.types import (
    UNLABELED,
    Advice,
    BoolArray,
    ByteArray,
    FloatArray,
    Grid,
    IndexArray,
    IntArray,
    Progress,
    Provenance,
    Queue,
    Round,
    Snapshot,
    Tier,
)
from labeler.engine.calibration import SINGLE, Calibration, Evidence, alike, calibrate, left_out_right, support
from labeler.engine.checks import check_features
from labeler.engine.cluster_cores import taught_by_core
from labeler.engine.fit import Fit
from labeler.engine.hunt import hunted
from labeler.engine.kernel_ridge import landmarks_of
from labeler.engine.nearest_left_out import by_nearest
from labeler.engine.reach import percentiles_of, within_reach
from labeler.engine.representatives import Level, nearest_to_center
from labeler.engine.splitting import Partition

RULES = ("split", "representative", "uncertain")
BATCH_SIZE = 10  # a refit takes 25 ms at 10,000 rows, 160 at 70,000 (benchmarks/engine_speed.md)
"""Answers between two fits of the classifier."""
QUEUE_SIZE = 200
QUEUE_TOGETHER = 50
"""Questions of a strategy that chooses them together: five batches, until the next fit."""
N_GUESSES = 3
MAX_LEFT_OUT = 256
MIN_WEIGHT = 0.05
"""What a left-out answer at least stands for: a chosen one was hard, and stands for little of the pool."""
CLUSTERS_A_CLASS = 2
"""Fewer clusters a class miss classes: 8 or 9 of 10 were met with 10 clusters (engine of the default, measured)."""


class BookEngine:
    """The source's loop; every part is a plug-in.

    Parameters
    ----------
    clusterer, classifier, strategy
        The plug-ins of the chain.
    n_clusters
        Clusters asked for (fewer where there are fewer distinct instances).
    random_state
        Seed of the clustering and of ties.
    """

    def __init__(
        self,
        clusterer: Clusterer,
        classifier: Classifier,
        strategy: QueryStrategy | PoolStrategy,
        n_clusters: int = 50,  # the source's number on digits (docs/measured.md)
        random_state: int = 0,
    ) -> None:
        self.clusterer, self.classifier, self.strategy = clusterer, classifier, strategy
        self._begins_itself = bool(getattr(strategy, "from_the_start", False))
        self.n_clusters, self.random_state = n_clusters, random_state
        self._threads = ThreadpoolController()
        self._latest: Fit | None = None
        self._reach: tuple[Level, bytes, BoolArray] | None = None
        self._grouped: tuple[Level, list[IndexArray]] | None = None
        self._uncertain: IndexArray = np.empty(0, dtype=np.int64)

    def open(self, X: FloatArray) -> Iterator[Progress]:
        """Cluster the pool and find its representatives.

        Raises
        ------
        EngineError
            A feature is not finite.
        """
        check_features(X)
        self.X = X
        yield Progress("clustering", 0, 1)
        if len(X):
            # one thread, as everywhere: sums in another order would give other bits, and exports must repeat
            with self._threads.limit(limits=1):
                self.clustering = self.clusterer.cluster(X, max(min(self.n_clusters, len(X)), 1), self.random_state)
        else:
            nothing = np.empty(0, dtype=np.float32)
            self.clustering = Clustering(nothing.astype(np.int32), nothing, X[:0])
        follow = getattr(self.classifier, "follow", None)
        self._follows = follow is not None and len(self.clustering.core) > 0
        if follow is not None and self._follows:
            follow(self.clustering)
        self.representatives = representatives(self.clustering)
        self._level = Level(self.clustering, self.representatives)
        self._partition = Partition(X, self.random_state)
        yield Progress("choosing the first questions")
        # the seed that _rank has after no answer: a session that is resumed then asks the same
        self._uncertain = self._first(np.ones(len(X), dtype=np.bool_), np.random.default_rng((self.random_state, 0)))
        yield Progress("clustering", 1, 1)

    def join(self, X: FloatArray, *, may_lead: bool = False) -> Iterator[Progress]:
        """Leave other features: the source's chain has one encoder."""
        return iter(())

    def leading(self, snapshot: Snapshot) -> int:
        """Return 0: the features it was opened with."""
        return 0

    def follow(self, snapshot: Snapshot) -> Iterator[Progress]:
        """Change nothing: no other features ever lead."""
        return iter(())

    def round_due(self, n_answers: int) -> bool:
        """Whether a full round pays after the `n_answers`-th answer."""
        return n_answers % BATCH_SIZE == 0

    def rerank(self, snapshot: Snapshot) -> Queue:
        """Return the questions of the latest fit; refit only where nothing ranked is left."""
        candidates = _candidates(snapshot, len(self.X))
        ranked = self._latest is not None and candidates[self._uncertain].any()
        asked = ranked or (not self._begins_itself and candidates[self.representatives].any())
        if not asked and len(snapshot.indices):  # nothing ranked is left: the one time an answer waits for a fit
            self._refit(snapshot)
        return self._queue(snapshot, self._latest, self._uncertain)

    def prepare(self, indices: IndexArray) -> Iterator[Progress]:
        """Do nothing: a fit depends on every answer, so nothing can be had ahead."""
        yield from ()

    def round(self, snapshot: Snapshot) -> Iterator[Progress | Round]:
        """Yield signs of life, then the round of a new fit."""
        yield Progress("training", 0, 2)
        self._refit(snapshot)
        yield Progress("training", 1, 2)  # from here on questions come from this fit
        yield from self._partition.around_by_steps(self._divided(snapshot))
        yield self._round(snapshot, self._latest, self._uncertain)

    def closing_round(self, snapshot: Snapshot) -> Round:
        """Return the round of a fit from scratch."""
        fit = self._fit(snapshot)
        return self._round(snapshot, fit, self._rank(snapshot, fit))

    def predict(self, snapshot: Snapshot, X_new: FloatArray) -> tuple[IntArray, FloatArray]:
        """Return labels and scores by a classifier fitted on the pool; what lies beyond its reach has none."""
        if self._fit(snapshot) is None:
            return no_labels(len(X_new))
        with self._threads.limit(limits=1):
            proba = self.classifier.predict_proba(X_new)
            class_ids = self.classifier.classes_[proba.argmax(axis=1)].astype(np.int32)
            scores = proba.max(axis=1)
            beyond = getattr(self.classifier, "beyond", None)
            if beyond is not None:
                outside = beyond(X_new)
                class_ids[outside], scores[outside] = UNLABELED, 0.0
        return class_ids, scores

    def model(self, snapshot: Snapshot) -> Model | None:
        """Return the classifier's model, where that can be put into arrays."""
        as_arrays = getattr(self.classifier, "model", None)
        if as_arrays is None:
            name = type(self.classifier).__name__
            raise EngineError(
                f"the classifier {name} has no weights to take away", "logreg has, and the default engine"
            )
        return None if self._fit(snapshot) is None else as_arrays()

    def grid(self, snapshot: Snapshot, size: int, skip: IndexArray) -> Grid | None:
        """The book's chain asks one at a time."""
        return None

    def similar(self, snapshot: Snapshot, index: int, size: int, skip: IndexArray) -> IndexArray:
        """Return what nobody answered, nearest in the features."""
        candidates = _candidates(snapshot, len(self.X))
        candidates[skip] = False
        return nearest(self.X, index, candidates, size)

    def hunt(self, snapshot: Snapshot, class_id: int, size: int, skip: IndexArray) -> IndexArray:
        """Return what may be of a rare class, by distances in the features."""
        candidates = _candidates(snapshot, len(self.X))
        candidates[skip] = False
        with self._threads.limit(limits=1):
            return hunted(self.X, snapshot, class_id, candidates, size)

    def points(self) -> FloatArray:
        """Return the features."""
        return self.X

    def repeats(self) -> IndexArray:
        """Return which instance each repeats: the chain of the source looks for none."""
        return np.arange(len(self.X), dtype=np.int64)

    def shares(self, snapshot: Snapshot, index: int) -> list[tuple[int, float]]:
        """The answers behind a label: its own; else the source it spread from or the nearest of its class."""
        if index in snapshot.indices:
            return [(index, 1.0)]
        source = int(self.closing_round(snapshot).sources[index])
        return [(source, 1.0)] if source >= 0 else []

    # -- inside --------------------------------------------------------------------------------------------------

    def _refit(self, snapshot: Snapshot) -> None:
        self._latest = self._fit(snapshot)
        self._uncertain = self._rank(snapshot, self._latest)

    def _fit(self, snapshot: Snapshot) -> Fit | None:
        if not len(snapshot.indices):
            return None
        level = self._divided(snapshot)
        reach = self._within_reach(snapshot, level)
        reach[snapshot.excluded] = reach[snapshot.held_back] = reach[snapshot.indices] = False
        spread = np.full(len(self.X), UNLABELED, dtype=np.int32)
        sources = np.full(len(self.X), -1, dtype=np.int32)
        self._spread(snapshot, level, reach, spread, sources)
        rows, y = self._taught(snapshot, level, spread)
        with self._threads.limit(limits=1):
            model = self.classifier.fit(np.asarray(self.X[rows], dtype=np.float32), y)
            proba = np.empty((len(self.X), len(model.classes_)), dtype=np.float32)
            for block in blocks(*self.X.shape):
                proba[block] = model.predict_proba(np.asarray(self.X[block]))
        classes = model.classes_.astype(np.int32)
        calibration = self._calibrated(snapshot, level, proba)
        return Fit(len(snapshot.indices), spread, sources, reach, classes, proba, calibration)

    def _taught(self, snapshot: Snapshot, level: Level, spread: IntArray) -> tuple[IndexArray, IntArray]:
        """Return which instances the classifier learns from (m,), and their class ids (m,)."""
        if not self._follows:
            trained = np.flatnonzero(spread != UNLABELED)
            y = np.concatenate((snapshot.class_ids, spread[trained])).astype(np.int32)
            return np.concatenate((snapshot.indices, trained)), y
        wanted = level.clustering.core.copy()
        wanted[snapshot.excluded] = wanted[snapshot.held_back] = wanted[snapshot.indices] = False
        labels = np.full(len(self.X), UNLABELED, dtype=np.int32)
        self._spread(snapshot, level, wanted, labels, np.empty(len(self.X), dtype=np.int32))
        rows = taught_by_core(level.clustering.core, labels, snapshot.indices)
        labels[snapshot.indices] = snapshot.class_ids
        return rows, labels[rows]

    def _calibrated(self, snapshot: Snapshot, level: Level, proba: FloatArray) -> Calibration:
        """Return what may be shown of `proba` (n, k). The classifier learned what was spread, so it agrees everywhere:
        whether clusters are groups is left to the answers, each guessed from the nearest other ones."""
        waiting = np.ones(len(proba), dtype=np.bool_)
        waiting[snapshot.indices] = False
        clusters = level.clustering.clusters
        answered = np.zeros(int(clusters.max(initial=-1)) + 1, dtype=np.bool_)
        answered[clusters[snapshot.indices]] = True
        near = answered[clusters][waiting]
        reached = float(near.mean()) if len(near) else 0.0
        checked = landmarks_of(len(snapshot.indices), MAX_LEFT_OUT)
        asked = snapshot.indices[checked]
        positions = np.unique(snapshot.class_ids[checked], return_inverse=True)[1].astype(np.int32)
        left_out = by_nearest(np.asarray(self.X[asked], dtype=np.float32), positions)
        weights = np.clip(np.nan_to_num(snapshot.weights[checked], nan=1.0), MIN_WEIGHT, 1.0).astype(np.float32)
        weights[np.isin(asked, self.representatives)] = 1.0
        evidence = Evidence(
            reached=reached,
            locked=reached * alike(left_out, positions),
            certain=reached,
            left_out=left_out_right(left_out, positions, weights),
            support=support(left_out, positions),
            n_answers=len(snapshot.indices),
            n_classes=proba.shape[1],
        )
        return calibrate(largest(proba)[waiting], evidence, SINGLE)

    def _divided(self, snapshot: Snapshot) -> Level:
        """The clustering as the person divided it."""
        return self._partition.divided(self._level, snapshot.splits)

    def _spread(self, snapshot: Snapshot, level: Level, wanted: BoolArray, spread: IntArray, sources: IntArray) -> None:
        """Write the labels that the `wanted` have by their clusters: each that of the nearest answer there."""
        answered_in = level.clustering.clusters[snapshot.indices]
        if len(level.clustering.outliers):  # who is in no cluster speaks for none
            answered_in = np.where(level.clustering.outliers[snapshot.indices], -1, answered_in)
        groups = self._members(level)
        for cluster in np.unique(answered_in[answered_in >= 0]):
            members = groups[cluster][wanted[groups[cluster]]]
            if not len(members):
                continue
            own = answered_in == cluster
            answers, class_ids = snapshot.indices[own], snapshot.class_ids[own]
            nearest = nearest_target(np.asarray(self.X[members]), np.asarray(self.X[answers]))
            spread[members], sources[members] = class_ids[nearest], answers[nearest]

    def _within_reach(self, snapshot: Snapshot, level: Level) -> BoolArray:
        """Return who may take a label of the cluster (n,), a new array; remembers the latest."""
        clustering = level.clustering
        percentiles = percentiles_of(snapshot, clustering.clusters, automatic=100.0)
        known = self._reach
        if known is None or known[0] is not level or known[1] != percentiles.tobytes():
            reach = within_reach(clustering.clusters, clustering.distances, percentiles)
            if len(clustering.outliers):
                reach &= ~clustering.outliers
            known = self._reach = level, percentiles.tobytes(), reach
        return known[2].copy()

    def _members(self, level: Level) -> list[IndexArray]:
        """The instances of each cluster of a level; remembers the latest."""
        if self._grouped is None or self._grouped[0] is not level:
            clusters = level.clustering.clusters
            # stable: members of a cluster stay in the order of the pool
            ends = np.cumsum(np.bincount(clusters, minlength=level.size))
            self._grouped = level, np.split(np.argsort(clusters, kind="stable"), ends[:-1])
        return self._grouped[1]

    def _rank(self, snapshot: Snapshot, fit: Fit | None) -> IndexArray:
        candidates = _candidates(snapshot, len(self.X))
        # bound to the number of answers: the same answers give the same questions, also after a restart
        rng = np.random.default_rng((self.random_state, len(snapshot.indices)))
        if fit is None:
            return self._first(candidates, rng)
        strategy: Any = self.strategy
        if hasattr(strategy, "rank"):
            return self._chosen(PoolView(self.X, fit.proba, snapshot.indices, candidates), rng)
        utilities = strategy.utilities(fit.proba, rng)
        clusters = self._divided(snapshot).clustering.clusters if strategy.spread_over_clusters else None
        return best(utilities, candidates, QUEUE_SIZE, rng, clusters)

    def _first(self, candidates: BoolArray, rng: np.random.Generator) -> IndexArray:
        """Return what is asked after the representatives, or in their place, while there is no answer."""
        if self._begins_itself:
            nothing = np.empty((len(self.X), 0), dtype=np.float32)
            return self._chosen(PoolView(self.X, nothing, np.empty(0, dtype=np.int64), candidates), rng)
        return best(-self.clustering.distances, candidates, QUEUE_SIZE, rng, self.clustering.clusters)

    def _chosen(self, pool: PoolView, rng: np.random.Generator) -> IndexArray:
        """The questions that a strategy chooses together; one of a person's own may name some twice, or an answered."""
        strategy: Any = self.strategy
        with self._threads.limit(limits=1):
            chosen = np.asarray(strategy.rank(pool, QUEUE_TOGETHER, rng), dtype=np.int64)
        _, first = np.unique(chosen, return_index=True)
        chosen = chosen[np.sort(first)]
        return np.asarray(chosen[pool.candidates[chosen]], dtype=np.int64)

    def _queue(self, snapshot: Snapshot, fit: Fit | None, uncertain: IndexArray) -> Queue:
        candidates = _candidates(snapshot, len(self.X))
        groups = []
        start = self.representatives[:0] if self._begins_itself else self.representatives
        for group in (self._divided(snapshot).parts, start, uncertain):
            groups.append(group[candidates[group]])
            candidates[group] = False
        indices = np.concatenate(groups).astype(np.int64)
        if fit is None:
            guesses = np.full((len(indices), N_GUESSES), UNLABELED, dtype=np.int32)
            scores, margins = np.zeros(guesses.shape, dtype=np.float32), np.ones(len(indices), dtype=np.float32)
        else:
            guesses, shares = fit.top(indices, N_GUESSES)
            margins, scores = shares[:, 0] - shares[:, 1], fit.calibration.of(shares)
        return Queue(
            indices=indices,
            utilities=(1.0 - margins).astype(np.float32),
            rules=np.repeat(np.arange(len(RULES), dtype=np.uint8), [len(group) for group in groups]),
            rule_names=RULES,
            margins=margins.astype(np.float32),
            guesses=guesses,
            guess_scores=scores,
        )

    def _round(self, snapshot: Snapshot, fit: Fit | None, uncertain: IndexArray) -> Round:
        n = len(self.X)
        labels = np.full(n, UNLABELED, dtype=np.int32)
        runner_ups = labels.copy()
        scores = np.zeros(n, dtype=np.float32)
        sources = np.full(n, -1, dtype=np.int32)
        provenances: ByteArray = np.zeros(n, dtype=np.uint8)
        tiers: ByteArray = np.zeros(n, dtype=np.uint8)
        if fit is not None:
            guesses, top = fit.top(slice(None), 2)
            labels, runner_ups = guesses[:, 0].copy(), guesses[:, 1].copy()
            scores = fit.calibration.of_largest(top[:, 0])
            spread, sources = fit.spread.copy(), fit.sources.copy()
            self._spread(snapshot, self._divided(snapshot), ~fit.reach, spread, sources)
            propagated = fit.reach & (spread == labels)
            provenances = np.where(propagated, Provenance.PROPAGATED, Provenance.PREDICTED).astype(np.uint8)
            tiers = np.where(propagated, Tier.LIKELY, Tier.ASK).astype(np.uint8)
            # the answer of the cluster does not explain a label that the classifier made its own
            sources[spread != labels] = -1
            self._fill_sources(snapshot, labels, sources)
        gone = snapshot.excluded
        labels[gone] = runner_ups[gone] = UNLABELED
        provenances[gone], tiers[gone], scores[gone], sources[gone] = Provenance.NONE, Tier.NONE, 0.0, -1
        given, level = snapshot.indices, self._divided(snapshot)
        labels[given], provenances[given] = snapshot.class_ids, snapshot.provenances
        scores[given], tiers[given], sources[given] = 1.0, Tier.LOCKED, given
        doubts = np.zeros(n, dtype=np.float32)
        if fit is not None:
            doubts[given] = fit.doubts(snapshot)
            runner_ups[given] = np.where(labels[given] == guesses[given, 0], guesses[given, 1], guesses[given, 0])
        around = self._partition.around(level)
        return Round(
            revision=snapshot.revision,
            round=snapshot.round,
            stage="book",
            labels=labels,
            provenances=provenances,
            scores=scores,
            tiers=tiers,
            sources=sources,
            clusters=level.clustering.clusters,
            distances=level.clustering.distances,
            runner_ups=runner_ups,
            representatives=level.representatives,
            queue=self._queue(snapshot, fit, uncertain),
            advice=_advice(level.size, len(snapshot.class_list)),
            facts={
                "n_clusters": level.size,
                "inertia": level.clustering.inertia,
                "clustering": level.clustering.facts,
                **self._search(fit),
                "shown_at_most": fit.calibration.most if fit is not None else None,
            },
            foreign=around.foreign,
            doubts=doubts,
            shares=around.shares,
            seconds=around.seconds,
            outliers=level.clustering.outliers.astype(np.uint8),
        )

    def _search(self, fit: Fit | None) -> dict[str, Any]:
        """Return what the classifier says of its own search, where it does."""
        facts = getattr(self.classifier, "facts", None)
        return {"search": facts()} if fit is not None and facts is not None else {}

    def _fill_sources(self, snapshot: Snapshot, labels: IntArray, sources: IntArray) -> None:
        """Name, for labels the cluster does not explain, the nearest answer of the same class."""
        for class_id in np.unique(snapshot.class_ids):
            rows = np.flatnonzero((labels == class_id) & (sources < 0))
            answers = snapshot.indices[snapshot.class_ids == class_id]
            for start in range(0, len(rows), 8192):  # bounds the copy of features that may be a mapped file
                part = rows[start : start + 8192]
                sources[part] = answers[nearest_target(np.asarray(self.X[part]), np.asarray(self.X[answers]))]


def representatives(clustering: Clustering) -> IndexArray:
    """The instance that stands for each cluster (k,), the largest cluster's first: the clusterer's own exemplars, else
    the instances nearest the centers."""
    representatives = clustering.exemplars if len(clustering.exemplars) else nearest_to_center(clustering)
    sizes = np.bincount(clustering.clusters, minlength=len(representatives))
    return np.asarray(representatives[np.argsort(-sizes, kind="stable")], dtype=np.int64)


def _advice(n_clusters: int, n_classes: int) -> Advice:
    """Return what to do next; where there are too few clusters to meet every class, that too."""
    if n_clusters >= CLUSTERS_A_CLASS * n_classes:
        return advice.answer_question()
    return advice.expect_classes_missed(n_clusters, n_classes)


def _candidates(snapshot: Snapshot, n: int) -> BoolArray:
    candidates = np.ones(n, dtype=np.bool_)
    for taken in (snapshot.indices, snapshot.excluded, snapshot.held_back, snapshot.deferred):
        candidates[taken] = False
    return candidates
