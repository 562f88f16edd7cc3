"""Two journals into one: the laws, then what becomes of classes, answers, undos and conflicts."""

from __future__ import annotations

import contextlib
import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labeler.core.errors import UsageError
from labeler.core.events import Asked, AuditAnswer, AuditPage, Label, Repeat, Unsure
from labeler.core.pool import Pool
from labeler.core.types import UNLABELED, Provenance, Question
from labeler.session.final_labels import FinalLabels
from labeler.session.merge.audits import earlier_auditors
from labeler.session.merge.class_ids import translate_classes
from labeler.session.merge.journals import Side, fold_journal
from labeler.session.merge.merge import is_same_journal, merge_journals
from labeler.session.session import Session
from tests.memory_journal import MemoryJournal

AUDIT_KINDS = ("audit_begin", "audit_answer", "audit_block", "audit_page", "audit_end")
N = 8
POOL = Pool([f"i{index}" for index in range(N)])
NAMES = "abc"
INDEX, WHICH = st.integers(0, N - 1), st.integers(0, 3)
STEP = st.one_of(
    st.tuples(st.sampled_from(["label", "confirm", "import", "split"]), INDEX, WHICH),
    st.tuples(st.sampled_from(["skip", "unsure", "reject", "flag", "keep"]), INDEX, st.just(0)),
    st.tuples(st.sampled_from(["undo", "redo", "undo"]), st.just(0), st.just(0)),
    st.tuples(st.sampled_from(["repeat", "blind"]), INDEX, WHICH),
    st.tuples(st.sampled_from(["audit", "look", "look", "end"]), WHICH, WHICH),
    st.tuples(st.sampled_from(["add", "retire", "restore", "merge", "rename", "key"]), WHICH, WHICH),
)
STEPS = st.lists(STEP, max_size=14)
PAGES = st.lists(
    st.tuples(st.sampled_from(["page", "page", "page", "undo", "redo", "look", "label"]), INDEX, WHICH), max_size=12
)


