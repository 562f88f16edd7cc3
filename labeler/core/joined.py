"""The default engine: cluster, ask, spread along the graph, learn, let all judge each, ask again.

Space (:mod:`space`), belief (:mod:`belief`) and questions (:mod:`questions`) are modules of their own; this one
keeps their order, what is remembered between two answers, and the form in which it leaves.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import Any, TypeVar

import numpy as np
from threadpoolctl import ThreadpoolController

from labeler.core.agreement import kappa
from labeler.core.belief import Answers, Belief, Believer
from labeler.core.checks import check_features
from labeler.core.components import principal_axes
from labeler.core.doubt import JUDGES_FROM
from labeler.core.glance import Glance
from labeler.core.grids import best_page, expected_errors, expected_gain
from labeler.core.questions import (
    QUEUE_SIZE,
    RULES,
    UNSEEN_CHANCE,
    candidates_of,
    compose,
    is_start,
    queue_of,
    uncertain,
    unseen_chance,
    utilities,
)
from labeler.core.report import Assembly, assemble
from labeler.core.representatives import Level, finer_levels, first_level, nested_order, unguarded
from labeler.core.second_opinion import second_opinion
from labeler.core.similarity import nearest
from labeler.core.space import Space, space
from labeler.core.splitting import Partition
from labeler.core.steps import finished
from labeler.core.stopping import AGREEMENT, IN_A_ROW, advise
from labeler.core.vocabulary import (
    UNLABELED,
    FloatArray,
    Grid,
    IndexArray,
    IntArray,
    Progress,
    Queue,
    Round,
    Snapshot,
)

Result = TypeVar("Result")

QUICK_UP_TO = 40_000
"""Instances times classes up to which every answer is thought through at once; beyond, every BATCH-th is."""
BATCH = 5
NEXT_KEYS = 20
"""Keys whose expected gain a round tells."""


class JoinedEngine:
    """The joined loop over any features; see :class:`labeler.core.protocols.Engine`.

    Parameters
    ----------
    n_clusters
        Clusters of the first representatives; None = chosen by the pool's size.
    random_state
        Seed of everything that is drawn.
    """

    def __init__(self, n_clusters: int | None = None, random_state: int = 0) -> None:
        self.n_clusters, self.random_state = n_clusters, random_state
        self._threads = ThreadpoolController()
        self._believer: Believer | None = None
        self._belief: Belief | None = None
        self._is_quick = False
        self._glance: Glance | None = None
        self._by_margin: IndexArray = np.empty(0, dtype=np.int64)
        self._before: list[IntArray] = []
        self._state: tuple[bytes, bytes] = (b"", b"")

    def open(self, X: FloatArray) -> Iterator[Progress]:
        """Lay out the space, its graph, the clusters and their representatives.

        Raises
        ------
        EngineError
            A feature is not finite.
        """
        check_features(X)
        self.n = len(X)
        if not self.n:
            return
        self.space: Space = yield from self._limited(space(X, random_state=self.random_state))
        yield Progress("clustering")
        first = yield from self._limited(first_level(self.space.z, self.n_clusters, self.random_state))
        self.levels: list[Level] = [first]
        self.order: IndexArray = first.representatives
        self._partition = Partition(self.space.z, self.random_state)
        self.first_of = self.space.first_of

    def _finish_opening(self) -> Iterator[Progress]:
        """What the first representatives do not need: finer clusters and the label models."""
        if not self.n or self._believer is not None:
            return
        yield Progress("clustering finer")
        finer = yield from self._limited(finer_levels(self.space.z, self.levels[0], self.random_state))
        others = yield from self._limited(second_opinion(self.space.components, self.random_state))
        self.levels = [self.levels[0], *finer]
        self.order = nested_order(self.levels)
        self._believer = Believer(self.space, others, self.levels[0].representatives, self.random_state)

    def join(self, X: FloatArray) -> Iterator[Progress]:
        """See :class:`labeler.core.protocols.Engine`: a linear rule on its principal components joins the models."""
        yield from self._finish_opening()
        if not self.n:
            return
        axes = yield from self._limited(principal_axes(X, random_state=self.random_state))
        components = np.empty((self.n, axes.axes.shape[1]), dtype=np.float32)
        yield from self._limited(axes.project_into(X, components))
        self.believer.join(components)
        self._is_quick = True  # what is believed now does not know of it

    @property
    def believer(self) -> Believer:
        """The label models, prepared on first use."""
        for _ in self._finish_opening():
            pass
        assert self._believer is not None  # noqa: S101 - only pools with instances ask for it
        return self._believer

    def round_due(self, n_answers: int) -> bool:
        """Whether a full round pays after the `n_answers`-th answer."""
        return n_answers % BATCH == 0

    def rerank(self, snapshot: Snapshot) -> Queue:
        """See :class:`labeler.core.protocols.Engine`: thinks small pools through; in large ones, glances."""
        if not self.n:
            return self._queue(snapshot, None, self._by_margin)
        with self._threads.limit(limits=1):
            small = self._is_small(snapshot)
            if small and self._believer is not None:
                self._think(snapshot, quick=True)
            glance = None if small else self._glanced(snapshot)
            if glance is not None:
                return self._queue(snapshot, *glance)
            return self._queue(snapshot, self._belief, self._by_margin)

    def prepare(self, indices: IndexArray) -> Iterator[Progress]:
        """See :class:`labeler.core.protocols.Engine`: the walks of `indices`, so that an answer only adds one up."""
        if self._believer is None:
            return
        for _ in self._believer.walk.prepare(indices):
            yield Progress("working ahead")

    def round(self, snapshot: Snapshot) -> Iterator[Progress | Round]:
        """See :class:`labeler.core.protocols.Engine`."""
        yield from self._finish_opening()
        yield Progress("learning", 0, 2)
        belief = (yield from self._limited(self._thought(snapshot))) if self.n else None
        yield Progress("learning", 1, 2)
        with self._threads.limit(limits=1):
            by_margin = self._margin_order(snapshot, belief)
            if belief is self._belief:
                self._by_margin = by_margin
            if belief is not None and not self._is_small(snapshot):
                self._look(belief)
        yield Progress("learning", 1, 2)
        with self._threads.limit(limits=1):
            result = self._round(snapshot, belief, by_margin, self._is_steady())
        yield result

    def closing_round(self, snapshot: Snapshot) -> Round:
        """See :class:`labeler.core.protocols.Engine`: from the snapshot and the space alone."""
        with self._threads.limit(limits=1):
            belief = self.believer.believe(snapshot, fresh=True) if self.n else None
            return self._round(snapshot, belief, self._margin_order(snapshot, belief), steady=False)

    def predict(self, snapshot: Snapshot, X_new: FloatArray) -> tuple[IntArray, FloatArray]:
        """See :class:`labeler.core.protocols.Engine`: by what all labels of the pool say of the newcomer."""
        with self._threads.limit(limits=1):
            belief = self.believer.believe(snapshot, fresh=True) if self.n else None
            if belief is None:
                return np.full(len(X_new), UNLABELED, dtype=np.int32), np.zeros(len(X_new), dtype=np.float32)
            classes = belief.answers.classes
            scores = self.believer.others.scores_of(self.space.axes.project(X_new), belief.labels, len(classes))
        scores = np.clip(scores, 1e-6, None)
        scores /= scores.sum(axis=1, keepdims=True)
        return classes[scores.argmax(axis=1)].astype(np.int32), scores.max(axis=1).astype(np.float32)

    def grid(self, snapshot: Snapshot, size: int, skip: IndexArray) -> Grid | None:
        """See :class:`labeler.core.protocols.Engine`."""
        if not self.n or not len(snapshot.indices):
            return None
        with self._threads.limit(limits=1):
            if self._is_stale(snapshot):
                self._think(snapshot)
            candidates = candidates_of(snapshot, self.first_of)
            candidates[skip] = False
            return best_page(self._belief, candidates, size) if self._belief is not None else None

    def similar(self, snapshot: Snapshot, index: int, size: int, skip: IndexArray) -> IndexArray:
        """See :class:`labeler.core.protocols.Engine`: nearest in z."""
        candidates = candidates_of(snapshot, self.first_of)
        candidates[skip] = False
        return nearest(self.space.z, index, candidates, size)

    def shares(self, snapshot: Snapshot, index: int) -> list[tuple[int, float]]:
        """See :class:`labeler.core.protocols.Engine`: the walks that carry the label, by their visits."""
        if not self.n or index in snapshot.excluded or not len(snapshot.indices):
            return []
        if index in snapshot.indices:
            return [(index, 1.0)]
        same = snapshot.indices[self.first_of[snapshot.indices] == self.first_of[index]]
        if len(same):
            return [(int(same[-1]), 1.0)]  # it repeats an answered one
        with self._threads.limit(limits=1):
            known = self._belief if self._rests_on(snapshot, len(snapshot.indices)) else None
            belief = known or self.believer.believe(snapshot)
            if belief is None:
                return []
            answers = belief.answers
            visits = self.believer.walk.columns(np.array([index], dtype=np.int64))[:, 0]  # the graph is symmetric
        carried = np.where(
            answers.positions == belief.labels[index], np.maximum(visits[answers.indices], 0.0) * answers.weights, 0.0
        )
        total = float(carried.sum())
        if total <= 0.0:
            return []
        order = np.argsort(-carried, kind="stable")
        return [(int(answers.indices[row]), float(carried[row] / total)) for row in order if carried[row] > 0.0]

    # -- inside --------------------------------------------------------------------------------------------------

    def _limited(self, job: Generator[Progress, None, Result]) -> Generator[Progress, None, Result]:
        """Run a generator step by step with one thread, releasing the limit between two steps."""
        while True:
            with self._threads.limit(limits=1):
                try:
                    step = next(job)
                except StopIteration as end:
                    result: Result = end.value
                    return result
            yield step

    def _is_stale(self, snapshot: Snapshot) -> bool:
        """Whether questions would rest on other answers, on too few of them, or miss a class."""
        if self._in_start(snapshot):
            return False
        if self._belief is None:
            return True
        answers = self._belief.answers
        known = len(answers)
        return not (
            self._rests_on(snapshot, known)
            and len(snapshot.indices) <= known + 2 * BATCH
            and bool(np.isin(snapshot.class_ids[known:], answers.classes).all())
        )

    def _rests_on(self, snapshot: Snapshot, known: int) -> bool:
        """Whether the belief is that of the first `known` answers of `snapshot`."""
        if self._belief is None or len(snapshot.indices) < known or len(self._belief.answers) != known:
            return False
        answers = self._belief.answers
        same_classes = np.array_equal(answers.classes[answers.positions], snapshot.class_ids[:known])
        return same_classes and np.array_equal(answers.indices, snapshot.indices[:known])

    def _in_start(self, snapshot: Snapshot) -> bool:
        return is_start(Answers.of(snapshot, self.order[:0]), self.levels[0].representatives)

    def _level(self, snapshot: Snapshot) -> Level:
        """The clustering in force: the coarsest with two clusters a class, as the person divided it."""
        least = 2 * len(np.unique(snapshot.class_ids))
        level = next((level for level in self.levels if level.size >= least), self.levels[-1])
        return self._partition.divided(level, snapshot.splits)

    def _think(self, snapshot: Snapshot, *, quick: bool = False) -> None:
        """Bring the belief and the order by margin up to date; a `quick` belief is good for questions alone."""
        belief = finished(self._thought(snapshot, quick=quick))
        self._by_margin = self._margin_order(snapshot, belief)

    def _thought(self, snapshot: Snapshot, *, quick: bool = False) -> Generator[Progress, None, Belief | None]:
        """Yield signs of life; return the belief after `snapshot`, and keep it if no other came between."""
        state = (snapshot.excluded.tobytes(), snapshot.weights.tobytes())
        before = self._belief
        known = self._rests_on(snapshot, len(snapshot.indices)) and self._state == state
        if known and (quick or not self._is_quick):
            return before
        belief = yield from self.believer.believe_by_steps(snapshot, quick=quick)
        if self._belief is before:
            self._belief, self._state, self._is_quick = belief, state, quick
            if belief is not None:
                self._before = [*(self._before[:-1] if known else self._before[-IN_A_ROW:]), belief.labels]
        return belief

    def _is_small(self, snapshot: Snapshot) -> bool:
        return self.n * len(np.unique(snapshot.class_ids)) <= QUICK_UP_TO

    def _look(self, base: Belief) -> Glance:
        """The glance that goes on from a belief."""
        if self._glance is None or self._glance.base is not base:
            self._glance = Glance(self.believer, base, utilities(base, self.space))
        return self._glance

    def _glanced(self, snapshot: Snapshot) -> tuple[Belief, IndexArray] | None:
        """The last belief with its short list brought up to date, and that list's order; None where it cannot be."""
        base = self._belief
        if base is None or self._state[0] != snapshot.excluded.tobytes() or self._in_start(snapshot):
            return None
        glance = self._look(base)
        belief, rows = glance.after(snapshot), glance.rows
        if belief is None:
            return None
        utility = np.zeros(self.n, dtype=np.float32)
        utility[rows] = utilities(belief, self.space, rows)
        short = np.zeros(self.n, dtype=np.bool_)
        short[rows] = candidates_of(snapshot, self.first_of)[rows]
        return belief, uncertain(utility, short, self.space, self.random_state)

    def _is_steady(self) -> bool:
        pairs = list(zip(self._before, self._before[1:], strict=False))
        return len(pairs) == IN_A_ROW and all(kappa(first, second) >= AGREEMENT for first, second in pairs)

    def _margin_order(self, snapshot: Snapshot, belief: Belief | None) -> IndexArray:
        if belief is None:
            return np.empty(0, dtype=np.int64)
        candidates = candidates_of(snapshot, self.first_of)
        return uncertain(utilities(belief, self.space), candidates, self.space, self.random_state)

    def _queue(self, snapshot: Snapshot, belief: Belief | None, by_margin: IndexArray) -> Queue:
        if not self.n:
            return queue_of(by_margin, np.empty(0, dtype=np.uint8), None, None)
        candidates = candidates_of(snapshot, self.first_of)
        order = self.order[candidates[self.order]]
        answers = Answers.of(snapshot, self.order[:0])
        left = by_margin[candidates[by_margin]]
        if not len(left) and len(order) < QUEUE_SIZE:
            left = np.flatnonzero(candidates)[:QUEUE_SIZE]
        start = is_start(answers, self.levels[0].representatives)
        guards = unguarded(self.levels[0], snapshot.indices, candidates)
        parts = self._level(snapshot).parts
        parts = parts[candidates[parts]]
        indices, rules = compose(
            start, unseen_chance(answers, snapshot.class_list), order, guards, left, len(answers), parts
        )
        utility = utilities(belief, self.space, indices) if belief is not None else None
        return queue_of(indices, rules, utility, belief)

    def _round(self, snapshot: Snapshot, belief: Belief | None, by_margin: IndexArray, steady: bool) -> Round:
        queue = self._queue(snapshot, belief, by_margin)
        gain = float(queue.utilities[:1].sum()) if belief is not None else float("inf")
        settled = steady and belief is not None and unseen_chance(belief.answers, snapshot.class_list) <= UNSEEN_CHANCE
        advice = advise(belief, gain, settled, len(queue.indices))
        if not self.n:
            return assemble(Assembly.empty(), snapshot, None, queue, advice, "no instance", {})
        level = self._level(snapshot)
        facts: dict[str, Any] = {"inertia": level.clustering.inertia, "n_clusters": level.size}
        if belief is not None:
            facts |= {
                "weights": list(belief.blend.weights),
                "answers_judged": bool(belief.blend.skill >= JUDGES_FROM),  # nan: nobody can tell yet
                "left_out_skill": None if np.isnan(belief.blend.skill) else belief.blend.skill,
                "unseen_chance": unseen_chance(belief.answers, snapshot.class_list),
                "expected_errors": float(expected_errors(belief).sum()),
            }
            candidates = candidates_of(snapshot, self.first_of)
            facts["gain"] = [NEXT_KEYS, *expected_gain(belief, queue.indices, candidates, NEXT_KEYS)]
        stage = f"{RULES[queue.rules[0]]} {len(snapshot.indices)}" if len(queue.rules) else "everything is asked"
        return assemble(
            Assembly(self.space, level, self.first_of, self._in_start(snapshot), self._partition.foreign(level)),
            snapshot,
            belief,
            queue,
            advice,
            stage,
            facts,
        )
