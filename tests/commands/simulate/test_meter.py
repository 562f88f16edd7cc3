"""The shares of one round: what they count, tier by tier, and what they leave out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from labeler.commands.simulate.meter import Meter, measured
from labeler.core.types import UNLABELED, Provenance, Tier

H, S, P = Provenance.HUMAN, Provenance.PROPAGATED, Provenance.PREDICTED


@pytest.fixture
def shares(make_session, make_round):
    """Measure a round of ten instances whose truth is `truth`, with classes a = 0 and b = 1."""

    def shares(labels, provenances, tiers, truth):
        session = make_session(10)
        round_ = replace(
            make_round(10),
            labels=np.array(labels, dtype=np.int32),
            provenances=np.array(provenances, dtype=np.uint8),
            tiers=np.array(tiers, dtype=np.uint8),
        )
        return measured(session, Meter(np.array(truth, dtype=np.int32), ["a", "b"], 0.0), round_)

    return shares


def test_a_tier_counts_the_labels_of_the_machine_alone_whether_they_spread_or_not(shares):
    tiers = [Tier.LOCKED] * 4 + [Tier.LIKELY] * 4 + [Tier.ASK] * 2
    provenances = [H, H, S, P, S, S, P, P, P, P]
    row = shares([0, 1, 0, 0, 1, 1, 1, 0, 0, 0], provenances, tiers, [0, 1, 0, 1, 1, 1, 0, 1, 1, 1])
    assert row.tiers == {"likely": {"share": 0.4, "precision": 0.5}, "locked": {"share": 0.2, "precision": 0.5}}
    assert (row.accuracy, row.coverage, row.classes) == (0.5, 0.5, 2)
    assert (row.propagated, row.precision) == (0.3, 1.0)


def test_a_tier_without_a_label_has_no_precision(shares):
    row = shares([0] * 10, [H] + [P] * 9, [Tier.LOCKED] + [Tier.ASK] * 9, [0] * 10)
    assert row.tiers == {"likely": {"share": 0, "precision": None}, "locked": {"share": 0, "precision": None}}
    assert (row.precision, row.classes) == (None, 1)


def test_an_instance_without_truth_is_in_no_share(shares):
    truth = [0] * 5 + [UNLABELED] * 5
    row = shares([0] * 5 + [1] * 5, [H] + [S] * 9, [Tier.LOCKED] * 10, truth)
    assert row.tiers["locked"] == {"share": 0.8, "precision": 1.0}
    assert (row.accuracy, row.coverage) == (1.0, 1.0)
