import pytest

from tests.ui.support import FakeProject


@pytest.fixture
def project() -> FakeProject:
    return FakeProject()
