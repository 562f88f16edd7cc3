"""The queue of instances to ask next: an ordered list of rules with shares.

0. *split*: the representatives of a cluster's two parts, right after a person divided it;
1. *representative*: the coverage order goes on while answers keep turning up new classes;
2. *unseen*: one question in five goes on with it while the chance of an unseen class is not small (Good 1953);
3. *guard*: one question in five is a second one in a large cluster that rests on one answer alone;
4. *uncertain*: the smallest margins, weighted by the neighbours', spread over the space.
"""

from __future__ import annotations

import numpy as np

from labeler.core.numeric.kmeans import kmeans
from labeler.core.types import UNLABELED, BoolArray, ByteArray, FloatArray, IndexArray, IntArray, Queue, Snapshot
from labeler.engine.belief import Answers, Belief
from labeler.engine.representatives import Level
from labeler.engine.space import Space

RULES = ("representative", "unseen", "uncertain", "guard", "split")
SHORT_LIST = 50
SPREAD = 5  # questions in a row that look alike would tell the same
QUEUE_SIZE = 200
UNSEEN_EVERY = 5  # one turn in five looks for classes nobody met
GUARD_TURN = 2  # another one asks a second time where one answer speaks for a large cluster
UNSEEN_CHANCE = 0.05  # by Good and Turing: the share of answers whose class was met once
QUIET = 5
"""Answers in a row without a new class that end the start."""
PATIENCE = 10
"""Answers for each class that was named beforehand, until one that never turned up is no longer looked for."""
N_GUESSES = 3


def unseen_chance(answers: Answers, class_list: IntArray) -> float:
    """The chance that there is a class without an answer: classes answered once, by answers (Good 1953); or the share
    of the classes in `class_list` that have none, until so many answers were given that some may not occur at all."""
    if not len(answers):
        return 1.0
    counts = np.bincount(answers.positions, minlength=len(answers.classes))
    chance = float((counts == 1).sum() / len(answers))
    if len(answers) < PATIENCE * len(class_list):
        chance = max(chance, float((~np.isin(class_list, answers.classes)).mean()))
    return chance


def is_start(answers: Answers, level: Level) -> bool:
    """Whether representatives come first still: some of the coarsest `level` are open, or a class is new among QUIET.

    At most for twice as many answers: representatives that are skipped must not hold up the questions forever.
    """
    if len(answers) < 2 * level.size and len(open_representatives(level, answers.indices)):
        return True
    _, earliest = np.unique(answers.positions, return_index=True)
    return bool(len(answers) - 1 - earliest.max(initial=0) < QUIET)


def open_representatives(level: Level, asked: IndexArray) -> IndexArray:
    """Return the representatives that are still to be asked, in their order.

    With as many of the `asked` (a,) as clusters, a cluster with one of them in its inner part needs no other: questions
    from a sample are not the representatives of the whole, and stand for the same. The inner part lies no farther from
    the center than the mean of the cluster.
    """
    unasked = level.representatives[~np.isin(level.representatives, asked)]
    # before, they are asked whatever else was: groceries had 45.8 % right in place of 47.8 after 20 answers
    if not len(unasked) or len(asked) < level.size:
        return unasked
    clusters, distances = level.clustering.clusters, level.clustering.distances
    sizes = np.bincount(clusters)
    means = np.bincount(clusters, distances) / np.maximum(sizes, 1)
    inner = asked[distances[asked] <= means[clusters[asked]]]
    return unasked[~np.isin(clusters[unasked], clusters[inner])]


def utilities(belief: Belief, space: Space, rows: IndexArray | None = None) -> FloatArray:
    """Utility (n,), or (len(rows),) of some: 1 - margin * (.5 + .5 * mean margin of the neighbours)."""
    asked = slice(None) if rows is None else rows
    margins, neighbours = belief.margins[asked], space.graph.neighbours[asked]
    near = belief.margins[neighbours].mean(axis=1) if neighbours.shape[1] else margins
    return np.asarray(1.0 - margins * (0.5 + 0.5 * near), dtype=np.float32)


