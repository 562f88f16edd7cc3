"""What is filled through a mapping has every byte before it is: a full disk raises, and ends no process."""

from __future__ import annotations

import errno
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import labeler
from labeler.worker import mapped_file
from labeler.worker.mapped_file import ROOM, check_room, create, is_full


def refusing(number):
    def refuse(*_):
        raise OSError(number, os.strerror(number))

    return refuse


@pytest.mark.parametrize("way", ["reserved", "by another way", "no way"])
@pytest.mark.parametrize("shape", [(300, 1000), (3, 5), (0, 1)])
def test_the_disk_keeps_every_byte_before_one_is_written(tmp_path, monkeypatch, way, shape):
    if way == "by another way":
        monkeypatch.setattr(os, "posix_fallocate", refusing(errno.EOPNOTSUPP), raising=False)
    if way == "no way":
        monkeypatch.delattr(os, "posix_fallocate", raising=False)
    array = create(tmp_path / "reserved.npy", np.float32, shape)
    status = (tmp_path / "reserved.npy").stat()
    assert status.st_blocks * 512 >= status.st_size > array.nbytes
    usual = np.lib.format.open_memmap(tmp_path / "usual.npy", "w+", np.float32, shape)
    array[:] = usual[:] = np.arange(array.size).reshape(shape)
    array.flush()
    usual.flush()
    assert (tmp_path / "reserved.npy").read_bytes() == (tmp_path / "usual.npy").read_bytes()


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def test_a_disk_that_is_full_says_so(tmp_path, monkeypatch, number):
    monkeypatch.setattr(os, "posix_fallocate", refusing(number), raising=False)
    with pytest.raises(OSError, match=os.strerror(number)) as caught:
        create(tmp_path / "a.npy", np.uint8, (10, 10))
    assert is_full(caught.value)


def test_another_error_of_a_disk_is_not_taken_for_a_full_one(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "posix_fallocate", refusing(errno.EIO), raising=False)
    with pytest.raises(OSError, match=os.strerror(errno.EIO)) as caught:
        create(tmp_path / "a.npy", np.uint8, (10, 10))
    assert not is_full(caught.value)


def test_what_is_to_leave_room_is_not_begun_where_there_is_less(tmp_path, monkeypatch):
    monkeypatch.setattr(mapped_file, "free", lambda folder: ROOM + 399)
    check_room(tmp_path, ROOM)
    create(tmp_path / "a.npy", np.float32, (10, 10))
    with pytest.raises(OSError, match="fewer than 64 MB are free") as caught:
        create(tmp_path / "b.npy", np.float32, (10, 10), ROOM)
    assert is_full(caught.value)
    assert not (tmp_path / "b.npy").exists()
    create(tmp_path / "b.npy", np.float32, (9, 11), ROOM)


def test_nothing_else_maps_a_file_to_write_to_it():
    own = Path(labeler.__file__).parent
    maps = re.compile(r"""open_memmap\(|memmap\([^)]*["'](w\+|r\+)|mmap_mode=["'](w\+|r\+)""")
    paths = {path.relative_to(own).as_posix() for path in own.rglob("*.py") if maps.search(path.read_text())}
    assert paths == {"worker/mapped_file.py"}


@pytest.mark.slow
@pytest.mark.parametrize("way", ["pass", "del os.posix_fallocate"])
def test_a_pool_that_finds_no_room_on_a_real_disk_is_one_line(tmp_path, way):
    """On a disk of 300 kB of a namespace's own: holes in a mapped file would end the process here (SIGBUS)."""
    disk = tmp_path / "disk"
    disk.mkdir()
    np.savez(tmp_path / "pool.npz", X=np.random.default_rng(0).integers(0, 256, (600, 28, 28)).astype(np.uint8))
    code = (
        f"import os, sys; from pathlib import Path; from labeler.core import steps; {way}\n"
        "from labeler.core.errors import LabelerError; from labeler.worker.features import prepare\n"
        "from labeler.plugins.importers.detect import open_source\n"
        "source = open_source(Path(sys.argv[1]))\n"
        "try: steps.run(prepare(source, source.ids, Path(sys.argv[2]), 'pixels', '', 0))\n"
        "except LabelerError as error: print(error.message, '|', error.hint)\n"
        "print(*Path(sys.argv[2]).iterdir())\n"
    )
    run = ["sh", "-c", 'mount -t tmpfs -o size=300k tmpfs "$1" && exec "$2" -c "$3" "$4" "$1"', "sh"]
    mine = ["unshare", "--user", "--map-root-user", "--mount"]
    try:
        if subprocess.run([*mine, *run[:2], 'mount -t tmpfs tmpfs "$1"', "sh", disk], capture_output=True).returncode:
            pytest.skip("no namespace of its own is granted here")
    except FileNotFoundError:
        pytest.skip("there is no unshare here")
    done = subprocess.run(
        [*mine, *run, disk, sys.executable, code, tmp_path / "pool.npz"], capture_output=True, text=True
    )
    assert done.stderr == ""
    assert done.returncode == 0
    line, rest = done.stdout.split("\n", 1)
    assert line == f"there is no room for the cache: No space left on device | make room on the disk of {disk}"
    assert rest == "\n"  # nothing is left there
