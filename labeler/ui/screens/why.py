"""The page that says why an instance has its label: the answers that carry it, each back to its key press."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content

from labeler.core.protocols import Engine
from labeler.core.requests import PoolRequests
from labeler.core.text import counted, display_safe, percent
from labeler.core.types import Provenance
from labeler.session.provenance import Press, Reasons, carried, press_of, reasons
from labeler.session.view import View
from labeler.ui.actions import Actions, Group, back, says
from labeler.ui.requests import ask
from labeler.ui.screens.thumbnails import ThumbnailScreen
from labeler.ui.widgets.line import Block, Line
from labeler.ui.widgets.picture import Picture
from labeler.ui.widgets.sheet_grid import Cell, SheetGrid

if TYPE_CHECKING:
    from labeler.project.open import Received

NEAREST = 8
"""Answers shown beside one that a person gave."""
_NOT_YET = "by the last round: what an export would say is being computed"


class WhyScreen(ThumbnailScreen):
    """One instance above, the answers behind its label below; ``enter`` asks the same of the one under the cursor."""

    ACTIONS: ClassVar[Actions] = {
        "accept": says("ask on", "why is the answer under the cursor what it is", speaks_of_instance=False),
        "why": back("back: to the instance before, then to where it was asked"),
        **dict.fromkeys(("flag", "dashboard", "classes"), says()),
    }
    GROUPS = frozenset({Group.ALWAYS, Group.MOVES, Group.PAGES})
    MOVES = "move over the answers"

    def __init__(self, index: int) -> None:
        super().__init__()
        self.index = index
        # instances on the way here, as they were
        self._before: list[tuple[int, int, list[tuple[int, float]] | None]] = []
        self._shares: list[tuple[int, float]] | None = None  # what the engine says carries it; None = not known (yet)
        self._asked_at: tuple[int, int] | None = None
        self._closing_asked_at = -1
        self._answers: list[tuple[Press, float | None]] = []
        self._more = 0

    def body(self) -> ComposeResult:
        """The instance, the answers, the one under the cursor."""
        with Horizontal(id="why-top"):
            yield Picture(self.labeler.pictures, id="why-picture")
            yield Block(id="why-facts")
        yield Line(id="asked")
        yield SheetGrid(self.labeler.pictures, id="sheet")
        yield Block(id="sheet-legend")

    @property
    def picture(self) -> Picture:
        """The instance asked about."""
        return self.query_one("#why-picture", Picture)

    # -- what it rests on ----------------------------------------------------------------------------------------

    def shown(self) -> Sequence[int]:
        """The answers' instances, the one that carries most first."""
        return [press.index for press, _ in self._answers]

    def nothing_to_answer(self) -> str:
        """There is no answer under the cursor."""
        return "no answer is shown here: I leads back"

    def answer(self, class_id: int) -> None:
        """Say that nothing is answered here."""
        self.labeler.say("nothing is answered on this page: I leads back to where keys answer", "warn")

    def heard(self, received: Received) -> None:
        """Ask again where the engine was not ready."""
        if received.changed and self._shares is None:
            self._asked_at = None  # what was asked while the engine was not ready is asked again
            self.draw_again()

    def _take(self, index: int, shares: list[tuple[int, float]]) -> None:
        """The shares of the answers, if they are of the instance that is looked at now."""
        # by the time the engine answers the person may be at another one
        if index == self.index:
            self._shares = shares
            self.draw_again()

    def _look_up(self, view: View, origin: Reasons) -> None:
        """The answers behind a machine's label; around a given one, its nearest neighbors."""
        project = self.labeler.project
        if origin.is_machine:
            if project.engine.is_ready and self._asked_at != (self.index, view.revision):
                self._asked_at = (self.index, view.revision)
                index = self.index
                asked = project.engine.request(Engine.shares, index)
                ask(self, asked, lambda shares: self._take(index, shares))
            named, self._more = carried(project.session, self._shares or ())
            self._answers = [(press, share) for press, share in named]
        # once: they do not move under the cursor
        elif not self._answers:
            self._more = 0
            near = (press_of(project.session, index) for index, _ in project.instances.neighbors(self.index, NEAREST))
            self._answers = [(press, None) for press in near if press is not None]

    # -- drawing -------------------------------------------------------------------------------------------------

    def draw(self, view: View) -> None:
        """The instance as it stands now."""
        origin = reasons(self.labeler.project.session, self.index)
        if origin.is_machine:
            self._have_it_closed(view)
        self._look_up(view, origin)
        self.picture.show(self.index)
        waits = origin.is_machine and not self.labeler.project.engine.is_closed
        facts = Content("\n").join([*_facts(origin), *([Content.styled(_NOT_YET, "$quiet")] if waits else [])])
        self.query_one("#why-facts", Block).show(lambda width, height: facts)
        super().draw(view)

    def _have_it_closed(self, view: View) -> None:
        """Ask the engine for the closing round, of which all is said here: it is what an export would ship."""
        project = self.labeler.project
        if project.engine.is_ready and not project.engine.is_closed and self._closing_asked_at != view.revision:
            self._closing_asked_at = view.revision
            project.engine.request(PoolRequests.closing)  # the session answers from it once it is there

    def foot(self, view: View, width: int, height: int) -> Content:
        """The key press under the cursor."""
        if not self._answers:
            return Content("")
        press, _ = self._answers[self.cursor]
        lines = [Content.styled(press.said, "bold")]
        lines += [Content.styled(line, "$quiet") for line in (press.asked, press.guesses) if line]
        ask = Content.assemble(
            (f"event {display_safe(press.event_id, 40)}  ", "$quiet"), ("⏎ ", "bold $command"), "why"
        )
        return Content("\n").join([*lines[: height - 1], ask])

    def heading(self, view: View) -> Content:
        """Return what the thumbnails are."""
        _, provenance = self.labeler.project.session.label_of(self.index)
        if provenance in (Provenance.PROPAGATED, Provenance.PREDICTED):
            return Content.assemble(*self._carriers())
        if not self._answers:
            return Content("")
        return Content.assemble(("the nearest answers", "bold"), ("  to compare it with", "$quiet"))

    def _carriers(self) -> Iterator[tuple[str, str]]:
        if self._shares is None:
            ready = self.labeler.project.engine.is_ready
            yield (
                ("the engine is looking for the answers that carry it" if ready else "the pictures are being prepared"),
                "$quiet",
            )
        elif not self._answers:
            yield "no single answer carries it", "$quiet"
        else:
            yield f"carried by {counted(len(self._answers) + self._more, 'answer')}", "bold"
            more = f"; {self._more} more with smaller ones" if self._more else ""
            yield f"  with their shares{more}", "$quiet"

    def cell(self, place: int, names: dict[int, str]) -> Cell:
        """Class and share of one answer."""
        press, share = self._answers[place]
        name = press.class_name if press.kind == "label" else press.kind
        return Cell(press.index, name, "saved", lead="" if share is None else f"{percent(share)} ")

    def facts(self, view: View) -> list[str]:
        """Return which of the answers it is."""
        return [f"answer {self.cursor + 1} of {len(self._answers)}"]

    def is_ready(self) -> bool:
        """Both pictures that are looked at."""
        return self.picture.ready and super().is_ready()

    def picture_ready(self, index: int) -> None:
        """One of the pictures was drawn."""
        super().picture_ready(index)
        if index == self.index and not (self.picture.ready and self.painted.is_set()):
            # also where it is ready: a resize may have found the drawing before we were told of it
            self.picture.look_again()
            self._note_paint()

    # -- commands ------------------------------------------------------------------------------------------------

    def do_accept(self) -> None:
        """Ask the same of the answer under the cursor."""
        target = self.target()
        if target is None:
            self.labeler.say(self.nothing_to_answer(), "quiet")
            return
        # with its shares: going back asks the engine nothing
        self._before.append((self.index, self.cursor, self._shares))
        self._ask_of(target.index, 0, None)

    async def do_why(self) -> None:
        """One step back."""
        if not self._before:
            await self.labeler.leave()
            return
        self._ask_of(*self._before.pop())

    def _ask_of(self, index: int, cursor: int, shares: list[tuple[int, float]] | None) -> None:
        self.index, self.cursor, self._shares = index, cursor, shares
        self._answers, self._asked_at = [], None
        self.labeler.status.clear()
        self.draw_again()

    def narrow(self, key: str, early: bool) -> bool:
        """Take no key of a name: no class is chosen here."""
        return False


def _facts(origin: Reasons) -> Iterator[Content]:
    yield Content.styled(display_safe(origin.instance_id), "bold")
    yield Content.styled(origin.heading, "bold $saved" if origin.press is not None else "bold $guess")
    for line in origin.lines:
        yield Content.styled(line, "$quiet")
    if origin.press is not None:
        yield Content.styled(f"event {display_safe(origin.press.event_id, 40)}", "$quiet")
