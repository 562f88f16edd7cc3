"""`labeler plugins`: the list of all, without importing them; the parameters of one, with it."""

from __future__ import annotations

import inspect
from dataclasses import dataclass

from labeler.commands.result import Result
from labeler.core.errors import UsageError
from labeler.plugins import registry


@dataclass(frozen=True, slots=True)
class PluginList(Result):
    """Plug-ins as lines, by kind."""

    text: list[str]

    def lines(self) -> list[str]:
        """Return the list as it is."""
        return self.text


def listing() -> PluginList:
    """List every plug-in by kind: name, one line, whose weights, what to install where its extra is missing."""
    lines: list[str] = []
    for kind in registry.KINDS:
        names = registry.names(kind)
        if not names:
            continue
        plural = "strategies" if kind == "strategy" else f"{kind}s"
        lines.append(f"{plural}:")
        width = max(len(name) for name in names)
        for name in names:
            entry = registry.entry(kind, name)
            # looked up without importing it: the list is there in a blink
            missing = "" if entry.available else f"  [pip install '.[{entry.extra}]']"
            weights = f"; weights: {entry.weights}" if entry.weights else ""
            lines.append(f"  {name:<{width}}  {entry.summary}{weights}{missing}")
    return PluginList(lines)


def describe(name: str) -> PluginList:
    """Describe the plug-in(s) called `name`: what, whose weights, parameters and defaults where it is installed.

    Raises
    ------
    UsageError
        Nothing is called that.
    """
    kinds = [kind for kind in registry.KINDS if name in registry.names(kind)]
    if not kinds:
        raise UsageError(f"no plug-in is called {name!r}", "see: labeler plugins")
    parts = []
    for kind in kinds:
        entry = registry.entry(kind, name)
        lines = [f"{kind} {name}: {entry.summary}", *([f"weights: {entry.weights}"] if entry.weights else [])]
        if not entry.available:  # what it is and whose is known without its package, what it takes is not
            parts.append(
                "\n".join([*lines, f"not installed: pip install '.[{entry.extra}]', then this says what it takes"])
            )
            continue
        parameters = registry.parameters(kind, name)
        lines += [f"  {key} = {default!r}" for key, default in parameters.items()] or ["  no parameters"]
        # the docstring is the reference of a plug-in, there is no second text
        documentation = inspect.getdoc(registry.load(kind, name))
        parts.append("\n".join([*lines, "", documentation or ""]).rstrip())
    return PluginList("\n\n".join(parts).split("\n"))
