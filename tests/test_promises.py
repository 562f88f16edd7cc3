"""What is promised of every label that leaves, on random journals through the real engines.

1. It names at least one event of a person or an import, and that event stands.
2. Without the events it names, the label is gone: the closing round of the journal without them gives the instance no
   label of that class, or one that names other events. Go on like that and no label of the class is left anywhere.
3. After an undo the closing round is, bit for bit, that of a journal without the event.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labeler.commands.simulate.oracle import Oracle
from labeler.core.errors import UsageError
from labeler.core.events import Asked, Repeat
from labeler.core.pool import Pool
from labeler.core.types import UNLABELED, Provenance
from labeler.engine.book import BookEngine
from labeler.engine.default import DefaultEngine
from labeler.plugins import registry
from labeler.project.open import Options, open_project
from labeler.session.final_labels import final_labels
from labeler.session.session import Session
from labeler.session.state import State
from labeler.session.view import snapshot_of
from tests.engine.pools import blobs
from tests.memory_journal import MemoryJournal

N = 60
X, Y = blobs(N, n_classes=3, d=6, seed=4)
POOL = Pool([f"i{index}" for index in range(N)])
INDEX, WHICH = st.integers(0, N - 1), st.integers(0, 2)
STEP = st.one_of(
    st.tuples(st.sampled_from(["label", "label", "label", "page", "import", "repeat"]), INDEX, WHICH),
    st.tuples(st.sampled_from(["skip", "unsure", "reject", "keep"]), INDEX, st.just(0)),
    st.tuples(st.sampled_from(["merge", "undo", "redo"]), WHICH, WHICH),
)
STEPS = st.lists(STEP, min_size=3, max_size=14)
HUMAN_EVENTS = {"label", "page", "import", "audit_answer", "audit_page"}


def opened(engine):
    for _ in engine.open(X):
        pass
    return engine


@pytest.fixture(scope="module", params=["default", "book"])
def engine(request):
    if request.param == "default":
        return opened(DefaultEngine())
    parts = ("kmeans", "logreg", "margin-clusters")
    kinds = ("clusterer", "classifier", "strategy")
    return opened(BookEngine(*(registry.create(*pair) for pair in zip(kinds, parts, strict=True)), n_clusters=8))


def session_of(steps):
    """A session in which a person did `steps`, and its journal."""
    journal, count = MemoryJournal(), iter(range(10_000))
    session = Session(Pool(POOL.ids), journal, clock=lambda: 1.0, new_id=lambda: f"e{next(count)}")
    for name in "abc":
        session.classes.id_for(name, setup=True)
    for step in steps:
        do(session, *step)
    return session, journal


def do(session, kind, one, other):
    active = [info.class_id for info in session.state.active_classes()]
    class_id, name = active[other % len(active)], POOL.ids[one]
    try:
        match kind:
            case "label":
                session.label(name, class_id)
            case "page":
                session.page([(POOL.ids[i % N], class_id, "confirmed") for i in range(one, one + 4)])
            case "import":
                session.imports.labels([(POOL.ids[i % N], class_id) for i in range(one, one + 3)], "file")
            case "repeat":
                standing = session.state.answers.get(one)
                if standing is not None and standing.kind == "label":
                    how = Asked(screen="question")
                    first, first_class = standing.event_id, standing.class_id
                    again = Repeat(
                        instance_id=name,
                        class_id=class_id,
                        word="label",
                        first=first,
                        first_class=first_class,
                        asked=how,
                    )
                    session.recorder.record(again)
            case "merge":
                session.classes.merge(active[one % len(active)], class_id)
            case "skip" | "unsure" | "reject" | "keep":
                getattr(session, kind)(name)
            case "undo" | "redo":
                getattr(session, kind)()
    except UsageError:
        return


def fold(events, pool=POOL):
    state = State(Pool(pool.ids))
    for event in events:
        state.apply(event)
    return state


def without(events, gone):
    """The journal without these events, and without what took them back or brought them back."""
    return [event for event in events if event.event_id not in gone and event.target not in gone]


def named(state, final, engine, index, percentile=None):
    """The events that the label of `index` names: its own, those of the answers that carry it, or the nearest's."""
    if index in state.answers and state.answers[index].kind == "label":
        return {state.answers[index].event_id}
    shares = engine.shares(replace(snapshot_of(state), percentile=percentile), index)
    carriers = [carrier for carrier, _ in shares] or [int(final.sources[index])]
    return {state.answers[carrier].event_id for carrier in carriers if carrier in state.answers}


def leaving(state, engine, percentile=None):
    """The final labels, and the indices of all that an export may hold, predicted ones among them."""
    final = final_labels(state, engine.closing_round(replace(snapshot_of(state), percentile=percentile)))
    return final, [int(index) for index in np.flatnonzero(final.by_default(predicted=True))]


