"""No look at a database, its log or its index takes the locks away that a connection of this process holds."""

from __future__ import annotations

import fcntl
import os
import sqlite3
import struct
import subprocess
import sys
from contextlib import closing

import pytest

import labeler
from labeler.commands.check import check
from labeler.core import descriptors
from labeler.core.errors import ProjectBusy
from labeler.core.events import Event, Flag
from labeler.plugins.exporters.earlier_export import is_of_a_project
from labeler.plugins.importers.folder import FolderImporter
from labeler.project import backups
from labeler.project.paths import is_project
from labeler.store.inspect import inspect
from labeler.store.lock import holder
from labeler.store.store import Store

LOCKS = """
import fcntl, os, struct, sys
def held(path, start, length):
    if not os.path.exists(path):
        return False
    file = os.open(path, os.O_RDWR)
    flock = struct.pack("hhqqi4x", fcntl.F_WRLCK, os.SEEK_SET, start, length, 0)
    kind = struct.unpack("hhqqi4x", fcntl.fcntl(file, fcntl.F_GETLK, flock))[0]
    return kind != fcntl.F_UNLCK
# SQLite's shared bytes of a database, and the byte of an index that says that somebody has it mapped
print(held(sys.argv[1], 0x40000002, 510), held(sys.argv[1] + "-shm", 128, 1))
"""


def locks_of(path):
    """(a lock on the database, a lock on the index of its log) as another process sees them."""
    done = subprocess.run([sys.executable, "-c", LOCKS, path], capture_output=True, text=True, check=True)
    return done.stdout.split()


@pytest.fixture
def path(tmp_path):
    return tmp_path / "pool.labeler.db"


def looked_at_by_an_export(path):
    """By a name that does not tell that it is a project: an export looks at how the file begins."""
    plain = path.with_name("labels.csv")
    plain.hardlink_to(path)
    assert is_of_a_project(plain)


def linked_to_as_an_image(path):
    """A pool of links, one of which leads to the project: it is read as an image would be."""
    pool = path.with_name("pool")
    pool.mkdir()
    (pool / "soft.png").symlink_to(path)
    (pool / "hard.png").hardlink_to(path)
    source = FolderImporter().open(pool)
    assert [source.content_bytes(row)[:6] for row in range(2)] == [b"SQLite", b"SQLite"]


def refused(path):
    with pytest.raises(ProjectBusy):
        Store.open(path)


def read_twice(path):
    for _ in range(2):
        with closing(Store.open(path, read_only=True)) as store:
            list(store.replay())


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the layout of struct flock is Linux's")
@pytest.mark.parametrize(
    "look",
    [
        read_twice,
        linked_to_as_an_image,
        check,
        inspect,
        holder,
        is_project,
        backups.back_up,
        refused,
        descriptors.read,
        looked_at_by_an_export,
    ],
    ids=lambda look: look.__name__,
)
def test_the_locks_of_a_writer_outlive_every_look_of_its_own_process(path, look):
    store = Store.open(path, create=True)
    store.join_instances(["a"], 0.0)
    store.append(Event("e0", Flag("a"), 0.0))
    assert locks_of(path) == ["True", "True"]
    look(path)
    assert locks_of(path) == ["True", "True"]
    store.append(Event("e1", Flag("a"), 1.0))
    store.close()
    assert locks_of(path)[0] == "False"


@pytest.mark.slow
def test_a_project_opened_twice_loses_nothing_to_another_program_of_sqlites(few_digits, path):
    with labeler.open(few_digits, path, classes=["one"]) as writing:
        for number in range(30):
            writing.answer("one")
            if number % 10 == 3:
                Store.open(path, read_only=True).close()
                subprocess.run(
                    [sys.executable, "-c", "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]);"
                     "c.execute('SELECT * FROM events').fetchall(); c.close()", path],
                    check=True,
                )  # fmt: skip
    with closing(sqlite3.connect(path)) as other:
        assert other.execute("SELECT COUNT(*) FROM events WHERE kind = 'label'").fetchone() == (30,)


def test_what_is_parked_is_used_again_and_closed_with_the_last_connection(path):
    stores = [Store.open(path, create=True), Store.open(path, read_only=True)]
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(100):
        descriptors.read(path, 16)
        is_project(path)
        holder(path)
    assert len(os.listdir("/proc/self/fd")) <= before + 1
    for store in stores:
        store.close()
    assert not descriptors._parked
    assert not descriptors._live


def test_any_other_file_is_closed_at_once(tmp_path):
    file = tmp_path / "labels.csv"
    file.write_text("id,label\n")
    before = len(os.listdir("/proc/self/fd"))
    assert descriptors.read(file, 2) == b"id"
    assert descriptors.read(file) == b"id,label\n"
    assert descriptors.read(file, 5, 3) == b"label"
    assert len(os.listdir("/proc/self/fd")) == before


def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match="not a regular file"):
        descriptors.read(tmp_path / "pipe")


def test_the_lock_is_laid_out_as_the_kernel_has_it():
    assert struct.calcsize("hhqqi4x") == 32
    assert fcntl.F_WRLCK == 1
