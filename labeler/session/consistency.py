"""Whether what is derived and was stored fits the journal and the pool beside it: what does not is made anew."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from labeler.core.types import Advice, Provenance, Question, Round, Tier
from labeler.session.learning_curve import Point
from labeler.session.state import State

_WHOLE, _REAL = "iu", "f"
_KINDS: dict[str, str] = {
    **dict.fromkeys(("labels", "sources", "clusters", "runner_ups", "foreign", "seconds", "representatives"), _WHOLE),
    **dict.fromkeys(("provenances", "tiers", "outliers"), _WHOLE),
    **dict.fromkeys(("scores", "distances", "doubts", "shares"), _REAL),
}
_QUEUE_KINDS: dict[str, str] = {
    **dict.fromkeys(("indices", "rules", "guesses"), _WHOLE),
    **dict.fromkeys(("utilities", "margins", "guess_scores"), _REAL),
}
_OF_CLUSTERS = ("representatives", "foreign")


def misfit(round_: Round, state: State) -> str:
    """Return what of a stored round does not fit a state ("" = all fits)."""
    n, pool = len(round_.labels), len(state.pool)
    # type(), not isinstance(): True is an int to Python, and would pass for revision 1
    if type(round_.revision) is not int or round_.revision > state.revision or n > pool:
        return "it is none of this journal and pool"
    for name, kinds in _KINDS.items():
        array = getattr(round_, name)
        # these are empty by default: an engine that has nothing to say of them leaves them so
        may_be_empty = name in ("doubts", "shares", "seconds", "outliers")
        sized = name in _OF_CLUSTERS or len(array) == n or (may_be_empty and not len(array))
        if array.dtype.kind not in kinds or array.ndim != 1 or not sized:
            return f"its {name} are none"
    return _beyond(round_, state, n) or _queue_misfit(round_, state) or _words_misfit(round_)


def _beyond(round_: Round, state: State, n: int) -> str:
    """Return which array of a round holds a value that indexes nothing."""
    bounds = {
        "labels": state.classes.next_id,
        "runner_ups": state.classes.next_id,
        "sources": n,
        "provenances": max(Provenance) + 1,
        "tiers": max(Tier) + 1,
        "representatives": n,
        "foreign": n,
        "clusters": max(n, 1),
        "seconds": max(n, 1),
    }
    for name, end in bounds.items():
        array = getattr(round_, name)
        # elsewhere -1 is how none is said; a representative is always an instance
        least = 0 if name == "representatives" else -1
        if len(array) and (int(array.min()) < least or int(array.max()) >= end):
            return f"its {name} are none of this journal and pool"
    for name in ("scores", "doubts", "shares"):
        if not np.isfinite(getattr(round_, name)).all():
            return f"its {name} are no numbers"
    return ""


def _queue_misfit(round_: Round, state: State) -> str:
    queue = round_.queue
    size = len(queue.indices)
    for name, kinds in _QUEUE_KINDS.items():
        array = getattr(queue, name)
        shape = (size, array.shape[1]) if name.startswith("guess") and array.ndim == 2 else (size,)
        if array.dtype.kind not in kinds or array.shape != shape:
            return f"its queue's {name} are none"
    if queue.guesses.shape != queue.guess_scores.shape:
        return "its queue's guesses are none"
    for name, least, end in (
        ("indices", 0, len(state.pool)),
        ("rules", 0, len(queue.rule_names)),
        ("guesses", -1, state.classes.next_id),
    ):
        array = getattr(queue, name)
        if array.size and (int(array.min()) < least or int(array.max()) >= end):
            return f"its queue's {name} are none of this journal and pool"
    if not all(np.isfinite(array).all() for array in (queue.margins, queue.guess_scores)):
        return "its queue's scores are no numbers"
    return "" if all(isinstance(rule, str) for rule in queue.rule_names) else "its queue's rules are none"


def _words_misfit(round_: Round) -> str:
    words = [round_.stage, *(getattr(round_.advice, item.name) for item in fields(Advice))]
    facts: Any = round_.facts  # as it was stored: of any type
    if not all(map(_is_text, words)):
        return "its words are none"
    if not isinstance(facts, dict):
        return "its facts are none"
    wrong = [name for name, value in facts.items() if name in _FACTS and not _FACTS[name](value)]
    return f"its {wrong[0]} cannot be" if wrong else ""


def _is_number(value: Any) -> bool:
    # 1e15: far above any count or sum of a round, and up to there a float holds whole numbers exactly
    return type(value) in (int, float) and math.isfinite(value) and abs(value) < 1e15


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_history(value: Any) -> bool:
    """Whether it is a list of points: numbers each, some of which may not be known."""
    width = len(fields(Point))
    return isinstance(value, list) and all(
        isinstance(point, list)
        # the last two have a default: a point that was stored without them can be read
        and width - 2 <= len(point) <= width
        and all(_is_number(cell) or (cell is None and place >= width - 2) for place, cell in enumerate(point))
        for point in value
    )


_FACTS: dict[str, Callable[[Any], bool]] = {
    **dict.fromkeys(("engine", "encoder", "clusterer", "classifier", "strategy", "spread"), _is_text),
    **dict.fromkeys(("n_clusters", "gain_from", "unseen_chance", "inertia"), lambda v: v is None or _is_number(v)),
    "expected_errors": lambda v: v is None or _is_number(v),
    "gain": lambda v: v is None or (isinstance(v, list) and len(v) == 3 and all(map(_is_number, v))),
    "history": _is_history,
    "clustering": lambda v: isinstance(v, dict),
}
"""The facts of a round that something is computed from; others are only handed on."""


def question_fits(question: Question, revision: int, state: State) -> bool:
    """Whether a stored question, drawn at `revision`, is one of this journal and pool."""
    return (
        revision <= state.revision
        and 0 <= question.index < len(state.pool)
        and all(-1 <= class_id < state.classes.next_id for class_id, _ in question.guesses)
    )


_POOL_ARRAYS = {"sha256": ("|u1", 2), "unreadable": ("|u1", 1)}


def fitting_arrays(arrays: Mapping[str, NDArray[Any]], n: int) -> dict[str, NDArray[Any]]:
    """Return those of the arrays kept of a pool of `n` instances that have an entry an instance at most."""
    return {name: array for name, array in arrays.items() if name not in _POOL_ARRAYS or _is_of_pool(name, array, n)}


def _is_of_pool(name: str, array: NDArray[Any], n: int) -> bool:
    dtype, dimensions = _POOL_ARRAYS[name]
    # shorter is fine: instances that joined since have no entry yet
    if array.dtype.str != dtype or array.ndim != dimensions or len(array) > n:
        return False
    return dimensions == 1 or array.shape[1] == 32
