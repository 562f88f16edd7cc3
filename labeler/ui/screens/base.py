"""The base of every screen with keys: its commands, the fixed lines, a key in its turn, an answer for the target."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, cast

from textual.app import ComposeResult
from textual.content import Content
from textual.screen import Screen

from labeler.core.types import Advice, ClassInfo
from labeler.session.view import View
from labeler.ui.actions import BACK, SMALL_COMMANDS, Action, Actions, Group, Keys, key_name, refusal
from labeler.ui.host import Host
from labeler.ui.keys import CapsLock, Typeahead, Typed, Waiting, looks_azerty, narrows, needed, unshifted
from labeler.ui.render.short_names import short_name
from labeler.ui.screens import table
from labeler.ui.widgets.line import LEAST_HEIGHT, LEAST_WIDTH, FixedLines

if TYPE_CHECKING:
    from labeler.project.open import Received

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
        """Note that it is there."""
        super().set()
        self._then()


class LabelScreen(Screen[None]):
    """A screen whose keys answer and command. Holds no input, so that every key is an answer or a command.

    A command is done by the screen's method ``do_<name>``, or where it has none by the common function of that name.
    """

    AUTO_FOCUS = None
    GROUPS: ClassVar[frozenset[Group]] = frozenset({Group.ALWAYS, Group.ANSWERS, Group.LEADS})
    """The common commands it has."""
    ACTIONS: ClassVar[Actions] = {}
    """What it says of its own: see :mod:`labeler.ui.actions`."""
    CLASS_KEYS: ClassVar[str] = ""
    """What a class key does, for the help; "" = it answers, or does nothing where nothing is answered."""
    MOVES: ClassVar[str] = ""
    """What the arrows do, for the help."""
    RECORDED_AS: ClassVar[str] = ""
    """The word under which journals know its answers, where that is not its name: it never changes."""
    NAME: ClassVar[str]
    KEYS: ClassVar[Keys]

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        # a screen is called as its module is, so that the table of screens needs no other name
        cls.NAME = cls.__module__.rpartition(".")[2]
        cls.KEYS = Keys(cls.GROUPS, cls.ACTIONS)

    def __init__(self) -> None:
        super().__init__()
        self.painted = _Painted(self._picture_is_there)
        self.typeahead = Typeahead()
        self.paints_at_key = 0  # how many questions had been painted when the key in hand was pressed
        self.anew_from = -1  # the how manyth painted question it was when a guess had changed; 0 = not painted yet
        self._caps = CapsLock()
        self._lines = FixedLines(self, self.KEYS, self.can_follow)

    # -- what a screen adds --------------------------------------------------------------------------------------

    def body(self) -> ComposeResult:
        """Yield the widgets between the header and the lines at the bottom."""
        raise NotImplementedError

    def draw(self, view: View) -> None:
        """Show `view` (called on every change); ends with :meth:`draw_lines`."""
        raise NotImplementedError

    def target(self) -> Target | None:
        """The instance that is answered now; None where nothing is."""
        return None

    def guess(self) -> int | None:
        """The class that `accept` would give."""
        return None

    def nothing_to_answer(self) -> str:
        """The reason why there is no target."""
        raise NotImplementedError

    def picture_of(self, key: str) -> int | None:
        """The place of the picture that a small letter means, where it is no class's: see :meth:`mark`."""
        return None

    def mark(self, place: int) -> None:
        """Mark the picture at `place`: its letter was pressed."""

    def answered(self) -> None:
        """Go on: an answer for the target was saved; the next `draw` follows."""

    def moved_in_time(self) -> None:
        """Follow an undo or redo that was saved; the next `draw` follows."""
        self.typed = ""

    def picture_ready(self, index: int) -> None:
        """Take the drawing of `index`, which was made."""

    def heard(self, received: Received) -> None:
        """Take what the worker said; the view, where it changed, is drawn already."""

    def renew(self) -> None:
        """Come to the front anew: what `accept` would give is what is held now, from the next `draw` on."""

    def can_follow(self, advice: Advice) -> bool:
        """Whether the key that an advice names does here what it says."""
        action = self.KEYS.by_key.get(advice.key)
        return not advice.key or (action is not None and action.label != BACK)  # else the person is there already

    # -- drawing -------------------------------------------------------------------------------------------------

    @property
    def labeler(self) -> Host:
        """The application, as far as a screen knows it."""
        return cast("Host", self.app)

    @property
    def recorded_as(self) -> str:
        """The word under which journals know the answers given here."""
        return self.RECORDED_AS or self.NAME

    def compose(self) -> ComposeResult:
        """Yield the fixed lines above and below the body."""
        yield from self._lines.around(self.body())

    def draw_lines(self, view: View, about: Callable[[int], Content]) -> None:
        """Draw the lines above and below the body."""
        self._lines.draw(self.labeler, view, about)

    def draw_message(self) -> None:
        """Draw the line for notices, signs of life and advice."""
        if self.is_mounted and self.app.is_running:
            self._lines.draw_message(self.labeler)

    @property
    def in_front(self) -> bool:
        """Whether the person sees this screen, not one before it."""
        return self.app.is_running and self.app.screen is self

    @property
    def in_sight(self) -> bool:
        """Whether the picture that is asked about was written to the terminal, be it not counted as painted yet."""
        return False

    @property
    def is_due(self) -> bool:
        """Whether a picture that was drawn is about to be painted: nothing else stands before it."""
        return False

    @property
    def too_small(self) -> bool:
        """Whether the terminal is too small to show a question."""
        return self.size.width < LEAST_WIDTH or self.size.height < LEAST_HEIGHT

    def on_resize(self) -> None:
        """Say so where the terminal is too small; everything else keeps its state."""
        self._lines.resize()

    def on_screen_resume(self) -> None:
        """Draw what changed while another screen was in front."""
        self.painted.clear()
        self.renew()
        self.redraw()

    def redraw(self) -> None:
        """Draw the present view, if there is one."""
        view = self.labeler.view
        if view is not None and self.is_mounted and self.app.is_running:  # else it is being taken down
            self.draw(view)

    def count_paint(self) -> None:
        """Count a question that was painted: from the first one on keys are answers."""
        self.labeler.line.paints += 1
        if self.anew_from == 0:
            self.anew_from = self.labeler.line.paints

    def short(self, name: str, width: int) -> str:
        """The name of a class in at most `width` cells, told from those of the others."""
        view = self.labeler.view
        return short_name(name, tuple(view.class_names.values()) if view is not None else (), width)

    def leading(self, view: View) -> Sequence[int]:
        """The classes that stand first where the legend cannot hold all: those answered with of late."""
        return view.recent

    # -- answers -------------------------------------------------------------------------------------------------

    def answer(self, class_id: int) -> None:
        """Give the target a class."""
        self.about_target(lambda target: self.give(target, class_id))

    def give(self, target: Target, class_id: int) -> None:
        """Tell the session what the target is."""
        self.labeler.project.session.label(target.instance_id, class_id, screen=self.recorded_as)

    def about_target(self, tell: Callable[[Target], object], *, moves_on: bool = True) -> None:
        """Tell the session something of the target, or say why there is none."""
        target = self.target()
        if target is None:
            self.labeler.say(self.nothing_to_answer(), "warn")
            return

        def saved() -> None:
            self.typed = ""
            if moves_on:
                self.answered()

        self.labeler.command(lambda: tell(target), saved)

    def named(self, name: str | None) -> None:
        """Add the class that was named, and give it to the target; None = the name was left."""
        if name is None:
            return
        session, target = self.labeler.project.session, self.target()

        def add_and_answer() -> None:
            class_id = session.classes.id_for(name)
            if target is not None:
                self.give(target, class_id)

        self.labeler.command(add_and_answer, self.answered if target is not None else None)

    def is_too_soon(self) -> bool:
        """Whether the key in hand was pressed before a guess that changed was painted anew; says so."""
        if self.paints_at_key >= self.anew_from:
            return False
        self.labeler.say("that key was pressed before the new guess was there: ignored", "warn")
        return True

    def kind_of(self, target: Target) -> int:
        """The class that the target is held to be now; UNLABELED = nobody says."""
        return self.labeler.project.session.held(target.index)

    def hides(self, target: Target) -> bool:
        """Whether what is held of the target is kept from the eye."""
        return False

    def to_hunt(self) -> int | None:
        """The class that a hunt is for: the rarest by the labels that were given; None while there is none."""
        view = self.labeler.view
        # without a label of it there is nothing to start from
        met = [count for count in view.classes if count.given] if view is not None else []
        return min(met, key=lambda count: count.given).info.class_id if met else None

    # -- keys ----------------------------------------------------------------------------------------------------

    async def press(self, waiting: Waiting) -> None:
        """Do what a key means here, or say why it does nothing."""
        key = unshifted(waiting.token, self.labeler.layout)
        action = self.KEYS.by_key.get(key)
        # nobody sees what a key would answer: only leaving works
        if self.too_small:
            if action is not None and action.name == "quit":
                await self.do(action)
            return
        early = waiting.early and self.KEYS.answers  # elsewhere nothing is said of a picture
        # a letter of a name that is typed is neither a class key nor a command
        if self.narrow(key, early):
            return
        chosen = self._class_of(key)
        if chosen is None and self.typed and key == "enter":
            self.labeler.say(f"no class fits {self.typed}: ⌫ takes letters back", "warn")
            return
        # a class that owns the letter comes first, so that answers never turn into commands
        if chosen is None and action is None and key in SMALL_COMMANDS:
            action = self.KEYS.by_key.get(key.upper())
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
            await self.do(action)
        elif place is not None:
            self.mark(place)

    async def do(self, action: Action) -> None:
        """Do what the table says a key does here."""
        if action.refusal:
            self.labeler.say(action.refusal, "warn")
            return
        own = getattr(self, f"do_{action.name}", None)
        result = own() if own is not None else self.labeler.common(action.name)(self)
        # a screen that is opened has to be there before the next key
        if inspect.isawaitable(result):
            await result

    def _picture_is_there(self) -> None:
        if self.labeler.status.painted():
            self.draw_message()
        self.labeler.frame_is_there()

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
        self.labeler.status.say(text, until_painted=True)
        self.draw_message()
        # drawing again finds a picture whose announcement came at a moment when nobody was there to hear it
        dropped = await self.labeler.line.until(self.painted, self._lets_go, self.redraw, PATIENCE)
        if dropped is None:
            return True
        self.labeler.status.let_go(dropped)
        return False

    def _lets_go(self, waiting: Waiting) -> bool:
        key = unshifted(waiting.token, self.labeler.layout)
        action = self.KEYS.by_key.get(key)
        return self._class_of(key) is None and action is not None and not _waits(action)

    def _class_of(self, key: str) -> ClassInfo | None:
        view = self.labeler.view
        return None if view is None else self.typeahead.class_of(key, view.classes)

    def _explain(self, key: str) -> None:
        view = self.labeler.view
        if self._caps.missed(key):
            self.labeler.say("Caps Lock? Capitals are commands, small letters answer", "warn")
        elif looks_azerty(key):
            self.labeler.say("an AZERTY keyboard? with --keys azerty the row & é \" ' ( answers as 1 2 3 4 5", "warn")
        else:
            has_classes = bool(view and view.classes)
            self.labeler.say(refusal(key, has_classes=has_classes, elsewhere=table.own_actions()), "warn")

    # -- names that are typed ------------------------------------------------------------------------------------

    @property
    def typed(self) -> str:
        """The beginning of a name that was typed."""
        return self.typeahead.text

    @typed.setter
    def typed(self, text: str) -> None:
        self.typeahead.text = text

    @property
    def typing(self) -> Typed:
        """The name that is being typed, and which of the classes that fit ``enter`` takes."""
        return self.typeahead.typed

    @property
    def types_names(self) -> bool:
        """Whether there are more classes than keys, so that names are typed."""
        view = self.labeler.view
        return view is not None and needed(view.classes)

    def narrow(self, key: str, early: bool) -> bool:
        """Take a key of a name that is being typed; whether it was one."""
        view = self.labeler.view
        if view is None or not self.types_names:
            self.typed = ""
            return False
        if early and narrows(key):
            self.labeler.ignored_early()
        elif not self.typeahead.press(key, view.classes):
            return False
        self.draw(view)
        return True


def _waits(action: Action | None) -> bool:
    """Whether what it does is about what is painted."""
    return action is not None and (action.speaks_of_instance or action.repeats)
