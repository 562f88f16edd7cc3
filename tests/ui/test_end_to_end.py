"""The application on the real project: demo, worker process, project file."""

import asyncio
import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

import labeler
from labeler.commands.audit import run_audit
from labeler.commands.export.export import ExportOptions, export
from labeler.commands.simulate import Simulation, simulate
from labeler.project.open import Options, Project, open_demo, open_project
from labeler.ui.app import LabelerApp
from labeler.ui.screens.audit import AuditScreen
from labeler.ui.screens.audit_pages import AuditPages
from labeler.ui.screens.question import QuestionScreen
from tests.ui.support import screen_text, settle


@pytest.fixture(autouse=True)
def _own_data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))


async def until(there: Callable[[], bool], seconds: float = 60) -> None:
    for _ in range(int(seconds / 0.02)):
        if there():
            return
        await asyncio.sleep(0.02)
    raise TimeoutError


def key_of_truth(project: Project, app: LabelerApp) -> str:
    target = app.screen.target()
    return project.truth[target.instance_id]


async def test_from_the_first_question_to_a_resumed_one():
    with open_demo() as project:
        app = LabelerApp(project)
        async with app.run_test(size=(80, 24)) as pilot:
            await until(lambda: app.view is not None and app.view.question is not None)
            await settle(app, pilot)
            assert isinstance(app.screen, QuestionScreen)  # the demo knows its classes: nothing is asked first
            for count in range(1, 13):
                await pilot.press(key_of_truth(project, app))
                await until(lambda count=count: app.view.answers == count)
                await settle(app, pilot)
            await until(lambda: app.view.question.guesses or app.view.rounds > 1)
            await pilot.press("backspace")
            await settle(app, pilot)
            assert app.view.answers == 11
            asked = app.screen.target().instance_id
            assert asked in screen_text(app)
        summary = project.summary().splitlines()
        assert summary[0].startswith("you: 13 keys; right: ")  # twelve answers and one taken back
        assert summary[1].startswith("this session: 11 labels given with 13 keys")
        assert re.fullmatch(r"to export: [\d,]+ of 1,797 labels: 11 human(, [\d,]+ propagated)?", summary[2])
    with open_demo() as project:
        app = LabelerApp(project)
        async with app.run_test(size=(80, 24)) as pilot:
            await settle(app, pilot)
            assert app.screen.target().instance_id == asked  # on the question it was left at, at the first frame
            assert app.view.answers == 11
            await pilot.press("backspace", "ctrl+y")
            await settle(app, pilot)
            assert app.view.answers == 11


async def test_the_contact_sheet_of_the_real_representatives():
    with open_demo() as project:
        app = LabelerApp(project)
        async with app.run_test(size=(120, 40)) as pilot:
            await until(lambda: app.view is not None and app.view.round is not None)
            await settle(app, pilot)
            await pilot.press("R")
            await settle(app, pilot)
            for count in range(1, 6):
                await pilot.press("right")
                await settle(app, pilot)
                await pilot.press(key_of_truth(project, app))
                await until(lambda count=count: app.view.answers == count)
                await settle(app, pilot)
            assert f"5 of {len(app.view.round.representatives)} answered" in screen_text(app)


async def test_a_wrong_answer_is_offered_for_a_second_look_and_why_leads_to_the_answers_that_carry_a_label():
    with open_demo() as project:
        app = LabelerApp(project)
        async with app.run_test(size=(80, 24)) as pilot:
            await until(lambda: app.view is not None and app.view.question is not None)
            await settle(app, pilot)
            for count in range(1, 61):
                right = key_of_truth(project, app)
                wrong = app.screen.target() if count == 40 else None
                if wrong is not None:
                    mistaken = wrong
                await pilot.press(str((int(right) + 5) % 10) if wrong is not None else right)
                await until(lambda count=count: app.view.answers == count)
                await settle(app, pilot)
            await until(lambda: mistaken.index in app.view.doubts)
            await pilot.press("S")
            await settle(app, pilot)
            while app.screen.target().index != mistaken.index:
                await pilot.press("space")
                await settle(app, pilot)
            await pilot.press("X")
            await settle(app, pilot)
            assert (
                project.session.state.classes[project.session.label_of(mistaken.index)[0]].name
                == (project.truth[mistaken.instance_id])
            )
            await pilot.press("S")
            await settle(app, pilot)
            await pilot.press("I")
            await until(lambda: "carried by" in screen_text(app))
            names = {project.session.label_of(index)[0] for index in app.screen.shown()}
            assert names == {project.session.label_of(app.screen.index)[0]}


