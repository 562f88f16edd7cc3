"""The second look, key by key: answers the engine doubts, kept or changed."""

import pytest

from labeler.ui.screens.question import QuestionScreen
from labeler.ui.screens.second_look import SecondLook
from labeler.ui.screens.why import WhyScreen
from tests.ui.support import FakeProject, Received, doubted, running, screen_text, settle


@pytest.fixture
def project() -> FakeProject:
    """Ten answers; those of 3, 5 and 7 are doubted, 5 the most."""
    project = FakeProject(n_classes_known=10)
    for index in range(10):
        project.session.label(f"{index:04d}.png", (index + 1) % 10 if index in (3, 5, 7) else index % 10)
    doubted(project, {3: (0.004, 3), 5: (0.0001, 5), 7: (0.005, 7), 8: (0.2, 1)})
    return project


def kinds(project: FakeProject) -> list[tuple[str, str, int]]:
    """What was said since the ten answers."""
    events = [event for event in project.journal.events if event.kind in ("label", "keep", "unsure")][10:]
    return [(event.kind, event.instance_id, event.class_id) for event in events]


def given(project: FakeProject, index: int) -> int:
    return project.session.label_of(index)[0]


class TestOffer:
    async def test_it_is_one_line_and_said_once(self, project):
        async with running(project) as app:
            assert "3 answers look odd: S looks at them again" in screen_text(app)
            assert isinstance(app.screen, QuestionScreen)
            assert "odd" not in await app.press_and_see("1")
            doubted(project, {3: (0.004, 3), 5: (0.0001, 5)})
            app.view = project.view()
            assert "odd" not in await app.press_and_see()
            doubted(project, dict.fromkeys((1, 2, 3, 5), (0.001, 0)))
            app.view = project.view()
            assert "4 answers look odd: S looks at them again" in await app.press_and_see()

    async def test_one_is_said_as_one_and_comes_again_after_none(self, project):
        doubted(project, {3: (0.004, 3)})
        async with running(project) as app:
            assert "1 answer looks odd: S looks at it again" in screen_text(app)
            await app.press_and_see("S", "enter", "S", "1")
            doubted(project, {5: (0.0001, 5)})
            app.view = project.view()
            assert "1 answer looks odd" in await app.press_and_see()

    async def test_without_a_doubt_the_key_says_so(self):
        async with running(FakeProject(n_classes_known=10)) as app:
            assert "no answer looks odd" in await app.press_and_see("1", "S")
            assert isinstance(app.screen, QuestionScreen)

    @pytest.mark.parametrize("way", [["R"], ["G"]])
    async def test_it_opens_from_every_screen_and_leads_back(self, project, way):
        async with running(project) as app:
            await app.press_and_see(*way)
            before = type(app.screen)
            await app.press_and_see("S")
            assert isinstance(app.screen, SecondLook)
            await app.press_and_see("S")
            assert type(app.screen) is before


class TestWhatIsHeld:
    async def test_enter_keeps_no_label_but_the_one_that_is_shown(self, project):
        async with running(project) as app:
            assert "you said  6" in await app.press_and_see("S")
            project.session.classes.rename(2, "owl")
            project.session.classes.merge(6, 2)  # the screen does not know yet
            text = await app.press_and_see("enter")
            assert "the label has changed since it was shown; look again, ⏎ again keeps it" in text
            assert "you said  owl" in text
            assert kinds(project) == []
            await app.press_and_see("enter")
            assert kinds(project) == [("keep", "0005.png", 2)]

    async def test_back_from_another_screen_both_sides_are_those_of_now(self, project):
        async with running(project) as app:
            await app.press_and_see("S", "C")
            project.session.classes.rename(5, "owl")
            app.view = project.view()
            assert "the engine  owl" in await app.press_and_see("C")


