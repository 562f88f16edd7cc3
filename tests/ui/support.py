"""A project without files or worker: a real Session over a journal in memory, pictures made on the spot."""

from __future__ import annotations

import asyncio
import itertools
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
from textual import events
from textual.pilot import Pilot

from labeler.core.errors import EngineError, UnreadableInstance
from labeler.core.numeric.choose_k import Tried
from labeler.core.pool import Pool
from labeler.core.requests import Comparison, Outliers
from labeler.core.types import UNLABELED, Advice, Grid, Progress, Provenance, Queue, Round
from labeler.project.reply import PendingReply
from labeler.session.session import Session
from labeler.ui.app import LabelerApp
from labeler.ui.pictures.cache import Pictures
from labeler.ui.screens.base import LabelScreen
from tests.memory_journal import MemoryJournal


@dataclass(frozen=True)
class Received:
    changed: bool = False
    progress: Progress | None = None
    note: str = ""
    failed: bool = False


LATER = object()
"""Of a request whose results a test puts in itself, into `project.pending`."""

GLYPHS = {
    0: "01110 10001 10001 10001 10001 10001 01110",
    1: "00100 01100 00100 00100 00100 00100 01110",
    2: "01110 10001 00001 00110 01000 10000 11111",
    3: "11110 00001 00001 01110 00001 00001 11110",
    4: "00010 00110 01010 10010 11111 00010 00010",
    5: "11111 10000 11110 00001 00001 10001 01110",
    6: "00110 01000 10000 11110 10001 10001 01110",
    7: "11111 00001 00010 00100 01000 01000 01000",
    8: "01110 10001 10001 01110 10001 10001 01110",
    9: "01110 10001 10001 01111 00001 00010 01100",
}


def digit(value: int) -> np.ndarray:
    rows = [[int(bit) for bit in row] for row in GLYPHS[value].split()]
    image = np.zeros((8, 8), dtype=np.uint8)
    image[:7, 1:6] = np.array(rows) * 230
    return image


