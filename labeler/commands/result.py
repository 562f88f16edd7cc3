"""The outcome of a command: one record, printed as lines for a person or as one JSON object for a program."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any


class Result:
    """The base of what a command returns. A result is a frozen dataclass that says its own lines.

    Nothing here prints: the command line does (``labeler/cli/output.py``).
    """

    __slots__ = ()

    def lines(self) -> list[str]:
        """Return the answer for a person, safe to show on a terminal."""
        raise NotImplementedError

    def to_json(self) -> dict[str, Any]:
        """Return the answer as one JSON-able object: the fields by name, unless a result says otherwise."""
        from labeler.core.codec import encode  # start-up: numpy, which a command that lists plug-ins does not need

        return encode(self, {})

    def warnings(self) -> Sequence[str]:
        """Return the notes beside the answer; they go to standard error, so that the answer can be piped."""
        return ()

    def is_success(self) -> bool:
        """Return whether the outcome is the one hoped for; where it is not, the exit code is 1."""
        return True


@dataclass(frozen=True, slots=True)
class Message(Result):
    """Lines that are the answer already, with notes beside them; `facts` is the same for a program."""

    text: Sequence[str]
    notes: Sequence[str] = ()
    facts: dict[str, Any] = field(default_factory=dict)

    def lines(self) -> list[str]:
        """Return the lines as they are."""
        return list(self.text)

    def to_json(self) -> dict[str, Any]:
        """Return the facts as they are."""
        return self.facts

    def warnings(self) -> Sequence[str]:
        """Return the notes."""
        return self.notes
