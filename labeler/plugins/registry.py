"""One table: kind -> name -> where it lives. Listing imports nothing; asking for one imports that one.

A plug-in is named on the command line as ``NAME[:key=value,...]``; :func:`parse_spec` splits that and
:func:`create` checks the keys against the plug-in's own keyword parameters, so an unknown key lists the known ones.
"""

from __future__ import annotations

import importlib
import importlib.util
import inspect
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from labeler.core.errors import MissingExtra, UsageError
from labeler.plugins import builtin

KINDS = (
    "encoder",
    "clusterer",
    "classifier",
    "strategy",
    "outlier method",
    "importer",
    "exporter",
)


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the table: where the plug-in lives, what it does, which extra it needs (if any)."""

    target: str  # "module:object"
    summary: str
    extra: str = ""
    requires: tuple[str, ...] = ()  # importable top-level modules of that extra
    thing: Any = None  # the object itself, where it is at hand: a person's own
    origin: str = ""  # who brought it, where it is not the program's own: a file, a package, "this process"

    @property
    def available(self) -> bool:
        """Whether the modules of its extra can be imported (found, not loaded)."""
        return all(importlib.util.find_spec(module) is not None for module in self.requires)


@dataclass(frozen=True, slots=True)
class Spec:
    """A plug-in as a person writes it: ``pca:n_components=40`` is ``Spec("pca", {"n_components": 40})``."""

    name: str
    parameters: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        if not self.parameters:
            return self.name
        return f"{self.name}:{','.join(f'{key}={value}' for key, value in sorted(self.parameters.items()))}"


_TABLE: dict[str, dict[str, Entry]] = {kind: {} for kind in KINDS}
_OWN: dict[str, dict[str, Entry]] = {kind: {} for kind in KINDS}
"""What a person brought into this process."""
GROUP = "labeler."
"""Packages bring plug-ins by entry points in the groups ``labeler.encoder``, ``labeler.outlier_method``, ..."""


def register(kind: str, name: str, target: str, summary: str, extra: str = "", requires: tuple[str, ...] = ()) -> None:
    """Add a plug-in to the table; a name that is taken is replaced only by the same target.

    Raises
    ------
    UsageError
        `kind` is not one of :data:`KINDS`, or `name` already stands for something else.
    """
    table = _table(kind)
    if name in table and table[name].target != target:
        raise UsageError(f"{kind} {name!r} is already registered as {table[name].target}", "choose another name")
    table[name] = Entry(target, summary, extra, requires)


def bring(kind: str, name: str, thing: Any, summary: str, origin: str = "this process") -> None:
    """Add a person's own plug-in, the object itself; one brought before under that name is replaced.

    Raises
    ------
    UsageError
        The name is no name, or one of the program's own plug-ins has it.
    """
    if not name or any(sign in name for sign in ":,= \t\n"):
        raise UsageError(f"{name!r} cannot be the name of a plug-in", "leave out spaces, ':', ',' and '='")
    if name in _table(kind):
        raise UsageError(f"the program has a {kind} {name!r} of its own", "choose another name")
    _OWN[kind][name] = Entry(f"{origin}:{name}", summary, thing=thing, origin=origin)


def names(kind: str, *, installed: bool = True) -> list[str]:
    """The names of one kind, in the order of the table, then what the person and packages brought. Imports nothing.

    Without `installed`, no package is asked: that takes a tenth of a second, once.
    """
    return list(dict.fromkeys([*_table(kind), *_OWN[kind], *(_installed(kind) if installed else ())]))


def entry(kind: str, name: str) -> Entry:
    """The table's line for `name`; a miss names what there is."""
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


def load(kind: str, name: str) -> Any:
    """Import and return the object behind `name` (a class or a function)."""
    line = entry(kind, name)
    if not line.available:
        raise MissingExtra(f"{kind} {name!r}", line.extra)
    if line.thing is not None:
        return line.thing
    module, _, attribute = line.target.partition(":")
    try:
        return getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError) as error:
        if not line.origin:
            raise
        raise UsageError(
            f"{kind} {name!r} of {line.origin} cannot be loaded: {error}", "mend or remove that package"
        ) from error


def parse_spec(text: str) -> Spec:
    """Parse ``NAME[:key=value,...]``; values become int, float, bool or None where they look like one."""
    name, _, rest = text.partition(":")
    parameters: dict[str, Any] = {}
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
    unknown = [key for key in spec.parameters if key not in known]
    if unknown:
        takes = ", ".join(known) or "no parameters"
        raise UsageError(f"{kind} {spec.name!r} has no parameter {unknown[0]!r}", f"it takes: {takes}")
    for key, value in spec.parameters.items():
        if type(known[key]) is int and type(value) is float:
            raise UsageError(
                f"{kind} {spec.name!r} takes a whole number for {key}, not {value}", f"such as {known[key]}"
            )
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
def _installed(kind: str) -> dict[str, Entry]:
    """What installed packages bring, by their entry points; a name of the program's own is not theirs to take."""
    from importlib.metadata import entry_points

    found = {}
    for point in entry_points(group=GROUP + kind.replace(" ", "_")):
        origin = point.dist.name if point.dist is not None else "a package"
        found[point.name] = Entry(point.value, f"from the package {origin}", origin=origin)
    return found


def _table(kind: str) -> dict[str, Entry]:
    if kind not in _TABLE:
        raise UsageError(f"there is no kind of plug-in {kind!r}", f"kinds: {', '.join(KINDS)}")
    return _TABLE[kind]


def _literal(value: str) -> Any:
    constants = {"true": True, "false": False, "none": None}
    if value.lower() in constants:
        return constants[value.lower()]
    for kind in (int, float):
        try:
            return kind(value)
        except ValueError:
            continue
    return value


for _line in builtin.TABLE:
    register(*_line)
for _kind, _name, _target, _summary, _extra, _requires in builtin.OPTIONAL:
    register(_kind, _name, _target, _summary, _extra, _requires)
