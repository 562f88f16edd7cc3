"""Content that a heavy encoder has seen is not encoded again: after a kill, in a folder that grew or moved."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from labeler.core import steps
from labeler.core.errors import EngineError
from labeler.core.recipe import Recipe
from labeler.plugins import custom, registry
from labeler.plugins.importers.detect import open_source
from labeler.worker import children, protocol
from labeler.worker.features import prepare
from labeler.worker.heavy_encoders import _ids_of_steps, _steps_left
from labeler.worker.protocol import Open, Ready
from labeler.worker.row_log import RowLog

CORES = children.cores()
PLUGIN = Path(__file__).with_name("counting.py")


@pytest.fixture
def encoded(tmp_path, monkeypatch):
    """Return how many images were encoded since it was last asked, all here and in this process."""
    registered = dict(registry._OWN["encoder"])
    loaded = dict(custom._loaded)
    custom.load(PLUGIN)
    monkeypatch.setattr(children, "cores", lambda: 1)
    lines = tmp_path / "encoded.txt"
    monkeypatch.setenv("ENCODED", str(lines))

    def count():
        n = len(lines.read_text().splitlines()) if lines.exists() else 0
        lines.unlink(missing_ok=True)
        return n

    yield count
    registry._OWN["encoder"] = registered
    custom._loaded.clear()
    custom._loaded.update(loaded)


@pytest.fixture
def photos(tmp_path):
    folder = tmp_path / "photos"
    fill(folder, range(10))
    return folder


def fill(folder, numbers):
    folder.mkdir(exist_ok=True)
    for number in numbers:
        image = np.random.default_rng(number).integers(0, 255, (12, 12, 3)).astype(np.uint8)
        Image.fromarray(image).save(folder / f"{number:03d}.png")


def features_of(folder, cache, spec="counting"):
    source = open_source(folder)
    prepared = steps.run(prepare(source, list(source.ids), cache, spec, "", 0))
    return np.array(prepared.features)


def test_a_folder_that_grew_shrank_or_was_renamed_is_not_encoded_again(photos, encoded, tmp_path):
    cache = tmp_path / "cache"
    first = features_of(photos, cache)
    assert encoded() == 10
    fill(photos, [100])
    (photos / "004.png").rename(photos / "zzz.png")
    (photos / "007.png").unlink()
    shutil.copy(photos / "001.png", photos / "0005.png")
    grown = features_of(photos, cache)
    assert encoded() == 1
    names = [Path(name).stem for name in open_source(photos).ids]
    for name, row in (("000", 0), ("zzz", 4), ("0005", 1), ("009", 9)):
        assert grown[names.index(name)].tobytes() == first[row].tobytes()
    fresh = features_of(photos, tmp_path / "another")
    assert encoded() == 11
    assert grown.tobytes() == fresh.tobytes()
    photos.rename(tmp_path / "moved")
    assert features_of(tmp_path / "moved", cache).tobytes() == fresh.tobytes()
    assert encoded() == 0


@pytest.mark.parametrize("spec", ["counting:side=80", "counting:side=81"])
def test_what_was_encoded_another_way_is_not_taken(photos, encoded, tmp_path, spec):
    features_of(photos, tmp_path / "cache")
    features_of(photos, tmp_path / "cache", "counting:side=82")
    encoded()
    assert features_of(photos, tmp_path / "cache", spec).shape[1] == int(spec[-2:])
    assert encoded() == 10


def test_a_file_that_holds_other_pixels_by_now_is_encoded_again(photos, encoded, tmp_path):
    features_of(photos, tmp_path / "cache", "counting:side=80")
    encoded()
    shutil.copy(photos / "001.png", photos / "002.png")
    fill(photos, [])
    Image.fromarray(np.full((12, 12, 3), 7, np.uint8)).save(photos / "003.png")
    after = features_of(photos, tmp_path / "cache", "counting:side=80")
    assert encoded() == 1
    assert np.allclose(after[3], 7)
    assert np.array_equal(after[1], after[2])


def test_a_file_that_changes_between_its_two_readings_is_not_kept_as_what_it_was(photos, encoded, tmp_path):
    source = open_source(photos)
    job = prepare(source, list(source.ids), tmp_path / "cache", "counting:side=80", "", 0)
    content = (photos / "003.png").read_bytes()
    while next(job).what != "encoding":
        pass
    Image.fromarray(np.full((12, 12, 3), 7, np.uint8)).save(photos / "003.png")
    steps.run(job)
    encoded()
    (photos / "003.png").write_bytes(content)
    os.utime(photos / "003.png", (1, 1))  # another state of the folder: the features themselves are not taken
    again = features_of(photos, tmp_path / "cache", "counting:side=80")
    assert encoded() == 1
    assert again.tobytes() == features_of(photos, tmp_path / "another", "counting:side=80").tobytes()


def test_an_encoder_that_was_changed_without_another_version_is_refused_in_one_line(photos, encoded, tmp_path):
    features_of(photos, tmp_path / "cache")
    (log,) = (tmp_path / "cache").glob("rows-*")
    with RowLog(log) as file:
        ids, rows = next(file.read())
    log.unlink()
    with RowLog(log) as file:
        file.append(ids, rows[:, :5])
    fill(photos, [100])
    with pytest.raises(EngineError, match="gives 12 numbers an instance, and gave 5"):
        features_of(photos, tmp_path / "cache")


def test_an_unreadable_file_is_looked_at_again_each_time(photos, encoded, tmp_path):
    (photos / "003.png").write_bytes(b"\x89PNG\r\n\x1a\nno more of it")
    features_of(photos, tmp_path / "cache")
    assert encoded() == 10
    fill(photos, [100])
    features_of(photos, tmp_path / "cache")
    assert encoded() == 2


def test_an_encoder_that_is_not_exact_encodes_whole_steps_that_have_other_images(photos, encoded, tmp_path):
    spec = "counting:is_exact=False"
    features_of(photos, tmp_path / "cache", spec)
    encoded()
    fill(photos, [100, 101, 102])
    grown = features_of(photos, tmp_path / "cache", spec)
    assert encoded() == 5  # the third step, which was of two, and a fourth
    assert grown.tobytes() == features_of(photos, tmp_path / "another", spec).tobytes()


def test_steps_that_are_left_are_whole_unless_any_rows_will_do():
    is_done = np.array([1, 1, 1, 1, 1, 0, 1, 1, 0, 0], dtype=bool)
    assert [rows.tolist() for rows in _steps_left(is_done, 4, is_exact=False)] == [[4, 5, 6, 7], [8, 9]]
    assert [rows.tolist() for rows in _steps_left(is_done, 2, is_exact=True)] == [[5, 8], [9]]
    assert _steps_left(np.ones(4, dtype=bool), 2, is_exact=True) == []


def test_ids_of_steps_tell_order_length_and_place():
    hashes = np.arange(8, dtype=np.uint8)[:, None] * np.ones(32, dtype=np.uint8)
    ids = [
        _ids_of_steps(part, 4) for part in (hashes, hashes[:7], hashes[[0, 1, 3, 2]], np.repeat(hashes[:1], 4, axis=0))
    ]
    assert np.array_equal(ids[0][:4], ids[1][:4])
    rows = {row.tobytes() for part in ids for row in part}
    assert len(rows) == 4 + 4 + 3 + 4 + 4


@pytest.mark.slow
def test_after_a_kill_the_next_worker_goes_on_from_the_steps_that_were_done(encoded, tmp_path):
    """Real processes: a worker and its children, killed in the midst of encoding."""
    photos, cache = tmp_path / "photos", tmp_path / "cache"
    fill(photos, range(240))
    recipe = Recipe(str(photos), str(cache), engine="book", encoder="counting", plugins=(str(PLUGIN),))
    step = 32 + 4 * (32 + 12 * 4)  # bytes: a head, then ids and features of 4 rows
    first = started(recipe)
    until = time.monotonic() + 60
    while sum(path.stat().st_size for path in cache.glob("rows-*.log")) < 12 * step:
        assert time.monotonic() < until
        time.sleep(0.01)
    helpers = children_of(first.pid)
    assert bool(helpers) == (CORES > 1)
    first.kill()
    first.wait()
    n_first = encoded()
    n_kept = sum(len(ids) for ids in kept(cache))
    assert 48 <= n_kept <= n_first < 240
    while any(map(is_running, helpers)):
        assert time.monotonic() < until
        time.sleep(0.01)
    second = started(recipe)
    while not isinstance(message := protocol.read(second.stdout), Ready):
        assert message is not None
    second.kill()
    second.wait()
    assert encoded() == 240 - n_kept
    assert np.load(message.features).tobytes() == features_of(photos, tmp_path / "another").tobytes()


def started(recipe):
    worker = subprocess.Popen(
        [sys.executable, "-m", "labeler.worker"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=os.environ | {"PAUSE": "0.04"},
    )
    protocol.write(worker.stdin, Open(recipe))
    return worker


def kept(cache):
    for path in cache.glob("rows-*.log"):
        with RowLog(path) as log:
            yield from (ids for ids, _ in log.read())


def children_of(pid):
    listed = subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True)
    return [int(line) for line in listed.stdout.split()]


def is_running(pid):
    """Whether a process runs; one that waits to be collected does not."""
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True).stdout.strip()
    return bool(state) and not state.startswith("Z")
