"""The record that screens draw from: small, immutable, made in O(classes) whatever the size of the pool."""

from __future__ import annotations

from dataclasses import dataclass

from labeler.core.types import Advice, ClassInfo, Question, Round
from labeler.session.learning_curve import Point


@dataclass(frozen=True, slots=True)
class ClassCount:
    """One line of the legend."""

    info: ClassInfo
    human: int = 0
    confirmed: int = 0
    imported: int = 0
    propagated: int = 0
    predicted: int = 0

    @property
    def given(self) -> int:
        """Labels a person or an import gave."""
        return self.human + self.confirmed + self.imported


@dataclass(frozen=True, slots=True)
class Stage:
    """One link of the chain in the status line; `active` is where the session stands."""

    text: str
    active: bool = False


@dataclass(frozen=True, slots=True)
class Done:
    """The last thing that happened, for the mark beside the answer."""

    what: str  # "label", "skip", "undo label", ...
    index: int | None
    class_id: int | None
    revision: int
    class_name: str = ""  # as it is called now, or was before it was taken back


@dataclass(frozen=True, slots=True)
class View:
    """All that a screen needs; `round` is a reference to read-only arrays (None before the first round)."""

    revision: int
    noun: str  # what an instance is called: "image", "row", "text"
    question: Question | None
    n_instances: int
    n_usable: int
    answers: int
    given: int
    propagated: int
    predicted: int
    skipped: int
    unsure: int
    rejected: int
    flagged: int
    open_questions: int
    conflicts: int  # of these: answered by two people, differently
    classes: tuple[ClassCount, ...]
    retired: tuple[ClassCount, ...]  # in no legend; they keep the labels a person gave
    chain: tuple[Stage, ...]
    percentile: float | None
    rounds: int
    round: Round | None
    advice: Advice | None
    last: Done | None
    can_undo: bool
    can_redo: bool
    question_flagged: bool
    doubts: tuple[int, ...] = ()  # indices of given labels worth a second look, the most doubted first
    pace: float | None = None  # the person's seconds an answer; None until there are a few
    keys: int = 0  # presses so far, as far as the journal tells
    representatives_left: int = 0
    history: tuple[Point, ...] = ()
    given_gone: int = 0  # of `given`: their instances are missing or cannot be read; the labels are kept
    recent: tuple[int, ...] = ()  # ids of the classes given last, the latest first; a few

    @property
    def labeled(self) -> int:
        """Labels that the default export would hold by the last round and the answers since: the one such number."""
        return self.given + self.propagated

    @property
    def n_to_label(self) -> int:
        """Instances that may be among them."""
        return self.n_usable + self.given_gone

    @property
    def class_names(self) -> dict[int, str]:
        """The name of every class that may stand beside a picture, by its id."""
        return {count.info.class_id: count.info.name for count in (*self.classes, *self.retired)}

    @property
    def coverage(self) -> float:
        """Share of the instances that the default export would hold."""
        return self.labeled / self.n_to_label if self.n_to_label else 0.0