def check_names(state, final, engine, index):
    names = named(state, final, engine, index)
    assert names, f"{index} names nobody"
    assert all(state.event(name).kind in HUMAN_EVENTS for name in names)
    return names


@pytest.mark.slow
@settings(max_examples=40)
@given(STEPS, st.integers(0, 10_000))
def test_a_label_names_who_gave_it_and_goes_with_the_events_it_names(engine, steps, chosen):
    session, journal = session_of(steps)
    events, state = journal.events, session.state
    final, indices = leaving(state, engine)
    if not indices:
        return
    for index in indices[:: max(len(indices) // 8, 1)]:
        check_names(state, final, engine, index)
    index = indices[chosen % len(indices)]
    class_id = int(final.labels[index])
    while True:  # each turn takes at least one event away
        names = check_names(state, final, engine, index)
        events = without(events, names)
        state = fold(events)
        final, indices = leaving(state, engine)
        same = index in indices and int(final.labels[index]) == class_id
        if not same:
            break
        assert not check_names(state, final, engine, index) & names
    given_classes = {standing.class_id for standing in state.answers.values() if standing.kind == "label"}
    assert set(final.labels[indices].tolist()) <= given_classes
    assert class_id in given_classes or class_id not in final.labels


@pytest.mark.slow
@settings(max_examples=40)
@given(STEPS, STEP, STEPS)
def test_after_an_undo_the_closing_round_is_that_of_a_journal_without_the_event(engine, before, step, after):
    session, journal = session_of(before)
    n_events = len(journal.events)
    do(session, *step)
    if len(journal.events) == n_events or journal.events[-1].kind in ("undo", "redo"):
        return
    gone = {journal.events[-1].event_id}
    session.undo()
    for one in after:
        if one[0] not in ("undo", "redo"):  # these would go on with the stack that the other journal does not have
            do(session, *one)
    other = fold(without(journal.events, gone))
    assert_same_labels(session.state, other, engine)


def assert_same_labels(one, other, engine, percentile=None):
    """The same final labels, from one closing round each."""
    first, second = (leaving(state, engine, percentile)[0] for state in (one, other))
    for name, array in first.arrays.items():
        np.testing.assert_array_equal(array, second.arrays[name], err_msg=name)


@pytest.fixture(scope="module")
def digits_answered(digits_path, tmp_path_factory):
    """A project on digits with 40 answers, some of them wrong, and a page; and its engine."""
    path = tmp_path_factory.mktemp("promises") / "digits.labeler.db"
    with open_project(digits_path, path, Options(classes=tuple("0123456789"))) as project:
        pipeline = project.open_pipeline()
        session, truth = project.session, project.source.truth()
        person = Oracle(truth, 0.05, 1)
        session.merge_queue(pipeline.rerank(session.snapshot()), session.state.revision)
        for _ in range(40):
            question = session.question
            session.label(question.instance_id, session.classes.id_for(person.answer(question.instance_id)))
            session.merge_queue(pipeline.rerank(session.snapshot()), session.state.revision)
        session.page([(session.pool.ids[index], 3, "confirmed") for index in (3, 13, 23)])
        yield project, pipeline


@pytest.mark.slow
def test_on_digits_every_label_that_leaves_names_answers_of_its_class(digits_answered):
    project, pipeline = digits_answered
    session = project.session
    final, indices = leaving(session.state, pipeline.engine)
    assert len(indices) == len(session.pool)
    for index in indices[::10]:
        names = check_names(session.state, final, pipeline.engine, index)
        said = {s.class_id for s in session.state.answers.values() if s.event_id in names}
        assert said == {int(final.labels[index])}
    assert (final.sources[indices] >= 0).all()


@pytest.mark.slow
def test_on_digits_one_label_goes_with_the_events_it_names_and_an_undo_leaves_no_trace(digits_answered):
    project, pipeline = digits_answered
    session, engine = project.session, pipeline.engine
    events = list(project._store.replay())
    final, indices = leaving(session.state, engine)
    index = next(i for i in indices[700:] if final.provenances[i] == Provenance.PROPAGATED)
    names = check_names(session.state, final, engine, index)
    state = fold(without(events, names), session.pool)
    after, left = leaving(state, engine)
    assert index not in left or int(after.labels[index]) != int(final.labels[index])
    assert int(final.labels[index]) not in after.labels[left]
    before = fold(events, session.pool)
    session.label(session.pool.ids[900], 4)
    session.undo()
    assert_same_labels(session.state, before, engine)


def test_nothing_is_left_of_a_journal_without_its_events(engine):
    session, journal = session_of([("label", 3, 1), ("page", 20, 0), ("import", 40, 2)])
    gone = {event.event_id for event in journal.events if event.kind in HUMAN_EVENTS}
    state = fold(without(journal.events, gone))
    final, indices = leaving(state, engine)
    assert not indices
    assert (final.labels == UNLABELED).all()
    assert len(leaving(session.state, engine)[1]) > 20
