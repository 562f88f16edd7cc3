"""A log whose end SQLite cannot read is said to be cut short; one of a killed writer is not."""

from __future__ import annotations

import os
import shutil
import struct

import numpy as np
import pytest

from labeler.commands.check import check
from labeler.core.events import Event, Flag
from labeler.store import wal
from labeler.store.store import Store
from labeler.store.wal import CUT_SHORT

FRAME = 24 + 4096


@pytest.fixture
def killed(tmp_path, path, open_store):
    """A project file with its log and the log's index, as a kill leaves them."""
    open_store(path, create=True).close()
    store = open_store(path)
    for number in range(20):
        store.append(Event(f"e{number}", Flag("a"), float(number)))
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
        store.append(Event(f"e{number}", Flag("a"), float(number)))
        reader = Store.open(path, read_only=True)
        assert reader.notes == []
        reader.close()


class TestAfterAPowerCut:
    """There is no index, and of what was not flushed anything: rounds and questions, and at most one event."""

    @pytest.fixture
    def cut(self, tmp_path, path, open_store):
        """A file whose log ends in an event, a question and a round that nobody flushed."""
        store = open_store(path, create=True)
        store.join_instances(["a"], 0.0)
        store.close()
        store = open_store(path)
        for number in range(5):
            store.append(Event(f"e{number}", Flag("a"), float(number)))
        flushed = log_of(path).stat().st_size
        store.save_question(None, 5)
        store.put_arrays("large", {"noise": np.arange(5000)})
        folder = tmp_path / "cut"
        folder.mkdir()
        for suffix in ("", "-wal"):
            shutil.copy(f"{path}{suffix}", folder)
        return folder / path.name, flushed

    @pytest.mark.slow
    def test_a_torn_tail_of_what_is_made_anew_is_no_damage(self, cut, open_store):
        project, flushed = cut
        size = log_of(project).stat().st_size
        for at in range(flushed, size, 512):
            copy = project.with_name(f"{at}.labeler.db")
            for suffix in ("", "-wal"):
                shutil.copy(f"{project}{suffix}", f"{copy}{suffix}")
            overwrite(log_of(copy), at, bytes(512))
            assert check(copy).is_sound
            store = open_store(copy)
            assert len(list(store.replay())) == 5
            assert store.notes == []
            store.close()

    def test_an_event_before_it_is(self, cut, open_store):
        project, flushed = cut
        overwrite(log_of(project), flushed - 1000, b"\xff")
        assert [finding.code for finding in check(project).findings] == ["log"]
        assert open_store(project).notes == [CUT_SHORT]

    def test_an_event_that_was_being_written_is_not(self, cut, open_store, path):
        """Its frames are there, the last of the log, and one of them is torn: nobody was told that it is saved."""
        project, _ = cut
        store = open_store(project)
        store.append(Event("e5", Flag("a"), 5.0))
        folder = project.parent / "again"
        folder.mkdir()
        for suffix in ("", "-wal"):
            shutil.copy(f"{project}{suffix}", folder)
        copy = folder / project.name
        overwrite(log_of(copy), last_frame(copy) + 200, b"\xff" * 8)
        assert check(copy).is_sound

    def test_an_index_of_before_the_machine_went_down_proves_nothing(self, killed, open_store):
        os.truncate(log_of(killed), last_frame(killed))
        os.utime(index_of(killed), (5, 5))
        assert open_store(killed).notes == []


@pytest.mark.parametrize("big_endian", [False, True])
def test_sums_are_those_of_the_format(tmp_path, big_endian):
    """Against the format's own description, word by word."""
    draw = np.random.default_rng(int(big_endian))
    page, order = draw.bytes(512), ">" if big_endian else "<"

    def plain(data, first=0, second=0):
        words = struct.unpack(f"{order}{len(data) // 4}I", data)
        for a, b in zip(words[::2], words[1::2], strict=True):
            first = (first + a + second) % 2**32
            second = (second + b + first) % 2**32
        return first, second

    head = struct.pack(">6I", 0x377F0682 | big_endian, 3007000, 512, 0, 7, 9)
    sums = plain(head)
    content = head + struct.pack(">2I", *sums)
    for number in range(4):
        frame = struct.pack(">2I", number + 1, number + 1)
        sums = plain(frame + page, *sums)
        content += frame + struct.pack(">4I", 7, 9, *sums) + page
    frames = wal._frames(content)
    assert wal._n_valid(content, frames) == 4
    for at in (40, 60, len(content) - 600, len(content) - 1):
        bent = content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]
        assert wal._n_valid(bent, wal._frames(bent)) == (at - 32) // 536
