"""Rooms: what stands at the top level of a package. The package's own ``__init__`` is none; it has no floor."""

from __future__ import annotations

from tests.imports.graph import floors
from tests.imports.source import Package, runtime_arrows


def room_of(module: str) -> str:
    """The first part of a module's name without the package's own."""
    return module.partition(".")[0] or "__init__"


def room_arrows(package: Package) -> dict[str, set[str]]:
    """Room -> the other rooms it imports from while the program runs."""
    arrows: dict[str, set[str]] = {room_of(name): set() for name in package.modules if name}
    for module, targets in runtime_arrows(package).items():
        if module:
            ends = {room_of(target) for target in targets if target}
            arrows[room_of(module)] |= ends - {room_of(module)}
    return arrows


def floors_of(package: Package) -> dict[str, int]:
    """Room -> its floor, 1 at the bottom."""
    return floors(room_arrows(package))
