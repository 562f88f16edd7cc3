"""Label an image set with a few key presses, in the terminal; or from Python, with the names below.

Importing it loads nothing: what a name needs is imported when the name is first used.
"""

from __future__ import annotations

from typing import Any

from labeler._moved import install

__version__ = "0.1.0"

_LIVES_IN = {
    "open": "labeler.api",
    "Labeling": "labeler.api",
    "Arrays": "labeler.api",
    "plugin": "labeler.plugins.custom",
    "register": "labeler.plugins.custom",
    "LabelerError": "labeler.core.errors",
}

install()

__all__ = ["Arrays", "LabelerError", "Labeling", "__version__", "open", "plugin", "register"]


def __getattr__(name: str) -> Any:
    if name not in _LIVES_IN:
        raise AttributeError(f"module 'labeler' has no attribute {name!r}")
    import importlib  # start-up: importing the package loads nothing

    return getattr(importlib.import_module(_LIVES_IN[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
