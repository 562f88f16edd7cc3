"""The application's end of the worker: starts it, sends without blocking, hands its replies to a callback."""

from __future__ import annotations

import contextlib
import queue
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from labeler.core.files import sweep
from labeler.worker import protocol
from labeler.worker.protocol import Answered, Failed, Open

RESTARTS = 1  # what kills a worker twice would kill it a third time
PATIENCE = 0.3
"""Seconds that a worker has to see the end of its input."""


class WorkerClient:
    """A worker process and two threads that feed and read its pipes.

    Parameters
    ----------
    opening
        The message that opens the pool; sent again after a restart, as it is by then.
    post
        Called from a reader thread with every reply.
    log
        File that takes the worker's standard error.
    """

    def __init__(self, opening: Open, post: Callable[[Any], None], log: Path) -> None:
        self.opening, self._post, self._log = opening, post, log
        self._outbox: queue.SimpleQueue[Any] = queue.SimpleQueue()
        # queues a message; never blocks
        self.send: Callable[[Any], None] = self._outbox.put
        self._latest: Answered | None = None
        self._restarts_left = RESTARTS
        self._closing = False
        self._deciding = threading.Lock()  # whether a worker that ended has a successor
        self._process: subprocess.Popen[bytes]
        self._launch()
        # so that a pipe nobody reads does not hold up the end
        self._feeder = threading.Thread(target=self._feed, daemon=True)
        self._feeder.start()

    @property
    def pid(self) -> int:
        """Process id of the worker."""
        return self._process.pid

    def close(self) -> None:
        """Let the worker end (it does at the end of its input) and collect it.

        The feeder closes the input, not we: a worker that reads nothing (stopped, or in a long step) keeps it in the
        middle of a write, and a file that is being written cannot be closed without waiting for that.
        """
        with self._deciding:
            self._closing = True
        self._outbox.put(None)
        try:
            self._process.wait(timeout=PATIENCE)
        except subprocess.TimeoutExpired:  # in the middle of a long step; nothing there is worth keeping
            self._process.kill()
            self._process.wait()
        self._feeder.join(PATIENCE)  # what it was writing has no reader any more
        sweep(self._log.parent)

    def _launch(self) -> None:
        with self._log.open("ab") as log:  # added to: why an earlier worker ended stays to be read
            self._process = subprocess.Popen(
                [sys.executable, "-m", "labeler.worker"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                start_new_session=True,  # ctrl+c in the terminal is the application's to handle
            )
        self._outbox.put(self.opening)  # after the assignment: the feeder must not write it to the one that died
        threading.Thread(target=self._read, args=(self._process,), daemon=True).start()

    def _feed(self) -> None:
        opened: subprocess.Popen[bytes] | None = None
        early: list[Any] = []  # came after a worker was started again, before it was told what to open
        while (message := self._outbox.get()) is not None and not self._closing:
            process = self._process
            if isinstance(message, Answered):
                self._latest = message
            parts = [message]
            if isinstance(message, Open):
                # a worker that is started again knows of no answer: it is told the latest
                parts += [*([self._latest] if self._latest is not None else []), *early]
                opened, early = process, []
            elif process is not opened:
                early += [] if isinstance(message, Answered) else parts
                continue
            # a worker that died shows at its output's end; what could not be sent is sent again after the restart
            with contextlib.suppress(OSError, ValueError):
                for part in parts if process.stdin is not None else ():
                    protocol.write(process.stdin, part)  # type: ignore[arg-type]
        with contextlib.suppress(OSError):
            if self._process.stdin is not None:
                self._process.stdin.close()

    def _read(self, process: subprocess.Popen[bytes]) -> None:
        with contextlib.suppress(OSError, ValueError):
            while process.stdout is not None and (reply := protocol.read(process.stdout)) is not None:  # type: ignore[arg-type]
                self._post(reply)
        with self._deciding:
            if self._closing:
                return
            self._succeed(process.wait())

    def _succeed(self, code: int) -> None:
        """Start another worker in place of one that ended with `code`, once."""
        if self._restarts_left:
            self._restarts_left -= 1
            message = f"the worker ended (code {code}) and was started again"
            self._post(Failed(message, f"details: {self._log}", has_ended=True))
            self._launch()
        else:
            message = f"the worker ended again (code {code}): answers are still saved"
            self._post(Failed(message, f"see {self._log}", fatal=True, has_ended=True))
