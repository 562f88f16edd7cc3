"""A child made by fork, so that what it needs is imported already; killed when the time comes."""

from __future__ import annotations

import os
import select
import signal
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass

from labeler.store.store import VARIABLE

PATIENCE = 60.0
_CRASHED = 70


@dataclass(frozen=True)
class Ended:
    """How a child ended: what it said on the side pipe, and whether it was killed, was done or crashed."""

    said: bytes
    was_killed: bool
    trouble: str  # "" or what went wrong with it, apart from being killed


def run_and_kill(
    work: Callable[[int], None], seconds: float | None, after: bytes = b"", number: int = signal.SIGKILL, times: int = 1
) -> Ended:
    """Run `work` (which gets the side pipe's descriptor) in a child of its own and kill it.

    Parameters
    ----------
    seconds
        The child lives that long, counted from the moment it has said `after` on the side pipe so many `times`
        (b"" = from its birth); None = until it is done.
    """
    ours, theirs = os.pipe()
    pid = os.fork()
    if pid == 0:
        _live(work, ours, theirs)
    os.close(theirs)
    said, until = b"", None if after or seconds is None else time.perf_counter() + seconds
    given_up = time.perf_counter() + PATIENCE
    was_killed, is_open, trouble = False, True, ""
    while is_open:
        now = time.perf_counter()
        if until is not None and now >= until and not was_killed:
            os.kill(pid, number)
            was_killed = True
        if now >= given_up:
            os.kill(pid, signal.SIGKILL)
            trouble = f"it hung for {PATIENCE:g} s"
        left = (given_up if until is None or was_killed else until) - now
        if select.select([ours], [], [], max(left, 0.0))[0]:
            piece = os.read(ours, 1 << 16)
            is_open = bool(piece)
            said += piece
            if until is None and seconds is not None and after and said.count(after) >= times:
                until = time.perf_counter() + seconds
    os.close(ours)
    _, status = os.waitpid(pid, 0)
    if os.WIFEXITED(status) and os.WEXITSTATUS(status):
        trouble = said[said.rfind(b"crashed:") :].decode("utf-8", "replace")
    elif os.WIFSIGNALED(status) and os.WTERMSIG(status) != number:
        trouble = trouble or f"it died of signal {os.WTERMSIG(status)}"
    return Ended(said, was_killed, trouble)


def _live(work: Callable[[int], None], ours: int, theirs: int) -> None:
    os.close(ours)
    os.environ[VARIABLE] = str(theirs)
    try:
        work(theirs)
    except BaseException:  # told to whoever waits for us, whatever it is
        os.write(theirs, b"crashed:" + traceback.format_exc().encode())
        os._exit(_CRASHED)
    os._exit(0)
