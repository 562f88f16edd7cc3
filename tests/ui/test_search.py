"""Search, key by key: the line where the query is typed, and what was found."""

import pytest

from labeler.session.search import GUIDE
from labeler.ui.forms.search import SearchFor
from labeler.ui.screens.question import QuestionScreen
from labeler.ui.screens.representatives import ContactSheet
from labeler.ui.screens.search import SearchScreen
from labeler.ui.screens.similar import SimilarScreen
from tests.ui.support import FakeProject, running, screen_text, settle
from tests.ui.test_screens import DANGEROUS, HOSTILE, lines

WIDE = (120, 40)


@pytest.fixture
def project() -> FakeProject:
    return FakeProject(n_classes_known=10)


class TestTyping:
    async def test_it_says_how_many_fit_while_it_is_typed_and_what_can_be_typed(self, project):
        async with running(project, size=WIDE) as app:
            text = await app.press_and_see("/")
            assert isinstance(app.screen, SearchFor)
            assert "400 images" in text
            for example, _ in GUIDE:
                assert example in text
            assert "11 images" in await app.press_and_see(*"007")
            assert project.labels() == []  # digits are typed here

    async def test_nothing_found_keeps_the_line(self, project):
        async with running(project) as app:
            assert "nothing fits" in await app.press_and_see("/", *"zebra")
            await app.press_and_see("enter")
            assert isinstance(app.screen, SearchFor)
            text = await app.press_and_see("escape")
            assert isinstance(app.screen, QuestionScreen)
            assert "0000.png" in text

    async def test_a_word_that_can_fit_nothing_is_said(self, project):
        async with running(project) as app:
            assert "no class begins with 'zebra'" in await app.press_and_see("/", *"class:zebra")

    async def test_the_small_terminal_still_has_its_line(self, project):
        async with running(project, size=(60, 16)) as app:
            text = await app.press_and_see("/", *"007")
            assert "11 images" in text
            assert "look at them" in text


