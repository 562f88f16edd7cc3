"""The clusters of a state: how far labels spread in each, which are divided; and the settings, which say the like."""

from __future__ import annotations

from typing import TYPE_CHECKING

from labeler.core import events
from labeler.session.folds.step import Step, folds

if TYPE_CHECKING:
    from labeler.session.state import State


class ClusterMarks:
    """The reaches and divisions of clusters; a cluster is named by its representative."""

    def __init__(self) -> None:
        self._reaches: list[tuple[int, float | None]] = []  # as they were said and stand
        self.reaches: dict[int, float | None] = {}  # representative -> percentile of its cluster, the latest last
        self.splits: list[int] = []  # representatives whose clusters were divided in two, in that order

    def set_reach(self, step: Step, index: int, percentile: float | None) -> None:
        """Set the reach of one cluster."""
        self._reaches.append((index, percentile))
        self._count_reaches()
        step.back.append(self._unset_reach)

    def _unset_reach(self) -> None:
        self._reaches.pop()
        self._count_reaches()

    def _count_reaches(self) -> None:
        # here and not where they are read: every key reads them, and few ever set one
        self.reaches.clear()
        for index, percentile in self._reaches:
            self.reaches.pop(index, None)
            self.reaches[index] = percentile

    def split(self, step: Step, index: int) -> None:
        """Divide one cluster."""
        self.splits.append(index)
        step.back.append(self.splits.pop)


@folds(events.Reach)
def _fold_reach(state: State, step: Step, body: events.Reach) -> None:
    state.clusters.set_reach(step, state.pool.index(body.instance_id), body.percentile)


@folds(events.Split)
def _fold_split(state: State, step: Step, body: events.Split) -> None:
    state.clusters.split(step, state.pool.index(body.instance_id))


@folds(events.Setting)
def _fold_setting(state: State, _: Step, body: events.Setting) -> None:
    state.settings.update(body.values)
    # what is being computed rests on the settings before
    state.voided_at = state.revision
