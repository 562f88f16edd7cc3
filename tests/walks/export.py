"""One export, from Python on an open project or as the whole command: run in a process of its own."""

from __future__ import annotations

import contextlib
import io
import sys
from pathlib import Path

import labeler
from tests.walks.walk import Walk


def called(project: Path, target: Path, walk: Walk) -> None:
    """``project.export(target)`` of a project that is open, round and features there."""
    with labeler.open(project) as opened:
        opened.round()
        with walk:
            opened.export(target)


def commanded(project: Path, target: Path, walk: Walk) -> None:
    """``labeler export PROJECT TARGET`` from its first line to its last."""
    sys.argv = ["labeler", "--quiet", "export", str(project), str(target)]
    with walk, contextlib.suppress(SystemExit), contextlib.redirect_stdout(io.StringIO()):
        from labeler.__main__ import main

        main()
