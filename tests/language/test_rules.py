"""Each rule sees what breaks it, and lets pass what does not; and the code keeps them all."""

from __future__ import annotations

from pathlib import Path

import pytest

import labeler
from tests.language.rules import breaches


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("found = 1\n", 1),
        ("def f(told):\n    return told\n", 1),
        ("x = [mine for mine in range(3)]\n", 1),
        ("with open('x') as kept:\n    pass\n", 1),
        ("self = 0\nself._made = 1\n", 1),
        ("try:\n    pass\nexcept OSError as said:\n    pass\n", 1),
        ("import os as theirs\n", 1),
        ("rows = found()\nmade_of = 1\n", 0),
        ('"""What it does."""\n', 1),
        ('def f():\n    """Back."""\n', 1),
        ('class A:\n    """See the other."""\n', 1),
        ('"""The closest."""\n\n\ndef f():\n    """Return the closest."""\n', 0),
    ],
)
def test_a_breach_is_seen_and_nothing_else(tmp_path, text, count):
    path = tmp_path / "module.py"
    path.write_text(text, encoding="utf-8")
    assert len(breaches(path)) == count


@pytest.mark.parametrize(("name", "count"), [("merging", 1), ("scattering", 0), ("merge", 0)])
def test_a_module_is_a_noun(tmp_path, name, count):
    (tmp_path / f"{name}.py").write_text("", encoding="utf-8")
    assert len(breaches(tmp_path)) == count


def test_the_code_keeps_every_rule():
    assert [str(breach) for breach in breaches(Path(labeler.__file__).parent)] == []
