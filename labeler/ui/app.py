"""The application: owns the project and the view, feeds keys to the screen, merges what the worker sends."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from textual import events
from textual.app import App, ComposeResult
from textual.driver import Driver
from textual.drivers.linux_driver import LinuxDriver
from textual.reactive import var
from textual.screen import Screen

from labeler.core import collector, lazy
from labeler.core.errors import GuessChanged, LabelerError, NotSaved, UsageError
from labeler.core.terminal import own_size, own_stderr
from labeler.core.text import display_safe
from labeler.project.opener import Opener
from labeler.ui.actions import key_name
from labeler.ui.inbox import Inbox
from labeler.ui.keys import KeyQueue, Waiting
from labeler.ui.messages import Opened, PictureReady, WorkerSaid
from labeler.ui.screens import table
from labeler.ui.signals import Ending
from labeler.ui.terminal import TerminalDriver
from labeler.ui.theme import THEME
from labeler.ui.widgets.first_frame import FirstFrame

if TYPE_CHECKING:
    from labeler.project.open import Project
    from labeler.session.view import View
    from labeler.ui import deferred
    from labeler.ui.host import Host
else:
    deferred = lazy.Later("labeler.ui.deferred")  # start-up: the first frame is drawn before numpy is there

SLOW_DISK = 0.05
"""Seconds a saved answer may take before the status bar mentions the disk."""
STYLES = Path(__file__).with_name("labeler.tcss")
"""The one look for all screens and forms."""
# seconds between two positions of the spinner: a sign of life, and little to draw over a slow connection
SPIN = 0.2


class LabelerApp(App[None]):
    """Draws a project and turns keys into session commands.

    Parameters
    ----------
    project
        An open project (:class:`labeler.project.open.Project`), or one that is to be opened behind the first frame.
    images
        How to draw pictures: ``auto``, ``half`` or ``ascii``; of a project that is to be opened, its option is taken.
    keys
        Keyboard layout: ``digits``, ``letters`` or ``azerty``; as before.
    audit
        Open on the audit that is under way instead of the question.
    """

    AUTO_FOCUS = None
    HORIZONTAL_BREAKPOINTS = [(0, "narrow"), (100, "wide")]  # noqa: RUF012 -- declared by App
    VERTICAL_BREAKPOINTS = [(0, "low"), (32, "high")]  # noqa: RUF012
    ENABLE_COMMAND_PALETTE = True
    # start-up: the palette is loaded when it is asked for
    COMMANDS: ClassVar[set[Any]] = {lambda: table.load("labeler.ui.palette:ActionProvider")}
    TITLE = "labeler"

    view: var[View | None] = var(None, always_update=True)
    project: Project  # from the moment on at which it is open, as the status line and the pictures

    def __init__(
        self, project: Project | Opener, *, images: str = "auto", keys: str = "digits", audit: bool = False
    ) -> None:
        super().__init__()
        self.register_theme(THEME)
        self.theme = THEME.name
        self._audit_first = audit
        self.ending = Ending()
        self.line = KeyQueue(self._take, self._held)
        self.looked_for = ""  # the last search
        self._seen = False  # the first frame of the project is there
        self._is_open = False
        self._opener = project if isinstance(project, Opener) else None
        self.is_interrupted = False  # by ctrl+c, before the project was open
        if not isinstance(project, Opener):
            self._take_up(project, images, keys)

    # -- starting and ending -------------------------------------------------------------------------------------

    def get_driver_class(self) -> type[Driver]:
        """Textual's choice, but for a terminal of our own."""
        chosen = super().get_driver_class()
        return TerminalDriver if chosen is LinuxDriver else chosen

    def action_suspend_process(self) -> None:
        """Leave the terminal to the shell and stop, until ``fg``."""
        if not isinstance(self._driver, TerminalDriver):
            self.say("there is no shell to go to from here", "warn")
        elif self._driver.suspend(with_group=True):
            if isinstance(self.screen, deferred.LabelScreen):
                self.screen.on_screen_resume()
            self.say("back from the shell: every answer from before is saved")
        else:
            self.say("no shell started this, so nobody could bring it back: not suspended", "warn")

    def compose(self) -> ComposeResult:
        """Yield what is in sight until the project is open."""
        if self._opener is not None:
            yield FirstFrame(self._opener)

    async def on_mount(self) -> None:
        """First frame first, then the project, then the worker."""
        self.ending.tell(self._terminated)
        self.set_interval(SPIN, self._spin)
        if self._opener is None:
            await self._begin()
        else:
            # what is loaded keeps the interpreter busy, and the disk: the frame is written before
            self.call_after_refresh(self._opener.begin, lambda: deferred.load(), lambda: self.post_message(Opened()))

    async def on_opened(self) -> None:
        """Take up the project; one that cannot be opened ends the application, and :func:`run` says why."""
        opener = self._opener
        if opener is None or self._exit:  # left meanwhile: whoever runs the application closes it
            return
        if opener.error is not None:
            self.exit()
            return
        project = opener.take()
        options = project.options
        self._take_up(project, options.get("images", "auto"), options.get("keys", "digits"))
        await self._begin()

    def _take_up(self, project: Project, images: str, keys: str) -> None:
        self.project = project
        self.layout = keys
        self.status = deferred.StatusLine([*project.notices, *deferred.about_images(images)])
        self._inbox = Inbox(project, self.status)
        self.pictures = deferred.Pictures(
            project.instances.shown,
            # called on the thread that draws, which must not touch a widget
            lambda index: self.post_message(PictureReady(index)),
            deferred.depth_for(self.console.color_system, images),
            words=project.instances.content != "images",
            file_size=project.instances.file_size,
        )
        self._is_open = True

    async def _begin(self) -> None:
        # not ``CSS_PATH``: parsing it takes longer than drawing the first frame, which has no part in it
        self.stylesheet.read(STYLES)
        self.view = self.project.view()
        await self.open("question")
        if self._audit_first:
            await deferred.commands.go_on_with_audit(self._host)
        # who gave answers without classes before (skips, say) is not asked again
        elif not self.view.classes and not self.view.answers:
            await self.open("class_setup")
        # an error there would leave a screen that takes no key: better to end by it
        self.run_worker(self.line.run(), name="keys", exit_on_error=True)
        # the worker starts behind the first frame: loading it takes longer than drawing
        self.call_after_refresh(self._first_frame)

    def _terminated(self, number: int) -> None:
        """Asked to end from outside, or the terminal is gone: as with `Q`, with the terminal as it was."""
        self.exit(return_code=128 + number)

    def _first_frame(self) -> None:
        self._seen = True
        collector.end()
        try:
            self.project.engine.start(self.heard_by)
        except LabelerError as error:
            # without a worker answers can still be given and saved: it is said, nothing ends
            self.status.trouble = f"{error.message} ({error.hint})"
            self._draw_message()

    def heard_by(self, message: object) -> None:
        """Take what the worker sent; from the reader's thread: nothing but a message."""
        self.post_message(WorkerSaid(message))

    def on_unmount(self) -> None:
        """End the thread that draws."""
        if self._is_open:
            self.pictures.close()

    # -- keys ----------------------------------------------------------------------------------------------------

    async def on_event(self, event: events.Event) -> None:
        """Put keys in line; everything else takes Textual's way."""
        if isinstance(event, events.Key) and not event.is_forwarded and self._running:
            if not self._is_open:
                self._typed_early(event)
                return
            screen = self.screen
            # a painted question is counted one or two frames later: who pressed a key in between has seen it
            in_sight = self.line.paints == 0 and isinstance(screen, deferred.LabelScreen) and screen.in_sight
            self.line.arrived(
                event, text=not isinstance(screen, deferred.LabelScreen), blind=not self._seen, in_sight=in_sight
            )
        else:
            await super().on_event(event)

    def _typed_early(self, event: events.Key) -> None:
        """Put a key in line before there is anything to answer; only ctrl+c leaves at once, as in every program."""
        if event.key == "ctrl+c":
            self.is_interrupted = True
            self.exit()
        else:
            self.line.arrived(event, text=True, blind=True)

    async def _take(self, waiting: Waiting) -> None:
        if self._exit:  # typed behind the key that quit
            return
        session = self.project.session
        # counted before anything is done: an event says how many keys it took
        session.recorder.presses = (session.recorder.presses or 0) + 1
        self.status.turn()
        if waiting.released:
            self.status.held = ""
        screen = self.screen
        if isinstance(screen, deferred.LabelScreen | deferred.Form):
            await screen.press(waiting)
        else:
            await self._focus_there()
            await super().on_event(waiting.event)

    async def _focus_there(self) -> None:
        """Wait for the input of a palette that was just opened, so that it gets what is typed right behind its key."""
        palette = self.screen
        while self.focused is None and self.screen is palette and self.is_running:
            await asyncio.sleep(0.01)

    def _held(self, key: str, ignored: int) -> None:
        presses = "1 press" if ignored == 1 else f"{ignored} presses"
        self.status.held = f"{key_name(key)} is held down: paused, {presses} ignored. Let go, then go on"
        self._draw_message()

    # -- commands ------------------------------------------------------------------------------------------------

    def command(self, what: Callable[[], object], then: Callable[[], None] | None = None) -> None:
        """Run a session command; on success tell the engine and draw, else say in one line what is wrong.

        What could not be saved is kept: the screen says so and offers to try again.
        """
        started = time.perf_counter()
        try:
            what()
        except NotSaved as error:
            self._not_saved(what, then, error)
            return
        except GuessChanged as error:
            self._shown_anew(error)
            return
        except LabelerError as error:
            self.say(f"{error.message}: {error.hint}" if error.hint else error.message, "warn")
            return
        took = time.perf_counter() - started
        self.status.clear()
        if took > SLOW_DISK:
            self.status.aside = f"the disk is slow: {took * 1000:.0f} ms"
        # the engine is told first: it works while the screen is drawn
        self.project.engine.changed()
        if then is not None:
            then()
        self.view = self.project.view()

    def _shown_anew(self, error: GuessChanged) -> None:
        """Draw the screen anew, which does not show what is held any more, and say so."""
        if isinstance(self.screen, deferred.LabelScreen):
            self.screen.renew()
            self.screen.anew_from = 0
        self.view = self.project.view()
        self.say(f"{error.message}; {error.hint}", "warn")

    def _not_saved(self, what: Callable[[], object], then: Callable[[], None] | None, error: NotSaved) -> None:
        def placed(path: str | None) -> None:
            if path is None:
                self._not_saved(what, then, error)
            else:
                self.command(what, then)
                self.say(f"from here on everything is saved in {display_safe(path, 200)}")

        self.open(
            "unsaved",
            error,
            # what was typed behind it was meant for questions that did not come
            self.line.forget(),
            again=lambda: self.command(what, then),
            elsewhere=lambda: self.open("elsewhere", placed),
            give_up=lambda: self.say("given up: that key was not saved", "bad"),
        )

    def common(self, name: str) -> Callable[[Any], Awaitable[None] | None]:
        """Return what the common command of that name does on a screen."""
        command: Callable[[Any], Awaitable[None] | None] = getattr(deferred.commands, name)
        return command

    # -- screens -------------------------------------------------------------------------------------------------

    def open(self, name: str, *arguments: Any, **options: Any) -> Awaitable[object]:
        """Open the screen or form of that name, or go back to it where it is open below and needs no arguments."""
        # a screen with arguments shows something else each time, so it may lie above one of its kind
        if not arguments and not options and any(_is(screen, name) for screen in self.screen_stack):
            return self.leave(name)
        screen: Screen[None] = table.class_of(name)(*arguments, **options)
        return self.push_screen(screen)

    async def leave(self, to: str = "") -> None:
        """Close the screen in front, or all down to the one called `to`, and draw that before the next key."""
        self.status.clear()  # what was said there is no answer here: G and R mean something else
        if not to:
            await self.pop_screen()
        while to and not _is(self.screen, to):
            await self.pop_screen()
        # Textual's own event would come behind the next key
        if isinstance(self.screen, deferred.LabelScreen):
            self.screen.on_screen_resume()

    @property
    def _host(self) -> Host:
        return self

    # -- drawing -------------------------------------------------------------------------------------------------

    def watch_view(self, view: View | None) -> None:
        """Draw the new state on the screen in front."""
        if view is None:
            return
        self.status.advice = view.advice
        self.status.doubted(len(view.doubts))
        if isinstance(self.screen, deferred.LabelScreen):
            self.screen.redraw()

    def say(self, text: str, role: str = "info") -> None:
        """One line in the status bar."""
        self.status.say(text, role)
        self._draw_message()

    def ignored_early(self, what: str = "the first picture") -> None:
        """A key from before the first painted question, or form: counted, never an answer, never text."""
        self.status.ignored_early(what)
        self._draw_message()

    def _draw_message(self) -> None:
        # not the one in front alone: behind a form the screen below is in sight
        for screen in self.screen_stack:
            if isinstance(screen, deferred.LabelScreen | deferred.Form):
                screen.draw_message()

    def _spin(self) -> None:
        if isinstance(self._driver, TerminalDriver):
            self._driver.look()
        if not self._is_open:
            self.query_one(FirstFrame).look()
            return
        self._listen(at_last=self._inbox.is_overdue)
        if self.status.progress is not None:
            self.status.tick += 1
            if self.status.moving:
                self._draw_message()
        collector.rest(is_idle=self.line.rests)
        self._inbox.rest(self.line.quiet)

    # -- what threads post ---------------------------------------------------------------------------------------

    def on_worker_said(self, message: WorkerSaid) -> None:
        """Keep what the worker sent until it is its turn."""
        if self._inbox.put(message.what):
            self._listen_soon()

    def frame_is_there(self) -> None:
        """Take up what waited for the frame of a question."""
        self._inbox.note_frame()
        if not self._inbox.is_empty:
            self._listen_soon()

    def _listen_soon(self) -> None:
        # behind keys that wait by now, and with whatever else the worker has sent: all of it is drawn once
        if pause := self._inbox.pause:
            self.set_timer(pause, self._listen)
        else:
            self.call_later(self._listen)

    def _listen(self, *, at_last: bool = False) -> None:
        """Merge what the worker sent. A question that is about to be painted comes first, but for `at_last`."""
        if not self.is_running or self._inbox.is_empty:
            return
        is_due = isinstance(self.screen, deferred.LabelScreen) and self.screen.is_due
        if (is_due or self._inbox.pause) and not at_last:  # taken up again behind the frame
            return
        if (received := self._inbox.merge()).changed:
            self.view = self.project.view()
        elif self.view is None or self.view.question is None or not self.status.moving:
            self._draw_message()  # else with the spinner, in a moment: what comes and goes meanwhile is not drawn
        for screen in self.screen_stack:
            if isinstance(screen, deferred.LabelScreen):
                screen.heard(received)
        if isinstance(self.screen, deferred.Form):
            self.run_worker(self.screen.heard(received), name="heard")  # it may close the form, which waits for us

    def on_picture_ready(self, message: PictureReady) -> None:
        """Hand a finished drawing to whoever shows it."""
        if not self.is_running:
            return  # the screens are being taken down
        for screen in self.screen_stack:
            if isinstance(screen, deferred.LabelScreen) and screen.is_mounted:  # else its parts are not there yet
                screen.picture_ready(message.index)