class Person:
    """A session of its own, maybe gone on with from a copy of another's journal."""

    def __init__(self, name, start=1000.0, step=1.0, copy_of=None):
        self.journal = MemoryJournal()
        if copy_of is not None:
            self.journal.events = list(copy_of.journal.events)
            self.journal.kept_labels = dict(copy_of.journal.kept_labels)
        ticks, count = itertools.count(), itertools.count()
        self.session = Session(
            Pool(POOL.ids),
            self.journal,
            clock=lambda: start + step * next(ticks),
            new_id=lambda: f"{name}{next(count):03d}",
            annotator=name,
        )

    @property
    def side(self):
        return Side(self.journal.events)

    def named(self, *names):
        return [self.session.classes.id_for(name) for name in names]

    def does(self, steps):
        session = self.session
        for kind, one, other in steps:
            active = [info.class_id for info in session.state.active_classes()]
            chosen = active[other % len(active)] if active else None
            instance_id = POOL.ids[one % N]
            try:
                match kind:
                    case "label":
                        session.label(
                            instance_id, session.classes.id_for(NAMES[other % 3]) if chosen is None else chosen
                        )
                    case "confirm" if chosen is not None:
                        both = [(POOL.ids[index % N], chosen, "confirmed") for index in (one, one + 1)]
                        session.page(both)
                    case "import" if chosen is not None:
                        session.imports.labels([(instance_id, chosen)], "file")
                    case "split" if chosen is not None:
                        session.classes.split(chosen, f"new {other}", [instance_id])
                    case "add":
                        session.classes.add(NAMES[other % 3])
                    case "retire" if chosen is not None:
                        session.classes.retire(chosen)
                    case "restore":
                        session.classes.restore(one)
                    case "merge" if chosen is not None:
                        session.classes.merge(chosen, active[one % len(active)])
                    case "rename" if chosen is not None:
                        session.classes.rename(chosen, f"{NAMES[one % 3]}{'x' * (other % 2)}")
                    case "key" if chosen is not None:
                        session.classes.set_key(chosen, "123"[one % 3])
                    case "repeat" if chosen is not None:
                        self.repeat(one % N, chosen)
                    case "blind" if chosen is not None:
                        guesses = ((active[one % len(active)], 0.75),)
                        asked = Question(one % N, instance_id, "uncertain", 0.5, 0.5, guesses, True, True)
                        session.label(instance_id, chosen, asked=asked)
                    case "audit" if chosen is not None:
                        session.audit.begin(self.final(chosen), target=0.6, confidence=0.8, seed=one)
                    case "look" if session.audit.next_index() is not None:
                        said = chosen if other else None
                        session.audit.answer(
                            POOL.ids[session.audit.next_index()], said, "unsure" if said is None else "label"
                        )
                    case "end":
                        session.audit.end()
                    case "skip" | "unsure" | "reject" | "flag" | "keep":
                        getattr(session, kind)(instance_id)
                    case "undo" | "redo":
                        getattr(session, kind)()
            except UsageError:
                continue
        return self

    def audits_in_pages(self, steps):
        """Four answers, an audit of what rests on them, and its pages among other commands."""
        session, (cat, dog) = self.session, self.named("a", "b")
        for index in range(4):
            session.label(POOL.ids[index], (cat, dog)[index % 2])
        session.audit.begin(self.final(cat), target=0.6, confidence=0.8, seed=1)
        for kind, one, other in steps:
            if kind != "page":
                self.does([(kind, one, other)])
                continue
            with contextlib.suppress(UsageError):
                page = session.audit.pages.lay_out(3).page
                seen = [cell.index for cell in page if cell.planted and (cell.index + other) % 3]
                set_right = [cell.index for cell in page if not cell.planted and cell.index == one]
                session.audit.pages.answer(dict.fromkeys([*seen, *set_right], dog))
        return self

    def final(self, class_id):
        """Labels of one class, propagated, where no answer gives another."""
        session, column = self.session, np.zeros(N, dtype=np.int32)
        final = FinalLabels(
            column + class_id,
            np.full(N, Provenance.PROPAGATED, dtype=np.uint8),
            np.linspace(0.1, 1.0, N, dtype=np.float32),
            column.astype(np.uint8),
            column,
            column,
            1,
        )
        for index, standing in session.state.answers.items():
            if standing.kind == "label":
                final.labels[index], final.provenances[index] = standing.class_id, standing.provenance
        return final

    def repeat(self, index, class_id):
        """A second answer, as a session records it."""
        standing = self.session.state.answers.get(index)
        if standing is None or standing.kind != "label":
            return
        asked = Asked(screen="question", rule="uncertain")
        again = Repeat(
            instance_id=POOL.ids[index],
            class_id=class_id,
            word="label",
            first=standing.event_id,
            first_class=standing.class_id,
            asked=asked,
        )
        self.session.recorder.record(again)

    @property
    def answers_of_audits(self):
        """The answers of its audits, one at a time, that stand."""
        return list(self.session.state.standing_events(AuditAnswer))


def pair(shared, mine, theirs):
    """Two people, each for himself or from copies of what a third began."""
    first = Person("z").does(shared) if shared else None
    a = Person("a", 2000.0, 1.0, first).does(mine)
    b = Person("b", 2000.5, 0.7, first).does(theirs)
    return a, b


def joined(a, b):
    return merge_journals(a.side, b.side, POOL)


def labels(state):
    return {
        POOL.ids[index]: (state.classes[standing.class_id].name, standing.annotator)
        for index, standing in state.answers.items()
        if standing.kind == "label"
    }


# -- the laws


@pytest.mark.slow
@settings(max_examples=300)
@given(STEPS, STEPS, STEPS)
def test_it_does_not_matter_which_journal_comes_first(shared, mine, theirs):
    a, b = pair(shared, mine, theirs)
    one, other = joined(a, b), joined(b, a)
    assert is_same_journal(one.events, other.events)
    assert one.dropped == other.dropped
    assert [pair[::-1] for pair in one.pairs] == other.pairs


@pytest.mark.slow
@settings(max_examples=200)
@given(STEPS, STEPS)
def test_a_journal_merged_with_itself_or_an_earlier_copy_of_it_stays_as_it_is(steps, more):
    a = Person("a").does(steps)
    assert is_same_journal(joined(a, a).events, a.journal.events)
    later = Person("later", 5000.0, copy_of=a).does(more)
    assert is_same_journal(joined(a, later).events, later.journal.events)


@pytest.mark.slow
@settings(max_examples=200)
@given(STEPS, STEPS, STEPS)
def test_merging_one_of_the_two_again_changes_nothing(shared, mine, theirs):
    a, b = pair(shared, mine, theirs)
    whole = joined(a, b)
    again = merge_journals(Side(whole.events, dropped=whole.dropped), a.side, POOL)
    assert is_same_journal(again.events, whole.events)


