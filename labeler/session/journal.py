"""The one thing that a session needs from outside, as a protocol: a journal that is durable."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from labeler.core.events import Event
from labeler.core.types import Question, Round


class Journal(Protocol):
    """The append-only truth, and a drawer for the latest derived round."""

    def append(self, event: Event) -> Event:
        """Make `event` durable and return it with its `seq`; on return it survives a power cut.

        One that is there already, by its id, stays as it is.

        Raises
        ------
        NotSaved
            It could not be written; nothing changed.
        """
        ...

    # for an append of which nobody could say whether it went through: it is there, or is tried again
    def find(self, event_id: str) -> Event | None:
        """The event of this id; None where the journal has none."""
        ...

    def together(self) -> AbstractContextManager[None]:
        """Several appends as one: durable when it is left, all of them or none."""
        ...

    def replay(self) -> Iterator[Event]:
        """All events in order."""
        ...

    def freeze(self, audit: int, arrays: Mapping[str, NDArray[np.generic]]) -> None:
        """Keep the labels that audit number `audit` speaks of, and their order, for good; durable on return."""
        ...

    def frozen(self, audit: int) -> dict[str, NDArray[Any]]:
        """The arrays that :meth:`freeze` kept; empty where there is nothing."""
        ...

    def save_round(self, round_: Round) -> None:
        """Keep `round_` in place of the one before."""
        ...

    def load_round(self) -> Round | None:
        """The round kept last, or None."""
        ...

    def save_question(self, question: Question | None, revision: int) -> None:
        """Remember the question on the screen; a convenience that survives a kill, not a promise."""
        ...

    def load_question(self) -> tuple[Question, int] | None:
        """The record that :meth:`save_question` kept: the question, and the revision it was drawn at."""
        ...
