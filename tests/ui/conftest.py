import pytest
from textual.pilot import Pilot

from labeler.ui import app, inbox, keys
from tests.ui.support import FakeProject, quiet


@pytest.fixture
def project() -> FakeProject:
    return FakeProject()


@pytest.fixture(autouse=True)
def _no_word_of_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy machine saves slowly: what is said of it would stand where a test looks for something else."""
    monkeypatch.setattr(app, "SLOW_DISK", float("inf"))


@pytest.fixture(autouse=True)
def _the_worker_is_heard_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests look at what the worker sent as soon as all is quiet."""
    monkeypatch.setattr(inbox, "BEHIND", 0.0)


@pytest.fixture(autouse=True)
def _no_key_is_held_down(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """A test presses keys faster than anybody: the same one often at once is not held down, but where that is meant."""
    if not request.module.__name__.endswith((".test_held", ".test_queue")):
        monkeypatch.setattr(keys, "FASTEST", 0.0)


@pytest.fixture(autouse=True)
def _pauses_end_when_all_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pilot sleeps until the process is idle for a while: longer than needed, and cut short on a busy machine."""

    sleep = Pilot.pause

    async def pause(pilot: Pilot[None], delay: float | None = None) -> None:
        if delay is not None or not isinstance(pilot.app, app.LabelerApp) or not pilot.app._is_open:
            await sleep(pilot, delay)
        else:
            await quiet(pilot.app, pilot)

    monkeypatch.setattr(Pilot, "pause", pause)
