"""`python -m labeler.worker.child`: a process that reads works from its standard input and writes what came of them.

It ends when its input ends, in the middle of a work as well: nothing here is worth keeping.
"""

from __future__ import annotations

import contextlib
import os
import queue
import sys
import threading
from pathlib import Path
from typing import Any, BinaryIO

from labeler.plugins import custom, registry
from labeler.plugins.encoders.base import Encoder, Portable
from labeler.worker import protocol
from labeler.worker.protocol import Employ, Employed, Undone, Work
from labeler.worker.work import do

LOW_PRIORITY = 15  # the screen's process and all else come first, the worker's own steps among it
FIRST_TO_GO = "500"
"""Points of a thousand by which the kernel prefers a child where memory runs out: it costs the least."""


def serve(replies: BinaryIO, inbox: queue.SimpleQueue[Any]) -> None:
    """Do the works of an inbox, whose first message is :class:`Employ`, one after another, without end."""
    encoder = _employed(inbox.get())
    protocol.write(replies, Employed())
    while True:
        work: Work = inbox.get()
        try:
            part: Any = do(work, encoder)
        except Exception:  # whatever an encoder trips over; it does so in the worker again, which can say it
            part = Undone(work.number)
        protocol.write(replies, part)


def _employed(employ: Employ) -> Encoder | None:
    """The encoder to work with, as it was fitted in the worker."""
    for file in employ.plugins:
        custom.load(Path(file))
    if not employ.encoder:
        return None
    encoder: Encoder = registry.create("encoder", employ.encoder)
    if isinstance(encoder, Portable):
        encoder.take_over({item.name: item.values for item in employ.learned})
    return encoder


def _listen(requests: BinaryIO, inbox: queue.SimpleQueue[Any]) -> None:
    while (message := protocol.read(requests)) is not None:
        inbox.put(message)
    os._exit(0)  # the worker is done with this one, or gone


def main() -> None:
    """Run on standard input and output; prints of libraries go to standard error."""
    replies = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    inbox: queue.SimpleQueue[Any] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(sys.stdin.buffer, inbox), daemon=True).start()
    if hasattr(os, "nice"):
        os.nice(max(0, LOW_PRIORITY - os.nice(0)))
    with contextlib.suppress(OSError):  # Linux has it
        Path("/proc/self/oom_score_adj").write_text(FIRST_TO_GO)
    try:
        serve(replies, inbox)
    finally:
        os._exit(1)  # the reader thread still holds the input; the worker goes on without this one


if __name__ == "__main__":
    main()
