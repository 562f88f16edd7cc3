"""Pages of an audit: a block of the drawn order laid out class by class, among it pictures shown under a wrong class.

A block is what comes next in the drawn order, of a size fixed before any of it is shown; it is laid out over a few
pages and counts when all of them are confirmed. So what counts is always a beginning of the drawn order, and within it
every class has its say: had the pages of one class counted by themselves, the sample would be no simple random one.

Planted among them are instances that a person labeled, each shown under another class. Where they are is recorded
before the page is shown and told when it is confirmed; what was seen the first time counts, also where the page is
taken back afterwards. How often the planted ones are seen bounds how often an error is (`core/overlooking.py`). That
assumes that a wrong label of the set is seen as often as a planted one:

- three of four stand under the class that the engine confuses them with most, as its own errors do; the others under
  any class of the block, so that a page has something of the careless look too;
- their number varies from page to page, so that none is looked for until it is found;
- the person answered them before. One who remembers a picture, not what it shows, sees it more easily than an error;
  they are taken from all answers, each once before any comes again, and none of this audit.

Where a person's label is itself wrong and the class shown happens to be right, leaving it counts as overlooked: the
bound becomes weaker, never false.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from labeler.core.events import AuditBlock, AuditPage
from labeler.core.pool import Pool
from labeler.core.stats.reviewer import USUAL_PLANTS
from labeler.core.types import UNLABELED, IndexArray

PAGES = 4
"""Pages of a block at most: enough that a class fills a row, few enough that the statement moves on."""
LEAST_PLANTS = 3
"""Instances to plant without which there are no pages."""
FIRST_PLANTS, OF_MISSING = 6, 0.6
"""Planted in the first block; and of those missing to the usual number in each further one."""
DENSEST = 0.15
"""Of a page planted at most."""
CONFUSED = 0.75
"""Of the planted ones under the class that the engine takes them for if not for their own."""
NOT_DRAWN = -1
"""The place in the drawn order of what was planted."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One picture of a page: the class it is shown as, and its place in the block's drawn order (planted: none)."""

    index: int
    class_id: int
    place: int

    @property
    def planted(self) -> bool:
        """Whether its class is known to be wrong."""
        return self.place == NOT_DRAWN


@dataclass(frozen=True, slots=True)
class Candidate:
    """An instance that may be planted: its class, and the one it is confused with (UNLABELED = not known)."""

    index: int
    known: int
    confused: int


@dataclass(slots=True)
class Block:
    """A part of the drawn order: cells page by page, and per confirmed page what was said (index -> class)."""

    start: int  # instances of the audit checked before it
    pages: tuple[tuple[Cell, ...], ...]
    answers: list[dict[int, int]] = field(default_factory=list)
    first: list[dict[int, int]] = field(default_factory=list)  # what was said when each page was confirmed first

    @property
    def size(self) -> int:
        """Instances of the drawn order in it."""
        return sum(not cell.planted for page in self.pages for cell in page)

    @property
    def done(self) -> bool:
        """Whether all its pages are confirmed: it counts."""
        return len(self.answers) == len(self.pages)

    @property
    def page(self) -> tuple[Cell, ...]:
        """The page to confirm next."""
        return self.pages[len(self.answers)]

    @property
    def planted(self) -> int:
        """Pictures shown under a wrong class."""
        return sum(cell.planted for page in self.pages for cell in page)

    @property
    def seen(self) -> int:
        """The number, of those on pages that were confirmed, how many were seen to be wrong, the first time."""
        return sum(
            self.first[place].get(cell.index, cell.class_id) != cell.class_id
            for place in range(len(self.first))
            for cell in self.pages[place]
            if cell.planted
        )

    def confirm(self, classes: dict[int, int]) -> None:
        """One more page."""
        self.answers.append(classes)
        # once a page was confirmed its planted ones are known: what is said after an undo proves nothing of the eye
        if len(self.first) < len(self.answers):
            self.first.append(classes)

    def in_order(self) -> list[tuple[int, int]]:
        """(index, class said) of a block that is done, as drawn."""
        cells = [(cell, classes) for page, classes in zip(self.pages, self.answers, strict=True) for cell in page]
        drawn = sorted((cell.place, cell.index, classes[cell.index]) for cell, classes in cells if not cell.planted)
        return [(index, class_id) for _, index, class_id in drawn]


