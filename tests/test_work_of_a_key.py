"""A key does as much work after 1,500 answers as after 100: lines are counted, nothing is timed."""

from __future__ import annotations

import itertools
import sys
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from labeler.project.open import open_project
from labeler.project.options import Options
from tests.ui.support import make_round

N, FEW, MANY = 1797, 100, 1500
CLASSES = 10


@pytest.fixture
def project(tmp_path):
    rng = np.random.default_rng(0)
    source = tmp_path / "grey.npy"
    np.save(source, rng.integers(0, 255, (N, 8, 8), dtype=np.uint8))
    clock, count = itertools.count(1), itertools.count()
    opened = open_project(
        source,
        tmp_path / "p.labeler.db",
        Options(classes=tuple(map(str, range(CLASSES)))),
        clock=lambda: float(next(clock)),
        new_id=lambda: str(next(count)),
    )
    opened.instances.take_features(rng.random((N, 8)))  # as the worker would have sent them
    opened.session.merge_round(round_now(opened.session))
    yield opened
    opened.close()


def round_now(session):
    """A round as an engine makes it: with nothing in its queue that has an answer."""
    made = make_round(N, 50, revision=session.state.revision, n_classes=CLASSES)
    queue, still = made.queue, ~np.isin(made.queue.indices, list(session.state.answers))
    parts = ("indices", "utilities", "rules", "margins", "guesses", "guess_scores")
    return replace(made, queue=replace(queue, **{name: getattr(queue, name)[still] for name in parts}))


def press(project, round_):
    """What a key has done: the answer, what the engine is sent and what comes back, what is drawn."""
    session = project.session
    question = session.question
    session.label(question.instance_id, question.index % CLASSES, screen="question")
    session.snapshot()
    session.view()
    session.merge_round(round_)
    view = session.view()
    project.instances.neighbors(view.question.index, 5)
    session.questions.upcoming(8)


def lines_of(project):
    """Lines of the program that a key executes, by function; the median of a few keys."""
    runs = []
    for _ in range(5):
        lines, round_ = Counter(), round_now(project.session)

        def trace(frame, event, argument, lines=lines):
            if "/labeler/" not in frame.f_code.co_filename.replace("\\", "/"):
                return None
            if event == "line":
                lines[frame.f_code.co_qualname] += 1
            return trace

        before = sys.gettrace()
        sys.settrace(trace)
        try:
            press(project, round_)
        finally:
            sys.settrace(before)
        runs.append(lines)
    return sorted(runs, key=Counter.total)[len(runs) // 2]


@pytest.mark.timeout(300)
def test_a_key_does_not_do_more_the_more_answers_there_are(project):
    work = {}
    for target in (FEW, MANY):
        session = project.session
        with session.recorder.together():
            while session.state.answers.n_single < target:
                if session.state.answers.n_single < FEW:
                    press(project, round_now(session))  # each with a point of the learning curve
                else:
                    question = session.question
                    session.label(question.instance_id, question.index % CLASSES, screen="question")
        work[target] = lines_of(project)
    few, many = work[FEW], work[MANY]
    grown = {name: (few[name], many[name]) for name in few | many if many[name] > few[name] + 60}
    assert many.total() <= 1.2 * few.total() + 200, grown
