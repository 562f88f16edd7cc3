"""docs/formats.md: every format has its row, and every test that it names is there."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from labeler.plugins import registry

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs/formats.md").read_text(encoding="utf-8")
NAMED = sorted(set(re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", PAGE)))


def rows(title: str) -> dict[str, str]:
    """First cell -> row, of the table below a title."""
    section = PAGE.partition(f"## {title}")[2].partition("\n## ")[0]
    found = re.findall(r"^\| `(\w+)` \|.*$", section, re.M)
    lines = [line for line in section.splitlines() if line.startswith("| `")]
    return dict(zip(found, lines, strict=True))


@pytest.mark.parametrize(("title", "kind"), [("Sources", "importer"), ("Exports", "exporter")])
def test_every_format_has_a_row_that_names_a_test(title: str, kind: str):
    table = rows(title)
    assert set(table) == set(registry.names(kind))
    assert all("::test_" in line for line in table.values())


@pytest.mark.parametrize(("file", "name"), NAMED)
def test_every_test_that_the_page_names_is_there(file: str, name: str):
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    there = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    assert name in there


def test_the_page_names_tests():
    assert len(NAMED) > 25
    assert len(re.findall(r"tests/\S+::", PAGE)) == len(re.findall(r"`tests/[\w/]+\.py::\w+`", PAGE))
