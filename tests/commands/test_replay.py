"""`labeler replay`: the journal alone gives the same project, and the same bytes."""

from __future__ import annotations

import numpy as np
import pytest

from labeler.commands import replay
from labeler.project import paths
from labeler.project.open import open_project
from labeler.session.final_labels import final_labels


@pytest.fixture
def path(few_digits, tmp_path):
    path = tmp_path / "pool.labeler.db"
    with open_project(few_digits, path) as project:
        session = project.session
        for name in "0123456789":
            session.classes.id_for(name, setup=True)
        truth = project.source.truth()
        for name in session.pool.ids[:20]:
            session.label(name, session.classes.id_for(truth[name]))
        session.undo()
        session.undo()
        session.redo()
        session.skip(session.pool.ids[40])
        session.flag(session.pool.ids[41])
        session.page([(session.pool.ids[50], 1, "confirmed"), (session.pool.ids[51], 2, "human")])
        closing = project.closing_round()
        session.audit.begin(final_labels(session.state, closing), target=0.9, confidence=0.9, seed=1)
        session.audit.answer(session.pool.ids[session.audit.next_index()], 3)
    return path


@pytest.mark.slow
def test_the_journal_alone_gives_the_same(path):
    before = path.read_bytes()
    found = replay.replay(path)
    assert found.is_same, found.differences
    assert found.rows > 100
    assert path.read_bytes() == before
    assert "to the byte" in "\n".join(found.lines())
    assert found.to_json()["same"] is True


def test_features_that_are_not_the_sources_show(path):
    (features,) = paths.cache_of(path).glob("features-*")
    array = np.load(features)
    np.save(features, array[::-1].copy())
    found = replay.replay(path)
    assert not found.is_same
    assert any("the export differs" in one for one in found.differences)
    assert "NOT what its journal says" in "\n".join(found.lines())


def test_a_state_that_differs_is_named(make_session):
    one, other = make_session(), make_session()
    one.label("i0", 0)
    other.label("i0", 1)
    assert "the state differs in answers" in replay.differences(one.state, other.state)
    assert replay.differences(one.state, one.state) == []


def test_a_project_without_an_answer_replays_as_well(few_digits, tmp_path):
    path = tmp_path / "pool.labeler.db"
    open_project(few_digits, path).close()
    found = replay.replay(path)
    assert found.is_same
    assert "nothing is labeled yet" in found.notes[0]