class TestAnswers:
    async def test_the_most_doubted_comes_first_with_both_sides(self, project):
        async with running(project) as app:
            text = await app.press_and_see("S")
            assert "0005.png · 1 of 3 odd answers" in text
            assert "you said  6" in text
            assert "the engine  5" in text
            assert "believes yours <0.1 %" in text

    async def test_whose_answer_it_is_where_two_people_answered(self):
        project = FakeProject(n_classes_known=10)
        for index, name in enumerate(("anna", "bob", "anna", "[/x]\x1b]2;T")):
            project.session.recorder.annotator = name
            project.session.label(f"{index:04d}.png", index + 1)
        doubted(project, {1: (0.001, 1), 3: (0.002, 3)})
        async with running(project) as app:
            text = await app.press_and_see("S")
            assert "bob said  2" in text
            assert "you said" not in text
            assert "[/x]" in await app.press_and_see("enter")

    @pytest.mark.parametrize("key", ["enter", "A", "a"])
    async def test_keep(self, project, key):
        async with running(project) as app:
            text = await app.press_and_see("S", key)
            assert kinds(project) == [("keep", "0005.png", 6)]
            assert "0003.png · 2 of 3" in text
            assert "✓ saved kept · 0005.png" in text
            assert project.view().doubts == (3, 7)

    @pytest.mark.parametrize("key", ["X", "x"])
    async def test_take_the_engines(self, project, key):
        async with running(project) as app:
            await app.press_and_see("S", key)
            assert kinds(project) == [("label", "0005.png", 5)]
            payload = project.journal.events[-1].payload
            assert (payload["screen"], payload["rule"], payload["margin"]) == ("second-look", "doubt", 1.0)
            assert payload["shown"] == [[5, 0.9999]]
            assert project.view().answers == 10

    async def test_a_class_key_changes_and_the_same_class_keeps(self, project):
        async with running(project) as app:
            await app.press_and_see("S", "2", "4")
            assert kinds(project) == [("label", "0005.png", 2), ("keep", "0003.png", 4)]

    async def test_a_new_class_changes_it(self, project):
        async with running(project) as app:
            await app.press_and_see("S", "N", *"yak", "enter")
            assert kinds(project) == [("label", "0005.png", 10)]
            assert project.journal.events[-1].payload["rule"] == "doubt"

    async def test_a_class_without_a_key_is_typed(self):
        project = FakeProject(classes=tuple(f"sort{number:02d}" for number in range(40)), n_classes_known=10)
        project.session.label("0001.png", 3)
        doubted(project, {1: (0.001, 5)})
        async with running(project) as app:
            await app.press_and_see("S", *"sort37", "enter")
            assert project.session.label_of(1)[0] == 37

    @pytest.mark.parametrize("key", ["U", "u"])
    async def test_unsure_takes_the_label_away(self, project, key):
        async with running(project) as app:
            await app.press_and_see("S", key)
            assert kinds(project) == [("unsure", "0005.png", None)]
            assert project.view().given == 9

    async def test_later_changes_nothing_and_is_offered_again(self, project):
        async with running(project) as app:
            text = await app.press_and_see("S", "space", "space", "space")
            assert "3 answers looked at again" in text
            assert "0 kept · 0 changed · 3 later" in text
            assert kinds(project) == []
            for key in ("enter", "X", "5", "space", "U"):
                assert "S leads back" in (await app.press_and_see(key)).splitlines()[-2]
            await app.press_and_see("S")
            assert "1 of 3" in await app.press_and_see("S")

    @pytest.mark.parametrize("key", ["backspace", "ctrl+z"])
    async def test_undo_brings_each_back_as_it_was(self, project, key):
        async with running(project) as app:
            await app.press_and_see("S", "enter", "X", "7")
            assert "3 answers looked at again" in screen_text(app)
            for place, name in ((3, "0007"), (2, "0003"), (1, "0005")):
                text = await app.press_and_see(key)
                assert f"{name}.png · {place} of 3" in text
                assert "↶ taken back" in text
            assert [given(project, index) for index in (3, 5, 7)] == [4, 6, 8]
            assert project.view().doubts == (5, 3, 7)
            text = await app.press_and_see("ctrl+y")
            assert "0003.png" in text
            assert project.view().doubts == (3, 7)

    @pytest.mark.parametrize("key", ["F", "f"])
    async def test_flag(self, project, key):
        async with running(project) as app:
            assert "⚑ flagged" in await app.press_and_see("S", key)
            assert project.session.state.flagged == {5}

    async def test_without_another_class_x_says_so(self, project):
        doubted(project, {3: (0.004, -1)})
        async with running(project) as app:
            assert "names no other class" in await app.press_and_see("S", "X")
            assert kinds(project) == []

    async def test_nothing_moves_while_it_is_open(self, project):
        """A round that thinks otherwise arrives: the same answer, the same sides."""
        async with running(project) as app:
            before = await app.press_and_see("S")
            doubted(project, {1: (0.0001, 9), 5: (0.3, 2)})
            app.post_message_to_worker = project.post(Received(changed=True))
            text = await app.press_and_see()
            assert text.splitlines()[:20] == before.splitlines()[:20]
            assert "0003.png · 2 of 3" in await app.press_and_see("enter")

    async def test_not_saved_keeps_the_answer_on_the_screen(self, project):
        async with running(project) as app:
            await app.press_and_see("S")
            project.journal.full = True
            assert "NOT saved" in await app.press_and_see("enter")
            project.journal.full = False
            assert "0003.png" in await app.press_and_see("enter")
            assert kinds(project) == [("keep", "0005.png", 6)]

    async def test_why_of_it_and_back(self, project):
        async with running(project) as app:
            text = await app.press_and_see("S", "I")
            assert isinstance(app.screen, WhyScreen)
            assert "without it the engine believes 6 at <0.1 % and would say 5" in text
            assert "0005.png · 1 of 3" in await app.press_and_see("I")

    async def test_keys_typed_at_once_answer_one_after_the_other(self, project):
        async with running(project) as app:
            await app.press_and_see("S", "enter", "1", "X")
            assert kinds(project) == [("keep", "0005.png", 6), ("label", "0003.png", 1), ("label", "0007.png", 7)]


class TestAsText:
    async def test_80x24_120x40_and_between(self, project):
        async with running(project) as app:
            await app.press_and_see("S")
            for size in ((120, 40), (60, 16), (80, 24)):
                await app.pilot.resize_terminal(*size)
                await settle(app, app.pilot)
                assert "0005.png · 1 of 3 odd answers" in screen_text(app)
            shown = [line.rstrip() for line in screen_text(app).splitlines()]
        assert shown[1].split()[-5:] == ["you", "said", "6", "⏎", "keep"]
        assert shown[2].split()[-3] == "on"
        assert shown[3].split()[-5:] == ["the", "engine", "5", "X", "take"]
        assert shown[4].split()[-5:] == ["it", "believes", "yours", "<0.1", "%"]
        assert shown[6].split()[-1] == "classes"
        assert "nearest labeled" in shown[14]
        assert shown[23] == " ⏎ keep  X take the other  space later  ⌫ undo  S back  N class  ? help  Q quit"

    async def test_help_lists_its_keys(self, project):
        async with running(project) as app:
            text = await app.press_and_see("S", "?")
            assert "keep the answer as it is" in text
            assert "change the answer to what stands beside it" in text
