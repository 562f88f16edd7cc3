"""Where a project stands says which view of the pool leads, and passes on nothing that a terminal would obey."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from labeler.commands.status import status
from labeler.project.open import open_project
from labeler.project.options import Options


@pytest.mark.parametrize(
    ("view", "is_said"),
    [("net leads, by 20 left-out answers", True), ("net\x1b[31m leads", True), (None, False), (7, False)],
)
def test_it_says_which_view_leads(few_digits, tmp_path, make_round, view, is_said):
    with open_project(few_digits, tmp_path / "p.labeler.db", Options(classes=("0", "1"))) as project:
        n = len(project.session.pool)
        round_ = make_round(n, project.session.state.revision, np.zeros(n, dtype=int), np.zeros(n, dtype=int))
        facts = {"view": view} if view is not None else {}
        project.session.merge_round(replace(round_, facts=facts))
        report = status(project)
    lines = [text for text in report.lines() if text.startswith("features: ")]
    assert bool(lines) == is_said
    assert "\x1b" not in "".join(lines)
    shown = report.to_json()["view"]
    assert (shown is not None) == is_said
    assert not is_said or ("leads" in lines[0] and "leads" in shown)
