"""Measurement of labels: what it rests on, a value with its interval, and the sentences that may be said of it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple


class Line(NamedTuple):
    """A measurement as a screen lists it: its title, what it says in 60 cells, and a sentence that may stand alone."""

    title: str
    brief: str
    statement: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement(ABC):
    """A value measured on `n` answers or looks; the truth lies within `low` and `high` at `confidence`."""

    name: ClassVar[str]
    """What its figures are called in JSON."""
    title: ClassVar[str]
    """What a person reads before it."""

    n: int
    low: float
    high: float
    confidence: float = 0.95

    @property
    @abstractmethod
    def value(self) -> float:
        """The figure itself, of the sample alone."""

    @property
    @abstractmethod
    def brief(self) -> str:
        """The same in a line of 60 cells."""

    @property
    @abstractmethod
    def statement(self) -> str:
        """The same in a sentence that may stand alone."""

    @property
    @abstractmethod
    def facts(self) -> dict[str, Any]:
        """The figures, JSON-able."""

    @property
    def record(self) -> dict[str, Any]:
        """The figures and the sentence, as a manifest and ``--json`` hold them."""
        return self.facts | {"statement": self.statement}

    @property
    def lines(self) -> list[Line]:
        """The lines that a dashboard and a summary show of it."""
        return [Line(self.title, self.brief, self.statement)]
