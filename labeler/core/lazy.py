"""Modules that are loaded when they are first used.

The command line names what a command does at the head of a file and still shows ``--help`` before numpy is there; the
application draws its first frame so.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from types import ModuleType
from typing import Any


def submodules(package: str) -> Callable[[str], ModuleType]:
    """Return the ``__getattr__`` of a package (PEP 562) that imports its modules by name, as they are asked for."""

    def load(name: str) -> ModuleType:
        module = f"{package}.{name}"
        try:
            return importlib.import_module(module)
        except ModuleNotFoundError as error:
            if error.name != module:  # the module is there; something that it imports is not
                raise
        raise AttributeError(f"module {package!r} has no attribute {name!r}")

    return load


class Later:
    """Stands for a module, which is imported when it is first asked for one of its names; it holds those from then on.

    Parameters
    ----------
    module
        Its whole name.
    """

    def __init__(self, module: str) -> None:
        self._module = module

    def __getattr__(self, name: str) -> Any:
        value = vars(self)[name] = getattr(importlib.import_module(self._module), name)
        return value
