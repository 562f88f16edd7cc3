"""Classes of two journals that are the same: made by the same event, else of the same name."""

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
        """Return the creations of a journal."""
        return cls({e.event_id: e.body.class_id for e in events if isinstance(e.body, ClassAdd | ClassSplit)})

    def by_class(self) -> dict[int, list[str]]:
        """Class id -> the events that made it: more than one where journals were merged."""
        makers: dict[int, list[str]] = {}
        for event_id, class_id in self.class_of.items():
            makers.setdefault(class_id, []).append(event_id)
        return makers


def join_classes(
    first: Creations, classes: Mapping[int, ClassInfo], second: Creations, others: Mapping[int, ClassInfo]
) -> tuple[dict[int, str], dict[int, str]]:
    """Return class id -> a name that the same class has on both sides: the least id of the events that made it.

    Classes of one name are the same, those in use before retired ones; but not where the other side knows the class
    already (then it was renamed there), nor one that was merged into another.
    """
    group: dict[str, str] = {}

    def root(event_id: str) -> str:
        while group.setdefault(event_id, event_id) != event_id:
            event_id = group[event_id]
        return event_id

    def join(event_id: str, other_id: str) -> None:
        least, most = sorted((root(event_id), root(other_id)))
        group[most] = least  # the least, so that it does not matter which journal comes first

    # an earlier merge has found classes to be the same: that holds on
    for creations in (first, second):
        for makers in creations.by_class().values():
            for event_id in makers[1:]:
                join(makers[0], event_id)
    # of several classes of one name the first of the one side is the first of the other, and so on
    waiting = [_by_name(first, classes, second), _by_name(second, others, first)]
    for name, makers in waiting[0].items():
        for event_id, other_id in zip(makers, waiting[1].get(name, ()), strict=False):
            join(event_id, other_id)
    names = [
        {class_id: root(event_id) for event_id, class_id in creations.class_of.items()} for creations in (first, second)
    ]
    return names[0], names[1]


def _by_name(own: Creations, classes: Mapping[int, ClassInfo], other: Creations) -> dict[str, list[str]]:
    """Name -> events that made classes of that name which the other side does not know, those in use first."""
    makers_of: dict[str, list[str]] = {}
    creations = own.by_class()
    for info in sorted(classes.values(), key=lambda info: (info.retired, info.class_id)):
        makers = creations.get(info.class_id, [])
        if info.merged_into == UNLABELED and makers and not any(event_id in other.class_of for event_id in makers):
            makers_of.setdefault(class_name(info.name), []).append(makers[0])
    return makers_of


def translate_classes(event: Event, lookup: Mapping[int, int]) -> Event:
    """Return `event` in other class ids, wherever it names one; an audited answer is an answer from here on."""
    return replace(event, body=event.body.merged().in_classes(lookup))
