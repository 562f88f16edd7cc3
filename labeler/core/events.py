"""The journal's events: one class a kind, with what is true of the kind beside it.

To add a kind of event, write its class here, its fold in :mod:`labeler.session.state` and its word in
:mod:`labeler.ui.render.lines`. How it is stored, checked and restated in other classes follows from the types of its
fields. A field that has its default is not stored, so that a row which lacks it is written as it was read.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from labeler.core.codec import Answered, ClassId, Confidence, Count, GivenAs, Percent, Share, Unreadable, Whole
from labeler.core.event import KINDS, NOT_ASKED, Asked, Body, Event, Guesses, Merge, Unread
from labeler.core.event_rows import from_row, packed, unpacked
from labeler.core.types import UNLABELED

__all__ = [
    "KINDS",
    "NOT_ASKED",
    "Asked",
    "Body",
    "Event",
    "Guesses",
    "Merge",
    "Unread",
    "from_row",
    "packed",
    "unpacked",
]

Labels = tuple[tuple[str, ClassId, GivenAs], ...]
"""Instance, class, and the word of the label's provenance."""

# -- answers ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Label(Body):
    """A person says which class an instance is of."""

    kind = "label"
    gives_labels = timed = True
    instance_id: str
    class_id: ClassId
    asked: Asked = NOT_ASKED

    @property
    def given(self) -> Iterable[int]:
        """The one class."""
        return (self.class_id,)


@dataclass(frozen=True, slots=True)
class Skip(Body):
    """An instance is asked again later."""

    kind = "skip"
    instance_id: str
    asked: Asked = NOT_ASKED


@dataclass(frozen=True, slots=True)
class Unsure(Body):
    """A person cannot tell what an instance is."""

    kind = "unsure"
    timed = True
    instance_id: str
    asked: Asked = NOT_ASKED


@dataclass(frozen=True, slots=True)
class Reject(Body):
    """An instance is of no class, or unusable."""

    kind = "reject"
    timed = True
    instance_id: str
    asked: Asked = NOT_ASKED


ALONE: dict[str, type[Skip | Unsure | Reject]] = {"skip": Skip, "unsure": Unsure, "reject": Reject}
"""What can be said of an instance without a class."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Repeat(Body):
    """A second answer, blind to the first one, which stays: the class `class_id` where `word` is "label".

    It was event `first` that labeled the instance `first_class`.
    """

    kind = "repeat"
    timed = True
    instance_id: str
    class_id: ClassId | None = None
    asked: Asked = NOT_ASKED
    word: Answered = field(metadata={"key": "said"})
    first: str
    first_class: ClassId

    @property
    def given(self) -> Iterable[int]:
        """The class of the second answer, if it has one."""
        return () if self.class_id is None else (self.class_id,)

    @property
    def done(self) -> str:
        """The kind of an answer like any other: that it repeats one is kept from the eye."""
        return self.word


@dataclass(frozen=True, slots=True)
class Page(Body):
    """A page of one class, confirmed as a whole."""

    kind = "page"
    gives_labels = timed = is_paged = True
    labels: Labels
    asked: Asked = NOT_ASKED

    @property
    def exceptions(self) -> int:
        """The labels that were set one by one."""
        return sum(word == "human" for _, _, word in self.labels)

    @property
    def given(self) -> Iterable[int]:
        """The classes of the labels."""
        return {class_id for _, class_id, _ in self.labels}


@dataclass(frozen=True, slots=True)
class Flag(Body):
    """A bookmark is set, or taken away where there was one."""

    kind = "flag"
    moves_on = False  # it is set while one looks: nothing moves under the eye
    instance_id: str


@dataclass(frozen=True, slots=True)
class Keep(Body):
    """A second look found that a given label is right."""

    kind = "keep"
    instance_id: str
    class_id: ClassId

    @property
    def given(self) -> Iterable[int]:
        """The class that was found right."""
        return (self.class_id,)


@dataclass(frozen=True, slots=True)
class Undo(Body):
    """The event that the envelope names as its target is taken back."""

    kind = "undo"
    undoable = False
    merge = Merge.LEFT_OUT
    instance_id: str | None = None


@dataclass(frozen=True, slots=True)
class Redo(Body):
    """The event that the envelope names as its target is brought back."""

    kind = "redo"
    undoable = False
    merge = Merge.LEFT_OUT
    instance_id: str | None = None


# -- from elsewhere ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Import(Body):
    """Labels that were given elsewhere; `origin`: the file."""

    kind = "import"
    gives_labels = True
    presses = 0
    labels: Labels
    origin: str | None = None

    @property
    def given(self) -> Iterable[int]:
        """The classes of the labels."""
        return {class_id for _, class_id, _ in self.labels}


@dataclass(frozen=True, slots=True)
class Predictions(Body):
    """The predictions of a model elsewhere: instance, class, score or None; `origin`: the file."""

    kind = "predictions"
    presses = 0
    predictions: tuple[tuple[str, ClassId, Confidence | None], ...]
    origin: str | None = None

    @property
    def given(self) -> Iterable[int]:
        """The classes that are predicted."""
        return {class_id for _, class_id, _ in self.predictions}


@dataclass(frozen=True, slots=True)
class SourceChange(Body):
    """Answers go with their content: instance, the one that has the content now or None, the event of the answer."""

    kind = "source_change"
    voids = True
    presses = 0
    answers: tuple[tuple[str, str | None, str], ...]


@dataclass(frozen=True, slots=True)
class Conflict(Body):
    """Two people's answers differ: event, annotator, class (UNLABELED = of no class), the earlier first."""

    kind = "conflict"
    undoable = is_shown = False
    merge = Merge.MADE_ANEW
    instance_id: str
    answers: tuple[tuple[str, str, ClassId], ...]


