"""`labeler features`: from a folder or addresses to shards, killed and gone on with, and back into a project."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from labeler.cli.main import main
from labeler.commands.features import features
from labeler.core.errors import MissingExtra, UsageError
from labeler.plugins.importers.detect import open_source
from labeler.project.open import Options, open_project
from labeler.worker.shards import executors, plan
from labeler.worker.shards.executors import Alone, workers_of
from labeler.worker.shards.manifest import read_manifest
from tests.remote_places import memory, web  # noqa: F401 - fixtures
from tests.worker.shards.conftest import MORTAL, ready, shapes  # noqa: F401 - fixtures

SMALL = "from labeler.worker.shards import plan; plan.SECONDS = 0.1; from labeler.__main__ import main; main()"
COMMAND = [sys.executable, "-c", SMALL, "features"]
"""The command, with shards of a tenth of a second."""


@pytest.fixture
def alone(monkeypatch):
    """No process is begun: shards are done in this one."""
    monkeypatch.setattr(executors, "Pool", lambda size: Alone())


def run(*words):
    return CliRunner().invoke(main, ["features", *map(str, words)], standalone_mode=False, obj=0.0)


@pytest.mark.usefixtures("alone")
class TestTheCommand:
    def test_says_what_is_there_and_how_to_go_on(self, shapes, tmp_path):  # noqa: F811
        result = run(shapes, tmp_path / "out", "--encoder", "hog", "--clusters", "3")
        assert result.exception is None
        lines = result.stdout.splitlines()
        assert lines[0].startswith("120 images as 588 features each (encoder hog, chosen by you): 282,240 bytes in ")
        assert lines[1].startswith("1 shard; ")
        assert lines[2] == f"3 clusters; nearest to their centroids: {tmp_path / 'out'}/nearest.csv"
        assert lines[3] == f"label them: labeler label {shapes} --features {tmp_path / 'out'}"
        assert lines[4].startswith("or those nearest alone: labeler label ")
        table = (tmp_path / "out" / "nearest.csv").read_text().splitlines()
        assert table[0] == "id,path,cluster,rank,distance"
        assert len(table) == 31  # 3 clusters, 10 of each

    def test_as_json(self, shapes, tmp_path):  # noqa: F811
        run(shapes, tmp_path / "out", "--encoder", "hog")
        result = run(shapes, tmp_path / "out", "--encoder", "hog", "--json")
        facts = json.loads(result.stdout)
        assert (facts["n"], facts["shards"], facts["shards_before"], facts["cpu"]) == (120, 1, 1, 0.0)

    @pytest.mark.slow
    def test_chooses_an_encoder_as_label_does(self, shapes, tmp_path):  # noqa: F811
        report = features(str(shapes), tmp_path / "out")
        with open_project(shapes, tmp_path / "p.labeler.db") as project:
            prepared = project.open_pipeline().prepared
        assert (report.encoder, report.reason) == (prepared.encoder, prepared.reason)

    @pytest.mark.parametrize(
        ("executor", "line"),
        [
            ("threads", "no executor is called 'threads'"),
            ("processes:0", "no executor is called 'processes:0'"),
            ("processes:many", "no executor is called 'processes:many'"),
            ("dask://host", "dask://host names no port"),
        ],
    )
    def test_refuses_other_executors(self, shapes, tmp_path, executor, line):  # noqa: F811
        result = run(shapes, tmp_path / "out", "--executor", executor)
        assert isinstance(result.exception, UsageError)
        assert result.exception.message == line
        assert not (tmp_path / "out").exists()

    def test_names_the_extra_for_dask(self, shapes, tmp_path, monkeypatch):  # noqa: F811
        monkeypatch.setattr(executors, "find_spec", lambda name: None)
        result = run(shapes, tmp_path / "out", "--executor", "dask://127.0.0.1:8786")
        assert isinstance(result.exception, MissingExtra)
        assert "pip install '.[dask]'" in result.exception.hint

    def test_an_unknown_encoder_leaves_nothing_behind(self, shapes, tmp_path):  # noqa: F811
        result = run(shapes, tmp_path / "out", "--encoder", "none")
        assert isinstance(result.exception, UsageError)
        assert not list((tmp_path / "out").iterdir())


@pytest.mark.usefixtures("alone")
class TestAddresses:
    def test_fsspecs_memory(self, memory, tmp_path):  # noqa: F811
        report = features(memory, tmp_path / "out", "pixels", n_clusters=4)
        assert report.n == 41
        assert report.unreadable == 0
        X = np.load(tmp_path / "out" / "features-000000.npy")
        assert np.allclose(np.sort(X[:, 0] * 255), [*range(40), 99], atol=0.01)

    def test_are_labeled_by_the_list_that_lies_beside_the_features(self, memory, tmp_path):  # noqa: F811
        report = features(memory, tmp_path / "out", "pixels", n_clusters=4)
        addresses = tmp_path / "out" / "addresses.txt"
        assert report.label == f"labeler label {addresses} --features {tmp_path / 'out'}"
        options = Options(features=str(tmp_path / "out"))
        with open_project(addresses, tmp_path / "p.labeler.db", options) as project:
            project.check_features()
            pipeline = project.open_pipeline()
            assert np.array_equal(pipeline.features(), np.load(tmp_path / "out" / "features-000000.npy"))
            shown = [int(project.source.image(row)[0, 0]) for row in range(41)]
            assert np.allclose(pipeline.features()[:, 0] * 255, shown, atol=0.01)


@pytest.mark.usefixtures("alone")
class TestNearestAlone:
    """Of a source too large for one machine a person labels what is nearest to the centroids."""

    def test_are_a_source_and_its_features(self, shapes, tmp_path):  # noqa: F811
        out = tmp_path / "out"
        report = features(str(shapes), out, "hog", n_clusters=3, n_nearest=4)
        assert report.label_nearest == f"labeler label {out}/nearest.csv --features {out}/nearest.npz"
        options = Options(features=str(out / "nearest.npz"))
        with open_project(out / "nearest.csv", tmp_path / "p.labeler.db", options) as project:
            X = project.open_pipeline().features()
            ids = project.session.pool.ids
        whole = np.load(out / "features-000000.npy")
        rows = [list(open_source(shapes).ids).index(os.path.relpath(name, shapes)) for name in ids]
        assert len(rows) == 12
        assert np.array_equal(X, whole[rows])

    def test_are_at_their_addresses(self, memory, tmp_path):  # noqa: F811
        out = tmp_path / "out"
        features(memory, out, "pixels", n_clusters=2, n_nearest=3)
        source = open_source(out / "nearest.csv")
        assert source.kind == "list"
        assert len(source.ids) == 4  # the one that is bright is a cluster by itself
        assert all(name.startswith("memory:///pool/") for name in source.ids)

    def test_of_an_archive_are_no_files(self, shapes, tmp_path):  # noqa: F811
        shutil.make_archive(str(tmp_path / "pool"), "zip", shapes)
        report = features(str(tmp_path / "pool.zip"), tmp_path / "out", "hog", n_clusters=3)
        assert report.label_nearest == ""
        assert not any("nearest alone" in line for line in report.lines())


@pytest.mark.slow
class TestProcesses:
    def test_read_a_web_server(self, web, tmp_path):  # noqa: F811
        address, _, handler = web
        report = features(address, tmp_path / "out", "pixels", "processes:2", n_clusters=3)
        assert report.n == 12
        assert sum(name.endswith("/7.png") for name in handler.asked) >= 2  # of the sample, and of the shard
        assert report.executor == "2 processes"

    def test_that_are_killed_with_the_command_leave_what_is_done(self, shapes, ready, tmp_path):  # noqa: F811
        """kill -9 in the middle: nobody works on, what was done is not done again, and all is as if nothing was."""
        out = tmp_path / "out"
        words = ["--encoder", "mortal:pause=0.1", "--clusters", "3", "--nearest", "4", "--plugin", str(MORTAL)]
        killed = subprocess.Popen(
            [*COMMAND, str(shapes), str(out), *words, "--executor", "processes:2"],
            start_new_session=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        wait_for(lambda: len(list(out.glob("shard-*"))) >= 2)
        children = children_of(killed.pid)
        assert len(children) >= 2
        killed.send_signal(signal.SIGKILL)
        killed.wait()
        wait_for(lambda: not any(map(is_running, children)))
        done = {path: path.stat().st_mtime_ns for path in out.glob("shard-*")}
        assert 2 <= len(done) < json.loads((out / "job.json").read_text())["asked"]["n"] // 10
        report = subprocess.run(
            [*COMMAND, str(shapes), str(out), *words, "--executor", "processes:1", "--json"],
            check=True,
            capture_output=True,
        )
        assert json.loads(report.stdout)["shards_before"] == len(done)
        assert {path: path.stat().st_mtime_ns for path in done} == done
        assert not list(out.glob(".*"))
        X = np.concatenate([np.load(path) for path in sorted(out.glob("features-*"))])
        assert np.array_equal(X, np.concatenate([np.load(path) for path in sorted(ready.glob("features-*"))]))

    def test_ctrl_c_is_one_line(self, shapes, tmp_path):  # noqa: F811
        out = tmp_path / "out"
        words = ["--encoder", "mortal:pause=0.1", "--clusters", "3", "--plugin", str(MORTAL)]
        stopped = subprocess.Popen(
            [*COMMAND, str(shapes), str(out), *words, "--executor", "processes:2"],
            start_new_session=True,
            stderr=subprocess.PIPE,
            # a shell's background ignores it, and what it starts would as well
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )
        wait_for(lambda: list(out.glob("shard-*")))
        os.killpg(stopped.pid, signal.SIGINT)  # as a terminal does: all processes get it
        _, said = stopped.communicate(timeout=60)
        assert stopped.returncode == 130
        far = f"{len(list(out.glob('shard-*')))} of 12 shards done"
        assert said.decode() == f"labeler: interrupted: {far}; the same command goes on from there\n"


def wait_for(is_there, seconds=60):
    until = time.monotonic() + seconds
    while not is_there():
        assert time.monotonic() < until, "it did not come"
        time.sleep(0.02)


def children_of(pid):
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def is_running(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


class TestExecutors:
    def test_a_process_that_is_alone_has_no_other_to_begin(self):
        with pytest.raises(Exception, match="cannot be begun anew"):
            Alone().restart()

    @pytest.mark.slow
    def test_as_many_processes_as_cores(self):
        with workers_of("processes") as workers:
            assert workers.name.startswith(f"{executors.n_cores()} process")


def test_a_shard_is_the_work_of_a_second():
    for seconds, rows in ((0.001, 1000), (0.3, 4), (10.0, 1), (1e-9, 1_000_000)):
        assert plan._rows_of_a_second(seconds, 8) == rows
    assert plan._rows_of_a_second(1e-9, 100_000) == 640  # as many as a worker can hold
    assert plan._rounded(41, 40) == 80


def test_the_manifest_names_versions_and_hashes(ready):  # noqa: F811
    manifest = json.loads((ready / "manifest.json").read_text())
    assert manifest["tool"] == "labeler"
    assert manifest["job"]["encoder"] == "mortal"
    assert manifest["job"]["version"] == 1
    assert manifest["job"]["asked"]["seed"] == 0
    assert all(len(digest) == 64 for shard in manifest["shards"] for digest in shard["files"].values())
    assert read_manifest(ready).n == 120
