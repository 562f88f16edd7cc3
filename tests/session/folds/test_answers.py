"""The columns say what the answers say, whatever was done, taken back and brought back."""

from __future__ import annotations

import itertools
import random

import pytest

from labeler.core.errors import UsageError
from labeler.core.pool import Pool
from labeler.session.folds.answers import KINDS
from labeler.session.session import Session
from tests.memory_journal import MemoryJournal

N = 150  # more than the rows there are at first


def as_columns(state):
    return {
        kind: [
            (index, s.seq, s.class_id, int(s.provenance), s.until, s.audit)
            for index, s in sorted(state.answers.items(), key=lambda item: (item[1].seq, item[0]))
            if s.kind == kind
        ]
        for kind in KINDS[1:]
    }


def of_columns(state):
    names = ["index", "seq", "class_id", "provenance", "until", "audit"]
    return {kind: state.answers.columns.of(kind)[names].tolist() for kind in KINDS[1:]}


@pytest.mark.parametrize("seed", range(4))
def test_they_say_what_the_answers_say(seed):
    chance, clock, count = random.Random(seed), itertools.count(1), itertools.count()
    pool = Pool([f"{index}.png" for index in range(N)])
    session = Session(pool, MemoryJournal(), clock=lambda: float(next(clock)), new_id=lambda: str(next(count)))
    classes = [session.classes.add(name) for name in "abcd"]
    most = 0
    for step in range(600):
        name = chance.choice(pool.ids)
        what = chance.choices(
            ("label", "skip", "unsure", "reject", "undo", "redo", "merge"), (60, 4, 4, 4, 12, 6, int(step == 400))
        )[0]
        try:
            if what == "label":
                session.label(name, chance.choice(classes))
            elif what == "merge":
                session.classes.merge(classes.pop(), classes[0])
            elif what in ("undo", "redo"):
                getattr(session, what)()
            else:
                getattr(session, what)(name)
        except UsageError:
            continue
        assert of_columns(session.state) == as_columns(session.state), what
        most = max(most, len(session.state.answers))
    assert most > 64
    labeled = sorted(index for index, s in session.state.answers.items() if s.kind in ("label", "reject"))
    assert session.state.indices_of("label", "reject").tolist() == labeled
