"""Import paths from before the rooms were made lead to the same modules, and none is loaded twice."""

from __future__ import annotations

import importlib
import subprocess
import sys

import pytest


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("labeler.importers.detect", "labeler.plugins.importers.detect"),
        ("labeler.importers.base", "labeler.plugins.importers.base"),
        ("labeler.exporters.base", "labeler.plugins.exporters.base"),
        ("labeler.query_strategies", "labeler.plugins.query_strategies"),
        ("labeler.errors", "labeler.core.errors"),
    ],
)
def test_an_old_path_is_the_very_module(old, new):
    assert importlib.import_module(old) is importlib.import_module(new)


def test_an_old_path_that_never_was_is_missed_as_any_other():
    with pytest.raises(ModuleNotFoundError, match="nothing_of_the_kind"):
        importlib.import_module("labeler.importers.nothing_of_the_kind")


def test_the_old_path_alone_opens_a_source_as_the_new_one():
    program = (
        "from labeler.importers.detect import open_source\nfrom labeler.errors import LabelerError\nimport labeler\n"
        "from labeler.plugins.importers import detect\nassert open_source is detect.open_source\n"
        "assert LabelerError is labeler.LabelerError\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
