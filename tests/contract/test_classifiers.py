"""One suite over every registered classifier."""

from __future__ import annotations

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from labeler.core.errors import UsageError
from labeler.plugins import registry


@pytest.fixture(params=registry.names("classifier"))
def name(request):
    with threadpool_limits(1):
        yield request.param


@pytest.fixture
def classifier(name):
    return registry.create("classifier", name)


def two_blobs(classes=(3, 7), n=60):
    rng = np.random.default_rng(0)
    y = np.array(classes, dtype=np.int32)[np.arange(n) % len(classes)]
    X = (10 * (np.arange(n) % len(classes))[:, None] + rng.normal(0, 1, (n, 2))).astype(np.float32)
    return X, y


@pytest.mark.parametrize("classes", [(3, 7), (0, 5, 9)])
def test_separate_classes_are_told_apart_and_columns_follow_classes(classifier, classes):
    X, y = two_blobs(classes)
    model = classifier.fit(X, y)
    proba = model.predict_proba(X)
    assert model.classes_.tolist() == sorted(classes)
    assert proba.shape == (len(X), len(classes))
    assert proba.dtype == np.float32
    assert np.allclose(proba.sum(axis=1), 1, atol=1e-5)
    assert (proba >= 0).all()
    assert (model.classes_[proba.argmax(axis=1)] == y).all()


def test_one_class_alone_is_allowed_and_certain(classifier):
    X, _ = two_blobs()
    model = classifier.fit(X, np.full(len(X), 4, np.int32))
    assert model.classes_.tolist() == [4]
    assert np.array_equal(model.predict_proba(X), np.ones((len(X), 1), np.float32))


def test_a_second_fit_forgets_the_first(classifier):
    X, y = two_blobs()
    classifier.fit(X[::-1], np.roll(y, 1))
    again = classifier.fit(X, y).predict_proba(X)
    fresh = registry.create("classifier", "logreg") if type(classifier).__name__ == "LogReg" else type(classifier)()
    assert np.array_equal(again, fresh.fit(X, y).predict_proba(X))
    classifier.fit(X, np.full(len(X), 1, np.int32))
    assert classifier.predict_proba(X).shape == (len(X), 1)


@pytest.mark.parametrize("factor", [1e-6, 255.0, 1e6])
def test_the_unit_of_the_features_does_not_matter(classifier, factor):
    X, y = two_blobs()
    plain = classifier.fit(X, y).predict_proba(X)
    scaled = classifier.fit(X * np.float32(factor), y).predict_proba(X * np.float32(factor))
    assert np.allclose(plain, scaled, atol=1e-3)


def test_constant_features_and_single_rows_are_survived(classifier):
    zeros = np.zeros((4, 3), np.float32)
    proba = classifier.fit(zeros, np.array([0, 0, 0, 1], np.int32)).predict_proba(zeros)
    assert np.isfinite(proba).all()
    assert proba[0, 0] > 0.5
    assert classifier.fit(zeros[:1], np.array([2], np.int32)).predict_proba(zeros).shape == (4, 1)


def test_weights_tip_a_tie(classifier):
    X = np.array([[0.0], [0.0]], np.float32)
    y = np.array([0, 1], np.int32)
    for favored in (0, 1):
        weights = np.array([1.0, 1.0], np.float32)
        weights[favored] = 10.0
        assert classifier.fit(X, y, weights).predict_proba(X)[0].argmax() == favored


def test_unusable_parameters_are_refused_before_any_work(name):
    for parameter, default in registry.parameters("classifier", name).items():
        if isinstance(default, (int, float)) and not isinstance(default, bool):
            for value in ("-1", "much"):
                with pytest.raises(UsageError):
                    registry.create("classifier", f"{name}:{parameter}={value}")
        if type(default) is int:
            with pytest.raises(UsageError):
                registry.create("classifier", f"{name}:{parameter}=1.5")


@pytest.mark.parametrize(("n", "d", "k"), [(200, 30, 6), (40, 60, 4), (300, 20, 2)])
def test_logistic_regression_is_what_scikit_learn_fits(n, d, k):
    from sklearn.linear_model import LogisticRegression

    rng = np.random.default_rng(0)
    y = rng.integers(k, size=n).astype(np.int32)
    X = (rng.normal(size=(k, d))[y] + rng.normal(scale=1.5, size=(n, d))).astype(np.float32)
    X /= np.sqrt(np.mean(np.square(X)))
    weights = (rng.random(n) + 0.1).astype(np.float32)
    plain = LogisticRegression().fit(X, y, sample_weight=weights).predict_proba(X)
    plugin = registry.create("classifier", "logreg").fit(X, y, weights)
    np.testing.assert_allclose(plugin.predict_proba(X), plain, atol=1e-4)
    model = plugin.model().arrays  # of two classes scikit-learn keeps the weights of one
    logits = np.exp(X @ model["slopes"] + model["offsets"])
    np.testing.assert_allclose(logits / logits.sum(axis=1, keepdims=True), plain, atol=1e-4)


@pytest.mark.parametrize("name", ["logreg", "kmeans-logreg:k=2"])
def test_balanced_classes_let_the_rare_one_speak(name):
    X = np.array([[0.0]] * 30 + [[1.0]] * 3, np.float32)
    y = np.array([0] * 30 + [1] * 3, np.int32)
    plain, balanced = (
        registry.create("classifier", f"{name}{':' if ':' not in name else ','}C=0.1,class_weight={how}").fit(X, y)
        for how in ("none", "balanced")
    )
    assert balanced.predict_proba(X[-1:])[0, 1] > plain.predict_proba(X[-1:])[0, 1] + 0.2
    with pytest.raises(UsageError, match="class_weight is balanced or none"):
        registry.create("classifier", "logreg:class_weight=rare")


@pytest.mark.filterwarnings("error")
def test_too_few_iterations_and_as_many_classes_as_answers_say_nothing():
    X, y = two_blobs()
    assert registry.create("classifier", "logreg:max_iter=1").fit(X, y).predict_proba(X).shape == (len(X), 2)
    every = np.arange(len(X), dtype=np.int32)
    assert registry.create("classifier", "logreg").fit(X, every).predict_proba(X).shape == (len(X), len(X))
