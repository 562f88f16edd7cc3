"""More like this, key by key."""

from dataclasses import replace

import pytest

from labeler.ui.screens.confirm import ConfirmScreen
from labeler.ui.screens.question import QuestionScreen
from labeler.ui.screens.representatives import ContactSheet
from labeler.ui.screens.similar import SimilarScreen
from tests.ui.support import FakeProject, running, screen_text, settle
from tests.ui.test_confirm import pages
from tests.ui.test_screens import DANGEROUS, HOSTILE, lines

WIDE = (120, 40)


@pytest.fixture
def project() -> FakeProject:
    return FakeProject(n_classes_known=10)


class TestOpening:
    async def test_m_shows_the_nearest_of_the_guess_and_leads_back(self, project):
        async with running(project, size=WIDE) as app:
            text = await app.press_and_see("1", "M")
            assert isinstance(app.screen, SimilarScreen)
            assert "are these all 1?" in text
            assert "nearest to 0001.png first" in text
            assert project.wanted_similar == [(1, 25, [])]
            assert app.screen.shown()[:3] == [1, 11, 21]  # the picture itself comes first: it has no answer yet
            text = await app.press_and_see("M")
            assert isinstance(app.screen, QuestionScreen)
            assert "0001.png" in text

    async def test_of_a_labeled_one_the_kind_is_its_label_but_each_picture_has_its_own(self, project):
        async with running(project, size=WIDE) as app:
            text = await app.press_and_see("R", "left", "7", "left", "M")
            assert "are these all 0?   7 7: all 7" in text
            assert app.screen.shown()[:2] == [10, 20]
            await app.press_and_see("M")
            assert isinstance(app.screen, ContactSheet)
            await app.press_and_see("M")
            await app.press_and_see("enter")
            assert {class_id for _, class_id, _ in pages(project)[0]} == {0}

    async def test_the_key_of_the_kind_pressed_twice_says_it_of_all(self, project):
        async with running(project, size=WIDE) as app:
            text = await app.press_and_see("R", "left", "7", "left", "M", "7")
            assert text.count("→ 7") == 1
            text = await app.press_and_see("7")
            assert "are these all 7?" in text
            assert "it says so already" in await app.press_and_see("7")
            await app.press_and_see("enter")
            words = {index: word for index, _, word in pages(project)[0]}
            assert {class_id for _, class_id, _ in pages(project)[0]} == {7}
            assert set(words.values()) == {"confirmed"}

    async def test_a_guess_that_is_not_held_any_more_is_no_kind(self, project):
        async with running(project, size=WIDE) as app:
            await app.press_and_see("1")
            project.n_classes_known = 1  # the question shows a 1 still
            project.post("round")
            await settle(app, app.pilot)
            assert "are these all 0?" in await app.press_and_see("M")

    async def test_of_a_blind_question_nothing_is_shown_until_the_person_says_what_they_are(self, project):
        async with running(project, size=WIDE) as app:
            current = project.session.questions.current
            project.session.questions.current = replace(current, blind=True)
            app.view = project.view()
            await settle(app, app.pilot)
            text = await app.press_and_see("M")
            assert "which class are these?" in text
            assert "0[" not in text.split("nearest to")[1].splitlines()[1]
            assert app.screen.guess() is None
            assert "press its key first" in await app.press_and_see("enter")
            assert "are these all 3?" in await app.press_and_see("3")
            await app.press_and_see("enter")
            assert {class_id for _, class_id, _ in pages(project)[0]} == {3}

    async def test_without_a_guess_the_next_class_key_says_the_kind(self):
        project = FakeProject(n_classes_known=0)
        async with running(project, size=WIDE) as app:
            text = await app.press_and_see("M")
            assert "which class are these?" in text
            assert "press its key first" in await app.press_and_see("enter")
            assert pages(project) == []
            assert "are these all 4?" in await app.press_and_see("right", "4")
            await app.press_and_see("enter")
            assert {labels for page in pages(project) for labels in page} == {
                (index, 4, "confirmed") for index in range(0, 250, 10)
            }

    async def test_from_a_page_of_the_grid_it_is_the_focused_picture(self, project):
        async with running(project, size=WIDE) as app:
            text = await app.press_and_see("G", "right", "M")
            assert "nearest to 0011.png first" in text
            assert "are these all 1?" in text
            await app.press_and_see("M")
            assert isinstance(app.screen, ConfirmScreen)

    async def test_before_the_pool_is_prepared_it_says_so(self):
        project = FakeProject(n_classes_known=10)
        project.engine.is_ready = False
        async with running(project) as app:
            assert "still being prepared" in await app.press_and_see("M")
            assert isinstance(app.screen, QuestionScreen)

    async def test_without_a_question_it_says_so(self):
        async with running(FakeProject(with_round=False)) as app:
            assert "no question yet" in await app.press_and_see("M")


