"""Every screen as text, compared with the files in `snapshots/`; hostile names; resizing; a terminal that is too small.

``LABELER_SNAPSHOTS=write pytest tests/ui/test_as_text.py`` writes the files anew: then look at the difference.
"""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path

import pytest

from labeler.ui.app import LabelerApp, WorkerSaid
from labeler.ui.screens import table
from labeler.ui.widgets.picture import Neighbors
from tests.ui.places import ANSWERING, KEYS_TO, busy_project, disagree, go_to, measuring
from tests.ui.support import FakeProject, Received, running, screen_text, settle
from tests.ui.test_forms import elsewhere_of
from tests.ui.test_screens import DANGEROUS, HOSTILE, lines

SNAPSHOTS = Path(__file__).parent / "snapshots"
SIZES = [(80, 24), (120, 40)]
FORMS = {
    "new-class": ("N", *"yak"),
    "percentile": ("P",),
    "search-form": ("/", *"class:7"),
    "help": ("?",),
    "rename": ("C", "enter"),
    "class-key": ("C", "K", "1"),
    "refused": ("Z",),
}
"""What opens in front of a screen."""
PAGES_OF_MANY = ("confirm", "similar", "audit_pages")
"""Where a page is saved as a whole."""


@pytest.fixture(autouse=True)
def _utc(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def same_as_kept(name: str, shown: list[str]) -> None:
    path, text = SNAPSHOTS / f"{name}.txt", "\n".join(shown) + "\n"
    if os.environ.get("LABELER_SNAPSHOTS") == "write":
        SNAPSHOTS.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")


async def neighbors_drawn(app: LabelerApp) -> None:
    """Until the thumbnails beside a question are there: no key waits for them."""
    near = [(widget, index) for widget in app.screen.query(Neighbors) for index, _ in widget._shown[: widget.room]]
    for _ in range(12_000):
        if all(app.pictures.strips(index, *widget._thumb) is not None for widget, index in near):
            break
        await asyncio.sleep(0.005)
    await app.pilot.pause()


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("place", list(KEYS_TO))
async def test_a_screen(place: str, size: tuple[int, int]):
    async with running(busy_project(), size=size) as app:
        await go_to(app, place)
        await neighbors_drawn(app)
        same_as_kept(f"{place}-{size[0]}x{size[1]}", lines(app))


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("form", sorted(FORMS))
async def test_a_form(form: str, size: tuple[int, int]):
    async with running(busy_project(), size=size) as app:
        for key in FORMS[form]:
            await app.press_and_see(key)
            await settle(app, app.pilot)  # what stands behind a form was drawn before it opened
        same_as_kept(f"{form}-{size[0]}x{size[1]}", lines(app))


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
async def test_two_answers_to_settle(size: tuple[int, int]):
    project = FakeProject(n_classes_known=10)
    disagree(project)
    async with running(project, size=size) as app:
        same_as_kept(f"conflict-{size[0]}x{size[1]}", lines(app))


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
async def test_not_saved(size: tuple[int, int]):
    """A full disk: try again, or save elsewhere, and what is wrong with the place that was named."""
    project = busy_project()
    project.save_elsewhere = elsewhere_of(project)
    async with running(project, size=size) as app:
        project.journal.full = True
        for name, keys in (("not-saved", "234"), ("not-saved-elsewhere", ["tab"]), ("not-saved-there", "bad")):
            await app.press_and_see(*keys, *(["enter"] if name == "not-saved-there" else []))
            await settle(app, app.pilot)
            same_as_kept(f"{name}-{size[0]}x{size[1]}", lines(app))


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("key", ["D", "S"])
async def test_what_the_questions_that_measure_say(size: tuple[int, int], key: str):
    name = {"D": "measured", "S": "two-answers"}[key]
    async with running(measuring(FakeProject(n_classes_known=10)), size=size) as app:
        await app.press_and_see(key)
        same_as_kept(f"{name}-{size[0]}x{size[1]}", lines(app))


@pytest.mark.parametrize("place", list(KEYS_TO))
async def test_a_resize_loses_nothing(place: str):
    project = busy_project()
    async with running(project, size=(120, 40)) as app:
        await go_to(app, place)
        target, before = app.screen.target(), len(project.journal.events)
        for size in ((80, 24), (60, 16), (50, 12), (80, 24)):
            await app.pilot.resize_terminal(*size)
            await settle(app, app.pilot)
            shown = lines(app)
            if size == (50, 12):
                said = [line.strip() for line in shown if line.strip()]
                assert said == ["too small: 50x12", "labeler needs 60x16", "nothing is lost; Q quits"]
                await app.press_and_see("1", "enter", "X")  # nobody sees what these would answer
            else:
                assert shown[0].startswith(" labeler digits ")
                assert "? help  Q quit" in shown[-1]
        assert app.screen.target() == target
        assert len(project.journal.events) == before
        if place not in PAGES_OF_MANY:  # a page is as large as the terminal it was made for
            resized = lines(app)
            await go_to(app, place)
            assert lines(app)[1:] == resized[1:]
        if place in ANSWERING:
            await app.press_and_see("7", *(["enter"] if place in PAGES_OF_MANY else []))
            assert len(project.journal.events) > before


@pytest.mark.parametrize("place", list(KEYS_TO))
async def test_hostile_names(place: str):
    """Neither a file's nor a class's name does anything but be shown."""
    names = tuple(f"{number}{name.removesuffix('.png')[:180].strip()}" for number, name in enumerate(HOSTILE))
    ids = [f"{number}{HOSTILE[number % len(HOSTILE)]}" for number in range(400)]
    project = busy_project(classes=names, ids=ids)
    project.name, evil = f"p{HOSTILE[0]}", "".join(HOSTILE[:6])
    project.path, project.source_path = Path(f"{evil}.labeler.db"), Path(evil)
    project.session.recorder.annotator = evil
    async with running(project) as app:
        app.post_message(WorkerSaid(Received(note=f"note {evil}", failed=False)))
        for size in ((60, 16), (80, 24), (120, 40)):
            await app.pilot.resize_terminal(*size)
            await settle(app, app.pilot)
            await go_to(app, place)
            for key in ("", "Y", "X", "down", "?"):
                text = await app.press_and_see(*([key] if key else []))
                assert not DANGEROUS.search(text)
                assert len(text.splitlines()) == size[1]
            await app.press_and_see("?")
            assert "Q quit" in screen_text(app)


def test_every_place_has_its_way():
    assert set(KEYS_TO) == set(table.SCREENS)
