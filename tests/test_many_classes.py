"""Thousands of classes: the work grows as their number does, counted in lines of the program that ran."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

import labeler
from labeler.commands.import_labels import import_labels
from labeler.plugins import registry
from labeler.plugins.exporters.write import write_export
from labeler.project.open import Options, open_project
from tests.plugins.exporters.conftest import make_rows  # noqa: F401 - a fixture

FEW, MANY = 1_000, 4_000
ROOM = str(Path(labeler.__file__).parent)
MOST = 1.15
"""Times the ratio of classes: what a linear way takes more for longer numbers and larger blocks."""


def lines_of(work, room=ROOM):
    """How many lines of the program `work` runs, each turn of a loop and of a comprehension counted."""
    count = 0

    def inside(frame, event, _):
        nonlocal count
        count += event == "line"
        return inside

    def entered(frame, event, _):
        return inside if frame.f_code.co_filename.startswith(room) else None

    before = sys.gettrace()
    sys.settrace(entered)
    try:
        work()
    finally:
        sys.settrace(before)
    return count


def test_a_loop_in_a_comprehension_is_counted():
    """The measure itself: a comprehension over all of something, once for each of it, is the square."""

    def pairs(n):
        return [[i * j for j in range(n)] for i in range(n)]

    assert lines_of(lambda: pairs(200), __file__) > 10 * lines_of(lambda: pairs(50), __file__)


@pytest.fixture
def pools(tmp_path):
    """(folder, number of classes): a table of as many rows and a file of labels, one a class."""
    folders = []
    for number in (FEW, MANY):
        folder = tmp_path / str(number)
        folder.mkdir()
        np.save(folder / "x.npy", np.arange(2.0 * number, dtype=np.float32).reshape(number, 2))
        rows = "".join(f"{row:05d},class {row}\n" for row in range(number))
        (folder / "labels.csv").write_text(f"id,label\n{rows}")
        folders.append((folder, number))
    return folders


def grown(work, pools):
    """How much more `work(folder, number)` does for the larger pool."""
    few, many = (lines_of(lambda pool=pool: work(*pool)) for pool in pools)
    assert few > 100
    return many / few


@pytest.mark.slow
def test_opening_with_classes(pools):
    def opened(folder, number):
        names = tuple(f"class {row}" for row in range(number))
        open_project(folder / "x.npy", folder / "p.labeler.db", Options(classes=names)).close()

    assert grown(opened, pools) < MOST * MANY / FEW


@pytest.mark.slow
def test_labels_coming_in_opening_again_and_answering(pools):
    def imported(folder, number):
        with open_project(folder / "x.npy", folder / "p.labeler.db") as project:
            assert import_labels(project, folder / "labels.csv").taken == number

    def answered(folder, number):
        with open_project(folder / "x.npy", folder / "p.labeler.db") as project:
            for row in range(5):
                project.session.label(f"{row:05d}", project.session.classes.id_for(f"class {number - 1 - row}"))
                assert len(project.view().classes) == number

    assert grown(imported, pools) < MOST * MANY / FEW
    assert grown(answered, pools) < MOST * MANY / FEW


@pytest.mark.slow
@pytest.mark.parametrize("name", ["csv", "npz", "hf"])
def test_writing_an_export(pools, make_rows, name):  # noqa: F811
    def written(folder, number):
        indices = list(range(number))
        rows = make_rows([f"{row:05d}" for row in indices], [f"class {row}" for row in indices], indices)
        target = folder / f"out.{name}" if name in ("csv", "npz") else folder / "out"
        write_export(registry.create("exporter", name), rows, target, {}, False)

    assert grown(written, pools) < MOST * MANY / FEW
