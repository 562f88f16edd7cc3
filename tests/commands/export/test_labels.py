"""An export says where it cannot look at the pool as the person's program did."""

from __future__ import annotations

from dataclasses import replace

import pytest

from labeler.commands.export.labels import _of_missing_views

VIEW = "net leads, by 20 left-out answers; beside it scattering"


@pytest.mark.parametrize(
    ("before", "closing", "is_said"),
    [({"view": VIEW}, {}, True), ({"view": VIEW}, {"view": VIEW}, False), ({}, {}, False), ({"view": 7}, {}, False)],
)
def test_features_that_are_missing_where_the_labels_leave_are_said(make_round, before, closing, is_said):
    first, last = (replace(make_round(9), facts=facts) for facts in (before, closing))
    notes = _of_missing_views(first, last)
    assert bool(notes) == is_said
    assert not is_said or ("net leads" in notes[0] and "pip install '.[photos]'" in notes[0])
    assert _of_missing_views(None, last) == []
    assert "\x1b" not in "".join(_of_missing_views(replace(first, facts={"view": "\x1b[31mnet"}), last))
