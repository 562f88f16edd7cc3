"""Advice to stop, and to say that labels do not propagate here."""

from __future__ import annotations

import numpy as np

from labeler.core import advice
from labeler.core.types import Advice
from labeler.engine.belief import Belief
from labeler.engine.tiers import grouped

WINDOW = 20
"""Answers that are looked back on: what they changed is what the next ones will change."""
CHANGED_EACH = 0.25
"""Labels an answer may change on average where it is time to stop; in pools beyond 25,000 one in CHANGED_OF."""
CHANGED_OF = 100_000
ENOUGH_ANSWERS = 50  # below, left-out answers say nothing of the models
LOW_SKILL = 0.3  # in the middle between the two kinds of pool that `spreads` tells apart


def spreads(belief: Belief) -> bool:
    """Whether labels propagate: those of the pool are expected to be clearly better than its commonest class.

    Expected of the pool at its own certainty, not of the answers: the chosen ones are the hard ones (earned.py). Says
    yes below ENOUGH_ANSWERS, and where classes have too few answers: nobody can tell.
    """
    if len(belief.answers) < ENOUGH_ANSWERS or np.isnan(belief.blend.skill):
        return True
    waiting = np.ones(len(belief.labels), dtype=np.bool_)
    waiting[belief.answers.indices] = False
    if not waiting.any():
        return True
    counts = np.bincount(belief.answers.positions, belief.answers.weights)
    commonest = float(counts.max() / counts.sum())
    right = float(belief.trust.expected(belief.odds[waiting]).mean())
    return max(right, grouped(belief.agreement.of(waiting), belief.evidence)) - commonest >= LOW_SKILL * (
        1.0 - commonest
    )


def is_quiet(changed: int, n: int) -> bool:
    """Whether WINDOW answers that changed so many of `n` labels were worth little more than themselves."""
    # three rounds that agree to 99.5 % were no sign: MNIST stopped so with 68 labels wrong
    # (benchmarks/follow_advice.md)
    return changed <= WINDOW * max(CHANGED_EACH, n / CHANGED_OF)


def advise(belief: Belief | None, steady: bool, open_questions: int, page_pays: bool) -> Advice:
    """One sentence with its reason.

    `steady` = the last answers changed hardly any label and no class is missing; `page_pays` = a page mends more a key
    than a question. How many labels the next answer mends is not said: what is expected ranks, and counts nothing.
    """
    if belief is None:
        return advice.answer_representatives()
    # before all else: with features that do not suit, every other advice is in vain
    if not spreads(belief):
        return advice.choose_other_features(len(belief.answers))
    if not open_questions:
        return advice.export()
    if steady:
        return advice.stop(WINDOW, page_pays=page_pays)
    return advice.confirm_page() if page_pays else advice.go_on()
