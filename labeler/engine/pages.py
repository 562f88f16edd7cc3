"""Pages of one predicted class to confirm at a glance: which instances, and when a page beats single questions."""

from __future__ import annotations

import numpy as np

from labeler.core.types import BoolArray, FloatArray, Grid, IndexArray
from labeler.engine.belief import Belief, runner_ups_of

FROM_ANSWERS = 50  # as stopping.ENOUGH_ANSWERS: before, the errors that the models expect mean nothing
EXCEPTION_KEYS = 1.3
"""Keys an exception costs on a page: one where the runner-up is right, two otherwise."""
SINGLES = 5
MIN_ERRORS = 1.0
"""Errors expected on a page below which it is not worth a look."""
PAGE = 25
"""Instances on a page of a wide terminal."""


def expected_errors(belief: Belief) -> FloatArray:
    """The chance (n,) that each label is wrong, as the model sees it (ranks well, is no probability)."""
    rows = np.arange(len(belief.labels))
    wrong = 1.0 - belief.proba[rows, belief.labels]
    wrong[belief.answers.indices] = 0.0
    return np.asarray(wrong, dtype=np.float32)


def expected_gain(belief: Belief, questions: IndexArray, candidates: BoolArray, keys: int) -> tuple[float, float]:
    """Wrong labels that the next `keys` keys are expected to set right themselves: by `questions`, by pages.

    What spreads from them to others comes on top; like all that the model expects it ranks, and measures nothing.
    """
    wrong = expected_errors(belief)
    singles = float(wrong[questions[:keys]].sum())
    pages: list[float] = []
    for position in range(len(belief.answers.classes)):
        errors = np.sort(wrong[candidates & (belief.labels == position)])[::-1][: keys * PAGE]
        if len(errors):
            pages += np.add.reduceat(errors, np.arange(0, len(errors), PAGE)).tolist()
    gain, left = 0.0, float(keys)
    for errors_here in sorted(pages, reverse=True):
        cost = 1.0 + EXCEPTION_KEYS * errors_here
        gain += errors_here * min(left / cost, 1.0)  # of the last page what the keys left pay for
        left -= cost
        if left <= 0:
            break
    return singles, gain


def best_page(belief: Belief, candidates: BoolArray, size: int) -> Grid | None:
    """The page of one class with the most expected errors; it `pays` where its keys mend more than single ones do."""
    if len(belief.answers.classes) < 2 or not candidates.any():
        return None
    wrong = np.where(candidates, expected_errors(belief), 0.0)
    best, most = None, -1.0
    for position in range(len(belief.answers.classes)):
        members = np.flatnonzero(candidates & (belief.labels == position))
        if not len(members):
            continue
        page = members[np.argsort(-wrong[members], kind="stable")[:size]]
        errors = float(wrong[page].sum())
        if errors > most:
            best, most = (position, page), errors
    if best is None:
        return None
    # a page takes the place of several questions: it is held against the mean of the best of them
    single = float(np.sort(wrong)[-SINGLES:].mean())
    pays = len(belief.answers) >= FROM_ANSWERS and most >= MIN_ERRORS
    pays = pays and most / (1.0 + EXCEPTION_KEYS * most) > single
    position, page = best
    seconds = runner_ups_of(belief.proba[page], belief.labels[page])
    classes = belief.answers.classes
    return Grid(int(classes[position]), page.astype(np.int64), classes[seconds].astype(np.int32), most, pays)