class TestFound:
    async def test_slash_leads_back_and_again_to_the_same_query(self, project):
        async with running(project) as app:
            text = await app.press_and_see("1", "/", *"0070", "enter")
            assert isinstance(app.screen, SearchScreen)
            assert "search 0070  1 image of 400" in text
            assert "0070.png" in text
            text = await app.press_and_see("/")
            assert isinstance(app.screen, QuestionScreen)
            assert "0001.png" in text
            assert "1 image" in await app.press_and_see("/")
            await app.press_and_see(*"39", "enter")  # typed over the one before
            assert app.screen.shown() == [39, 139, 239, 339, *range(390, 400)]

    async def test_a_class_key_answers_the_focused_one_and_goes_on(self, project):
        async with running(project) as app:
            await app.press_and_see("/", *"provenance:predicted", "enter", "5", "6")
            assert project.labels() == [(200, "5"), (201, "6")]
            assert app.screen.target().index == 202
            assert project.journal.events[-1].payload["screen"] == "search"

    async def test_a_given_label_is_changed_and_said(self, project):
        async with running(project) as app:
            await app.press_and_see("3", "/", *"labeled", "enter")
            text = await app.press_and_see("4")
            assert project.labels() == [(0, "3"), (0, "4")]
            assert "changed from 3 to 4" in text
            assert "✓ 4" in text
            text = await app.press_and_see("backspace")
            assert project.session.label_of(0)[0] == 3

    async def test_the_same_label_again_is_no_change(self, project):
        async with running(project) as app:
            assert "changed" not in await app.press_and_see("3", "/", *"labeled", "enter", "3")

    async def test_accept_takes_what_the_caption_guesses(self, project):
        async with running(project) as app:
            await app.press_and_see("/", *"0123", "enter", "A")
            assert project.labels() == [(123, "3")]

    async def test_space_skips_but_never_takes_a_label(self, project):
        async with running(project) as app:
            await app.press_and_see("3", "/", *"000", "enter")
            assert "it has a label" in await app.press_and_see("space")
            assert project.session.label_of(0)[0] == 3
            await app.press_and_see("right", "space")
            assert project.session.state.answers[1].kind == "skip"

    @pytest.mark.parametrize(("key", "kind"), [("U", "unsure"), ("X", "reject")])
    async def test_other_answers(self, project, key, kind):
        async with running(project) as app:
            await app.press_and_see("/", *"0123", "enter", key)
            assert project.session.state.answers[123].kind == kind

    async def test_enter_asks_about_it_next(self, project):
        async with running(project) as app:
            await app.press_and_see("R", "/", *"0123", "enter")
            text = await app.press_and_see("enter")
            assert isinstance(app.screen, QuestionScreen)
            assert len(app.screen_stack) == 2
            assert "0123.png" in text
            await app.press_and_see("4")
            assert project.labels() == [(123, "4")]
            assert "0000.png" in screen_text(app)

    async def test_enter_on_an_answered_one_asks_again(self, project):
        async with running(project) as app:
            await app.press_and_see("3", "/", *"labeled", "enter")
            text = await app.press_and_see("enter")
            assert "0000.png" in text
            assert "is 3 now" in text
            await app.press_and_see("5")
            assert project.labels() == [(0, "3"), (0, "5")]

    async def test_what_cannot_be_shown_is_not_asked(self, project):
        project.session.pool.unreadable[399] = True
        async with running(project) as app:
            text = await app.press_and_see("/", *"unreadable", "enter", "enter")
            assert "cannot be asked about" in text
            assert isinstance(app.screen, SearchScreen)

    async def test_other_screens_work_from_it_and_lead_back(self, project):
        async with running(project) as app:
            await app.press_and_see("/", *"0123", "enter")
            for key, screen in (("M", SimilarScreen), ("R", ContactSheet)):
                await app.press_and_see(key)
                assert isinstance(app.screen, screen)
                await app.press_and_see(key)
                assert isinstance(app.screen, SearchScreen)

    async def test_moving_over_pages(self, project):
        async with running(project) as app:
            text = await app.press_and_see("/", "enter")
            assert "search everything  400 images of 400" in text
            page = app.screen.grid.layout_now.page
            await app.press_and_see("pagedown", "down", "right", "left", "up")
            assert app.screen.target().index == page
            await app.press_and_see("pageup")
            assert app.screen.target().index == 0

    async def test_rounds_never_move_it(self, project):
        async with running(project) as app:
            await app.press_and_see("/", *"class:3", "enter", "right")
            before = list(app.screen.shown())
            project.n_classes_known = 2
            project.post("round")
            await settle(app, app.pilot)
            assert list(app.screen.shown()) == before
            assert app.screen.target().index == 13


class TestLooks:
    async def test_80x24(self, project):
        async with running(project) as app:
            await app.press_and_see("3", "/", *"class:3", "enter")
            shown = lines(app)
        assert shown[1] == " search class:3  41 images of 400"
        assert shown[6].split()[:4] == ["[", "✓", "3", "]"]
        assert shown[20].startswith(" 0000.png · 3, human · 1 of 41 ")
        assert shown[23].startswith(" ⏎ open  A accept  space skip  ⌫ undo  / back")

    async def test_a_resize_keeps_the_cursor(self, project):
        async with running(project, size=WIDE) as app:
            await app.press_and_see("/", *"class:3", "enter", "right")
            for size in ((80, 24), (60, 16), WIDE):
                await app.pilot.resize_terminal(*size)
                await settle(app, app.pilot)
                assert app.screen.target().index == 13

    async def test_hostile_names(self):
        project = FakeProject(n=len(HOSTILE), n_clusters=5, ids=HOSTILE)
        async with running(project) as app:
            assert not DANGEROUS.search(await app.press_and_see("/", "[", "/", "x"))
            for keys in (["enter"], ["1"], ["right"], ["2"], ["backspace"]):
                assert not DANGEROUS.search(await app.press_and_see(*keys))
            assert not app._exit
