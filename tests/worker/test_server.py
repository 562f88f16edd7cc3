"""The worker as a process of its own: what it answers, when it ends, and what happens when it dies."""

from __future__ import annotations

import contextlib
import itertools
import os
import queue
import select
import signal
import subprocess
import sys
import threading
import time
from types import SimpleNamespace

import numpy as np
import pytest

from labeler.core import steps
from labeler.core.errors import EngineError
from labeler.core.recipe import Recipe
from labeler.core.requests import Comparison, signature
from labeler.core.types import Progress, Provenance
from labeler.plugins.importers.detect import open_source
from labeler.worker import protocol
from labeler.worker.client import WorkerClient
from labeler.worker.pipeline import Pipeline
from labeler.worker.protocol import Answered, Failed, Offer, Open, QueueReady, Ready, Reply, Request, RoundReady
from labeler.worker.server import Worker

PATIENCE = 60  # seconds: a bound for a machine that does much else, no wait


def asked(name, snapshot, *arguments, number=1):
    return Request(name, [number], snapshot, signature(name).arguments(*arguments))


@pytest.fixture
def recipe(few_digits, tmp_path):
    return Recipe(str(few_digits), str(tmp_path / "cache"), engine="book", n_clusters=8)


@pytest.fixture
def client(recipe, tmp_path):
    inbox = queue.Queue()
    client = WorkerClient(Open(recipe), inbox.put, tmp_path / "worker.log")

    def until(kind, where=lambda message: True):
        while True:
            message = inbox.get(timeout=PATIENCE)
            if isinstance(message, kind) and where(message):
                return message
            assert isinstance(message, (Progress, Ready, QueueReady, RoundReady)), message

    client.until = until
    yield client
    client.close()


@pytest.mark.slow
def test_the_closing_round_is_that_of_an_export(client, make_snapshot, recipe, few_digits, tmp_path):
    client.until(Ready)
    snapshot = make_snapshot({3: 0, 10: 1, 20: 0, 31: 1}, revision=4)
    client.send(Answered(snapshot))
    client.until(RoundReady, lambda message: message.round.revision == 4)
    client.send(asked("closing", snapshot))
    closing = client.until(Reply).result
    pipeline = Pipeline(recipe, open_source(few_digits))
    steps.run(pipeline.open())
    expected = pipeline.closing_round(snapshot)
    for name in ("labels", "provenances", "scores", "tiers", "sources"):
        assert np.array_equal(getattr(closing, name), getattr(expected, name)), name


@pytest.mark.slow
def test_it_opens_the_pool_asks_and_derives(client, make_snapshot):
    ready = client.until(Ready)
    assert ready.encoder == "pixels"
    assert ready.hashes.shape == (150, 32)
    assert np.load(ready.features).shape == (150, 64)
    client.send(Answered(make_snapshot()))
    first = client.until(QueueReady)
    assert first.revision == 0
    assert len(first.queue.indices) >= 50
    answers = {int(index): int(index) % 2 for index in first.queue.indices[:8]}
    client.send(Answered(make_snapshot(answers, revision=8)))
    ranked = client.until(QueueReady, lambda message: message.revision == 8)
    assert not set(ranked.queue.indices.tolist()) & set(answers)
    round_ = client.until(RoundReady, lambda message: message.round.revision == 8).round
    assert round_.labels[list(answers)].tolist() == list(answers.values())
    assert (round_.provenances == Provenance.PREDICTED).any()
    client.send(asked("shares", make_snapshot(answers, revision=8), 149))
    shares = client.until(Reply).result
    assert answers[shares[0][0]] == round_.labels[149]


@pytest.mark.slow
def test_it_is_at_low_priority(client):
    client.until(Ready)
    assert os.getpriority(os.PRIO_PROCESS, client.pid) == min(os.getpriority(os.PRIO_PROCESS, 0) + 10, 19)


@pytest.mark.slow
def test_an_answer_given_while_it_still_clusters_waits_for_its_round(client, make_snapshot):
    client.send(Answered(make_snapshot({0: 0, 1: 1}, revision=2)))
    round_ = client.until(RoundReady).round
    assert round_.revision == 2
    assert round_.labels[[0, 1]].tolist() == [0, 1]


@pytest.mark.slow
def test_a_killed_worker_is_restarted_once_and_gets_the_latest_snapshot_again(client, make_snapshot):
    client.until(Ready)
    client.send(Answered(make_snapshot({0: 0}, revision=1)))
    client.send(Answered(make_snapshot({0: 0, 1: 1}, revision=2)))
    client.until(RoundReady, lambda message: message.round.revision == 2)
    first = client.pid
    os.kill(first, signal.SIGKILL)
    said = client.until(Failed)
    assert "started again" in said.message
    assert not said.fatal
    client.until(Ready)
    assert client.until(RoundReady).round.revision == 2
    assert client.pid != first
    os.kill(client.pid, signal.SIGKILL)
    said = client.until(Failed)
    assert said.fatal
    assert "still saved" in said.message


