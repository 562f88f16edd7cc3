"""`python -m labeler.worker`: the heavy process behind the application, fed through its standard input.

It ends when its input ends, holds no database and no lock, and runs at low priority once there is a question. One job
of a kind runs and one waits (the latest); between two batches of a job it serves the short requests. With nothing else
to do it works ahead for the answers to the next questions.
"""

from __future__ import annotations

import os
import queue
import sys
import threading
import traceback
from collections.abc import Iterator
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from labeler.core import codec
from labeler.core.errors import EngineError, LabelerError
from labeler.core.protocols import Engine
from labeler.core.requests import signature
from labeler.core.types import Progress, Queue, Round, Snapshot
from labeler.plugins import custom
from labeler.plugins.encoders.comparison import ENOUGH_ANSWERS
from labeler.plugins.importers.detect import open_source
from labeler.worker import protocol
from labeler.worker.further_views import FurtherViews
from labeler.worker.pipeline import Pipeline
from labeler.worker.protocol import Answered, Failed, Offer, Open, QueueReady, Ready, Reply, Request, RoundReady

LOW_PRIORITY = 10  # the screen's process and all else come first
EAGER_UP_TO = 20_000
"""Pools up to this size get a round after every answer: it takes a fraction of a second behind the person."""

AHEAD = 16  # 8 ms each at 10,000 rows, 75 at 70,000: done while the person looks (benchmarks/engine_speed.md)
"""Questions at the head of the queue whose answers are worked ahead for."""


