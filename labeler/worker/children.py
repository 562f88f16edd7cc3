"""Children of this process that do its works on all cores: started when it pays, gone when this process is gone.

Each reads its works from a pipe that this process holds: however it ends, the pipe ends, and with it the child.
"""

from __future__ import annotations

import contextlib
import math
import os
import queue
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

from labeler.core.errors import EngineError
from labeler.plugins.encoders.base import Encoder
from labeler.worker import protocol
from labeler.worker.protocol import Employ, Employed, Part, Undone, Work
from labeler.worker.work import do

MOST = 16
"""Children at most: one process reads the files for all of them."""
MEMORY = 150_000_000
"""Bytes that a child takes, without a model: twice its size while it is loaded."""
WORTH = 3.0
"""Seconds of work from which on children pay: to start, each takes half a second of its core."""
AHEAD = 2  # works that a child has: one under way, one waiting, so that it never waits for the next
MOST_BYTES = 64_000_000
"""Of files on the way to children; large photos are read no faster than they are decoded."""
RESTARTS = 1
"""Children that are started in place of others that ended; what ends more of them is not met by more of them."""
WAIT = 0.02
"""Seconds between two signs of life: an answer that comes meanwhile waits no longer."""
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")
_OFFLINE = {"HF_HUB_OFFLINE": "1"}
"""What is downloaded is downloaded once, by the worker: a child that does not find it leaves the work to it."""
_MEMORY = Path("/proc/meminfo")
_QUOTAS = (
    (Path("/sys/fs/cgroup/cpu.max"),),
    (Path("/sys/fs/cgroup/cpu/cpu.cfs_quota_us"), Path("/sys/fs/cgroup/cpu/cpu.cfs_period_us")),
)


def cores() -> int:
    """Return how many cores this process may use: those it is bound to, as far as a container grants them."""
    bound = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(bound, *(_granted(files) for files in _QUOTAS)))


def _granted(files: tuple[Path, ...]) -> int:
    """Cores by the files of a control group (cgroup v2: one, v1: two); many where nothing is limited."""
    try:
        quota, period = " ".join(file.read_text() for file in files).split()
        return max(1, math.ceil(int(quota) / int(period))) if int(quota) > 0 else 1 << 16
    except (OSError, ValueError):  # "max", or no such group
        return 1 << 16


