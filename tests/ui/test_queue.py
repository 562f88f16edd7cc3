"""Keys in line: none lost, none twice, in order, each for the question that was painted when its turn came."""

import random

from textual import events

from labeler.ui.keyboard import RUN
from tests.ui.support import FakeProject, running, screen_text, settle


def watched(project: FakeProject, app) -> list[tuple[int, bool]]:
    """(index that was labeled, was exactly that picture painted) for every label from now on."""
    seen: list[tuple[int, bool]] = []
    original = project.session.label

    def label(instance_id: str, class_id: int, *, screen: str = "question") -> None:
        picture = app.screen.picture
        index = project.session.pool.index(instance_id)
        seen.append((index, app.screen.painted.is_set() and picture.ready and picture.index == index))
        original(instance_id, class_id, screen=screen)

    project.session.label = label
    return seen


async def post(app, keys: str) -> None:
    for key in keys:
        app.post_message(events.Key(key, key))
    for _ in range(3000):
        await app.pilot.pause(0.01)
        if app.line.idle:
            break
    await settle(app, app.pilot)


async def test_three_hundred_keys_at_once():
    project = FakeProject()
    rng = random.Random(5)
    keys = ""
    while len(keys) < 300:
        key = rng.choice("0123456789")
        if not keys.endswith(key * (RUN - 1)):
            keys += key
    async with running(project) as app:
        seen = watched(project, app)
        await post(app, keys)
        assert project.labels() == list(enumerate(keys))
        assert seen == [(index, True) for index in range(300)]


async def test_commands_and_answers_keep_their_order():
    project = FakeProject()
    async with running(project) as app:
        for key in ["1", "2", "backspace", "3", "space", "U", "ctrl+z", "4"]:
            app.post_message(events.Key(key, key if len(key) == 1 else None))
        await settle(app, app.pilot)
        kinds = [event.kind for event in project.journal.events if event.kind != "class_add"]
        assert kinds == ["label", "label", "undo", "label", "skip", "unsure", "undo", "label"]
        assert project.labels() == [(0, "1"), (1, "2"), (1, "3"), (3, "4")]


async def test_a_key_held_down_pauses_and_says_so():
    project = FakeProject()
    async with running(project) as app:
        await post(app, "7" * 50)
        assert project.labels() == [(index, "7") for index in range(RUN)]
        assert f"7 is held down: paused, {50 - RUN} presses ignored" in screen_text(app)
        await app.pilot.pause(0.3)
        text = await app.press_and_see("7")
        assert len(project.labels()) == RUN + 1
        assert "held down" not in text


async def test_arrows_may_be_held_down():
    project = FakeProject()
    async with running(project) as app:
        await app.press_and_see("R")
        for _ in range(20):
            app.post_message(events.Key("right", None))
        await settle(app, app.pilot)
        assert app.screen.target().index == 20


async def test_what_is_typed_right_behind_a_command_lands_in_its_form():
    project = FakeProject()
    async with running(project) as app:
        for key in ["N", *"zebra", "enter", "3", "R", "5", "R", "6"]:
            app.post_message(events.Key(key, key if len(key) == 1 else None))
        await settle(app, app.pilot)
        assert project.labels() == [(0, "zebra"), (1, "3"), (2, "5"), (3, "6")]


async def test_answers_before_quit_are_given():
    project = FakeProject()
    async with running(project) as app:
        for key in "12345Q":
            app.post_message(events.Key(key, key))
        for _ in range(100):
            await app.pilot.pause(0.01)
            if app._exit:
                break
        assert [name for _, name in project.labels()] == list("12345")
