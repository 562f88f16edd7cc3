"""A newcomer adds an encoder and an exporter: a module each, a line each in the table of plug-ins, and nothing else.

All of it is done in a copy of the package, in processes of its own.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import labeler

ROOT = Path(labeler.__file__).parents[1]

ENCODER = '''"""Shares of light and dark pixels."""

from __future__ import annotations

import numpy as np

from labeler.core.types import FloatArray
from labeler.plugins.encoders.base import Images
from labeler.plugins.encoders.raster import check_images, to_unit


class Shades:
    """A histogram of `bins` shades."""

    version = 1
    takes: tuple[str, ...] = ("images",)

    def __init__(self, bins: int = 16) -> None:
        self._bins = bins

    def fit(self, images: Images) -> Shades:
        """Refuse what is no image."""
        check_images(images)
        return self

    def transform(self, images: Images) -> FloatArray:
        """Return the shares (n, bins)."""
        check_images(images)
        pixels = to_unit(images).reshape(len(images), int(np.prod(images.shape[1:])))
        shades = (pixels * (self._bins - 1e-3)).astype(np.int64)
        counts = [np.bincount(row, minlength=self._bins) for row in shades]
        shares = np.asarray(counts, dtype=np.float32).reshape(len(images), self._bins)
        return shares / np.float32(max(shades.shape[1], 1))
'''

EXPORTER = '''"""Two columns with a tab between."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

from labeler.core.text import escape_warnings, escaped, json_text, unescaped
from labeler.plugins.exporters.base import ExportRows, Needs


class TsvExporter:
    """An id and a label a line, each as a JSON string."""

    is_folder = False
    needs: Needs = ""

    def write(self, rows: ExportRows, target: Path) -> list[str]:
        """Write `rows` to `target`."""
        with target.open("x", encoding="utf-8") as stream:
            for name, index in zip(rows.ids, rows.class_indices.tolist(), strict=True):
                cells = (json_text(escaped(text)) for text in (name, rows.class_names[index]))
                stream.write("\\t".join(cells) + "\\n")
        return escape_warnings([*rows.ids, *rows.class_names])

    def count(self, target: Path) -> dict[str, int]:
        """Count the labels of each class."""
        with target.open(encoding="utf-8") as stream:
            return dict(Counter(unescaped(json.loads(line.partition("\\t")[2])) for line in stream))
'''

FILES = {"encoders/shades.py": ENCODER, "exporters/tsv.py": EXPORTER}
LINES = """    Plugin("encoder", "shades", "encoders.shades:Shades", "shares of shades of gray"),
    Plugin("exporter", "tsv", "exporters.tsv:TsvExporter", "id and label, a tab between", endings=(".tsv",)),
"""

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def house(tmp_path_factory) -> Path:
    """A folder with a copy of the package, to which both were added."""
    house = tmp_path_factory.mktemp("house")
    shutil.copytree(ROOT / "labeler", house / "labeler", ignore=shutil.ignore_patterns("__pycache__"))
    plugins = house / "labeler" / "plugins"
    for name, text in FILES.items():
        (plugins / name).write_text(text, encoding="utf-8")
    table = plugins / "builtin.py"
    head, opening, rest = table.read_text(encoding="utf-8").partition("TABLE = (\n")
    assert opening
    table.write_text(f"{head}{opening}{LINES}{rest}", encoding="utf-8")
    return house


@pytest.fixture
def run(house, tmp_path):
    """Run Python with the house's package; returns what it printed."""

    def run(*arguments: str) -> str:
        places = {f"XDG_{kind}_HOME": str(tmp_path / kind) for kind in ("STATE", "CACHE", "DATA")}
        environment = os.environ | places | {"PYTHONPATH": str(house)}
        done = subprocess.run(
            [sys.executable, *arguments], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return run


def test_they_are_listed_and_described(run, house):
    assert run("-c", "import labeler; print(labeler.__file__)").startswith(str(house))
    listed = run("-m", "labeler", "plugins")
    assert "shares of shades of gray" in listed
    assert "id and label, a tab between" in listed
    assert "bins = 16" in run("-m", "labeler", "plugins", "shades")


def test_a_project_is_labeled_with_the_encoder_and_exported_by_the_ending(run, tmp_path, few_digits):
    code = f"""
import numpy, labeler
truth = numpy.load({str(few_digits)!r})["y"]
with labeler.open({str(few_digits)!r}, "p.labeler.db", encoder="shades:bins=8") as project:
    for _ in range(4):
        project.answer(str(truth[project.question.index]))
    project.round()
    print(project.features.shape[1])
"""
    assert run("-c", code).split() == ["8"]
    run("-m", "labeler", "export", "p.labeler.db", "labels.tsv", "--include", "predicted")
    assert (tmp_path / "labels.tsv").read_text().count("\n") >= 4
    assert (tmp_path / "labels.tsv.manifest.json").is_file()


def test_they_keep_the_promises_that_the_contract_suite_asks_of_their_kinds(run, house, tmp_path):
    for name, kind in (("shades", "encoders"), ("tsv", "exporters")):
        suite = f"test_{kind}.py"
        shutil.copy(ROOT / "tests" / "contract" / suite, tmp_path / suite)
        (tmp_path / "pytest.ini").write_text("[pytest]\n")
        report = run("-m", "pytest", "-q", "-p", "no:cacheprovider", "-W", "ignore", "-k", name, suite)
        assert " passed" in report
        assert "failed" not in report
