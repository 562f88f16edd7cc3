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
        self.splits: list[int] = []  # representatives whose clusters were divided in two, in that order

    @property
    def reaches(self) -> dict[int, float | None]:
        """Representative -> percentile of its cluster, the latest last."""
        latest: dict[int, float | None] = {}
        for index, percentile in self._reaches:
            latest.pop(index, None)
            latest[index] = percentile
        return latest

    def set_reach(self, step: Step, index: int, percentile: float | None) -> None:
        """Set the reach of one cluster."""
        self._reaches.append((index, percentile))
        step.back.append(self._reaches.pop)

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
