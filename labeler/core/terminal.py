"""The terminal as it is, and standard error for ourselves.

Libraries written in C (libtiff, libjpeg) print to it what they think of a broken file.

The screen is drawn on standard error and the commands narrate there. What a stranger's file makes a library print has
no place in either; the file's own line is said by the importer.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

SIZE = ("COLUMNS", "LINES")
"""What a shell may have exported of the size of another terminal, or of this one before it was resized."""


@contextmanager
def own_size() -> Iterator[None]:
    """The terminal that is drawn on is asked for its size meanwhile: neither the environment nor a redirected standard
    output speak of it. A front end that brings its own driver is left alone."""
    if os.environ.get("TEXTUAL_DRIVER"):
        yield
        return
    sizes = {name: os.environ.pop(name) for name in SIZE if name in os.environ}
    output = sys.__stdout__
    if sys.__stderr__ is not None and sys.__stderr__.isatty() and not (output is not None and output.isatty()):
        sys.__stdout__ = sys.__stderr__  # type: ignore[misc]
    try:
        yield
    finally:
        sys.__stdout__ = output  # type: ignore[misc]
        os.environ.update(sizes)


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
    real_descriptor = os.dup(2)
    # line by line, as standard error is: what is said must not wait for a full buffer
    ours = open(real_descriptor, "w", encoding=real.encoding, errors=real.errors, buffering=1)  # noqa: SIM115
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
        os.dup2(real_descriptor, 2)
        ours.close()