@pytest.mark.slow
@settings(max_examples=300)
@given(STEPS, STEPS, STEPS)
def test_no_answer_is_lost_and_every_difference_is_asked(shared, mine, theirs):
    a, b = pair(shared, mine, theirs)
    result = joined(a, b)
    state = fold_journal(result.events, POOL)
    kinds = ("label", "reject")
    for index in range(N):
        said = [one.session.state.answers.get(index) for one in (a, b)]
        answers = [standing for standing in said if standing is not None and standing.kind in kinds]
        known = {event.event_id for event in a.journal.events} & {event.event_id for event in b.journal.events}
        fresh = [standing for standing in answers if standing.event_id not in known]
        if fresh:
            assert index in state.answers
            assert state.answers[index].kind in kinds
        if len(fresh) == 2 and {standing.kind for standing in fresh} == set(kinds):
            assert index in result.conflicts
    active = state.active_classes()
    assert len({info.name for info in active}) == len(active)
    keys = [info.key for info in active if info.key]
    assert len(set(keys)) == len(keys)


@pytest.mark.slow
@settings(max_examples=300)
@given(STEPS, STEPS, STEPS)
def test_audits_stay_behind_and_it_is_known_who_made_them(shared, mine, theirs):
    a, b = pair(shared, mine, theirs)
    result = joined(a, b)
    state = fold_journal(result.events, POOL)
    kinds = {event.kind for event in result.events}
    if kinds & set(AUDIT_KINDS):  # one of them knew all the other did: it is as it was
        assert any(is_same_journal(result.events, person.journal.events) for person in (a, b))
        return
    assert state.audits == []
    answers = {event.event_id: event.annotator for person in (a, b) for event in person.answers_of_audits}
    standing = {event.event_id for kind in (Label, Unsure) for event in state.standing_events(kind)}
    assert earlier_auditors(state) == sorted({who for event_id, who in answers.items() if event_id in standing})


@pytest.mark.slow
@settings(max_examples=200)
@given(PAGES, STEPS, st.booleans())
def test_the_laws_hold_with_an_audit_in_pages(pages, theirs, on_a_copy):
    a = Person("a", 2000.0).audits_in_pages(pages)
    b = Person("b", 2000.5, 0.7, copy_of=a if on_a_copy else None).does(theirs)
    result = joined(a, b)
    assert is_same_journal(result.events, joined(b, a).events)
    assert is_same_journal(joined(a, a).events, a.journal.events)
    for one in (a, b):
        again = merge_journals(Side(result.events, dropped=result.dropped), one.side, POOL)
        assert is_same_journal(again.events, result.events)
    state = fold_journal(result.events, POOL)
    if not state.audits and any(a.session.state.standing_events(AuditPage)):
        assert "a" in earlier_auditors(state)


@pytest.mark.slow
@settings(max_examples=200)
@given(STEPS, STEPS, STEPS)
def test_repeats_and_blind_answers_count_as_they_did(shared, mine, theirs):
    a, b = pair(shared, mine, theirs)
    state = fold_journal(joined(a, b).events, POOL)
    for one in (a, b):
        for repeat in one.session.state.repeats:
            same = [other for other in state.repeats if other.seq and other.first == repeat.first]
            assert any(other.annotator == repeat.annotator for other in same)
    blind = {e.event_id: e.payload["hidden"] for e in state.standing_events(Label) if e.payload.get("blind")}
    for event_id, hidden in blind.items():
        before = next(e for p in (a, b) for e in p.journal.events if e.event_id == event_id).payload["hidden"]
        assert [score for _, score in hidden] == [score for _, score in before]


@pytest.mark.slow
@settings(max_examples=150)
@given(STEPS, STEPS, STEPS, STEPS)
def test_two_people_go_on_from_a_merged_journal_and_merge_again(shared, mine, theirs, more):
    a, b = pair(shared, mine, theirs)
    whole = joined(a, b)
    on = Person("c", 9000.0)
    on.journal.events = list(whole.events)
    on.journal.kept_labels = a.journal.kept_labels | b.journal.kept_labels
    on = Person("d", 9000.0, copy_of=on).does(more)
    b.does(more[::-1])
    left, right = Side(on.journal.events, dropped=whole.dropped), b.side
    one, other = merge_journals(left, right, POOL), merge_journals(right, left, POOL)
    assert is_same_journal(one.events, other.events)
    fold_journal(one.events, POOL)


