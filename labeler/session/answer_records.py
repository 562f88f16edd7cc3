"""Records of what somebody said of one instance: its answer, a conflict, a second look, a second answer."""

from __future__ import annotations

from dataclasses import dataclass

from labeler.core import events
from labeler.core.events import Event
from labeler.core.pool import Pool
from labeler.core.types import UNLABELED, Provenance


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer that a person last gave of one instance, and the event that says it."""

    kind: str  # "label", "skip", "unsure", "reject"
    event_id: str
    seq: int
    at: float
    annotator: str = ""
    class_id: int = UNLABELED
    provenance: Provenance = Provenance.NONE
    weight: float = 1.0
    round: int = 0
    paged: bool = False  # said on a page of a grid, together with others
    until: int = 0  # skip: back when this many answers were given
    audit: int = 0  # said in the audit of that number (0 = in none)


@dataclass(frozen=True, slots=True)
class Conflict:
    """The two answers of two people of one instance, until somebody settles it; the later answer stands meanwhile.

    `answers`: (event id, annotator, class_id; UNLABELED = belongs to no class), the earlier first. `until`: skipped,
    back when this many answers were given.
    """

    answers: tuple[tuple[str, str, int], ...]
    until: int = 0


@dataclass(frozen=True, slots=True)
class Kept:
    """A second look found this class right, by the event at `seq`."""

    class_id: int
    seq: int


@dataclass(frozen=True, slots=True)
class Repeat:
    """A second answer, blind to the first: `class_id` (UNLABELED but where `word` is "label") to what event `first`
    labeled `first_class`."""

    index: int
    first: str
    first_class: int
    word: str  # "label", "skip", "unsure", "reject"
    class_id: int
    annotator: str
    seq: int
    at: float


def repeat_of(event: Event, body: events.Repeat, pool: Pool) -> Repeat:
    """The second answer that an event holds."""
    class_id = UNLABELED if body.class_id is None else body.class_id
    index = pool.index(body.instance_id)
    return Repeat(index, body.first, body.first_class, body.word, class_id, event.annotator, event.seq, event.at)
