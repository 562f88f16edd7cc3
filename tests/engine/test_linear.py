from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from labeler.engine import linear
from labeler.engine.linear import FOLDS, REFIT_AFTER, Linear
from tests.engine.pools import blobs


def test_it_is_the_logistic_regression_of_the_textbooks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(linear, "STEPS", 3_000)
    X, y = blobs(120, spread=3.0)
    shares, _ = Linear(X).fit_predict(np.arange(60), y[:60].astype(np.int32), 4)
    scale = np.sqrt(np.square(X, dtype=np.float64).mean())
    bias = np.concatenate((X / scale, np.ones((120, 1))), axis=1)  # ours holds the bias down as any weight
    theirs = LogisticRegression(C=1.0, fit_intercept=False, max_iter=5_000, tol=1e-8).fit(bias[:60], y[:60])
    np.testing.assert_allclose(shares, theirs.predict_proba(bias), atol=2e-3)


def test_a_few_steps_already_say_the_same_classes(monkeypatch: pytest.MonkeyPatch) -> None:
    X, y = blobs(400, spread=3.0)
    few, _ = Linear(X).fit_predict(np.arange(80), y[:80].astype(np.int32), 4)
    monkeypatch.setattr(linear, "STEPS", 2_000)
    many, _ = Linear(X).fit_predict(np.arange(80), y[:80].astype(np.int32), 4)
    assert (few.argmax(axis=1) == many.argmax(axis=1)).mean() > 0.98


def test_a_left_out_answer_does_not_know_its_own_class() -> None:
    """Answers of pure chance are guessed by chance when left out, however well the rule fits them."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(200, 60)).astype(np.float32)
    y = rng.integers(4, size=100).astype(np.int32)
    shares, without = Linear(X).fit_predict(np.arange(100), y, 4)
    assert (shares[:100].argmax(axis=1) == y).mean() > 0.9
    assert (without.argmax(axis=1) == y).mean() < 0.45


def test_a_fold_is_what_a_fit_without_it_says() -> None:
    X, y = blobs(100)
    y = y.astype(np.int32)
    rows = np.arange(40)
    _, without = Linear(X).fit_predict(rows, y[:40], 4)
    kept = rows[rows % FOLDS != 2]
    left = rows[rows % FOLDS == 2]
    alone, _ = Linear(X).fit_predict(kept, y[kept], 4)
    np.testing.assert_allclose(without[left], alone[left], atol=0.03)  # the steps are bounded by all rows


def test_quick_keeps_the_fit_for_a_few_answers_and_no_longer() -> None:
    X, y = blobs(200)
    y = y.astype(np.int32)
    rule = Linear(X)
    first, _ = rule.fit_predict(np.arange(30), y[:30], 4)
    kept, without = rule.fit_predict(np.arange(30 + REFIT_AFTER), y[: 30 + REFIT_AFTER], 4, quick=True)
    assert kept is first
    assert without.shape == (30 + REFIT_AFTER, 4)
    assert rule.fit_predict(np.arange(31), y[:31], 4)[0] is not first
    changed = y[:31].copy()
    changed[0] = (changed[0] + 1) % 4
    last = rule.fit_predict(np.arange(31), changed, 4, quick=True)[0]
    assert rule.fit_predict(np.arange(40), y[:40], 4, quick=True)[0] is not last


@pytest.mark.parametrize("n_classes", [1, 2])
def test_constant_features_and_one_class_are_no_trouble(n_classes: int) -> None:
    shares, without = Linear(np.zeros((9, 3), np.float32)).fit_predict(
        np.arange(2), np.arange(2, dtype=np.int32) % n_classes, n_classes
    )
    assert np.isfinite(shares).all()
    assert np.isfinite(without).all()
    np.testing.assert_allclose(shares.sum(axis=1), 1, rtol=1e-5)
