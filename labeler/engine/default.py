"""The default engine: cluster, ask, spread along the graph, learn, let all judge each, ask again.

Space (:mod:`space`), belief (:mod:`belief`) and questions (:mod:`questions`) are modules of their own; this one
keeps their order, what is remembered between two answers, and the form in which it leaves.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import numpy as np
from threadpoolctl import ThreadpoolController

from labeler.core import steps
from labeler.core.model import Model, no_labels
from labeler.core.numeric.nearest import nearest
from labeler.core.steps import give_back
from labeler.core.types import FloatArray, Grid, IndexArray, IntArray, Progress, Queue, Round, Snapshot, Tier
from labeler.engine.belief import Answers, Belief, Believer, as_progress
from labeler.engine.checks import check_features
from labeler.engine.doubt import JUDGES_FROM
from labeler.engine.foresight import Check, Remembered, first_answers
from labeler.engine.hunt import hunted
from labeler.engine.layout import Layout, components_of, lay_out
from labeler.engine.live import BATCH, LiveBelief
from labeler.engine.pages import FROM_ANSWERS, PAGE, best_page, expected_errors, expected_gain
from labeler.engine.queue import (
    QUEUE_SIZE,
    RULES,
    UNSEEN_CHANCE,
    candidates_of,
    compose,
    is_start,
    open_representatives,
    queue_of,
    unseen_chance,
    utilities,
)
from labeler.engine.representatives import Given, Level, unguarded
from labeler.engine.round import Assembly, Settled, asked_in, assemble, groups_in, nearest_answers, tiers_of
from labeler.engine.space import Space
from labeler.engine.stopping import advise
from labeler.engine.tiers import is_discovering
from labeler.engine.view_choice import Judged, Lead, is_of_one_kind, lead

Result = TypeVar("Result")

NEXT_KEYS = 20
"""Keys whose expected gain a round tells."""


class DefaultEngine:
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
        self._layouts: list[Layout] = []
        self._companions: list[FloatArray] = []  # components of views that never lead
        self._first_lead = 0
        self._threads = ThreadpoolController()
        self._lead = Lead(0)
        self._judged: dict[bytes, list[Judged]] = {}
        self._remembered = Remembered()
        self._given: Given | None = None

    def begin_with(self, given: Given) -> None:
        """Take a clustering from elsewhere, before it is opened.

        Those nearest to its centroids are the first representatives, in place of its own; those of a number that a
        person chose come first.
        """
        if self.n_clusters is None:
            self._given = given

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
        opening = yield from self._limited(lay_out(X, self.n_clusters, self.random_state, self._given))
        self._layouts = [opening]
        # whom an instance repeats is said to the person: the view that opened decides it, whichever leads later
        self.first_of = opening.space.first_of
        # what this part freed goes back before the next one takes its own: a lower peak (benchmarks/engine_speed.md)
        give_back()

    def _finish_opening(self) -> Iterator[Progress]:
        """Prepare what the first representatives do not need: finer clusters and the label models."""
        for layout in self._layouts:
            yield from self._limited(layout.finish())

    def join(self, X: FloatArray, *, may_lead: bool = False) -> Iterator[Progress]:
        """Let a linear rule on a further view join the models; a view that `may_lead` is laid out as well."""
        yield from self._finish_opening()
        if not self.n:
            return
        if may_lead:
            layout = yield from self._limited(lay_out(X, self.n_clusters, self.random_state))
            yield from self._limited(layout.finish())
            self._layouts.append(layout)
            self._judged.clear()
            # noise is of many kinds, too: what leads unproven must show groups, and more than the view before it
            if not is_of_one_kind(X) and layout.space.groups > self._layouts[self._first_lead].space.groups:
                self._first_lead = len(self._layouts) - 1
                self._lead = Lead(self._first_lead)  # until the next round asks the answers
        else:
            self._companions.append((yield from self._limited(components_of(X, self.random_state))))
        self._remembered.clear()
        for layout in self._layouts:
            others = [other.space.components for other in self._layouts if other is not layout]
            layout.take([*others, *self._companions])

    @property
    def _layout(self) -> Layout:
        return self._layouts[self._lead.place]

    @property
    def space(self) -> Space:
        """The space of the view that leads."""
        return self._layout.space

    @property
    def levels(self) -> list[Level]:
        """The clusterings of the view that leads, the coarsest first."""
        return self._layout.levels

    @property
    def order(self) -> IndexArray:
        """Representatives of the view that leads, in the order to ask them."""
        return self._layout.order

    @property
    def live(self) -> LiveBelief:
        """The belief while a person answers; the label models are prepared on first use."""
        for _ in self._finish_opening():
            pass
        live = self._layout.live
        assert live is not None  # noqa: S101 - only pools with instances ask for it
        return live

    @property
    def believer(self) -> Believer:
        """The label models."""
        return self.live.believer

    def round_due(self, n_answers: int) -> bool:
        """Whether a full round pays after the `n_answers`-th answer."""
        return n_answers % BATCH == 0

    def rerank(self, snapshot: Snapshot) -> Queue:
        """Return questions: small pools are thought through, in large ones a glance must do."""
        live = self._layout.live if self.n else None
        if live is None:  # an empty pool, or the first questions
            return self._queue(snapshot, None, np.empty(0, dtype=np.int64))
        with self._threads.limit(limits=1):
            if live.is_small(snapshot):
                live.think(snapshot, quick=True)
            elif not self._in_start(snapshot) and (glanced := live.glanced(snapshot)) is not None:
                return self._queue(snapshot, *glanced)
            return self._queue(snapshot, live.belief, live.by_margin)

    def prepare(self, indices: IndexArray) -> Iterator[Progress]:
        """Solve the walks of `indices` ahead, so that an answer only adds one up."""
        live = self._layout.live if self.n else None
        if live is None:
            return
        for _ in live.believer.walk.prepare(indices):
            yield Progress("working ahead")

    def round(self, snapshot: Snapshot) -> Iterator[Progress | Round]:
        """Yield signs of life, then the round of all that is believed now."""
        yield from self._finish_opening()
        yield Progress("learning", 0, 2)
        if not self.n:
            yield self._round(snapshot, None, np.empty(0, dtype=np.int64), steady=False)
            return
        yield from self.follow(snapshot)
        yield Progress("learning", 0, 2)
        live = self.live
        belief = yield from self._limited(live.thought(snapshot))
        yield Progress("learning", 1, 2)
        with self._threads.limit(limits=1):
            by_margin = live.margin_order(snapshot, belief)
            if belief is live.belief:  # else an answer was thought through between two steps: its order is newer
                live.by_margin = by_margin
            if belief is not None and not live.is_small(snapshot):
                live.look(belief)
        # between two steps the worker serves the next answer: it need not wait for what lies around clusters
        yield Progress("learning", 1, 2)
        yield from self._limited(self._layout.partition.around_by_steps(self._level(snapshot)))
        past = yield from self._limited(self._past_by_steps(snapshot, belief))
        with self._threads.limit(limits=1):
            result = self._round(snapshot, belief, by_margin, live.is_steady(), past)
        yield result

    def closing_round(self, snapshot: Snapshot) -> Round:
        """Return the round that rests on the snapshot and the space alone."""
        with self._threads.limit(limits=1):
            if not self.n:
                return self._round(snapshot, None, np.empty(0, dtype=np.int64), steady=False)
            with self._led_after(snapshot):
                belief = self.believer.believe(snapshot, fresh=True)
                # never steady: whether labels still move is known of live rounds alone
                past = steps.run(self._past_by_steps(snapshot, belief))
                by_margin = self.live.margin_order(snapshot, belief)
                return self._round(snapshot, belief, by_margin, steady=False, past=past)

    def predict(self, snapshot: Snapshot, X_new: FloatArray) -> tuple[IntArray, FloatArray]:
        """Return labels and scores by what all labels of the pool say of each newcomer."""
        model = self.model(snapshot)
        with self._threads.limit(limits=1):
            return no_labels(len(X_new)) if model is None else model.predict(X_new)

    def model(self, snapshot: Snapshot) -> Model | None:
        """Return the second opinion, taught every label of the closing round."""
        with self._threads.limit(limits=1), self._led_after(snapshot):
            # fresh: what leaves the program rests on the answers, not on the way to them
            belief = self.believer.believe(snapshot, fresh=True) if self.n else None
            if belief is None:
                return None
            classes, others, axes = belief.answers.classes, self.believer.others, self.space.axes
            arrays = {
                "mean": axes.mean,
                "axes": axes.axes,
                "landmarks": others.landmarks,
                "gamma": np.float32(others.gamma),
                "coefficients": others.coefficients(belief.labels, len(classes)),
            }
        return Model("kernel", classes, {name: np.asarray(array, dtype=np.float32) for name, array in arrays.items()})

    def grid(self, snapshot: Snapshot, size: int, skip: IndexArray) -> Grid | None:
        """Return the page that mends most, by what is believed now."""
        if not self.n or not len(snapshot.indices):
            return None
        with self._threads.limit(limits=1):
            live = self.live
            if not self._in_start(snapshot) and live.is_stale(snapshot):
                live.think(snapshot)
            candidates = candidates_of(snapshot, self.first_of)
            candidates[skip] = False
            return best_page(live.belief, candidates, size) if live.belief is not None else None

    def similar(self, snapshot: Snapshot, index: int, size: int, skip: IndexArray) -> IndexArray:
        """Return what nobody answered, nearest in z."""
        candidates = candidates_of(snapshot, self.first_of)
        candidates[skip] = False
        return nearest(self.space.z, index, candidates, size)

    def hunt(self, snapshot: Snapshot, class_id: int, size: int, skip: IndexArray) -> IndexArray:
        """Return what may be of a rare class, by distances in z."""
        if not self.n:
            return skip[:0]
        candidates = candidates_of(snapshot, self.first_of)
        candidates[skip] = False
        with self._threads.limit(limits=1):
            return hunted(self.space.z, snapshot, class_id, candidates, size)

    def points(self) -> FloatArray:
        """Return the space z."""
        return self.space.z

    def repeats(self) -> IndexArray:
        """Return the first of near duplicates for each instance, as they are asked once."""
        return self.first_of if self.n else np.empty(0, dtype=np.int64)

    def shares(self, snapshot: Snapshot, index: int) -> list[tuple[int, float]]:
        """Return the answers whose walks carry the label, by their visits."""
        if not self.n or index in snapshot.excluded or not len(snapshot.indices):
            return []
        if index in snapshot.indices:
            return [(index, 1.0)]
        same = snapshot.indices[self.first_of[snapshot.indices] == self.first_of[index]]
        if len(same):
            return [(int(same[-1]), 1.0)]  # it repeats an answered one
        with self._threads.limit(limits=1):
            known = self.live.belief if self.live.rests_on(snapshot, len(snapshot.indices)) else None
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

    def _lead_by_steps(self, snapshot: Snapshot) -> Generator[None, None, Lead]:
        """Yield signs of life; return which view leads after the answers of `snapshot`, by them alone."""
        if not self.n or len(self._layouts) < 2:
            return Lead(0)

        def judge(m: int) -> Generator[None, None, list[Judged]]:
            first = first_answers(snapshot, m)
            key = first.indices.tobytes() + first.class_ids.tobytes() + first.weights.tobytes()
            if key not in self._judged:
                in_full = np.concatenate([layout.representatives for layout in self._layouts])
                answers = Answers.of(first, in_full)
                judged = []
                for layout in self._layouts:
                    if layout.live is not None:
                        judged.append((yield from layout.live.believer.judge_by_steps(answers)))
                self._judged[key] = judged
            return self._judged[key]

        return (yield from lead(len(snapshot.indices), self._first_lead, judge))

    def _past_by_steps(self, snapshot: Snapshot, belief: Belief | None) -> Generator[Progress, None, tuple[Check, ...]]:
        """Yield signs of life; return the checks before the answers of `snapshot`, by them alone; none if not needed.

        A check is a belief of its own, seconds in a large pool: where everything may spread it would change nothing.
        """
        if belief is None:
            return ()
        unseen = unseen_chance(belief.answers, snapshot.class_list)
        discovering = is_discovering(self._in_start(snapshot), len(snapshot.indices), unseen)
        if discovering or groups_in(Settled(self.space, discovering, unseen, asked_in(snapshot)), belief).is_full:
            return ()
        return (yield from self._remembered.by_steps(snapshot, self._check_by_steps))

    def _check_by_steps(self, snapshot: Snapshot, past: tuple[Check, ...]) -> Generator[Progress, None, Check | None]:
        """Yield signs of life; return what the labels of `snapshot` are, in the view that leads by then."""
        layout = self._layouts[(yield from as_progress(self._lead_by_steps(snapshot))).place]
        belief = None
        if layout.live is not None:
            belief = yield from layout.live.believer.apart().believe_by_steps(snapshot, fresh=True)
        if belief is None:
            return None
        answers = belief.answers
        unseen = unseen_chance(answers, snapshot.class_list)
        start = is_start(answers, layout.levels[0])
        settled = Settled(layout.space, is_discovering(start, len(answers), unseen), unseen, asked_in(snapshot), past)
        tiers = tiers_of(settled, belief, nearest_answers(answers, belief.labels, layout.space.z))
        waiting = len(tiers) - len(answers)
        share = (int(np.count_nonzero(tiers >= Tier.LIKELY)) - len(answers)) / waiting if waiting else 0.0
        spread = (tiers >= Tier.LIKELY) | (belief.agreement.agreed & belief.agreement.unanimous)
        return Check(len(answers), answers.classes[belief.labels], spread, share)

    def _lead_after(self, snapshot: Snapshot) -> Lead:
        """Return which view leads after the answers of `snapshot`, at once."""
        with self._threads.limit(limits=1):
            return steps.run(self._lead_by_steps(snapshot))

    def leading(self, snapshot: Snapshot) -> int:
        """Return which view leads: 0 = the one it was opened with, then those that may, as they joined."""
        return self._lead_after(snapshot).place

    def follow(self, snapshot: Snapshot) -> Iterator[Progress]:
        """Yield signs of life; let the view lead that the answers of `snapshot` decide for."""
        self._lead = yield from self._limited(as_progress(self._lead_by_steps(snapshot)))

    @contextmanager
    def _led_after(self, snapshot: Snapshot) -> Iterator[None]:
        """Let the view lead that the answers of `snapshot` decide for, and go back to the live one."""
        live = self._lead
        self._lead = self._lead_after(snapshot)
        try:
            yield
        finally:
            self._lead = live

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

    def _in_start(self, snapshot: Snapshot) -> bool:
        return is_start(Answers.of(snapshot, self.order[:0]), self.levels[0])

    def _level(self, snapshot: Snapshot) -> Level:
        """The clustering in force: the coarsest with two clusters a class, as the person divided it."""
        least = 2 * len(np.unique(snapshot.class_ids))
        level = next((level for level in self.levels if level.size >= least), self.levels[-1])
        return self._layout.partition.divided(level, snapshot.splits)

    def _queue(self, snapshot: Snapshot, belief: Belief | None, by_margin: IndexArray) -> Queue:
        if not self.n:
            return queue_of(by_margin, np.empty(0, dtype=np.uint8), None, None)
        candidates = candidates_of(snapshot, self.first_of)
        first, answers = self.levels[0], Answers.of(snapshot, self.order[:0])
        closed = np.setdiff1d(first.representatives, open_representatives(first, answers.indices))
        order = self.order[candidates[self.order] & ~np.isin(self.order, closed)]
        left = by_margin[candidates[by_margin]]
        if not len(left) and len(order) < QUEUE_SIZE:
            left = np.flatnonzero(candidates)[:QUEUE_SIZE]  # nothing ranked is left: in the order of the pool
        start = is_start(answers, first)
        guards = unguarded(first, snapshot.indices, candidates)
        parts = self._level(snapshot).parts
        parts = parts[candidates[parts]]
        indices, rules = compose(
            start, unseen_chance(answers, snapshot.class_list), order, guards, left, len(answers), parts
        )
        utility = utilities(belief, self.space, indices) if belief is not None else None
        return queue_of(indices, rules, utility, belief)

    def _round(
        self,
        snapshot: Snapshot,
        belief: Belief | None,
        by_margin: IndexArray,
        steady: bool,
        past: tuple[Check, ...] = (),
    ) -> Round:
        queue = self._queue(snapshot, belief, by_margin)
        # labels hold still, too, while a class was never met: that is no reason to stop
        unseen = unseen_chance(belief.answers, snapshot.class_list) if belief is not None else 1.0
        settled = steady and belief is not None and unseen <= UNSEEN_CHANCE
        candidates = candidates_of(snapshot, self.first_of) if self.n else np.empty(0, dtype=np.bool_)
        page = best_page(belief, candidates, PAGE) if belief is not None else None
        advice = advise(belief, settled, len(queue.indices), page is not None and page.pays)
        if not self.n:
            return assemble(Assembly.empty(), snapshot, None, queue, advice, "no instance", {})
        level = self._level(snapshot)
        facts: dict[str, Any] = {"inertia": level.clustering.inertia, "n_clusters": level.size}
        if len(self._layouts) > 1:
            facts["lead"] = [self._lead.place, self._lead.n_answers]
        if belief is not None:
            facts |= {
                "weights": list(belief.blend.weights),
                "answers_judged": bool(belief.blend.skill >= JUDGES_FROM),  # nan: nobody can tell yet
                "left_out_skill": None if np.isnan(belief.blend.skill) else belief.blend.skill,
                "unseen_chance": unseen,
                "expected_errors": float(expected_errors(belief).sum()),
                "shown_at_most": belief.calibration.most,
            }
            facts["gain_from"] = FROM_ANSWERS  # before, what is expected of the next keys means nothing
        if belief is not None and len(belief.answers) >= FROM_ANSWERS:
            facts["gain"] = [NEXT_KEYS, *expected_gain(belief, queue.indices, candidates, NEXT_KEYS)]
        stage = f"{RULES[queue.rules[0]]} {len(snapshot.indices)}" if len(queue.rules) else "everything is asked"
        discovering = is_discovering(self._in_start(snapshot), len(snapshot.indices), unseen)
        around = self._layout.partition.around(level)
        return assemble(
            Assembly(self.space, level, self.first_of, discovering, unseen, around, past),
            snapshot,
            belief,
            queue,
            advice,
            stage,
            facts,
        )
