"""Lines and blocks are drawn again only where they say something else."""

import pytest
from textual.app import App
from textual.content import Content

from labeler.ui.widgets.line import Block, Line


class Counted(App[None]):
    """A line and a block that count how often they are drawn."""

    CSS = "Line, Block { height: 1; padding: 0; }"

    def compose(self):
        yield Line(id="line")
        yield Block(id="block")

    def say(self, text, style=""):
        drawn = []

        def made(*size):
            drawn.append(size)
            return Content.styled(text, style)

        self.query_one(Line).show(made)
        self.query_one(Block).show(made)
        return drawn


@pytest.mark.parametrize(("text", "style", "times"), [("same", "bold", 1), ("other", "bold", 2), ("same", "dim", 2)])
async def test_what_says_the_same_is_not_drawn_again(text, style, times):
    app = Counted()
    async with app.run_test(size=(40, 10)) as pilot:
        app.say("same", "bold")
        await pilot.pause()
        asked = app.say(text, style)
        await pilot.pause()
        assert len(asked) == 2 * times  # asked once by each to compare, and to draw where it differs


async def test_another_width_is_drawn_in_any_case():
    app = Counted()
    async with app.run_test(size=(40, 10)) as pilot:
        asked = app.say("same")
        await pilot.pause()
        await pilot.resize_terminal(30, 10)
        await pilot.pause()
        assert any(size[0] == 30 for size in asked)
