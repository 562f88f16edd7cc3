"""Random sessions against a model of a few lines: a list of what stands, folded from scratch each time."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace

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

from labeler.core.errors import UsageError
from labeler.core.events import Asked, Repeat
from labeler.core.types import UNLABELED, Provenance
from labeler.session.audit.audits import covered
from labeler.session.final_labels import final_labels

N = 12
INDEX = st.integers(0, N - 1)
HUMAN, CONFIRMED, IMPORTED = Provenance.HUMAN, Provenance.CONFIRMED, Provenance.IMPORTED
MACHINE = (Provenance.PROPAGATED, Provenance.PREDICTED)
NOTHING = (UNLABELED, Provenance.NONE)
WHICH = st.integers(0, 5)


def fold(done):
    """(index -> (kind, class, provenance), flags, class id -> Class) of the events that stand."""
    standings, flags, classes = {}, set(), {0: Class("a", "a"), 1: Class("b", "b")}

    def relabel(indices, class_id):
        standings.update({index: ("label", class_id, standings[index][2]) for index in indices})

    for kind, value in done:
        if kind == "class":
            classes[value[0]] = Class(*value[1:])
        elif kind == "rename":
            classes[value[0]].name = value[1]
        elif kind == "key":
            class_id, key = value
            for other in classes.values():
                if other.key == key:
                    other.key = classes[class_id].key
            classes[class_id].key = key
        elif kind == "retire":
            classes[value].retired, classes[value].key = True, ""
        elif kind == "restore":
            classes[value[0]].retired, classes[value[0]].key = False, value[1]
        elif kind == "merge":
            gone, into = value
            classes[gone].retired, classes[gone].key, classes[gone].into = True, "", into
            relabel([i for i, (k, c, _) in standings.items() if k == "label" and c == gone], into)
        elif kind == "class_split":
            class_id, name, key, moved = value
            classes[class_id] = Class(name, key)
            relabel(moved, class_id)
        elif kind == "flag":
            flags ^= {value}
        elif kind == "stand":
            standings.update(value)
        elif kind == "audited":
            standings.update(value[1])
    return standings, flags, classes


def audited(done):
    """Index -> number of the audit that its standing was said in, of the events that stand."""
    numbers = {}
    for kind, value in done:
        if kind == "stand":
            numbers.update(dict.fromkeys(value, 0))
        elif kind == "audited":
            numbers.update(dict.fromkeys(value[1], value[0]))
    return numbers


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


@dataclass
class Class:
    name: str
    key: str
    retired: bool = False
    into: int | None = None


def active_of(classes):
    return [class_id for class_id, info in classes.items() if not info.retired]


def now_of(machine, classes, alive=True):
    """What a machine's label of some time ago stands for; of a person's (not `alive`) also where it is retired."""
    class_id, provenance = machine
    while class_id in classes and classes[class_id].into is not None:
        class_id = classes[class_id].into
    gone = class_id != UNLABELED and classes[class_id].retired and alive
    return machine if class_id == UNLABELED else NOTHING if gone else (class_id, provenance)


@pytest.fixture
def machine(make_session, make_round, make_queue, new_journal):
    class Machine(RuleBasedStateMachine):
        @initialize()
        def start(self):
            self.journal = new_journal()
            self.session = make_session(N, self.journal)
            self.done, self.undone, self.n_classes = [], [], 2
            self.machine = [NOTHING] * N
            self.befores = []
            self.look()
            if self.in_audit:
                self.in_the_middle_of_an_audit()

        in_audit = False
        """Whether it begins with answers and an audit of what spread from them."""

        def in_the_middle_of_an_audit(self):
            self.machine = [(index % 2, MACHINE[0]) for index in range(N)]
            labels = np.arange(N) % 2
            provenances = np.full(N, MACHINE[0])
            self.session.merge_round(make_round(N, self.session.state.revision, labels, provenances))
            for index in range(4):
                self.session.label(f"i{index}", index % 2)
                self.did("stand", {index: ("label", index % 2, HUMAN)})
                self.look()
            final = final_labels(self.session.state, self.session.machine_labels.round)
            self.session.audit.begin(final, target=0.9, confidence=0.95, seed=0)

        def look(self):
            state = self.session.state
            self.was = dict(state.answers), dict(state.classes), set(state.flagged)

        def did(self, kind, value):
            self.done.append((kind, value))
            self.befores.append(self.was)
            self.undone.clear()

        @property
        def active(self):
            return active_of(fold(self.done)[2])

        def pick(self, which):
            """One of the classes that can be answered, or None."""
            return self.active[which % len(self.active)] if self.active else None

        def a_name(self):
            self.n_classes += 1
            return f"class {self.n_classes}"

        @rule(index=INDEX, which=WHICH)
        def label(self, index, which):
            if (class_id := self.pick(which)) is None:
                return
            self.session.label(f"i{index}", class_id)
            self.did("stand", {index: ("label", class_id, HUMAN)})

        @rule(index=INDEX, kind=st.sampled_from(["skip", "unsure", "reject"]))
        def set_aside(self, index, kind):
            getattr(self.session, kind)(f"i{index}")
            self.did("stand", {index: (kind, UNLABELED, Provenance.NONE)})

        @precondition(lambda self: self.session.question is not None and not self.session.question.first)
        @rule(which=WHICH)
        def answer(self, which):
            if (class_id := self.pick(which)) is None:
                return
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

        @precondition(lambda self: self.active)
        @rule(index=INDEX, which=WHICH)
        def repeat(self, index, which):
            """A second answer, recorded as the session records one where a repeat is asked."""
            standing = self.session.state.answers.get(index)
            if standing is not None and standing.kind == "label":
                again = Repeat(
                    instance_id=f"i{index}",
                    class_id=self.pick(which),
                    word="label",
                    first=standing.event_id,
                    first_class=standing.class_id,
                    asked=Asked(screen="question"),
                )
                self.session.recorder.record(again)
                self.did("repeat", (index, self.pick(which)))

        def differing(self, standings, classes, kept):
            """Indices with a second answer that differs from the label, about which nobody said anything since."""
            for place, (kind, value) in enumerate(self.done):
                if kind == "repeat":
                    index, class_id = value
                    now, label = now_of((class_id, HUMAN), classes, alive=False)[0], standings.get(index, ("", 0, 0))
                    later = self.done[place + 1 :]
                    replaced = any(k == "stand" and index in v for k, v in later)
                    looked = any(k == "keep" and v[0] == index for k, v in later) and (index, label[1]) in kept
                    if label[0] == "label" and now != label[1] and not replaced and not looked:
                        yield index

        @precondition(lambda self: self.active)
        @rule(items=st.dictionaries(INDEX, WHICH, min_size=1, max_size=4))
        def page(self, items):
            said = {index: (self.pick(which), which % 2) for index, which in items.items()}
            self.session.page([(f"i{index}", c, ("confirmed", "human")[word]) for index, (c, word) in said.items()])
            # int(HUMAN) equals HUMAN but is not it: said on a page, it is no answer of its own
            words = (CONFIRMED, int(HUMAN))
            self.did("stand", {index: ("label", c, words[word]) for index, (c, word) in said.items()})

        @precondition(lambda self: self.active)
        @rule(items=st.dictionaries(INDEX, WHICH, min_size=1, max_size=4), replace=st.booleans())
        def bring_in(self, items, replace):
            items = {index: self.pick(which) for index, which in items.items()}
            standings = fold(self.done)[0]
            free = {}
            for index, class_id in items.items():
                kind, said, provenance = standings.get(index, ("", 0, 0))
                other = replace and provenance == IMPORTED and said != class_id
                if kind != "reject" and (kind != "label" or other):
                    free[index] = ("label", class_id, IMPORTED)
            labels = [(f"i{index}", c) for index, c in items.items()]
            taken, _ = self.session.imports.labels(labels, "file", replace_imported=replace)
            assert taken == len(free)
            if free:
                self.did("stand", free)

        @rule(name=st.sampled_from(["", "7", "c"]))
        def add_class(self, name):
            taken = [info.name for info in fold(self.done)[2].values() if not info.retired]
            name = name if name and name not in taken else self.a_name()
            class_id = self.session.classes.add(name)
            self.did("class", (class_id, name, self.session.state.classes[class_id].key))

        @precondition(lambda self: self.active)
        @rule(which=WHICH)
        def rename(self, which):
            class_id, name = self.pick(which), self.a_name()
            self.session.classes.rename(class_id, name)
            self.did("rename", (class_id, name))

        @precondition(lambda self: self.active)
        @rule(which=WHICH, key=st.sampled_from("ab12z"))
        def give_key(self, which, key):
            class_id = self.pick(which)
            if fold(self.done)[2][class_id].key == key:
                return
            self.session.classes.set_key(class_id, key)
            self.did("key", (class_id, key))

        @precondition(lambda self: self.active)
        @rule(which=WHICH)
        def retire(self, which):
            class_id = self.pick(which)
            self.session.classes.retire(class_id)
            self.did("retire", class_id)

        @rule(which=WHICH)
        def restore(self, which):
            classes = fold(self.done)[2]
            names = [info.name for info in classes.values() if not info.retired]
            asleep = [c for c, info in classes.items() if info.retired and info.into is None and info.name not in names]
            if asleep:
                class_id = asleep[which % len(asleep)]
                self.session.classes.restore(class_id)
                self.did("restore", (class_id, self.session.state.classes[class_id].key))

        @rule(which=WHICH, other=WHICH)
        def merge(self, which, other):
            mergeable = [class_id for class_id, info in fold(self.done)[2].items() if info.into is None]
            gone, into = mergeable[which % len(mergeable)], self.pick(other)
            if into is not None and gone != into:
                self.session.classes.merge(gone, into)
                self.did("merge", (gone, into))

        @precondition(lambda self: self.active)
        @rule(which=WHICH, part=st.integers(1, N))
        def split_off(self, which, part):
            class_id, name = self.pick(which), self.a_name()
            mine = [i for i, (kind, c, _) in fold(self.done)[0].items() if kind == "label" and c == class_id][:part]
            if mine:
                new = self.session.classes.split(class_id, name, [f"i{index}" for index in mine])
                self.did("class_split", (new, name, self.session.state.classes[new].key, mine))

        @rule(index=INDEX, percentile=st.sampled_from([None, 0.0, 40.0, 100.0]))
        def reach(self, index, percentile):
            n_events, before = len(self.journal.events), rules(self.done)[0].get(index, ...)
            self.session.clusters.reach(f"i{index}", percentile)
            assert (len(self.journal.events) > n_events) == (before != percentile)
            if before != percentile:
                self.did("reach", (index, percentile))

        @rule(place=st.integers(0, 2))
        def split(self, place):
            round_ = self.session.machine_labels.round
            representative = int(round_.representatives[place])
            self.session.clusters.split(f"i{representative}")
            self.did("split", representative)

        @rule(seed=st.integers(0, 9))
        def begin_audit(self, seed):
            session = self.session
            final = final_labels(session.state, session.machine_labels.round)
            if not len(covered(final, session.pool)):
                with pytest.raises(UsageError):
                    session.audit.begin(final, target=0.9, confidence=0.95, seed=seed)
                return
            session.audit.begin(final, target=0.9, confidence=0.95, seed=seed)
            self.undone.clear()

        @property
        def open_audit(self):
            audit = self.session.audit.latest
            return audit if audit is not None and not audit.ended else None

        @precondition(lambda self: self.open_audit and self.session.audit.next_index() is not None and self.active)
        @rule(which=WHICH, said=st.sampled_from(["label", "label", "unsure", "reject"]))
        def audit_answer(self, which, said):
            audit, index = self.open_audit, self.session.audit.next_index()
            class_id = self.pick(which) if said == "label" else None
            if audit.block is not None and audit.block.answers:
                with pytest.raises(UsageError):
                    self.session.audit.answer(f"i{index}", class_id, said)
                return
            self.session.audit.answer(f"i{index}", class_id, said)
            standing = ("label", class_id, HUMAN) if said == "label" else (said, UNLABELED, Provenance.NONE)
            self.did("audited", (audit.number, {index: standing}))

        @precondition(lambda self: self.open_audit and self.session.audit.next_index() is not None)
        @rule(size=st.integers(2, 5), marks=st.dictionaries(st.integers(0, 4), WHICH, max_size=3))
        def audit_page(self, size, marks):
            n_undone = len(self.undone)
            try:
                block = self.session.audit.pages.lay_out(size)
            except UsageError:
                return
            assert self.session.view().can_redo == bool(n_undone)  # laying out answers nothing
            page, classes = block.page, fold(self.done)[2]
            said = {
                page[place].index: (UNLABELED if which == 5 else self.pick(which))
                for place, which in marks.items()
                if place < len(page)
            }
            said = {index: class_id for index, class_id in said.items() if class_id is not None}
            self.session.audit.pages.answer(said)
            standings = {}
            for cell in page:
                class_id = said.get(cell.index, cell.class_id)
                word = CONFIRMED if class_id == cell.class_id else int(HUMAN)
                while class_id in classes and classes[class_id].into is not None:
                    class_id = classes[class_id].into
                if not cell.planted:
                    known = class_id != UNLABELED
                    standings[cell.index] = (
                        ("label", class_id, word) if known else ("unsure", UNLABELED, Provenance.NONE)
                    )
            self.did("audited", (self.session.audit.latest.number, standings))

        @precondition(lambda self: self.open_audit and self.open_audit.answers)
        @rule()
        def end_audit(self):
            audit = self.open_audit
            if audit.block is not None and audit.block.answers:
                with pytest.raises(UsageError):
                    self.session.audit.end()
                return
            self.session.audit.end()
            self.did("audit_end", audit.number)

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
            state = self.session.state
            assert (state.answers, state.classes, state.flagged) == self.befores.pop()
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
                self.befores.append(self.was)

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
                now = self.session.question  # its guesses follow: nobody has painted it
                assert replace(now, guesses=()) == replace(pinned, guesses=()) or pinned.rule == "skipped"
                assert now.index == pinned.index

        @rule(seed=st.integers(0, 99))
        def queue_arrives(self, seed):
            pinned = self.session.question
            order = np.random.default_rng(seed).permutation(N)
            self.session.merge_queue(make_queue(order, classes=(1, 0)), self.session.state.revision)
            assert pinned is None or self.session.question.index == pinned.index

        @rule()
        def restart(self):
            live = self.session
            self.session = make_session(N, self.journal, classes=())
            before, after = live.view(), self.session.view()
            for name in before.__dataclass_fields__:
                if name not in ("round", "last", "advice", "question"):
                    assert getattr(before, name) == getattr(after, name), name
            asked, again = before.question, after.question
            assert (asked is None) == (again is None)
            if asked is not None:  # the queue is not kept, and what it guessed beside what is held with it
                assert replace(asked, guesses=()) == replace(again, guesses=())
            assert self.session.state.answers == live.state.answers
            assert self.session.state.audits == live.state.audits
            assert self.session.audit.certificate() == live.audit.certificate()

        @invariant()
        def counts_equal_a_recount_from_scratch(self):
            if not hasattr(self, "session"):
                return
            standings, flags, classes = fold(self.done)
            view, session = self.session.view(), self.session
            kinds = Counter(kind for kind, _, _ in standings.values())
            given = {index: (c, p) for index, (kind, c, p) in standings.items() if kind == "label"}
            self.look()
            infos = [row.info for row in view.classes]
            assert [info.class_id for info in infos] == active_of(classes)
            assert [(info.name, info.key) for info in infos] == [
                (info.name, info.key) for info in classes.values() if not info.retired
            ]
            keys = [info.key for info in infos if info.key]
            assert len(set(keys)) == len(keys)
            assert len({info.name for info in infos}) == len(infos)
            asleep = {c for c, info in classes.items() if info.retired and info.into is None}
            assert {row.info.class_id for row in view.retired} == asleep
            assert (view.given, view.skipped, view.unsure, view.rejected) == tuple(
                kinds[kind] for kind in ("label", "skip", "unsure", "reject")
            )
            assert view.flagged == len(flags)
            assert view.answers == sum(p is HUMAN for _, p in given.values())
            assert view.open_questions == N - kinds["label"] - kinds["unsure"] - kinds["reject"]
            final = []
            for index in range(N):
                hidden = standings.get(index, ("",))[0] == "reject"
                final.append(given.get(index, NOTHING if hidden else now_of(self.machine[index], classes)))
                assert session.label_of(index) == final[-1]
            counts = Counter(final)
            for row in (*view.classes, *view.retired):
                for provenance in (HUMAN, CONFIRMED, IMPORTED, *MACHINE):
                    assert getattr(row, provenance.word) == counts[row.info.class_id, provenance]
            assert view.propagated == sum(p is MACHINE[0] for _, p in final)
            assert view.predicted == sum(p is MACHINE[1] for _, p in final)

        @invariant()
        def only_given_labels_are_doubted_and_none_that_was_kept(self):
            if not hasattr(self, "session"):
                return
            standings = fold(self.done)[0]
            classes = fold(self.done)[2]
            latest = dict(value for kind, value in self.done if kind == "keep")
            kept = {(index, now_of((class_id, HUMAN), classes, alive=False)[0]) for index, class_id in latest.items()}
            differ = set(self.differing(standings, classes, kept))
            round_, expected = self.session.machine_labels.round, set()
            for index, (kind, class_id, _) in standings.items():
                known = round_ is not None and round_.sources[index] == index and round_.labels[index] == class_id
                if kind == "label" and known and round_.doubts[index] == 1.0 and (index, class_id) not in kept:
                    expected.add(index)
            assert set(self.session.view().doubts) == expected | differ

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
            assert all(answer <= self.session.state.answers.label_events for answer in answers)

        @invariant()
        def the_engine_learns_from_what_can_be_answered_alone(self):
            if not hasattr(self, "session"):
                return
            standings, _, classes = fold(self.done)
            snapshot, active = self.session.snapshot(), active_of(classes)
            said = {index: c for index, (kind, c, _) in standings.items() if kind == "label"}
            taught = dict(zip(snapshot.indices.tolist(), snapshot.class_ids.tolist(), strict=True))
            assert snapshot.class_list.tolist() == active
            latest = self.session.audit.latest
            number = latest.number if latest is not None and not latest.drawn else 0
            held = {
                i for i, said_in in audited(self.done).items() if number and said_in == number and said.get(i) in active
            }
            assert taught == {index: c for index, c in said.items() if c in active and index not in held}
            aside = {index for index, c in said.items() if c not in active}
            assert held <= set(snapshot.deferred.tolist())
            rejected = {index for index, (kind, _, _) in standings.items() if kind == "reject"}
            assert set(snapshot.excluded.tolist()) == aside | rejected
            question = self.session.question
            assert question is None or {c for c, _ in question.guesses} <= set(active)
            if self.session.machine_labels.round is not None:
                assert set(self.session.machine_labels.round.labels.tolist()) <= {UNLABELED, *active}

        @invariant()
        def an_audit_counts_a_beginning_of_its_drawn_order(self):
            if not hasattr(self, "session") or self.session.audit.latest is None:
                return
            session, audit = self.session, self.session.audit.latest
            order = session.audit.frozen(audit).order.tolist()
            assert [answer.index for answer in audit.answers] == order[: len(audit.answers)]
            assert audit.ended == (("audit_end", audit.number) in self.done)
            looked = {
                i for kind, value in self.done if kind == "audited" and value[0] == audit.number for i in value[1]
            }
            pending = (
                {c.index for p in audit.block.pages[: len(audit.block.answers)] for c in p} if audit.block else set()
            )
            assert looked - pending == {answer.index for answer in audit.answers}
            found = session.audit.certificate()
            assert found.checked == len(audit.answers) >= found.in_pages
            assert found.wrong <= found.most_wrong <= found.population

        @invariant()
        def something_is_asked_while_something_is_open(self):
            if not hasattr(self, "session"):
                return
            settled = {index for index, (kind, _, _) in fold(self.done)[0].items() if kind != "skip"}
            question = self.session.question
            assert question is None or question.index not in settled or question.first
            assert (question is None) == (len(settled) == N) or (question is not None and question.first)

    return Machine


@pytest.mark.parametrize("in_audit", [False, True])
def test_any_sequence_of_commands_agrees_with_the_model(machine, in_audit):
    machine.in_audit = in_audit
    run_state_machine_as_test(machine, settings=settings(max_examples=60, stateful_step_count=40, deadline=None))
