"""The grid, key by key: are these all 1?"""

from dataclasses import replace

import pytest

from labeler.core.types import Advice
from labeler.ui.page import Page
from labeler.ui.render.short_names import short_name
from labeler.ui.screens.confirm import ConfirmScreen
from labeler.ui.screens.question import QuestionScreen
from labeler.ui.screens.representatives import ContactSheet
from tests.ui.support import FakeProject, running, screen_text, settle


def pages(project: FakeProject) -> list[list[tuple[int, int, str]]]:
    found = [event.payload["labels"] for event in project.journal.events if event.kind == "page"]
    return [[(project.session.pool.index(i), class_id, word) for i, class_id, word in page] for page in found]


@pytest.fixture
def project() -> FakeProject:
    return FakeProject(n_classes_known=10)


class TestOpening:
    async def test_g_opens_it_and_leads_back_to_the_same_question(self, project):
        async with running(project, size=(120, 40)) as app:
            await app.press_and_see("1")
            text = await app.press_and_see("G")
            assert isinstance(app.screen, ConfirmScreen)
            assert "are these all 1?" in text
            assert project.wanted == [(25, [])]
            text = await app.press_and_see("G")
            assert isinstance(app.screen, QuestionScreen)
            assert "0001.png" in text

    async def test_fewer_pictures_on_a_small_terminal(self, project):
        async with running(project, size=(60, 16)) as app:
            await app.press_and_see("G")
            assert 3 <= project.wanted[0][0] < 25
            assert app.screen.grid.pages == 1

    async def test_before_the_pool_is_prepared_it_says_so(self):
        async with running(FakeProject(with_round=False)) as app:
            assert "the pages are still being prepared" in await app.press_and_see("G")
            assert isinstance(app.screen, QuestionScreen)

    async def test_when_no_page_pays_it_says_so(self, project):
        project.no_pages = True
        async with running(project) as app:
            assert "no page to confirm now" in await app.press_and_see("G")
            assert "no page to confirm now" in await app.press_and_see("enter")
            await app.press_and_see("1", "X", "space")
            assert pages(project) == []

    async def test_after_three_clean_pages_it_says_that_questions_mend_more_and_the_advice_waits_with_pages(self):
        project = FakeProject(n=400, n_classes_known=10)
        advice = Advice("grids", "a page mends more", "G")
        project.session.merge_round(replace(project.session.machine_labels.round, advice=advice))
        async with running(project) as app:
            assert "G a page mends more" in screen_text(app)
            await app.press_and_see("G")
            for _ in range(2):
                assert "leads back" not in await app.press_and_see("enter")
            assert "the last pages held hardly an error: G leads back, 10 questions mend more" in (
                await app.press_and_see("enter")
            )
            assert isinstance(app.screen, ConfirmScreen)  # it goes back when the person does
            await app.press_and_see("G")
            for left in range(10, 1, -1):
                assert f": answer {left} more, then pages again" in screen_text(app)
                await app.press_and_see("1")
            assert ": answer 1 more, then pages again" in screen_text(app)
            assert "G a page mends more" in await app.press_and_see("1")

    async def test_what_a_screen_said_does_not_stay_on_the_next_one(self, project):
        project.no_pages = True
        async with running(project) as app:
            await app.press_and_see("G")
            assert "leads back" in await app.press_and_see("enter")
            assert "leads back" not in (await app.press_and_see("G")).splitlines()[-2]
            await app.press_and_see("G", "enter")
            assert "no picture is left" not in (await app.press_and_see("R")).splitlines()[-2]

    async def test_the_sheet_lies_above_it_and_leads_back(self, project):
        async with running(project) as app:
            await app.press_and_see("G", "R")
            assert isinstance(app.screen, ContactSheet)
            assert "are these all 1?" in await app.press_and_see("R")


