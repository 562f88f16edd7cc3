"""Audits: the labels one speaks of, frozen; the order drawn; what was answered; and the statement that follows.

An audit freezes the final labels and draws all it covers into a random order, recorded before anything is shown. The
statement is about these frozen labels, before anything found wrong was corrected.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from labeler.core import codec, events
from labeler.core.errors import ProjectError
from labeler.core.events import AuditBegin, AuditPage, Event
from labeler.core.pool import Pool
from labeler.core.stats.certificate import (
    CUT_OFF,
    WHOLE,
    allowed,
    bounds_along,
    cached_bound,
    largest_cutoff,
    more_needed,
    passes,
    share_of_alpha,
)
from labeler.core.stats.measurement import Line, Measurement
from labeler.core.stats.reviewer import Reviewer
from labeler.core.types import UNLABELED, BoolArray, IndexArray, Provenance
from labeler.session.audit.pages import Block, said_on_page
from labeler.session.final_labels import FinalLabels

TARGET, CONFIDENCE = 0.98, 0.95
"""What an audit certifies where nobody says otherwise."""
EARLY = 50
"""Looks before which a run of errors says little of how it goes on."""


@dataclass(frozen=True, slots=True)
class AuditAnswer:
    """The answer about one audited instance; UNLABELED = cannot tell or of no class, which counts as wrong.

    `reached`: the target was certified once this was said.
    """

    index: int
    class_id: int
    reached: bool = False


@dataclass(slots=True)
class AuditRecord:
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
    before: int = 0  # audits that an older merge took along into the file: they used up shares of alpha
    answers: list[AuditAnswer] = field(default_factory=list)
    blocks: list[Block] = field(default_factory=list)  # as laid out; one that was begun and left for single looks too
    taken_back: int = 0
    ended: bool = False

    @property
    def drawn(self) -> bool:
        """Whether the statement stands: its target was reached, or the person ended it."""
        return self.ended or any(answer.reached for answer in self.answers)

    @property
    def block(self) -> Block | None:
        """The block whose pages are next, once it is laid out."""
        return next((b for b in self.blocks if not b.done and b.start == len(self.answers)), None)

    @property
    def in_pages(self) -> list[Block]:
        """The blocks that count, in drawn order."""
        return sorted((block for block in self.blocks if block.done), key=lambda block: block.start)

    @property
    def plants(self) -> tuple[int, int]:
        """Planted pictures in the blocks that count: (seen, shown)."""
        return sum(block.seen for block in self.in_pages), sum(block.planted for block in self.in_pages)


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

    def outcomes(self, answers: Sequence[AuditAnswer]) -> BoolArray:
        """True where the frozen label is not what the person said."""
        class_ids = np.array([answer.class_id for answer in answers], dtype=np.int32)
        labels = self.final.labels[np.array([answer.index for answer in answers], dtype=np.int64)]
        wrong: BoolArray = labels != class_ids
        return wrong

    @property
    def arrays(self) -> dict[str, NDArray[Any]]:
        """The arrays that are stored."""
        return {**self.final.arrays, "order": self.order}


@dataclass(frozen=True, slots=True)
class _Order:
    """The array that is stored beside the frozen labels."""

    order: IndexArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate(Measurement):
    """The statement of an audit: at least `low` of `population` frozen labels are right, at `confidence`.

    `cutoff`: where the whole missed the target, the least score from which on the labels hold it, and how many
    (`cutoff_population`); None where there is no such score or the whole holds. `more`: about how many more looks
    until the target; None = not within reach. `in_pages` of those checked were looked at in pages, among `planted`
    pictures under a wrong class, of which `planted_seen` were seen. `high`: what is left where everything that was
    not found wrong is right. `drawn`: whether the statement stands, or more may be looked at.
    """

    name: ClassVar[str] = "certificate"
    title: ClassVar[str] = "certificate"

    number: int
    target: float
    alpha: float
    population: int
    wrong: int
    most_wrong: int
    set_sha256: str
    taken_back: int
    cutoff: float | None = None
    cutoff_population: int | None = None
    more: int | None = None
    in_pages: int = 0
    planted: int = 0
    planted_seen: int = 0
    drawn: bool = False

    @property
    def checked(self) -> int:
        """The number of labels that were looked at."""
        return self.n

    @property
    def lower_bound(self) -> float:
        """Share right at least."""
        return self.low

    @property
    def value(self) -> float:
        """Share right among the labels looked at; 1 before the first look."""
        return 1.0 - self.wrong / max(self.n, 1)

    @property
    def facts(self) -> dict[str, Any]:
        """The certificate as ``--json`` prints it; of pages only where there were some."""
        pages = {"in_pages": self.in_pages, "planted": self.planted, "planted_seen": self.planted_seen}
        return {
            "target": self.target,
            "confidence": self.confidence,
            "population": self.population,
            "checked": self.n,
            "wrong": self.wrong,
            "lower_bound": self.low,
            "reached": self.reached,
            "set_sha256": self.set_sha256,
            "cutoff": self.cutoff,
        } | (pages if self.in_pages else {})

    @property
    def brief(self) -> str:
        """The share right at least, and of how many."""
        share, confidence = floored(self.low), f"{100 * self.confidence:g} %"
        return f"≥ {share} % of {self.population:,} frozen labels right ({confidence})"

    @property
    def lines(self) -> list[Line]:
        """The certificate, under a title that says whether it stands."""
        return [Line(self.title if self.drawn else "audit so far", self.brief, self.statement)]

    @property
    def too_early(self) -> bool:
        """Whether a run of errors may still be chance: there is no telling how it goes on."""
        return self.more is None and self.n < EARLY

    @property
    def overlooked(self) -> bool:
        """Whether it is planted pictures that were not seen, not errors found, which keep the bound down."""
        return not self.wrong and self.planted_seen < self.planted

    @property
    def statement(self) -> str:
        """The one sentence that holds."""
        return (
            f"at least {floored(self.low)} % of the {self.population:,} labels that no single answer gave were "
            f"right when they were frozen, with {100 * self.confidence:g} % confidence, {self.given}; "
            f"{self.n:,} checked, {self.wrong:,} wrong"
        )

    @property
    def given(self) -> str:
        """The assumption that the statement takes for granted of the reviewer."""
        if not self.in_pages:
            return "given that the reviewer sees errors"
        return (
            "given that the reviewer sees an error as often as a planted one "
            f"({self.planted_seen:,} of {self.planted:,} seen)"
        )

    @property
    def reached(self) -> bool:
        """Whether the target is certified."""
        return self.most_wrong <= allowed(self.population, self.target)


def floored(share: float, digits: int = 2) -> str:
    """A share in percent, never more than it is: ``98.12``."""
    # 1e-9: as floats 0.9812 * 10,000 is a little less than 9,812, and would be printed as 98.11
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
    # surrogateescape: a file's name need be no UTF-8
    digest.update(b"\0".join(name.encode("utf-8", "surrogateescape") for name in ids))
    # of a fixed width and byte order: the same set has the same hash on every machine
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
    # left: labels of equal score are cut off together, for no threshold tells them apart
    at_least = len(order) - np.searchsorted(ascending, scores, side="left")
    return Frozen(final, order, (at_least - 1).astype(np.int64), np.unique(at_least).astype(np.int64))


def thawed(audit: AuditRecord, arrays: Mapping[str, NDArray[Any]], ids: Sequence[str]) -> Frozen:
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
    try:
        final = codec.decode(FinalLabels, {"round": audit.round}, arrays)
        order = codec.decode(_Order, {}, arrays).order
    except codec.Unreadable:
        raise damaged from None
    if not _can_be_frozen(arrays, len(ids), audit):
        raise damaged
    same = set_sha256(ids[: len(final.labels)], final, audit.class_names) == audit.set_sha256
    if not same or order_sha256(order) != audit.order_sha256:
        raise damaged
    return freeze(final, order)


_KINDS = {"scores": "f", **dict.fromkeys(("labels", "provenances", "tiers", "sources", "clusters", "order"), "iu")}


def _can_be_frozen(arrays: Mapping[str, NDArray[Any]], n: int, audit: AuditRecord) -> bool:
    """Whether stored arrays are those of an audit at all: hashes are no proof where somebody else wrote both."""
    if arrays.keys() != _KINDS.keys():
        return False
    if not all(array.ndim == 1 and array.dtype.kind in _KINDS[name] for name, array in arrays.items()):
        return False
    order = arrays["order"]
    sizes = {len(array) for name, array in arrays.items() if name != "order"}
    # fewer than the pool has are fine: instances may have joined since
    if len(sizes) != 1 or max(sizes) > n or len(order) != audit.population or not len(order):
        return False
    within = int(order.min()) >= 0 and int(order.max()) < max(sizes)
    return within and len(np.unique(order)) == len(order) and bool(np.isfinite(arrays["scores"]).all())


def moments(audit: AuditRecord) -> Iterator[tuple[int, Reviewer]]:
    """(looks, what is known of the reviewer then) from the first block on, wherever the answers counted are complete.

    Each is a beginning of the drawn order, and the plants shown by then depend on what was seen before alone: along
    these moments the product of the two wealths is a wealth, and the bound holds at all of them at once.
    """
    seen = shown = in_pages = 0
    blocks = audit.in_pages
    for place, block in enumerate(blocks):
        seen, shown, in_pages = seen + block.seen, shown + block.planted, in_pages + block.size
        end = block.start + block.size
        following = blocks[place + 1].start if place + 1 < len(blocks) else len(audit.answers)
        for looks in range(end, following + 1):
            yield looks, Reviewer(seen, shown, looks - in_pages)


def most_wrong(
    audit: AuditRecord, outcomes: BoolArray, population: int, alpha: float, inside: BoolArray | None = None
) -> int:
    """The most that may be wrong of `population`, by the looks so far: all of them, or those `inside` a part (t,)."""
    blocks = audit.in_pages
    counted = np.ones(len(outcomes), dtype=np.bool_) if inside is None else inside
    # up to the first block nothing can have been overlooked: there the sharper bound of single looks holds
    alone = outcomes[: blocks[0].start] if blocks else outcomes
    most = int(bounds_along(alone[counted[: len(alone)]], population, alpha, audit.target)[-1])
    if not blocks:
        return most
    single = np.ones(len(outcomes), dtype=np.bool_)
    for block in blocks:
        single[block.start : block.start + block.size] = False
    looks, wrong = (np.concatenate([[0], np.cumsum(x)]) for x in (counted, counted & outcomes))
    alone_looks, alone_wrong = (np.concatenate([[0], np.cumsum(x & single)]) for x in (counted, counted & outcomes))
    for t, eye in moments(audit):
        reviewer = replace(eye, alone=int(alone_looks[t]), alone_wrong=int(alone_wrong[t]))
        # a bound holds at each of these moments, and all at once: so the least of them holds
        most = min(most, cached_bound(int(wrong[t]), int(looks[t]), population, alpha, audit.target, reviewer))
    return most


def eye_now(audit: AuditRecord, outcomes: BoolArray, *, paged: bool) -> Reviewer | None:
    """Return what is known of the reviewer, as a forecast needs it; None where all looks are alone and stay so."""
    single = np.ones(len(outcomes), dtype=np.bool_)
    for block in audit.in_pages:
        single[block.start : block.start + block.size] = False
    if single.all() and not paged:
        return None
    return Reviewer(*audit.plants, int(single.sum()), int((outcomes & single).sum())).expected


def is_reached(
    audit: AuditRecord, frozen: Frozen, answers: Sequence[AuditAnswer], blocks: Sequence[Block] | None = None
) -> bool:
    """Whether these answers, given in these `blocks` (the audit's own), certify its target."""
    alpha = share_of_alpha(1.0 - audit.confidence, audit.before + audit.number) * WHOLE
    then = replace(audit, answers=list(answers), blocks=list(audit.blocks if blocks is None else blocks))
    outcomes = frozen.outcomes(answers)
    if not then.in_pages:
        return passes(outcomes, audit.population, alpha, audit.target)
    return most_wrong(then, outcomes, audit.population, alpha) <= allowed(audit.population, audit.target)


def certificate(audit: AuditRecord, frozen: Frozen, target: float | None = None, *, paged: bool = False) -> Certificate:
    """Return what the answers so far say, of the target fixed at the beginning or another one: the bound holds for any.

    `paged`: what is still to be looked at will be in pages; so it is taken to be where some was.
    """
    goal = audit.target if target is None else target
    alpha = share_of_alpha(1.0 - audit.confidence, audit.before + audit.number)
    outcomes, blocks = frozen.outcomes(audit.answers), audit.in_pages
    checked, wrong = len(outcomes), int(outcomes.sum())
    most = most_wrong(audit, outcomes, audit.population, alpha * WHOLE)
    cutoff, size = None, None
    more: int | None = 0

    def holds(inside: BoolArray, population: int) -> bool:
        return most_wrong(audit, outcomes, population, alpha * CUT_OFF, inside) <= allowed(population, goal)

    if most > allowed(audit.population, goal):
        eye = eye_now(audit, outcomes, paged=paged or bool(blocks))
        more = more_needed(wrong, checked, audit.population, alpha * WHOLE, goal, eye, shaped_for=audit.target)
        size = largest_cutoff(frozen.ranks, outcomes, frozen.ends, alpha * CUT_OFF, goal, holds if blocks else None)
        if size is not None:
            # as the exports print it: whoever filters one of them by it keeps the rows that stand on it
            cutoff = float(str(np.sort(frozen.final.scores[frozen.order])[-size]))
    seen, shown = audit.plants
    return Certificate(
        n=checked,
        low=1.0 - most / audit.population,
        high=1.0 - wrong / audit.population,
        confidence=audit.confidence,
        number=audit.number,
        target=goal,
        alpha=alpha,
        population=audit.population,
        wrong=wrong,
        most_wrong=most,
        set_sha256=audit.set_sha256,
        taken_back=audit.taken_back,
        cutoff=cutoff,
        cutoff_population=size,
        more=more,
        in_pages=sum(block.size for block in blocks),
        planted=shown,
        planted_seen=seen,
        drawn=audit.drawn,
    )


# -- the fold ----------------------------------------------------------------------------------------------------------


def begun(event: Event, body: AuditBegin) -> AuditRecord:
    """The audit that an event begins."""
    return AuditRecord(
        number=body.number,
        seq=event.seq,
        at=event.at,
        population=body.population,
        target=float(body.target),
        confidence=float(body.confidence),
        seed=body.seed,
        set_sha256=body.set_sha256,
        order_sha256=body.order_sha256,
        class_names=dict(body.classes),
        round=body.round,
        predicted=body.predicted,
        before=body.before or 0,
    )


def answer_of(body: events.AuditAnswer, index: int) -> AuditAnswer:
    """The answer of an audited instance."""
    return AuditAnswer(index, UNLABELED if body.class_id is None else body.class_id, bool(body.reached))


def take_page(audit: AuditRecord, event: Event, body: AuditPage, pool: Pool) -> None:
    """Confirm a page; the last one of its block makes the block count.

    Raises
    ------
    ProjectError
        No page was to be confirmed there.
    """
    block = audit.block
    if block is None or block.start != body.start:
        raise ProjectError(f"event {event.event_id} of the journal confirms no page of an audit", "run: labeler check")
    block.confirm(said_on_page(body, pool))
    if block.done:
        answers = block.in_order()
        audit.answers += [AuditAnswer(index, class_id) for index, class_id in answers[:-1]]
        audit.answers.append(AuditAnswer(*answers[-1], bool(body.reached)))


def return_page(audit: AuditRecord, body: AuditPage) -> None:
    """Take a page back; what was seen of the planted ones stays, for they are known by now."""
    block = next(b for b in audit.blocks if b.answers and b.start == body.start)
    if block.done:
        # a block counts as a whole: with one page back nothing of it counts
        del audit.answers[block.start :]
    page = block.pages[len(block.answers) - 1]
    block.answers.pop()
    audit.taken_back += sum(not cell.planted for cell in page)
