"""Doors and lines that are said to be there: each does what the screen says of it."""

import threading
from types import SimpleNamespace

import pytest

from labeler.core.errors import EngineError
from labeler.core.types import Progress
from labeler.session.audit.audits import Certificate
from labeler.session.quality.summary import NOT_KNOWN
from labeler.ui.app import WorkerSaid
from labeler.ui.forms.begin_audit import BeginAudit
from labeler.ui.render.statement import in_lines
from labeler.ui.screens import base
from labeler.ui.screens.audit import AuditScreen
from labeler.ui.screens.question import QuestionScreen
from tests.ui.support import LATER, FakeProject, Received, digit, running, screen_text, settle


def kinds(project):
    return [event.kind for event in project.journal.events]


@pytest.fixture
def spread() -> FakeProject:
    """Ten answers, 190 labels propagated from them, no audit."""
    project = FakeProject(n_classes_known=10)
    for index in range(10):
        project.session.label(f"{index:04d}.png", index)
    return project


class TestAnAudit:
    async def test_e_says_how_many_it_takes_asks_once_and_begins(self, spread):
        async with running(spread) as app:
            await app.press_and_see("E")
            assert isinstance(app.screen, BeginAudit)
            text = dialog(app)
            assert "190 labels that nobody looked at one by one" in text
            assert "looks without an error to certify that 98 % of them are right" in text
            assert "⏎ begin" in text
            assert "audit_begin" not in kinds(spread)
            await app.press_and_see("enter")
            await settle(app, app.pilot)
            assert isinstance(app.screen, AuditScreen)
            audit = spread.session.audit.latest
            assert (audit.population, audit.target, audit.confidence) == (190, 0.98, 0.95)
            assert kinds(spread).count("audit_begin") == 1
            await app.press_and_see(str(app.screen.target().index % 10))
            assert len(audit.answers) == 1
            await app.press_and_see("E")
            assert isinstance(app.screen, QuestionScreen)
            await app.press_and_see("E")
            assert isinstance(app.screen, AuditScreen)  # under way: nothing is asked
            assert kinds(spread).count("audit_begin") == 1

    async def test_the_number_it_says_is_the_number_it_takes(self, spread):
        _, looks = spread.session.audit.ahead(0.98, 0.95)
        async with running(spread) as app:
            await app.press_and_see("E")
            assert f"about {looks} looks" in dialog(app)
            await app.press_and_see("enter")
            await settle(app, app.pilot)
            session = spread.session
            for _ in range(looks):
                assert not session.audit.certificate().reached
                index = session.audit.next_index()
                session.audit.answer(
                    session.pool.ids[index], int(session.audit.frozen(session.audit.latest).final.labels[index])
                )
            assert session.audit.certificate().reached

    async def test_escape_leaves_it_and_nothing_was_begun(self, spread):
        async with running(spread) as app:
            await app.press_and_see("E", "x", "escape")
            assert isinstance(app.screen, QuestionScreen)
            assert spread.session.audit.latest is None
            assert spread.wanted_closing == 0

    async def test_labels_that_are_not_the_latest_are_not_frozen(self, spread):
        """Something was recorded while the labels were computed: they are computed again."""
        held = []
        spread.closing = lambda: held.append(1) or LATER
        async with running(spread) as app:
            await app.press_and_see("E", "enter")
            closing = spread.closing_now()
            spread.session.flag("0020.png")  # something else comes in between
            spread.pending.put(closing, is_last=True)
            await app.pilot.pause()
            await settle(app, app.pilot)
            assert spread.session.audit.latest is None
            assert len(held) == 2
            spread.pending.put(spread.closing_now(), is_last=True)
            await app.pilot.pause()
            await settle(app, app.pilot)
            assert spread.session.audit.latest is not None

    async def test_where_the_labels_cannot_be_computed_it_says_why_and_the_key_asks_again(self, spread):
        closing, spread.closing = spread.closing, lambda: EngineError("the worker ended", "look at its log")
        async with running(spread) as app:
            assert "the worker ended (look at its log)" in await app.press_and_see("E", "enter")
            assert spread.session.audit.latest is None
            spread.closing = closing
            await app.press_and_see("enter")
            assert spread.session.audit.latest is not None

    async def test_without_a_label_it_says_what_to_do(self):
        async with running(FakeProject()) as app:
            assert "no label to audit yet" in await app.press_and_see("E")
            assert isinstance(app.screen, QuestionScreen)

    async def test_while_the_pool_is_read_it_says_so(self, spread):
        spread.engine.is_ready = False
        async with running(spread) as app:
            assert "still being prepared" in await app.press_and_see("E")

    async def test_the_dashboard_names_the_door(self, spread):
        async with running(spread, size=(120, 40)) as app:
            assert NOT_KNOWN in await app.press_and_see("D")
            assert "an audit (E)" in NOT_KNOWN
            await app.press_and_see("E")
            assert isinstance(app.screen, BeginAudit)

    @pytest.mark.parametrize("width", [28, 38])
    @pytest.mark.parametrize("target", [0.9, 0.98, 0.995, 0.9995])
    @pytest.mark.parametrize("state", ["reached", "more", "early", "overlooked", "label on"])
    def test_the_statement_beside_the_picture_is_not_cut(self, width, target, state):
        found = SimpleNamespace(
            target=target,
            lower_bound=0.98765,
            reached=state == "reached",
            more=123_456 if state == "more" else None,
            too_early=state == "early",
            overlooked=state == "overlooked",
            checked=123_456,
            wrong=1_234,
            cutoff_population=1_234_567,
        )
        assert set(vars(found)) <= set(dir(Certificate)) | set(Certificate.__annotations__)
        lines = in_lines(found, width).plain.split("\n")
        text = " ".join(lines)
        assert max(map(len, lines)) <= width
        assert "…" not in text
        assert {"reached": "E leads back", "more": "more", "early": "too early", "overlooked": "overlooked"}.get(
            state, "label on"
        ) in " ".join(text.split())
        assert "most trusted" in " ".join(text.split())