# -- cases


def test_classes_are_the_same_by_name_and_the_key_named_first_wins():
    a, b = Person("a", 1000.0), Person("b", 2000.0)
    for one, names in ((a, ("cat", "dog")), (b, ("dog", "cat", "bird"))):
        one.named(*names)
        one.session.label("i0", one.session.classes.named("cat").class_id)
    b.session.label("i1", b.session.classes.named("bird").class_id)
    result = joined(a, b)
    state = fold_journal(result.events, POOL)
    assert [(info.name, info.key) for info in state.active_classes()] == [("cat", "1"), ("dog", "2"), ("bird", "3")]
    assert labels(state) == {"i0": ("cat", "b"), "i1": ("bird", "b")}
    assert sorted(result.keys) == [("cat", "1", "2", "1"), ("dog", "2", "1", "2")]


def test_a_key_that_two_classes_have_stays_with_the_one_named_first_and_the_other_gets_a_free_one():
    a, b = Person("a", 1000.0), Person("b", 2000.0)
    a.named("cat")
    b.named("dog")
    result = joined(a, b)
    state = fold_journal(result.events, POOL)
    assert [(info.name, info.key) for info in state.active_classes()] == [("cat", "1"), ("dog", "2")]
    assert result.keys == [("dog", "", "1", "2")]


def test_an_answer_outranks_a_skip_or_cannot_tell_that_came_later_and_a_person_an_import():
    a, b = Person("a", 1000.0), Person("b", 2000.0)
    (cat,), (_, dog) = a.named("cat"), b.named("cat", "dog")
    for name in ("i0", "i1", "i2"):
        a.session.label(name, cat)
    b.session.skip("i0")
    b.session.unsure("i1")
    b.session.imports.labels([("i2", dog)], "file")
    result = joined(a, b)
    assert labels(fold_journal(result.events, POOL)) == dict.fromkeys(("i0", "i1", "i2"), ("cat", "a"))
    assert (result.outranked, result.conflicts) == (1, [])


def test_different_answers_wait_for_somebody_to_settle_them_and_the_later_stands_meanwhile(make_queue):
    a, b = Person("a", 1000.0), Person("b", 2000.0)
    (cat,), (_, dog) = a.named("cat"), b.named("cat", "dog")
    a.session.label("i3", cat)
    b.session.label("i3", dog)
    a.session.label("i4", cat)
    b.session.reject("i4")
    result = joined(a, b)
    assert result.conflicts == [3, 4]
    assert labels(fold_journal(result.events, POOL)) == {"i3": ("dog", "b")}
    c = Person("c", 3000.0)
    c.journal.events = result.events
    c = Person("c", 3000.0, copy_of=c)
    c.session.merge_queue(make_queue(range(N)), c.session.state.revision)
    question = c.session.question
    assert (question.instance_id, question.rule) == ("i3", "conflict")
    c.session.skip("i3")
    c.session.undo()
    assert c.session.question.instance_id == "i3"
    c.session.skip("i3")  # later; nothing is lost
    assert (c.session.question.instance_id, c.session.label_of(3)[1]) == ("i4", Provenance.HUMAN)
    c.session.label("i4", c.session.classes.named("cat").class_id)
    for name in ("i0", "i1", "i2", "i5", "i6", "i7"):
        assert c.session.question.rule != "conflict"
        c.session.label(name, 0)
    assert (c.session.question.instance_id, c.session.question.rule) == ("i3", "conflict")  # nothing else is left
    c.session.label("i3", c.session.classes.named("cat").class_id)
    assert c.session.question is None or c.session.question.rule != "conflict"
    c.session.undo()
    assert (c.session.question.instance_id, c.session.question.rule) == ("i3", "conflict")
    c.session.redo()
    settled = merge_journals(Side(c.journal.events, dropped=result.dropped), b.side, POOL)
    assert is_same_journal(settled.events, c.journal.events)
    assert settled.conflicts == []


@pytest.mark.slow
def test_what_one_took_back_knowingly_stays_taken_back_and_the_other_goes_on_with_a_class_taken_back():
    start = Person("z", 500.0)
    (cat,) = start.named("cat")
    start.session.label("i0", cat)
    a, b = Person("a", 1000.0, copy_of=start), Person("b", 2000.0, copy_of=start)
    a.session.undo()  # the label
    a.session.undo()  # the class
    b.session.label("i1", cat)
    result = joined(a, b)
    state = fold_journal(result.events, POOL)
    assert labels(state) == {"i1": ("cat", "b")}
    again = merge_journals(Side(result.events, dropped=result.dropped), start.side, POOL)
    assert "i0" not in labels(fold_journal(again.events, POOL))


