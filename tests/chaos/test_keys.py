"""Five hundred keys at random on the question screen, over a real project file, held against the model."""

from __future__ import annotations

import itertools
import random
from pathlib import Path

import pytest

from labeler.core.pool import Pool
from labeler.session.session import Session
from labeler.store.store import Store
from tests.chaos.evidence import inspect, left_beside
from tests.chaos.model import Model
from tests.ui.support import FakeProject, running

N_KEYS, A_RUN, N = 500, 125, 390
KEYS = (*"0123456789", "A", "enter", "space", "U", "X", "F", "backspace", "ctrl+z", "ctrl+y")
WEIGHTS = (*(4,) * 10, 4, 4, 5, 3, 3, 4, 8, 4, 8)


class Written(FakeProject):
    """The screens' project over a project file."""

    def __init__(self, path: Path, new_id: itertools.count) -> None:
        super().__init__(n=N, with_round=False, n_classes_known=10)
        ids = self.session.pool.ids
        self.store = Store.open(path, create=True)
        if not self.store.instance_ids():
            self.store.join_instances(ids, 0.0)
        clock = itertools.count(1)
        self.session = Session(
            Pool(ids), self.store, clock=lambda: float(next(clock)), new_id=lambda: f"e{next(new_id)}"
        )
        for name in "0123456789"[len(self.session.state.classes) :]:
            self.session.classes.add(name, setup=True)
        if self.session.machine_labels.round is None:
            self.merge_round()


def press(model: Model, key: str, session: Session, guess: int | None) -> None:
    """What a key does to the model, by the question and the guess that are on the screen before it is pressed."""
    question = session.question
    assert question is not None
    index, name = question.index, question.instance_id
    if key.isdigit():
        model.label(index, name, int(key))
    elif key in ("A", "enter"):
        if guess is not None:  # else the screen says that there is nothing to accept
            model.label(index, name, guess)
    elif key in ("space", "U", "X"):
        model.set_aside({"space": "skip", "U": "unsure", "X": "reject"}[key], index, name)
    elif key == "F":
        model.flag(index, name)
    elif key == "ctrl+y" and model.after:
        redone = session.state.redo_target()
        model.redo()
        model.journal.append(("redo", redone.instance_id, None))
    elif key in ("backspace", "ctrl+z") and model.before:
        undone = session.state.undo_target()
        model.undo()
        model.journal.append(("undo", undone.instance_id, None))


@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_five_hundred_keys_do_what_the_model_does(tmp_path):
    path, new_id = tmp_path / "keys.labeler.db", itertools.count()
    chance, model, last = random.Random(11), Model(), ""
    for class_id, name in enumerate("0123456789"):
        model.journal.append(("class_add", None, class_id))
        model.now.classes[class_id] = [name, name, False, -1]
    for _ in range(N_KEYS // A_RUN):
        project = Written(path, new_id)
        session = project.session
        assert model.differs(session) == []
        async with running(project) as app:
            for _ in range(A_RUN):
                # the same key at once again would count as held down
                key = next(key for key in iter(lambda: chance.choices(KEYS, WEIGHTS)[0], None) if key != last)
                last = key
                asked, guess = session.question, app.screen.guess()
                assert asked is not None
                assert not asked.guesses or guess == asked.guesses[0][0]
                press(model, key, session, guess)
                text = await app.press_and_see(key)
                assert model.differs(session) == [], (key, asked)
                if session.question is not None:
                    assert session.question.instance_id in text, (key, asked)
        assert model.counts_differ(session) == []
        assert model.journal_differs(list(project.store.replay())) == []
        project.store.close()
        assert inspect(path) + left_beside(path) == []
    assert len(model.journal) > 400