def uncertain(utility: FloatArray, candidates: BoolArray, space: Space, random_state: int) -> IndexArray:
    """Return at most QUEUE_SIZE candidates: SPREAD from different corners of the short list first, then by utility."""
    rows = np.flatnonzero(candidates)
    if len(rows) > QUEUE_SIZE:
        rows = rows[np.argpartition(-utility[rows], QUEUE_SIZE)[:QUEUE_SIZE]]  # no sort of the pool for 200 of it
    rows = rows[np.argsort(-utility[rows], kind="stable")]
    short = rows[:SHORT_LIST]
    if len(short) <= SPREAD:
        return rows.astype(np.int64)
    corners = kmeans(space.z[short], SPREAD, random_state, n_init=1).clusters  # of fifty points one run is enough
    _, first = np.unique(corners, return_index=True)  # the short list is sorted: the first is the best
    head = short[np.sort(first)]
    return np.concatenate((head, rows[~np.isin(rows, head)])).astype(np.int64)


def candidates_of(snapshot: Snapshot, first_of: IndexArray) -> BoolArray:
    """Return who may be asked: not answered, excluded, held back or deferred, nor a repeat of one that is."""
    n = len(first_of)
    free = np.ones(n, dtype=np.bool_)
    closed = np.concatenate((snapshot.indices, snapshot.held_back)).astype(np.int64)
    free[closed] = False
    seen = np.zeros(n, dtype=np.bool_)
    seen[first_of[closed]] = True
    free &= ~seen[first_of]
    free[snapshot.excluded] = False
    free[snapshot.deferred] = False
    return free


def compose(
    start: bool,
    chance: float,
    order: IndexArray,
    guards: IndexArray,
    by_margin: IndexArray,
    n_answers: int,
    parts: IndexArray,
) -> tuple[IndexArray, ByteArray]:
    """Interleave the rules: indices (q,) in the order to ask them and the rule of each (q,).

    `n_answers` anchors the one-in-five turn, so that it does not move with the length of the queue.
    """
    indices: list[int] = []
    rules: list[int] = []
    taken: set[int] = set()

    def take(rule: int, index: int) -> None:
        if index not in taken:
            taken.add(index)
            indices.append(index)
            rules.append(rule)

    for index in parts:  # first: whoever divides a cluster waits for what its parts hold
        take(4, int(index))
    if start or not len(by_margin):
        for index in order[:QUEUE_SIZE]:
            take(0, int(index))
    waiting = iter(order.tolist() if chance > UNSEEN_CHANCE else [])
    second = iter(guards.tolist())
    for turn, index in enumerate(by_margin):
        if (n_answers + turn) % UNSEEN_EVERY == 0 and (other := next(waiting, None)) is not None:
            take(1, other)
        # digits with 5 % wrong answers: 99.69 % right after 50 with guards, 96.89 without (benchmarks/ablation.md)
        if (n_answers + turn) % UNSEEN_EVERY == GUARD_TURN and (other := next(second, None)) is not None:
            take(3, other)
        take(2, int(index))
    return np.array(indices, dtype=np.int64), np.array(rules, dtype=np.uint8)


def queue_of(indices: IndexArray, rules: ByteArray, utility: FloatArray | None, belief: Belief | None) -> Queue:
    """Add what the model thinks of each queued instance, and its `utility` (q,); before an answer it thinks nothing."""
    q = len(indices)
    guesses = np.full((q, N_GUESSES), UNLABELED, dtype=np.int32)
    scores = np.zeros((q, N_GUESSES), dtype=np.float32)
    if belief is None or utility is None:
        ones = np.ones(q, dtype=np.float32)
        return Queue(indices, ones, rules, RULES, ones.copy(), guesses, scores)
    shares = belief.proba[indices]
    best = np.argsort(-shares, axis=1, kind="stable")[:, :N_GUESSES]
    width = best.shape[1]
    guesses[:, :width] = belief.answers.classes[best]
    scores[:, :width] = np.take_along_axis(belief.calibration.of(shares), best, axis=1)
    return Queue(indices, utility, rules, RULES, belief.margins[indices], guesses, scores)
