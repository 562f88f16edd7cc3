"""Audits: the labels one speaks of, frozen; the order drawn; what was answered; and the statement that follows.

An audit freezes the final labels and draws all it covers into a random order, recorded before anything is shown. The
statement is about these frozen labels, before anything found wrong was corrected.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from labeler.core.certificate import (
    CUT_OFF,
    WHOLE,
    allowed,
    bounds_along,
    largest_cutoff,
    more_needed,
    passes,
    share_of_alpha,
)
from labeler.core.pool import Pool
from labeler.core.vocabulary import UNLABELED, BoolArray, Event, IndexArray, Provenance
from labeler.errors import ProjectError
from labeler.session.final import FinalLabels

EARLY = 50
"""Looks before which a run of errors says little of how it goes on."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a person said of one audited instance; UNLABELED = cannot tell or of no class, which counts as wrong.

    `reached`: the target was certified once this was said.
    """

    index: int
    class_id: int
    reached: bool = False


@dataclass(slots=True)
class Audit:
    """One audit as the journal tells it."""

    number: int  # from 1: the share of alpha follows from it
    seq: int  # the place of its beginning in the journal: what was labeled after it is not in the frozen set
    at: float
    population: int
    target: float
    confidence: float
    seed: int
    set_sha256: str
    order_sha256: str
    class_names: dict[int, str]
    round: int
    predicted: bool
    answers: list[Answer] = field(default_factory=list)
    taken_back: int = 0
    ended: bool = False

    @property
    def drawn(self) -> bool:
        """Whether the statement stands: its target was reached, or the person ended it."""
        return self.ended or any(answer.reached for answer in self.answers)


@dataclass(frozen=True, slots=True)
class Frozen:
    """The labels an audit speaks of and `order` (population,), the indices it covers as they were drawn.

    `ranks`: for each of `order` the instances at least as trusted, less one; `ends`: sizes of the sets that a
    threshold on the score cuts off.
    """

    final: FinalLabels
    order: IndexArray
    ranks: IndexArray
    ends: IndexArray

    def outcomes(self, answers: Sequence[Answer]) -> BoolArray:
        """True where the frozen label is not what the person said."""
        said = np.array([answer.class_id for answer in answers], dtype=np.int32)
        labels = self.final.labels[np.array([answer.index for answer in answers], dtype=np.int64)]
        wrong: BoolArray = labels != said
        return wrong

    @property
    def arrays(self) -> dict[str, NDArray[Any]]:
        """What is stored."""
        return {**self.final.arrays, "order": self.order}


@dataclass(frozen=True, slots=True)
class Certificate:
    """What an audit says now: at least `lower_bound` of `population` frozen labels are right, at `confidence`.

    `cutoff`: where the whole missed the target, the least score from which on the labels hold it, and how many
    (`cutoff_population`); None where there is no such score or the whole holds. `more`: about how many more looks
    until the target; None = not within reach.
    """

    number: int
    target: float
    confidence: float
    alpha: float
    population: int
    checked: int
    wrong: int
    most_wrong: int
    set_sha256: str
    taken_back: int
    cutoff: float | None = None
    cutoff_population: int | None = None
    more: int | None = None

    @property
    def lower_bound(self) -> float:
        """Share right at least."""
        return 1.0 - self.most_wrong / self.population

    @property
    def too_early(self) -> bool:
        """Whether a run of errors may still be chance: there is no telling how it goes on."""
        return self.more is None and self.checked < EARLY

    @property
    def statement(self) -> str:
        """The one sentence that holds."""
        return (
            f"at least {floored(self.lower_bound)} % of the {self.population:,} labels that no single answer gave were "
            f"right when they were frozen, with {100 * self.confidence:g} % confidence, given that the reviewer sees "
            f"errors; {self.checked:,} checked, {self.wrong:,} wrong"
        )

    @property
    def reached(self) -> bool:
        """Whether the target is certified."""
        return self.most_wrong <= allowed(self.population, self.target)


def floored(share: float, digits: int = 2) -> str:
    """A share in percent, never more than it is: ``98.12``."""
    scale = 10**digits
    return f"{math.floor(share * 100 * scale + 1e-9) / scale:.{digits}f}"


def covered(final: FinalLabels, pool: Pool, *, predicted: bool = False) -> IndexArray:
    """Indices a statement covers: the default export's without a person's single answers and what cannot be shown."""
    mask = final.by_default(predicted=predicted) & (final.provenances != Provenance.HUMAN)
    return np.flatnonzero(mask & ~pool.missing & ~pool.unreadable).astype(np.int64)


def set_sha256(ids: Sequence[str], final: FinalLabels, class_names: Mapping[int, str]) -> str:
    """The frozen row's hash: class names, instance ids, labels, provenances and scores (little-endian bytes)."""
    digest = hashlib.sha256()
    digest.update(json.dumps(sorted((int(i), name) for i, name in class_names.items())).encode())
    digest.update(b"\0".join(name.encode("utf-8", "surrogateescape") for name in ids))
    digest.update(final.labels.astype("<i4").tobytes())
    digest.update(final.provenances.astype("u1").tobytes())
    digest.update(final.scores.astype("<f4").tobytes())
    return digest.hexdigest()


