"""One table: kind -> name -> where it lives. Listing imports nothing; asking for one imports that one.

A plug-in is named on the command line as ``NAME[:key=value,...]``, one with a subject as
``NAME:SUBJECT[:key=value,...]`` (``hub:ORG/NAME``); :func:`parse_spec` splits that and
:func:`create` checks the keys against the plug-in's own keyword parameters, so an unknown key lists the known ones.
"""

from __future__ import annotations

import importlib
import inspect
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from labeler.core.errors import MissingExtra, UsageError
from labeler.plugins.builtin import TABLE, Plugin

KINDS = ("encoder", "clusterer", "classifier", "strategy", "outlier method", "importer", "exporter")
GROUP = "labeler."
"""Packages bring plug-ins by entry points in the groups ``labeler.encoder``, ``labeler.outlier_method``, ..."""
DIGEST = 40
"""Letters from which on a value is text whatever it looks like: a hash may be of digits alone, or hold a single e."""


@dataclass(frozen=True, slots=True)
class Spec:
    """A plug-in as a person writes it: ``pca:n_components=40`` is ``Spec("pca", {"n_components": 40})``."""

    name: str
    parameters: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        subject = _SUBJECTS.get(self.name, "")
        first = [str(self.parameters[subject])] if subject in self.parameters else []
        rest = [f"{key}={value}" for key, value in sorted(self.parameters.items()) if key != subject]
        return ":".join([self.name, *first, *([",".join(rest)] if rest else [])])


_SUBJECTS = {plugin.name: plugin.subject for plugin in TABLE if plugin.subject}
_TABLE = {kind: {plugin.name: plugin for plugin in TABLE if plugin.kind == kind} for kind in KINDS}
_OWN: dict[str, dict[str, Plugin]] = {kind: {} for kind in KINDS}
"""Brought by a person into this process."""


def bring(plugin: Plugin) -> None:
    """Add a person's own plug-in, with the object itself; one brought before under that name is replaced.

    Raises
    ------
    UsageError
        The name is no name, or one of the program's own plug-ins has it.
    """
    if not plugin.name or any(sign in plugin.name for sign in ":,= \t\n"):
        raise UsageError(f"{plugin.name!r} cannot be the name of a plug-in", "leave out spaces, ':', ',' and '='")
    if plugin.name in _table(plugin.kind):
        raise UsageError(f"the program has a {plugin.kind} {plugin.name!r} of its own", "choose another name")
    _OWN[plugin.kind][plugin.name] = plugin


def names(kind: str, *, installed: bool = True) -> list[str]:
    """The names of one kind, in the order of the table, then what the person and packages brought. Imports nothing.

    Without `installed`, no package is asked: that takes a tenth of a second, once.
    """
    return list(dict.fromkeys([*_table(kind), *_OWN[kind], *(_installed(kind) if installed else ())]))


def entry(kind: str, name: str) -> Plugin:
    """Return the line of `name`; a miss names what there is."""
    known = _table(kind).get(name) or _OWN[kind].get(name) or _installed(kind).get(name)
    if known is None:
        there = ", ".join(names(kind)) or "none yet"
        raise UsageError(f"no {kind} is called {name!r}", f"there are: {there}; your own: --plugin FILE.py")
    return known


def brought_by(origin: str) -> list[str]:
    """The names of what one file, or this process, brought."""
    return [name for own in _OWN.values() for name, entry in own.items() if entry.origin == origin]


def knows(kind: str, name: str) -> bool:
    """Whether there is such a plug-in. Imports nothing."""
    return name in names(kind, installed=False) or name in _installed(kind)


def missing_extra(kind: str, spec: str) -> str:
    """Return the extra that the plug-in of a spec needs and that is not installed; "" for all others, any text too."""
    name = spec.partition(":")[0]
    if not name or not knows(kind, name) or (line := entry(kind, name)).available:
        return ""
    return line.extra


