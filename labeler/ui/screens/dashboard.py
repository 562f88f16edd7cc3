"""The dashboard: how far the session is, what the next keys bring, what to do now. Nothing is answered here."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content

from labeler.session.quality.summary import NOT_KNOWN, measure
from labeler.session.quality.unseen_classes import unseen_class
from labeler.session.view import View
from labeler.ui.actions import BACK, Action, Actions, Group, back
from labeler.ui.render import figures
from labeler.ui.screens.base import LabelScreen
from labeler.ui.widgets.line import Block

_STAYS = frozenset(
    {"dashboard", "undo", "redo", "percentile", "choose_k", "help", "palette", "saved", "suspend", "quit"}
)
"""Commands that are done here; the others lead away, to where their key leads from the screen below."""
ROOM_FOR_CHARTS = 20
"""Rows of a terminal below which the figures in words stand alone."""


class Dashboard(LabelScreen):
    """Figures; they follow the rounds of the engine while it is open."""

    GROUPS = frozenset({Group.ALWAYS, Group.LEADS})
    ACTIONS: ClassVar[Actions] = {
        "dashboard": back("back to where the dashboard was opened"),
        **dict.fromkeys(("outliers", "hunt")),
    }

    def body(self) -> ComposeResult:
        """Curve and classes side by side, figures below."""
        with Horizontal(id="charts"):
            yield Block(id="curve")
            yield Block(id="balance")
        yield Block(id="figures")

    # -- nothing is answered -------------------------------------------------------------------------------------

    def nothing_to_answer(self) -> str:
        """Return why a class key does nothing."""
        return "nothing is asked here: D leads back to the questions"

    # -- drawing -------------------------------------------------------------------------------------------------

    def draw(self, view: View) -> None:
        """Every figure as it is now."""
        self.set_class(self.size.height < ROOM_FOR_CHARTS, "words-alone")
        session = self.labeler.project.session
        measurements = measure(session.state, session.audit.certificate())
        rows = [(line.title, line.brief) for measurement in measurements for line in measurement.lines]
        self.set_class(len(rows) > 1, "measured")
        # how right the labels are comes first, also where nothing was measured
        if not rows or rows[0][0] not in ("certificate", "audit so far", "accuracy"):
            rows.insert(0, ("accuracy", NOT_KNOWN))
        unseen = unseen_class(session.state)
        if unseen is not None:
            rows.append(("unseen class", unseen.brief))
        ways = [action for action in self.KEYS if action.name not in _STAYS]
        self.query_one("#curve", Block).show(lambda width, height: figures.curve(view, width, height))
        self.query_one("#balance", Block).show(lambda width, height: figures.balance(view.classes, width, height))
        self.query_one("#figures", Block).show(lambda width, height: figures.summary(view, ways, width, height, rows))
        self.draw_lines(view, lambda width: Content.styled("how far it is, and what pays next", "$quiet"))
        self.call_after_refresh(self.painted.set)

    def on_resize(self) -> None:
        """The same figures at another size."""
        super().on_resize()
        self.redraw()

    # -- commands ------------------------------------------------------------------------------------------------

    async def do(self, action: Action) -> None:
        """Do what is done here; commands that lead away are those of the screen below."""
        if action.name in _STAYS:
            await super().do(action)
            return
        await self.labeler.leave()
        below = self.app.screen
        there = below.KEYS.by_key.get(action.keys[0]) if isinstance(below, LabelScreen) else None
        if isinstance(below, LabelScreen) and there is not None and there.label != BACK:  # else it is there already
            await below.do(there)

    async def do_dashboard(self) -> None:
        """Leave the dashboard."""
        await self.labeler.leave()