def draw(indices: IndexArray, seed: int, number: int, sha256: str) -> IndexArray:
    """All of `indices` in random order. The same set, seed and number give the same order: no second throw."""
    rng = np.random.default_rng((seed, number, int(sha256[:16], 16)))
    return rng.permutation(indices)


def order_sha256(order: IndexArray) -> str:
    """Hash of a drawn order (int64, little-endian)."""
    return hashlib.sha256(order.astype("<i8").tobytes()).hexdigest()


def freeze(final: FinalLabels, order: IndexArray) -> Frozen:
    """The frozen labels with what follows from them."""
    scores = final.scores[order]
    ascending = np.sort(scores)
    at_least = len(order) - np.searchsorted(ascending, scores, side="left")
    return Frozen(final, order, (at_least - 1).astype(np.int64), np.unique(at_least).astype(np.int64))


def thawed(audit: Audit, arrays: Mapping[str, NDArray[Any]], ids: Sequence[str]) -> Frozen:
    """The frozen labels of an audit as they were stored.

    Raises
    ------
    ProjectError
        They are not there or not those the journal names.
    """
    damaged = ProjectError(
        f"the frozen labels of audit {audit.number} are not those its journal names", "restore a copy of the project"
    )
    if not arrays:
        raise damaged
    final = FinalLabels(round=audit.round, **{name: array for name, array in arrays.items() if name != "order"})
    order = arrays["order"]
    same = set_sha256(ids[: len(final.labels)], final, audit.class_names) == audit.set_sha256
    if not same or order_sha256(order) != audit.order_sha256:
        raise damaged
    return freeze(final, order)


def is_reached(audit: Audit, frozen: Frozen, answers: Sequence[Answer]) -> bool:
    """Whether these answers certify the target of the audit."""
    alpha = share_of_alpha(1.0 - audit.confidence, audit.number) * WHOLE
    return passes(frozen.outcomes(answers), audit.population, alpha, audit.target)


def certificate(audit: Audit, frozen: Frozen, target: float | None = None) -> Certificate:
    """What the answers so far say, of the target fixed at the beginning or another one: the bound holds for any."""
    goal = audit.target if target is None else target
    alpha = share_of_alpha(1.0 - audit.confidence, audit.number)
    outcomes = frozen.outcomes(audit.answers)
    checked, wrong = len(outcomes), int(outcomes.sum())
    most = int(bounds_along(outcomes, audit.population, alpha * WHOLE, audit.target)[-1])
    cutoff, size = None, None
    more: int | None = 0
    if most > allowed(audit.population, goal):
        more = more_needed(wrong, checked, audit.population, alpha * WHOLE, goal, shaped_for=audit.target)
        size = largest_cutoff(frozen.ranks, outcomes, frozen.ends, alpha * CUT_OFF, goal)
        if size is not None:
            cutoff = float(np.sort(frozen.final.scores[frozen.order])[-size])
    return Certificate(
        audit.number,
        goal,
        audit.confidence,
        alpha,
        audit.population,
        checked,
        wrong,
        most,
        audit.set_sha256,
        audit.taken_back,
        cutoff,
        size,
        more,
    )


# -- the fold ----------------------------------------------------------------------------------------------------------


def begun(event: Event) -> Audit:
    """The audit that an event begins."""
    said = event.payload
    return Audit(
        number=int(said["number"]),
        seq=event.seq,
        at=event.at,
        population=int(said["population"]),
        target=float(said["target"]),
        confidence=float(said["confidence"]),
        seed=int(said["seed"]),
        set_sha256=said["set_sha256"],
        order_sha256=said["order_sha256"],
        class_names={int(class_id): name for class_id, name in said["classes"]},
        round=int(said["round"]),
        predicted=bool(said["predicted"]),
    )


def answer_of(event: Event, index: int) -> Answer:
    """What an event says of an audited instance."""
    class_id = UNLABELED if event.class_id is None else event.class_id
    return Answer(index, class_id, bool(event.payload.get("reached")))
