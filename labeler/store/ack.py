"""Acknowledgements for tests that kill the program: a line a committed event on a side pipe, if a test asks for it."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Callable

from labeler.core.events import Event

VARIABLE = "LABELER_ACK_FD"
"""The descriptor to write to, as a number."""


def acknowledger() -> Callable[[Event], None]:
    """Return what is called with each committed event; it writes ``[seq, event_id, kind, instance_id, class_id]``."""
    named = os.environ.get(VARIABLE, "")
    if not named.isdecimal():
        return lambda event: None
    descriptor = int(named)

    def say(event: Event) -> None:
        line = json.dumps([event.seq, event.event_id, event.kind, event.instance_id, event.class_id])
        with contextlib.suppress(OSError):  # whoever listened is gone
            os.write(descriptor, line.encode() + b"\n")

    return say
