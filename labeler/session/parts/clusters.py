"""The clusters of a session: how far labels spread in each, and which are divided."""

from __future__ import annotations

from labeler.core.errors import UsageError
from labeler.core.events import Reach, Split
from labeler.session.recorder import Recorder


class Clusters:
    """The clusters of a session's round, for a person to change."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder

    def reach(self, instance_id: str, percentile: float | None) -> None:
        """Set how far labels spread in the cluster of `instance_id`, its representative; None = as everywhere.

        Raises
        ------
        UsageError
            No such instance, or no percentile; nothing changed.
        """
        index = self._recorder.pool.index(instance_id)
        if percentile is not None and not 0 <= percentile <= 100:
            raise UsageError(f"{percentile:g} % of a cluster cannot be", "give 0 to 100")
        # ... stands for nothing said: None is a reach as well, the one that holds everywhere
        if self._recorder.state.clusters.reaches.get(index, ...) != percentile:
            self._recorder.record(Reach(instance_id, percentile))

    def split(self, instance_id: str) -> None:
        """Divide the cluster of `instance_id`, its representative, in two; those of both parts are asked next.

        Raises
        ------
        UsageError
            It represents no cluster of the round in force, or one that cannot be divided; nothing changed.
        """
        index, round_ = self._recorder.pool.index(instance_id), self._recorder.machine_labels.round
        if round_ is None or index not in round_.representatives:
            raise UsageError("it stands for no cluster now: they were made anew", "T shows the present ones")
        distances = round_.distances[round_.clusters == round_.clusters[index]]
        # among equal points there is no second center; `not >` also refuses distances that are no numbers
        if len(distances) < 2 or not distances.max() > 0.0:
            raise UsageError("a cluster of like images cannot be divided", "label it, or reject the odd one")
        self._recorder.record(Split(instance_id))