@pytest.mark.slow
def test_what_is_answered_while_a_worker_is_started_again_reaches_the_new_one(client, make_snapshot, monkeypatch):
    client.until(Ready)
    client.send(Answered(make_snapshot({0: 0}, revision=1)))
    start = subprocess.Popen

    def answer_and_start(*arguments, **options):
        client.send(Answered(make_snapshot({0: 0, 1: 1}, revision=2)))
        time.sleep(0.2)  # until it was written to the one that died
        process = start(*arguments, **options)
        client._process = process
        # before it was told what to open
        client.send(asked("shares", make_snapshot({0: 0, 1: 1}, revision=2), 0, number=7))
        time.sleep(0.2)
        return process

    monkeypatch.setattr(subprocess, "Popen", answer_and_start)
    os.kill(client.pid, signal.SIGKILL)
    assert not client.until(Failed).fatal
    came = [client.until((Reply, RoundReady)) for _ in range(2)]
    assert sorted(type(message).__name__ for message in came) == ["Reply", "RoundReady"]
    assert [message.numbers for message in came if isinstance(message, Reply)] == [[7]]
    assert [message.round.revision for message in came if isinstance(message, RoundReady)] == [2]


@pytest.mark.slow
def test_a_worker_that_reads_nothing_does_not_hold_up_the_end(client, make_snapshot):
    client.until(Ready)
    pid = client.pid
    os.kill(pid, signal.SIGSTOP)
    closing = threading.Thread(target=client.close, daemon=True)
    try:
        revision = itertools.count(1)
        while select.select([], [client._process.stdin], [], 0.2)[1]:  # until the feeder is in the middle of a write
            for _ in range(50):
                client.send(Answered(make_snapshot(dict.fromkeys(range(150), 0), revision=next(revision))))
        closing.start()
        closing.join(PATIENCE)
        assert not closing.is_alive()
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


@pytest.mark.slow
@pytest.mark.parametrize("broken", ["source", "features"])
def test_a_pool_that_cannot_be_opened_is_said_and_the_worker_waits_quietly(recipe, tmp_path, make_snapshot, broken):
    inbox = queue.Queue()
    wrong = {"source": str(tmp_path / "gone.npz")} if broken == "source" else {"features": str(tmp_path / "gone.npy")}
    fields = {name: getattr(recipe, name) for name in recipe.__dataclass_fields__}
    client = WorkerClient(Open(Recipe(**fields | wrong)), inbox.put, tmp_path / "worker.log")
    client.send(Answered(make_snapshot({0: 0}, revision=1)))
    try:
        while isinstance(message := inbox.get(timeout=PATIENCE), Progress):
            pass
        assert isinstance(message, Failed)
        assert message.fatal
        assert "gone" in message.message
        first = client.pid
        client.send(Answered(make_snapshot({0: 0, 1: 0}, revision=2)))
        client.send(asked("shares", make_snapshot(), 0))
    finally:
        client.close()
    assert client.pid == first
    assert inbox.empty()


def test_a_worker_without_a_pool_sleeps_though_an_answer_waits(make_snapshot):
    worker = Worker(None, None)
    worker._answered(Answered(make_snapshot({0: 0})))
    serving = threading.Thread(target=worker._serve_requests, daemon=True)
    serving.start()
    serving.join(0.05)
    assert serving.is_alive()  # it would spin at full speed if it came back without a request
    worker._inbox.put(Answered(make_snapshot({0: 1})))
    serving.join(PATIENCE)
    assert worker._waiting.class_ids.tolist() == [1]


class StepByStep:
    """Stands in for the pipeline: a queue, and work ahead of any length."""

    is_open, ids = True, range(100_000)

    def __init__(self):
        self.asked, self.steps = [], 0

    def rerank(self, snapshot):
        return SimpleNamespace(indices=np.arange(50))

    def round_due(self, n_answers):
        return False

    def join_companion(self):
        return False
        yield

    def work_ahead(self, indices):
        self.asked.append(indices.tolist())
        while True:
            self.steps += 1
            yield Progress("working ahead")