# -- settings and clusters --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Setting(Body):
    """Settings from here on, by their names; they are all of its payload."""

    kind = "setting"
    undoable = counts_presses = False
    presses = 0
    values: Mapping[str, Any] = field(metadata={"whole": True})

    def check(self) -> None:
        """Refuse a setting that cannot be. Raises Unreadable."""
        value = self.values.get("percentile")
        is_percent = isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 100
        if not (value is None or value == "auto" or is_percent):
            raise Unreadable("its percentile cannot be")


@dataclass(frozen=True, slots=True)
class Reach(Body):
    """The reach of labels in the cluster of an instance, its representative; None = as everywhere."""

    kind = "reach"
    voids = True
    instance_id: str
    percentile: Percent | None


@dataclass(frozen=True, slots=True)
class Split(Body):
    """The cluster of an instance, its representative, is divided in two."""

    kind = "split"
    voids = True
    instance_id: str


# -- classes ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ClassAdd(Body):
    """A class is added. `setup`: named when the project was opened or labels came in, not by a key."""

    kind = "class_add"
    of_class = True
    class_id: ClassId
    name: str
    key: str | None = field(kw_only=True, default=None)
    setup: bool = False


@dataclass(frozen=True, slots=True)
class ClassRename(Body):
    """A class is called otherwise."""

    kind = "class_rename"
    of_class = True
    class_id: ClassId
    name: str
    setup: bool = False


@dataclass(frozen=True, slots=True)
class ClassKey(Body):
    """A class gets another key; the class that has it takes the old one."""

    kind = "class_key"
    of_class = True
    class_id: ClassId
    key: str
    setup: bool = False


@dataclass(frozen=True, slots=True)
class ClassRetire(Body):
    """A class is not answered any more; the labels a person gave stay."""

    kind = "class_retire"
    of_class = voids = True
    class_id: ClassId


@dataclass(frozen=True, slots=True)
class ClassRestore(Body):
    """A retired class comes back under a key."""

    kind = "class_restore"
    of_class = voids = True
    class_id: ClassId
    key: str


@dataclass(frozen=True, slots=True)
class ClassMerge(Body):
    """All given labels of a class become ones of the class `into`."""

    kind = "class_merge"
    of_class = voids = True
    class_id: ClassId
    into: ClassId

    @property
    def about(self) -> int | None:
        """The class that is left."""
        return self.into


