"""Coverage and accuracy from the looks of an audit."""

from __future__ import annotations

import numpy as np
import pytest

from labeler.core.types import Provenance
from labeler.session.audit.audits import AuditAnswer, AuditRecord, freeze
from labeler.session.final_labels import FinalLabels
from labeler.session.quality.coverage import SHARES, coverage_accuracy

N = 200


def frozen_with(scores):
    """Labels of class 0 with these scores, drawn in a random order."""
    zeros = np.zeros(N, dtype=np.int32)
    final = FinalLabels(
        zeros,
        np.full(N, Provenance.PROPAGATED, dtype=np.uint8),
        np.asarray(scores, dtype=np.float32),
        zeros.astype(np.uint8),
        zeros,
        zeros,
        1,
    )
    return freeze(final, np.random.default_rng(0).permutation(N))


def audit_of(answers):
    audit = AuditRecord(1, 1, 0.0, N, 0.98, 0.95, 0, "", "", {0: "a"}, 1, False)
    audit.answers.extend(answers)
    return audit


def test_the_surest_half_is_counted_apart_and_the_whole_is_last():
    frozen = frozen_with(np.linspace(0.2, 1.0, N))
    looked = [int(index) for index in frozen.order[:80]]
    rows = coverage_accuracy(audit_of([AuditAnswer(i, int(i < 50)) for i in looked]), frozen)
    assert [row["coverage"] for row in rows] == pytest.approx(SHARES, abs=0.01)
    whole, half = rows[-1], next(row for row in rows if row["coverage"] == 0.5)
    assert (whole["looked_at"], whole["right"]) == (80, sum(i >= 50 for i in looked))
    assert (half["looked_at"], half["right"]) == (sum(i >= 100 for i in looked),) * 2
    assert all(row["low"] <= row["accuracy"] <= row["high"] for row in rows)


def test_equal_scores_are_one_row_and_no_look_is_no_row():
    frozen = frozen_with(np.ones(N))
    (row,) = coverage_accuracy(audit_of([AuditAnswer(int(frozen.order[0]), 0)]), frozen)
    assert (row["coverage"], row["looked_at"], row["low"]) == (1.0, 1, pytest.approx(0.025))
    assert coverage_accuracy(audit_of([]), frozen) == []
