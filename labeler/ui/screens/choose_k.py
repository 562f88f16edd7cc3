"""How many clusters: the worker compares numbers while one looks on; a key takes one. Nothing is answered here."""

from __future__ import annotations

import asyncio

from textual.app import ComposeResult

from labeler.core.errors import LabelerError
from labeler.core.numeric.choose_k import Tried
from labeler.core.requests import Comparison, PoolRequests
from labeler.session.view import View
from labeler.ui.actions import Place
from labeler.ui.render import choose_k, lines
from labeler.ui.requests import ask
from labeler.ui.screens.base import Target
from labeler.ui.screens.commands import CommandScreen
from labeler.ui.widgets.line import Block


class ChooseK(CommandScreen):
    """A table that grows while numbers are compared; the cursor stays on the number it was put on."""

    PLACE = Place.CHOOSE_K

    def __init__(self) -> None:
        super().__init__()
        self._tried: list[Tried] = []
        self._total, self._about = 0, "the clusters"
        self._k: int | None = None  # under the cursor

    def body(self) -> ComposeResult:
        """The table."""
        yield Block(id="numbers")

    def on_mount(self) -> None:
        """Ask for the comparison."""
        ask(self, self.labeler.project.engine.request(PoolRequests.compare_numbers), self._take)

    # -- nothing is answered -------------------------------------------------------------------------------------

    def target(self) -> Target | None:
        """Nobody."""
        return None

    def guess(self) -> int | None:
        """None."""
        return None

    def nothing_to_answer(self) -> str:
        """Why a class key does nothing."""
        return "nothing is asked here: K leads back to the questions"

    # -- drawing -------------------------------------------------------------------------------------------------

    def _take(self, comparison: Comparison) -> None:
        """One more number was compared."""
        self._tried, self._total, self._about = comparison.tried, comparison.total, comparison.about
        self.redraw()

    def draw(self, view: View) -> None:
        """The numbers as far as they are known."""
        now, cursor = _in_force(view), self._cursor(view)
        self.query_one("#numbers", Block).show(
            lambda width, height: choose_k.table(self._tried, cursor, now, width, height)
        )
        self.draw_lines(view, lambda width: choose_k.about(self._about, len(self._tried), self._total, now))
        self.call_after_refresh(self.painted.set)

    def _cursor(self, view: View) -> int:
        """The place of the number chosen; without one the number in force, or the one nearest to it."""
        wanted = self._k or _in_force(view) or 0
        places = range(len(self._tried))
        return min(places, key=lambda place: abs(self._tried[place].k - wanted), default=0)

    # -- commands ------------------------------------------------------------------------------------------------

    def do_move_up(self) -> None:
        """Fewer."""
        self._move(-1, "fewer")

    def do_move_down(self) -> None:
        """More."""
        self._move(1, "more")

    def _move(self, step: int, word: str) -> None:
        view = self.labeler.view
        if view is None or not self._tried:
            self.labeler.say("numbers of clusters are being compared", "warn")
            return
        place = self._cursor(view) + step
        if not 0 <= place < len(self._tried):
            self.labeler.say(f"no number with {word} clusters was compared", "warn")
            return
        self._k = self._tried[place].k
        self.labeler.news.clear()
        self.redraw()

    async def do_accept(self) -> None:
        """Take the number under the cursor: the engine begins anew, every answer stays."""
        view, project = self.labeler.view, self.labeler.project
        if view is None or not self._tried:
            self.labeler.say("numbers of clusters are being compared", "warn")
            return
        k = self._tried[self._cursor(view)].k
        if k == _in_force(view):
            self.labeler.say(f"{lines.amount(k, 'cluster')}: that is what there is now")
            return
        taken: list[int] = []
        self.labeler.command(lambda: project.take_clusters(k), lambda: taken.append(k))
        if not taken:
            return
        try:
            await asyncio.to_thread(project.engine.end)
            project.engine.start(self.labeler.heard_by)
        except LabelerError as error:
            self.labeler.say(f"{error.message} ({error.hint})", "warn")
            return
        self.labeler.say(f"{lines.amount(k, 'cluster')} from here on: the engine begins anew, every answer stays")

    async def do_choose_k(self) -> None:
        """Back."""
        await self.leave()


def _in_force(view: View) -> int | None:
    """How many clusters the last round had."""
    found = view.round.facts.get("n_clusters") if view.round is not None else None
    return int(found) if found else None
