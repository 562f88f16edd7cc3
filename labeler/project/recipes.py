"""The recipe of a project's engine, by the options in force."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from labeler.core.errors import ProjectError
from labeler.core.recipe import PARTS, RECOMPUTES, Recipe
from labeler.core.text import display_safe
from labeler.plugins import custom, registry

DEFAULT_SEED = 0


def recipe_of(source: Path, cache: Path, options: dict[str, Any], own: dict[str, Any]) -> Recipe:
    """Return what makes the engine of a source; `own`: where a project had its person's own plug-ins from, by kind.

    Raises
    ------
    ProjectError
        The project names a plug-in that is not here.
    """
    _check_own(options, own)
    chosen = {name: options[name] for name in RECOMPUTES if options.get(name) is not None}
    return Recipe(source=str(source), cache=str(cache), plugins=custom.loaded(), **{"seed": DEFAULT_SEED, **chosen})


def _check_own(options: dict[str, Any], own: dict[str, Any]) -> None:
    """A person's own plug-ins are never run because a project names them: the person must, each time."""
    for kind in PARTS:
        name = registry.parse_spec(options.get(kind) or "").name
        if not name or registry.knows(kind, name):
            continue
        record = own.get(kind, {})
        came_from = record.get("origin", "") if record.get("name") == name else ""
        shown = display_safe(came_from) or "FILE.py"
        raise ProjectError(
            f"this project uses the {kind} {display_safe(name)}"
            + (f" of {shown}, which is not run unasked" if came_from.endswith(".py") else ", which is not here"),
            f"look at the file, then add --plugin {shown}; or choose another one with --{kind}",
        )