def test_with_nothing_else_to_do_it_works_ahead_and_still_answers(make_snapshot):
    worker, pipeline = Worker(None, None), StepByStep()
    worker._pipeline, worker._warm, worker._joined = pipeline, True, True
    sent = []
    worker._send = sent.append
    worker._inbox.put(Answered(make_snapshot({0: 0})))
    for _ in range(5):
        worker._serve_requests()  # would block here if it took unfinished work ahead for idleness
        worker._step()
    assert pipeline.asked == [list(range(1, 17))]
    assert pipeline.steps == 5
    worker._inbox.put(Answered(make_snapshot({0: 0, 3: 1})))
    worker._serve_requests()
    assert [reply.revision for reply in sent] == [1, 2]
    worker._step()
    assert pipeline.asked[1] == [1, 2, *range(4, 18)]
    assert pipeline.steps == 6
    worker._job = iter([Progress("learning")])
    worker._step()
    assert pipeline.steps == 6  # a round goes first
    assert sent[-1] == Progress("learning")


class Jobs(StepByStep):
    """A pool that compares numbers of clusters, and closes."""

    def __init__(self):
        super().__init__()
        self.closed = []

    def compare_numbers(self, snapshot):
        for done in (0, 1, 2):
            yield Comparison([], done, "")
            yield Progress("clustering")
        yield Comparison([], 3, "")

    def closing(self, snapshot):
        self.closed.append(snapshot.revision)
        yield Progress("computing")
        yield SimpleNamespace(revision=snapshot.revision)


@pytest.fixture
def jobs():
    worker = Worker(None, None)
    worker._pipeline, worker._warm, worker._joined = Jobs(), True, True
    worker.sent = []
    worker._send = worker.sent.append
    return worker


def test_a_job_replies_as_often_as_it_has_something_and_marks_the_last(jobs, make_snapshot):
    jobs._inbox.put(asked("compare_numbers", make_snapshot(revision=3)))
    jobs._serve_requests()
    for _ in range(8):
        jobs._step()
    replies = [message for message in jobs.sent if isinstance(message, Reply)]
    assert [reply.result.total for reply in replies] == [0, 1, 2, 3]
    assert [reply.is_last for reply in replies] == [False, False, False, True]
    assert {(reply.revision, *reply.numbers) for reply in replies} == {(3, 1)}
    assert sum(isinstance(message, Progress) for message in jobs.sent) == 3


def test_a_job_asked_for_again_before_its_turn_is_done_once_for_all_who_asked(jobs, make_snapshot):
    for number, revision in enumerate((1, 2, 3), start=1):
        jobs._inbox.put(asked("closing", make_snapshot(revision=revision), number=number))
        jobs._serve_requests()
        if number == 1:
            jobs._step()  # its turn comes: who asks from here on waits for another one
    for _ in range(6):
        jobs._step()
    assert jobs._pipeline.closed == [1, 3]
    replies = [message for message in jobs.sent if isinstance(message, Reply)]
    assert [(reply.result.revision, reply.numbers) for reply in replies] == [(1, [1]), (3, [2, 3])]


class Views(StepByStep):
    """A pool with two further views, of three steps each to encode."""

    def __init__(self):
        super().__init__()
        self.further, self.engine, self.done, self.notes = self, None, [], ["net is left out"]

    @property
    def are_encoded(self):
        return len([step for step in self.done if step == "encoded"]) == 2

    def encode(self):
        for n_done in range(3):
            self.done.append(n_done)
            yield Progress("encoding", n_done, 3)
        self.done.append("encoded")

    def news(self):
        notes, self.notes = self.notes, []
        return notes

    def join(self, engine):
        self.done.append("joined")
        yield Progress("joining")
        return True

    def work_ahead(self, indices):
        self.done.append("ahead")
        yield Progress("working ahead")

    def round_due(self, n_answers):
        return True

    def round(self, snapshot):
        self.done.append("round")
        yield Progress("learning")


def test_a_further_view_is_encoded_between_all_that_anybody_waits_for(make_snapshot):
    worker, pipeline = Worker(None, None), Views()
    worker._pipeline, worker._warm, worker._reconsidered = pipeline, True, True
    sent = []
    worker._send = sent.append

    def go(done):
        """Step until this was done since the last time, and nothing else."""
        before = len(pipeline.done)
        while len(pipeline.done) < before + len(done):
            worker._serve_requests()
            worker._step()
        assert pipeline.done[before:] == done

    go([0, 1])
    worker._inbox.put(Answered(make_snapshot({0: 0})))
    worker._serve_requests()
    assert isinstance(sent[-1], QueueReady)  # at once
    go(["round", "ahead", 2, "encoded", "joined"])
    go(["round", 0, 1, 2, "encoded", "joined", "round"])  # what joined has its say before the next one is encoded
    while worker._job is not None or not worker._joined:
        worker._inbox.put(None)
        worker._serve_requests()
        worker._step()
    assert [message.text for message in sent if isinstance(message, Offer)] == ["net is left out"]