class TestAnswers:
    @pytest.mark.parametrize("key", ["enter", "A", "a"])
    async def test_enter_confirms_the_page_and_brings_the_next(self, project, key):
        async with running(project, size=(120, 40)) as app:
            await app.press_and_see("G")
            text = await app.press_and_see(key)
            assert pages(project) == [[(index, 1, "confirmed") for index in range(1, 250, 10)]]
            assert "are these all 2?" in text
            assert "✓ saved page" in text
            assert project.wanted[-1] == (25, list(range(1, 250, 10)))

    @pytest.mark.parametrize("key", ["X", "x"])
    async def test_a_mark_swaps_in_the_runner_up_and_takes_it_out_again(self, project, key):
        async with running(project, size=(120, 40)) as app:
            await app.press_and_see("G", "right")
            text = await app.press_and_see(key)
            assert "→ 2" in text
            assert "1 set otherwise" in text
            assert "set otherwise" not in await app.press_and_see(key)
            await app.press_and_see(key, "enter")
            assert pages(project)[0][:3] == [(1, 1, "confirmed"), (11, 2, "human"), (21, 1, "confirmed")]

    async def test_a_class_key_sets_the_focused_one(self, project):
        async with running(project, size=(120, 40)) as app:
            await app.press_and_see("G", "down", "7", "right", "1")
            await app.press_and_see("enter")
            labels = {index: (class_id, word) for index, class_id, word in pages(project)[0]}
            assert [value for value in labels.values() if value != (1, "confirmed")] == [(7, "human")]

    async def test_a_class_without_a_key_is_typed(self):
        project = FakeProject(classes=tuple(f"sort{number:02d}" for number in range(40)), n_classes_known=10)
        async with running(project, size=(120, 40)) as app:
            await app.press_and_see("G", *"sort37", "enter")
            assert app.screen.typed == ""
            assert pages(project) == []
            await app.press_and_see("enter")
            assert pages(project)[0][0] == (1, 37, "human")

    async def test_space_leaves_the_page(self, project):
        async with running(project, size=(120, 40)) as app:
            text = await app.press_and_see("G", "space")
            text = await app.press_and_see()
            assert pages(project) == []
            assert "are these all 2?" in text
            assert project.wanted[-1][1] == list(range(1, 250, 10))

    @pytest.mark.parametrize("key", ["backspace", "ctrl+z"])
    async def test_one_undo_takes_a_page_back_with_its_exceptions(self, project, key):
        async with running(project, size=(120, 40)) as app:
            await app.press_and_see("G", "X")
            await app.press_and_see("enter")
            text = await app.press_and_see(key)
            assert "↶ taken back page" in text
            assert "are these all 1?" in text
            assert "1 set otherwise" in text
            assert project.view().given == 0
            await app.press_and_see("ctrl+y")
            assert project.view().given == 25
            assert "are these all" in screen_text(app)

    @pytest.mark.parametrize("key", ["U", "u"])
    async def test_unsure_takes_the_focused_one_off_the_page(self, project, key):
        async with running(project, size=(120, 40)) as app:
            await app.press_and_see("G", key)
            await app.press_and_see("enter")
            assert [index for index, _, _ in pages(project)[0]][:2] == [11, 21]
            assert project.view().unsure == 1

    @pytest.mark.parametrize("key", ["F", "f"])
    async def test_flag(self, project, key):
        async with running(project, size=(120, 40)) as app:
            assert "⚑ flagged" in await app.press_and_see("G", key)
            assert project.session.state.flagged == {1}

    async def test_a_new_class_sets_the_focused_one(self, project):
        async with running(project, size=(120, 40)) as app:
            await app.press_and_see("G", "N", *"yak", "enter")
            await app.press_and_see("enter")
            assert pages(project)[0][0] == (1, 10, "human")

    async def test_not_saved_keeps_the_page(self, project):
        async with running(project, size=(120, 40)) as app:
            await app.press_and_see("G")
            project.journal.full = True
            assert "NOT saved" in await app.press_and_see("enter")
            project.journal.full = False
            await app.press_and_see("enter")
            assert len(pages(project)) == 1

    async def test_two_enters_at_once_never_confirm_a_page_nobody_saw(self, project):
        async with running(project, size=(120, 40)) as app:
            await app.press_and_see("G")
            await app.press_and_see("enter", "enter")
            assert len(pages(project)) == 1