class TestLines:
    async def test_still_being_read_goes_when_it_is_read(self, monkeypatch):
        monkeypatch.setattr(base, "PATIENCE", 0.01)
        there = threading.Event()

        def slow(index):
            if index:
                there.wait(60)
            return digit(index % 10)

        project = FakeProject(n_classes_known=10, image=slow)
        async with running(project) as app:
            try:
                app.post_message(_key("0"))
                for _ in range(400):
                    await app.pilot.pause(0.01)
                    if app.screen.picture.index == 1 and app.line.idle:
                        break
                app.post_message(_key("1"))
                for _ in range(400):
                    await app.pilot.pause(0.01)
                    if "still being read" in screen_text(app):
                        break
                assert "still being read" in screen_text(app)
            finally:
                there.set()
            await settle(app, app.pilot)
            assert "still being read" not in screen_text(app)
            assert "go on answering" in screen_text(app)
            assert len(project.labels()) == 2  # the key waited for its picture

    @pytest.mark.parametrize("size", [(80, 24), (120, 40)])
    async def test_a_slow_disk_stands_beside_the_advice(self, monkeypatch, size):
        monkeypatch.setattr("labeler.ui.app.SLOW_DISK", -1.0)
        async with running(FakeProject(n_classes_known=10), size=size) as app:
            text = await app.press_and_see("0")
            assert "go on answering: the next 20 keys help most" in text
            assert "the disk is slow" in text
            monkeypatch.setattr("labeler.ui.app.SLOW_DISK", 3600.0)
            assert "the disk is slow" not in await app.press_and_see("1")

    async def test_where_there_is_no_room_beside_the_advice_the_advice_stays(self, monkeypatch):
        monkeypatch.setattr("labeler.ui.app.SLOW_DISK", -1.0)
        async with running(FakeProject(n_classes_known=10), size=(60, 16)) as app:
            assert "go on answering: the next 20 keys help most" in await app.press_and_see("0")

    @pytest.mark.parametrize("images", ["ascii", "half", "kitty"])
    async def test_what_a_project_remembers_of_pictures_says_how_to_leave_it(self, images):
        async with running(FakeProject(n_classes_known=10), images=images) as app:
            text = screen_text(app)
            assert images in text
            assert "--images auto leaves it" in text

    async def test_by_default_nothing_is_said_of_it(self):
        async with running(FakeProject(n_classes_known=10), images="auto") as app:
            assert "--images" not in screen_text(app)

    async def test_progress_is_no_note(self):
        project = FakeProject(with_round=False)
        async with running(project) as app:
            app.status.progress = Progress("reading", 10, 100)
            app.screen.draw_message()
            await app.pilot.pause()
            assert "reading 10 of 100" in screen_text(app)

    async def test_progress_ends_with_what_did_it_and_leaves_the_line_to_a_note_said_once(self):
        project = FakeProject(with_round=False)
        async with running(project) as app:
            app.post_message(WorkerSaid(Received(progress=Progress("encoding", 10, 100))))
            await app.pilot.pause()
            assert "encoding 10 of 100" in screen_text(app)
            project.notices.append("net is left out")  # as an offer is, to be said again on quitting
            app.post_message(WorkerSaid(Received(note="net is left out")))
            app.post_message(WorkerSaid(Received(progress=Progress(""))))
            await app.pilot.pause()
            assert "encoding" not in screen_text(app)
            assert screen_text(app).count("net is left out") == 1


class TestAMergeThatWaits:
    async def test_backspace_leaves_it_and_undoes_nothing_else(self, spread):
        async with running(spread) as app:
            before = kinds(spread)
            text = await app.press_and_see("C", "3", "M", "down", "backspace")
            assert "nothing taken back" in text
            assert "into" not in text.splitlines()[1]
            assert kinds(spread) == before
            await app.press_and_see("backspace")
            assert kinds(spread) == [*before, "undo"]


async def test_search_takes_the_key_of_the_legend():
    project = FakeProject(classes=("cat", "dog", "2", "bird"), n_classes_known=4)
    keys = {count.info.name: count.info.key for count in project.view().classes}
    project.session.label("0000.png", 1)
    project.session.label("0001.png", 2)
    async with running(project) as app:
        text = await app.press_and_see("/", *f"class:{keys['dog']}", "enter")
        assert "dog, human" in text or "✓ dog" in text
        assert keys["2"] == "2"
        found = await app.press_and_see("/", "/", *"class:2 labeled", "enter")
        assert "✓ 2" in found


def dialog(app) -> str:
    """The words of the form in front."""
    region = app.screen.query_one(".dialog").region
    rows = screen_text(app).splitlines()[region.y : region.bottom]
    return " ".join(" ".join(row[region.x : region.right].strip("│ ") for row in rows).split())


def _key(key):
    from textual import events

    return events.Key(key, key)
