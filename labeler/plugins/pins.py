"""Pins: what a plug-in fetches from elsewhere is fixed at its first use, in the spec that a project keeps.

A plug-in whose line in the table names ``pins`` has a method ``pin()``: signs of life, then its spec with every one
of these parameters filled in, by which it is the same everywhere and for good.
"""

from __future__ import annotations

from collections.abc import Generator

from labeler.core.types import Progress
from labeler.plugins import registry


def pinned(kind: str, spec: str) -> Generator[Progress, None, str]:
    """Yield progress; return the spec with all its pins, fetched where one is missing; others as they are.

    Raises
    ------
    LabelerError
        No such plug-in, or what it needs cannot be had.
    """
    if not registry.entry(kind, registry.parse_spec(spec).name).pins:
        return spec
    again: str = yield from registry.create(kind, spec).pin()
    return again


def in_force(kind: str, given: str, stored: str) -> str:
    """Return the spec that holds where `given` was said of what is `stored` already.

    That is the stored one where it says the same, and more only by its pins; else the given one.
    """
    new, before = registry.parse_spec(given), registry.parse_spec(stored)
    pins = _pins(kind, new.name) if new.name == before.name else ()
    same = {key: value for key, value in before.parameters.items() if key in new.parameters or key not in pins}
    return stored if pins and same == new.parameters else given


def is_pin_of(kind: str, spec: str, named: str) -> bool:
    """Whether a spec is what came of the one that was `named`: another by its pins alone (a commit for a branch)."""
    new, before = registry.parse_spec(spec), registry.parse_spec(named)
    pins = _pins(kind, new.name) if new.name == before.name else ()
    free, wanted = ({key: value for key, value in each.parameters.items() if key not in pins} for each in (new, before))
    return bool(pins) and spec != named and free == wanted


def _pins(kind: str, name: str) -> tuple[str, ...]:
    return registry.entry(kind, name).pins if name and registry.knows(kind, name) else ()
