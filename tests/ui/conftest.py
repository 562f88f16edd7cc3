import pytest

from labeler.ui import app
from tests.ui.support import FakeProject


@pytest.fixture
def project() -> FakeProject:
    return FakeProject()


@pytest.fixture(autouse=True)
def _no_word_of_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy machine saves slowly: what is said of it would stand where a test looks for something else."""
    monkeypatch.setattr(app, "SLOW_DISK", float("inf"))
