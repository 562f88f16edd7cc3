"""The table of folds: what each kind of event does to a state, and how one that was folded in is taken back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from labeler.core.events import Body, Event

if TYPE_CHECKING:
    from labeler.session.state import State


@dataclass(slots=True)
class Step:
    """An event that was folded in, and how to take it back."""

    event: Event
    touched: list[int] = field(default_factory=list)  # instances whose answer changed
    settled: list[int] = field(default_factory=list)  # instances whose conflict changed
    back: list[Callable[[], object]] = field(default_factory=list)  # to be called from the last to the first


Fold = Callable[["State", Step, Any], None]
AnyFold = TypeVar("AnyFold", bound=Fold)

FOLDS: dict[type[Body], Fold] = {}
"""What each kind of event does to a state. A fold notes in its step what it touched and how it is taken back."""


def folds(*kinds: type[Body]) -> Callable[[AnyFold], AnyFold]:
    """Return a decorator that enters a function as the fold of some kinds of events."""

    def enter(fold: AnyFold) -> AnyFold:
        FOLDS.update(dict.fromkeys(kinds, fold))
        return fold

    return enter
