"""The audit: pictures drawn at random, one by one and blind; after each answer what is certified now."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content

from labeler.core.types import Advice
from labeler.session.audit.audits import Certificate
from labeler.session.view import View
from labeler.ui.actions import Actions, Group, key, says
from labeler.ui.pictures.half_blocks import following
from labeler.ui.render import lines, statement
from labeler.ui.screens import blind
from labeler.ui.screens.base import Target
from labeler.ui.screens.commands import show
from labeler.ui.screens.picture import AHEAD, VIEW, PictureScreen
from labeler.ui.widgets.legend import legend
from labeler.ui.widgets.line import Block
from labeler.ui.widgets.picture import Picture


class AuditScreen(PictureScreen):
    """The picture whose turn it is, without a guess, neighbors or the folder it lies in; the statement beside it."""

    GROUPS = PictureScreen.GROUPS - {Group.LEADS}
    ACTIONS: ClassVar[Actions] = {
        **blind.ACTIONS,
        "accept": says(
            "no guess",
            "an audit is blind: there is no guess to accept",
            speaks_of_instance=False,
            in_footer=False,
            refusal="an audit is blind, there is no guess to accept: press the key of a class",
        ),
        "reject": says(help="belongs to no class: its label was wrong"),
        "view": VIEW,
        "pages": key("G", label="pages", help="pages of pictures under their labels: fewer keys", before="audit"),
    }

    def body(self) -> ComposeResult:
        """The picture; what is certified; the classes."""
        with Horizontal(id="main"):
            yield Picture(self.labeler.pictures, id="picture", asks=True)
            with Vertical(id="side"):
                yield Block(id="statement")
                yield Block(id="legend")

    # -- what is answered ----------------------------------------------------------------------------------------

    def target(self) -> Target | None:
        """The instance drawn next."""
        index = self.labeler.project.session.audit.next_index()
        return None if index is None else Target(index, self.labeler.project.session.pool.ids[index])

    def nothing_to_answer(self) -> str:
        """All were answered."""
        return "every label of the set was checked: E leads back"

    def give(self, target: Target, class_id: int) -> None:
        """Answer the audit."""
        self.labeler.project.session.audit.answer(target.instance_id, class_id, screen=self.recorded_as)

    # -- drawing -------------------------------------------------------------------------------------------------

    def draw(self, view: View) -> None:
        """The picture and the statement."""
        target = self.target()
        self.is_new((target.index if target is not None else None, view.revision))
        certificate = self.labeler.project.session.audit.certificate()
        if target is not None:
            self.picture.show(target.index)
        else:
            self.picture.show(
                None, ["every label of the set was checked", "", "E leads back, ⌫ takes the last one back"]
            )
        self.query_one("#statement", Block).show(lambda width, height: statement.in_lines(certificate, width))
        typed, first = self.typing, self.leading(view)
        self.query_one("#legend", Block).show(lambda width, height: legend(view.classes, typed, width, height, first))
        self._draw_about(view, certificate, target)
        self.note_paint()

    def _draw_about(self, view: View, certificate: Certificate | None, target: Target | None) -> None:
        if certificate is None or target is None:
            self.draw_lines(view, lambda width: Content(""))
            return
        name = target.instance_id.rpartition("/")[2]  # a folder may be the name of a class, and this is blind
        facts = [f"picture {certificate.checked + 1:,}, drawn from {certificate.population:,}"]
        facts.append(self.labeler.pictures.look.words)
        flagged = target.index in self.labeler.project.session.state.flagged
        self.draw_lines(view, lambda width: lines.about(name, [fact for fact in facts if fact], flagged, width))

    def coming(self) -> Sequence[int]:
        """The instances drawn next."""
        return self.labeler.project.session.audit.upcoming(AHEAD)

    # -- commands ------------------------------------------------------------------------------------------------

    def do_unsure(self) -> None:
        """Cannot tell: counts as wrong."""
        self._say_of_target("unsure")

    def do_reject(self) -> None:
        """Answer that it is of no class: its label is wrong."""
        self._say_of_target("reject")

    def _say_of_target(self, word: str) -> None:
        session = self.labeler.project.session
        self.about_target(lambda target: session.audit.answer(target.instance_id, None, word, screen=self.recorded_as))

    def can_follow(self, advice: Advice) -> bool:
        """Whether an advice can be followed: none, for it is about the labels as they are now."""
        return False

    def do_view(self) -> None:
        """Look at the pictures in the next way."""
        look = following(self.labeler.pictures.look)
        self.labeler.pictures.look = look
        self.picture.look_again()
        self.redraw()
        self.labeler.say(f"view: {look.words or 'the whole picture'}")

    async def do_pages(self) -> None:
        """In pages."""
        await show(self, "audit_pages")

    def do_undo(self) -> None:
        """Take back what was said since the audit began, no more."""
        blind.undo(self)

    def do_redo(self) -> None:
        """Bring back what was said since the audit began."""
        blind.redo(self)

    async def do_audit(self) -> None:
        """Leave the audit, which waits."""
        await self.labeler.leave()
