from __future__ import annotations

import numpy as np
import pytest

from labeler.commands.simulate.oracle import Oracle

TRUTH = {f"i{number}": "abcd"[number % 4] for number in range(2000)}


@pytest.mark.slow
def test_without_noise_the_truth():
    assert all(Oracle(TRUTH).answer(name) == right for name, right in TRUTH.items())


def test_noise_errs_at_its_rate_uniformly_over_the_other_classes():
    answers = [(Oracle(TRUTH, 0.3, 1).answer(name), right) for name, right in list(TRUTH.items())[:800]]
    wrong = [(given, right) for given, right in answers if given != right]
    assert len(wrong) / len(answers) == pytest.approx(0.3, abs=0.05)
    for right in "abcd":
        share = np.unique([given for given, other in wrong if other == right], return_counts=True)[1]
        assert len(share) == 3
        assert share.min() > 0.2 * share.sum()


def test_an_answer_depends_on_the_instance_and_the_seed_alone():
    forward = Oracle(TRUTH, 0.5, 3)
    backward = Oracle(TRUTH, 0.5, 3)
    names = list(TRUTH)[:50]
    assert [forward.answer(name) for name in names] == [backward.answer(name) for name in reversed(names)][::-1]
    assert [Oracle(TRUTH, 0.5, 4).answer(name) for name in names] != [forward.answer(name) for name in names]


def test_one_class_cannot_be_mistaken():
    assert Oracle({"a": "only"}, 0.9).answer("a") == "only"