def pages_needed(more: int | None, plants: int, page_size: int) -> int:
    """Pages of the next block, where about `more` looks are left to the target (None = not known)."""
    return PAGES if more is None else min(max(math.ceil((more + plants) / page_size), 1), PAGES)


def plants_wanted(shown: int, seen: int, rng: np.random.Generator) -> int:
    """Return how many to plant in the next block: most at the beginning, more where some were overlooked, never a sure
    number. Depends on what was seen before the block alone."""
    # by chance one more or less: who knew the number would stop looking once all are found
    base = min(max(round(OF_MISSING * (USUAL_PLANTS - shown)), 1), FIRST_PLANTS)
    return int(base + min(shown - seen, PAGES) + rng.integers(-1, 2))


def chosen_plants(
    candidates: Sequence[Candidate],
    before: Mapping[int, int],
    shown: Mapping[int, int],
    count: int,
    rng: np.random.Generator,
) -> list[Cell]:
    """Choose at most `count` of `candidates` under a class of the block that is not theirs.

    `before`: index -> how often it was planted; those planted least come first. `shown`: class -> how many the block
    shows of it; a class of which there is much hides more.
    """
    # mixed first: the sort is stable, so that chance decides among those that were planted equally often
    order = rng.permutation(len(candidates))
    ranked = sorted((candidates[place] for place in order), key=lambda candidate: before.get(candidate.index, 0))
    plants: list[Cell] = []
    for candidate in ranked:
        if len(plants) >= count:
            break
        others = [class_id for class_id in shown if class_id != candidate.known]
        if not others:
            continue
        weights = np.array([shown[class_id] for class_id in others], dtype=np.float64)
        far = others[int(rng.choice(len(others), p=weights / weights.sum()))]
        near = candidate.confused if candidate.confused in others else far
        plants.append(Cell(candidate.index, near if rng.random() < CONFUSED else far, NOT_DRAWN))
    return plants


def laid_out(
    drawn: IndexArray, class_ids: Sequence[int], plants: Sequence[Cell], page_size: int, rng: np.random.Generator
) -> tuple[tuple[Cell, ...], ...]:
    """Pages of at most `page_size` cells, class by class; within a class in random order, the planted ones among them.

    `drawn` (d,) in drawn order, `class_ids` (d,) what each is shown as.
    """
    cells = [
        Cell(int(index), class_id, place) for place, (index, class_id) in enumerate(zip(drawn, class_ids, strict=True))
    ]
    cells += plants
    mixed = [cells[place] for place in rng.permutation(len(cells))]
    mixed.sort(key=lambda cell: cell.class_id)  # stable: the order within a class stays mixed
    n_pages = max(math.ceil(len(mixed) / page_size), 1)
    # nearly equal pages instead of full ones and a rest: a last page of two pictures would cost a key as well
    cuts = np.linspace(0, len(mixed), n_pages + 1).round().astype(int)
    return tuple(tuple(mixed[low:high]) for low, high in itertools.pairwise(cuts))


def plants_before(blocks: Sequence[Block]) -> dict[int, int]:
    """Return how often each instance was planted."""
    count: dict[int, int] = {}
    for block in blocks:
        for page in block.pages:
            for cell in page:
                if cell.planted:
                    count[cell.index] = count.get(cell.index, 0) + 1
    return count


# -- the fold ----------------------------------------------------------------------------------------------------------


def event_of(block: Block, audit: int, ids: Sequence[str]) -> AuditBlock:
    """The event that lays a block of an audit out."""
    pages = tuple(tuple((ids[cell.index], cell.class_id, cell.place) for cell in page) for page in block.pages)
    return AuditBlock(audit, block.start, pages)


def block_of(body: AuditBlock, pool: Pool) -> Block:
    """The block that an event lays out."""
    pages = tuple(
        tuple(Cell(pool.index(name), class_id, place) for name, class_id, place in page) for page in body.pages
    )
    return Block(body.start, pages)


def said_on_page(body: AuditPage, pool: Pool) -> dict[int, int]:
    """The class of each instance of a page, drawn or planted; UNLABELED = cannot tell."""
    return dict(_said(body, pool))


def _said(body: AuditPage, pool: Pool) -> Iterator[tuple[int, int]]:
    for name, class_id, _ in body.labels:
        yield pool.index(name), class_id
    for name in body.unsure:
        yield pool.index(name), UNLABELED
    for name, class_id in body.planted:
        yield pool.index(name), class_id
