"""A log whose end SQLite cannot read is said to be cut short; one of a killed writer is not."""

from __future__ import annotations

import os
import shutil

import pytest

from labeler.core.vocabulary import Event
from labeler.store.log import CUT_SHORT
from labeler.store.store import Store

FRAME = 24 + 4096


@pytest.fixture
def killed(tmp_path, path, open_store):
    """A project file with its log and the log's index, as a kill leaves them."""
    open_store(path, create=True).close()
    store = open_store(path)
    for number in range(20):
        store.append(Event(f"e{number}", "flag", float(number), instance_id="a"))
    folder = tmp_path / "killed"
    folder.mkdir()
    for file in tmp_path.glob(f"{path.name}*"):
        if not file.name.endswith(".lock"):
            shutil.copy(file, folder)
    return folder / path.name


def log_of(project):
    return project.with_name(project.name + "-wal")


def index_of(project):
    return project.with_name(project.name + "-shm")


def overwrite(file, start, content):
    with file.open("r+b") as stream:
        stream.seek(start)
        stream.write(content)


def last_frame(project):
    return log_of(project).stat().st_size - FRAME


@pytest.mark.parametrize("read_only", [True, False])
@pytest.mark.parametrize("with_index", [True, False])
def test_a_sound_log_is_read_whole_and_nothing_is_said(killed, open_store, read_only, with_index):
    if not with_index:
        index_of(killed).unlink()
    store = open_store(killed, read_only=read_only)
    assert len(list(store.replay())) == 20
    assert store.notes == []


@pytest.mark.parametrize("read_only", [True, False])
@pytest.mark.parametrize(
    "damage",
    [
        lambda project: os.truncate(log_of(project), last_frame(project)),
        lambda project: os.truncate(log_of(project), 0),
        lambda project: log_of(project).unlink(),
        lambda project: overwrite(log_of(project), 16, b"other"),
        lambda project: overwrite(log_of(project), last_frame(project) + 100, b"\xff"),
        lambda project: overwrite(log_of(project), last_frame(project) // FRAME // 2 * FRAME + 32 + 100, b"\xff"),
    ],
    ids=["last frame gone", "empty", "gone", "header", "last frame", "in the middle"],
)
def test_what_was_committed_and_is_gone_is_noted(killed, open_store, damage, read_only):
    damage(killed)
    store = open_store(killed, read_only=read_only)
    assert len(list(store.replay())) < 20
    assert store.notes == [CUT_SHORT]
    store.close()
    if not read_only:
        assert open_store(killed).notes == []  # said once: from here on it is what is there


def test_without_the_index_frames_behind_the_damage_tell(killed, open_store):
    index_of(killed).unlink()
    overwrite(log_of(killed), last_frame(killed) // FRAME // 2 * FRAME + 32 + 100, b"\xff")
    store = open_store(killed)
    assert len(list(store.replay())) < 20
    assert store.notes == [CUT_SHORT]


def test_half_a_frame_of_a_killed_writer_is_no_damage(killed, open_store):
    before = index_of(killed).read_bytes()
    content = log_of(killed).read_bytes()
    log_of(killed).write_bytes(content + content[-FRAME:])  # marked as a commit, not yet in the index, no valid sum
    index_of(killed).write_bytes(before)
    store = open_store(killed)
    assert len(list(store.replay())) == 20
    assert store.notes == []


def test_a_reader_beside_a_writer_says_nothing(path, store, open_store):
    for number in range(30):
        store.append(Event(f"e{number}", "flag", float(number), instance_id="a"))
        reader = Store.open(path, read_only=True)
        assert reader.notes == []
        reader.close()