def make_round(n: int, n_clusters: int, revision: int = 0, number: int = 1, n_classes: int = 0) -> Round:
    labels = np.full(n, UNLABELED, dtype=np.int32)
    provenances = np.zeros(n, dtype=np.uint8)
    guesses = np.full((n, 3), UNLABELED, dtype=np.int32)
    scores = np.zeros((n, 3), dtype=np.float32)
    if n_classes:
        labels[:] = np.arange(n) % 10 % n_classes
        provenances[:] = Provenance.PREDICTED
        provenances[: n // 2] = Provenance.PROPAGATED
        for place in range(min(3, n_classes)):
            guesses[:, place] = (labels + place) % n_classes
            scores[:, place] = (0.7, 0.2, 0.05)[place]
    rules = np.zeros(n, dtype=np.uint8)
    rules[n_clusters:] = 1
    queue = Queue(
        np.arange(n, dtype=np.int64),
        np.linspace(1, 0, n, dtype=np.float32),
        rules,
        ("representative", "uncertain"),
        np.full(n, 0.5, dtype=np.float32),
        guesses,
        scores,
    )
    return Round(
        revision, number, "book", labels, provenances, scores[:, 0], np.zeros(n, dtype=np.uint8),
        np.full(n, -1, dtype=np.int32), (np.arange(n) % n_clusters).astype(np.int32),
        (np.arange(n) // n_clusters).astype(np.float32),
        np.full(n, UNLABELED, dtype=np.int32), np.arange(n_clusters, dtype=np.int64), queue,
        Advice("answer", "go on answering: the next 20 keys help most"),
        {"encoder": "pixels", "clusterer": "k-means", "n_clusters": n_clusters, "classifier": "logreg"},
        foreign=((np.arange(n_clusters) + 1) % n_clusters).astype(np.int32),
    )  # fmt: skip


class FakeProject:
    """The door the screens draw from, as `labeler.project.open.Project` has it."""

    def __init__(
        self,
        n: int = 400,
        n_clusters: int = 50,
        classes: tuple[str, ...] = tuple("0123456789"),
        n_classes_known: int = 0,
        ids: list[str] | None = None,
        image: Callable[[int], np.ndarray] | None = None,
        with_round: bool = True,
        bare_queue: bool = False,
    ) -> None:
        self.instances = self.engine = self  # its parts, in one object
        self.name = "digits"
        self.path = Path("digits.labeler.db")
        self.source_path = Path("digits")
        self.notices: list[str] = []
        self.truth = None
        self.journal = MemoryJournal()
        clock, count = itertools.count(1), itertools.count()
        pool = Pool(ids or [f"{index:04d}.png" for index in range(n)])
        self.session = Session(pool, self.journal, clock=lambda: float(next(clock)), new_id=lambda: str(next(count)))
        for name in classes:
            self.session.classes.add(name, setup=True)
        self.n_clusters, self.n_classes_known = n_clusters, n_classes_known
        self._image, self._bare_queue = image, bare_queue
        self.sent = 0
        self.wanted_ks = self.restarts = self.wanted_closing = 0
        self.is_ready = with_round
        self.wanted: list[tuple[int, list[int]]] = []
        self.wanted_similar: list[tuple[int, int, list[int]]] = []
        self.no_pages = False
        self.wanted_odd = 0
        self.wanted_hunts: list[tuple[int, list[int]]] = []
        self.is_closed = False
        self.no_odd_yet = False
        self.folders: list[str] = []
        self.options: dict[str, Any] = {}
        self.fetched: list[Progress] = []
        self.may_go_on = threading.Event()
        self.adopted_by: threading.Thread | None = None
        self.times_closed = self.times_saved = 0
        self.post: Callable[[object], None] = lambda message: None
        if with_round:
            self.merge_round()

    def merge_round(self) -> None:
        revision = self.session.state.revision
        round_ = make_round(len(self.session.pool), self.n_clusters, revision, 1, self.n_classes_known)
        if self._bare_queue:
            round_.queue.guesses[:] = UNLABELED
        self.session.merge_round(round_)

    def view(self):
        return self.session.view()

    def image(self, index: int) -> np.ndarray:
        if self._image is not None:
            return self._image(index)
        if index == 399:
            raise UnreadableInstance("cut short")
        return digit(index % 10)

    content = "images"

    def mean_of(self, indices: Any) -> Any:
        return None

    def shown(self, index: int) -> Any:
        return self.image(index)

    def location(self, index: int) -> str:
        return self.session.pool.ids[index]

    def folder_classes(self) -> list[str]:
        return self.folders

    def file_size(self, index: int) -> int | None:
        return 320

    def neighbors(self, index: int, count: int) -> list[tuple[int, int]]:
        standings = self.session.state.answers
        found = [(other, s.class_id) for other, s in standings.items() if s.kind == "label" and other != index]
        return found[-count:]

    def start(self, post: Callable[[object], None]) -> None:
        self.post = post
        if self.restarts:
            self.n_clusters = self.session.state.settings["option.n_clusters"]
            post("round")

    def receive(self, message: object) -> Received:
        if isinstance(message, Received):
            return message
        if message == "round":
            self.merge_round()
            return Received(changed=True, note=" · ".join(self.session.round_notes))
        raise TypeError(message)

    def request(self, method: Callable[..., Any], *args: Any, **kwargs: Any) -> PendingReply:
        """Ask the method of that name here: several results if it is a job, an error where it gives one, None later."""
        pending = PendingReply()
        results = getattr(self, method.__name__)(*args, **kwargs)
        self.pending = pending
        if isinstance(results, EngineError):
            pending.fail(results)
        elif results is not LATER:
            results = list(results) if isinstance(results, Iterator) else [results]
            for place, result in enumerate(results, start=1):
                pending.put(result, is_last=place == len(results))
        return pending

    def grid(self, size: int, skip: np.ndarray) -> Grid | None:
        """Pages of ten: instances of one class each, in order."""
        shown = skip.tolist()
        self.wanted.append((size, shown))
        standings = self.session.state.answers
        n_classes = min(10, len(self.session.state.active_classes()))
        class_id = len(self.wanted) % n_classes
        open_ = [i for i in range(class_id, 400, 10) if i not in standings and i not in shown][:size]
        grid = Grid(
            class_id,
            np.array(open_, dtype=np.int64),
            np.full(len(open_), (class_id + 1) % n_classes, dtype=np.int32),
            1.0,
        )
        return None if self.no_pages else grid

    def similar(self, index: int, size: int, skip: np.ndarray) -> np.ndarray:
        """What shows the same digit is near, the lower number first."""
        shown = skip.tolist()
        self.wanted_similar.append((index, size, shown))
        standings = self.session.state.answers
        near = [i for i in range(index % 10, 400, 10) if i not in standings and i not in shown]
        near.sort(key=lambda i: abs(i - index))
        return np.array(near[:size], dtype=np.int64)

    def hunt(self, class_id: int, size: int, skip: np.ndarray) -> np.ndarray:
        """What shows the hunted digit comes after as many others as it has labels, then every third one does."""
        shown = skip.tolist()
        self.wanted_hunts.append((class_id, shown))
        left = [i for i in range(len(self.session.pool)) if i not in self.session.state.answers and i not in shown]
        found, others = ([i for i in left if (i % 10 == class_id) is is_one] for is_one in (True, False))
        mixed = [i for place, i in enumerate(found) for i in (i, *others[2 * place : 2 * place + 2])][:size]
        return np.array(mixed, dtype=np.int64)

    def outliers(self, size: int, first: np.ndarray) -> Any:
        """The last ones without an answer, the later the odder."""
        self.wanted_odd += 1
        found = [i for i in range(len(self.session.pool) - 1, -1, -1) if i not in self.session.state.answers][:size]
        scores = np.linspace(2, 1, len(found), dtype=np.float32)
        return LATER if self.no_odd_yet else Outliers(np.array(found, dtype=np.int64), scores)

    def in_no_cluster(self) -> np.ndarray:
        return (
            np.flatnonzero(self.session.machine_labels.round.outliers)
            if self.session.machine_labels.round
            else np.empty(0)
        )

    def shares(self, index: int) -> Any:
        """All answers of its class, the later ones with less."""
        class_id, _ = self.session.label_of(index)
        found = [other for other, s in self.session.state.answers.items() if s.class_id == class_id]
        return [(other, 2.0 ** -(place + 1)) for place, other in enumerate(found)]

    def closing(self) -> Any:
        """The round there is, as of now; at once."""
        self.wanted_closing += 1
        self.is_closed = True
        self.post(Received(changed=True))
        return self.closing_now()

    def closing_now(self) -> Round:
        return replace(self.session.machine_labels.round, revision=self.session.state.revision)

    def recipe(self) -> Any:
        return SimpleNamespace(seed=0)

    def check_features(self) -> None:
        pass

    def missing_views(self) -> list[str]:
        return []

    def pin_encoder(self, progress: Callable[[Progress], None]) -> None:
        for step in self.fetched:
            progress(step)
            self.may_go_on.wait(30)

    def adopt(self) -> None:
        self.adopted_by = threading.current_thread()

    def compare_numbers(self) -> Any:
        """Four numbers, two at a time."""
        all_ = [Tried(k, k, 1000.0 / k, score) for k, score in ((5, 0.1), (10, 0.3), (50, 0.2), (100, 0.15))]
        self.wanted_ks += 1
        self.post(Received(changed=True))
        return iter([Comparison(all_[:done], 4, "kmeans of 400 instances") for done in (0, 2, 4)])

    def take_clusters(self, k: int) -> None:
        self.session.set(**{"option.n_clusters": k})

    def end(self) -> None:
        self.restarts += 1

    def changed(self) -> None:
        self.sent += 1

    def close(self) -> None:
        self.times_closed += 1

    def save_derived(self) -> bool:
        self.times_saved += 1
        return False

    def summary(self) -> str:
        return "summary"

    # -- what tests ask --

    def labels(self) -> list[tuple[int, str]]:
        """(index, class name) of every label event, in order."""
        names = {info.class_id: info.name for info in self.session.state.classes.values()}
        index = self.session.pool.index
        return [(index(e.instance_id), names[e.class_id]) for e in self.journal.events if e.kind == "label"]


async def arrived(app: LabelerApp) -> None:
    """Until what was posted so far has reached the application: its keys are in line then."""
    done = asyncio.Event()
    app.call_later(done.set)
    await done.wait()


async def settle(app: LabelerApp, pilot: Pilot[None]) -> None:
    """Until every key was handled and the screen in front is painted."""
    await arrived(app)
    for _ in range(12_000):  # a minute: a bound for a machine that does much else, no wait
        screen = app.screen
        painted = not isinstance(screen, LabelScreen) or screen.painted.is_set() or screen.too_small
        if app.line.idle and painted:
            break
        await asyncio.sleep(0.005)
    await pilot.pause()


async def quiet(app: LabelerApp, pilot: Pilot[None]) -> None:
    """Until nothing is left to do: no message waits, nothing is to be laid out or drawn, no picture is being made.

    Pilot's own pause sleeps until the process is idle for a while, which costs more than what it waits for, and is
    cut short on a machine that does much else.
    """
    began, rests = time.monotonic(), 0
    while rests < RESTS and time.monotonic() < began + PATIENCE:
        if not await pilot._wait_for_screen():
            return  # it ends
        app.screen._on_timer_update()
        drawing = not resting(app.pictures) and time.monotonic() < began + DRAWING
        rests = 0 if drawing or busy(app) else rests + 1
        await asyncio.sleep(0.0005)


PATIENCE = 5.0
"""Seconds after which it is looked at what there is, as Pilot's pause does after one."""
RESTS = 6
"""Rounds in a row that must find nothing: a widget looks for what it has to draw when its messages are done."""
DRAWING = 1.0
"""Seconds to wait for pictures: some tests hold one back for ever."""


def resting(pictures: Pictures) -> bool:
    """Whether the thread that draws waits for something to draw."""
    todo = pictures._todo
    with todo.mutex:
        return (not todo.queue and bool(todo.not_empty._waiters)) or not pictures._thread.is_alive()


def busy(app: LabelerApp) -> bool:
    """Whether a message waits somewhere, or the screen in front has something to lay out or to draw."""
    if app._resize_event is not None or app._resize_timer is not None:
        return True
    widgets = [widget for screen in app.screen_stack for widget in screen.walk_children(with_self=True)]
    if any(not pump._message_queue.empty() or pump._next_callbacks for pump in (app, *widgets) if pump.is_running):
        return True
    screen = app.screen  # those behind it are laid out when they come to the front
    return bool(screen._layout_required or screen._repaint_required or screen._dirty_widgets or screen._callbacks)


def screen_text(app: LabelerApp) -> str:
    """What the compositor shows, as text."""
    width, height = app.size
    lines = app.screen._compositor.render_strips()
    return "\n".join("".join(segment.text for segment in line).ljust(width) for line in lines[:height])


@asynccontextmanager
async def running(project: FakeProject, size: tuple[int, int] = (80, 24), **options: Any):
    app = LabelerApp(project, **options)
    async with app.run_test(size=size) as pilot:
        await settle(app, pilot)

        async def press(*keys: str) -> str:
            for key in keys:
                app.post_message(events.Key(key, " " if key == "space" else key if len(key) == 1 else None))
            await settle(app, pilot)
            return screen_text(app)

        app.press_and_see = press
        app.pilot = pilot
        yield app


def doubted(project: FakeProject, doubts: dict[int, tuple[float, int]]) -> None:
    """A round that doubts given labels: index -> (belief in it without the answer, the class said instead)."""
    session = project.session
    before, given = session.machine_labels.round, session.snapshot()
    labels, sources, runner_ups = before.labels.copy(), before.sources.copy(), before.runner_ups.copy()
    labels[given.indices], sources[given.indices] = given.class_ids, given.indices
    shares = np.zeros(len(labels), dtype=np.float32)
    for index, (belief, instead) in doubts.items():
        shares[index], runner_ups[index] = 1.0 - belief, instead
    session.merge_round(
        replace(
            before,
            revision=session.state.revision,
            labels=labels,
            sources=sources,
            runner_ups=runner_ups,
            doubts=shares,
        )
    )
