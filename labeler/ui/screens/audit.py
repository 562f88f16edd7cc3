"""The audit: pictures drawn at random, one by one and blind; after each answer what is certified now."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content

from labeler.core.errors import UsageError
from labeler.core.events import Event
from labeler.session.audit.audits import Certificate, floored
from labeler.session.view import View
from labeler.ui.actions import Place
from labeler.ui.pictures.looks import following
from labeler.ui.render import lines
from labeler.ui.screens.base import Target
from labeler.ui.screens.commands import CommandScreen
from labeler.ui.widgets.legend import legend
from labeler.ui.widgets.line import Block
from labeler.ui.widgets.picture import Picture

if TYPE_CHECKING:
    from labeler.ui.app import LabelerApp

AHEAD = 8
"""Pictures drawn ahead of the person."""


class AuditKeys(CommandScreen):
    """What keys do in an audit, one by one or in pages."""

    def do_skip(self) -> None:
        """None is left out."""
        self.labeler.say("an audit leaves none out, or the hard ones would be missing: U if you cannot tell", "warn")

    async def do_why(self) -> None:
        """Not while it is blind."""
        self.labeler.say("an audit is blind: its label is shown after the answer, on other screens", "warn")

    def do_undo(self) -> None:
        """Take back what was said since the audit began, no more."""
        session = self.labeler.project.session
        self.labeler.command(lambda: self._within(session.state.undo_target()) and session.undo(), self.moved_in_time)

    def do_redo(self) -> None:
        """Bring back."""
        session = self.labeler.project.session
        self.labeler.command(lambda: self._within(session.state.redo_target()) and session.redo(), self.moved_in_time)

    def _within(self, event: Event | None) -> bool:
        audit = self.labeler.project.session.audit.latest
        if event is None or audit is None or event.seq < audit.seq:
            raise UsageError("nothing of this audit is left to take back or bring back", "E leads to the questions")
        return True


class AuditScreen(AuditKeys):
    """The picture whose turn it is, without a guess, neighbors or the folder it lies in; the statement beside it."""

    PLACE = Place.AUDIT

    def __init__(self) -> None:
        super().__init__()
        self._shown: tuple[int | None, int] | None = None

    def body(self) -> ComposeResult:
        """The picture; what is certified; the classes."""
        with Horizontal(id="main"):
            yield Picture(self.labeler.pictures, id="picture", asks=True)
            with Vertical(id="side"):
                yield Block(id="statement")
                yield Block(id="legend")

    @property
    def picture(self) -> Picture:
        """The large picture."""
        return self.query_one("#picture", Picture)

    # -- what is answered ----------------------------------------------------------------------------------------

    def target(self) -> Target | None:
        """The instance drawn next."""
        index = self.labeler.project.session.audit.next_index()
        return None if index is None else Target(index, self.labeler.project.session.pool.ids[index])

    def guess(self) -> int | None:
        """None is shown, and so none is accepted."""
        return None

    def nothing_to_answer(self) -> str:
        """All were answered."""
        return "every label of the set was checked: E leads back"

    def give(self, target: Target, class_id: int) -> None:
        """Answer the audit."""
        self.labeler.project.session.audit.answer(target.instance_id, class_id, screen=str(self.PLACE))

    # -- drawing -------------------------------------------------------------------------------------------------

    def draw(self, view: View) -> None:
        """The picture and the statement."""
        target = self.target()
        now = (target.index if target is not None else None, view.revision)
        if now != self._shown:
            self._shown = now
            self.painted.clear()
        found = self.labeler.project.session.audit.certificate()
        if target is not None:
            self.picture.show(target.index)
        else:
            self.picture.show(
                None, ["every label of the set was checked", "", "E leads back, ⌫ takes the last one back"]
            )
        self.query_one("#statement", Block).show(lambda width, height: _statement(found, width))
        typed, first = self.typing, self.leading(view)
        self.query_one("#legend", Block).show(lambda width, height: legend(view.classes, typed, width, height, first))
        self._draw_about(view, found, target)
        self._note_paint()

    def _draw_about(self, view: View, found: Certificate | None, target: Target | None) -> None:
        if found is None or target is None:
            self.draw_lines(view, lambda width: Content(""))
            return
        name = target.instance_id.rpartition("/")[2]  # a folder may be the name of a class, and this is blind
        facts = [f"picture {found.checked + 1:,}, drawn from {found.population:,}"]
        facts.append(self.labeler.pictures.look.words)
        flagged = target.index in self.labeler.project.session.state.flagged
        self.draw_lines(view, lambda width: lines.about(name, [fact for fact in facts if fact], flagged, width))

    def _note_paint(self) -> None:
        if self.picture.ready and not self.painted.is_set():
            self.picture.call_after_refresh(self._painted, self._shown)

    def _painted(self, shown: tuple[int | None, int] | None) -> None:
        if shown == self._shown and self.picture.ready and self.in_front and not self.painted.is_set():
            self.painted.set()
            self.labeler.question_was_painted()
            columns, rows = self.picture.size
            pictures, session = self.labeler.pictures, self.labeler.project.session
            pictures.expect(session.audit.upcoming(AHEAD), columns, rows, pictures.look)

    def picture_ready(self, index: int) -> None:
        """Draw the picture that was missing."""
        if index == self.picture.index and not (self.picture.ready and self.painted.is_set()):
            # also where it is ready: a resize may have found the drawing before we were told of it
            self.picture.look_again()
            self._note_paint()

    def on_resize(self) -> None:
        """The same picture at another size."""
        super().on_resize()
        self.painted.clear()
        self.call_after_refresh(self.redraw)

    # -- commands ------------------------------------------------------------------------------------------------

    def do_accept(self) -> None:
        """Nothing to accept."""
        self.labeler.say("an audit is blind, there is no guess to accept: press the key of a class", "warn")

    def do_unsure(self) -> None:
        """Cannot tell: counts as wrong."""
        self._say_of_target("unsure")

    def do_reject(self) -> None:
        """Of no class: its label is wrong."""
        self._say_of_target("reject")

    def _say_of_target(self, said: str) -> None:
        session = self.labeler.project.session
        self._about_target(lambda target: session.audit.answer(target.instance_id, None, said, screen=str(self.PLACE)))

    def do_view(self) -> None:
        """Look at the pictures in the next way."""
        look = following(self.labeler.pictures.look)
        self.labeler.pictures.look = look
        self.picture.look_again()
        self.redraw()
        self.labeler.say(f"view: {look.words or 'the whole picture'}")

    async def do_grid(self) -> None:
        """In pages."""
        from labeler.ui.screens.audit_pages import AuditPages

        self.labeler.news.clear()
        await self.labeler.push_screen(AuditPages())

    async def do_audit(self) -> None:
        """Back."""
        await self.leave()


async def open_audit(app: LabelerApp) -> None:
    """The audit that is under way, where the person left it: in pages where some of a block are left."""
    await app.push_screen(AuditScreen())
    audit = app.project.session.audit.latest
    if audit is not None and audit.block is not None and audit.block.answers:
        await cast("AuditScreen", app.screen).do_grid()


def _statement(found: Certificate | None, width: int) -> Content:
    """What is certified now, and what is left to do."""
    if found is None:
        return Content("")
    goal = f"{100 * found.target:g} %"
    sign, role = ("✓", "$saved") if found.reached else ("·", "$guess")
    lines = [
        Content.styled("certified now", "$quiet"),
        Content.assemble((f"{sign} ≥ {floored(found.lower_bound)} %", f"bold {role}"), (" right", "bold")),
    ]
    if found.reached:
        lines.append(Content.assemble((goal, "bold"), " reached: ", ("E", "bold $command"), " leads back"))
    elif found.more is not None:
        lines.append(Content.assemble("about ", (f"{found.more:,} more", "bold"), f" for {goal}"))
    elif found.too_early:
        lines.append(Content.styled(f"too early to say when {goal}", "$quiet"))
    else:
        why = "errors overlooked" if found.overlooked else "label on"
        lines.append(Content.assemble((goal, "bold $warn"), f" out of reach: {why}"))
    lines.append(Content.styled(f"{found.checked:,} checked, {found.wrong:,} wrong", "$quiet"))
    if found.cutoff_population is not None:
        lines.append(Content.styled(f"{goal} for the {found.cutoff_population:,} most trusted", "$quiet"))
    return Content("\n").join(part for line in lines for part in line.wrap(max(width, 1)))