def test_a_view_that_cannot_be_encoded_is_said_once_and_the_session_goes_on(make_snapshot):
    worker, pipeline = Worker(None, None), Views()

    def encode():
        yield Progress("encoding")
        raise EngineError("no such weights")

    pipeline.encode = encode
    worker._pipeline, worker._warm, worker._reconsidered = pipeline, True, True
    sent = queue.Queue()
    worker._send, worker._listen = sent.put, lambda: None
    threading.Thread(target=worker.run, daemon=True).start()
    assert sent.get(timeout=PATIENCE).what == "encoding"
    failed = sent.get(timeout=PATIENCE)
    assert (failed.message, failed.fatal) == ("no such weights", False)
    worker._inbox.put(Answered(make_snapshot({0: 0})))
    assert isinstance(sent.get(timeout=PATIENCE), QueueReady)
    assert sent.get(timeout=PATIENCE).what == "learning"
    assert sent.empty()


class LeftOut(StepByStep):
    """A pool whose only further view does not work; there is work ahead for whoever answers."""

    def __init__(self):
        super().__init__()
        self.further, self.engine, self.are_encoded, self._notes = self, None, False, []

    def encode(self):
        yield Progress("encoding", 0, 30)
        self.are_encoded = True
        self._notes = ["net is left out"]

    def join(self, engine):
        return False
        yield

    def news(self):
        notes, self._notes = self._notes, []
        return notes


def test_that_a_view_is_left_out_is_said_at_once_and_its_progress_ends(monkeypatch):
    worker = Worker(None, None)
    worker._pipeline, worker._warm, worker._reconsidered = LeftOut(), True, True
    sent = queue.Queue()
    monkeypatch.setattr(protocol, "write", lambda stream, message: sent.put(message))
    worker._listen = lambda: None
    threading.Thread(target=worker.run, daemon=True).start()
    assert sent.get(timeout=PATIENCE) == Progress("encoding", 0, 30)
    assert sent.get(timeout=PATIENCE) == Offer("net is left out")
    assert sent.get(timeout=PATIENCE) == Progress("")
    assert sent.empty()  # it waits for a message by now


def test_that_nothing_is_under_way_is_said_though_it_works_ahead(make_snapshot, monkeypatch):
    worker, pipeline = Worker(None, None), StepByStep()
    worker._pipeline, worker._warm, worker._joined = pipeline, True, True
    sent = []
    monkeypatch.setattr(protocol, "write", lambda stream, message: sent.append(message))
    worker._job = iter([Progress("comparing"), Offer("another encoder")])
    worker._inbox.put(Answered(make_snapshot({0: 0})))
    for _ in range(9):
        worker._serve_requests()
        worker._step()
    assert [message for message in sent if not isinstance(message, QueueReady)] == [
        Progress("comparing"),
        Offer("another encoder"),
        Progress(""),
    ]
    assert pipeline.steps > 1


@pytest.mark.slow
def test_it_ends_with_its_input_whatever_it_is_doing(recipe, make_snapshot):
    worker = subprocess.Popen(
        [sys.executable, "-m", "labeler.worker"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    protocol.write(worker.stdin, Open(recipe))
    while not isinstance(protocol.read(worker.stdout), Ready):
        pass
    protocol.write(worker.stdin, Answered(make_snapshot({0: 0, 1: 1})))
    worker.stdin.close()
    assert worker.wait(timeout=PATIENCE) == 0
    assert worker.stderr.read() == b""
    worker.stdout.close()
    worker.stderr.close()


@pytest.mark.slow
def test_what_a_library_prints_does_not_disturb_the_replies(recipe):
    code = (
        "import labeler.worker.server as worker\n"
        "real = worker.Worker.run\n"
        "def run(self):\n"
        "    print('progress bars are printed', flush=True)\n"
        "    real(self)\n"
        "worker.Worker.run = run\n"
        "worker.main()\n"
    )
    worker = subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    protocol.write(worker.stdin, Open(recipe))
    assert isinstance(protocol.read(worker.stdout), Progress)
    worker.stdin.close()
    assert worker.wait(timeout=PATIENCE) == 0
    assert b"progress bars" in worker.stderr.read()
    worker.stdout.close()
    worker.stderr.close()


@pytest.mark.slow
def test_every_label_as_it_leaves_the_program_is_computed_on_demand(client, recipe, few_digits, make_snapshot):
    """What an audit begun in the application freezes is what the command freezes."""
    snapshot = make_snapshot({index: index % 2 for index in range(12)}, revision=12)
    client.send(asked("closing", snapshot))  # also while the pool is still being read
    closing = client.until(Reply).result
    pipeline = Pipeline(recipe, open_source(few_digits))
    steps.run(pipeline.open())
    expected = pipeline.closing_round(snapshot)
    assert closing.revision == expected.revision == 12
    assert np.array_equal(closing.labels, expected.labels)
    assert np.array_equal(closing.provenances, expected.provenances)
