"""Parts of a source travel as names or rows, and read the same elsewhere."""

import os
import pickle
import shutil

import numpy as np
import pytest
from PIL import Image

from labeler.core.errors import SourceError, UnreadableInstance
from labeler.core.recipe import AS_IT_IS, Reading
from labeler.plugins.importers.detect import open_source
from labeler.worker.shards.part import FilesPart, RowsPart, part_of

ROWS = [3, 50, 119]


def read(part):
    source, rows = pickle.loads(pickle.dumps(part)).open()  # noqa: S301 - our own, as an executor does it
    return [source.content_bytes(row) for row in rows.tolist()], [source.image(row) for row in rows.tolist()]


def expected(source):
    return [source.content_bytes(row) for row in ROWS], [source.image(row) for row in ROWS]


def check(source, kind):
    part = part_of(source, AS_IT_IS, ROWS)
    assert isinstance(part, kind)
    contents, images = read(part)
    assert contents == expected(source)[0]
    assert all(np.array_equal(one, other) for one, other in zip(images, expected(source)[1], strict=True))
    return part


def test_of_a_folder_it_is_names_from_the_root(shapes, monkeypatch):
    monkeypatch.chdir(shapes.parent)
    part = check(open_source(shapes.relative_to(shapes.parent)), FilesPart)
    assert part.base == f"{shapes}/"
    assert part.names == tuple(open_source(shapes).ids[row] for row in ROWS)
    monkeypatch.chdir("/")  # as a worker elsewhere is
    assert len(read(part)[0]) == 3


def test_of_a_list_it_is_the_files(shapes, tmp_path):
    shutil.copytree(shapes, tmp_path / "pool")
    names = [f"./pool/{name}" for name in open_source(shapes).ids]
    (tmp_path / "list.txt").write_text("\n".join(names))
    check(open_source(tmp_path / "list.txt"), FilesPart)


@pytest.mark.slow
def test_of_an_archive_or_an_array_it_is_rows(shapes, tmp_path):
    check(open_source(shutil.make_archive(str(tmp_path / "pool"), "zip", shapes) and tmp_path / "pool.zip"), RowsPart)
    source = open_source(shapes)
    np.savez(tmp_path / "pool.npz", X=np.stack([source.image(row) for row in range(120)]))
    part = check(open_source(tmp_path / "pool.npz"), RowsPart)
    np.savez(tmp_path / "pool.npz", X=np.zeros((120, 12, 12), np.uint8))
    from labeler.worker.shards import part as parts  # what another process would have

    parts._opened.cache_clear()
    with pytest.raises(SourceError, match="has changed since the command began"):
        part.open()


def test_values_beyond_8_bits_are_shown_by_the_range_of_the_whole(tmp_path):
    for number in range(120):
        Image.fromarray(np.full((4, 4), 30 * number, np.uint16)).save(tmp_path / f"{number}.png")
    source = open_source(tmp_path, Reading(range="0:4000"))
    part = part_of(source, Reading(range="0:4000"), ROWS)
    assert [int(image[0, 0]) for image in read(part)[1]] == [int(source.image(row)[0, 0]) for row in ROWS]
    decided = open_source(tmp_path)
    assert [int(image[0, 0]) for image in read(part_of(decided, AS_IT_IS, ROWS))[1]] == [
        int(decided.image(row)[0, 0]) for row in ROWS
    ]


def test_no_pipe_holds_a_worker_up(shapes, tmp_path):
    shutil.copytree(shapes, tmp_path / "pool")
    part = part_of(open_source(tmp_path / "pool"), AS_IT_IS, ROWS)
    victim = tmp_path / "pool" / part.names[0]
    victim.unlink()
    os.mkfifo(victim)
    source, _ = part.open()
    with pytest.raises(UnreadableInstance, match="no longer a regular file"):
        source.content_bytes(0)
