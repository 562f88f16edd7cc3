"""Class setup, new class, percentile, help, palette, NOT saved."""

import pytest
from textual import events
from textual.command import CommandPalette
from textual.widgets import Input

from labeler.core.errors import NotSaved
from labeler.ui.forms.class_name import NewClass
from labeler.ui.forms.class_setup import ClassSetup, names_in
from labeler.ui.forms.help import Help
from labeler.ui.forms.not_saved import Elsewhere, Unsaved
from labeler.ui.forms.percentile import Percentile
from labeler.ui.screens.question import QuestionScreen
from tests.ui.support import FakeProject, running, screen_text, settle


class TestClassSetup:
    async def test_opens_by_itself_only_without_classes(self, project):
        async with running(project) as app:
            assert isinstance(app.screen, QuestionScreen)
        async with running(FakeProject(classes=())) as app:
            assert isinstance(app.screen, ClassSetup)
            assert "which classes are there?" in screen_text(app)

    async def test_names_one_a_line_then_an_empty_line_begins(self):
        project = FakeProject(classes=())
        async with running(project) as app:
            text = await app.press_and_see(*"cat", "enter", *"7", "enter")
            assert isinstance(app.screen, ClassSetup)
            assert [count.info.name for count in project.view().classes] == ["cat", "7"]
            assert "1 cat" in text
            await app.press_and_see("enter")
            assert isinstance(app.screen, QuestionScreen)
            await app.press_and_see("7", "1")
            assert project.labels() == [(0, "7"), (1, "cat")]

    async def test_a_list_begins_at_once(self):
        project = FakeProject(classes=())
        async with running(project) as app:
            await app.press_and_see(*"cat,", "space", *"big", "space", *"dog", "enter")
            assert isinstance(app.screen, QuestionScreen)
            assert [count.info.name for count in project.view().classes] == ["cat", "big dog"]

    async def test_sub_folders_are_offered_and_taken_only_by_tab(self):
        project = FakeProject(classes=())
        project.folders = ["bird", "cat"]
        async with running(project) as app:
            assert "tab takes the names of the sub-folders: bird, cat" in screen_text(app)
            assert project.view().classes == ()
            await app.press_and_see("tab", "enter")
            assert isinstance(app.screen, QuestionScreen)
            assert [count.info.name for count in project.view().classes] == ["bird", "cat"]
            assert project.labels() == []

    async def test_empty_is_fine(self):
        project = FakeProject(classes=())
        async with running(project) as app:
            assert "no classes yet" in await app.press_and_see("enter")
            assert "N adds the first class" in await app.press_and_see("1")

    async def test_keys_typed_ahead_of_the_first_picture_are_no_answers(self):
        project = FakeProject(classes=())
        async with running(project) as app:
            await app.press_and_see(*"cat", "enter")
            text = await app.press_and_see("enter", "1", "1")
            assert project.labels() == []
            assert "2 keys pressed before the first picture was there: ignored" in text

    async def test_keys_from_before_the_form_was_there_do_not_land_in_it(self):
        project = FakeProject(classes=())
        async with running(project) as app:
            app._seen = False  # as before the first frame
            await app.press_and_see(*"ls", "enter")
            app._seen = True
            assert isinstance(app.screen, ClassSetup)
            assert "3 keys pressed before this page was there: ignored" in screen_text(app)
            assert app.screen.query_one(Input).value == ""
            await app.press_and_see(*"cat", "enter")
            assert [count.info.name for count in project.view().classes] == ["cat"]

    async def test_a_pasted_list(self):
        project = FakeProject(classes=())
        async with running(project) as app:
            app.post_message(events.Paste("cat\ndog\r\n\nbird, cow\n"))
            await settle(app, app.pilot)
            await app.press_and_see("enter")
            assert [count.info.name for count in project.view().classes] == ["cat", "dog", "bird", "cow"]

    async def test_what_cannot_be_saved_stays_in_the_line(self):
        project = FakeProject(classes=())
        async with running(project) as app:
            project.journal.full = True
            assert "NOT saved" in await app.press_and_see(*"cat", "enter")
            project.journal.full = False
            await app.press_and_see("enter")
            assert [count.info.name for count in project.view().classes] == ["cat"]

    def test_names_are_cleaned(self):
        assert names_in(" cat ,dog\n\ncat;Greek/character01\t7") == ["cat", "dog", "Greek/character01", "7"]


