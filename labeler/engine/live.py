"""The belief of the engine while a person answers: advisory, brought up to date as far as time allows.

Small pools are thought through after every answer. In large ones an answer changes a short list at a glance, and the
whole follows behind the person. What leaves the program never comes from here.
"""

from __future__ import annotations

from collections.abc import Generator

import numpy as np

from labeler.core import steps
from labeler.core.types import IndexArray, IntArray, Progress, Provenance, Snapshot
from labeler.engine.belief import Belief, Believer
from labeler.engine.queue import candidates_of, uncertain, utilities
from labeler.engine.short_list import Glance
from labeler.engine.stopping import WINDOW, is_quiet

QUICK_UP_TO = 40_000
"""Instances times classes up to which every answer is thought through at once; beyond, every BATCH-th is."""
BATCH = 5


class LiveBelief:
    """The latest belief of a `believer`, the order by margin that follows from it, and how much both still move."""

    def __init__(self, believer: Believer, random_state: int = 0) -> None:
        self.believer = believer
        self.belief: Belief | None = None
        self.by_margin: IndexArray = np.empty(0, dtype=np.int64)
        self.glance: Glance | None = None
        self._random_state = random_state
        self._is_quick = False
        self._state: tuple[bytes, bytes] = (b"", b"")
        self._past: list[tuple[int, IntArray]] = []  # (single answers, class ids (n,)), back to WINDOW ago

    def outdated(self) -> None:
        """The believer has changed: the next belief is made anew."""
        self._is_quick = True

    def is_small(self, snapshot: Snapshot) -> bool:
        """Whether every answer can be thought through at once."""
        return len(self.believer.space.z) * len(np.unique(snapshot.class_ids)) <= QUICK_UP_TO

    def rests_on(self, snapshot: Snapshot, known: int) -> bool:
        """Whether the belief is that of the first `known` answers of `snapshot`."""
        if self.belief is None or len(snapshot.indices) < known or len(self.belief.answers) != known:
            return False
        answers = self.belief.answers
        same_classes = np.array_equal(answers.classes[answers.positions], snapshot.class_ids[:known])
        return same_classes and np.array_equal(answers.indices, snapshot.indices[:known])

    def is_stale(self, snapshot: Snapshot) -> bool:
        """Whether questions would rest on other answers, on too few of them, or miss a class."""
        if self.belief is None:
            return True
        answers = self.belief.answers
        known = len(answers)
        return not (
            self.rests_on(snapshot, known)
            and len(snapshot.indices) <= known + 2 * BATCH  # one round may be under way still
            and bool(np.isin(snapshot.class_ids[known:], answers.classes).all())
        )

    def think(self, snapshot: Snapshot, *, quick: bool = False) -> None:
        """Bring belief and order up to date at once; a `quick` belief is good for questions alone."""
        belief = steps.run(self.thought(snapshot, quick=quick))
        self.by_margin = self.margin_order(snapshot, belief)

    def thought(self, snapshot: Snapshot, *, quick: bool = False) -> Generator[Progress, None, Belief | None]:
        """Yield signs of life; return the belief after `snapshot`, and keep it if no other came between."""
        # the answers alone do not tell: what is excluded, or what an answer weighs, may have changed
        state = (snapshot.excluded.tobytes(), snapshot.weights.tobytes())
        before = self.belief
        known = self.rests_on(snapshot, len(snapshot.indices)) and self._state == state
        if known and (quick or not self._is_quick):
            return before
        belief = yield from self.believer.believe_by_steps(snapshot, quick=quick)
        if self.belief is before:  # else another answer was thought through between two steps, and that is newer
            self.belief, self._state, self._is_quick = belief, state, quick
            if belief is not None:
                singles = int((snapshot.provenances == Provenance.HUMAN).sum())  # a page is one look at many
                self._keep(singles, belief.answers.classes[belief.labels])
        return belief

    def margin_order(self, snapshot: Snapshot, belief: Belief | None) -> IndexArray:
        """The instances to ask next by a belief."""
        if belief is None:
            return np.empty(0, dtype=np.int64)
        space = self.believer.space
        candidates = candidates_of(snapshot, space.first_of)
        return uncertain(utilities(belief, space), candidates, space, self._random_state)

    def look(self, base: Belief) -> Glance:
        """The glance that goes on from a belief."""
        if self.glance is None or self.glance.base is not base:
            self.glance = Glance(self.believer, base, utilities(base, self.believer.space))
        return self.glance

    def glanced(self, snapshot: Snapshot) -> tuple[Belief, IndexArray] | None:
        """The last belief with its short list brought up to date, and that list's order; None where it cannot be."""
        base, space = self.belief, self.believer.space
        if base is None or self._state[0] != snapshot.excluded.tobytes():
            return None
        glance = self.look(base)
        belief, rows = glance.after(snapshot), glance.rows
        if belief is None:
            return None
        utility = np.zeros(len(space.z), dtype=np.float32)
        utility[rows] = utilities(belief, space, rows)
        short = np.zeros(len(space.z), dtype=np.bool_)
        short[rows] = candidates_of(snapshot, space.first_of)[rows]
        return belief, uncertain(utility, short, space, self._random_state)

    def is_steady(self) -> bool:
        """Whether the last WINDOW answers changed hardly any label."""
        if not self._past:
            return False
        (then, before), (now, labels) = self._past[0], self._past[-1]
        return now - then >= WINDOW and is_quiet(int((before != labels).sum()), len(labels))

    def _keep(self, n_answers: int, labels: IntArray) -> None:
        """Remember labels; of those from before WINDOW answers ago the latest are enough."""
        past = [*((count, earlier) for count, earlier in self._past if count < n_answers), (n_answers, labels)]
        first = max((place for place, (count, _) in enumerate(past) if count <= n_answers - WINDOW), default=0)
        self._past = past[first:]
