"""One small project with every kind of label, and what it exports."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from labeler.commands.export.export import ExportOptions, export
from labeler.project.open import Options, open_project

CLASSES = ["10", "2", "007", "NA", 'a "quoted", <one> & more', "=1+1", "é目"]
"""Names that programs like to take for numbers, nothing, markup or formulas."""


@pytest.fixture(scope="session")
def labeled(tmp_path_factory: pytest.TempPathFactory) -> SimpleNamespace:
    """84 pictures of seven tones in two folders of like names; answers, a page, imported and spread ones."""
    root = tmp_path_factory.mktemp("formats")
    rng = np.random.default_rng(0)
    truth = {}
    for number in range(84):
        kind = number % 7
        pixels = np.clip(rng.normal(20 + 33 * kind, 3, (12, 10, 3)), 0, 255).astype(np.uint8)
        name = f"{'ab'[number % 2]}/{number // 2}.png"
        (root / "photos" / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(root / "photos" / name)
        truth[name] = CLASSES[kind]
    path = root / "photos.labeler.db"
    options = Options(engine="book", encoder="pixels", n_clusters=14, annotator="ada")
    with open_project(root / "photos", path, options) as project:
        session = project.session
        ids = {name: session.classes.id_for(name, setup=True) for name in CLASSES}
        project.closing_round()
        order = [session.pool.ids[int(index)] for index in project.closing_round().queue.indices]
        first = {name: next(i for i in order if truth[i] == name) for name in CLASSES}
        asked = list(dict.fromkeys([*first.values(), *order]))[:28]
        for name in asked[:21]:
            session.label(name, ids[truth[name]])
        session.page([(name, ids[truth[name]], "confirmed") for name in asked[21:24]])
        session.imports.labels([(name, ids[truth[name]]) for name in asked[24:27]], "before")
        session.reject(asked[27])
        project.closing_round()
    return SimpleNamespace(root=root, path=path, source=root / "photos", truth=truth, asked=asked)


@pytest.fixture
def write(labeled: SimpleNamespace, tmp_path: Path) -> Callable[..., Path]:
    """Export the project; returns the target."""

    def write(name: str, format_: str | None = None, **choice: object) -> Path:
        with open_project(labeled.path, read_only=True) as project:
            export(project, tmp_path / name, format_, ExportOptions(**choice))
        return tmp_path / name

    return write


@pytest.fixture
def expected(labeled: SimpleNamespace) -> dict[str, tuple[str, str]]:
    """id -> (class name, provenance) of what leaves by default, from the project alone."""
    with open_project(labeled.path, read_only=True) as project:
        project.closing_round()
        session = project.session
        names = {info.class_id: info.name for info in session.state.active_classes()}
        found = {}
        for index, name in enumerate(session.pool.ids):
            class_id, provenance = session.label_of(index)[:2]
            if provenance.word in ("human", "confirmed", "imported", "propagated"):
                found[name] = (names[class_id], provenance.word)
    return found