class TestWhatIsHeld:
    async def test_a_page_never_confirms_a_class_that_its_pictures_do_not_hold(self, project):
        async with running(project, size=(120, 40)) as app:
            await app.press_and_see("G")
            project.n_classes_known = 1  # the page asks about 1; from now on everything is a 0
            project.post("round")
            await settle(app, app.pilot)
            assert "are these all 1?" in screen_text(app)
            text = await app.press_and_see("enter")
            assert "25 labels have changed, and the captions with them; look again, ⏎ again saves the page" in text
            assert "are these all 0?" in text
            assert pages(project) == []
            await app.press_and_see("enter")
            assert pages(project) == [[(index, 0, "confirmed") for index in range(1, 250, 10)]]

    async def test_each_picture_is_captioned_as_what_it_is_held_to_be(self, project):
        project.session.machine_labels.round.labels[[1, 21]] = 8
        async with running(project, size=(120, 40)) as app:
            assert "is every caption right? 23 1, 2 8" in await app.press_and_see("G")
            await app.press_and_see("X")  # the class of the page in place of the caption
            await app.press_and_see("enter")
            assert pages(project)[0][:3] == [(1, 2, "human"), (11, 1, "confirmed"), (21, 8, "confirmed")]

    async def test_the_classes_of_a_mixed_page_are_told_apart_by_their_names(self):
        names = tuple(f"an unusually long name of a class, number {number}" for number in range(10))
        project = FakeProject(classes=names, n_classes_known=10)
        project.session.machine_labels.round.labels[[1, 21]] = 8
        async with running(project, size=(120, 40)) as app:
            asked = next(line for line in (await app.press_and_see("G")).splitlines() if "is every caption" in line)
            first, second = (short_name(names[class_id], names, 40) for class_id in (1, 8))
            assert first != second
            assert f"is every caption right? 23 {first}, 2 {second}" in asked

    async def test_back_from_another_screen_the_captions_are_those_of_now(self, project):
        async with running(project, size=(120, 40)) as app:
            await app.press_and_see("G", "R")
            project.n_classes_known = 1
            project.post("round")
            await settle(app, app.pilot)
            assert "are these all 0?" in await app.press_and_see("R")
            await app.press_and_see("enter")
            assert {class_id for _, class_id, _ in pages(project)[0]} == {0}

    async def test_a_page_taken_back_is_captioned_anew(self, project):
        async with running(project, size=(120, 40)) as app:
            await app.press_and_see("G", "X")
            await app.press_and_see("enter")
            project.n_classes_known = 1
            project.post("round")
            await settle(app, app.pilot)
            text = await app.press_and_see("backspace")
            assert "are these all 0?" in text
            assert "1 set otherwise" in text
            await app.press_and_see("enter")
            assert pages(project)[1][:2] == [(1, 2, "human"), (11, 0, "confirmed")]


class TestMoving:
    async def test_arrows_and_resize(self, project):
        async with running(project, size=(120, 40)) as app:
            await app.press_and_see("G")
            across = app.screen.grid.layout_now.across
            for key, place in (("right", 1), ("down", 1 + across), ("left", across), ("up", 0), ("up", 0), ("left", 0)):
                await app.press_and_see(key)
                assert app.screen.grid.cursor == place
            await app.press_and_see("right", "X")
            for size in ((80, 24), (60, 16), (120, 40)):
                await app.pilot.resize_terminal(*size)
                await settle(app, app.pilot)
                assert app.screen.target().index == 11
                assert "1 set otherwise" in screen_text(app)
            assert len(project.wanted) == 1


def test_a_page_without_one_of_its_pictures_keeps_the_rest_straight():
    page = Page(1, [10, 20, 30, 40], [2, 2, -1, 2])
    assert page.swap(1)
    assert page.swap(3)
    assert not page.swap(2)
    assert page.caption([1, 1, 5, 1], without=1)
    assert page.swap(2)  # the class that is asked about
    page.drop(0)
    assert [page.class_at(place) for place in range(3)] == [2, 1, 2]
    assert page.painted_as() == {}
    assert page.indices == [20, 30, 40]
