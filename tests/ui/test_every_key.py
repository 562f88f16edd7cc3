"""The table of keys against the screens: each key does something on every screen it is listed for, or says why not."""

from __future__ import annotations

import pytest

from labeler.ui.actions import ACTIONS, ANSWERING, SMALL_COMMANDS, Action, Place, find, on
from labeler.ui.app import LabelerApp
from labeler.ui.screens.base import LabelScreen
from tests.ui.places import KEYS_TO, busy_project, go_to
from tests.ui.support import FakeProject, running, screen_text

ENDS = "quit"


def seen(app: LabelerApp, project: FakeProject) -> tuple[object, ...]:
    """All that a key can change: the screens, the journal, what stands on the screen."""
    return tuple(map(id, app.screen_stack)), len(project.journal.events), screen_text(app)


@pytest.mark.parametrize("place", list(KEYS_TO))
async def test_every_key_of_the_table_does_something_where_it_is_listed(place: Place):
    project = busy_project()
    silent, wrong = [], []
    async with running(project) as app:
        for action in on(place):
            if action.name == ENDS:
                continue
            for key in action.keys:
                if find(key, place) is not action:
                    wrong.append((key, action.label))  # another row of the table hides this one
                    continue
                await go_to(app, place)
                app.news.clear()
                app.screen.draw_message()
                before = seen(app, project)
                after = await app.press_and_see(key)
                if seen(app, project) == before and app.news._notice == "":
                    silent.append((key, action.label))
                if "does nothing" in after or "no command has the key" in after:
                    wrong.append((key, action.label))
    assert not silent
    assert not wrong


@pytest.mark.parametrize("key", ["Q", "ctrl+q", "ctrl+c"])
@pytest.mark.parametrize("place", list(KEYS_TO))
async def test_quitting_works_on_every_screen(place: Place, key: str):
    project = busy_project()
    async with running(project) as app:
        await go_to(app, place)
        app.post_message(event_of(key))
        for _ in range(100):
            await app.pilot.pause(0.01)
            if app._exit:
                break
        assert app._exit


def event_of(key: str):
    from textual import events

    return events.Key(key, key if len(key) == 1 else None)


@pytest.mark.parametrize("place", sorted(ANSWERING & set(KEYS_TO)))
async def test_every_class_key_answers_where_answers_are_given(place: Place):
    project = busy_project()
    async with running(project) as app:
        for key in "0123456789":
            await go_to(app, place)
            app.news.clear()
            before = seen(app, project)
            text = await app.press_and_see(key)
            assert seen(app, project) != before, key
            assert "no class has the key" not in text


@pytest.mark.parametrize("place", sorted(set(KEYS_TO) - ANSWERING))
async def test_no_class_key_answers_where_nothing_is_asked(place: Place):
    project = busy_project()
    async with running(project) as app:
        await go_to(app, place)
        before = len(project.journal.events)
        for key in "0123456789":
            await app.press_and_see(key)
        assert len(project.journal.events) == before


@pytest.mark.parametrize("place", list(KEYS_TO))
async def test_a_key_of_another_screen_says_so(place: Place):
    project = busy_project()
    elsewhere = {action.keys[0] for action in ACTIONS} - {key for action in on(place) for key in action.keys}
    async with running(project) as app:
        await go_to(app, place)
        for key in [*sorted(elsewhere), "Z", "%", "q", "f5"]:
            assert find(key, place) is None
            app.news.clear()
            events = len(project.journal.events)
            await app.press_and_see(key)
            assert app.news._notice, key
            assert len(project.journal.events) == events
            assert isinstance(app.screen, LabelScreen)
            assert app.screen.PLACE is place


@pytest.mark.parametrize("place", sorted(ANSWERING & set(KEYS_TO)))
def test_small_letters_mean_their_capital_where_that_is_a_command(place: Place):
    for letter in SMALL_COMMANDS:
        assert find(letter, place) is None  # so that a class may own it
        assert find(letter.upper(), place) is not None


def test_no_key_stands_twice_on_a_screen():
    for place in Place:
        keys = [key for action in on(place) for key in action.keys]
        assert len(keys) == len(set(keys)), place


def test_a_back_key_is_the_key_that_opened_the_screen():
    backs: dict[Place, Action] = {place: action for place in KEYS_TO for action in on(place) if action.label == "back"}
    assert set(backs) == set(KEYS_TO) - {Place.QUESTION}
    for place, action in backs.items():
        if place is Place.SPLIT:
            assert find(action.keys[0], Place.CLASSES).name == "split"
        else:
            assert find(action.keys[0], Place.QUESTION).name == action.name
