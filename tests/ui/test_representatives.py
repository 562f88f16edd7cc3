"""The contact sheet, key by key."""

import pytest

from labeler.core.errors import UnreadableInstance
from labeler.ui.screens.question import QuestionScreen
from labeler.ui.screens.representatives import ContactSheet
from labeler.ui.widgets.sheet_grid import layout
from tests.ui.support import FakeProject, running, screen_text, settle


def cursor(app) -> int:
    return app.screen.target().index


class TestOpening:
    async def test_r_opens_it_at_the_question_and_leads_back(self, project):
        async with running(project) as app:
            await app.press_and_see("1", "1", "R")
            assert isinstance(app.screen, ContactSheet)
            assert cursor(app) == 2
            text = await app.press_and_see("R")
            assert isinstance(app.screen, QuestionScreen)
            assert "0002.png" in text

    async def test_a_pool_without_images_is_not_called_broken(self):
        def no_image(index):
            raise UnreadableInstance("there is no image to show here")

        async with running(FakeProject(image=no_image)) as app:
            text = await app.press_and_see("R")
            assert "no image" in text
            assert "broken" not in text

    async def test_before_there_are_representatives_it_says_so(self):
        async with running(FakeProject(with_round=False)) as app:
            assert "the representatives are still being prepared" in await app.press_and_see("R")

    async def test_all_at_a_glance_on_a_large_terminal(self, project):
        async with running(project, size=(120, 40)) as app:
            await app.press_and_see("R")
            assert app.screen.grid.pages == 1

    async def test_pages_on_a_small_one(self, project):
        async with running(project) as app:
            assert "page 1 of 3" in await app.press_and_see("R")
            assert "page 2 of 3" in await app.press_and_see("pagedown")
            assert "page 1 of 3" in await app.press_and_see("pageup")


class TestAnswers:
    async def test_a_class_key_labels_the_focused_one_and_goes_to_the_next_without_an_answer(self, project):
        async with running(project) as app:
            await app.press_and_see("1", "R", "right", "2")
            assert project.labels() == [(0, "1"), (2, "2")]
            assert cursor(app) == 3
            text = await app.press_and_see("left", "left", "3")
            assert project.labels()[-1] == (1, "3")
            assert cursor(app) == 3  # 2 has its answer
            assert "✓ 1" in text
            assert "✓ 3" in text
            assert "3 of 50 answered" in text
            assert project.journal.events[-1].payload["screen"] == "sheet"

    async def test_an_answer_may_be_changed(self, project):
        async with running(project) as app:
            await app.press_and_see("R", "1", "left", "4")
            assert project.labels() == [(0, "1"), (0, "4")]

    @pytest.mark.parametrize("key", ["enter", "A", "a"])
    async def test_accept_takes_what_the_caption_guesses(self, key):
        project = FakeProject(n_classes_known=10)
        async with running(project) as app:
            text = await app.press_and_see("R", "right")
            assert "1?" in text
            await app.press_and_see(key)
            assert project.labels() == [(1, "1")]

    async def test_the_guess_under_the_cursor_stays_while_rounds_come_and_is_not_saved_where_it_is_not_held(self):
        project = FakeProject(n_classes_known=10)
        async with running(project) as app:
            await app.press_and_see("R", "right")
            project.n_classes_known = 1  # from now on everything is a 0
            project.post("round")
            await settle(app, app.pilot)
            assert "[   1?   ]" in screen_text(app)
            assert screen_text(app).count("0?") > 10
            assert "the guess has changed: now 0" in await app.press_and_see("enter")
            assert "[   0?   ]" in screen_text(app)
            assert project.labels() == []
            await app.press_and_see("enter", "enter")
            assert project.labels() == [(1, "0"), (2, "0")]

    @pytest.mark.parametrize(
        ("key", "kind", "caption"),
        [("space", "skip", "skipped"), ("U", "unsure", "unsure"), ("X", "reject", "rejected")],
    )
    async def test_other_answers(self, project, key, kind, caption):
        async with running(project) as app:
            text = await app.press_and_see("R", key)
            assert project.journal.events[-1].kind == kind
            assert caption in text
            assert cursor(app) == 1

    async def test_flag_stays(self, project):
        async with running(project) as app:
            assert "⚑ flagged" in await app.press_and_see("R", "F")
            assert cursor(app) == 0

    @pytest.mark.parametrize("key", ["backspace", "ctrl+z"])
    async def test_undo_goes_back_to_what_it_took(self, project, key):
        async with running(project) as app:
            text = await app.press_and_see("R", "1", "2", key)
            assert cursor(app) == 1
            assert "↶ taken back 2" in text
            await app.press_and_see("ctrl+y")
            assert project.view().answers == 2

    async def test_when_all_have_an_answer_it_says_so(self):
        project = FakeProject(n=10, n_clusters=3)
        async with running(project) as app:
            text = await app.press_and_see("R", "1", "2", "3")
            assert "all representatives have an answer" in text
            assert "0003.png" in await app.press_and_see("R")

    async def test_a_new_class_answers_the_focused_one(self, project):
        async with running(project) as app:
            await app.press_and_see("R", "right", "N", *"yak", "enter")
            assert project.labels() == [(1, "yak")]


class TestMoving:
    async def test_arrows(self, project):
        async with running(project) as app:
            await app.press_and_see("R")
            across = app.screen.grid.layout_now.across
            for key, index in (("right", 1), ("down", 1 + across), ("left", across), ("up", 0), ("up", 0), ("left", 0)):
                await app.press_and_see(key)
                assert cursor(app) == index

    async def test_a_click(self, project):
        async with running(project) as app:
            await app.press_and_see("R")
            await app.pilot.click("#sheet", offset=(25, 8))
            await settle(app, app.pilot)
            assert cursor(app) == app.screen.grid.layout_now.across + 2

    async def test_a_resize_keeps_the_cursor(self, project):
        async with running(project) as app:
            await app.press_and_see("R", "pagedown", "right", "5")
            at = cursor(app)
            for size in ((120, 40), (60, 16), (80, 24)):
                await app.pilot.resize_terminal(*size)
                await settle(app, app.pilot)
                assert cursor(app) == at
                assert f"{at:04d}.png" in screen_text(app)

    async def test_results_of_the_engine_never_move_it(self, project):
        async with running(project) as app:
            await app.press_and_see("R", "right", "right")
            project.n_clusters = 7
            project.post("round")
            await settle(app, app.pilot)
            assert cursor(app) == 2
            assert "of 50 answered" in screen_text(app)


def test_small_pictures_grow_by_whole_numbers_only():
    assert layout(20, 100, 23, 8).rows == 4
    assert layout(6, 100, 23, 8).rows == 8
    assert layout(8, 120, 33, 28).rows == 14
    assert layout(50, 120, 33, 28).rows == 5  # smaller than the pictures: any size will do


@pytest.mark.parametrize(
    ("count", "width", "height"), [(50, 120, 33), (50, 80, 18), (3, 80, 18), (500, 200, 50), (1, 60, 9)]
)
def test_the_largest_thumbnails_that_fit(count, width, height):
    found = layout(count, width, height)
    assert found.across * (found.columns + 2) <= width
    assert found.down * (found.rows + 1) <= height
    assert found.page >= count or found.rows == 4
