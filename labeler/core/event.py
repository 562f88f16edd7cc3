"""An event: its body (what is true of its kind, how its fields are stored and put into other classes) in an envelope.

Import it from :mod:`labeler.core.events`, which knows all kinds.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import Field, dataclass, field, fields, replace
from enum import Enum
from types import NoneType
from typing import Any, ClassVar, get_args, get_origin, get_type_hints

from labeler.core.codec import ClassId, Number, Reader, Restate, plain, reader, restater
from labeler.core.errors import ProjectError
from labeler.core.types import UNLABELED, Question

Guesses = tuple[tuple[ClassId, Number], ...]

KINDS: dict[str, type[Body]] = {}
"""Every kind of event by its name in the journal; a class enters it by being written."""
COLUMNS = ("instance_id", "class_id")
"""The fields of a body that are columns of the events table; the others are its payload."""


class Merge(Enum):
    """The way in which a kind of event goes into the journal that is merged of two."""

    TAKEN = "taken"  # as it is, in the classes of both
    LEFT_OUT = "left out"  # about one file alone, or an undo whose outcome is known
    MADE_ANEW = "made anew"  # from what the two sides hold


class Body:
    """The content of an event: the fields `instance_id` and `class_id` are columns, the rest its payload."""

    __slots__ = ()

    kind: ClassVar[str] = ""
    undoable: ClassVar[bool] = True
    gives_labels: ClassVar[bool] = False  # whether it counts as an answer that gave labels
    timed: ClassVar[bool] = False  # whether a person takes time over it: its time makes the pace
    voids: ClassVar[bool] = False  # whether what an engine computed before it rests on something else now
    is_paged: ClassVar[bool] = False  # whether it is a page, answered as a whole
    is_shown: ClassVar[bool] = True  # whether it is something that a person did, to be shown as done
    of_class: ClassVar[bool] = False  # whether it is about a class and all its labels
    presses: ClassVar[int] = 1  # keys it takes at least, where no screen counted them
    counts_presses: ClassVar[bool] = True  # whether the keys until now are kept with it
    moves_on: ClassVar[bool] = True  # whether the question's guesses are made anew after it
    merge: ClassVar[Merge] = Merge.TAKEN

    def __init_subclass__(cls) -> None:
        """Enter the kind into the table; with slots a class is made twice, and the second is the one in use."""
        if cls.kind:
            KINDS[cls.kind] = cls

    @property
    def is_setup(self) -> bool:
        """Whether it was done by a list of names and no key: it is not on the undo stack."""
        return bool(getattr(self, "setup", False))

    @property
    def exceptions(self) -> int:
        """The keys it took besides the first, where no screen counted them."""
        return 0

    @property
    def given(self) -> Iterable[int]:
        """The classes that it gives to instances."""
        return ()

    @property
    def about(self) -> int | None:
        """The class that it is shown beside."""
        return getattr(self, "class_id", None)

    @property
    def done(self) -> str:
        """The kind under which it is shown."""
        return self.kind

    @property
    def size(self) -> int:
        """The number of rows in it."""
        return sum(len(getattr(self, name)) for name in plan_of(type(self)).rows)

    def check(self) -> None:
        """Refuse what its fields alone do not show to be wrong. Raises Unreadable."""

    def merged(self) -> Body:
        """Return what goes into a merged journal."""
        return self

    def in_classes(self, lookup: Mapping[int, int]) -> Body:
        """The same in other class ids."""
        changes: dict[str, Any] = {}
        for name, restate in plan_of(type(self)).classes:
            changes[name] = restate(getattr(self, name), lambda number: _looked_up(number, lookup))
        asked: Asked | None = getattr(self, "asked", None)
        if asked is not None:
            changes["asked"] = asked.in_classes(lookup)
        return replace(self, **changes) if changes else self  # type: ignore[type-var]

    def names(self) -> set[int]:
        """The classes that it speaks of."""
        numbers: set[int] = set()
        for name, restate in plan_of(type(self)).classes:
            restate(getattr(self, name), lambda number: numbers.add(number) or number)  # type: ignore[func-returns-value]
        return numbers - {UNLABELED}


def _looked_up(number: int, lookup: Mapping[int, int]) -> int:
    return number if number == UNLABELED else lookup[number]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """The way a question was asked: where, by which rule; the guesses `shown` or `hidden`; None = not known.

    `blind`: where chance decided whether guesses were shown. `margin`: the model's at that moment. `machine`: of a
    random question the engine's label before the answer.
    """

    screen: str | None = None
    rule: str | None = None
    margin: Number | None = None
    shown: Guesses | None = None
    hidden: Guesses | None = None
    blind: bool | None = None
    machine: ClassId | None = None

    @classmethod
    def of(cls, question: Question, screen: str) -> Asked:
        """Return how `question` is asked now."""
        # four digits: more than any screen shows, and a short row in a journal that keeps every answer for good
        guesses = tuple((guess, round(score, 4)) for guess, score in question.guesses) or None
        return cls(
            screen=screen,
            rule=question.rule,
            margin=question.margin,
            shown=None if question.blind else guesses,
            hidden=guesses if question.blind else None,
            # None where no lot was drawn: such a question belongs to neither side of the comparison in `sway`
            blind=question.blind if question.drawn else None,
        )

    @property
    def guesses(self) -> Guesses:
        """The guesses that the engine had, seen or not."""
        return self.shown or self.hidden or ()

    def in_classes(self, lookup: Mapping[int, int]) -> Asked:
        """The same in other class ids; a guess at a class that is not among them is left out."""
        changes: dict[str, Any] = {}
        for name in ("shown", "hidden"):
            guesses = getattr(self, name)
            if guesses is not None:
                changes[name] = tuple((lookup[number], score) for number, score in guesses if number in lookup)
        if self.machine is not None:
            changes["machine"] = lookup.get(self.machine, UNLABELED)
        return replace(self, **changes)


NOT_ASKED = Asked()


# -- the envelope -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Unread(Body):
    """An event that this version cannot read, kept as it is stored; `why` is empty where its kind is a newer one."""

    undoable = False
    name: str
    why: str
    instance_id: str | None
    class_id: int | None
    payload: Mapping[str, Any]

    def refuse(self) -> None:
        """Raise ValueError where it says what cannot be."""
        if self.why:
            raise ValueError(self.why)


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that a person did, as the journal keeps it. `seq` is 0 until the journal gave it its place.

    `keys`: presses since the event before, where a screen counted them. `target`: of an undo or a redo the event that
    it takes back or brings back. `more`: what a newer version stored of it, handed on as it is.
    """

    event_id: str
    body: Body
    at: float  # seconds since 1970, UTC
    annotator: str = ""
    target: str | None = None
    keys: int | None = None
    more: Mapping[str, Any] = field(default_factory=dict)
    seq: int = 0

    @property
    def kind(self) -> str:
        """The name of its kind, as the journal has it."""
        return self.body.name if isinstance(self.body, Unread) else self.body.kind

    @property
    def instance_id(self) -> str | None:
        """The one instance that it is about."""
        return getattr(self.body, "instance_id", None)

    @property
    def class_id(self) -> int | None:
        """The class that its row names."""
        return getattr(self.body, "class_id", None)

    @property
    def class_named(self) -> int:
        """The class that it speaks of. Raises ProjectError where it names none."""
        class_id = self.class_id
        if class_id is None:
            raise ProjectError(f"event {self.event_id} of the journal names no class", "run: labeler check")
        return class_id

    @property
    def asked(self) -> Asked:
        """The way its question was asked; nothing where it keeps none."""
        asked: Asked = getattr(self.body, "asked", NOT_ASKED)
        return asked

    @property
    def payload(self) -> dict[str, Any]:
        """The rest of what it says, as JSON holds it."""
        payload: dict[str, Any] = plain(self._payload())
        return payload

    def _payload(self) -> dict[str, Any]:
        if isinstance(self.body, Unread):
            return dict(self.body.payload)
        keys = {} if self.keys is None else {"keys": self.keys}
        return {**payload_of(self.body), **self.more, **keys}

    @property
    def presses(self) -> int:
        """The keys a person pressed for it: as a screen counted them, else one, and one an exception on a page."""
        body = self.body
        if not body.presses or body.is_setup:
            return 0
        return body.presses + body.exceptions if self.keys is None else self.keys

    def to_row(self) -> tuple[Any, ...]:
        """The values of the events table in its order, without `seq`; the last one is to be written as JSON."""
        return (
            *(self.event_id, self.kind, float(self.at), self.annotator),
            *(self.instance_id, self.class_id, self.target, self._payload()),
        )


