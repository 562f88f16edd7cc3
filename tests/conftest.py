"""What every room's tests start from: a journal in memory, sessions and rounds of any size, the digits."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, settings

import labeler
from labeler.core.pool import Pool
from labeler.core.types import UNLABELED, Advice, Provenance, Queue, Round, Snapshot, Tier
from labeler.session.session import Session
from tests.memory_journal import MemoryJournal

settings.register_profile(
    "labeler", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow], print_blob=True
)
settings.load_profile("labeler")


SCREENS = Path(__file__).parent / "ui"


@pytest.hookimpl(tryfirst=True)  # before those are taken out that `-m` does not ask for
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark as slow what is more of the same, so that the quick tests touch every room and are done in two minutes.

    Of a function that is marked as mostly slow this is all but its first parameters; of tests that draw a screen, all
    but the first of each module.
    """
    groups = set()
    for item in items:
        if SCREENS in item.path.parents and item.get_closest_marker("asyncio"):
            group = item.path, ""
        elif item.get_closest_marker("mostly_slow"):
            group = item.path, item.originalname
        else:
            continue
        if group in groups:
            item.add_marker(pytest.mark.slow)
        elif not item.get_closest_marker("slow"):
            groups.add(group)


@pytest.fixture(autouse=True)
def state_folder(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where backups go while a test runs, and caches: never into the folders of who runs it."""
    folder = tmp_path_factory.mktemp("state")
    monkeypatch.setenv("XDG_STATE_HOME", str(folder))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
    return folder


@pytest.fixture
def journal() -> MemoryJournal:
    return MemoryJournal()


@pytest.fixture(scope="session")
def new_journal() -> type[MemoryJournal]:
    return MemoryJournal


@pytest.fixture(scope="session")
def make_queue() -> Callable[..., Queue]:
    """A queue over `indices` with the guesses of `classes`."""

    def make(indices: Any, classes: Any = (), rule: str = "uncertain") -> Queue:
        indices = np.asarray(indices, dtype=np.int64)
        guesses = np.full((len(indices), 3), UNLABELED, dtype=np.int32)
        scores = np.zeros((len(indices), 3), dtype=np.float32)
        for place, class_id in enumerate(list(classes)[:3]):
            guesses[:, place], scores[:, place] = class_id, (0.625, 0.25, 0.125)[place]
        return Queue(
            indices,
            np.linspace(1, 0, len(indices), dtype=np.float32),
            np.zeros(len(indices), dtype=np.uint8),
            (rule,),
            np.full(len(indices), 0.5, dtype=np.float32),
            guesses,
            scores,
        )

    return make


@pytest.fixture(scope="session")
def make_round(make_queue: Callable[..., Queue]) -> Callable[..., Round]:
    """A round over `n` instances that asks them in order; `labels` and `provenances` as the machine's."""

    def make(
        n: int,
        revision: int = 0,
        labels: Any = None,
        provenances: Any = None,
        queue: Any = None,
        number: int = 1,
        doubts: Any = None,
        sources: Any = None,
    ) -> Round:
        labels = np.full(n, UNLABELED) if labels is None else np.asarray(labels)
        provenances = np.zeros(n) if provenances is None else np.asarray(provenances)
        return Round(
            revision=revision,
            round=number,
            stage="book",
            labels=labels.astype(np.int32),
            provenances=provenances.astype(np.uint8),
            scores=np.full(n, 0.5, dtype=np.float32),
            tiers=np.full(n, Tier.ASK, dtype=np.uint8),
            sources=(np.full(n, -1) if sources is None else np.asarray(sources)).astype(np.int32),
            clusters=np.zeros(n, dtype=np.int32),
            distances=np.arange(n, dtype=np.float32),
            runner_ups=np.full(n, UNLABELED, dtype=np.int32),
            representatives=np.arange(min(n, 3), dtype=np.int64),
            queue=make_queue(range(n) if queue is None else queue),
            advice=Advice("answer", "answer the question on the screen", ""),
            facts={"n_clusters": min(n, 3)},
            doubts=(np.zeros(n) if doubts is None else np.asarray(doubts)).astype(np.float32),
        )

    return make


@pytest.fixture(scope="session")
def make_session(make_round: Callable[..., Round]) -> Callable[..., Session]:
    """A session over `n` instances ``i0, i1, ...`` with classes to answer and a first round that asks in order."""

    def make(n: int = 40, journal: Any = None, classes: Any = ("a", "b"), with_round: bool = True) -> Session:
        journal = journal if journal is not None else MemoryJournal()
        start = len(journal.events)
        clock, count = itertools.count(1000), itertools.count(start)
        session = Session(
            Pool([f"i{index}" for index in range(n)]),
            journal,
            clock=lambda: float(next(clock)),
            new_id=lambda: f"e{next(count)}",
        )
        for name in classes:
            session.classes.id_for(name, setup=True)
        if with_round and journal.round is None:
            session.merge_round(make_round(n, session.state.revision))
        return session

    return make


@pytest.fixture(scope="session")
def make_snapshot() -> Callable[..., Snapshot]:
    """A snapshot of `answers` (index -> class id), in their order; the rest by name."""

    def make(answers: dict[int, int] | None = None, percentile: float | None = 20.0, **given: Any) -> Snapshot:
        answers = answers or {}
        classes = sorted({*answers.values(), *given.pop("classes", ())})
        provenances = given.pop("provenances", [Provenance.HUMAN] * len(answers))
        return Snapshot(
            revision=given.pop("revision", len(answers)),
            round=given.pop("round", 1),
            indices=np.array(list(answers), dtype=np.int64),
            class_ids=np.array(list(answers.values()), dtype=np.int32),
            provenances=np.array(provenances, dtype=np.uint8),
            weights=np.ones(len(answers), dtype=np.float32),
            class_list=np.array(classes, dtype=np.int32),
            percentile=percentile,
            **{
                name: np.array(sorted(given.pop(name, ())), dtype=np.int64)
                for name in ("excluded", "held_back", "deferred")
            },
        )

    return make


@pytest.fixture(scope="session")
def digits_path() -> Path:
    """The digits that the package carries."""
    return Path(labeler.__file__).parent / "_data" / "digits.npz"


@pytest.fixture(scope="session")
def digits(digits_path: Path) -> tuple[np.ndarray, np.ndarray]:
    """(features (1797, 64) float32 in [0, 1], classes (1797,) int)."""
    with np.load(digits_path) as arrays:
        X, y = arrays["X"], arrays["y"]
    X = X.reshape(len(X), -1).astype(np.float32)
    return X / X.max(), y.astype(int)


@pytest.fixture
def few_digits(digits_path: Path, tmp_path: Path) -> Path:
    """A source of the first 150 digits with their truth: quick to open."""
    with np.load(digits_path) as arrays:
        np.savez(tmp_path / "few.npz", X=arrays["X"][:150], y=arrays["y"][:150])
    return tmp_path / "few.npz"


@pytest.fixture(scope="session")
def clean_env() -> dict[str, str]:
    """The environment for a child process that must find no terminal and write no color."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("TEXTUAL", "LABELER"))}
    return kept | {"NO_COLOR": "1", "PYTHONDONTWRITEBYTECODE": "1"}
