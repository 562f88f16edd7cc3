"""Old import paths of the rooms that plug-ins and scripts of other people name: each leads to where the room is now."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.machinery import ModuleSpec
from types import ModuleType

ROOMS = {
    f"labeler.{room}": f"labeler.plugins.{room}"
    for room in ("importers", "exporters", "encoders", "clusterers", "classifiers", "query_strategies", "outliers")
} | {"labeler.errors": "labeler.core.errors"}


class Moved:
    """A finder and loader in one: the module under its old name is the very module under its new one."""

    @classmethod
    def find_spec(
        cls, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return how a module of an old name is loaded, None for any other."""
        room = ".".join(name.split(".", 2)[:2])
        return ModuleSpec(name, cls) if room in ROOMS else None  # type: ignore[arg-type]

    @staticmethod
    def create_module(spec: ModuleSpec) -> ModuleType | None:
        """Leave it to the import system: the module made is put aside at once."""
        return None

    @staticmethod
    def exec_module(module: ModuleType) -> None:
        """Put the module of the new name in its place."""
        name = module.__name__
        room = ".".join(name.split(".", 2)[:2])
        sys.modules[name] = import_module(ROOMS[room] + name[len(room) :])


def install() -> None:
    """Let old paths be found; first of all finders, or a submodule would be loaded a second time under its old name."""
    sys.meta_path.insert(0, Moved)
