"""What a fresh interpreter has loaded after importing a door: the first frame and `--help` wait for nothing heavy."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = {"numpy", "scipy", "sklearn", "faiss", "pandas", "textual", "sqlite_utils", "PIL", "rich", "matplotlib"}


def loaded(statement, env=None):
    code = f"import sys\n{statement}\nprint(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=env)
    return set(done.stdout.split())


def tops(modules):
    return {module.partition(".")[0] for module in modules}


@pytest.mark.parametrize(
    ("modules", "heavy"),
    [
        ("labeler.ui.app, labeler.project.opener", {"textual", "rich"}),
        ("labeler.project.open, labeler.ui.deferred, labeler.ui.screens.question", {"numpy", "textual", "rich"}),
    ],
    ids=["first frame", "first question"],
)
def test_the_screens_process_loads_of_the_heavy_ones_numpy_and_textual_alone(modules, heavy):
    assert tops(loaded(f"import {modules}")) & HEAVY == heavy


@pytest.mark.parametrize("module", ["labeler.cli", "labeler.plugins.registry"])
def test_the_command_line_loads_nothing_heavy(module):
    assert not tops(loaded(f"import {module}")) & HEAVY


@pytest.mark.slow
def test_the_worker_and_the_commands_load_no_textual():
    doors = (
        "worker.server",
        "commands.simulate",
        "commands.export.export",
        "commands.status",
        "commands.import_labels",
    )
    assert not tops(loaded("\n".join(f"import labeler.{door}" for door in doors))) & {"textual", "rich", "matplotlib"}


@pytest.mark.slow
def test_the_core_knows_no_other_room():
    code = (
        "import importlib, pkgutil, labeler.core\n"
        "for module in pkgutil.walk_packages(labeler.core.__path__, 'labeler.core.'):\n"
        "    importlib.import_module(module.name)"
    )
    modules = loaded(code)
    rooms = {module.split(".")[1] for module in modules if module.startswith("labeler.")}
    assert rooms == {"_moved", "core"}  # the package itself lets old import paths be found
    assert not tops(modules) & {"PIL", "textual", "sqlite_utils", "click"}


@pytest.mark.slow
def test_a_plugin_that_is_not_named_is_not_loaded_by_the_worker():
    modules = loaded("import labeler.worker.server")
    rooms = ("clusterers", "classifiers", "query_strategies")
    assert not [name for name in modules for room in rooms if name.startswith(f"labeler.plugins.{room}.")]
    assert "sklearn" not in tops(modules)
