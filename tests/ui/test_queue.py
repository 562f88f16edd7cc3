"""Keys in line: none lost, none twice, in order, each for the question that was painted when its turn came."""

import asyncio
import random
import threading

import pytest
from textual import events

from labeler.ui.keys import RUN
from labeler.ui.screens import base
from labeler.ui.screens.representatives import ContactSheet
from labeler.ui.screens.search import SearchScreen
from tests.ui.places import ANSWERING, busy_project, go_to
from tests.ui.support import FakeProject, arrived, digit, running, screen_text, settle


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


async def until(condition) -> None:
    while not condition():  # the test's own time limit ends it
        await asyncio.sleep(0.005)


async def post(app, keys: str, *, settled: bool = True) -> None:
    for key in keys:
        app.post_message(events.Key(key, key))
    await arrived(app)
    await until(lambda: app.line.idle)
    if settled:
        await settle(app, app.pilot)


@pytest.mark.slow
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
        await until(lambda: app._exit)
        assert [name for _, name in project.labels()] == list("12345")


class Late(asyncio.Event):
    """A painter that takes longer than a key's patience, each time."""

    _coming: asyncio.TimerHandle | None = None

    def set(self) -> None:
        if self._coming is None:
            self._coming = asyncio.get_running_loop().call_later(0.1, super().set)

    def clear(self) -> None:
        if self._coming is not None:
            self._coming.cancel()
        self._coming = None
        super().clear()


class Never(asyncio.Event):
    def set(self) -> None:
        pass


async def keys_at_once(app, *keys: str) -> None:
    for key in keys:
        app.post_message(events.Key(key, key if len(key) == 1 else None))
    await arrived(app)


class TestSlowPainting:
    """However long a picture takes, a key typed for it is neither lost nor taken for another one's."""

    @pytest.fixture(autouse=True)
    def _impatient(self, monkeypatch):
        monkeypatch.setattr(base, "PATIENCE", 0.02)

    @pytest.mark.parametrize("place", sorted(ANSWERING))
    async def test_every_screen_does_the_same_as_with_a_quick_painter(self, place):
        done = []
        for painter in (None, Late):
            project = busy_project()
            async with running(project, size=(120, 40)) as app:
                await go_to(app, place)
                before = len(project.journal.events)
                if painter is not None:
                    app.screen.painted = painter()
                    app.screen.on_screen_resume()
                await keys_at_once(app, "1", "2", "right", "3", "backspace", "4", "right", "5", "right", "enter")
                await until(lambda app=app: app.line.idle)
                await app.pilot.pause()  # the next page comes as a message
                new = project.journal.events[before:]
                told = [(event.kind, event.instance_id, event.class_id, event.payload.get("labels")) for event in new]
                done.append((told, app.screen.target()))
        assert done[0] == done[1]
        assert done[0][0]

    @pytest.mark.parametrize("search", [False, True])
    async def test_two_keys_while_the_file_is_being_read_go_to_the_pictures_they_were_typed_for(self, search):
        gate = threading.Event()

        def slow(index):
            if index >= 9:
                gate.wait(60)
            return digit(index % 10)

        project = FakeProject(n_classes_known=10, image=slow)
        async with running(project) as app:
            if search:
                await keys_at_once(app, "/", *"provenance:predicted", "enter", "5", "6")
                await until(lambda: isinstance(app.screen, SearchScreen))
            else:
                await post(app, "012345678", settled=False)
                await keys_at_once(app, "5", "6")
            await until(lambda: "5 waits for it" in screen_text(app))
            await asyncio.sleep(0.1)
            before = len(project.labels())
            gate.set()
            await until(lambda: app.line.idle)
        first = 200 if search else 9
        assert project.labels()[before:] == [(first, "5"), (first + 1, "6")]

    async def test_a_command_that_speaks_of_no_picture_is_the_way_out(self):
        project = FakeProject()
        async with running(project) as app:
            app.screen.painted = Never()
            app.screen.on_screen_resume()
            await keys_at_once(app, "1")
            await until(lambda: "1 waits for it; any other command lets it go" in screen_text(app))
            await keys_at_once(app, "2")
            await asyncio.sleep(0.1)
            await keys_at_once(app, "R", "7")
            await until(lambda: isinstance(app.screen, ContactSheet) and project.labels())
            assert project.labels() == [(0, "7")]  # typed behind it, for the sheet

    async def test_it_is_said_how_many_keys_were_let_go(self):
        project = FakeProject()
        async with running(project) as app:
            app.screen.painted = Never()
            app.screen.on_screen_resume()
            await keys_at_once(app, "1", "2", "3")
            await until(lambda: "1 waits for it" in screen_text(app))
            await keys_at_once(app, "V")
            await until(lambda: "3 keys let go: the picture was not there yet" in screen_text(app))
            assert project.labels() == []

    async def test_a_command_typed_ahead_is_no_way_out(self):
        project = FakeProject()
        async with running(project) as app:
            app.screen.painted = Late()
            app.screen.on_screen_resume()
            await keys_at_once(app, "1", "2", "R", "7")
            await until(lambda: app.line.idle)
            assert isinstance(app.screen, ContactSheet)
            assert project.labels() == [(0, "1"), (1, "2"), (2, "7")]

    async def test_a_picture_whose_announcement_got_lost_is_found_all_the_same(self):
        project = FakeProject()
        async with running(project) as app:
            app.screen.painted.clear()  # and nobody draws again
            await keys_at_once(app, "1")
            await until(lambda: app.line.idle)
            assert project.labels() == [(0, "1")]
