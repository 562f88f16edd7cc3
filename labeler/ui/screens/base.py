"""What every screen with keys has in common: the fixed lines, the keys, the commands."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, cast

from textual.app import ComposeResult
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Static

from labeler.core.types import ClassInfo
from labeler.session.view import View
from labeler.ui.actions import ANSWERING, SMALL_COMMANDS, Action, Place, find, key_name, on, refusal
from labeler.ui.keys import typeahead
from labeler.ui.keys.held import CapsLock, looks_azerty, unshifted
from labeler.ui.keys.queue import Waiting
from labeler.ui.render import lines
from labeler.ui.render.short_names import short_name
from labeler.ui.widgets.legend import Typed
from labeler.ui.widgets.line import Line

if TYPE_CHECKING:
    from labeler.project.open import Received
    from labeler.ui.app import LabelerApp

LEAST_WIDTH, LEAST_HEIGHT = 60, 16
PATIENCE = 3.0
"""Seconds that a key waits for its question to be painted before the person is told that it waits."""


@dataclass(frozen=True, slots=True)
class Target:
    """The instance that an answer would go to."""

    index: int
    instance_id: str


class _Painted(asyncio.Event):
    """Set while the picture that a key speaks of is on the screen; `then` is called when it comes there."""

    def __init__(self, then: Callable[[], None]) -> None:
        super().__init__()
        self._then = then

    def set(self) -> None:
        """It is there."""
        super().set()
        self._then()


class LabelScreen(Screen[None]):
    """A screen whose keys answer and command. Holds no input, so that every key is an answer or a command."""

    AUTO_FOCUS = None
    PLACE: ClassVar[Place]

    def __init__(self) -> None:
        super().__init__()
        self.painted = _Painted(self._picture_is_there)
        self.typed = ""
        self._choice = ("", 0)  # what was typed when the arrows chose among the classes that fit, and the how manyth
        self.paints_at_key = 0  # how many questions had been painted when the key in hand was pressed
        self.anew_from = -1  # the how manyth painted question it was when a guess had changed; 0 = not painted yet
        self._caps = CapsLock()

    # -- what a screen adds --------------------------------------------------------------------------------------

    def body(self) -> ComposeResult:
        """The widgets between the header and the lines at the bottom."""
        raise NotImplementedError

    def target(self) -> Target | None:
        """What is answered now."""
        raise NotImplementedError

    def guess(self) -> int | None:
        """The class that `accept` would give."""
        raise NotImplementedError

    def nothing_to_answer(self) -> str:
        """Why there is no target."""
        raise NotImplementedError

    def draw(self, view: View) -> None:
        """Show `view` (called on every change); ends with :meth:`draw_lines`."""
        raise NotImplementedError

    def answer(self, class_id: int) -> None:
        """Give the target a class."""
        raise NotImplementedError

    def picture_of(self, key: str) -> int | None:
        """The place of the picture that a small letter means, where it is no class's: see :meth:`mark`."""
        return None

    def mark(self, place: int) -> None:
        """The letter of the picture at `place` was pressed."""

    def answered(self) -> None:
        """An answer for the target was saved; the next `draw` follows."""

    def picture_ready(self, index: int) -> None:
        """The drawing of `index` was made."""

    def heard(self, received: Received) -> None:
        """The worker said something; the view, where it changed, is drawn already."""

    # -- drawing -------------------------------------------------------------------------------------------------

    @property
    def labeler(self) -> LabelerApp:
        """The application, by its own type."""
        return cast("LabelerApp", self.app)

    def compose(self) -> ComposeResult:
        """Fixed lines above and below the body."""
        yield Line(id="header")
        yield from self.body()
        for name in ("about", "chain", "message"):
            yield Line(id=name)
        keys = Line(id="keys")
        keys.show(lambda width: lines.footer(on(self.PLACE), width))
        yield keys
        yield Static(id="too-small", markup=False)

    def draw_lines(self, view: View, about: Callable[[int], Content]) -> None:
        """The lines above and below the body."""
        project = self.labeler.project
        self.query_one("#header", Line).show(lambda width: lines.header(project.name, view, width))
        done = view.last
        place = project.session.pool.ids[done.index] if done is not None and done.index is not None else ""
        marks = lines.mark(view, place), lines.mark(view, "")
        self.query_one("#about", Line).show(lambda width: lines.beside(about, marks, width))
        self.query_one("#chain", Line).show(lambda width: self._chain_or_notice(view, width))
        self.draw_message()

    @property
    def in_front(self) -> bool:
        """Whether the person sees this screen, not one before it."""
        return self.labeler.is_running and self.labeler.screen is self

    def draw_message(self) -> None:
        """The line for notices, signs of life and advice."""
        if self.is_mounted and self.labeler.is_running:
            self.query_one("#message", Line).show(lambda width: self.labeler.news.lines(self.PLACE, width)[-1])
            self.query_one("#chain", Line).refresh()

    def _chain_or_notice(self, view: View, width: int) -> Content:
        """The chain; what is too long for the line below it begins here, until the next key."""
        said = self.labeler.news.lines(self.PLACE, width)
        return said[0] if len(said) > 1 else lines.chain(view.chain, width)

    @property
    def too_small(self) -> bool:
        """Whether the terminal is too small to show a question."""
        return self.size.width < LEAST_WIDTH or self.size.height < LEAST_HEIGHT

    def on_resize(self) -> None:
        """Say so where the terminal is too small; everything else keeps its state."""
        width, height = self.size
        self.set_class(self.too_small, "too-small")
        self.query_one("#too-small", Static).update(
            f"too small: {width}x{height}\nlabeler needs {LEAST_WIDTH}x{LEAST_HEIGHT}\nnothing is lost; Q quits"
        )

    def on_screen_resume(self) -> None:
        """Another screen went away: draw what changed meanwhile."""
        self.painted.clear()
        self.renew()
        self.redraw()

    def renew(self) -> None:
        """It comes to the front anew: what `accept` would give is what is held now, from the next `draw` on."""

    def redraw(self) -> None:
        """Draw the present view, if there is one."""
        view = self.labeler.view
        if view is not None and self.is_mounted and self.labeler.is_running:  # else it is being taken down
            self.draw(view)

    # -- keys ----------------------------------------------------------------------------------------------------

    async def press(self, waiting: Waiting) -> None:
        """Do what a key means here, or say why it does nothing."""
        key = unshifted(waiting.token, self.labeler.layout)
        action = find(key, self.PLACE)
        if self.too_small:
            if action is not None and action.name == "quit":
                await self.run_action_of_table(action)
            return
        early = waiting.early and self.PLACE in ANSWERING  # elsewhere nothing is said of a picture
        if self._narrow(key, early):
            return
        chosen = self._class_of(key)
        if chosen is None and self.typed and key == "enter":
            self.labeler.say(f"no class fits {self.typed}: ⌫ takes letters back", "warn")
            return
        if chosen is None and action is None and key in SMALL_COMMANDS:
            action = find(key.upper(), self.PLACE)
        place = self.picture_of(key) if chosen is None and action is None else None
        if chosen is None and action is None and place is None:
            self._explain(key)
            return
        self._caps.fitted()
        self.paints_at_key = waiting.paints
        answers = chosen is not None or place is not None
        if early and (answers or (action is not None and action.speaks_of_instance)):
            self.labeler.ignored_early()
            return
        if (answers or _waits(action)) and not await self._is_painted() and not await self._is_painted_at_last(key):
            return
        if chosen is not None:
            self.answer(chosen.class_id)
        elif action is not None:
            await self.run_action_of_table(action)
        elif place is not None:
            self.mark(place)

    async def run_action_of_table(self, action: Action) -> None:
        """Do what the table says a key does here."""
        result = getattr(self, f"do_{action.name}")()
        if inspect.isawaitable(result):
            await result

    def _picture_is_there(self) -> None:
        if self.labeler.news.painted():
            self.draw_message()

    async def _is_painted(self) -> bool:
        try:
            await asyncio.wait_for(self.painted.wait(), PATIENCE)
        except TimeoutError:
            return False
        return True

    async def _is_painted_at_last(self, key: str) -> bool:
        """Wait as long as it takes: a key that was let go would leave the next one to the picture it was meant for.

        False where the person pressed a key since that speaks of no picture: it is the way out.
        """
        text = f"the picture is still being read: {key_name(key)} waits for it; any other command lets it go"
        self.labeler.news.say(text, until_painted=True)
        self.draw_message()
        # drawing again finds a picture whose announcement came at a moment when nobody was there to hear it
        dropped = await self.labeler.line.until(self.painted, self._lets_go, self.redraw, PATIENCE)
        if dropped is None:
            return True
        self.labeler.news.let_go(dropped)
        return False

    def _lets_go(self, waiting: Waiting) -> bool:
        key = unshifted(waiting.token, self.labeler.layout)
        action = find(key, self.PLACE)
        return self._class_of(key) is None and action is not None and not _waits(action)

    @property
    def _typing_ahead(self) -> bool:
        view = self.labeler.view
        return view is not None and typeahead.needed(view.classes)

    def _narrow(self, key: str, early: bool) -> bool:
        """Type-ahead: whether the key was one of a name that is being typed."""
        view = self.labeler.view
        if view is None or not self._typing_ahead:
            self.typed = ""
            return False
        if typeahead.narrows(key):
            if early:
                self.labeler.ignored_early()
            else:
                self.typed, self._choice = self.typed + key, ("", 0)
        elif self.typed and key == "backspace":
            self.typed = self.typed[:-1]
        elif self.typed and key == "escape":
            self.typed = ""
        elif self.typed and key in ("up", "down"):
            fitting = len(typeahead.matches(self.typed, view.classes))
            step = 1 if key == "down" else -1
            self._choice = (self.typed, (self.typing.place + step) % max(fitting, 1))
        elif not (self.typed and key == "space"):
            return False
        self.draw(view)
        return True

    @property
    def typing(self) -> Typed:
        """The name that is being typed, and which of the classes that fit ``enter`` takes."""
        text, place = self._choice
        return Typed(self.typed, place if text == self.typed else 0)

    def short(self, name: str, width: int) -> str:
        """The name of a class in at most `width` cells, told from those of the others."""
        view = self.labeler.view
        return short_name(name, tuple(view.class_names.values()) if view is not None else (), width)

    def leading(self, view: View) -> Sequence[int]:
        """The classes that stand first where the legend cannot hold all: those answered with of late."""
        return view.recent

    def _class_of(self, key: str) -> ClassInfo | None:
        view = self.labeler.view
        if view is None:
            return None
        if self.typed:
            found = typeahead.matches(self.typed, view.classes) if key == "enter" else []
            return found[min(self.typing.place, len(found) - 1)].info if found else None
        return next((count.info for count in view.classes if count.info.key == key), None)

    def _explain(self, key: str) -> None:
        view = self.labeler.view
        if self._caps.missed(key):
            self.labeler.say("Caps Lock? Capitals are commands, small letters answer", "warn")
        elif looks_azerty(key):
            self.labeler.say("an AZERTY keyboard? with --keys azerty the row & é \" ' ( answers as 1 2 3 4 5", "warn")
        else:
            self.labeler.say(refusal(key, has_classes=bool(view and view.classes)), "warn")


def _waits(action: Action | None) -> bool:
    """Whether what it does is about what is painted."""
    return action is not None and (action.speaks_of_instance or action.repeats)