class TestNewClass:
    async def test_adds_the_class_and_answers_with_it(self, project):
        async with running(project) as app:
            await app.press_and_see("1")
            text = await app.press_and_see("N", *"zebra")
            assert isinstance(app.screen, NewClass)
            assert "zebra gets the key b" in text
            text = await app.press_and_see("enter")
            assert project.labels() == [(0, "1"), (1, "zebra")]
            await app.press_and_see("b")
            assert project.labels()[-1] == (2, "zebra")

    async def test_escape_loses_nothing(self, project):
        async with running(project) as app:
            await app.press_and_see("1", "N", *"zeb", "escape")
            assert isinstance(app.screen, QuestionScreen)
            assert app.screen.target().index == 1
            assert len(project.view().classes) == 10

    async def test_a_name_that_exists_answers_with_it(self, project):
        async with running(project) as app:
            assert "there already, key 3" in await app.press_and_see("N", "3")
            await app.press_and_see("enter")
            assert project.labels() == [(0, "3")]
            assert len(project.view().classes) == 10

    async def test_nothing_typed_changes_nothing(self, project):
        async with running(project) as app:
            await app.press_and_see("N", "enter")
            assert project.labels() == []
            assert isinstance(app.screen, QuestionScreen)

    async def test_before_the_first_question_it_only_adds(self):
        project = FakeProject(with_round=False)
        async with running(project) as app:
            await app.press_and_see("N", *"ox", "enter")
            assert [count.info.name for count in project.view().classes][-1] == "ox"
            assert project.labels() == []


class TestPercentile:
    async def test_a_number(self, project):
        async with running(project) as app:
            for keys, value in (("35", 35.0), ("0", 0.0), ("100", 100.0), ("12.5", 12.5), ("20%", 20.0)):
                text = await app.press_and_see("P", *keys, "enter")
                assert project.session.state.percentile == value
                assert f"propagate {value:g} %" in text

    async def test_auto_and_back(self, project):
        async with running(project) as app:
            await app.press_and_see("P", *"20", "enter")
            assert "propagate auto" in await app.press_and_see("P", *"auto", "enter")
            assert project.session.state.percentile is None

    async def test_arrows_move_it(self, project):
        async with running(project) as app:
            await app.press_and_see("P", *"20", "enter", "P", "up", "up", "down", "up", "enter")
            assert project.session.state.percentile == 30.0

    async def test_what_it_cannot_be_is_said(self, project):
        async with running(project) as app:
            for keys in ("101", "-5", "many"):
                assert "a number from 0 to 100, or auto" in await app.press_and_see("P", *keys, "enter")
                assert isinstance(app.screen, Percentile)
                await app.press_and_see("escape")
            assert project.session.state.settings == {}


class TestHelp:
    @pytest.mark.parametrize("place", [[], ["R"], ["G"]])
    async def test_lists_the_keys_and_leads_back(self, project, place):
        async with running(project, size=(80, 44)) as app:
            await app.press_and_see(*place)
            under = app.screen
            for back in ("?", "enter", "escape", "space"):
                text = await app.press_and_see("?")
                assert isinstance(app.screen, Help)
                for words in ("contact sheet", "take the last answer back", "how it works"):
                    assert words in text
                await app.press_and_see("down", "pagedown", "1")
                assert isinstance(app.screen, Help)
                await app.press_and_see(back)
                assert app.screen is under
            assert project.labels() == []


class TestPalette:
    @pytest.mark.parametrize("place", [[], ["R"]])
    async def test_runs_a_command_by_its_name(self, project, place):
        async with running(project) as app:
            await app.press_and_see(*place, "ctrl+p", *"reject")
            assert isinstance(app.screen, CommandPalette)
            await app.pilot.pause(0.5)
            await app.press_and_see("down", "enter")
            await app.pilot.pause(0.3)
            await settle(app, app.pilot)
            assert project.journal.events[-1].kind == "reject"


def elsewhere_of(project):
    """What the project does on request, without a disk."""

    def save(place):
        if place == "bad":
            raise NotSaved("no room there either", "name another place")
        project.journal.full = False
        return place

    return save


