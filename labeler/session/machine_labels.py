"""The labels of the engine's last round, with given labels winning over it, and the counts of both."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from itertools import islice

import numpy as np

from labeler.core.recipe import VIEWS
from labeler.core.stats.agreement import kappa
from labeler.core.types import DOUBTED, UNLABELED, ClassInfo, Provenance, Round, Tier
from labeler.session.classes import restated_round
from labeler.session.learning_curve import Point, grown, packed, standing, unpacked
from labeler.session.quality.repeats import to_look_at
from labeler.session.state import State
from labeler.session.view import ClassCount

_MACHINE = (Provenance.PROPAGATED, Provenance.PREDICTED)


class MachineLabels:
    """The latest round merged with the answers since; counts are kept up to date answer by answer."""

    def __init__(self, state: State) -> None:
        self._state = state
        self.round: Round | None = None  # in the classes there are now
        self._as_sent: Round | None = None
        self._views: list[str] = []  # encoders of the pool's views in the last round that several of them made
        self._classes_at = self._predictions_at = -1
        self.revision = -1
        self.n_merged = 0  # rounds taken so far
        self._points: tuple[Point, ...] = ()
        self._struck: set[int] = set()  # instances of the round that a person has spoken of: its label is hidden
        self._doubted: list[int] = []  # given labels the round doubts, the most doubted first
        self._counts: Counter[tuple[int, int]] = Counter()  # (class_id, provenance) -> instances

    def restore(self, stored: Round) -> None:
        """Take the round that was stored, with the history it carries."""
        self.merge(stored)
        self._points = unpacked(stored.facts.get("history", ()))

    def merge(self, round_: Round) -> None:
        """Take `round_` in place of the one before."""
        # the same round is merged again when classes change: it counts once
        self.n_merged += round_ is not self._as_sent
        self._as_sent, self._classes_at = round_, self._state.classes.changed_at
        self._predictions_at = self._state.predictions.changed_at
        round_ = self._state.with_predictions(restated_round(round_, self._state.stands_for()))
        self.round, self.revision = round_, round_.revision
        self._views = round_.facts.get(VIEWS) or self._views
        labels, provenances = round_.labels, round_.provenances
        self._counts.clear()
        for provenance in _MACHINE:
            classes, counts = np.unique(labels[provenances == provenance], return_counts=True)
            self._counts.update(
                {(int(class_id), int(provenance)): int(count) for class_id, count in zip(classes, counts, strict=True)}
            )
        judged = round_.facts.get("answers_judged", True)  # where labels do not spread, a doubt means nothing
        doubtful = np.flatnonzero(round_.doubts >= DOUBTED) if judged else np.empty(0, dtype=np.int64)
        self._doubted = doubtful[np.argsort(-round_.doubts[doubtful], kind="stable")].tolist()
        spoken = self._state.indices_of("label", "reject")
        self._struck = set(spoken.tolist())
        known = spoken[spoken < len(labels)]
        hidden = known[np.isin(provenances[known], _MACHINE)]
        pairs = np.column_stack((labels[hidden], provenances[hidden]))
        for (class_id, provenance), count in zip(*np.unique(pairs, axis=0, return_counts=True), strict=True):
            self._counts[int(class_id), int(provenance)] -= int(count)

    @property
    def sent(self) -> Round | None:
        """The latest round as the engine sent it."""
        return self._as_sent

    @property
    def history(self) -> tuple[Point, ...]:
        """The points of the session so far."""
        points, answers = self._points, self._state.answers.label_events
        # they come in order: only where answers were taken back are there any from later on
        return standing(points, answers) if points and points[-1].answers > answers else points

    def remember(self, before: Round | None, usable: int) -> Round:
        """Add a point for the round just merged, `before` being the one until then; the round as it is to be stored."""
        round_, sent = self.round, self._as_sent
        assert round_ is not None  # noqa: S101 - called after a merge
        assert sent is not None  # noqa: S101
        machine = np.isin(round_.provenances, _MACHINE)
        spoken = self._state.indices_of("label", "reject")  # answered since it was begun, too
        machine[spoken[spoken < len(machine)]] = False
        tiers = np.bincount(round_.tiers[machine], minlength=len(Tier))
        agreement = None
        if self._points and self._points[-1].answers == self._state.answers.label_events:
            agreement = self._points[-1].agreement  # the same answers again
        elif before is not None and before.labels.max(initial=UNLABELED) > UNLABELED:
            # the pool may have grown between the two; + 1, since kappa counts classes from 0 and UNLABELED is -1
            both = min(len(before.labels), len(round_.labels))
            agreement = round(kappa(before.labels[:both] + 1, round_.labels[:both] + 1), 4)
        expected = round_.facts.get("expected_errors")
        point = Point(
            self._state.answers.label_events,
            self._state.keys,
            usable,
            self._state.answers.counts["label"],
            self.total(Provenance.PROPAGATED),
            int(tiers[Tier.LOCKED]),
            int(tiers[Tier.LIKELY]),
            int(tiers[Tier.ASK]),
            None if expected is None else round(float(expected), 1),
            agreement,
        )
        self._points = grown(self._points, point)
        # a round without the views of before takes the place of theirs: it remembers that there were some
        views = {VIEWS: self._views} if self._views else {}
        # as it was sent, in the classes of its time: it is restated anew whenever it is read
        return replace(sent, facts=round_.facts | {"history": packed(self._points)} | views)

    def note(self, indices: Iterable[int]) -> None:
        """Bring the counts up to date for instances whose answer changed, or all where a class did."""
        now = (self._state.classes.changed_at, self._state.predictions.changed_at)
        if self._as_sent is not None and (self._classes_at, self._predictions_at) != now:
            self.merge(self._as_sent)
            return
        for index in indices:
            answer = self._state.answers.get(index)
            hidden = answer is not None and answer.kind in ("label", "reject")
            # said anew, but hidden before as well: the machine's counts stay as they are
            if hidden == (index in self._struck):
                continue
            key = self._machine_label(index)
            if key is not None:
                self._counts[key] += -1 if hidden else 1
            (self._struck.add if hidden else self._struck.discard)(index)

    def label_of(self, index: int) -> tuple[int, Provenance]:
        """The machine's label of `index` (UNLABELED, NONE where it has none)."""
        key = self._machine_label(index)
        return (key[0], Provenance(key[1])) if key else (UNLABELED, Provenance.NONE)

    def total(self, provenance: Provenance) -> int:
        """Instances with a machine label of that provenance."""
        return sum(count for (_, word), count in self._counts.items() if word == provenance)

    def doubted(self) -> tuple[int, ...]:
        """Given labels worth a second look: those of which a hidden repeat said otherwise, then those that the engine
        doubts and nobody has looked at twice, the most doubted first."""
        differ = [repeat.index for repeat in to_look_at(self._state)] if self._state.repeats else []
        return tuple(dict.fromkeys(differ + [index for index in self._doubted if self._is_open_to_doubt(index)]))

    def left_out(self, index: int) -> tuple[float, int] | None:
        """Return what the round says of a label without its answer: its belief in it, and the likeliest other class.

        None where the round does not know the label as it is now.
        """
        round_, answer = self.round, self._state.answers.get(index)
        if round_ is None or answer is None or answer.kind != "label" or index >= len(round_.doubts):
            return None
        if round_.sources[index] != index or round_.labels[index] != answer.class_id:
            return None
        return 1.0 - float(round_.doubts[index]), int(round_.runner_ups[index])

    def _is_open_to_doubt(self, index: int) -> bool:
        belief, pool = self.left_out(index), self._state.pool
        if belief is None or pool.missing[index] or pool.unreadable[index]:
            return False
        return not self._state.is_kept(index)

    def class_counts(self) -> tuple[ClassCount, ...]:
        """The legend: every active class with its counts."""
        return self._counted(self._state.active_classes())

    def examples(self, class_id: int, count: int) -> list[tuple[int, Provenance]]:
        """A few instances of a class: labels given, the latest first, then those the round is surest of."""
        given = [
            (index, answer.provenance)
            for index, answer in reversed(self._state.answers.items())
            if answer.kind == "label" and answer.class_id == class_id
        ][:count]
        if self.round is None or len(given) == count:
            return given
        machine = np.flatnonzero((self.round.labels == class_id) & np.isin(self.round.provenances, _MACHINE))
        surest = machine[np.argsort(-self.round.scores[machine], kind="stable")]
        free = (int(index) for index in surest if int(index) not in self._struck)
        return given + [(index, self.label_of(index)[1]) for index in islice(free, count - len(given))]

    def retired_counts(self) -> tuple[ClassCount, ...]:
        """The classes that wait to be brought back, with the labels a person gave."""
        classes = self._state.classes.values()
        return self._counted(info for info in classes if info.retired and info.merged_into == UNLABELED)

    def _counted(self, classes: Iterable[ClassInfo]) -> tuple[ClassCount, ...]:
        given, machine = self._state.answers.given.get, self._counts.get  # a Counter's own way takes four times as long
        return tuple(
            ClassCount(
                info,
                given((info.class_id, Provenance.HUMAN), 0),
                given((info.class_id, Provenance.CONFIRMED), 0),
                given((info.class_id, Provenance.IMPORTED), 0),
                machine((info.class_id, Provenance.PROPAGATED), 0),
                machine((info.class_id, Provenance.PREDICTED), 0),
            )
            for info in classes
        )

    def _machine_label(self, index: int) -> tuple[int, int] | None:
        if self.round is None or index >= len(self.round.labels):
            return None  # an instance that joined after the round
        provenance = int(self.round.provenances[index])
        return (int(self.round.labels[index]), provenance) if provenance in _MACHINE else None
