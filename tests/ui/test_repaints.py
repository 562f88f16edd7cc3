"""What a key costs in work: how often something is painted, and when what the worker sends is merged; no seconds."""

from __future__ import annotations

import pytest
from textual import events
from textual._compositor import Compositor

from labeler.core import collector
from labeler.core.types import Progress
from labeler.ui import inbox
from labeler.ui.messages import WorkerSaid
from tests.ui.support import FakeProject, Received, arrived, running, screen_text, settle

N_KEYS = 6
LEARNING = [Received(progress=Progress("learning", step, 9)) for step in range(9)]


@pytest.fixture
def paints(monkeypatch):
    """One entry a paint."""
    counted = []
    render = Compositor.render_update

    def counting(compositor, *arguments, **options):
        counted.append(compositor)
        return render(compositor, *arguments, **options)

    monkeypatch.setattr(Compositor, "render_update", counting)
    return counted


def press(app, key):
    app.post_message(events.Key(key, key))


async def test_a_key_is_one_paint_while_the_worker_says_what_it_does(paints, monkeypatch):
    project = FakeProject(n_classes_known=10)
    monkeypatch.setattr("labeler.ui.app.SPIN", 3600.0)  # five paints a second, whether a key comes or not
    async with running(project) as app:
        paints.clear()
        for count in range(N_KEYS):
            press(app, str(count))
            for step in LEARNING:  # while the key is on its way, and once its question is there
                project.post(step)
            await settle(app, app.pilot)
            for step in LEARNING:
                project.post(step)
            await settle(app, app.pilot)
        assert len(project.labels()) == N_KEYS
        assert len(paints) == N_KEYS


async def test_what_changes_nothing_that_is_shown_paints_nothing(paints):
    project = FakeProject(n_classes_known=10)
    async with running(project) as app:
        press(app, "1")
        await settle(app, app.pilot)
        paints.clear()
        for _ in range(5):
            project.post("round")
            await settle(app, app.pilot)
            app._draw_message()
            await settle(app, app.pilot)
        assert paints == []


async def test_messages_that_come_together_are_drawn_once(monkeypatch):
    project = FakeProject(n_classes_known=10)
    async with running(project) as app:
        drawn = []
        monkeypatch.setattr(app.screen, "draw", lambda view, draw=app.screen.draw: drawn.append(1) or draw(view))
        for _ in range(5):
            project.post("round")
            project.post(LEARNING[0])
        await settle(app, app.pilot)
        assert drawn == [1]
        assert app.status.progress == LEARNING[0].progress


class TestTheFrameComesFirst:
    async def test_what_is_merged_waits_for_a_question_that_is_about_to_be_painted(self, monkeypatch):
        project = FakeProject(n_classes_known=10)
        monkeypatch.setattr("labeler.ui.app.SPIN", 3600.0)
        async with running(project) as app:
            screen, order = app.screen, []
            merge, paint = app._inbox.merge, screen.was_painted
            monkeypatch.setattr(app._inbox, "merge", lambda: order.append("merged") or merge())
            monkeypatch.setattr(screen, "was_painted", lambda: order.append("painted") or paint())
            for count in range(3):
                app.command(lambda: project.session.label(screen.target().instance_id, 1), screen.answered)
                assert screen.is_due
                app.on_worker_said(WorkerSaid("round"))
                app._listen()
                assert not app._inbox.is_empty
                await settle(app, app.pilot)
                assert order == ["painted", "merged"] * (count + 1)
                assert app._inbox.is_empty

    async def test_it_never_waits_for_long(self, monkeypatch):
        monkeypatch.setattr("labeler.ui.app.SPIN", 3600.0)
        project = FakeProject(n_classes_known=10)
        async with running(project) as app:
            app.screen.painted.clear()  # and nothing paints it
            project.post("round")
            await arrived(app)
            app._listen()
            app._spin()
            assert not app._inbox.is_empty
            monkeypatch.setattr(inbox, "PATIENCE", -1.0)
            app._spin()
            assert app._inbox.is_empty
            app._spin()  # where there is none, nothing happens

    async def test_behind_a_frame_there_is_a_pause(self, monkeypatch):
        project = FakeProject(n_classes_known=10)
        async with running(project) as app:
            monkeypatch.setattr(inbox, "BEHIND", 3600.0)
            press(app, "1")
            await settle(app, app.pilot)
            project.post("round")
            await settle(app, app.pilot)
            assert not app._inbox.is_empty
            monkeypatch.setattr(inbox, "BEHIND", 0.0)
            app._listen()
            assert app._inbox.is_empty

    async def test_a_first_question_is_not_waited_for(self):
        project = FakeProject(with_round=False)
        async with running(project) as app:
            assert "preparing the first question" in screen_text(app)
            project.post("round")
            await settle(app, app.pilot)
            assert "preparing the first question" not in screen_text(app)


async def test_full_collections_wait_for_a_pause(monkeypatch):
    project, asked = FakeProject(), []
    monkeypatch.setattr(collector, "rest", lambda *, is_idle: asked.append(is_idle))
    async with running(project) as app:
        press(app, "1")
        await settle(app, app.pilot)
        asked.clear()
        app._spin()
        monkeypatch.setattr("labeler.ui.keys.PAUSE", 0.0)
        app._spin()
        assert asked == [False, True]


async def test_what_was_put_off_is_saved_when_nobody_types(monkeypatch):
    project = FakeProject()
    monkeypatch.setattr("labeler.ui.inbox.QUIET", 600.0)
    async with running(project) as app:
        press(app, "1")
        await settle(app, app.pilot)
        project.times_saved = 0  # before the first key nobody types
        app._spin()
        assert project.times_saved == 0
        monkeypatch.setattr("labeler.ui.inbox.QUIET", 0.0)
        app._spin()
        assert project.times_saved == 1