class TestWhatIsHeld:
    async def test_captions_stay_while_rounds_come_and_are_new_before_they_are_saved(self, project):
        async with running(project, size=WIDE) as app:
            await app.press_and_see("1", "M", "right", "5")
            project.n_classes_known = 1
            project.post("round")
            await settle(app, app.pilot)
            assert "are these all 1?" in screen_text(app)
            text = await app.press_and_see("enter", "enter")
            assert "labels have changed" in text or "pressed before this page was there" in text
            assert pages(project) == []
            assert "are these all 0?" in text
            assert "→ 5" in text
            await app.press_and_see("enter")
            assert pages(project)[0][:3] == [(1, 0, "confirmed"), (11, 5, "human"), (21, 0, "confirmed")]

    async def test_what_is_near_but_held_to_be_of_another_class_says_so(self, project):
        labels = project.session.machine_labels.round.labels
        labels[[10, 20]] = 6
        async with running(project, size=WIDE) as app:
            text = await app.press_and_see("M")
            assert "is every caption right? 23 0, 2 6" in text
            await app.press_and_see("enter")
            assert pages(project)[0][:4] == [
                (0, 0, "confirmed"),
                (10, 6, "confirmed"),
                (20, 6, "confirmed"),
                (30, 0, "confirmed"),
            ]


