"""The number of clusters: the worker compares some while one looks on; a key takes one. Nothing is answered here."""

from __future__ import annotations

import asyncio
from typing import ClassVar

from textual.app import ComposeResult

from labeler.core.errors import LabelerError
from labeler.core.numeric.choose_k import Tried
from labeler.core.requests import Comparison, PoolRequests
from labeler.core.text import counted
from labeler.session.view import View
from labeler.ui.actions import Actions, Group, back, key, says
from labeler.ui.render import choose_k
from labeler.ui.requests import ask
from labeler.ui.screens.base import LabelScreen
from labeler.ui.widgets.line import Block


class ChooseK(LabelScreen):
    """A table that grows while numbers are compared; the cursor stays on the number it was put on."""

    ACTIONS: ClassVar[Actions] = {
        "accept": says("take it", "cluster into so many from here on", speaks_of_instance=False),
        "choose_k": back("back to where the numbers of clusters were opened", before="undo"),
        "move_up": key("up", label="fewer", help="fewer clusters", before="undo", in_footer=False),
        "move_down": key("down", label="more", help="more clusters", before="undo", in_footer=False),
    }
    GROUPS = frozenset({Group.ALWAYS})
    MOVES = "choose a number of clusters"

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

    def nothing_to_answer(self) -> str:
        """Return why a class key does nothing."""
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
        # by number, not by place: rows come in between as the comparison goes on
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
        self.labeler.status.clear()
        self.redraw()

    async def do_accept(self) -> None:
        """Take the number under the cursor: the engine begins anew, every answer stays."""
        view, project = self.labeler.view, self.labeler.project
        if view is None or not self._tried:
            self.labeler.say("numbers of clusters are being compared", "warn")
            return
        k = self._tried[self._cursor(view)].k
        if k == _in_force(view):
            self.labeler.say(f"{counted(k, 'cluster')}: that is what there is now")
            return
        taken: list[int] = []
        self.labeler.command(lambda: project.take_clusters(k), lambda: taken.append(k))
        if not taken:
            return
        try:
            # off the event loop: a worker in the middle of a step takes its time to end
            await asyncio.to_thread(project.engine.end)
            project.engine.start(self.labeler.heard_by)
        except LabelerError as error:
            self.labeler.say(f"{error.message} ({error.hint})", "warn")
            return
        self.labeler.say(f"{counted(k, 'cluster')} from here on: the engine begins anew, every answer stays")

    async def do_choose_k(self) -> None:
        """Leave the comparison."""
        await self.labeler.leave()


def _in_force(view: View) -> int | None:
    """Return the number of clusters of the last round."""
    n_clusters = view.round.facts.get("n_clusters") if view.round is not None else None
    return int(n_clusters) if n_clusters else None
