"""The one way from a journal that was stored to a state: whatever it says, it is folded or refused in one line."""

from __future__ import annotations

import time
from collections.abc import Callable, Container, Iterable, Iterator

from labeler.core.errors import DamagedProject, LabelerError
from labeler.core.events import Event, Unread
from labeler.core.types import UNLABELED
from labeler.session.state import State

SECONDS, SECONDS_AN_ITEM = 2.0, 0.0001
"""Processor time that a fold may take, and more for each event and label: ten times what people's journals take."""
# The clock is read once in so many events: reading it shall not be part of what it measures.
_OFTEN = 64
HINT = "what is damaged, and which backup to restore: labeler check PROJECT"


def fold(state: State, events: Iterable[Event], then: Callable[[Event], object] = lambda _: None) -> State:
    """Fold the events of a stored journal into `state` and return it; `then` is called after each.

    Raises
    ------
    DamagedProject
        An event says what cannot be, or does not follow from those before it; or folding takes longer than any journal
        that people make.
    """
    for event in in_time(events):
        take(state, event)
        then(event)
    return state


def in_time(events: Iterable[Event]) -> Iterator[Event]:
    """The events, while what is done with them takes no longer than a journal can. Raises DamagedProject."""
    # processor time of this thread alone: a busy machine, or one that was asleep, is no damage
    began, items = time.thread_time(), 0
    for number, event in enumerate(events):
        yield event
        # a page or an import is one event and may hold thousands of labels: it gets its time by them
        items += 1 + event.body.size
        if number % _OFTEN == 0 and time.thread_time() - began > SECONDS + SECONDS_AN_ITEM * items:
            raise DamagedProject(f"the journal takes too long to read: {number:,} events are no end of it", HINT)


def take(state: State, event: Event, *, classes_known: bool = True) -> list[int]:
    """Fold one stored event in; returns the indices whose answer changed.

    `classes_known`: whether the events that made its classes come before it, not so in the records of another file.
    Raises DamagedProject.
    """
    try:
        if isinstance(event.body, Unread):
            event.body.refuse()
        if classes_known:
            _check_classes(event, state.classes)
        return state.apply(event)
    except DamagedProject:
        raise
    except LabelerError as error:
        raise DamagedProject(error.message, error.hint) from error
    except Exception as error:  # a journal that somebody bent makes a fold fail in any way there is: one answer to all
        raise DamagedProject(
            f"event {event.seq} of the journal says nothing that can be ({type(error).__name__}: {error})", HINT
        ) from error


def _check_classes(event: Event, classes: Container[int]) -> None:
    """Raise ValueError where an event gives instances a class that was not there before it."""
    for class_id in event.body.given:
        if class_id not in classes and class_id != UNLABELED:
            raise ValueError(f"no class is {class_id}")
