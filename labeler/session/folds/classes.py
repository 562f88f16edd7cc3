"""The classes of a state: each change of one, with the labels that follow it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from labeler.core import events
from labeler.core.events import Body
from labeler.core.types import ClassInfo
from labeler.session.classes import back_again, changed_classes, moved_labels
from labeler.session.folds.answers import stand
from labeler.session.folds.step import Step, folds

if TYPE_CHECKING:
    from labeler.session.state import State


@folds(
    events.ClassAdd,
    events.ClassRename,
    events.ClassKey,
    events.ClassRetire,
    events.ClassRestore,
    events.ClassMerge,
    events.ClassSplit,
)
def _fold_classes(state: State, step: Step, body: Body) -> None:
    event, classes = step.event, state.classes
    # labels before classes: where they go follows from the classes as they were
    for index, answer in moved_labels(event, state.answers, classes, state.pool):
        stand(state, step, index, answer)
    before = []
    for info in changed_classes(event, classes):
        before.append((info.class_id, classes.get(info.class_id)))
        classes[info.class_id] = info
    step.back.append(partial(_restore, state, before))
    classes.changed_at = state.revision
    if isinstance(body, events.ClassAdd) and body.setup:
        classes.set_up.add(body.name)


def _restore(state: State, before: list[tuple[int, ClassInfo | None]]) -> None:
    gone, classes = dict(before), state.classes
    others = [info for class_id, info in classes.items() if class_id not in gone]
    for class_id, info in before:
        if info is None:
            del classes[class_id]
        else:
            classes[class_id] = back_again(info, others)
        classes.changed_at = state.revision