class Worker:
    """Requests in, replies out; single-threaded but for the reader of the input."""

    def __init__(self, requests: BinaryIO, replies: BinaryIO) -> None:
        self._input, self._output = requests, replies
        self._inbox: queue.Queue[Any] = queue.Queue()
        self._pipeline: Pipeline | None = None
        self._job: Iterator[Any] | None = None
        self._ahead: Iterator[Progress] | None = None
        self._behind: Iterator[Progress] | None = None  # a further view on its way
        self._sign: Progress | None = None
        self._is_progress_shown = False
        self._waiting: Snapshot | None = None
        self._latest: Snapshot | None = None
        self._requested: list[Request] = []  # jobs, and whatever was asked for before the pool is open
        self._warm = False
        self._gave_way = False
        self._reconsidered = False
        self._joined = False

    @property
    def _is_open(self) -> bool:
        return self._pipeline is not None and self._pipeline.is_open

    def run(self) -> None:
        """Serve until the input ends."""
        threading.Thread(target=self._listen, daemon=True).start()
        while True:
            try:
                self._serve_requests()
                self._step()
            except LabelerError as error:
                self._job = self._ahead = self._behind = None
                self._send(Failed(error.message, error.hint, fatal=not self._is_open))

    def _listen(self) -> None:
        while (message := protocol.read(self._input)) is not None:
            self._inbox.put(message)
        os._exit(0)  # the application is gone: nothing here is worth keeping

    def _serve_requests(self) -> None:
        """Serve everything in the inbox; wait for the next message only when there is nothing else to do."""
        latest: Answered | None = None
        has_work = self._waiting is not None or bool(self._requested)
        idle = self._job is None and not (has_work and self._is_open)
        if idle:
            self._warm_up()
            self._join()
            self._reconsider()
            if self._job is None and self._behind is None:
                self._end_progress()
            idle = self._job is None and self._ahead is None and self._behind is None
        while idle or not self._inbox.empty():
            message = self._inbox.get()  # waits where there is nothing to do: no polling
            idle = False
            if isinstance(message, Open):
                self._job = self._open(message)
            elif isinstance(message, Answered):
                latest = message
            elif isinstance(message, Request):
                self._request(message)
        if latest is not None:
            self._answered(latest)

    def _request(self, request: Request) -> None:
        """Reply at once to what takes no time; a job waits for its turn, once for all who asked for the same."""
        try:
            is_job = signature(request.name).is_job
        except EngineError as error:
            self._send(Failed(error.message, error.hint, numbers=request.numbers))
            return
        if self._is_open and not is_job:
            for reply in self._replies(request):
                self._send(reply)
            return
        others, numbers = [], request.numbers
        for other in self._requested:
            if _asks_the_same(other, request):
                numbers = other.numbers + numbers
            else:
                others.append(other)
        self._requested = [*others, replace(request, numbers=numbers)]

    def _replies(self, request: Request) -> Iterator[Progress | Reply | Failed]:
        """Do what is requested: signs of life and its results, the last of them marked; or why there is none."""
        latest: Reply | None = None
        try:
            for step in self._results(request):
                if latest is not None:  # held back until it is known whether it was the last
                    yield latest
                    latest = None
                if isinstance(step, Progress):
                    yield step
                else:
                    latest = Reply(request.name, request.numbers, request.snapshot.revision, step, is_last=False)
            if latest is None:
                raise EngineError(f"{request.name} came to no result", "ask again")
            yield replace(latest, is_last=True)
        except LabelerError as error:
            yield Failed(error.message, error.hint, numbers=request.numbers)

    def _results(self, request: Request) -> Iterator[Any]:
        """Call the method of the pipeline, or of its engine, that is requested."""
        asked, pipeline = signature(request.name), self._pipeline
        owner = getattr(pipeline, "engine", None) if asked.owner is Engine else pipeline
        method = getattr(owner, request.name, None)
        if method is None:
            raise EngineError(f"this engine has no {request.name!r}", "another one may: --engine default")
        arguments = {item.name: getattr(request.arguments, item.name) for item in fields(request.arguments)}
        result = method(request.snapshot, **arguments)
        if asked.is_job:
            yield from result
        else:
            yield result

    def _answered(self, message: Answered) -> None:
        pipeline = self._pipeline
        self._latest = message.snapshot
        if pipeline is None or not pipeline.is_open:
            self._waiting = message.snapshot  # answered from the stored round while the pool is still being read
            return
        # urgent: something was taken back, and what rested on it is on the screen: the round that mends it comes first
        if not message.urgent:
            ranked = pipeline.rerank(message.snapshot)
            self._send(QueueReady(message.snapshot.revision, ranked))
            self._look_ahead(ranked)
        n_answers = len(message.snapshot.indices)
        if message.urgent or len(pipeline.ids) <= EAGER_UP_TO or pipeline.round_due(n_answers):
            self._waiting = message.snapshot

    def _step(self) -> None:
        if self._job is None:
            self._job = self._next_job()
        if self._job is None:
            self._go_ahead()
            return
        step = next(self._job, None)
        if step is None:
            self._job = None
        else:
            self._send(RoundReady(step) if isinstance(step, Round) else step)
            if isinstance(step, Round):
                self._look_ahead(step.queue)

    def _next_job(self) -> Iterator[Any] | None:
        """Return what is to be done next; None where nothing waits, or nothing can be done yet."""
        if self._pipeline is None or not self._is_open:
            return None
        if self._waiting is not None:  # before requests: it would take the place of a closing round of the same answers
            snapshot, self._waiting = self._waiting, None
            return self._pipeline.round(snapshot)
        return self._replies(self._requested.pop(0)) if self._requested else None

    def _look_ahead(self, ranked: Queue) -> None:
        """Work ahead from here on for the head of this queue, without what was answered meanwhile."""
        pipeline, latest = self._pipeline, self._latest
        if pipeline is None or latest is None:
            return
        left = ranked.indices[~np.isin(ranked.indices, latest.indices)]
        self._ahead = pipeline.work_ahead(left[:AHEAD])

    def _go_ahead(self) -> None:
        """One step of the work nobody waits for; that for the next answers first, and it is not reported."""
        if self._ahead is not None:
            if next(self._ahead, None) is None:
                self._ahead = None
        elif self._behind is not None:
            step = next(self._behind, None)
            if step is None:
                self._behind = None
            elif step != self._sign:  # many a step only looks whether children are ready
                self._sign = step
                self._send(step)

    def _join(self) -> None:
        """With nothing else to do: look at photos in further ways, one after the other, then think again."""
        if self._joined or self._pipeline is None or self._job is not None or self._behind is not None:
            return
        further = self._pipeline.further
        if further is None:
            return
        if further.are_encoded:
            self._joined = True
            for offer in _news(further):
                self._send(offer)
        else:
            self._behind = self._encoding(further)

    def _encoding(self, further: FurtherViews) -> Iterator[Progress]:
        """Encode the next view; a round, or whatever is requested meanwhile, comes before its next step."""
        self._joined = True  # if it cannot be done it is not tried again
        yield from further.encode()
        self._joined = False
        self._job = self._joining(further)

    def _joining(self, further: FurtherViews) -> Iterator[Progress | Offer]:
        if self._pipeline is not None and (yield from further.join(self._pipeline.engine)):
            self._waiting = self._latest
        yield from _news(further)

    def _reconsider(self) -> None:
        """Once there are enough answers and nothing else to do: was the encoder the right one?"""
        snapshot, pipeline = self._latest, self._pipeline
        if (
            self._job is not None
            or self._behind is not None
            or self._reconsidered
            or pipeline is None
            or snapshot is None
            or len(snapshot.indices) < ENOUGH_ANSWERS
        ):
            return
        self._reconsidered = True  # once a session: an offer that was not followed is not made again
        self._job = self._offer(pipeline, snapshot)

    def _offer(self, pipeline: Pipeline, snapshot: Snapshot) -> Iterator[Progress | protocol.Offer]:
        offer = yield from pipeline.other_encoder(snapshot)
        if offer is not None:
            yield offer

    def _open(self, message: Open) -> Iterator[Progress | Ready | QueueReady | Offer]:
        source = open_source(Path(message.recipe.source), message.recipe.reading)
        for file in message.recipe.plugins:  # before the pipeline, whose recipe may name them
            custom.load(Path(file))
        self._pipeline = Pipeline(message.recipe, source, message.ids, message.imported)
        if self._latest is None:  # a fresh session: nothing is on the screen yet
            queue = yield from self._pipeline.early()
            if queue is not None:
                self._give_way()
                yield QueueReady(message.revision, queue)
        ready = yield from self._pipeline.open()
        self._give_way()
        yield ready
        if (offer := self._pipeline.offer_of_extra()) is not None:
            yield offer

    def _give_way(self) -> None:
        """Low priority from the first question on: now the screen comes first."""
        if not self._gave_way:
            os.nice(LOW_PRIORITY)
            self._gave_way = True

    def _warm_up(self) -> None:
        """Import what the first fit needs while the person looks at the first question."""
        if not self._warm and self._is_open and self._inbox.empty():
            # start-up: that nobody waits for it is what this import is here for
            import sklearn.linear_model  # noqa: F401

            self._warm = True

    def _end_progress(self) -> None:
        """Take the last sign of life from the screen: its job came to an end that shows nothing new."""
        if self._is_progress_shown and self._is_open:
            self._send(Progress(""))

    def _send(self, message: Any) -> None:
        if isinstance(message, Progress):
            self._is_progress_shown = bool(message.what)
        protocol.write(self._output, message)


def _news(further: FurtherViews) -> list[Offer]:
    """Return what there is to say of views that were left out since this was asked before."""
    return [Offer(note) for note in further.news()]


def _asks_the_same(request: Request, other: Request) -> bool:
    """Whether two requests differ at most in the answers they rest on: the later one is as good a reply to both."""
    if request.name != other.name:
        return False
    (values, arrays), (others, other_arrays) = _taken_apart(request), _taken_apart(other)
    return values == others and all(np.array_equal(arrays[name], other_arrays[name]) for name in arrays)


def _taken_apart(request: Request) -> tuple[dict[str, Any], dict[str, Any]]:
    arrays: dict[str, Any] = {}
    return codec.encode(request.arguments, arrays), arrays


def main() -> None:
    """Run on standard input and output; prints of libraries go to standard error."""
    replies = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    try:
        Worker(sys.stdin.buffer, replies).run()
    except BaseException:  # a mistake of our own: to the log, and out; the application starts another worker
        traceback.print_exc()
        sys.stderr.flush()
        os._exit(1)  # the reader thread still holds the input: an ordinary exit would wait for it
