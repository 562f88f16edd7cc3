"""The odd ones: pictures without an answer that are least like the others, to label, reject or flag."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.content import Content

from labeler.core.requests import Outliers, PoolRequests
from labeler.core.text import counted
from labeler.session.view import View
from labeler.ui.actions import Actions, back
from labeler.ui.requests import ask
from labeler.ui.screens.thumbnails import ThumbnailScreen

# the odd stand in front: who comes this far looks at ordinary pictures
QUEUE = 200


class OutlierScreen(ThumbnailScreen):
    """Thumbnails of the oddest, oddest first; the order is that of the moment the worker answered."""

    RECORDED_AS = "odd"
    ACTIONS: ClassVar[Actions] = {
        "outliers": back("back to where the odd ones were opened"),
    }
    MOVES = "move over the odd ones"
    SAYS_PAGE = False  # the how manyth it is says enough

    def __init__(self) -> None:
        super().__init__()
        self._indices: list[int] = []
        self._scores: dict[int, float] = {}
        self._alone: set[int] = set()  # in no cluster
        self._asked = True

    def on_mount(self) -> None:
        """Ask for them."""
        project = self.labeler.project
        first = project.instances.in_no_cluster()
        self._alone = set(first.tolist())
        ask(self, project.engine.request(PoolRequests.outliers, QUEUE, first), self._take)

    def _take(self, odd: Outliers) -> None:
        """They are here; what was answered while the worker looked is left out."""
        self._asked = False
        standings = self.labeler.project.session.state.answers
        self._indices = [index for index in odd.indices.tolist() if index not in standings]
        # of all that came: an answer that is taken back brings its picture here again
        self._scores = dict(zip(odd.indices.tolist(), odd.scores.tolist(), strict=True))
        self.draw_again()

    def shown(self) -> Sequence[int]:
        """The odd ones."""
        return self._indices

    def is_ready(self) -> bool:
        """The picture under the cursor, or nothing to wait for."""
        return not self._asked and self.grid.cursor_ready()

    # -- what is answered ----------------------------------------------------------------------------------------

    def nothing_to_answer(self) -> str:
        """Waiting, or all are answered."""
        if self._asked:
            return "the odd ones are being looked for"
        return f"every {self.labeler.project.session.pool.noun} has an answer: O leads back"

    def answered(self) -> None:
        """Go on to the next one."""
        self.cursor = min(self.cursor + 1, max(len(self._indices) - 1, 0))

    def moved_in_time(self) -> None:
        """Go to the picture whose answer was taken back or came back."""
        super().moved_in_time()
        last = self.labeler.project.session.last
        if last is not None and last.index in self._indices:
            self.cursor = self._indices.index(last.index)

    async def do_outliers(self) -> None:
        """Leave the odd ones."""
        await self.labeler.leave()

    # -- drawing -------------------------------------------------------------------------------------------------

    def heading(self, view: View) -> Content:
        """Return what is shown."""
        if not self._indices:
            return Content.styled(self.nothing_to_answer(), "$quiet")
        odd = f"  the {counted(len(self._indices), view.noun)} least like the others: label them, X throws one out"
        return Content.assemble(("odd ones", "bold"), (odd, "$quiet"))

    def facts(self, view: View) -> list[str]:
        """Return how odd the target is, and its place."""
        index = self._indices[self.cursor]
        alone = ["in no cluster"] if index in self._alone else []
        return [*alone, f"score {self._scores[index]:.3g}", f"{self.cursor + 1:,} of {len(self._indices):,}"]
