"""Doubt in answers: what the models believe of a given label when that answer is left out.

The belief is put together as everywhere (label models x second opinion), each part in closed form without the answer.
The second opinion is left out of its own answer alone: what the answer made its neighbours believe still speaks for it,
so that a wrong answer in the middle of nowhere is believed. `benchmarks/doubt.md` has what it finds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from labeler.core.types import FloatArray, IndexArray, IntArray
from labeler.engine.blending import FLOOR, product, softmax

# without it 9 to 17 % of the answers doubted on CIFAR-10 were wrong, of all 5 to 7 % (benchmarks/doubt.md)
JUDGES_FROM = 0.4
"""Left-out skill below which a doubt means nothing, and so none is offered: the models err more than people do."""
MORE = 64  # each takes a column of the walk, and only the most doubted are ever offered
"""Answers beyond those the models are compared on whose walk is looked at too: the ones that the others doubt most."""


@dataclass(frozen=True, slots=True)
class Doubt:
    """One entry an answer, in their order: `doubts` (a,) = 1 - the belief in its class without it, `others` (a,) the
    likeliest other class without it (position; -1 = there is one class)."""

    doubts: FloatArray
    others: IntArray


def most_doubted(opinion: FloatArray, positions: IntArray, known: IndexArray) -> IndexArray:
    """Return at most MORE answers (places in their order) that are not `known`: those the others believe least.

    `opinion` (a, k) are the scores of every answer's instance by the labels of all others.
    """
    believed = opinion[np.arange(len(positions)), positions] - opinion.max(axis=1)
    believed[known] = 0.0  # as if certain: they are looked at anyway
    order = np.argsort(believed, kind="stable")[:MORE]
    return np.asarray(order[believed[order] < 0.0], dtype=np.int64)


def doubt(positions: IntArray, left_out: Sequence[FloatArray], weights: Sequence[float], opinion: FloatArray) -> Doubt:
    """Return what is believed of each answer without it.

    `positions` (a,) are the classes given; `left_out` each model's class shares (a, k) with the answer left out (a row
    of equal shares: not looked at), `weights` how much each counts; `opinion` (a, k) log odds of the second opinion.
    """
    rows = np.arange(len(positions))
    if opinion.shape[1] < 2:
        return Doubt(np.zeros(len(positions), dtype=np.float32), np.full(len(positions), -1, dtype=np.int32))
    belief = softmax(np.log(product(left_out, weights) + FLOOR) + opinion)
    doubts = np.clip(1.0 - belief[rows, positions], 0.0, 1.0).astype(np.float32)
    belief[rows, positions] = -1.0
    return Doubt(doubts, belief.argmax(axis=1).astype(np.int32))
