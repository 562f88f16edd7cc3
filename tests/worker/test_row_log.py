"""A log of features: what is whole of it is read again, whatever became of its end."""

from __future__ import annotations

import os
import resource

import numpy as np
import pytest

from labeler.worker import row_log
from labeler.worker.mapped_file import ROOM
from labeler.worker.row_log import RowLog, is_log


def record(number, n=3, width=5):
    rng = np.random.default_rng(number)
    return rng.integers(0, 255, (n, 32)).astype(np.uint8), rng.normal(size=(n, width)).astype(np.float32)


def written(path, *records):
    with RowLog(path) as log:
        for ids, rows in records:
            log.append(ids, rows)


def read(path):
    with RowLog(path) as log:
        return list(log.read())


def use(path):
    """Do with a log all that is ever done with one; return what was read."""
    with RowLog(path) as log:
        records = list(log.read())
        log.append(*record(1))
        log.read()
    return records


def same(records, others):
    assert len(records) == len(others)
    return all(np.array_equal(each, other) for each, other in zip(sum(records, ()), sum(others, ()), strict=True))


def test_a_log_that_is_cut_anywhere_holds_the_records_before_and_takes_more(tmp_path):
    path = tmp_path / "rows-x.log"
    records = [record(number, n=1, width=1) for number in range(3)]
    written(path, *records)
    whole = path.read_bytes()
    size = len(whole) // 3
    for end in range(len(whole)):
        path.write_bytes(whole[:end])
        assert same(read(path), records[: end // size]), end
    assert path.stat().st_size == 2 * size  # what was not whole is gone
    written(path, records[2])
    assert same(read(path), records)
    assert path.read_bytes() == whole


def test_a_record_with_another_bit_ends_the_log(tmp_path):
    path = tmp_path / "rows-x.log"
    records = [record(number, n=1, width=1) for number in range(2)]
    written(path, *records)
    whole = path.read_bytes()
    for place in range(len(whole)):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 4]) + whole[place + 1 :])
        assert same(read(path), records[: place // (len(whole) // 2)]), place


@pytest.mark.parametrize("head", [b"", b"rows1\0\0\0" + b"\xff" * 24])
def test_what_is_no_whole_record_holds_nothing(tmp_path, head):
    path = tmp_path / "rows-x.log"
    path.write_bytes(head)
    assert read(path) == []
    written(path, record(1))
    assert same(read(path), [record(1)])
    assert is_log(path)


@pytest.mark.parametrize(
    "content", [b"r", b"rows1", b"\0" * 100, b"rows2\0\0\0", b"another file altogether, much longer than a head"]
)
def test_a_file_of_another_content_is_left_as_it_is(tmp_path, content):
    path = tmp_path / "rows-x.log"
    path.write_bytes(content)
    assert use(path) == []
    assert path.read_bytes() == content
    assert not is_log(path)


@pytest.mark.parametrize("content", ["of somebody", "of a log", "nothing", None])
def test_no_link_is_followed(tmp_path, content):
    path, target = tmp_path / "rows-x.log", tmp_path / "precious"
    if content == "of a log":
        written(target, record(1))
    elif content is not None:
        target.write_bytes(b"" if content == "nothing" else b"precious")
    before = target.read_bytes() if content is not None else None
    path.symlink_to(target)
    assert use(path) == []
    assert path.is_symlink()
    assert (target.read_bytes() if target.exists() else None) == before
    assert not is_log(path)


def test_neither_a_pipe_nor_a_folder_is_a_log(tmp_path):
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    for name in ("folder", "pipe"):
        assert use(tmp_path / name) == []
        assert not is_log(tmp_path / name)
    assert sorted(os.listdir(tmp_path)) == ["folder", "pipe"]


def test_a_second_process_neither_reads_nor_writes_what_the_first_one_has(tmp_path):
    path = tmp_path / "rows-x.log"
    written(path, record(1))
    with RowLog(path) as first, RowLog(path) as second:
        assert list(second.read()) == []
        second.append(*record(2))
        second.remove()
        assert same(list(first.read()), [record(1)])
    assert same(read(path), [record(1)])


def test_a_log_that_cannot_be_written_is_done_without(tmp_path):
    with RowLog(tmp_path / "no such folder" / "rows-x.log") as log:
        log.append(*record(1))
        assert list(log.read()) == []


def test_a_log_grows_to_its_limit_and_holds_what_it_has(tmp_path, monkeypatch):
    path = tmp_path / "rows-x.log"
    written(path, record(0))
    monkeypatch.setattr(row_log, "MOST", 3 * path.stat().st_size - 1)
    written(path, *map(record, range(1, 5)))
    assert same(read(path), [record(0), record(1)])


@pytest.mark.parametrize(("left", "n_kept"), [(ROOM, 1), (ROOM + 10_000, 3)])
def test_a_log_leaves_room_for_what_is_needed_more(tmp_path, monkeypatch, left, n_kept):
    path = tmp_path / "rows-x.log"
    with RowLog(path) as log:
        log.append(*record(0))
        monkeypatch.setattr(row_log, "free", lambda folder: left)
        log.append(*record(1))
        monkeypatch.undo()
        log.append(*record(2))  # room again: it goes on only where it was not ended
    assert len(read(path)) == n_kept


def test_a_full_disk_ends_the_log_and_nothing_else(tmp_path):
    path = tmp_path / "rows-x.log"
    written(path, record(0, n=500))
    usual = resource.getrlimit(resource.RLIMIT_FSIZE)
    with RowLog(path) as log:
        resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size + 1000, usual[1]))
        try:
            for number in range(1, 4):
                log.append(*record(number, n=500))
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, usual)
        assert list(log.read()) == []
    assert same(read(path), [record(0, n=500)])