def _is(screen: Screen[Any], name: str) -> bool:
    return isinstance(screen, deferred.LabelScreen) and name == screen.NAME


def run(project: Project | Opener, *, images: str = "auto", keys: str = "digits", audit: bool = False) -> int:
    """Run the application until the person quits; closing the project stays with the caller.

    A project that is to be opened is opened behind the first frame, and is that :class:`Opener`'s from then on.

    Returns the exit code: 0, or 128 + the number of the signal that asked it to end (143: SIGTERM, 130: SIGINT).

    Raises
    ------
    UsageError
        There is no terminal to draw on or to read keys from.
    LabelerError, OSError, MemoryError
        The project cannot be opened; the terminal is as it was.
    KeyboardInterrupt
        Somebody pressed ctrl+c before it was open.
    """
    if not os.environ.get("TEXTUAL_DRIVER") and not (sys.stdin.isatty() and sys.__stderr__ and sys.__stderr__.isatty()):
        raise UsageError(
            "the application needs a terminal: standard input and standard error must be one",
            "run it in a terminal, without redirecting these two; in scripts use: labeler simulate, status, export",
        )
    with own_stderr(), own_size():
        app = LabelerApp(project, images=images, keys=keys, audit=audit)
        with app.ending.listening():
            app.run()
    if app.is_interrupted:
        raise KeyboardInterrupt
    if isinstance(project, Opener) and project.error is not None and not app.return_code:
        project.take()  # raises it
    return app.return_code or 0
