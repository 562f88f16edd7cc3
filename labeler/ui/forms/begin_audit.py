"""Asks once whether an audit is to begin, says how much it takes, and waits for the labels that it freezes."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Static

from labeler.core.errors import EngineError
from labeler.core.requests import PoolRequests
from labeler.core.text import counted
from labeler.core.types import Round
from labeler.session.audit.audits import CONFIDENCE, TARGET
from labeler.session.final_labels import final_labels
from labeler.ui.forms.base import Form
from labeler.ui.requests import ask
from labeler.ui.screens.commands import go_on_with_audit


class BeginAudit(Form[None]):
    """``enter`` begins: every label is computed anew behind this form, frozen and drawn into a random order."""

    def __init__(self, population: int, looks: int | None) -> None:
        super().__init__()
        self._population, self._looks = population, looks
        self._waits = False

    def compose(self) -> ComposeResult:
        """Yield what is done, how much it takes, what to press."""
        noun = self.labeler.project.session.pool.noun
        goal, sure = f"{100 * TARGET:g} %", f"{100 * CONFIDENCE:g} %"
        looks = "more looks than there are labels" if self._looks is None else f"about {counted(self._looks, 'look')}"
        lines = [
            f"{counted(self._population, 'label')} that nobody looked at one by one are frozen and drawn into a random "
            f"order; you look at one {noun} after the other, blind, or at pages (G).",
            f"\n\nIt takes {looks} without an error to certify that {goal} of them are right ({sure} sure), more with"
            " errors. Stop and go on where you like: E leads back and forth.",
        ]
        with Vertical(classes="dialog"):
            yield Static("begin an audit?", classes="title", markup=False)
            yield Static("".join(lines), classes="explanation", markup=False)
            yield Static(id="preview", markup=False)

    def on_mount(self) -> None:
        """Say what to press; nothing is begun yet."""
        self._say("")

    def _say(self, text: str, style: str = "bold $guess") -> None:
        does = () if self._waits else (("⏎ ", "bold $command"), ("begin   ", "$quiet"))
        keys = Content.assemble(*does, ("esc ", "bold $command"), ("back", "$quiet"))
        self.query_one("#preview", Static).update(Content.assemble((text, style), "\n", keys))

    async def submit(self) -> None:
        """Have every label computed anew."""
        if not self._waits:
            self._waits = True
            self._say("computing every label anew ...")
            self._ask()

    async def other(self, key: str) -> bool:
        """No other key does anything here."""
        return True

    def _ask(self) -> None:
        ask(self, self.labeler.project.engine.request(PoolRequests.closing), self._begin, self._failed)

    def _failed(self, error: EngineError) -> None:
        """Say why there is nothing to begin with; the key asks again."""
        self._waits = False
        self._say(f"{error.message} ({error.hint})" if error.hint else error.message, "bold $warn")

    async def _begin(self, closing: Round) -> None:
        """Freeze the labels that are there now and show the first picture."""
        project = self.labeler.project
        session = project.session
        if closing.revision != session.state.revision:  # something was recorded meanwhile: these are not the latest
            self._ask()
            return
        final = final_labels(session.state, closing)
        seed = project.recipe().seed
        done: list[int] = []
        # closed first: what goes wrong is said on the screen below
        await self.finish(None)
        self.labeler.command(
            lambda: session.audit.begin(final, target=TARGET, confidence=CONFIDENCE, seed=seed),
            lambda: done.append(1),
        )
        if done:
            session.merge_round(closing)
            self.labeler.view = project.view()
            await go_on_with_audit(self.labeler)
