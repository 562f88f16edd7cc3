"""Why a label is what it is, key by key, back to the key press."""

import re

import pytest

from labeler.ui.screens.question import QuestionScreen
from labeler.ui.screens.representatives import ContactSheet
from labeler.ui.screens.why import WhyScreen
from tests.ui.support import LATER, FakeProject, Received, doubted, running, screen_text, settle
from tests.ui.test_screens import DANGEROUS, HOSTILE


@pytest.fixture
def project() -> FakeProject:
    """Instance 4 has a machine's label 4; 14, 24 and 34 were answered with it, 2 and 3 with others."""
    project = FakeProject(n_classes_known=10)
    for index in (2, 3, 14, 24, 34):
        project.session.label(f"{index:04d}.png", index % 10)
    return project


async def ask(app, index: int) -> str:
    """Ask why of an instance."""
    await app.push_screen(WhyScreen(index))
    return await app.press_and_see()


class TestOpening:
    async def test_from_the_question_and_back(self, project):
        async with running(project) as app:
            text = await app.press_and_see("I")
            assert isinstance(app.screen, WhyScreen)
            assert "0000.png" in text
            assert "0 · propagated in round 1 · score 0.700" in text
            await app.press_and_see("I")
            assert isinstance(app.screen, QuestionScreen)
            assert "0000.png" in screen_text(app)

    async def test_from_the_sheet_it_is_about_the_picture_under_the_cursor(self, project):
        async with running(project) as app:
            await app.press_and_see("R", "right")
            index = app.screen.target().index
            assert f"{index:04d}.png" in (await app.press_and_see("I")).splitlines()[1]
            await app.press_and_see("I")
            assert isinstance(app.screen, ContactSheet)
            assert app.screen.target().index == index

    async def test_from_a_page_of_one_class(self, project):
        async with running(project) as app:
            await app.press_and_see("G", "right")
            index = app.screen.target().index
            assert f"{index:04d}.png" in (await app.press_and_see("I")).splitlines()[1]

    async def test_until_the_closing_round_is_there_it_says_whose_word_it_is(self, project, monkeypatch):
        asked = []
        monkeypatch.setattr(project, "closing", lambda: asked.append(1) or LATER)
        async with running(project, size=(120, 40)) as app:
            assert "by the last round: what an export would say is being computed" in await app.press_and_see("I")
            assert asked == [1]
            project.engine.is_closed = True
            project.post("round")
            await settle(app, app.pilot)
            assert "by the last round" not in screen_text(app)

    async def test_nothing_known_yet_is_one_line(self):
        async with running(FakeProject(n_clusters=5)) as app:
            text = await app.press_and_see("I")
            assert "no label yet: no round has been computed since it joined" in text
            assert "no answer is shown here" in await app.press_and_see("enter")

    async def test_before_there_is_a_question_the_key_says_so(self):
        async with running(FakeProject(with_round=False)) as app:
            assert "still being prepared" in await app.press_and_see("I")
            assert isinstance(app.screen, QuestionScreen)


class TestCarriers:
    async def test_the_answers_that_carry_it_with_their_shares_back_to_the_key_press(self, project):
        async with running(project) as app:
            text = await ask(app, 4)
            assert "4 · propagated in round 1" in text
            assert "carried by 3 answers" in text
            assert app.screen.shown() == [14, 24, 34]
            assert "[ 50 % 4 ]" in text
            assert "25 % 4" in text
            press = project.session.state.answers[14]
            assert f"event {press.event_id}" in text
            assert "4 · human on 1970-01-01" in text
            assert "on the question screen, chosen by hand" in text
            assert "0014.png · answer 1 of 3" in text

    async def test_arrows_move_and_enter_goes_on(self, project):
        async with running(project) as app:
            await ask(app, 4)
            for key, place in (("right", 1), ("right", 2), ("right", 2), ("left", 1), ("up", 1), ("down", 1)):
                await app.press_and_see(key)
                assert app.screen.cursor == place
            text = await app.press_and_see("enter")
            assert app.screen.index == 24
            assert "4 · human on" in text
            assert "the nearest answers" in text
            assert app.screen.shown() == [2, 3, 14, 34]
            await app.press_and_see("enter")
            assert app.screen.index == 2
            await app.press_and_see("I")
            assert app.screen.index == 24
            text = await app.press_and_see("I")
            assert (app.screen.index, app.screen.cursor) == (4, 1)
            assert "carried by 3 answers" in text
            await app.press_and_see("I")
            assert isinstance(app.screen, QuestionScreen)

    async def test_many_answers_are_on_pages(self, project):
        for index in range(44, 400, 10):
            project.session.label(f"{index:04d}.png", 4)
        project.shares = lambda index: [(i, 0.025) for i in range(14, 400, 10)]
        async with running(project) as app:
            text = await ask(app, 4)
            assert "carried by 39 answers  with their shares; 15 more" in text
            assert len(app.screen.shown()) == 24
            assert "page 1 of 3" in text
            assert "page 2 of 3" in await app.press_and_see("pagedown")
            assert app.screen.cursor == 8
            assert "page 1 of 3" in await app.press_and_see("pageup")

    async def test_the_guesses_that_were_shown_are_named(self, project):
        async with running(project) as app:
            await app.press_and_see("0")
            text = await ask(app, 0)
            assert "asked as representative" in text
            assert "guesses shown: 0 70 %, 1 20 %, 2 5 %" in text

    async def test_an_answer_that_was_taken_back_is_not_named(self, project):
        async with running(project) as app:
            await ask(app, 4)
            text = await app.press_and_see("backspace")
            assert app.screen.shown() == [14, 24]
            assert "carried by 2 answers" in text
            await app.press_and_see("ctrl+y")
            assert app.screen.shown() == [14, 24, 34]

    async def test_shares_of_another_instance_are_not_taken(self, project):
        shares, project.shares = project.shares, lambda index: LATER
        async with running(project) as app:
            await ask(app, 4)
            late, project.shares = project.pending, shares
            app.screen._ask_of(5, 0, None)
            late.put([(14, 1.0)], is_last=True)
            await app.press_and_see()
            assert app.screen.shown() == []

    async def test_until_the_engine_answers_it_says_what_is_going_on(self, project):
        project.shares = lambda index: LATER
        async with running(project) as app:
            assert "the engine is looking for the answers" in await ask(app, 4)
            await app.press_and_see("I")
            project.engine.is_ready = False
            assert "the pictures are being prepared" in await ask(app, 4)
            del project.shares
            project.engine.is_ready = True
            project.post(Received(changed=True))
            assert "carried by 3 answers" in await app.press_and_see()

    async def test_what_the_engine_would_say_without_a_given_label(self, project):
        doubted(project, {3: (0.02, 8)})
        async with running(project) as app:
            assert "without it the engine believes 3 at 2.0 % and would say 8" in await ask(app, 3)
            project.session.keep("0003.png")
            app.view = project.view()
            assert "looked at twice and kept" in await app.press_and_see()

    @pytest.mark.parametrize(("command", "said"), [("reject", "no label: rejected"), ("unsure", "unsure on 1970")])
    async def test_what_else_a_person_said(self, project, command, said):
        getattr(project.session, command)("0004.png")
        async with running(project) as app:
            assert said in await ask(app, 4)