# -- stored -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class FieldPlan:
    """One field of a body, or of how it was asked: its name in the class and in the journal, and how it is read."""

    name: str
    key: str
    read: Reader
    default: Any  # MISSING where an event must have it


@dataclass(frozen=True, slots=True)
class Plan:
    """The way in which a kind is stored, worked out once."""

    columns: dict[str, FieldPlan]
    fields: dict[str, FieldPlan]  # by their key
    rows: tuple[str, ...]  # fields that are lists
    classes: tuple[tuple[str, Restate], ...]  # fields that name classes
    is_asked: bool
    whole: str  # the field that takes the whole payload, "" = none does


def plan_of(kind: type[Any]) -> Plan:
    """Return how a kind is stored."""
    if kind not in _PLANS:
        _PLANS[kind] = _planned(kind)
    return _PLANS[kind]


_PLANS: dict[type[Any], Plan] = {}


def _planned(kind: type[Any]) -> Plan:
    hints = get_type_hints(kind, include_extras=True)
    items = [item for item in fields(kind) if item.name != "asked"]
    read = {item.name: _field(item, hints[item.name]) for item in items}
    restates = [(item.name, restater(hints[item.name])) for item in items]
    return Plan(
        {name: read[name] for name in COLUMNS if name in read},
        {item.key: item for name, item in read.items() if name not in COLUMNS},
        tuple(name for name in read if get_origin(hints[name]) is tuple and get_args(hints[name])[1:] == (...,)),
        tuple((name, restate) for name, restate in restates if restate is not None),
        "asked" in hints,
        next((item.name for item in items if "whole" in item.metadata), ""),
    )


def _field(item: Field[Any], hint: Any) -> FieldPlan:
    key = item.metadata.get("key", item.name)
    return FieldPlan(item.name, key, reader(_stored(hint, item.default)), item.default)


def _stored(hint: Any, default: Any) -> Any:
    """The type of a field as it is stored: where None says that it is not, None is never stored."""
    return next(part for part in get_args(hint) if part is not NoneType) if default is None else hint


def payload_of(body: Any) -> dict[str, Any]:
    """The fields of a body that are no columns, by their names in the journal; defaults are left out."""
    payload: dict[str, Any] = {}
    for item in fields(body):
        value = getattr(body, item.name)
        if "whole" in item.metadata:
            return dict(value)
        if item.name == "asked":
            payload |= payload_of(value)
        elif item.name not in COLUMNS and value != item.default:
            payload[item.metadata.get("key", item.name)] = value
    return payload
