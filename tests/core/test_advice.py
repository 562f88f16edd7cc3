"""All advice is made in one place, says what to do, and says it in a line of 80 cells if it must."""

import ast
from pathlib import Path

import pytest

import labeler
from labeler.core.types import Advice
from tests.advices import FIGURES, VERBS, every_advice, makers

ROOT = Path(labeler.__file__).parent
LINE = 78
"""Cells of the line at 80 columns."""


def test_every_function_that_advises_is_tried():
    assert set(makers()) == set(FIGURES)
    assert all(isinstance(advice, Advice) for advice in every_advice())


@pytest.mark.slow
def test_no_advice_is_made_anywhere_else():
    made = set()
    for file in ROOT.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", getattr(node.func, "attr", "")) == "Advice":
                made.add(file.relative_to(ROOT).as_posix())
    assert made == {"core/advice.py"}


@pytest.mark.parametrize("advice", every_advice(), ids=lambda advice: advice.text[:30])
def test_it_says_what_to_do_and_fits_a_line(advice):
    key = f"{advice.key} " if advice.key else ""
    assert any(verb in advice.text for verb in VERBS)
    assert any(verb in (advice.short or advice.text) for verb in VERBS)
    assert len(key + (advice.short or advice.text)) <= LINE
    assert not advice.short or len(advice.short) < len(advice.text)


def test_where_labels_do_not_spread_the_next_command_is_named():
    advice = makers()["choose_other_features"](60)
    for said in (advice.text, advice.short):
        assert all(word in said for word in ("--features", "--encoder", "docs/photos.md", "quit"))
    assert (ROOT.parent / "docs" / "photos.md").is_file()
    with_extra = makers()["choose_other_features"](60, "photos")
    assert all("pip install '.[photos]'" in text for text in (with_extra.text, with_extra.short))