class TestPicture:
    async def test_it_is_whole_however_the_question_is_looked_at(self, project):
        async with running(project) as app:
            before = await ask(app, 4)
            await app.press_and_see("I", "V", "V")
            assert (await ask(app, 4)).splitlines()[1:9] == before.splitlines()[1:9]

    async def test_one_that_cannot_be_shown_says_so(self, project):
        async with running(project) as app:
            text = await ask(app, 399)
            assert "cannot be shown" in text
            assert "X rejects it" not in text


class TestKeys:
    async def test_class_keys_answer_nothing_and_say_so(self, project):
        async with running(project) as app:
            await ask(app, 4)
            before = len(project.journal.events)
            for key in ("1", "7"):
                assert "nothing is answered on this page" in await app.press_and_see(key)
            for key in ("X", "space", "G"):
                assert "does nothing here" in await app.press_and_see(key)
            assert len(project.journal.events) == before

    async def test_flag_marks_the_answer_under_the_cursor(self, project):
        async with running(project) as app:
            await ask(app, 4)
            assert "⚑ flagged" in await app.press_and_see("right", "F")
            assert project.session.state.flagged == {24}

    async def test_help_lists_its_keys(self, project):
        async with running(project) as app:
            await ask(app, 4)
            text = await app.press_and_see("?")
            assert "move over the answers" in text
            assert "give the picture the class of that key" not in text

    async def test_many_classes_without_keys_are_not_typed_here(self):
        project = FakeProject(classes=tuple(f"sort{number:02d}" for number in range(40)), n_classes_known=10)
        async with running(project) as app:
            await app.press_and_see("I", "s")
            assert app.screen.typed == ""


class TestAsText:
    async def test_80x24_120x40_and_between(self, project):
        async with running(project) as app:
            await ask(app, 4)
            for size in ((120, 40), (60, 16), (80, 24)):
                await app.pilot.resize_terminal(*size)
                await settle(app, app.pilot)
                lines = screen_text(app).splitlines()
                assert any("carried by 3 answers" in line for line in lines)
                assert any(re.search(r"\[ +50 % 4 +\]", line) for line in lines)
                assert any("⏎ why" in line for line in lines)
                assert lines[-1].startswith(" ⏎ ask on")
            shown = [re.sub("▀+", "▀", line).rstrip() for line in screen_text(app).splitlines()]
        assert shown[1].split()[-1] == "0004.png"
        assert shown[2].endswith("4 · propagated in round 1 · score 0.700 · tier none")
        assert shown[3].endswith("cluster 4, 0.000 from its center; it is its representative")
        assert shown[9].startswith(" carried by 3 answers  with their shares")
        assert [row for row, line in enumerate(shown) if "[ 50 % 4 ]" in line] == [14]
        assert shown[16].startswith(" 4 · human on 1970-01-01")
        assert shown[17] == " on the question screen, chosen by hand"
        assert shown[20].startswith(" 0014.png · answer 1 of 3")
        assert shown[23] == " ⏎ ask on  ⌫ undo  I back  D dashboard  C classes  ? help  Q quit"

    @pytest.mark.parametrize("size", [(80, 24), (60, 16)])
    async def test_hostile_names(self, size):
        names = tuple(name.removesuffix(".png")[:180].strip() for name in HOSTILE)
        project = FakeProject(n=len(HOSTILE), n_clusters=5, ids=HOSTILE, classes=names, n_classes_known=len(names))
        project.session.recorder.annotator = "\x1b]2;pwned\x07[/x]"
        for index in range(0, len(HOSTILE), 2):
            project.session.label(HOSTILE[index], index)
        doubted(project, {0: (0.001, 3), 2: (0.002, 5)})
        async with running(project, size=size) as app:
            for index in range(len(HOSTILE)):
                assert not DANGEROUS.search(await ask(app, index))
                assert not DANGEROUS.search(await app.press_and_see("right", "enter"))
                await app.press_and_see("I", "I")
            for key in ("S", "enter", "X"):
                assert not DANGEROUS.search(await app.press_and_see(key))
            assert not app._exit