class TestNotSaved:
    async def test_the_key_is_kept_and_tried_again(self, project):
        async with running(project) as app:
            await app.press_and_see("1")
            project.journal.full = True
            text = await app.press_and_see("2", "3", "4")
            assert isinstance(app.screen, Unsaved)
            assert "NOT saved" in text
            assert "no space left on the disk" in text
            assert project.labels() == [(0, "1")]
            await app.press_and_see("enter")
            assert isinstance(app.screen, Unsaved)  # still full
            project.journal.full = False
            text = await app.press_and_see("enter")
            assert project.labels() == [(0, "1"), (1, "2")]  # 3 and 4 were typed for pictures nobody saw
            assert "✓ saved 2" in text

    async def test_other_keys_do_nothing_and_are_told_so(self, project):
        async with running(project) as app:
            project.journal.full = True
            assert "nothing else is answered" not in await app.press_and_see("2")
            assert "nothing else is answered" in await app.press_and_see("5")
            project.journal.full = False
            await app.press_and_see("enter")
            assert project.labels() == [(0, "2")]

    async def test_or_given_up(self, project):
        async with running(project) as app:
            project.journal.full = True
            await app.press_and_see("2")
            assert "that key was not saved" in await app.press_and_see("escape")
            assert app.screen.target().index == 0
            project.journal.full = False
            await app.press_and_see("5")
            assert project.labels() == [(0, "5")]

    async def test_or_saved_elsewhere(self, project):
        project.save_elsewhere = elsewhere_of(project)
        async with running(project) as app:
            await app.press_and_see("1")
            project.journal.full = True
            await app.press_and_see("2")
            await app.press_and_see("tab")
            assert isinstance(app.screen, Elsewhere)
            text = await app.press_and_see(*"bad", "enter")
            assert "no room there either" in text
            await app.press_and_see("escape")  # back to the choice: the key is still kept
            assert isinstance(app.screen, Unsaved)
            text = await app.press_and_see("tab", *"stick", "enter")
            assert project.labels() == [(0, "1"), (1, "2")]
            assert "saved in stick" in text
            await app.press_and_see("3")
            assert project.labels() == [(0, "1"), (1, "2"), (2, "3")]

    @pytest.mark.parametrize(
        ("facts", "title", "words"),
        [
            ({"is_lost": True}, "NOT saved", "held by this program alone"),
            ({"is_uncertain": True}, "perhaps NOT saved", "Everything before it is on disk"),
            ({}, "NOT saved", "Everything before it is on disk"),
        ],
    )
    async def test_what_is_said_of_a_lost_file_and_of_a_failed_flush(self, project, monkeypatch, facts, title, words):
        def fails(event):
            raise NotSaved(f"{title}: p.labeler.db was moved to /there", "put it back", **facts)

        async with running(project) as app:
            await app.press_and_see("1")
            with monkeypatch.context() as patched:
                patched.setattr(project.journal, "append", fails)
                text = await app.press_and_see("2")
                lines = [line.strip(" │┃▌▐╭╮╰╯") for line in text.splitlines()]
                assert title in lines
                assert "p.labeler.db was moved to /there" in text
                assert words in " ".join(text.split())
            await app.press_and_see("enter")
            assert project.labels() == [(0, "1"), (1, "2")]

    async def test_a_new_class_is_not_added_twice(self, project):
        async with running(project) as app:
            project.journal.full = True
            await app.press_and_see("N", *"yak", "enter")
            project.journal.full = False
            await app.press_and_see("enter")
            assert project.labels() == [(0, "yak")]
            assert len(project.view().classes) == 11


@pytest.mark.parametrize("key", ["Q", "ctrl+q", "ctrl+c"])
@pytest.mark.parametrize("before", [[], ["R"], ["G"], ["N"], ["?"]])
async def test_quit_from_everywhere(project, key, before):
    async with running(project) as app:
        await app.press_and_see(*before)
        if before == ["N"] and key == "Q":
            return  # a letter of a name
        app.post_message(events.Key(key, key if len(key) == 1 else None))
        for _ in range(100):
            await app.pilot.pause(0.01)
            if app._exit or (before == ["?"] and key == "Q"):
                break
        assert app._exit or (before == ["?"] and key == "Q")


@pytest.mark.parametrize(("opened", "typed"), [("N", "owl"), ("/", "owl")])
async def test_what_is_typed_can_be_mended(project, opened, typed):
    async with running(project) as app:
        await app.press_and_see(opened, *typed, "x", "backspace")
        assert app.screen.query_one(Input).value == typed
        await app.press_and_see("home", "delete", "h", "end", "left", "e")
        assert app.screen.query_one(Input).value == "hwel"
        await app.press_and_see("ctrl+u", "z")
        assert app.screen.query_one(Input).value == "zl"
        await app.press_and_see("escape")
        assert project.labels() == []
