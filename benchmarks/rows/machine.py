"""The machine, the versions and the load that a table is read with."""

from __future__ import annotations

import datetime
import os
import platform
from importlib import metadata
from pathlib import Path

PACKAGES = (
    *("labeler-tui", "numpy", "scipy", "faiss-cpu", "scikit-learn", "textual", "pillow", "sqlite-utils"),
    *("scikit-activeml", "modAL-python"),
)


def cores() -> int:
    """The number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def cpu_model() -> str:
    """The processor's name; the architecture where the system does not tell more."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def versions() -> str:
    """The versions of Python and of every package a row may rest on."""
    parts = [f"python {platform.python_version()}"]
    for name in PACKAGES:
        try:
            parts.append(f"{name} {metadata.version(name)}")
        except metadata.PackageNotFoundError:
            parts.append(f"{name} not installed")
    return ", ".join(parts)


def moment() -> str:
    """The date and the machine's load now: what stands at each line, taken before it is measured."""
    return f"{datetime.date.today().isoformat()}, load {os.getloadavg()[0]:.1f}"


def described() -> str:
    """One line on the machine and one on the versions."""
    return f"- machine: {cores()} cores, {cpu_model()}, {platform.system()}\n- versions: {versions()}"
