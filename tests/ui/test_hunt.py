"""A hunt for a rare class, key by key."""

import numpy as np
import pytest

from labeler.ui.screens import hunt
from labeler.ui.screens.classes import ClassesScreen
from labeler.ui.screens.hunt import HuntScreen
from labeler.ui.screens.question import QuestionScreen
from tests.ui.support import FakeProject, running, settle
from tests.ui.test_screens import lines

WIDE = (120, 40)


@pytest.fixture
def project() -> FakeProject:
    """Two labels of 3 and one of 7: the rarest that was met."""
    project = FakeProject(n_classes_known=10)
    for index, class_id in ((3, 3), (13, 3), (7, 7)):
        project.session.label(f"{index:04d}.png", class_id)
    return project


class TestOpening:
    async def test_h_hunts_for_the_rarest_class_that_was_met_and_leads_back(self, project):
        async with running(project, size=WIDE) as app:
            text = await app.press_and_see("H")
            assert isinstance(app.screen, HuntScreen)
            assert "hunt for 7  nearest to what there is of it, farthest from the rest" in text
            assert app.screen.shown()[:4] == [17, 0, 1, 27]
            assert project.wanted_hunts == [(7, [])]
            await app.press_and_see("H")
            assert isinstance(app.screen, QuestionScreen)

    async def test_help_lists_its_keys_and_leads_back(self, project):
        async with running(project, size=(120, 60)) as app:
            text = await app.press_and_see("H", "?")
            assert "back to where the hunt was opened" in text
            assert "move over the" in text
            await app.press_and_see("?")
            assert isinstance(app.screen, HuntScreen)

    async def test_from_the_classes_it_hunts_for_the_one_under_the_cursor(self, project):
        async with running(project, size=WIDE) as app:
            await app.press_and_see("C", *["down"] * 3)
            assert isinstance(app.screen, ClassesScreen)
            assert "hunt for 3" in await app.press_and_see("H")

    async def test_a_class_without_a_label_cannot_be_hunted(self):
        async with running(FakeProject(n_classes_known=10)) as app:
            assert "label one picture of the rare class" in await app.press_and_see("H")
            assert isinstance(app.screen, QuestionScreen)

    async def test_before_the_pool_is_prepared_it_says_so(self, project):
        project.engine.is_ready = False
        async with running(project) as app:
            assert "still being prepared" in await app.press_and_see("H")


class TestAnswers:
    async def test_each_answer_asks_anew_and_what_was_looked_at_stays(self, project):
        async with running(project, size=WIDE) as app:
            text = await app.press_and_see("H", "7")
            assert project.labels()[-1] == (17, "7")
            assert project.journal.events[-1].payload["screen"] == "hunt"
            assert "1 find in 1 answer" in text
            assert project.wanted_hunts[-1] == (7, [17, 0])  # the one that is looked at now is not asked for again
            assert app.screen.shown()[:3] == [17, 0, 27]  # what follows it is ranked anew
            assert app.screen.target().index == 0
            text = await app.press_and_see("3")
            assert project.labels()[-1] == (0, "3")
            assert "1 find in 2 answers" in text
            assert "1 miss" in text

    @pytest.mark.parametrize(("key", "kind"), [("X", "reject"), ("space", "skip"), ("U", "unsure"), ("F", "flag")])
    async def test_other_answers(self, project, key, kind):
        async with running(project, size=WIDE) as app:
            await app.press_and_see("H", key)
            event = project.journal.events[-1]
            assert (event.kind, event.instance_id) == (kind, "0017.png")
            assert app.screen.target().index == (17 if kind == "flag" else 0)

    async def test_undo_leads_back_to_it_and_a_find_counts_no_more(self, project):
        async with running(project, size=WIDE) as app:
            await app.press_and_see("H", "7", "3")
            text = await app.press_and_see("backspace", "backspace")
            assert app.screen.target().index == 17
            assert "find in" not in text
            assert "1 find in 1 answer" in await app.press_and_see("ctrl+y")

    async def test_it_ends_when_misses_run_on_and_goes_on_when_asked(self, project, monkeypatch):
        monkeypatch.setattr(hunt, "MISSES", 4)
        async with running(project, size=WIDE) as app:
            text = await app.press_and_see("H", "7", *"3333")
            assert "4 misses in a row: hardly more of it is left" in text
            labels = project.labels()
            assert "4 misses in a row" in await app.press_and_see("7")
            assert project.labels() == labels  # nothing is asked, so nothing is answered
            text = await app.press_and_see("enter")
            assert "nearest to what there is of it" in text
            assert project.labels() == labels
            await app.press_and_see("7")
            assert len(project.labels()) == len(labels) + 1

    async def test_an_undo_at_the_end_takes_up_the_hunt(self, project, monkeypatch):
        monkeypatch.setattr(hunt, "MISSES", 3)
        async with running(project, size=WIDE) as app:
            assert "3 misses in a row" in await app.press_and_see("H", *"333")
            assert "nearest to what there is" in await app.press_and_see("backspace")
            assert app.screen.target() is not None

    async def test_where_nothing_is_left_it_says_so(self):
        project = FakeProject(n=3, n_clusters=3, n_classes_known=3)
        for name in project.session.pool.ids:
            project.session.label(name, 0)
        async with running(project, size=WIDE) as app:
            assert "every image has an answer: H leads back" in await app.press_and_see("H")

    async def test_a_late_answer_of_the_worker_moves_nothing_under_the_eye(self, project):
        async with running(project, size=WIDE) as app:
            await app.press_and_see("H", "right", "right")
            target = app.screen.target()
            app.screen._take(project.hunt(7, 60, np.array([17, 0, 1])))
            await settle(app, app.pilot)
            assert app.screen.target() == target
            await app.press_and_see("5")
            assert project.labels()[-1][0] == target.index


class TestLooks:
    async def test_80x24(self, project):
        async with running(project) as app:
            await app.press_and_see("H", "7")
            shown = lines(app)
        assert shown[1].startswith(" hunt for 7  1 find in 1 answer")
        assert shown[20].startswith(" 0000.png · 2 of ")
        assert "H back" in shown[23]
