"""A folder of 120 small pictures of three kinds, and what is computed of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from labeler.core import steps
from labeler.plugins import custom, registry
from labeler.plugins.importers.detect import open_source
from labeler.worker.shards.run import Outcome, ask, compute_all

MORTAL = Path(__file__).with_name("mortal.py")


@pytest.fixture(scope="session")
def shapes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """120 pictures: bright tops, bright left sides, noise; in three folders."""
    root = tmp_path_factory.mktemp("shapes") / "pool"
    rng = np.random.default_rng(0)
    for number in range(120):
        pixels = rng.integers(0, 60, (12, 12))
        kind = number % 3
        pixels[: 6 if kind == 0 else 0, :] += 150
        pixels[:, : 6 if kind == 1 else 0] += 150
        folder = root / f"{number // 40}"
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels.astype(np.uint8)).save(folder / f"{number}.png")
    return root


def compute(
    source: Path, out: Path, workers: object = None, encoder: str = "mortal", rows: int = 20, **asked: object
) -> Outcome:
    """Compute a source's features into a folder, 20 rows a shard."""
    opened = open_source(source)
    wanted = ask(opened, encoder, **({"n_clusters": 3, "n_nearest": 4} | asked))
    return steps.run(compute_all(opened, wanted, out, workers, rows))


@contextmanager
def mortal_brought() -> Iterator[str]:
    """Bring the encoder of mortal.py, in steps of 10 rows, and take it away again: other tests list all there are."""
    own, loaded = dict(registry._OWN["encoder"]), dict(custom._loaded)
    custom.load(MORTAL)
    yield "mortal"
    registry._OWN["encoder"] = own
    custom._loaded.clear()
    custom._loaded.update(loaded)


@pytest.fixture
def mortal() -> Iterator[str]:
    """The encoder of mortal.py."""
    with mortal_brought() as name:
        yield name


@pytest.fixture
def computed(mortal: str) -> Callable[..., Outcome]:
    """:func:`compute`."""
    return compute


@pytest.fixture(scope="session")
def ready(shapes: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The features of the folder, in 6 shards; to be copied, not changed."""
    out = tmp_path_factory.mktemp("ready") / "out"
    with mortal_brought():
        compute(shapes, out)
    return out
