"""How the files of the application know each other: downward, no screen another one, none the application."""

from __future__ import annotations

import ast
import importlib
import inspect
from graphlib import TopologicalSorter
from pathlib import Path

import pytest
from textual.screen import Screen

import labeler.ui
from labeler.ui.screens import table

ROOT = Path(labeler.ui.__file__).parent
NAMES = {
    ".".join(("labeler", "ui", *path.relative_to(ROOT).with_suffix("").parts)).removesuffix(".__init__"): path
    for path in ROOT.rglob("*.py")
}
SCREENS_AT_MOST, OTHERS_AT_MOST = 2, 1
"""Classes of ours that one inherits from."""


def imports_of(path: Path) -> set[str]:
    """The modules of the application that a file imports, wherever in it and for whatever purpose."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            names |= {f"{node.module}.{alias.name}" for alias in node.names} | {node.module}
        elif isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
    return names & set(NAMES)


GRAPH = {name: imports_of(path) - {"labeler.ui"} for name, path in NAMES.items()}


def test_no_circle_of_files():
    TopologicalSorter(GRAPH).prepare()  # raises where there is one


def test_nothing_imports_the_application_and_no_screen_another():
    screens = {target.partition(":")[0] for target in (table.SCREENS | table.FORMS).values()}
    assert len(screens) > 20
    for name, known in GRAPH.items():
        assert "labeler.ui.app" not in known, name
        assert not known & screens, name


def test_an_import_inside_a_function_says_why():
    for path in NAMES.values():
        lines = path.read_text("utf-8").splitlines()
        for function in ast.walk(ast.parse("\n".join(lines))):
            if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
                for node in ast.walk(function):
                    if isinstance(node, ast.Import | ast.ImportFrom):
                        assert "# start-up: " in lines[node.lineno - 1], f"{path}:{node.lineno}"


@pytest.mark.parametrize("name", sorted(NAMES))
def test_a_chain_of_classes_is_short(name: str):
    for _, kind in inspect.getmembers(importlib.import_module(name), inspect.isclass):
        ours = [base for base in kind.__mro__[1:] if base.__module__.startswith("labeler.ui")]
        assert len(ours) <= (SCREENS_AT_MOST if issubclass(kind, Screen) else OTHERS_AT_MOST), kind
