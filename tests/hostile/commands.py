"""Every command on one project file, in this process: what came of each, and what it cost."""

from __future__ import annotations

import resource
import shutil
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import click
from click.testing import CliRunner

import labeler
from labeler.cli import main
from labeler.core.errors import LabelerError
from labeler.project.open import open_project


@dataclass
class Ended:
    """How a command ended: its code, what it said, and the processor seconds it took; `trouble`: what must not be."""

    command: str
    code: int
    said: str
    seconds: float
    trouble: str = ""


def every_command(path: Path, sound: Path, scratch: Path, only: tuple[str, ...] | None = None) -> Iterator[Ended]:
    """Run all commands (or `only` these), each on a copy of the file at `path`; `sound` is one to merge with."""
    names = _arguments(path, sound, scratch)
    for name in only or (*names, "label", "open"):
        shutil.rmtree(scratch, ignore_errors=True)
        scratch.mkdir()
        copy = scratch / path.name
        shutil.copyfile(path, copy)
        if name == "label":
            yield _measured(name, lambda copy=copy: _opened(copy))
        elif name == "open":
            yield _measured(name, lambda copy=copy: _from_python(copy))
        else:
            yield _measured(name, partial(_run, _arguments(copy, sound, scratch)[name]))


def _arguments(path: Path, sound: Path, scratch: Path) -> dict[str, list[str]]:
    labels = sound.with_name("some.csv")
    labels.write_text("id,label\n00001,3\n")
    project = str(path)
    return {
        "status": ["status", project],
        "why": ["why", project, "00001"],
        "check": ["check", project],
        "replay": ["replay", project],
        "backup": ["backup", project, str(scratch / "copy.labeler.db")],
        "restore": ["restore", project, "--to", str(scratch / "back.labeler.db")],
        "export": ["export", project, str(scratch / "labels.csv")],
        "audit": ["audit", project, "--draw", str(scratch / "draw.csv")],
        "merge": ["merge", project, str(sound), "-o", str(scratch / "both.labeler.db")],
        "search": ["search", project, "--like", "00001"],
        "outliers": ["outliers", project],
        "hunt": ["hunt", project, "--class", "1"],
        "predict": ["predict", project, str(sound.with_name("digits.npz"))],
        "clusters": ["clusters", project],
        "import-labels": ["import-labels", project, str(labels)],
    }


def _run(arguments: list[str]) -> tuple[int, str]:
    result = CliRunner().invoke(main, arguments, standalone_mode=False, obj=time.perf_counter())
    error = result.exception
    if isinstance(error, LabelerError):
        return error.exit_code, _line(error)
    if isinstance(error, click.ClickException):
        return error.exit_code, f"usage: {error.format_message()}"
    if isinstance(error, SystemExit):
        return int(error.code or 0), result.output
    if isinstance(error, click.exceptions.Exit):
        return error.exit_code, result.output
    if error is not None:
        raise error
    return result.exit_code, result.output


def _opened(path: Path) -> tuple[int, str]:
    try:
        with open_project(path) as project:
            project.backed_up = False
            project.view()
            project.session.snapshot()
            project.opening()
            project.summary()
    except LabelerError as error:
        return error.exit_code, _line(error)
    return 0, "opened"


def _from_python(path: Path) -> tuple[int, str]:
    try:
        with labeler.open(path) as opened:
            return 0, repr(opened)
    except LabelerError as error:
        return error.exit_code, _line(error)


def _line(error: LabelerError) -> str:
    assert error.message.strip(), "no line says what is wrong"
    assert "\n" not in error.message, f"several lines: {error.message!r}"
    assert error.hint.strip(), f"no way out is named: {error.message}"
    return f"{error.message} ({error.hint})"


def _measured(name: str, run: Callable[[], tuple[int, str]]) -> Ended:
    began = time.process_time()
    try:
        code, said = run()
        trouble = ""
    except Exception:
        code, said, trouble = -1, "", traceback.format_exc(limit=-4)
    seconds = time.process_time() - began
    if not trouble and code not in (0, 1, 2):
        trouble = f"ended with {code}"
    if not trouble and code == 2 and said.startswith("usage:"):
        trouble = said
    return Ended(name, code, said, seconds, trouble)


def peak_mb() -> int:
    """What this process held at most."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
