"""Works done in children: the same bits as in one process, whatever becomes of the children."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from PIL import Image

from labeler.core import steps
from labeler.core.errors import EngineError
from labeler.plugins import registry
from labeler.plugins.importers.detect import open_source
from labeler.plugins.importers.subset import Subset
from labeler.worker import children
from labeler.worker.children import Children
from labeler.worker.features import prepare
from labeler.worker.image_store import ImagePlan, fill_images
from labeler.worker.picture_reader import plan_reading, read_images
from labeler.worker.protocol import Employ, Learned, Work
from labeler.worker.work import do, read_work

SPEC = registry.parse_spec("scattering")


@pytest.fixture(scope="module")
def images():
    return np.random.default_rng(0).integers(0, 255, (240, 32, 32, 3)).astype(np.uint8)


@pytest.fixture(scope="module")
def encoder(images):
    return registry.create("encoder", SPEC).fit(images)


def employed(encoder):
    return Employ("scattering", (), [Learned(name, values) for name, values in encoder.learned().items()])


def works(images):
    return (Work(number, images[number * 40 : number * 40 + 40]) for number in range(6))


def rows_of(parts):
    parts = sorted((part for part in parts if part is not None), key=lambda part: part.number)
    assert [part.number for part in parts] == list(range(6))
    return np.concatenate([part.rows for part in parts])


@pytest.mark.slow
def test_a_pool_gets_the_same_bits_from_children_as_from_one_process(images, tmp_path, monkeypatch):
    np.savez(tmp_path / "photos.npz", X=images)
    source = open_source(tmp_path / "photos.npz")
    monkeypatch.setattr(children, "WORTH", 0.2)
    features, n_children, begin = [], [], Children.__enter__

    def begun(helpers):
        n_children.append(len(helpers._alive))
        return begin(helpers)

    monkeypatch.setattr(Children, "__enter__", begun)
    for cores in (1, 2):
        monkeypatch.setattr(children, "cores", lambda cores=cores: cores)
        job = prepare(source, source.ids, tmp_path / str(cores), "scattering", "", 0)
        seen = []
        features.append(np.array(steps.run(job, seen.append).features))
        assert "ended" not in "".join(step.what for step in seen)  # or this process did it all
        assert n_children.pop() == (cores if cores > 1 else 0)
    assert features[0].tobytes() == features[1].tobytes()


@pytest.mark.slow
def test_in_place_of_a_child_that_is_killed_another_one_is_started_once(images, encoder):
    parts, killed, said = [], [], []
    with Children(employed(encoder), 1, encoder) as helpers:
        for part in helpers.do(works(images)):
            parts.append(part)
            said.append(helpers.ended)
            if part is not None and len(killed) < 2 and helpers._alive and helpers._alive[0].pid not in killed:
                killed.append(helpers._alive[0].pid)  # in the midst of its next work
                os.kill(killed[-1], signal.SIGKILL)
        assert not helpers._alive
    assert len(killed) == 2
    ended = "a process that helped ended (code -9)"
    assert list(dict.fromkeys(said)) == ["", f"{ended}, another was started", ended]
    assert rows_of(parts).tobytes() == encoder.transform(images).tobytes()


def test_children_that_cannot_work_leave_it_to_this_process(images, encoder):
    with Children(Employ("no such encoder"), 1, encoder) as helpers:
        rows = rows_of(list(helpers.do(works(images))))
    assert rows.tobytes() == encoder.transform(images).tobytes()


@pytest.mark.parametrize("reads", [True, False])
def test_what_ends_two_children_is_said_and_not_done_here(images, monkeypatch, encoder, reads):

    class Ended:
        def __init__(self):
            self.works = [Work(3, images[:1])]
            self.is_employed = True

        def end(self):
            return -11

    monkeypatch.setattr(children, "RESTARTS", 0)
    helpers = Children(Employ(), 0, None if reads else encoder)
    for _ in range(2):
        helpers._alive.append(Ended())
    helpers._bury(helpers._alive[0])
    with pytest.raises(EngineError, match="code -11") as caught:
        helpers._bury(helpers._alive[0])
    assert ("--encoder" in caught.value.hint, "file" in caught.value.hint) == (not reads, reads)


class Unfit:
    """A child that ended with a code before it came as far as to work."""

    is_employed = False

    def __init__(self, code):
        self.works, self._code = [], code

    def end(self):
        return self._code


def tried_out(code):
    """Children tried out, the only one of which ended with a code; None: no process is granted."""
    helpers = Children(Employ(), 0, None, is_wary=True)
    if code is not None:
        helpers._alive.append(Unfit(code))
        helpers._replies.put((helpers._alive[0], None))
    list(helpers.try_out())
    return helpers


@pytest.mark.parametrize(("code", "line"), [(-4, "ended .code -4."), (-11, "ended .code -11."), (None, "no process")])
def test_what_ends_a_child_on_trial_is_never_done_here(code, line):
    with pytest.raises(EngineError, match=line):
        tried_out(code)


def test_what_fails_in_a_child_on_trial_with_an_error_of_pythons_is_done_here_which_can_say_it(images, encoder):
    helpers = tried_out(1)
    helpers.grow(0, encoder)
    (part,) = helpers.do(iter([Work(0, images[:2])]))
    assert part.rows.tobytes() == encoder.transform(images[:2]).tobytes()


def test_children_that_end_at_work_on_trial_leave_nothing_of_it_to_this_process(images, encoder):
    helpers = Children(Employ(), 0, encoder, is_wary=True)
    helpers._alive.append(Unfit(-4))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Unfit, "is_employed", True)
        patch.setattr(Unfit, "take", lambda child, work: child.works.append(work), raising=False)
        helpers._restarts_left = 0
        helpers._replies.put((helpers._alive[0], None))
        with pytest.raises(EngineError, match="code -4"):
            list(helpers.do(works(images)))


@pytest.mark.slow
def test_children_are_gone_when_their_process_is_killed():
    code = (
        "import time; from labeler.worker.children import Children; from labeler.worker.protocol import Employ\n"
        "c = Children(Employ(), 2, None); print(*[child.pid for child in c._alive], flush=True); time.sleep(600)"
    )
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    pids = [int(pid) for pid in process.stdout.readline().split()]
    process.kill()
    process.wait()
    until = time.monotonic() + 60
    while any(_runs(pid) for pid in pids) and time.monotonic() < until:
        time.sleep(0.01)
    assert len(pids) == 2
    assert not any(_runs(pid) for pid in pids)


def _runs(pid):
    """Whether a process runs; one that waits to be collected does not."""
    done = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True)
    return bool(done.stdout.strip()) and not done.stdout.startswith("Z")


def test_a_container_that_grants_a_core_and_a_half_is_of_two(tmp_path):
    (tmp_path / "cpu.max").write_text("150000 100000\n")
    (tmp_path / "none").write_text("max 100000\n")
    assert children._granted((tmp_path / "cpu.max",)) == 2
    assert children._granted((tmp_path / "none",)) > 1000
    assert children._granted((tmp_path / "gone",)) > 1000


def test_there_are_as_many_children_as_cores_and_memory_hold(tmp_path, monkeypatch):
    monkeypatch.setattr(children, "cores", lambda: 6)
    monkeypatch.setattr(children, "_MEMORY", tmp_path / "meminfo")
    assert children.size_for(10.0) == 6
    assert children.size_for(10.0, threads=2) == 3
    assert children.size_for(10.0, threads=4) == children.size_for(0.5) == 0
    (tmp_path / "meminfo").write_text("MemTotal: 9000000 kB\nMemAvailable: 2000000 kB\n")
    assert children.size_for(10.0) == 6
    assert children.size_for(10.0, model=300_000_000) == 2
    assert children.size_for(10.0, model=1_000_000_000) == 0


def test_works_of_files_are_decoded_as_their_source_does(tmp_path):
    rng = np.random.default_rng(1)
    for name in "abc":
        Image.fromarray(rng.integers(0, 255, (90, 150, 3)).astype(np.uint8)).save(tmp_path / f"{name}.jpg")
    (tmp_path / "d.png").write_bytes(b"\x89PNG\r\n\x1a\nno more of it")
    source = Subset(open_source(tmp_path), np.array([3, 0, 2], dtype=np.int64))
    plan = ImagePlan((96, 96, 3), exact=False)
    rows = np.array([0, -1, 1, 2], dtype=np.int64)
    part = do(read_work(source, rows, plan, 5).work, None)
    expected = np.zeros((4, *plan.shape), dtype=np.uint8)
    hashes, broken = steps.run(fill_images(source, rows, plan, expected))
    reading = read_work(source, rows, plan, 5)
    assert part.number == 5
    assert part.rows[2:].any()
    assert np.array_equal(part.rows, expected)
    assert (part.broken, reading.broken) == (broken, {})
    assert list(broken) == [0]
    assert np.array_equal(reading.hashes, hashes)
    assert reading.work.files.size  # read here, decoded there


@pytest.mark.slow
def test_a_folder_is_read_in_children_as_in_one_process(tmp_path, monkeypatch):
    rng = np.random.default_rng(1)
    for number in range(40):
        image = rng.integers(0, 255, (80, 70 + number, 3)).astype(np.uint8)
        Image.fromarray(image).save(tmp_path / f"{number:02d}.jpg")
    (tmp_path / "07.jpg").write_bytes(b"\xff\xd8\xff no more of it")
    source = open_source(tmp_path)
    rows = np.concatenate([np.arange(40), [-1]]).astype(np.int64)
    plan, seconds = plan_reading(source, 1000)
    assert seconds > 0
    results = []
    for cores in (1, 2):
        monkeypatch.setattr(children, "cores", lambda cores=cores: cores)
        target = np.zeros((41, *plan.shape), dtype=np.uint8)
        results.append((target, *steps.run(read_images(source, rows, plan, target, 100.0))))
    assert np.array_equal(results[0][0], results[1][0])
    assert np.array_equal(results[0][1], results[1][1])
    assert results[0][2] == results[1][2]
    assert list(results[0][2]) == [7]
