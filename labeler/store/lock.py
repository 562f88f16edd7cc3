"""One writer a project: an flock beside the project file, freed by the kernel when its holder dies."""

from __future__ import annotations

import fcntl
import os
import socket
from pathlib import Path

from labeler.errors import ProjectBusy, ProjectError


class ProjectLock:
    """Held while a project is open for writing; pid and host in it are for the message only.

    A file of its own, because closing any descriptor of the database file would drop SQLite's own locks.
    """

    def __init__(self, project: Path) -> None:
        self.path = project.with_name(project.name + ".lock")
        self._project = project
        self._descriptor: int | None = None

    def acquire(self) -> None:
        """Take the lock or say who holds it.

        Raises
        ------
        ProjectBusy
            Another process has the project open.
        ProjectError
            The lock file cannot be written.
        """
        while True:
            try:
                descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
            except OSError as error:
                raise ProjectError(
                    f"cannot write beside the project file {self._project}: {error.strerror}",
                    "choose a writable place with -p PROJECT",
                ) from error
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                holder = os.pread(descriptor, 200, 0).decode("utf-8", "replace").strip() or "another process"
                os.close(descriptor)
                raise ProjectBusy(
                    f"{self._project} is open in {holder}",
                    "close it there first, or label into another file: labeler label SOURCE -p PROJECT",
                ) from None
            if self._is_current(descriptor):
                break
            os.close(descriptor)  # its last holder removed the file between our open and our lock: again
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"process {os.getpid()} on {socket.gethostname()}".encode(), 0)
        self._descriptor = descriptor

    def release(self) -> None:
        """Let go and leave no file behind."""
        if self._descriptor is not None:
            self.path.unlink(missing_ok=True)  # while still held, so nobody's fresh lock is removed
            os.close(self._descriptor)
            self._descriptor = None

    def _is_current(self, descriptor: int) -> bool:
        try:
            return os.path.samestat(os.fstat(descriptor), os.stat(self.path))
        except FileNotFoundError:
            return False


def holder(project: Path) -> str:
    """Who has a project open for writing ("process 12 on host"); "" where nobody has."""
    try:
        descriptor = os.open(project.with_name(project.name + ".lock"), os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return ""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return os.pread(descriptor, 200, 0).decode("utf-8", "replace").strip() or "another process"
    finally:
        os.close(descriptor)
    return ""
