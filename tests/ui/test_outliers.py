"""The odd ones, key by key."""

import numpy as np
import pytest

from labeler.core.requests import Outliers
from labeler.ui.screens.outliers import OutlierScreen
from labeler.ui.screens.question import QuestionScreen
from tests.ui.support import FakeProject, running, settle
from tests.ui.test_screens import DANGEROUS, HOSTILE, lines

WIDE = (120, 40)


@pytest.fixture
def project() -> FakeProject:
    return FakeProject(n_classes_known=10)


class TestOpening:
    async def test_o_shows_the_oddest_first_and_leads_back(self, project):
        async with running(project, size=WIDE) as app:
            text = await app.press_and_see("O")
            assert isinstance(app.screen, OutlierScreen)
            assert "odd ones  the 200 images least like the others" in text
            assert app.screen.shown()[:3] == [399, 398, 397]
            assert "0399.png" in text
            assert "score 2 · 1 of 200" in text
            await app.press_and_see("O")
            assert isinstance(app.screen, QuestionScreen)
            assert project.wanted_odd == 1

    async def test_before_the_pool_is_prepared_it_says_so(self):
        project = FakeProject(n_classes_known=10)
        project.engine.is_ready = False
        async with running(project) as app:
            assert "still being prepared" in await app.press_and_see("O")
            assert isinstance(app.screen, QuestionScreen)

    async def test_while_the_worker_looks_it_says_so_and_keys_answer_nothing(self, project):
        project.no_odd_yet = True
        async with running(project, size=WIDE) as app:
            await app.pilot.press("O")
            await app.pilot.pause(0.1)
            assert "the odd ones are being looked for" in lines(app)[1]
            project.pending.put(Outliers(np.array([5]), np.array([1.5])), is_last=True)
            text = await app.press_and_see()
            assert app.screen.shown() == [5]
            assert "the 1 image least" in text
            assert project.labels() == []

    async def test_what_comes_when_the_screen_was_left_is_dropped(self, project):
        project.no_odd_yet = True
        async with running(project, size=WIDE) as app:
            await app.pilot.press("O")
            left = app.screen
            before = await app.press_and_see("O")
            project.pending.put(Outliers(np.array([5]), np.array([1.5])), is_last=True)
            assert await app.press_and_see() == before
            assert left.shown() == []

    async def test_where_all_have_an_answer_it_says_so(self):
        project = FakeProject(n=3, n_clusters=3, n_classes_known=3)
        for name in project.session.pool.ids:
            project.session.label(name, 0)
        async with running(project, size=WIDE) as app:
            assert "every image has an answer: O leads back" in await app.press_and_see("O")
            assert "every image has an answer" in await app.press_and_see("1")
            assert len(project.labels()) == 3

    async def test_what_is_in_no_cluster_is_said(self, project):
        project.session.machine_labels.round.outliers.resize(400, refcheck=False)
        project.session.machine_labels.round.outliers[399] = 1
        async with running(project, size=WIDE) as app:
            assert "in no cluster · score" in await app.press_and_see("O")
            assert "in no cluster" not in await app.press_and_see("right")


class TestAnswers:
    async def test_a_class_key_labels_and_goes_on(self, project):
        async with running(project, size=WIDE) as app:
            text = await app.press_and_see("O", "right", "7")
            assert project.labels() == [(398, "7")]
            assert project.journal.events[-1].payload["screen"] == "odd"
            assert "✓ 7" in text
            assert app.screen.target().index == 397

    @pytest.mark.parametrize(
        ("key", "kind"), [("X", "reject"), ("x", "reject"), ("U", "unsure"), ("F", "flag"), ("space", "skip")]
    )
    async def test_reject_unsure_flag_skip(self, project, key, kind):
        async with running(project, size=WIDE) as app:
            await app.press_and_see("O", "right", key)
            event = project.journal.events[-1]
            assert (event.kind, event.instance_id) == (kind, "0398.png")
            assert app.screen.target().index == (398 if kind == "flag" else 397)

    @pytest.mark.parametrize("key", ["enter", "A", "a"])
    async def test_accept_takes_the_guess_of_the_caption(self, project, key):
        async with running(project, size=WIDE) as app:
            await app.press_and_see("O", "right", key)
            assert project.labels() == [(398, "8")]

    async def test_undo_goes_back_to_it(self, project):
        async with running(project, size=WIDE) as app:
            await app.press_and_see("O", "right", "7", "X", "backspace", "backspace")
            assert app.screen.target().index == 398
            assert project.session.state.answers == {}
            await app.press_and_see("ctrl+y")
            assert project.session.state.answers[398].kind == "label"


class TestLooks:
    async def test_80x24(self, project):
        async with running(project) as app:
            await app.press_and_see("O", "right")
            shown = lines(app)
        assert shown[1].startswith(" odd ones  the 200 images least like the others: label them, X throws one out")
        assert shown[20].startswith(" 0398.png · score 1.99 · 2 of 200")
        assert "O back" in shown[23]

    async def test_a_resize_keeps_order_and_cursor(self, project):
        async with running(project, size=WIDE) as app:
            await app.press_and_see("O", "right", "down")
            target = app.screen.target()
            for size in ((80, 24), (60, 16), WIDE):
                await app.pilot.resize_terminal(*size)
                await settle(app, app.pilot)
                assert app.screen.target() == target
            assert project.wanted_odd == 1

    async def test_hostile_names(self):
        names = tuple(name.removesuffix(".png")[:180].strip() for name in HOSTILE)
        ids = [f"{n}.png" for n in range(390)] + HOSTILE
        project = FakeProject(classes=names, n_classes_known=len(names), ids=ids)
        async with running(project) as app:
            await app.press_and_see("O")
            for _ in range(8):
                assert not DANGEROUS.search(await app.press_and_see("right", "F"))
