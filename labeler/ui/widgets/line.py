"""Regions of fixed size whose text is made for their width, and those above and below the body of every screen."""

from __future__ import annotations

from collections.abc import Callable

from textual.app import ComposeResult
from textual.content import Content
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Static

from labeler.core.types import Advice
from labeler.session.view import View
from labeler.ui.actions import Keys
from labeler.ui.host import Host
from labeler.ui.render import lines

# less does not hold the fixed lines, three guesses, the legend and a picture to judge by
LEAST_WIDTH, LEAST_HEIGHT = 60, 16


class Line(Widget):
    """Draws what its builder returns for the width it has; never asks for another size."""

    def __init__(self, *, id: str) -> None:  # noqa: A002 -- the name Textual gives it
        super().__init__(id=id, markup=False)
        self._build: Callable[[int], Content] = lambda width: Content("")
        self._drawn: Content | None = None

    def show(self, build: Callable[[int], Content]) -> None:
        """Draw `build(width)` from now on; nothing is drawn where it says the same."""
        self._build = build
        # building a line is cheap, painting one is what a slow terminal waits for
        if self._drawn is None or not self.size or not self._drawn.is_same(build(self.size.width)):
            self.refresh()

    def look_again(self) -> None:
        """Draw anew where what it is built from says something else by now."""
        self.show(self._build)

    def render(self) -> Content:
        """The text for the present width."""
        self._drawn = self._build(self.size.width)
        return self._drawn


class Block(Widget):
    """The same for several lines: the builder is handed width and height."""

    def __init__(self, *, id: str) -> None:  # noqa: A002
        super().__init__(id=id, markup=False)
        self._build: Callable[[int, int], Content] = lambda width, height: Content("")
        self._drawn: Content | None = None

    def show(self, build: Callable[[int, int], Content]) -> None:
        """Draw `build(width, height)` from now on; nothing is drawn where it says the same."""
        self._build = build
        if self._drawn is None or not self.size or not self._drawn.is_same(build(*self.size)):
            self.refresh()

    def render(self) -> Content:
        """The text for the present size."""
        self._drawn = self._build(*self.size)
        return self._drawn


class FixedLines:
    """The lines of one screen: header, what it is about, chain, message, keys.

    Nothing above or below its body ever changes its place.

    Parameters
    ----------
    screen
        The screen that holds them.
    keys
        Its commands, for the footer.
    can_follow
        Whether its keys do what an advice names.
    """

    def __init__(self, screen: Screen[None], keys: Keys, can_follow: Callable[[Advice], bool]) -> None:
        self._screen, self._keys, self._can_follow = screen, keys, can_follow

    def around(self, body: ComposeResult) -> ComposeResult:
        """Yield the widgets of the body between those of the lines."""
        yield Line(id="header")
        yield from body
        for name in ("about", "chain", "message"):
            yield Line(id=name)
        keys = Line(id="keys")
        keys.show(lambda width: lines.footer(self._keys.actions, width))
        yield keys
        yield Static(id="too-small", markup=False)

    def draw(self, host: Host, view: View, about: Callable[[int], Content]) -> None:
        """Draw `view` and what the screen is about."""
        project = host.project
        self._line("header").show(lambda width: lines.header(project.name, view, width))
        done = view.last
        place = project.session.pool.ids[done.index] if done is not None and done.index is not None else ""
        # with the place where there is room for it, else without
        marks = lines.mark(view, place), lines.mark(view, "")
        self._line("about").show(lambda width: lines.beside(about, marks, width))
        self._line("chain").show(lambda width: self._chain_or_notice(host, view, width))
        self.draw_message(host)

    def draw_message(self, host: Host) -> None:
        """Draw the line for notices, signs of life and advice."""
        self._line("message").show(lambda width: host.status.lines(width, self._can_follow)[-1])
        # a notice that is too long for its line begins there
        self._line("chain").look_again()

    def resize(self) -> bool:
        """Say so where the terminal is too small for a question; whether it is."""
        width, height = self._screen.size
        self._screen.set_class(too_small := width < LEAST_WIDTH or height < LEAST_HEIGHT, "too-small")
        self._screen.query_one("#too-small", Static).update(
            f"too small: {width}x{height}\nlabeler needs {LEAST_WIDTH}x{LEAST_HEIGHT}\nnothing is lost; Q quits"
        )
        return too_small

    def _chain_or_notice(self, host: Host, view: View, width: int) -> Content:
        """The chain; what is too long for the line below it begins here, until the next key."""
        texts = host.status.lines(width, self._can_follow)
        return texts[0] if len(texts) > 1 else lines.chain(view.chain, width)

    def _line(self, name: str) -> Line:
        return self._screen.query_one(f"#{name}", Line)