def test_a_bookmark_that_both_set_is_set():
    a, b = Person("a", 1000.0), Person("b", 2000.0)
    a.session.flag("i5")
    b.session.flag("i5")
    assert fold_journal(joined(a, b).events, POOL).flagged == {5}


def test_classes_merged_both_ways_end_in_one():
    start = Person("z", 500.0)
    cat, dog = start.named("cat", "dog")
    a, b = Person("a", 1000.0, copy_of=start), Person("b", 2000.0, copy_of=start)
    a.session.classes.merge(cat, dog)
    b.session.classes.merge(dog, cat)
    b.session.label("i1", cat)
    state = fold_journal(joined(a, b).events, POOL)
    assert [info.name for info in state.active_classes()] == ["dog"]
    assert labels(state) == {"i1": ("dog", "b")}


def test_the_journal_goes_by_time_but_never_against_the_order_of_one_person():
    a, b = Person("a", 1000.0, -10.0), Person("b", 995.0, -10.0)  # clocks that were set back
    for one in (a, b):
        (cat,) = one.named("cat")
        for name in ("i0", "i1"):
            one.session.label(name, cat)
    order = [event.event_id for event in joined(a, b).events]
    assert [name for name in order if name[0] == "a"] == ["a000", "a001", "a002"]
    assert order[:3] == ["b000", "b001", "b002"]


def test_who_answered_is_filled_in_where_no_name_was_given_and_guesses_follow_their_classes():
    a, b = Person("", 1000.0), Person("b", 2000.0)
    (cat,) = a.named("cat")
    dog, theirs = b.named("dog", "cat")
    a.session.label("i0", cat)
    b.session.label("i1", theirs)
    seen = Label("i1", theirs, Asked(shown=((theirs, 0.7), (dog, 0.3))))
    b.journal.events[-1] = replace(b.journal.events[-1], body=seen)
    result = merge_journals(Side(a.journal.events, "anna"), b.side, POOL)
    state = fold_journal(result.events, POOL)
    assert labels(state) == {"i0": ("cat", "anna"), "i1": ("cat", "b")}
    shown = next(event.payload["shown"] for event in result.events if event.instance_id == "i1")
    names = [(state.classes[class_id].name, score) for class_id, score in shown]
    assert names == [("cat", 0.7), ("dog", 0.3)]


def test_agreement_counts_what_each_answered_for_himself():
    start = Person("z", 500.0)
    cat, dog = start.named("cat", "dog")
    start.session.label("i0", cat)
    a, b = Person("a", 1000.0, copy_of=start), Person("b", 2000.0, copy_of=start)
    for index, (one, other) in enumerate(((cat, cat), (dog, dog), (cat, dog)), start=1):
        a.session.label(f"i{index}", one)
        b.session.label(f"i{index}", other)
    pairs = joined(a, b).pairs
    assert [one == other for one, other in pairs] == [True, True, False]
    assert UNLABELED not in [class_id for pair in pairs for class_id in pair]


@pytest.mark.parametrize("kind", ["label", "unsure", "reject"])
def test_an_answer_of_an_audit_stays_an_answer_and_the_audit_stays_with_its_file(kind):
    a = Person("a")
    a.named("cat")
    class_id = 0 if kind == "label" else None
    asked = Asked(screen="audit")
    said = AuditAnswer(instance_id="i0", class_id=class_id, audit=1, word=kind, reached=False, asked=asked)
    found = translate_classes(replace(a.journal.events[0], body=said), {0: 4})
    assert (found.kind, found.class_id, found.payload) == (kind, 4 if kind == "label" else None, {"screen": "audit"})


def test_a_page_of_an_audit_stays_a_page():
    a = Person("a")
    a.named("cat")
    labels = (("i0", 0, "confirmed"), ("i1", 0, "human"))
    said = AuditPage(audit=1, start=0, labels=labels, unsure=("i2",), planted=(("i3", 0),))
    found = translate_classes(replace(a.journal.events[0], body=said, keys=3), {0: 4})
    assert found.kind == "page"
    assert found.payload == {"labels": [["i0", 4, "confirmed"], ["i1", 4, "human"]], "keys": 3}
