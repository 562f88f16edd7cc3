"""Further views of a pool of photos, prepared behind the person: each is encoded, then joins the engine."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import replace
from pathlib import Path

from labeler.core.errors import LabelerError
from labeler.core.protocols import Engine
from labeler.core.types import Progress
from labeler.plugins.importers.base import Source
from labeler.worker.features import Prepared, encode_again

FAILURES = (LabelerError, OSError, MemoryError)
"""What leaves a view out that nobody chose: it does not work on this machine, or there is no room for it. All else is a
mistake of the program's own."""


class FurtherViews:
    """Some ways to look at a prepared pool beside the first one, in the order in which they join its engine.

    `wanted`: encoders, and whether each may come to lead. To encode may take minutes and touches nothing but the cache,
    so that anything may be done between two of its steps; to join is a job of the engine like any other.
    Nobody chose them: one that does not work here (a library that cannot be loaded, weights that are not the right
    ones) is left out, and said.
    """

    def __init__(
        self, source: Source, ids: Sequence[str], cache: Path, prepared: Prepared, wanted: Sequence[tuple[str, bool]]
    ) -> None:
        self._source, self._ids, self._cache, self._prepared = source, ids, cache, prepared
        self._wanted = list(wanted)
        self._encoded: list[Prepared] = []
        self._encoding: Generator[Progress, None, None] | None = None
        self._n_joined = 0
        self.leaders: list[Prepared] = []
        """Those that may lead, as they joined."""
        self.left_out: dict[str, str] = {}
        """Those that do not work here, and why."""
        self._n_news = 0

    @property
    def are_any(self) -> bool:
        """Whether there is any to join."""
        return bool(self._wanted)

    @property
    def are_encoded(self) -> bool:
        """Whether none is left to encode."""
        return len(self._encoded) == len(self._wanted)

    def encode(self) -> Generator[Progress, None, None]:
        """Yield signs of life until the next one is encoded; who asks while that is under way goes on with it."""
        if self.are_encoded:
            return
        self._encoding = self._encoding or self._encode_next()
        for step in self._encoding:  # noqa: UP028 - who turns away must not end it for others, as `yield from` would
            yield step

    def _encode_next(self) -> Generator[Progress, None, None]:
        place = len(self._encoded)
        spec, _ = self._wanted[place]
        try:
            features = yield from encode_again(
                self._source, self._ids, self._cache, self._prepared, spec, is_optional=True
            )
            self._encoded.append(replace(self._prepared, encoder=spec, features=features, path=""))
        except FAILURES as error:
            self._leave_out(place, error)
        finally:
            self._encoding = None

    def _leave_out(self, place: int, error: Exception) -> None:
        spec, _ = self._wanted.pop(place)
        self.left_out[spec] = _reason(error)

    def notes(self) -> list[str]:
        """Return a line for each view that is left out."""
        return [f"{spec} is left out, it does not work here: {why}" for spec, why in self.left_out.items()]

    def news(self) -> list[str]:
        """Return those of the notes that were not returned here before."""
        before, notes = self._n_news, self.notes()
        self._n_news = len(notes)
        return notes[before:]

    def join(self, engine: Engine) -> Generator[Progress, None, bool]:
        """Yield signs of life; let those that are encoded join the engine. Returns whether one did."""
        before = self._n_joined
        while self._n_joined < len(self._encoded):
            view, (_, may_lead) = self._encoded[self._n_joined], self._wanted[self._n_joined]
            try:
                yield from engine.join(view.features, may_lead=may_lead)
            except FAILURES as error:
                del self._encoded[self._n_joined]
                self._leave_out(self._n_joined, error)
                continue
            self._n_joined += 1
            if may_lead:
                self.leaders.append(view)
        return self._n_joined > before

    def encode_and_join(self, engine: Engine) -> Generator[Progress, None, bool]:
        """Yield signs of life until all of them have joined the engine. Returns whether one did now."""
        while not self.are_encoded:
            yield from self.encode()
        return (yield from self.join(engine))


def _reason(error: Exception) -> str:
    """Return in one line what an error says is wrong."""
    if isinstance(error, LabelerError):
        return error.message
    if isinstance(error, MemoryError):
        return "there is not enough memory"
    return (error.strerror if isinstance(error, OSError) else "") or type(error).__name__
