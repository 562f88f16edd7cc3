"""The table of keys against the screens: each key does something on every screen it is listed for, or says why not."""

from __future__ import annotations

import pytest

from labeler.ui.actions import COMMON, SMALL_COMMANDS, Action, Keys
from labeler.ui.app import LabelerApp
from labeler.ui.screens import table
from labeler.ui.screens.base import LabelScreen
from tests.ui.places import ANSWERING, KEYS_TO, busy_project, go_to
from tests.ui.support import FakeProject, running, screen_text

ENDS = "quit"


def keys_of(place: str) -> Keys:
    return table.class_of(place).KEYS


def seen(app: LabelerApp, project: FakeProject) -> tuple[object, ...]:
    """All that a key can change: the screens, the journal, what stands on the screen."""
    return tuple(map(id, app.screen_stack)), len(project.journal.events), screen_text(app)


@pytest.mark.parametrize("place", list(KEYS_TO))
async def test_every_key_of_the_table_does_something_where_it_is_listed(place: str):
    project = busy_project()
    silent, wrong = [], []
    async with running(project) as app:
        for action in keys_of(place):
            if action.name == ENDS:
                continue
            for key in action.keys:
                if keys_of(place).by_key.get(key) is not action:
                    wrong.append((key, action.label))  # another row of the table hides this one
                    continue
                await go_to(app, place)
                app.status.clear()
                app.screen.draw_message()
                before = seen(app, project)
                after = await app.press_and_see(key)
                if seen(app, project) == before and app.status._notice == "":
                    silent.append((key, action.label))
                if "does nothing" in after or "no command has the key" in after:
                    wrong.append((key, action.label))
    assert not silent
    assert not wrong


@pytest.mark.parametrize("key", ["Q", "ctrl+q", "ctrl+c"])
@pytest.mark.parametrize("place", list(KEYS_TO))
async def test_quitting_works_on_every_screen(place: str, key: str):
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


@pytest.mark.parametrize("place", sorted(ANSWERING))
async def test_every_class_key_answers_where_answers_are_given(place: str):
    project = busy_project()
    async with running(project) as app:
        for key in "0123456789":
            await go_to(app, place)
            app.status.clear()
            before = seen(app, project)
            text = await app.press_and_see(key)
            assert seen(app, project) != before, key
            assert "no class has the key" not in text


@pytest.mark.parametrize("place", sorted(set(KEYS_TO) - set(ANSWERING)))
async def test_no_class_key_answers_where_nothing_is_asked(place: str):
    project = busy_project()
    async with running(project) as app:
        await go_to(app, place)
        before = len(project.journal.events)
        for key in "0123456789":
            await app.press_and_see(key)
        assert len(project.journal.events) == before


@pytest.mark.parametrize("place", list(KEYS_TO))
async def test_a_key_of_another_screen_says_so(place: str):
    project = busy_project()
    elsewhere = {action.keys[0] for action in (*COMMON, *table.own_actions())} - {
        key for action in keys_of(place) for key in action.keys
    }
    async with running(project) as app:
        await go_to(app, place)
        for key in [*sorted(elsewhere), "Z", "%", "q", "f5"]:
            assert keys_of(place).by_key.get(key) is None
            app.status.clear()
            events = len(project.journal.events)
            await app.press_and_see(key)
            assert app.status._notice, key
            assert len(project.journal.events) == events
            assert isinstance(app.screen, LabelScreen)
            assert place == app.screen.NAME


@pytest.mark.parametrize("place", sorted(ANSWERING))
def test_small_letters_mean_their_capital_where_that_is_a_command(place: str):
    for letter in SMALL_COMMANDS:
        assert keys_of(place).by_key.get(letter) is None  # so that a class may own it
        assert keys_of(place).by_key.get(letter.upper()) is not None


def test_no_key_stands_twice_on_a_screen():
    for place in table.SCREENS:
        keys = [key for action in keys_of(place) for key in action.keys]
        assert len(keys) == len(set(keys)), place


def test_a_back_key_is_the_key_that_opened_the_screen():
    backs: dict[str, Action] = {
        place: action for place in KEYS_TO for action in keys_of(place) if action.label == "back"
    }
    assert set(backs) == set(KEYS_TO) - {"question"}
    for place, action in backs.items():
        if place == "split":
            assert keys_of("classes").by_key.get(action.keys[0]).name == "split"
        else:
            assert keys_of("question").by_key.get(action.keys[0]).name == action.name
