"""How each screen is reached in a test, from a session with a little of everything."""

from __future__ import annotations

from typing import Any

from labeler.core.events import Conflict, Event
from labeler.session.final_labels import final_labels
from labeler.session.quality.turns import Blind, Control, Repeats
from labeler.ui.app import LabelerApp
from labeler.ui.screens import table
from labeler.ui.screens.base import LabelScreen
from tests.ui.support import FakeProject, doubted

KEYS_TO: dict[str, tuple[str, ...]] = {
    "question": (),
    "representatives": ("R",),
    "confirm": ("G",),
    "similar": ("M",),
    "clusters": ("T",),
    "search": ("/", *"open", "enter"),
    "outliers": ("O",),
    "hunt": ("H",),
    "second_look": ("S",),
    "why": ("I",),
    "dashboard": ("D",),
    "classes": ("C",),
    "split": ("C", "S"),
    "choose_k": ("K",),
    "audit": ("E",),
    "audit_pages": ("E", "G"),
}
"""From the question screen."""
ANSWERING = [name for name in KEYS_TO if table.class_of(name).KEYS.answers]


def busy_project(**options: Any) -> FakeProject:
    """Twelve answers, all of them doubted, one instance marked; the last answer was taken back."""
    project = FakeProject(**({"n_classes_known": 10} | options))
    session = project.session
    ids = [info.class_id for info in session.state.active_classes()]
    for number in range(12):
        session.label(session.question.instance_id, ids[number // 3 % len(ids)])
    session.flag(session.pool.ids[20])
    session.label(session.question.instance_id, ids[0])
    session.undo()
    doubt(project)
    return project


def doubt(project: FakeProject) -> None:
    """A round that doubts all twelve."""
    doubted(project, {index: (0.001 + index / 10_000, (index // 3 + 1) % 3) for index in range(12)})


async def go_to(app: LabelerApp, place: str) -> None:
    """The screen of `place`, opened anew from the question screen."""
    while len(app.screen_stack) > 2:
        await app.pop_screen()
    if place == "second_look":
        doubt(app.project)  # type: ignore[arg-type]
        app.view = app.project.view()
    if place in ("audit", "audit_pages") and app.project.session.audit.latest is None:
        session = app.project.session
        final = final_labels(session.state, session.machine_labels.round)
        session.audit.begin(final, target=0.98, confidence=0.95, seed=0)
        app.view = app.project.view()
    app.screen.on_screen_resume()
    await app.press_and_see(*KEYS_TO[place])  # type: ignore[attr-defined]
    assert isinstance(app.screen, LabelScreen)
    assert place == app.screen.NAME


def disagree(project: FakeProject, annotators: tuple[str, str] = ("anna", "bob")) -> None:
    """Two people said different things of one picture, and their journals were merged."""
    session, answers = project.session, []
    for who, class_id in zip(annotators, (3, 7), strict=True):
        session.recorder.annotator = who
        session.label("0005.png", class_id)
        answers.append((project.journal.events[-1].event_id, who, class_id))
    session.recorder.annotator = "carl"
    event = Event("c0", Conflict("0005.png", tuple(answers)), 99.0)
    session.state.apply(project.journal.append(event))
    session.questions.current = None
    session.questions.draw()


def measuring(project: FakeProject) -> FakeProject:
    """Sixty answers with all that measures: random, blind and repeated questions, two of these answered differently."""
    session = project.session
    session.questions.control, session.questions.blind = Control(0.3, 1), Blind(0.3, 1)
    session.questions.repeats = Repeats(0.3, 1)
    differing = 2
    for _ in range(60):
        question = session.question
        assert question is not None
        class_id = question.index % 10
        if question.first:
            class_id = session.label_of(question.index)[0]
            if differing:
                class_id, differing = (class_id + 1) % 10, differing - 1
        session.label(question.instance_id, class_id)
    return project