async def test_a_cluster_gets_a_reach_of_its_own_and_is_divided_by_the_real_engine():
    with open_demo() as project:
        app = LabelerApp(project)
        async with app.run_test(size=(120, 40)) as pilot:
            await until(lambda: app.view is not None and app.view.round is not None)
            await settle(app, pilot)
            await pilot.press("T")
            await settle(app, pilot)
            for count in range(1, 21):
                await pilot.press(key_of_truth(project, app))
                await until(lambda count=count: app.view.answers == count)
                await settle(app, pilot)
            await until(lambda: app.view.propagated > 0)
            await pilot.press("up", "up", "-", "-")
            await until(lambda: len(project.session.state.clusters.reaches) == 1)
            revision = project.session.state.revision
            await until(lambda: app.view.round.revision >= revision)
            ((index, own),) = project.session.state.clusters.reaches.items()
            await settle(app, pilot)
            assert f"own {own:g} %: " in screen_text(app)
            assert "..." not in screen_text(app)
            clusters = len(app.view.round.representatives)
            await pilot.press("H")
            await until(lambda: len(app.view.round.representatives) == clusters + 1)
            await settle(app, pilot)
            assert f"of {clusters + 1}" in screen_text(app)
            parts = {int(i) for i in app.view.round.queue.indices[:2]}
            assert parts & {int(i) for i in app.view.round.representatives}
            await pilot.press("D")
            await settle(app, pilot)
            assert "learning curve" in screen_text(app)
            history = app.view.history
    assert len(history) > 1
    with open_demo() as project:
        assert project.view().history == history
        assert list(project.session.state.clusters.reaches) == [index]


async def test_a_whole_audit_of_the_digits_in_pages_to_the_certificate_of_the_export(tmp_path: Path, digits_path: Path):
    path = tmp_path / "digits.labeler.db"
    simulate(Simulation(digits_path, "y", 20, Options(), project=path))
    with open_project(path) as project:
        run_audit(project, begin=True)
        session, truth = project.session, project.source.truth()
        labels, names = session.audit.frozen(session.audit.latest).final.labels, session.audit.latest.class_names
        app = LabelerApp(project, audit=True)
        async with app.run_test(size=(80, 24)) as pilot:
            await until(lambda: isinstance(app.screen, AuditScreen))
            await settle(app, pilot)
            await pilot.press("G")
            await settle(app, pilot)
            before = session.state.keys
            while not session.audit.certificate().reached:
                assert isinstance(app.screen, AuditPages)
                page, now = session.audit.latest.block.page, len(project.session.state.answers)
                for place, cell in enumerate(page):
                    right = truth[session.pool.ids[cell.index]]
                    if names[cell.class_id] != right:
                        await pilot.press(app.screen._letters[place])
                        await settle(app, pilot)
                        if names[app.screen._otherwise[cell.index]] != right:
                            await pilot.press(right)
                            await settle(app, pilot)
                await pilot.press("enter")
                await until(lambda now=now: len(session.state.answers) > now)
                await settle(app, pilot)
            assert "98 % is reached" in screen_text(app)
            keys = session.state.keys - before
        found = session.audit.certificate()
        wrong = sum(names[labels[a.index]] != truth[session.pool.ids[a.index]] for a in session.audit.latest.answers)
        assert (found.wrong, found.planted_seen) == (wrong, found.planted)
        assert found.planted >= 6
        assert found.lower_bound >= 0.98
        assert keys + 20 <= 70  # everything counted, as they were pressed
        written = export(project, tmp_path / "labels.csv", options=ExportOptions())
    manifest = json.loads(written.manifest_path.read_text())
    certificate = manifest["certificate"]
    assert certificate["planted"] == certificate["planted_seen"] == found.planted
    assert certificate["in_pages"] == certificate["checked"] == found.checked
    assert f"({found.planted} of {found.planted} seen)" in certificate["statement"]


@pytest.mark.parametrize("kind", ["repeats", "blind"])
async def test_a_question_that_measures_is_one_still_after_a_kill(kind, few_digits, tmp_path):
    """The file as a killed program leaves it: a repeat is no new label, a blind question hides its guesses."""
    path, names = tmp_path / "few.labeler.db", tuple("0123456789")
    options = {"engine": "book", "n_clusters": 10, "seed": 1, "classes": names, kind: 0.5}
    with labeler.open(few_digits, path, **options) as script:
        session, truth = script.session, script.project.source.truth()
        while not (script.question and (session.question.first if kind == "repeats" else session.question.blind)):
            script.answer(truth[script.question.id])
        pinned, before = session.question, session.label_of(session.question.index)
        for ending in ("", "-wal"):
            shutil.copy(f"{path}{ending}", tmp_path / f"killed.labeler.db{ending}")
    with open_project(tmp_path / "killed.labeler.db") as project:
        app = LabelerApp(project)
        async with app.run_test(size=(120, 40)) as pilot:
            await until(lambda: app.view is not None and app.view.question is not None)
            await settle(app, pilot)
            assert project.session.question == pinned
            assert (app.screen.guess() is None) == pinned.blind
            other = next(name for name in names if name != truth[pinned.instance_id])
            await pilot.press(other)
            await until(lambda: project.session.last is not None)
        event = list(project._store.replay())[-1]
        assert event.instance_id == pinned.instance_id
        if kind == "repeats":
            assert event.kind == "repeat"
            assert project.session.label_of(pinned.index) == before
        else:
            assert (event.kind, event.payload["blind"]) == ("label", True)
            assert "hidden" in event.payload