def load(kind: str, name: str) -> Any:
    """Import and return the object behind `name` (a class or a function)."""
    line = entry(kind, name)
    if not line.available:
        raise MissingExtra(f"{kind} {name!r}", line.extra)
    if line.thing is not None:
        return line.thing
    module, _, attribute = line.target.partition(":")
    try:
        return getattr(importlib.import_module(module if line.origin else f"labeler.plugins.{module}"), attribute)
    except (ImportError, AttributeError) as error:
        if not line.origin:
            raise
        raise UsageError(
            f"{kind} {name!r} of {line.origin} cannot be loaded: {error}", "mend or remove that package"
        ) from error


def parse_spec(text: str) -> Spec:
    """Parse ``NAME[:SUBJECT][:key=value,...]``; values become int, float, bool or None where they look like one."""
    name, _, rest = text.partition(":")
    parameters: dict[str, Any] = {}
    subject = _SUBJECTS.get(name.strip(), "")
    first, _, others = rest.partition(":")
    if subject and first and "=" not in first:
        parameters[subject], rest = first.strip(), others
    for part in filter(None, rest.split(",")):
        key, sign, value = part.partition("=")
        if not sign:
            raise UsageError(f"{part!r} in {text!r} is not key=value", "write NAME:key=value,key=value")
        parameters[key.strip()] = _literal(value.strip())
    return Spec(name.strip(), parameters)


def create(kind: str, spec: Spec | str, **defaults: Any) -> Any:
    """Make the plug-in of `spec`; `defaults` are passed where its signature takes them and `spec` does not.

    Raises
    ------
    UsageError
        Unknown name (the message lists the known ones), unknown or unusable parameter.
    MissingExtra
        The plug-in's optional package is not installed.
    """
    if isinstance(spec, str):
        spec = parse_spec(spec)
    factory = load(kind, spec.name)
    known = parameters(kind, spec.name)
    for key, value in spec.parameters.items():
        if key not in known:
            takes = ", ".join(known) or "no parameters"
            raise UsageError(f"{kind} {spec.name!r} has no parameter {key!r}", f"it takes: {takes}")
        # exactly these types: to isinstance() a default of True would be a whole number
        if type(known[key]) is int and type(value) is float:
            raise UsageError(
                f"{kind} {spec.name!r} takes a whole number for {key}, not {value}", f"such as {known[key]}"
            )
    # what the person wrote goes before what the program would pass
    arguments = {key: value for key, value in defaults.items() if key in known} | spec.parameters
    try:
        return factory(**arguments)
    except (TypeError, ValueError) as error:
        raise UsageError(f"{kind} {spec}: {error}", f"see: labeler plugins {spec.name}") from error


def parameters(kind: str, name: str) -> dict[str, Any]:
    """Parameter name -> default of a plug-in's constructor."""
    signature = inspect.signature(load(kind, name))
    return {key: parameter.default for key, parameter in signature.parameters.items()}


@cache
def _installed(kind: str) -> dict[str, Plugin]:
    """The plug-ins of installed packages, by their entry points; a name of the program's own is not theirs to take."""
    from importlib.metadata import entry_points  # start-up: 25 ms, and a listing of our own asks no package

    plugins = {}
    for point in entry_points(group=GROUP + kind.replace(" ", "_")):
        origin = point.dist.name if point.dist is not None else "a package"
        plugins[point.name] = Plugin(kind, point.name, point.value, f"from the package {origin}", origin=origin)
    return plugins


def _table(kind: str) -> dict[str, Plugin]:
    if kind not in _TABLE:
        raise UsageError(f"there is no kind of plug-in {kind!r}", f"kinds: {', '.join(KINDS)}")
    return _TABLE[kind]


def _literal(value: str) -> Any:
    constants = {"true": True, "false": False, "none": None}
    if value.lower() in constants:
        return constants[value.lower()]
    if len(value) >= DIGEST:
        return value
    # whole numbers first: every one of them is a float, too
    for number in (int, float):
        try:
            return number(value)
        except ValueError:
            continue
    return value
