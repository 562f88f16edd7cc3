"""The changes that events make to classes: pure functions from the classes and answers before to those after."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from labeler.core import events
from labeler.core.class_names import class_name
from labeler.core.errors import ProjectError
from labeler.core.events import Event
from labeler.core.pool import Pool
from labeler.core.types import (
    UNLABELED,
    ClassInfo,
    IntArray,
    Provenance,
    Round,
    Tier,
)
from labeler.session.keys import assign_key

if TYPE_CHECKING:
    from labeler.session.answer_records import Answer


class ClassIndex(dict[int, ClassInfo]):
    """Class id -> class; a dict that keeps in step who is active under which name and key."""

    def __init__(self) -> None:
        super().__init__()
        self._by_name: dict[str, dict[int, None]] = {}  # several: files of older versions, merged journals
        self._by_key: dict[str, dict[int, None]] = {}
        self._active: list[ClassInfo] | None = None
        self.next_id = 0  # never given twice: a round computed before an undo may still speak of the old class
        self.changed_at = 0  # the revision at which a class was last added or changed
        self.set_up: set[str] = set()  # names given when the project was opened: said once, however they fared since

    def __setitem__(self, class_id: int, info: ClassInfo) -> None:
        """Add a class, or put it in place of what it was."""
        self._forget(class_id)
        super().__setitem__(class_id, info)
        self.next_id = max(self.next_id, class_id + 1)
        if not info.retired:
            self._by_name.setdefault(class_name(info.name), {})[class_id] = None
            if info.key:
                self._by_key.setdefault(info.key, {})[class_id] = None

    def __delitem__(self, class_id: int) -> None:
        """Take a class away."""
        self._forget(class_id)
        super().__delitem__(class_id)

    def active(self) -> list[ClassInfo]:
        """The classes that can be answered, in the order they were added; not to be changed."""
        if self._active is None:
            self._active = [info for info in self.values() if not info.retired]
        return self._active

    def named(self, name: str) -> ClassInfo | None:
        """The active class called `name` as :func:`class_name` spells it, the first of several."""
        class_ids = self._by_name.get(name)
        return self[min(class_ids)] if class_ids else None

    def with_key(self, key: str) -> list[ClassInfo]:
        """The active classes that have this key: one, if any."""
        return [self[class_id] for class_id in self._by_key.get(key, ())]

    def held_keys(self) -> Collection[str]:
        """The keys of active classes."""
        return self._by_key.keys()

    def _forget(self, class_id: int) -> None:
        self._active = None
        info = self.get(class_id)
        if info is None or info.retired:
            return
        for places, name in ((self._by_name, class_name(info.name)), (self._by_key, info.key)):
            holders = places.get(name, {})
            holders.pop(class_id, None)
            if name in places and not holders:
                del places[name]


def changed_classes(event: Event, classes: Mapping[int, ClassInfo]) -> list[ClassInfo]:
    """The classes an event changes or adds, as they are after it.

    Raises
    ------
    ProjectError
        The event names a class that was never added.
    """
    body = event.body
    if isinstance(body, events.ClassAdd | events.ClassSplit):
        known_already = body.class_id in classes  # two people named the same class, and their journals were merged
        return [] if known_already else [ClassInfo(body.class_id, body.name, body.key or "")]
    info = _known(event.class_named, classes, event)
    match body:
        case events.ClassRename():
            return [replace(info, name=body.name)]
        case events.ClassKey():
            held = [other for other in classes.values() if other.key and other.key == body.key]
            holders = [other for other in held if other.class_id != info.class_id]
            return [replace(info, key=body.key), *(replace(other, key=info.key) for other in holders)]
        case events.ClassRetire():
            return [replace(info, retired=True, key="", last_key=info.key)]
        case events.ClassRestore():
            return [replace(info, retired=False, key=body.key, last_key="")]
        case events.ClassMerge():
            into = current(_known(body.into, classes, event).class_id, classes)
            if into == info.class_id:  # of two merged journals the other one has it the other way round already
                return []
            return [replace(info, retired=True, key="", last_key="", merged_into=into)]
    return []


def current(class_id: int, classes: Mapping[int, ClassInfo]) -> int:
    """The class that `class_id` is by now: the one it was merged into, else itself."""
    while class_id in classes and classes[class_id].merged_into != UNLABELED:
        class_id = classes[class_id].merged_into
    return class_id


def moved_labels(
    event: Event, answers: Mapping[int, Answer], classes: Mapping[int, ClassInfo], pool: Pool
) -> list[tuple[int, Answer]]:
    """The labels that change their class with an event; who said them, when and how stays."""
    body = event.body
    if isinstance(body, events.ClassMerge):
        into = current(body.into, classes)
        return [
            (index, replace(answer, class_id=into))
            for index, answer in answers.items()
            if answer.kind == "label" and answer.class_id == body.class_id
        ]
    if isinstance(body, events.ClassSplit):
        indices = [pool.index(instance_id) for instance_id in body.moved]
        moved = [(index, answers[index]) for index in indices if index in answers]
        return [  # in a merged journal somebody else may have said something of one meanwhile: that stays
            (index, replace(answer, class_id=body.class_id))
            for index, answer in moved
            if answer.kind == "label" and answer.class_id == body.parent
        ]
    return []


def _known(class_id: int, classes: Mapping[int, ClassInfo], event: Event) -> ClassInfo:
    if class_id not in classes:
        raise ProjectError(
            f"event {event.event_id} of the journal names a class that is not there", "run: labeler check"
        )
    return classes[class_id]


def back_again(before: ClassInfo, others: Iterable[ClassInfo]) -> ClassInfo:
    """A class as an undo brings it back beside the `others`.

    Classes named while a project is opened or labels are imported are not on the undo stack, so one of them may hold
    the name or the key by now. It came later, but its holder is at work with it: the one that comes back gives way.
    """
    if before.retired:
        return before
    active = [info for info in others if not info.retired]
    names, keys = {class_name(info.name) for info in active}, {info.key for info in active}
    key = assign_key(before.name, keys) if before.key in keys and before.key else before.key
    return replace(before, name=free_name(before.name, names), key=key)


def free_name(name: str, taken: Collection[str]) -> str:
    """`name`, or ``name (2)`` ... where it is among the `taken` ones, which are as :func:`class_name` spells them."""
    count, free = 1, name
    while class_name(free) in taken:
        count += 1
        free = f"{name} ({count})"
    return free


# -- what an engine said of classes that are gone by now ---------------------------------------------------------


def lookup_of(classes: Mapping[int, ClassInfo], size: int) -> IntArray:
    """Class id -> the class it stands for now (size + 1,): itself, the one it was merged into, or UNLABELED.

    `size` is above every id ever given, so that the last entry is what UNLABELED (-1) stands for: itself.
    """
    lookup = np.full(size + 1, UNLABELED, dtype=np.int32)
    for class_id in classes:
        info = classes[current(class_id, classes)]
        if not info.retired:
            lookup[class_id] = info.class_id
    return lookup


def restated_round(round_: Round, lookup: IntArray) -> Round:
    """`round_` in the classes there are: what was merged is the other class, what is retired is nobody's label."""
    if np.array_equal(lookup[:-1], np.arange(len(lookup) - 1)):
        return round_
    labels, runner_ups = lookup[round_.labels], lookup[round_.runner_ups]
    gone = (labels == UNLABELED) & (round_.labels != UNLABELED)
    runner_ups = np.where(runner_ups == labels, UNLABELED, runner_ups).astype(np.int32)
    alike = (labels == round_.labels) & (runner_ups == round_.runner_ups)  # else the doubt was about something else
    return replace(
        round_,
        labels=labels,
        runner_ups=runner_ups,
        provenances=np.where(gone, Provenance.NONE, round_.provenances).astype(np.uint8),
        scores=np.where(gone, 0.0, round_.scores).astype(np.float32),
        tiers=np.where(gone, Tier.NONE, round_.tiers).astype(np.uint8),
        sources=np.where(gone, -1, round_.sources).astype(np.int32),
        doubts=np.where(alike[: len(round_.doubts)], round_.doubts, 0.0).astype(np.float32),
    )
