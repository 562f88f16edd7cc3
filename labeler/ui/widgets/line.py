"""A region of fixed size whose text is made for its width."""

from __future__ import annotations

from collections.abc import Callable

from textual.content import Content
from textual.widget import Widget


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