class TestAnswers:
    @pytest.mark.parametrize("key", ["enter", "A", "a"])
    async def test_enter_confirms_all_as_one_event_and_goes_farther(self, project, key):
        async with running(project, size=WIDE) as app:
            text = await app.press_and_see("M")
            text = await app.press_and_see(key)
            assert pages(project) == [[(index, 0, "confirmed") for index in range(0, 250, 10)]]
            assert project.journal.events[-1].payload["screen"] == "alike"
            assert "✓ saved page" in text
            assert app.screen.shown() == list(range(250, 400, 10))

    @pytest.mark.parametrize("key", ["X", "x"])
    async def test_a_miss_is_left_without_an_answer(self, project, key):
        async with running(project, size=WIDE) as app:
            text = await app.press_and_see("M", "right", key)
            assert "left out" in text
            assert "1 miss" in text
            assert "miss" not in (await app.press_and_see(key)).splitlines()[1]
            await app.press_and_see(key, "enter")
            assert 10 not in {index for index, _, _ in pages(project)[0]}
            assert 10 not in project.session.state.answers

    async def test_a_class_key_sets_the_focused_one_and_on_the_first_says_the_kind(self, project):
        async with running(project, size=WIDE) as app:
            text = await app.press_and_see("M", "right", "5")
            assert "are these all 0?" in text
            assert "→ 5" in text
            assert "are these all 6?" in await app.press_and_see("left", "6")
            await app.press_and_see("enter")
            assert pages(project)[0][:3] == [(0, 6, "confirmed"), (10, 5, "human"), (20, 6, "confirmed")]

    async def test_three_misses_in_a_row_end_it(self, project):
        async with running(project, size=WIDE) as app:
            await app.press_and_see("M", "right", "X", "right", "X", "right", "X")
            text = await app.press_and_see("enter")
            assert "3 misses in a row" in text
            assert len(pages(project)) == 1
            assert "3 misses in a row" in await app.press_and_see("3")
            assert len(project.wanted_similar) == 1
            await app.press_and_see("enter")
            assert isinstance(app.screen, QuestionScreen)

    async def test_misses_in_a_row_are_counted_over_pages(self, project):
        async with running(project, size=WIDE) as app:
            await app.press_and_see("M", *["right"] * 23, "X", "right", "X")
            await app.press_and_see("enter")
            assert isinstance(app.screen, SimilarScreen)
            await app.press_and_see("X")
            text = await app.press_and_see("enter")
            assert "3 misses in a row" in text

    async def test_two_and_two_do_not_end_it(self, project):
        async with running(project, size=WIDE) as app:
            keys = ["right", "X", "right", "X", "right", "right", "X", "right", "X"]
            await app.press_and_see("M", *keys)
            text = await app.press_and_see("enter")
            assert "are these all 0?" in text

    async def test_one_undo_takes_the_page_back_and_the_end_with_it(self, project):
        async with running(project, size=WIDE) as app:
            await app.press_and_see("M", "right", "X", "right", "X", "right", "X")
            await app.press_and_see("enter")
            text = await app.press_and_see("backspace")
            assert "are these all 0?" in text
            assert "3 misses" in text
            assert project.session.state.answers == {}
            await app.press_and_see("right", "X")
            await app.press_and_see("enter")
            assert len(pages(project)) == 2
            assert len(project.wanted_similar) == 2

    async def test_redo_brings_it_back(self, project):
        async with running(project, size=WIDE) as app:
            await app.press_and_see("M")
            await app.press_and_see("enter")
            await app.press_and_see("backspace")
            assert project.session.state.answers == {}
            await app.press_and_see("ctrl+y")
            assert len(project.session.state.answers) == 25

    async def test_space_looks_farther_and_saves_nothing(self, project):
        async with running(project, size=WIDE) as app:
            await app.press_and_see("M", "space")
            await app.press_and_see()
            assert pages(project) == []
            assert app.screen.shown()[0] == 250

    async def test_when_nothing_is_left_it_says_so_and_a_key_leads_back(self, project):
        async with running(project, size=WIDE) as app:
            await app.press_and_see("M")
            await app.press_and_see("enter")
            text = await app.press_and_see("enter")
            assert "nothing without an answer is left" in text
            assert len(project.session.state.answers) == 40
            await app.press_and_see("space")
            assert isinstance(app.screen, QuestionScreen)

    async def test_unsure_takes_the_focused_one_off_the_page(self, project):
        async with running(project, size=WIDE) as app:
            await app.press_and_see("M", "right", "U")
            assert 10 not in app.screen.shown()
            assert project.session.state.answers[10].kind == "unsure"

    async def test_a_new_class_may_be_the_kind(self, project):
        async with running(project, size=WIDE) as app:
            text = await app.press_and_see("M", "N", *"owl", "enter")
            assert "are these all owl?" in text

    async def test_not_saved_keeps_the_page(self, project):
        async with running(project, size=WIDE) as app:
            await app.press_and_see("M")
            project.journal.full = True
            assert "NOT saved" in await app.press_and_see("enter")
            project.journal.full = False
            await app.press_and_see("enter")
            assert len(pages(project)) == 1

    async def test_other_screens_lie_above_it_and_lead_back(self, project):
        async with running(project) as app:
            for key in "RG":
                await app.press_and_see("M", key, key)
                assert isinstance(app.screen, SimilarScreen)
                await app.press_and_see("M")


class TestLooks:
    async def test_80x24(self, project):
        async with running(project) as app:
            await app.press_and_see("M", "right", "X")
            shown = lines(app)
        assert shown[1] == " are these all 0?   1 miss   nearest to 0000.png first"
        assert shown[6].split()[:4] == ["0", "[left", "out]", "0"]
        assert shown[20].startswith(" 0010.png · 0 labels given")
        assert shown[23].startswith(" ⏎ all right  space leave  ⌫ undo  M back  U unsure  X a miss")

    async def test_a_resize_keeps_page_marks_and_cursor(self, project):
        async with running(project, size=WIDE) as app:
            await app.press_and_see("M", "right", "X")
            for size in ((80, 24), (60, 16), WIDE):
                await app.pilot.resize_terminal(*size)
                await settle(app, app.pilot)
                assert app.screen.target().index == 10
                assert "1 miss" in screen_text(app)
            assert len(project.wanted_similar) == 1

    async def test_hostile_names(self):
        names = tuple(name.removesuffix(".png")[:180].strip() for name in HOSTILE)
        project = FakeProject(classes=names, n_classes_known=len(names), ids=HOSTILE + [f"{n}.png" for n in range(390)])
        async with running(project) as app:
            for _ in range(5):
                assert not DANGEROUS.search(await app.press_and_see("M", "right", "X"))
                await app.press_and_see("enter")
                assert not DANGEROUS.search(await app.press_and_see("M"))
            assert not app._exit