@dataclass(frozen=True, slots=True)
class ClassSplit(Body):
    """The labels of the instances `moved` go from the class `parent` to the new one, `class_id`."""

    kind = "class_split"
    of_class = voids = True
    class_id: ClassId
    parent: ClassId = field(metadata={"key": "from"})
    name: str
    key: str | None = field(kw_only=True, default=None)
    moved: tuple[str, ...]


# -- audits -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditBegin(Body):
    """An audit: its frozen labels and the order drawn are stored beside the journal, under its number."""

    kind = "audit_begin"
    undoable = False
    presses = 0
    merge = Merge.LEFT_OUT  # a certificate speaks of the labels of one file as they were
    number: Count
    population: Count
    target: Share
    confidence: Share
    seed: Count
    set_sha256: str
    order_sha256: str
    classes: tuple[tuple[ClassId, str], ...]
    round: Count
    predicted: bool
    before: Count | None = None  # audits of other files that used up shares of alpha


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditAnswer(Body):
    """The answer about the instance that was drawn next, blind; `reached`: the target was certified then."""

    kind = "audit_answer"
    instance_id: str
    class_id: ClassId | None = None
    audit: Count
    word: Answered = field(metadata={"key": "said"})
    reached: bool | None = None
    asked: Asked = NOT_ASKED

    @property
    def given(self) -> Iterable[int]:
        """The class of the answer, if it has one."""
        return () if self.class_id is None else (self.class_id,)

    def merged(self) -> Body:
        """The answer alone: the audit stays with its file."""
        if self.word == "label" and self.class_id is not None:
            return Label(self.instance_id, self.class_id, self.asked)
        return ALONE[self.word](self.instance_id, self.asked)


@dataclass(frozen=True, slots=True)
class AuditEnd(Body):
    """The statement of an audit is drawn as it stands."""

    kind = "audit_end"
    merge = Merge.LEFT_OUT
    audit: Count


@dataclass(frozen=True, slots=True)
class AuditBlock(Body):
    """Pages of an audit as they will be shown: instance, class shown, place in the drawn order (-1 = planted)."""

    kind = "audit_block"
    undoable = counts_presses = is_shown = False
    presses = 0
    merge = Merge.LEFT_OUT
    audit: Count
    start: Count
    pages: tuple[tuple[tuple[str, ClassId, Whole], ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditPage(Body):
    """A page of an audit, confirmed; `unsure`: what was said to be of no class, `planted`: of those shown wrong."""

    kind = "audit_page"
    is_paged = True
    audit: Count
    start: Count
    labels: Labels
    unsure: tuple[str, ...]
    planted: tuple[tuple[str, ClassId], ...]
    marked: Count | None = None  # pictures that were marked and leave no label
    reached: bool | None = None
    asked: Asked = NOT_ASKED

    @property
    def exceptions(self) -> int:
        """The labels that were set one by one, and the marks that leave none."""
        return sum(word == "human" for _, _, word in self.labels) + (self.marked or 0)

    @property
    def given(self) -> Iterable[int]:
        """The classes of the labels and of those planted; UNLABELED is said of some of these, too."""
        classes = {class_id for _, class_id, _ in self.labels} | {class_id for _, class_id in self.planted}
        return classes - {UNLABELED}

    def merged(self) -> Body:
        """The labels alone: the audit stays with its file."""
        return Page(self.labels, Asked(screen=self.asked.screen))


@dataclass(frozen=True, slots=True)
class AuditCarried(Body):
    """The audits of a file that was merged into this one: its events word for word, and where their arrays are."""

    kind = "audit_carried"
    undoable = is_shown = False
    presses = 0
    merge = Merge.MADE_ANEW
    events: tuple[Mapping[str, Any], ...]
    kept_under: Mapping[str, Whole]

    def check(self) -> None:
        """Refuse events that are none of a journal. Raises Unreadable."""
        for values in self.events:
            body = unpacked(values).body
            if isinstance(body, AuditCarried) or (isinstance(body, Unread) and body.why):
                raise Unreadable("its events cannot be")
