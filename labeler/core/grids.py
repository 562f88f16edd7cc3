"""Pages of one predicted class to confirm at a glance: which instances, and when a page beats single questions."""

from __future__ import annotations

import numpy as np

from labeler.core.belief import Belief, runner_ups_of
from labeler.core.vocabulary import BoolArray, FloatArray, Grid

FROM_ANSWERS = 50
EXCEPTION_KEYS = 1.3
"""Keys an exception costs on a page: one where the runner-up is right, two otherwise."""
SINGLES = 5
MIN_ERRORS = 1.0
"""Errors expected on a page below which it is not worth a look."""
CLEAN_PAGES = 3
FEW_EXCEPTIONS = 2
SINGLES_BETWEEN = 10


class Pacing:
    """When pages have done their work: CLEAN_PAGES in a row with at most FEW_EXCEPTIONS, then singles for a while."""

    def __init__(self) -> None:
        self._clean = 0
        self._singles_left = 0

    @property
    def wants_page(self) -> bool:
        """Whether a page may come next (the engine then says whether one is worth its keys)."""
        return self._singles_left == 0

    def page_done(self, exceptions: int) -> None:
        """A page was confirmed with so many exceptions."""
        self._clean = self._clean + 1 if exceptions <= FEW_EXCEPTIONS else 0
        if self._clean == CLEAN_PAGES:
            self._clean, self._singles_left = 0, SINGLES_BETWEEN

    def single_done(self) -> None:
        """A single question was answered."""
        self._singles_left = max(self._singles_left - 1, 0)


def expected_errors(belief: Belief) -> FloatArray:
    """The chance (n,) that each label is wrong, as the model sees it (ranks well, is no probability)."""
    rows = np.arange(len(belief.labels))
    wrong = 1.0 - belief.proba[rows, belief.labels]
    wrong[belief.answers.indices] = 0.0
    return np.asarray(wrong, dtype=np.float32)


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
    single = float(np.sort(wrong)[-SINGLES:].mean())
    pays = len(belief.answers) >= FROM_ANSWERS and most >= MIN_ERRORS
    pays = pays and most / (1.0 + EXCEPTION_KEYS * most) > single
    position, page = best
    seconds = runner_ups_of(belief.proba[page], belief.labels[page])
    classes = belief.answers.classes
    return Grid(int(classes[position]), page.astype(np.int64), classes[seconds].astype(np.int32), most, pays)
