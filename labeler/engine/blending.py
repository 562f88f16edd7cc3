"""The label models put together: a product of their class shares, weighted by what each says of left-out answers."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from labeler.core.numeric.largest import largest
from labeler.core.steps import blocks
from labeler.core.types import FloatArray, IntArray

FLOOR = np.float32(1e-4)  # no model alone may rule a class out
STEPS = 4  # so coarse that every mix can be tried: 15 of three models, 35 of four
"""Weights are multiples of 1 / STEPS."""
EARLY_BELOW = 4
"""Labels a class below which leave-one-out misleads: the weights are FIRST."""
FIRST = (0.5, 0.25, 0.25)
"""Half for the first model, the rest for the next ones; what comes after waits for leave-one-out."""
CAUTION = 0.5
"""Standard errors of the log loss that a model named earlier is given."""
JUDGED_FROM = 3  # of fewer answers of a class, one left out leaves hardly any behind
MIN_JUDGED = 30  # below, weights would follow chance


@dataclass(frozen=True, slots=True)
class Blend:
    """The say of each model (the weights sum to 1), and how well the product guesses left-out answers."""

    weights: tuple[float, ...]
    skill: float  # 0 = as guessing the commonest class, 1 = all right; nan = too few answers to tell


def softmax(logs: FloatArray) -> FloatArray:
    """exp of `logs` (n, k), rows scaled to sum 1."""
    raised = logs - largest(logs)[:, None]  # so it never overflows
    np.exp(raised, out=raised)
    return np.asarray(raised / raised.sum(axis=1, keepdims=True), dtype=np.float32)


def product(shares: Sequence[FloatArray], weights: Sequence[float]) -> FloatArray:
    """Each model's class `shares` (n, k) to the power of its weight, multiplied; rows scaled to sum 1."""
    joint = np.empty_like(shares[0])
    for rows in blocks(*joint.shape):
        logs = np.zeros_like(joint[rows])
        for one, weight in zip(shares, weights, strict=True):
            if weight:  # a weight of 0 would still cost a logarithm of the whole pool
                logs += np.float32(weight) * np.log(one[rows] + FLOOR)
        joint[rows] = softmax(logs)
    return joint


def blend(left_out: Sequence[FloatArray], positions: IntArray) -> Blend:
    """Choose the weights by log loss on left-out answers; within CAUTION standard errors the earlier models win.

    `left_out` are each model's class shares (a, k) of the answers, every answer left out; `positions` (a,) their
    classes.
    """
    rows = np.arange(len(positions))
    if len(positions) < EARLY_BELOW * left_out[0].shape[1] or len(left_out) == 1:
        weights = _first(len(left_out))
        return Blend(weights, skill_of(product(left_out, weights).argmax(axis=1) == positions, positions))
    candidates = _weights(len(left_out))
    logs = np.log(np.stack(left_out) + FLOOR)
    losses = np.empty((len(candidates), len(positions)))
    for row, weights in enumerate(candidates):
        joint = softmax(np.tensordot(np.array(weights, dtype=np.float32), logs, 1))
        # 1e-6: a class that a mix rules out costs much, but one answer alone does not decide everything
        losses[row] = -np.log(joint[rows, positions].astype(np.float64) + 1e-6)
    extra = losses - losses[losses.mean(axis=1).argmin()]
    as_good = extra.mean(axis=1) <= CAUTION * extra.std(axis=1) / np.sqrt(len(positions))
    chosen = candidates[int(as_good.argmax())]  # the first: candidates favor the earlier models
    return Blend(chosen, skill_of(product(left_out, chosen).argmax(axis=1) == positions, positions))


def skill_of(hits: NDArray[np.bool_], positions: IntArray) -> float:
    """Share of left-out answers guessed beyond the commonest class's share; nan where too few can be judged.

    Only classes with JUDGED_FROM answers are judged: one left out must leave some behind.
    """
    counts = np.bincount(positions)
    judged = counts[positions] >= JUDGED_FROM
    if judged.sum() < MIN_JUDGED:
        return float("nan")
    chance = float(counts.max() / judged.sum())
    return 1.0 if chance >= 1.0 else (float(hits[judged].mean()) - chance) / (1.0 - chance)


def _first(n_models: int) -> tuple[float, ...]:
    """Weights before leave-one-out can tell (sum 1)."""
    weights = (*FIRST, *(0.0 for _ in range(n_models)))[:n_models]
    return tuple(weight / sum(weights) for weight in weights)


@cache
def _weights(n_models: int) -> list[tuple[float, ...]]:
    """All weights in steps of 1 / STEPS, those that favour the earlier models first."""
    mixes = [mixes for mixes in itertools.product(range(STEPS, -1, -1), repeat=n_models) if sum(mixes) == STEPS]
    return [tuple(step / STEPS for step in steps) for steps in mixes]
