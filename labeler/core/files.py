"""Files and folders while they are made: whole or not there, and swept up when who made them is gone."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

_DRAFT = re.compile(r"\.(\d+)\.draft(?:-journal|-wal|-shm)?$")  # SQLite names its own after the file's


@contextlib.contextmanager
def writing(path: Path) -> Iterator[str]:
    """A draft beside `path`, renamed when complete: a cache entry is whole or not there."""
    path.parent.mkdir(parents=True, exist_ok=True)  # the cache may be deleted at any time
    draft = path.with_name(f".{path.name}.{os.getpid()}.draft")
    try:
        yield str(draft)
        os.replace(draft, path)
    finally:
        draft.unlink(missing_ok=True)


@contextlib.contextmanager
def scratch(cache: Path) -> Iterator[Path]:
    """A folder in `cache` for what is needed for a moment; a process that is killed leaves it to :func:`sweep`."""
    folder = cache / f".early.{os.getpid()}.draft"
    folder.mkdir(parents=True, exist_ok=True)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def sweep(folder: Path, prefix: str = ".") -> None:
    """Remove the drafts (names that begin with `prefix`) of processes that are gone; the others' are theirs."""
    with contextlib.suppress(OSError):
        for path in folder.iterdir():
            match = _DRAFT.search(path.name) if path.name.startswith(prefix) else None
            if match is None or _lives(int(match[1])):
                continue
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        return True
    return True
