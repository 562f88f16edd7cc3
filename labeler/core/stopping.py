"""When to stop, and when to say that labels do not propagate here."""

from __future__ import annotations

from labeler.core.belief import Belief
from labeler.core.vocabulary import Advice

AGREEMENT = 0.995
IN_A_ROW = 3
ENOUGH_ANSWERS = 50
WORTH_SAYING = 0.5
LOW_SKILL = 0.3


def spreads(belief: Belief) -> bool:
    """Whether labels propagate: left-out answers are guessed clearly better than by the commonest class.

    Says yes below ENOUGH_ANSWERS, and where classes have too few answers: nobody can tell. The answers are the hard
    ones, so a low skill is no accuracy: on clean sets it is .4 and more, where labels do not spread .2 and less.
    """
    return len(belief.answers) < ENOUGH_ANSWERS or not belief.blend.skill < LOW_SKILL


def advise(belief: Belief | None, expected_gain: float, steady: bool, open_questions: int) -> Advice:
    """One sentence with its reason. `expected_gain` = errors the next question is expected to mend."""
    if belief is None:
        return Advice("answer", "answer the representatives: each names a whole group")
    if not spreads(belief):
        return Advice(
            "no-propagation",
            f"labels do not spread on these features: of {len(belief.answers)} answers, each left out, hardly more are "
            "guessed than by chance; use another encoder or a model's features",
        )
    if not open_questions:
        return Advice("stop", "everything is asked: quit and export", "Q")
    if steady and expected_gain < 1.0:
        return Advice("stop", "the last answers changed hardly any label: stop here, or confirm pages with G", "G")
    if expected_gain >= WORTH_SAYING:
        return Advice("answer", f"the next answer mends about {expected_gain:.1f} labels")
    if len(belief.answers) >= ENOUGH_ANSWERS:
        return Advice("grids", "single answers mend little now: G shows pages to confirm at a glance", "G")
    return Advice("answer", "go on: the question that helps most comes first")
