"""Profiles in one line: which packages and functions take a process's own time."""

from __future__ import annotations

import pstats
import re
from collections import Counter
from pathlib import Path
from typing import Any

_OF_C = re.compile(r"(?: of '|built-in method )_?([A-Za-z][A-Za-z0-9_]*)\.")
"""The module in the name of a function that is written in C."""

_WAITS = re.compile(r"poll|wait|select|sleep|'acquire' of|'join' of '_thread")
"""Functions of a thread that waits: cProfile counts the clock, not the processor."""


def summary(path: Path, packages: int = 4, functions: int = 4) -> str:
    """The shares of own time in a file of cProfile, by package and by function."""
    stats: dict[tuple[str, int, str], Any] = pstats.Stats(str(path)).stats  # type: ignore[attr-defined]
    own = {place: figures[2] for place, figures in stats.items() if not _WAITS.search(place[2])}
    total = sum(own.values()) or 1.0
    by_package: Counter[str] = Counter()
    for (file, _, function), seconds in own.items():
        by_package[package_of(file, function)] += seconds
    shares = ", ".join(f"{name} {seconds / total:.0%}" for name, seconds in by_package.most_common(packages))
    largest = sorted(own, key=lambda place: -own[place])[:functions]
    named = ", ".join(f"{name_of(*place)} {own[place] / total:.0%}" for place in largest)
    return f"{total:.1f} s of own time: {shares}; {named}"


def within(path: Path, package: str, functions: int = 8) -> str:
    """The functions of a package that take longest with all that they call, in a file of cProfile."""
    stats: dict[tuple[str, int, str], Any] = pstats.Stats(str(path)).stats  # type: ignore[attr-defined]
    whole = {place: figures[3] for place, figures in stats.items() if package_of(place[0], place[2]) == package}
    largest = sorted(whole, key=lambda place: -whole[place])[:functions]
    return "with what they call: " + ", ".join(f"{name_of(*place)} {whole[place]:.2f} s" for place in largest)


def package_of(file: str, function: str) -> str:
    """The package that a function of a profile belongs to; for what is written in C, what it is called."""
    if file.startswith("<frozen importlib"):
        return "importing"
    if file in ("~", ""):
        if "marshal" in function:
            return "importing"
        module = _OF_C.search(function)
        return module[1] if module else "python itself"
    parts = Path(file).parts
    if "site-packages" in parts:
        return parts[parts.index("site-packages") + 1].removesuffix(".py")
    if "labeler" in parts:
        return "labeler"
    return "python's library"


def name_of(file: str, line: int, function: str) -> str:
    """A function of a profile in a few letters."""
    if file in ("~", ""):
        return re.sub(r"<built-in method |<method |>| objects", "", function)
    return f"{Path(file).stem}.{function}"
