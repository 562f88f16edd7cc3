"""A person's own plug-ins: brought by a call, or by a Python file named with ``--plugin FILE.py``.

A file is run only where the person named it in this very process. A project remembers which file its plug-ins came
from, to say so when it is opened without; it never makes the program run one.
"""

from __future__ import annotations

import hashlib
import inspect
import runpy
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from labeler.core.errors import LabelerError, UsageError
from labeler.core.text import display_safe
from labeler.plugins import registry
from labeler.plugins.adapters import factory_of
from labeler.plugins.builtin import Plugin

Thing = TypeVar("Thing")

_loading: list[str] = []
_loaded: dict[str, str] = {}  # path -> sha256 of what was run


def register(kind: str, name: str, thing: Any, summary: str = "") -> None:
    """Make a class, function or object known as the plug-in `name` of its kind, in this process.

    Raises
    ------
    UsageError
        No such kind, a name that is taken, or it has not the methods of its kind.
    """
    registry.names(kind, installed=False)  # refuses a kind that is none
    first_line = (inspect.getdoc(thing) or "").strip().partition("\n")[0]
    origin = _loading[-1] if _loading else "this process"
    registry.bring(
        Plugin(
            *(kind, name, f"{origin}:{name}", summary or first_line or "your own"),
            endings=tuple(getattr(thing, "endings", ())),
            thing=factory_of(kind, thing),
            origin=origin,
        )
    )


def plugin(kind: str, name: str, summary: str = "") -> Callable[[Thing], Thing]:
    """Decorate a class or function: ``@labeler.plugin("strategy", "ratio")``. Raises as :func:`register`."""

    def decorate(thing: Thing) -> Thing:
        register(kind, name, thing, summary)
        return thing

    return decorate


def load(path: Path) -> None:
    """Run a file of plug-ins, once a process.

    Raises
    ------
    UsageError
        It cannot be read or run, or registers nothing.
    """
    path = path.resolve()
    shown = display_safe(str(path))
    if str(path) in _loaded:
        return
    try:
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise UsageError(f"cannot read the plug-in file {shown}: {error.strerror}", "give a .py file") from error
    # what the file registers while it runs is known to come from it
    _loading.append(str(path))
    try:
        runpy.run_path(str(path), run_name=f"labeler_plugin_{path.stem}")
    except LabelerError:
        raise
    except (Exception, SystemExit) as error:  # whatever a person's own code trips over
        line = display_safe(f"{type(error).__name__}: {error}", 300)
        raise UsageError(f"the plug-in file {shown} cannot be run: {line}", "mend it and try again") from error
    finally:
        _loading.pop()
    if not registry.brought_by(str(path)):
        raise UsageError(
            f"{shown} brings no plug-in", 'decorate a class or function with @labeler.plugin("strategy", "NAME")'
        )
    _loaded[str(path)] = digest


def loaded() -> tuple[str, ...]:
    """The files run in this process, in their order."""
    return tuple(_loaded)


def origin_of(kind: str, spec: str) -> dict[str, str] | None:
    """The file a person's own plug-in came from, for a project to remember; None for all others, and unknown ones."""
    name = registry.parse_spec(spec).name
    if not name or not registry.knows(kind, name):
        return None
    origin = registry.entry(kind, name).origin
    return {"name": name, "origin": origin, "sha256": _loaded.get(origin, "")} if origin else None