def size_for(seconds: float, threads: int = 1, model: int = 0) -> int:
    """Return how many children work on what one core does in so many seconds: 0 where they do not pay.

    `threads`: cores that each of them takes; `model`: bytes of the model that each of them holds.
    """
    size = min(cores() // max(1, threads), MOST, _free() // (MEMORY + 2 * model))
    return size if size >= 2 and seconds >= WORTH else 0


def _free() -> int:
    """Bytes of memory that are free, where the system says it (Linux); else many."""
    try:
        lines = _MEMORY.read_text().splitlines()
        return next(1024 * int(line.split()[1]) for line in lines if line.startswith("MemAvailable:"))
    except (OSError, ValueError, StopIteration):
        return 1 << 62


class Children:
    """Some children and what they do; use it as a context.

    Parameters
    ----------
    employ
        What each is told first.
    size
        How many; 0 = all is done in this process.
    encoder
        The same encoder here: for works that no child does.
    is_wary
        What ends a child is never done in this process.
    """

    def __init__(self, employ: Employ, size: int, encoder: Encoder | None, *, is_wary: bool = False) -> None:
        self._replies: queue.SimpleQueue[tuple[_Child, Any]] = queue.SimpleQueue()
        self._employ, self._encoder, self._is_wary = employ, encoder, is_wary
        self._code = 0  # of the child that ended last; below 0 a signal ended it
        self._restarts_left = RESTARTS
        self._alive: list[_Child] = []
        self._again: deque[Work] = deque()  # of children that ended
        self._fatal: dict[int, int] = {}  # work -> children that ended while they did it
        self.ended = ""
        """Why there are fewer than there were; "" while all are there."""
        self.grow(size, encoder)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for child in self._alive:
            child.end()
        self._alive = []

    def grow(self, size: int, encoder: Encoder | None) -> None:
        """Let there be as many as `size`, if there were fewer, and the encoder in this process."""
        self._encoder = encoder
        with contextlib.suppress(OSError):  # no more processes are granted: as many as there are, or none
            while len(self._alive) < size:
                self._start()

    def try_out(self) -> Iterator[None]:
        """Yield signs of life until one of them has its encoder, or cannot make it (then this process can say why).

        Raises
        ------
        EngineError
            The encoder ended the child, as it would end this process.
        """
        while self._alive and not any(child.is_employed for child in self._alive):
            self._wait()
            yield None
        if not self._alive:
            self._check_alone()

    def do(self, works: Iterator[Work]) -> Iterator[Part | None]:
        """Do works, in any order; None is a sign of life. `works` are asked for no earlier than there is room for them.

        Raises
        ------
        EngineError
            Two children ended while they did the same work; or none is left, and it `is_wary`.
        """
        left: Work | None = None
        while True:
            while self._has_room() and (left := self._again.popleft() if self._again else next(works, None)):
                self._hand_out(left)
            if self._alive and self._under_way():
                yield self._wait()
            elif self._again or (left := next(works, None)) is not None:
                self._check_alone()
                yield do(self._again.popleft() if self._again else left, self._encoder)  # type: ignore[arg-type]
            else:
                return

    def _start(self) -> None:
        self._alive.append(_Child(self._employ, self._replies))

    def _under_way(self) -> int:
        return sum(len(child.works) for child in self._alive)

    def _has_room(self) -> bool:
        size = sum(work.size for child in self._alive for work in child.works)
        return any(not child.works or (len(child.works) < AHEAD and size < MOST_BYTES) for child in self._alive)

    def _hand_out(self, work: Work) -> None:
        min(self._alive, key=lambda child: len(child.works)).take(work)

    def _wait(self) -> Part | None:
        try:
            child, reply = self._replies.get(timeout=WAIT)
        except queue.Empty:
            return None
        if child not in self._alive:
            return None
        if reply is None:
            self._bury(child)
            return None
        if isinstance(reply, Employed):
            child.is_employed = True
            return None
        work = next(work for work in child.works if work.number == reply.number)
        child.works.remove(work)
        return do(work, self._encoder) if isinstance(reply, Undone) else reply

    def _bury(self, child: _Child) -> None:
        """Start another in place of a child that ended, once, or go on without; what it had to do is done by others."""
        self._alive.remove(child)
        self._code = child.end()
        self.ended = f"a process that helped ended (code {self._code})"
        self._again.extend(child.works)
        if not child.is_employed:  # it never got to work: nor would another
            return
        if child.works:
            number = child.works[0].number
            self._fatal[number] = self._fatal.get(number, 0) + 1
            if self._fatal[number] == 2:  # what ends two of them would end this process as well
                raise EngineError(f"{self.ended}, the second one at the same images", self._hint())
        if self._restarts_left:
            self._restarts_left -= 1
            with contextlib.suppress(OSError):
                self._start()
                self.ended += ", another was started"

    def _check_alone(self) -> None:
        """Refuse to do here what ended the children, unless they ended by themselves: then Python says why."""
        if self._is_wary and (self._code < 0 or not self.ended):
            raise EngineError(self.ended or "no process can be started to try it in", self._hint())

    def _hint(self) -> str:
        if self._encoder is not None:
            return "choose another --encoder"
        return "a file cannot be decoded here: take half of them away, and so on, until it is out"  # files are read


class _Child:
    """A child process, the works it has, and two threads that feed and read its pipes."""

    def __init__(self, employ: Employ, replies: queue.SimpleQueue[tuple[_Child, Any]]) -> None:
        self.works: list[Work] = []
        self.is_employed = False  # whether it came as far as to work
        self._outbox: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "labeler.worker.child"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            # a log takes what a library says, the screen of a command does not
            stderr=subprocess.DEVNULL if sys.stderr is None or sys.stderr.isatty() else None,
            env=os.environ | dict.fromkeys(_THREADS, "1") | _OFFLINE,
            start_new_session=True,  # ctrl+c in the terminal is the command's to handle
        )
        self._outbox.put(employ)
        threading.Thread(target=self._feed, daemon=True).start()
        threading.Thread(target=self._read, args=(replies,), daemon=True).start()

    @property
    def pid(self) -> int:
        """Process id of the child."""
        return self._process.pid

    def take(self, work: Work) -> None:
        """Give it one more to do."""
        self.works.append(work)
        self._outbox.put(work)

    def end(self) -> int:
        """End it, if it has not ended, and return its exit code."""
        self._process.kill()
        self._outbox.put(None)
        return self._process.wait()

    def _feed(self) -> None:
        with contextlib.suppress(OSError, ValueError), self._process.stdin as stream:  # type: ignore[union-attr]
            while (message := self._outbox.get()) is not None:
                protocol.write(stream, message)  # type: ignore[arg-type]

    def _read(self, replies: queue.SimpleQueue[tuple[_Child, Any]]) -> None:
        with contextlib.suppress(OSError, ValueError), self._process.stdout as stream:  # type: ignore[union-attr]
            while (reply := protocol.read(stream)) is not None:  # type: ignore[arg-type]
                replies.put((self, reply))
        replies.put((self, None))
