"""The executors that do shards: this process, a pool of processes, a Dask cluster. All are `concurrent.futures`'.

Nothing here schedules: a pool and a cluster do that, and a cluster retries what a lost worker had to do.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from contextlib import contextmanager
from importlib.util import find_spec
from multiprocessing import connection
from typing import Any, Protocol

from labeler.core.errors import EngineError, MissingExtra, UsageError
from labeler.core.text import counted, display_safe

PROCESSES, DASK = "processes", "dask://"
RESTARTS = 2
"""Times that a pool is begun anew after one of its processes ended."""
RETRIES = 2
"""Times that a shard which failed is done again; a cluster does that by itself, and where a worker was lost as often as
Dask is set to."""
AHEAD = 2
"""Shards that are handed out for each that is worked on."""
TIMEOUT, WORKERS_TIMEOUT = 10, 30
"""Seconds that a scheduler is waited for, and then its first worker: one that was lost is replaced by then."""
_HINT = "give --executor processes, processes:N or dask://HOST:PORT"


class Workers(Protocol):
    """Whoever does shards."""

    name: str
    at_once: int  # shards that are handed out at most: the next one is there when one is done
    retries: int  # times that one which failed is handed out again

    def submit(self, work: Callable[[Any], Any], argument: Any) -> Future[Any]:
        """Have some work done. Raises BrokenExecutor where :meth:`restart` is to come first."""
        ...

    def restart(self) -> None:
        """Begin anew after workers were lost; raises EngineError where that was done often enough."""
        ...

    def close(self) -> None:
        """End whoever works, at once."""
        ...


class Alone(Executor):
    """This process: does what is submitted at once, and is done then."""

    name, at_once, retries = "this process", 1, RETRIES

    def submit(self, work: Callable[..., Any], /, *arguments: Any, **named: Any) -> Future[Any]:
        """Do the work, and return what came of it."""
        future: Future[Any] = Future()
        try:
            future.set_result(work(*arguments, **named))
        except Exception as error:
            future.set_exception(error)
        return future

    def restart(self) -> None:
        """Raise EngineError: this process is never lost."""
        raise EngineError("this process cannot be begun anew")

    def close(self) -> None:
        """Do nothing."""


class Pool:
    """Processes of this machine."""

    def __init__(self, size: int) -> None:
        self._size, self.name = size, counted(size, "process", "processes")
        self.at_once, self.retries = AHEAD * size, RETRIES
        self._restarts_left = RESTARTS
        self._pool = self._begun()

    def _begun(self) -> ProcessPoolExecutor:
        # never forked: a process with threads of numeric libraries is not safe to copy
        context = multiprocessing.get_context("spawn")
        return ProcessPoolExecutor(self._size, context, initializer=_end_with_parent)

    def submit(self, work: Callable[[Any], Any], argument: Any) -> Future[Any]:
        """Have some work done; raises BrokenProcessPool."""
        # processes are started here, and inherit what is blocked: ctrl+c is the command's to handle
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            return self._pool.submit(work, argument)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)

    def restart(self) -> None:
        """Begin a new pool in place of a broken one."""
        self.close()
        if not self._restarts_left:
            what = f"processes that compute features ended {RESTARTS + 1} times, without saying why"
            hint = "is there enough memory? The same command goes on from here; --executor processes:1 takes the least"
            raise EngineError(what, hint)
        self._restarts_left -= 1
        self._pool = self._begun()

    def close(self) -> None:
        """End the processes: a shard that is not done is done again the next time."""
        # what Python 3.14 has as kill_workers(); copied, as its own thread removes those that end
        for process in list((self._pool._processes or {}).values()):
            process.kill()
        self._pool.shutdown(wait=False, cancel_futures=True)


def _end_with_parent() -> None:
    """Have this process end when the one that began it does: a pool's own would wait for work for ever."""
    parent = multiprocessing.parent_process()
    if parent is None:
        return
    sentinel = parent.sentinel

    def watch() -> None:
        connection.wait([sentinel])
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


class Cluster:
    """A Dask cluster, whose scheduler is at an address."""

    def __init__(self, address: str) -> None:
        if find_spec("distributed") is None:
            raise MissingExtra(f"--executor {DASK}", "dask")
        from distributed import Client  # an extra

        try:
            self._client = Client(f"tcp://{address}", timeout=TIMEOUT, set_as_default=False)
            self._executor = self._client.get_executor(pure=False, retries=RETRIES)
        except (OSError, ValueError) as error:
            what = f"there is no Dask scheduler at {display_safe(address)}: {display_safe(str(error), 100)}"
            raise UsageError(what, "start one: dask scheduler, then on each machine: dask worker HOST:8786") from error
        try:
            self._client.wait_for_workers(1, timeout=WORKERS_TIMEOUT)
        except TimeoutError:
            self.close()
            what = f"the Dask scheduler at {display_safe(address)} has no workers"
            raise UsageError(what, f"start some, on each machine: dask worker {display_safe(address)}") from None
        n_threads = sum(self._client.nthreads().values())
        self.name = f"{counted(n_threads, 'thread')} of the Dask cluster at {address}"
        self.at_once, self.retries = AHEAD * n_threads, 0

    def submit(self, work: Callable[[Any], Any], argument: Any) -> Future[Any]:
        """Have some work done."""
        future: Future[Any] = self._executor.submit(work, argument)
        return future

    def restart(self) -> None:
        """Raise EngineError: a cluster looks after its workers by itself."""
        raise EngineError("the connection to the cluster broke", "the same command goes on from here")

    def close(self) -> None:
        """Let go of what is not done, and of the cluster, which stays."""
        executor = getattr(self, "_executor", None)
        if executor is not None:
            executor.shutdown(wait=False)
        self._client.close()


@contextmanager
def workers_of(executor: str) -> Iterator[Workers]:
    """Yield who does shards, by name.

    Raises
    ------
    UsageError
        No such executor, or a cluster that is not there.
    MissingExtra
        Dask is not installed.
    """
    workers = _workers_of(executor)
    try:
        yield workers
    finally:
        workers.close()


def _workers_of(executor: str) -> Workers:
    if executor.startswith(DASK):
        address = executor.removeprefix(DASK)
        if not address.rpartition(":")[2].isdigit():
            raise UsageError(f"{display_safe(executor)} names no port", _HINT)
        return Cluster(address)
    name, _, number = executor.partition(":")
    if name != PROCESSES or (number and not (number.isdigit() and int(number) > 0)):
        raise UsageError(f"no executor is called {display_safe(executor)!r}", _HINT)
    return Pool(int(number) if number else n_cores())


def n_cores() -> int:
    """Return the number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
