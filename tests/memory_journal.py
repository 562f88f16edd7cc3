"""The journal of tests that need no file."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from labeler.core.errors import NotSaved
from labeler.core.events import Event
from labeler.core.types import Question, Round
from labeler.store import rows


class MemoryJournal:
    """A journal that forgets nothing but a power cut: :class:`labeler.session.journal.Journal` without a file."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.round: Round | None = None
        self.kept: str | None = None  # as a file keeps it
        self.kept_labels: dict[int, dict[str, Any]] = {}
        self.full = False
        self.full_for_derived = False

    def append(self, event: Event) -> Event:
        self._write(self.full)
        stored = replace(event, seq=len(self.events) + 1)
        self.events.append(stored)
        return stored

    def find(self, event_id: str) -> Event | None:
        return next((event for event in self.events if event.event_id == event_id), None)

    def together(self):
        return contextlib.nullcontext()

    def replay(self) -> Iterator[Event]:
        return iter(list(self.events))

    def freeze(self, audit: int, arrays: Mapping[str, Any]) -> None:
        self._write(self.full)
        self.kept_labels[audit] = {name: array.copy() for name, array in arrays.items()}

    def frozen(self, audit: int) -> dict[str, Any]:
        return self.kept_labels.get(audit, {})

    def save_round(self, round_: Round) -> None:
        self._write(self.full_for_derived)
        self.round = round_

    def load_round(self) -> Round | None:
        return self.round

    def save_question(self, question: Question | None, revision: int) -> None:
        self._write(self.full_for_derived)
        self.kept = rows.question_value(question, revision)

    def load_question(self) -> tuple[Question, int] | None:
        return rows.question_of(self.kept) if self.kept else None

    def _write(self, full: bool) -> None:
        if full:
            raise NotSaved("no space left on the disk", "free some space, then try again")
