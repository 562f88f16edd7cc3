"""A newcomer adds a screen: its module with its keys, one line in the table of screens, and nothing else."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import labeler.ui.screens
from labeler.ui.forms.help import Help
from labeler.ui.palette import ActionProvider
from labeler.ui.screens import table
from tests.ui.support import FakeProject, running, screen_text, settle

MODULE = '''
"""A throw-away screen: it counts wishes."""

from textual.content import Content

from labeler.ui.actions import Group, key
from labeler.ui.screens.base import LabelScreen
from labeler.ui.widgets.line import Block


class Wishes(LabelScreen):
    """Wishes; nothing is answered here."""

    GROUPS = frozenset({Group.ALWAYS})
    ACTIONS = {
        "wish": key("W", label="wish", help="make one more wish"),
        "close": key("J", label="back", help="back to where the wishes were opened"),
    }

    def __init__(self):
        super().__init__()
        self.wishes = 0

    def body(self):
        yield Block(id="wishes")

    def nothing_to_answer(self):
        return "nothing is asked here: J leads back"

    def draw(self, view):
        self.query_one("#wishes", Block).show(lambda width, height: Content(f"wishes: {self.wishes}"))
        self.draw_lines(view, lambda width: Content(""))
        self.call_after_refresh(self.painted.set)

    def do_wish(self):
        self.wishes += 1
        self.redraw()

    async def do_close(self):
        await self.labeler.leave()
'''


@pytest.fixture
def wishes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The module beside the other screens, and its line in the table."""
    (tmp_path / "wishes.py").write_text(MODULE, encoding="utf-8")
    monkeypatch.setattr(labeler.ui.screens, "__path__", [*labeler.ui.screens.__path__, str(tmp_path)])
    monkeypatch.setitem(table.SCREENS, "wishes", "labeler.ui.screens.wishes:Wishes")
    yield "wishes"
    sys.modules.pop("labeler.ui.screens.wishes", None)


async def test_its_keys_are_in_footer_help_and_palette_and_do_what_they_say(wishes: str):
    async with running(FakeProject()) as app:
        await app.open(wishes)
        await settle(app, app.pilot)
        text = screen_text(app)
        assert "wishes: 0" in text
        footer = text.splitlines()[-1]
        assert "W wish" in footer
        assert "J back" in footer
        assert [hit.text async for hit in ActionProvider(app.screen).discover() if hit.text.startswith("wish")]
        help_text = await app.press_and_see("?")
        assert isinstance(app.screen, Help)
        assert "make one more wish" in help_text
        await app.press_and_see("?")
        assert "wishes: 2" in await app.press_and_see("W", "W")
        assert "nothing is asked here" not in await app.press_and_see("J")
        assert app.screen.NAME == "question"
        assert "W does nothing here (elsewhere: wish)" in await app.press_and_see("W")
