"""A real Dask cluster of two processes on loopback: the same features as one process, also where a worker is killed."""

import socket
from dataclasses import replace

import pytest

distributed = pytest.importorskip("distributed", reason="distributed is not installed: pip install '.[dask]'")
dask = pytest.importorskip("dask")

from labeler.core.errors import EngineError, SourceError, UsageError  # noqa: E402
from labeler.worker.shards.executors import workers_of  # noqa: E402
from labeler.worker.shards.manifest import read_manifest  # noqa: E402
from labeler.worker.shards.part import part_of  # noqa: E402

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def cluster():
    """Two workers, each a process of its own with a nanny that replaces it."""
    few = dask.config.set({"distributed.scheduler.allowed-failures": 2})  # of 3: each takes a second
    with (
        few,
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, dashboard_address=None, host="127.0.0.1", silence_logs=50
        ) as begun,
    ):
        yield begun


@pytest.fixture(autouse=True)
def patient(monkeypatch):
    """A worker that was killed may take long to come back on a busy machine."""
    monkeypatch.setattr("labeler.worker.shards.executors.WORKERS_TIMEOUT", 120)


@pytest.fixture
def address(cluster):
    """HOST:PORT of the scheduler, both workers of which are there."""
    with distributed.Client(cluster.scheduler_address, set_as_default=False) as client:
        client.wait_for_workers(2, timeout=120)
    return cluster.scheduler_address.removeprefix("tcp://")


def test_it_gives_what_one_process_gives(address, shapes, ready, tmp_path, computed):
    with workers_of(f"dask://{address}") as workers:
        outcome = computed(shapes, tmp_path / "out", workers)
        assert workers.name == f"2 threads of the Dask cluster at {address}"
    assert outcome.manifest == read_manifest(ready)  # ids by digest, features, clusters and nearest by sha256
    assert (tmp_path / "out" / "nearest.csv").read_bytes() == (ready / "nearest.csv").read_bytes()


def test_a_killed_worker_loses_nothing_and_no_shard_is_there_twice(address, shapes, tmp_path, computed):
    computed(shapes, tmp_path / "alone", encoder=f"mortal:flag={tmp_path / 'flag'}")
    with workers_of(f"dask://{address}") as workers:
        outcome = computed(shapes, tmp_path / "out", workers, f"mortal:flag={tmp_path / 'flag'},deaths=2")
    assert (tmp_path / "flag.1").exists()
    assert [(entry.number, entry.start, entry.rows) for entry in outcome.manifest.shards] == [
        (number, 20 * number, 20) for number in range(6)
    ]
    alone = read_manifest(tmp_path / "alone")
    assert [entry.files for entry in outcome.manifest.shards] == [entry.files for entry in alone.shards]


def test_a_shard_that_failed_is_done_again_by_the_cluster(address, shapes, tmp_path, computed):
    with workers_of(f"dask://{address}") as workers:
        outcome = computed(shapes, tmp_path / "out", workers, f"mortal:flag={tmp_path / 'flag'},fails=2")
    assert (tmp_path / "flag.1").exists()
    assert outcome.manifest.n == 120


def test_a_worker_that_does_not_see_the_source_says_so(address, shapes, tmp_path, computed, monkeypatch):
    for module in ("plan", "run"):
        monkeypatch.setattr(f"labeler.worker.shards.{module}.part_of", elsewhere)
    with workers_of(f"dask://{address}") as workers, pytest.raises(SourceError, match="cannot read the images"):
        computed(shapes, tmp_path / "out", workers)


def elsewhere(source, reading, rows):
    part = part_of(source, reading, rows)
    return replace(part, base="/not/there/") if len(rows) <= 20 else part  # the sample alone is seen


def test_no_scheduler_is_said_in_one_line(monkeypatch):
    monkeypatch.setattr("labeler.worker.shards.executors.TIMEOUT", 1)
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))  # bound and not listening: nobody else takes the port meanwhile
        port = closed.getsockname()[1]
        with (
            pytest.raises(UsageError, match=f"no Dask scheduler at 127.0.0.1:{port}") as refused,
            workers_of(f"dask://127.0.0.1:{port}"),
        ):
            pass
    assert "\n" not in refused.value.message


def test_a_cluster_without_workers_is_refused(monkeypatch):
    monkeypatch.setattr("labeler.worker.shards.executors.WORKERS_TIMEOUT", 1)
    with (
        distributed.LocalCluster(n_workers=0, dashboard_address=":0", host="127.0.0.1", silence_logs=50) as cluster,
        pytest.raises(UsageError, match="has no workers"),
        workers_of(cluster.scheduler_address.replace("tcp", "dask")),
    ):
        pass


# the last one: it leaves a cluster that is still picking itself up
def test_a_shard_that_kills_every_worker_is_given_up(address, shapes, tmp_path, computed):
    encoder = f"mortal:flag={tmp_path / 'flag'},deaths=1000"
    with workers_of(f"dask://{address}") as workers, pytest.raises(EngineError, match="failed, again and again"):
        computed(shapes, tmp_path / "out", workers, encoder)
