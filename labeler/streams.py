"""Standard error for ourselves: libraries written in C (libtiff, libjpeg) print to it what they think of a broken file.

The screen is drawn on standard error and the commands narrate there. What a stranger's file makes a library print has
no place in either; the file's own line is said by the importer.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def own_stderr() -> Iterator[None]:
    """Python's standard error goes on as before; what else is written to file descriptor 2 meanwhile goes nowhere."""
    before, real = sys.stderr, sys.__stderr__
    try:
        shared = real is not None and real.fileno() == 2
    except (OSError, ValueError):  # closed, or no file at all
        shared = False
    if real is None or not shared:  # ours already, or somebody else has taken care of it
        yield
        return
    real.flush()
    kept = os.dup(2)
    ours = open(kept, "w", encoding=real.encoding, errors=real.errors, buffering=1)  # noqa: SIM115
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    os.close(nowhere)
    sys.__stderr__ = ours  # type: ignore[misc]
    if before is real:
        sys.stderr = ours
    try:
        yield
    finally:
        sys.stderr, sys.__stderr__ = before, real  # type: ignore[misc]
        os.dup2(kept, 2)
        ours.close()
