"""Random sessions against a model of a few lines: a list of what stands, folded from scratch each time."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from labeler.core.vocabulary import UNLABELED, Provenance

N = 12
INDEX = st.integers(0, N - 1)
HUMAN, CONFIRMED, IMPORTED = Provenance.HUMAN, Provenance.CONFIRMED, Provenance.IMPORTED
MACHINE = (Provenance.PROPAGATED, Provenance.PREDICTED)


def fold(done):
    """(index -> (kind, class, provenance), flags, class ids) of the events that stand."""
    standings, flags, classes = {}, set(), [0, 1]
    for kind, value in done:
        if kind == "class":
            classes.append(value)
        elif kind == "flag":
            flags ^= {value}
        elif kind == "stand":
            standings.update(value)
    return standings, flags, classes


def rules(done):
    """(index -> percentile of its cluster, in the order they were set; divided clusters) of the events that stand."""
    reaches, splits = {}, []
    for kind, value in done:
        if kind == "reach":
            reaches.pop(value[0], None)
            reaches[value[0]] = value[1]
        elif kind == "split":
            splits.append(value)
    return reaches, splits


@pytest.fixture
def machine(make_session, make_round, make_queue, new_journal):
    class Machine(RuleBasedStateMachine):
        @initialize()
        def start(self):
            self.journal = new_journal()
            self.session = make_session(N, self.journal)
            self.done, self.undone, self.n_classes = [], [], 2
            self.machine = [(UNLABELED, Provenance.NONE)] * N

        def did(self, kind, value):
            self.done.append((kind, value))
            self.undone.clear()

        @rule(index=INDEX, class_id=st.integers(0, 1))
        def label(self, index, class_id):
            self.session.label(f"i{index}", class_id)
            self.did("stand", {index: ("label", class_id, HUMAN)})

        @rule(index=INDEX, kind=st.sampled_from(["skip", "unsure", "reject"]))
        def set_aside(self, index, kind):
            getattr(self.session, kind)(f"i{index}")
            self.did("stand", {index: (kind, UNLABELED, Provenance.NONE)})

        @precondition(lambda self: self.session.question is not None)
        @rule(class_id=st.integers(0, 1))
        def answer(self, class_id):
            index = self.session.question.index
            self.session.label(f"i{index}", class_id)
            self.did("stand", {index: ("label", class_id, HUMAN)})

        @rule(index=INDEX)
        def flag(self, index):
            self.session.flag(f"i{index}")
            self.did("flag", index)

        @rule(index=INDEX)
        def keep(self, index):
            kind, class_id, _ = fold(self.done)[0].get(index, ("", 0, 0))
            if kind == "label":
                self.session.keep(f"i{index}")
                self.did("keep", (index, class_id))

        @rule(items=st.dictionaries(INDEX, st.integers(0, 1), min_size=1, max_size=4))
        def page(self, items):
            self.session.page([(f"i{index}", c, ("confirmed", "human")[c]) for index, c in items.items()])
            # int(HUMAN) equals HUMAN but is not it: said on a page, it is no answer of its own
            self.did("stand", {index: ("label", c, (CONFIRMED, int(HUMAN))[c]) for index, c in items.items()})

        @rule(items=st.dictionaries(INDEX, st.integers(0, 1), min_size=1, max_size=4))
        def bring_in(self, items):
            standings = fold(self.done)[0]
            free = {}
            for index, class_id in items.items():
                kind, said, provenance = standings.get(index, ("", 0, 0))
                if kind != "reject" and (kind != "label" or (provenance == IMPORTED and said != class_id)):
                    free[index] = ("label", class_id, IMPORTED)
            taken, _ = self.session.import_labels([(f"i{index}", c) for index, c in items.items()], "file")
            assert taken == len(free)
            if free:
                self.did("stand", free)

        @rule()
        def add_class(self):
            self.did("class", self.session.add_class(f"class {self.n_classes}"))
            self.n_classes += 1

        @rule(index=INDEX, percentile=st.sampled_from([None, 0.0, 40.0, 100.0]))
        def reach(self, index, percentile):
            n_events, before = len(self.journal.events), rules(self.done)[0].get(index, ...)
            self.session.reach(f"i{index}", percentile)
            assert (len(self.journal.events) > n_events) == (before != percentile)
            if before != percentile:
                self.did("reach", (index, percentile))

        @rule(place=st.integers(0, 2))
        def split(self, place):
            round_ = self.session.derived.round
            representative = int(round_.representatives[place])
            self.session.split(f"i{representative}")
            self.did("split", representative)

        @rule(percentile=st.sampled_from([0.0, 20.0, "auto"]))
        def set_percentile(self, percentile):
            self.session.set(percentile=percentile)

        @rule()
        def undo(self):
            assert self.session.view().can_undo == bool(self.done)
            if not self.done:
                return
            self.session.undo()
            kind, value = self.done.pop()
            self.undone.append((kind, value))
            if kind == "stand" and self.journal.events[-1].instance_id is not None:
                index = next(iter(value))
                if fold(self.done)[0].get(index, ("skip",))[0] == "skip":
                    assert self.session.question.index == index

        @rule()
        def redo(self):
            assert self.session.view().can_redo == bool(self.undone)
            if self.undone:
                self.session.redo()
                self.done.append(self.undone.pop())

        @rule(seed=st.integers(0, 99), late=st.integers(0, 3))
        def round_arrives(self, seed, late):
            rng = np.random.default_rng(seed)
            labels, provenances = rng.integers(0, 2, N), rng.choice(MACHINE, N)
            revision = max(self.session.state.revision - late, 0)
            pinned = self.session.question
            given = self.session.snapshot()
            labels[given.indices] = given.class_ids
            doubts, sources = rng.choice([0.0, 1.0], N), np.full(N, -1)
            sources[given.indices] = given.indices
            round_ = make_round(
                N, revision, labels, provenances, queue=rng.permutation(N)[: seed % N], doubts=doubts, sources=sources
            )
            if self.session.merge_round(round_):
                self.machine = [(int(c), Provenance(int(p))) for c, p in zip(labels, provenances, strict=True)]
            if pinned is not None:
                assert self.session.question == pinned or pinned.rule == "skipped"
                assert self.session.question.index == pinned.index

        @rule(seed=st.integers(0, 99))
        def queue_arrives(self, seed):
            pinned = self.session.question
            self.session.merge_queue(
                make_queue(np.random.default_rng(seed).permutation(N)), self.session.state.revision
            )
            assert pinned is None or self.session.question.index == pinned.index

        @rule()
        def restart(self):
            live = self.session
            self.session = make_session(N, self.journal)
            before, after = live.view(), self.session.view()
            for name in before.__dataclass_fields__:
                if name not in ("round", "last", "advice"):
                    assert getattr(before, name) == getattr(after, name), name
            assert self.session.state.standings == live.state.standings

        @invariant()
        def counts_equal_a_recount_from_scratch(self):
            if not hasattr(self, "session"):
                return
            standings, flags, classes = fold(self.done)
            view, session = self.session.view(), self.session
            kinds = Counter(kind for kind, _, _ in standings.values())
            given = {index: (c, p) for index, (kind, c, p) in standings.items() if kind == "label"}
            assert [row.info.class_id for row in view.classes] == classes
            assert (view.given, view.skipped, view.unsure, view.rejected) == tuple(
                kinds[kind] for kind in ("label", "skip", "unsure", "reject")
            )
            assert view.flagged == len(flags)
            assert view.answers == sum(p is HUMAN for _, p in given.values())
            assert view.open_questions == N - kinds["label"] - kinds["unsure"] - kinds["reject"]
            final = []
            for index in range(N):
                hidden = standings.get(index, ("",))[0] == "reject"
                final.append(given.get(index, (UNLABELED, Provenance.NONE) if hidden else self.machine[index]))
                assert session.label_of(index) == final[-1]
            counts = Counter(final)
            for row in view.classes:
                for provenance in (HUMAN, CONFIRMED, IMPORTED, *MACHINE):
                    assert getattr(row, provenance.word) == counts[row.info.class_id, provenance]
            assert view.propagated == sum(p is MACHINE[0] for _, p in final)
            assert view.predicted == sum(p is MACHINE[1] for _, p in final)

        @invariant()
        def only_given_labels_are_doubted_and_none_that_was_kept(self):
            if not hasattr(self, "session"):
                return
            standings = fold(self.done)[0]
            kept = {value for kind, value in self.done if kind == "keep"}
            round_, expected = self.session.derived.round, set()
            for index, (kind, class_id, _) in standings.items():
                known = round_ is not None and round_.sources[index] == index and round_.labels[index] == class_id
                if kind == "label" and known and round_.doubts[index] == 1.0 and (index, class_id) not in kept:
                    expected.add(index)
            assert set(self.session.view().doubts) == expected

        @invariant()
        def clusters_have_the_rules_that_stand(self):
            if not hasattr(self, "session"):
                return
            reaches, splits = rules(self.done)
            snapshot = self.session.snapshot()
            assert snapshot.reach_indices.tolist() == list(reaches)
            own = [None if np.isnan(percentile) else percentile for percentile in snapshot.reach_percentiles.tolist()]
            assert own == list(reaches.values())
            assert snapshot.splits.tolist() == splits

        @invariant()
        def the_history_ends_at_the_answers_that_stand(self):
            if not hasattr(self, "session"):
                return
            history = self.session.view().history
            answers = [point.answers for point in history]
            assert answers == sorted(set(answers))
            assert all(answer <= self.session.state.label_events for answer in answers)

        @invariant()
        def something_is_asked_while_something_is_open(self):
            if not hasattr(self, "session"):
                return
            settled = {index for index, (kind, _, _) in fold(self.done)[0].items() if kind != "skip"}
            question = self.session.question
            assert (question is None) == (len(settled) == N)
            assert question is None or question.index not in settled

    return Machine


def test_any_sequence_of_commands_agrees_with_the_model(machine):
    run_state_machine_as_test(machine, settings=settings(max_examples=60, stateful_step_count=40, deadline=None))
