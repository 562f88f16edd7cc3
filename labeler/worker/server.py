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
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from labeler.core.errors import LabelerError
from labeler.core.numeric.choose_k import Tried
from labeler.core.types import Progress, Queue, Round, Snapshot
from labeler.plugins import custom
from labeler.plugins.encoders.comparison import ENOUGH_ANSWERS
from labeler.plugins.importers.detect import open_source
from labeler.worker import protocol
from labeler.worker.pipeline import Pipeline
from labeler.worker.protocol import (
    Answered,
    ClosingReady,
    ClosingWanted,
    Failed,
    GridReady,
    GridWanted,
    HuntReady,
    HuntWanted,
    KsTried,
    KsWanted,
    OddReady,
    OddWanted,
    Open,
    QueueReady,
    Ready,
    RoundReady,
    SharesReady,
    SharesWanted,
    SimilarReady,
    SimilarWanted,
)

LOW_PRIORITY = 10
EAGER_UP_TO = 20_000
"""Pools up to this size get a round after every answer: it takes a fraction of a second behind the person."""

AHEAD = 16
"""Questions at the head of the queue whose answers are worked ahead for."""


class Worker:
    """Requests in, replies out; single-threaded but for the reader of the input."""

    def __init__(self, requests: BinaryIO, replies: BinaryIO) -> None:
        self._requests, self._replies = requests, replies
        self._inbox: queue.Queue[Any] = queue.Queue()
        self._pipeline: Pipeline | None = None
        self._job: Iterator[Any] | None = None
        self._ahead: Iterator[Progress] | None = None
        self._waiting: Snapshot | None = None
        self._latest: Snapshot | None = None
        self._odd_wanted: OddWanted | None = None
        self._closing_wanted: ClosingWanted | None = None
        self._warm = False
        self._gave_way = False
        self._reconsidered = False
        self._joined = False
        self._compares = False  # numbers of clusters are to be compared

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
                self._job = self._ahead = None
                self._send(Failed(error.message, error.hint, fatal=not self._is_open))

    def _listen(self) -> None:
        while (message := protocol.read(self._requests)) is not None:
            self._inbox.put(message)
        os._exit(0)  # the application is gone: nothing here is worth keeping

    def _serve_requests(self) -> None:
        """Everything in the inbox; waits for the next request only when there is nothing else to do."""
        latest: Answered | None = None
        wanted = self._waiting or self._odd_wanted or self._closing_wanted
        idle = self._job is None and (wanted is None or not self._is_open)
        if idle:
            self._warm_up()
            self._compare()
            self._join()
            self._reconsider()
            idle = self._job is None and self._ahead is None
        while idle or not self._inbox.empty():
            message = self._inbox.get()
            idle = False
            if isinstance(message, Open):
                self._job = self._open(message)
            elif isinstance(message, Answered):
                latest = message
            elif isinstance(message, GridWanted) and self._pipeline and self._is_open:
                grid = self._pipeline.grid(message.snapshot, message.size, message.skip)
                self._send(GridReady(message.snapshot.revision, grid))
            elif isinstance(message, SimilarWanted) and self._pipeline and self._is_open:
                found = self._pipeline.similar(message.snapshot, message.index, message.size, message.skip)
                self._send(SimilarReady(message.snapshot.revision, message.index, found))
            elif isinstance(message, HuntWanted) and self._pipeline and self._is_open:
                found = self._pipeline.hunt(message.snapshot, message.class_id, message.size, message.skip)
                self._send(HuntReady(message.snapshot.revision, message.class_id, found))
            elif isinstance(message, OddWanted):
                self._odd_wanted = message
            elif isinstance(message, SharesWanted) and self._pipeline and self._is_open:
                shares = self._pipeline.shares(message.snapshot, message.index)
                self._send(SharesReady(message.index, [[float(index), share] for index, share in shares]))
            elif isinstance(message, ClosingWanted):
                self._closing_wanted = message
            elif isinstance(message, KsWanted):
                self._compares = True
        if latest is not None:
            self._answered(latest)

    def _odd_ones(self, wanted: OddWanted, pipeline: Pipeline) -> Iterator[Progress | OddReady]:
        found = yield from pipeline.odd_ones(wanted.snapshot, wanted.size, wanted.first)
        yield OddReady(*found)

    def _closing(self, wanted: ClosingWanted, pipeline: Pipeline) -> Iterator[Progress | ClosingReady]:
        """After the live round of the same answers, which would take its place otherwise."""
        yield Progress("computing every label anew")
        yield from pipeline.join_companion()
        yield ClosingReady(pipeline.closing_round(wanted.snapshot))

    def _answered(self, message: Answered) -> None:
        pipeline = self._pipeline
        self._latest = message.snapshot
        if pipeline is None or not pipeline.is_open:
            self._waiting = message.snapshot  # answered from the stored round while the pool is still being read
            return
        if not message.urgent:
            ranked = pipeline.rerank(message.snapshot)
            self._send(QueueReady(message.snapshot.revision, ranked))
            self._look_ahead(ranked)
        n_answers = len(message.snapshot.indices)
        if message.urgent or len(pipeline.ids) <= EAGER_UP_TO or pipeline.round_due(n_answers):
            self._waiting = message.snapshot

    def _step(self) -> None:
        if self._job is None and self._odd_wanted is not None and self._pipeline is not None and self._is_open:
            self._job, self._odd_wanted = self._odd_ones(self._odd_wanted, self._pipeline), None
        closes = self._job is None and self._waiting is None and self._pipeline is not None and self._is_open
        if closes and self._closing_wanted is not None and self._pipeline is not None:
            self._job, self._closing_wanted = self._closing(self._closing_wanted, self._pipeline), None
        if self._job is None:
            if self._waiting is None or self._pipeline is None or not self._is_open:
                self._go_ahead()
                return
            self._job, self._waiting = self._pipeline.round(self._waiting), None
        step = next(self._job, None)
        if step is None:
            self._job = None
        else:
            self._send(RoundReady(step) if isinstance(step, Round) else step)
            if isinstance(step, Round):
                self._look_ahead(step.queue)

    def _look_ahead(self, ranked: Queue) -> None:
        """From here on, work ahead for the head of this queue, without what was answered meanwhile."""
        pipeline, latest = self._pipeline, self._latest
        if pipeline is None or latest is None:
            return
        left = ranked.indices[~np.isin(ranked.indices, latest.indices)]
        self._ahead = pipeline.work_ahead(left[:AHEAD])

    def _go_ahead(self) -> None:
        """One step of the work nobody waits for; it is not reported."""
        if self._ahead is not None and next(self._ahead, None) is None:
            self._ahead = None

    def _compare(self) -> None:
        """With nothing more urgent to do: compare numbers of clusters, for somebody who looks on."""
        if self._compares and self._pipeline is not None and self._is_open and self._job is None:
            self._compares = False
            self._job = self._comparing(self._pipeline)

    def _comparing(self, pipeline: Pipeline) -> Iterator[Progress | KsTried]:
        tried: list[Tried] = []
        ks, about = pipeline.ks(), pipeline.compared()
        yield KsTried([], len(ks), about)
        for step in pipeline.compare(ks):
            if isinstance(step, Tried):
                tried.append(step)
                yield KsTried(list(tried), len(ks), about)
            else:
                yield step

    def _join(self) -> None:
        """With nothing else to do: look at photos a second way, then think again."""
        if self._joined or self._pipeline is None or not self._is_open or self._job is not None:
            return
        self._joined = True
        self._job = self._joining(self._pipeline)

    def _joining(self, pipeline: Pipeline) -> Iterator[Progress]:
        if (yield from pipeline.join_companion()):
            self._waiting = self._latest

    def _reconsider(self) -> None:
        """Once there are enough answers and nothing else to do: was the encoder the right one?"""
        snapshot, pipeline = self._latest, self._pipeline
        if (
            self._job is not None
            or self._reconsidered
            or pipeline is None
            or snapshot is None
            or len(snapshot.indices) < ENOUGH_ANSWERS
        ):
            return
        self._reconsidered = True
        self._job = self._offer(pipeline, snapshot)

    def _offer(self, pipeline: Pipeline, snapshot: Snapshot) -> Iterator[Progress | protocol.Offer]:
        offer = yield from pipeline.other_encoder(snapshot)
        if offer is not None:
            yield offer

    def _open(self, message: Open) -> Iterator[Progress | Ready | QueueReady]:
        source = open_source(Path(message.recipe.source), message.recipe.reading)
        for file in message.recipe.plugins:
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

    def _give_way(self) -> None:
        """Low priority from the first question on: now the screen comes first."""
        if not self._gave_way:
            os.nice(LOW_PRIORITY)
            self._gave_way = True

    def _warm_up(self) -> None:
        """Import what the first fit needs while the person looks at the first question."""
        if not self._warm and self._is_open and self._inbox.empty():
            import sklearn.linear_model  # noqa: F401

            self._warm = True

    def _send(self, message: Any) -> None:
        protocol.write(self._replies, message)


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
