"""The cluster browser: what each cluster holds, how far its labels spread, and where to divide it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from rich.cells import set_cell_size
from textual.app import ComposeResult
from textual.content import Content

from labeler.core.text import counted
from labeler.session.clusters import SLOTS, Clusters, Contents, carried_over, stepped
from labeler.session.view import View
from labeler.ui.actions import Actions, back, key, says
from labeler.ui.pictures.words import mean_lines
from labeler.ui.render import lines
from labeler.ui.render.short_names import longest
from labeler.ui.screens.thumbnails import ThumbnailScreen
from labeler.ui.widgets.cards import ACROSS, CardGrid, Words
from labeler.ui.widgets.line import Block, Line

# cells: the bar behind a name says more than the rest of it
_NAME_ROOM = 10
_TOLD = 6
"""Means of a table's columns told of a cluster at most."""


class ClusterBrowser(ThumbnailScreen):
    """Cards of the clusters as they were when it was opened; they change only where the person divides one."""

    ACTIONS: ClassVar[Actions] = {
        "skip": says(in_footer=False),
        "clusters": back("back to where the clusters were opened"),
        "further": key("+", "=", ">", label="further", help="labels spread further in this cluster alone"),
        "less": key("-", "<", label="less", help="labels spread less far in this cluster alone"),
        "common": key("*", label="as all", help="this cluster follows the rule of all again (P)", in_footer=False),
        "halve": key(
            "H", label="halve", help="divide this cluster in two; both centers are asked next", leads_notice=True
        ),
        "order": key("O", label="order", help="largest or most mixed clusters first", leads_notice=True),
        "move_up": says(help="the cluster above"),
        "move_down": says(help="the cluster below"),
        "move_right": says(help="the next picture of the cluster"),
    }
    MOVES = "move over the clusters and their pictures"
    SAYS_PAGE = False  # which cluster says enough

    def __init__(self) -> None:
        super().__init__()
        self._clusters: Clusters | None = None
        self._order: list[int] = []  # representatives, as the cards lie
        self._pictures: list[int] = []  # five a card
        self._mixed_first = False
        self._awaited = 0  # the revision whose round brings divided clusters; 0 = none

    def body(self) -> ComposeResult:
        """Title, cards, legend."""
        yield Line(id="asked")
        yield CardGrid(self.labeler.pictures, id="sheet")
        yield Block(id="sheet-legend")

    @property
    def grid(self) -> CardGrid:
        """The cards."""
        return self.query_one("#sheet", CardGrid)

    # -- the cards -----------------------------------------------------------------------------------------------

    def on_mount(self) -> None:
        """Take the clusters as they are now, the largest first."""
        view = self.labeler.view
        if view is not None and view.round is not None:
            self._clusters = self._clusters_of(view)
            self._lie(self._clusters.by_size())

    def _clusters_of(self, view: View) -> Clusters:
        assert view.round is not None  # noqa: S101 - the screen opens only with a round
        state = self.labeler.project.session.state
        # as long as the round, not the pool: rows that came later are in no cluster of it
        usable = np.ones(len(view.round.labels), dtype=np.bool_)
        gone = [index for index in state.pool.unusable().tolist() if index < len(usable)]
        usable[gone] = False
        return Clusters(view.round, usable)

    def _lie(self, order: list[int]) -> None:
        """Lay the cards in an order, the cursor on the same cluster."""
        clusters = self._clusters
        if clusters is None:
            return
        at = self._representative()
        self._order = order
        self._pictures = [index for representative in order for index in clusters.pictures(representative)]
        if at is not None:
            inside = clusters.cluster_of(at)
            self._put(next((card for card, other in enumerate(order) if clusters.cluster_of(other) == inside), 0))

    def _put(self, card: int) -> None:
        self.cursor = card * ACROSS

    def _representative(self) -> int | None:
        card = self.cursor // ACROSS
        return self._order[card] if card < len(self._order) else None

    def shown(self) -> Sequence[int]:
        """Five pictures a card."""
        return self._pictures

    # -- what is answered ----------------------------------------------------------------------------------------

    def nothing_to_answer(self) -> str:
        """There is no cluster."""
        return "there are no clusters"

    def answered(self) -> None:
        """Go on from a center to the next one without an answer; stay on any other picture."""
        if self.cursor % ACROSS:
            return
        card = self.cursor // ACROSS
        standings = self.labeler.project.session.state.answers
        after = [*range(card + 1, len(self._order)), *range(card)]
        following = next((other for other in after if self._order[other] not in standings), None)
        if following is not None:
            self._put(following)
        else:
            self.labeler.status.say("all centers have an answer: T leads back to the questions")

    def moved_in_time(self) -> None:
        """Go to the picture whose answer was taken back or came back."""
        super().moved_in_time()
        session = self.labeler.project.session
        if session.last is None:
            return
        if session.last.index in self._pictures:
            self.cursor = self._pictures.index(session.last.index)
        # a division taken back or brought back is there with the next round alone
        if session.last.what.endswith(" split"):
            self._awaited = session.state.revision

    # -- rules of a cluster --------------------------------------------------------------------------------------

    def do_further(self) -> None:
        """Labels spread one step further in this cluster alone."""
        self._step(1)

    def do_less(self) -> None:
        """Labels spread one step less far in this cluster alone."""
        self._step(-1)

    def _step(self, direction: int) -> None:
        view, representative, clusters = self.labeler.view, self._representative(), self._clusters
        if view is None or view.round is None or representative is None or clusters is None:
            self.labeler.say(self.nothing_to_answer(), "warn")
            return
        session = self.labeler.project.session
        now = clusters.own_reach(representative, session.state)
        # no rule of its own: one step from where labels end under the common one
        if now is None and (now := view.percentile) is None:
            contents = clusters.contents(representative, session.state, view.round)
            now = 100.0 * contents.propagated / max(contents.free, 1)
        after = stepped(now, direction)
        if after == now:
            whole = "to the whole cluster" if direction > 0 else "to nobody but the center"
            self.labeler.say(f"labels spread {whole} already", "warn")
            return
        self.labeler.command(lambda: session.clusters.reach(session.pool.ids[representative], after))

    def do_common(self) -> None:
        """Let the cluster follow the rule of all again."""
        representative, clusters, session = self._representative(), self._clusters, self.labeler.project.session
        if representative is None or clusters is None:
            self.labeler.say(self.nothing_to_answer(), "warn")
        elif clusters.own_reach(representative, session.state) is None:
            self.labeler.say("this cluster has no reach of its own: + and - give it one", "warn")
        else:
            self.labeler.command(lambda: session.clusters.reach(session.pool.ids[representative], None))

    def do_halve(self) -> None:
        """Divide the cluster in two."""
        representative, session = self._representative(), self.labeler.project.session
        if representative is None:
            self.labeler.say(self.nothing_to_answer(), "warn")
            return

        def saved() -> None:
            self._awaited = session.state.revision

        self.labeler.command(lambda: session.clusters.split(session.pool.ids[representative]), saved)

    def do_order(self) -> None:
        """The other order."""
        view, clusters = self.labeler.view, self._clusters
        if view is None or view.round is None or clusters is None:
            return
        self._mixed_first = not self._mixed_first
        state = self.labeler.project.session.state
        # by the labels of now: the order stays as it is laid, though they change
        self._lie(clusters.by_mixture(state, view.round) if self._mixed_first else clusters.by_size())
        self._put(0)
        self.labeler.status.clear()
        self.draw_again()

    # -- drawing -------------------------------------------------------------------------------------------------

    def draw(self, view: View) -> None:
        """Show the cards; take divided clusters when their round is there."""
        # cards change only for a round that knows of the division
        if self._awaited and view.round is not None and view.round.revision >= self._awaited:
            self._awaited, before = 0, self._clusters
            self._clusters = self._clusters_of(view)
            if before is not None:
                self._lie(carried_over(self._order, before, self._clusters))
        self.grid.tell(lambda card, width, height: self._words(card, width, height))
        super().draw(view)

    def heading(self, view: View) -> Content:
        """Return what is shown, in which order."""
        order = "most mixed first" if self._mixed_first else "largest first"
        other = "largest first" if self._mixed_first else "most mixed first"
        waiting = ("  being divided ...", "bold $warn") if self._awaited else ("", "")
        return Content.assemble(
            ("clusters", "bold"),
            (f"  {order} · ", "$quiet"),
            ("O", "bold $command"),
            (f" {other}", "$quiet"),
            waiting,
        )

    def facts(self, view: View) -> list[str]:
        """Return which picture of which cluster it is."""
        card, slot = divmod(self.cursor, ACROSS)
        return [SLOTS[slot] if slot < ACROSS - 1 else "nearest outside", f"cluster {card + 1} of {len(self._order)}"]

    def _words(self, card: int, width: int, height: int) -> Words:
        """Return what stands beside a card: size, classes as bars, reach."""
        view, clusters, state = self.labeler.view, self._clusters, self.labeler.project.session.state
        if view is None or view.round is None or clusters is None:
            return ()
        contents = clusters.contents(self._order[card], state, view.round)
        own, outdated = clusters.own_reach(self._order[card], state), view.round.revision < state.voided_at
        reach = self._reach_line(contents, own, view, width, outdated=outdated)
        given = (f" · {contents.n_given} given", "quiet") if contents.n_given else ("", "")
        size = [(counted(contents.size, view.noun), "bold foreground"), given]
        if height == 1:
            return [[*size, (" · ", "quiet"), *reach]]
        mean = self.labeler.project.instances.mean_of(clusters.members(self._order[card]))
        n_facts = min((height - 2) // 2, _TOLD) if mean is not None else 0
        rows = [size, *self._class_lines(contents, width, height - 2 - n_facts)]
        if mean is not None:
            rows += mean_lines(mean, width, min(height - 1 - len(rows), _TOLD))
        rows.append(reach)
        belonging = clusters.belonging(self._order[card])
        if belonging is not None and len(rows) < height:
            rows.append([(f"soft assignment {100 * belonging:.0f} %", "quiet")])
        return rows

    def _class_lines(self, contents: Contents, width: int, height: int) -> list[list[tuple[str, str]]]:
        classes = contents.classes()
        if not classes:
            return [[("no label yet", "quiet")]]
        known = self.labeler.project.session.state.classes  # the retired ones too
        rest = classes[height - 1 :] if len(classes) > height else []
        shown = classes[: len(classes) - len(rest)]
        names = tuple(known[class_id].name if class_id in known else "?" for class_id, _, _ in shown)
        room = min(longest(names), _NAME_ROOM)
        rows: list[list[tuple[str, str]]] = []
        for name, (_, given, machine) in zip(names, shown, strict=True):
            name = set_cell_size(self.short(name, room), room)
            counts = f"{given or '':>4}{f'+{machine}' if machine else '':>6}"
            wide = max(width - room - len(counts) - 1, 3)
            bar = lines.bar((given + machine) / max(contents.size, 1), wide)
            rows.append([(f"{name} ", "bold foreground"), (bar, "guess on panel"), (counts, "quiet")])
        if rest:
            others = sum(given + machine for _, given, machine in rest)
            rows.append([(f"{len(rest)} more classes: {others}", "quiet")])
        return rows

    def _reach_line(
        self, contents: Contents, own: float | None, view: View, width: int, *, outdated: bool
    ) -> list[tuple[str, str]]:
        """Return how far labels spread: the rule, and what it reaches."""
        common = "auto" if view.percentile is None else f"{view.percentile:g} %"
        rule = f"own {own:g} %" if own is not None else common
        reached = "..." if outdated else f"{contents.propagated:,}"
        words = f"{rule}: {reached} of {contents.free:,}"
        lead = "spread " if len(words) + 7 <= width else ""
        return [(lead, "quiet"), (words, "bold saved" if own is not None else "quiet")]

    # -- commands ------------------------------------------------------------------------------------------------

    async def do_clusters(self) -> None:
        """Leave the clusters."""
        await self.labeler.leave()
