"""Which class of one journal is which of another: the one made by the same event, else the one of the same name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from labeler.core.class_names import class_name
from labeler.core.events import ClassAdd, ClassSplit, Event
from labeler.core.types import UNLABELED, ClassInfo


@dataclass(frozen=True, slots=True)
class Creations:
    """The events that made the classes of a journal, taken back or not: event id -> class id, in order."""

    class_of: dict[str, int]

    @classmethod
    def of(cls, events: Iterable[Event]) -> Creations:
        """Those of a journal."""
        return cls({e.event_id: e.body.class_id for e in events if isinstance(e.body, ClassAdd | ClassSplit)})

    def by_class(self) -> dict[int, list[str]]:
        """Class id -> the events that made it: more than one where journals were merged."""
        made: dict[int, list[str]] = {}
        for event_id, class_id in self.class_of.items():
            made.setdefault(class_id, []).append(event_id)
        return made


def joint_classes(
    first: Creations, classes: Mapping[int, ClassInfo], second: Creations, others: Mapping[int, ClassInfo]
) -> tuple[dict[int, str], dict[int, str]]:
    """Class id -> a name that the same class has on both sides: the least id of the events that made it.

    Classes of one name are the same, those in use before retired ones; but not where the other side knows the class
    already (then it was renamed there), nor one that was merged into another.
    """
    group: dict[str, str] = {}

    def root(event_id: str) -> str:
        while group.setdefault(event_id, event_id) != event_id:
            event_id = group[event_id]
        return event_id

    def join(one: str, other: str) -> None:
        least, most = sorted((root(one), root(other)))
        group[most] = least

    for creations in (first, second):
        for made in creations.by_class().values():
            for event_id in made[1:]:
                join(made[0], event_id)
    waiting = [_by_name(first, classes, second), _by_name(second, others, first)]
    for name, mine in waiting[0].items():
        for one, other in zip(mine, waiting[1].get(name, ()), strict=False):
            join(one, other)
    found = [
        {class_id: root(event_id) for event_id, class_id in creations.class_of.items()} for creations in (first, second)
    ]
    return found[0], found[1]


def _by_name(own: Creations, classes: Mapping[int, ClassInfo], other: Creations) -> dict[str, list[str]]:
    """Name -> events that made classes of that name which the other side does not know, those in use first."""
    found: dict[str, list[str]] = {}
    makers = own.by_class()
    for info in sorted(classes.values(), key=lambda info: (info.retired, info.class_id)):
        made = makers.get(info.class_id, [])
        if info.merged_into == UNLABELED and made and not any(event_id in other.class_of for event_id in made):
            found.setdefault(class_name(info.name), []).append(made[0])
    return found


def in_classes(event: Event, lookup: Mapping[int, int]) -> Event:
    """`event` in other class ids, wherever it names one; an audited answer is an answer from here on."""
    return replace(event, body=event.body.merged().in_classes(lookup))
