"""Adding a request to the engine takes a method of the protocol, an engine that has it, and whoever asks: no more."""

from __future__ import annotations

import io
import queue
import subprocess
import sys
from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np
import pytest

from labeler.core.errors import EngineError
from labeler.core.protocols import Engine, requestable
from labeler.core.types import IndexArray, Snapshot
from labeler.engine.book import BookEngine
from labeler.project.open import Options, open_project
from labeler.worker import protocol
from labeler.worker.server import Worker

PATIENCE = 60


@dataclass(frozen=True, slots=True)
class Distances:
    """A record of this test's own."""

    indices: IndexArray
    words: list[str]


@requestable
def farthest(self, snapshot: Snapshot, size: int, skip: IndexArray, word: str = "far") -> Distances | None:
    """The last `size` instances without those in `skip`; None where none is left."""


def add_to_protocol(setattr_) -> None:
    """The first of the three places."""
    setattr_(Engine, "farthest", farthest, raising=False)


def add_to_engine(setattr_) -> None:
    """The second: one engine has it."""

    def here(self, snapshot, size, skip, word="far"):
        left = np.setdiff1d(np.arange(150), skip)[::-1][:size]
        return Distances(left, [f"{word} {index}" for index in left.tolist()]) if len(left) else None

    setattr_(BookEngine, "farthest", here, raising=False)


class InThisProcess:
    """A worker without a process: what is sent and replied goes through frames, as in a pipe."""

    def __init__(self, engine, receive):
        self.worker = Worker(None, None)
        self.worker._pipeline = SimpleNamespace(engine=engine, is_open=True)
        self.worker._send = lambda message: receive(through_a_pipe(message))

    def send(self, message):
        self.worker._inbox.put(through_a_pipe(message))
        self.worker._warm = self.worker._joined = True
        self.worker._serve_requests()

    def close(self):
        pass


def through_a_pipe(message):
    stream = io.BytesIO()
    protocol.write(stream, message)
    stream.seek(0)
    return protocol.read(stream)


@pytest.fixture
def project(few_digits, tmp_path):
    with open_project(few_digits, tmp_path / "p.labeler.db", Options(engine="book", n_clusters=8)) as project:
        project.received = []
        engine = BookEngine.__new__(BookEngine)  # nothing that is asked here looks at features
        receive = project.engine.receive
        project.engine._client = InThisProcess(engine, lambda message: project.received.append(receive(message)))
        yield project


async def test_a_method_of_the_protocol_that_an_engine_has_can_be_asked_for(project, monkeypatch):
    add_to_protocol(monkeypatch.setattr)
    add_to_engine(monkeypatch.setattr)
    skip = np.array([149, 147], dtype=np.int64)
    reply = await project.engine.request(farthest, size=3, skip=skip)
    assert reply.indices.tolist() == [148, 146, 145]
    assert reply.indices.dtype == np.int64
    assert reply.words == ["far 148", "far 146", "far 145"]
    assert (await project.engine.request(farthest, 1, skip, word="a")).words == ["a 148"]
    assert await project.engine.request(farthest, 3, np.arange(150)) is None


async def test_an_engine_that_does_not_have_it_says_so_in_one_line(project, monkeypatch):
    add_to_protocol(monkeypatch.setattr)
    with pytest.raises(EngineError, match="this engine has no 'farthest'"):
        await project.engine.request(farthest, 3, np.arange(2))
    assert [received.note.count("\n") for received in project.received] == [0]
    assert not project.received[0].failed


async def test_what_is_no_request_cannot_be_asked_for(project):
    for method in (farthest, Engine.predict, Engine.open):  # not in the protocol; not marked there
        with pytest.raises(EngineError, match=f"nothing called '{method.__name__}' can be asked") as error:
            project.engine.request(method, 3, np.arange(2))
        assert "similar" in error.value.hint


def test_a_worker_that_is_asked_for_what_it_does_not_know_says_so_and_goes_on(project, make_snapshot):
    sent = []
    client = project.engine._client
    client.worker._send = sent.append
    for number, name in enumerate(("unheard_of", "__class__"), start=5):
        client.send(protocol.Request(name, [number], make_snapshot()))
    assert [(failed.numbers, failed.fatal) for failed in sent] == [([5], False), ([6], False)]
    assert sent[0].message == "nothing called 'unheard_of' can be asked of the engine"


def test_arguments_that_do_not_fit_are_refused_where_they_are_given(project, monkeypatch):
    add_to_protocol(monkeypatch.setattr)
    with pytest.raises(TypeError, match="skip"):
        project.engine.request(farthest, size=3)
    with pytest.raises(TypeError, match="sice"):
        project.engine.request(farthest, sice=3, skip=np.arange(2))


async def test_what_a_worker_that_ended_was_asked_fails_and_does_not_wait_forever(project, monkeypatch):
    monkeypatch.setattr(project.engine._client, "send", lambda message: None)
    pending = project.engine.request(Engine.similar, 3, 5, np.arange(2))
    project.engine.receive(protocol.Failed("the worker ended", "look at its log", has_ended=True))
    with pytest.raises(EngineError, match="the worker ended"):
        await pending


SCRIPT = """
from tests.adding.test_a_request import add_to_engine, add_to_protocol
from labeler.worker.server import main

def put(owner, name, value, raising):
    setattr(owner, name, value)

add_to_protocol(put)
add_to_engine(put)
main()
"""


@pytest.mark.slow
async def test_it_goes_through_a_worker_of_its_own(few_digits, tmp_path, monkeypatch):
    add_to_protocol(monkeypatch.setattr)
    real = subprocess.Popen
    monkeypatch.setattr(subprocess, "Popen", lambda command, **kw: real([sys.executable, "-c", SCRIPT], **kw))
    inbox: queue.Queue = queue.Queue()
    options = Options(engine="book", n_clusters=8, encoder="pixels")
    with open_project(few_digits, tmp_path / "p.labeler.db", options) as project:
        project.engine.start(inbox.put)
        pending = project.engine.request(farthest, 2, np.array([149], dtype=np.int64))  # also before the pool is read
        while not pending.is_done:
            received = project.engine.receive(inbox.get(timeout=PATIENCE))
            assert not received.failed, received.note
        assert (await pending).indices.tolist() == [148, 147]
