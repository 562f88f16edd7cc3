"""A project that is opened on a thread of its own, while the first frame of the application is in sight."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from labeler.core.types import Progress
    from labeler.project.project import Project

PATIENCE = 2.0
"""Seconds that a thread is waited for once nobody wants the project any more; what it does then ends with the process,
as by a kill, which project files survive."""


class Opener:
    """A project that is being opened. A context: at its end the project is closed, whatever became of it.

    Parameters
    ----------
    name
        What is opened, for a person.
    open_project
        Opens it; called once.

    Attributes
    ----------
    project
        The project, once it was taken; None before, and where it cannot be opened.
    error
        The reason why it cannot.
    step
        The last sign of life of what takes longer, such as a model that is fetched.
    began
        When it was begun, by ``time.monotonic()``; 0 before.
    """

    def __init__(self, name: str, open_project: Callable[[], Project]) -> None:
        self.name = name
        self.project: Project | None = None
        self.error: BaseException | None = None
        self.step: Progress | None = None
        self.began = 0.0
        self._project: Project | None = None  # the thread's until it is taken
        self._open = open_project
        self._thread: threading.Thread | None = None
        self._is_left = False

    def begin(self, behind: Callable[[], object], then: Callable[[], object]) -> None:
        """Open it on a thread, which calls `behind` (whatever else is to be loaded) and at last `then`."""
        self.began = time.monotonic()
        # a daemon: a disk that does not answer must not keep the program from ending
        self._thread = threading.Thread(target=self._work, args=(behind, then), name="opener", daemon=True)
        self._thread.start()

    def run(self) -> Project:
        """Open it on the present thread. Raises what :func:`labeler.project.open.open_project` does."""
        self._open_and_prepare()
        return self.take()

    def take(self) -> Project:
        """Return the project, which belongs to the present thread from here on; raises the reason why there is none."""
        if self._thread is not None:
            self._thread.join()
        if self.error is not None:
            raise self.error
        assert self._project is not None  # noqa: S101 - the thread left one of the two
        self._project.adopt()
        self.project = self._project
        return self.project

    def __enter__(self) -> Opener:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        thread = self._thread
        if thread is not None and thread.is_alive():
            self._is_left = True
            _interrupt(thread)
            thread.join(PATIENCE)
            if thread.is_alive():
                return
        if self._project is not None:
            self._project.adopt()
            self._project.close()

    def _work(self, behind: Callable[[], object], then: Callable[[], object]) -> None:
        try:
            self._open_and_prepare()
            behind()
        except BaseException as error:  # noqa: BLE001, RUF100 -- whatever it is: raised by whoever takes the project
            self.error = error
        with contextlib.suppress(RuntimeError):  # the application has ended, and its loop is closed
            then()

    def _open_and_prepare(self) -> None:
        self._project = self._open()
        prepare(self._project, self._note)

    def _note(self, step: Progress) -> None:
        if self._is_left:
            raise KeyboardInterrupt
        self.step = step


def prepare(project: Project, progress: Callable[[Progress], None]) -> None:
    """Say what is missing for labeling before the first question; a model that is to be downloaded is waited for.

    Raises
    ------
    LabelerError
        A part of the engine, or its features, are not here, or a model cannot be had.
    """
    project.recipe()
    project.check_features()
    project.notices += project.missing_views()
    project.pin_encoder(progress)


def _interrupt(thread: threading.Thread) -> None:
    """Raise KeyboardInterrupt in another thread, as ctrl+c does in the main one: what it opened it closes."""
    import ctypes  # start-up: only where somebody leaves before the project is open

    if thread.ident is not None:
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident), ctypes.py_object(KeyboardInterrupt))
