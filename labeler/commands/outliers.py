"""`labeler outliers`: what lies far from all."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from labeler.commands.ranks import COUNT, Ranking, ReportProgress, ranking_of
from labeler.core import steps
from labeler.core.errors import UsageError
from labeler.core.types import FloatArray
from labeler.plugins import registry
from labeler.plugins.outliers import DEFAULT
from labeler.project.project import Project
from labeler.worker.pipeline import Pipeline


@dataclass(frozen=True, slots=True)
class Cut:
    """The border of odd instances: the oddest `share` of the pool, or all that score above `threshold`.

    Raises
    ------
    UsageError
        Both are given, or one that no pool has.
    """

    share: float | None = None
    threshold: float | None = None

    def __post_init__(self) -> None:
        if self.share is not None and self.threshold is not None:
            raise UsageError("--share and --threshold are two ways to say where odd begins", "give one of them")
        if self.share is not None and not 0.0 < self.share < 1.0:
            raise UsageError(f"the share {self.share:g} is out of range", "give one between 0 and 1, such as 0.04")
        if self.threshold is not None and not math.isfinite(self.threshold):
            raise UsageError("the threshold is no number", "give a score, as --json prints them")

    def of(self, scores: FloatArray) -> float | None:
        """Return the score above which an instance is odd, a percentile of all `scores` or as given; None = no cut."""
        if self.share is not None and len(scores):
            return float(np.percentile(scores.astype(np.float64), 100.0 * (1.0 - self.share)))
        return self.threshold


def odd_ones(
    project: Project,
    method: str | None,
    count: int | None = None,
    progress: ReportProgress = lambda _: None,
    cut: Cut | None = None,
) -> Ranking:
    """Return the instances of the pool that are oddest in the features that lead; no rejected or unreadable ones.

    Without a cut the COUNT oddest, those that the project's clusterer put into no cluster first where no method is
    named. With one all that lie beyond it, or the `count` oddest and of each whether it does.

    Raises
    ------
    UsageError
        No such method, or a parameter it does not take.
    """
    cut = cut or Cut()
    leads = project.instances.in_no_cluster() if method is None else np.empty(0, dtype=np.int64)
    # a wrong name or parameter is refused before the features are made
    registry.create("outlier method", method or DEFAULT)
    pipeline: Pipeline = project.open_settled_pipeline(progress)
    session = project.session
    view = pipeline.leading(session.snapshot())
    scores = steps.run(pipeline.oddness(view, method), progress)
    left = np.ones(len(session.pool), dtype=np.bool_)
    left[session.pool.unusable()] = False
    left[session.state.indices_of("reject")] = False
    # of those that are left: what a person rejected shall not move the border
    border = cut.of(scores[left])
    later = np.ones(len(scores), dtype=np.bool_)
    if border is None:
        later[leads] = False
    # oddest first; what the clusterer left alone goes ahead where no cut says otherwise
    order = np.lexsort((-scores, later))
    order = order[left[order]]
    n_beyond = 0 if border is None else int((scores[order].astype(np.float64) > border).sum())
    shown = count if count is not None else COUNT if border is None else n_beyond
    order = order[:shown].astype(np.int64)
    beyond = None if border is None else scores[order].astype(np.float64) > border
    query: dict[str, Any] = {"method": method or DEFAULT, "encoder": view.encoder}
    query["in_no_cluster"] = int(left[leads].sum())
    query |= {"share": cut.share, "cut": border, "n_beyond": None if border is None else n_beyond}
    return ranking_of(project, query, "score", order, scores[order], beyond)
