"""Adapters from a person's own code to the protocols of plug-ins.

Plain functions do for an encoder and a query strategy, any scikit-learn classifier with probabilities for a
classifier; an object that meets the protocol of its kind already is taken as it is.
"""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from labeler.core.errors import UsageError
from labeler.core.types import FloatArray, IntArray

METHODS = {
    "encoder": "transform",
    "clusterer": "cluster",
    "classifier": "fit",
    "strategy": "utilities",
    "outlier method": "fit score anomalies",
    "importer": "accepts open",
    "exporter": "write count",
}
"""The methods without which an object is no plug-in of its kind."""


def factory_of(kind: str, thing: Any) -> Callable[..., Any]:
    """Return a factory of the plug-in: a class is called with its parameters, an object is there already.

    Raises
    ------
    UsageError
        It lacks the methods of its kind, and no adapter supplies them.
    """
    _check(kind, thing)
    is_class = isinstance(thing, type)
    adapted = None if is_class else _adapted(kind, thing)

    def factory(**parameters: Any) -> Any:
        return _adapted(kind, thing(**parameters)) if is_class else adapted

    factory.__signature__ = inspect.signature(thing) if is_class else inspect.Signature()  # type: ignore[attr-defined]
    factory.__doc__ = inspect.getdoc(thing)
    return factory


def _adapted(kind: str, thing: Any) -> Any:
    _check(kind, thing)
    if kind == "strategy" and not hasattr(thing, "rank"):  # those that rank look at the whole pool
        if not hasattr(thing, "utilities"):
            return _Strategy(thing)
        if not hasattr(thing, "spread_over_clusters"):
            return _Strategy(thing.utilities)
    if kind == "encoder" and not hasattr(thing, "transform"):
        return _Encoder(thing, None)
    if kind == "encoder" and not (hasattr(thing, "version") and hasattr(thing, "takes")):
        return _Encoder(thing.transform, thing)
    if kind == "classifier" and not hasattr(thing, "predict_proba"):
        raise UsageError(
            f"the classifier {type(thing).__name__} gives no probabilities",
            "wrap it: sklearn.calibration.CalibratedClassifierCV(classifier)",
        )
    # scikit-learn's, which refuse a single class; others meet the protocol themselves
    if kind == "classifier" and hasattr(thing, "get_params"):
        return _Classifier(thing)
    return thing


def _check(kind: str, thing: Any) -> None:
    is_function = kind in ("strategy", "encoder") and callable(thing) and not isinstance(thing, type)
    missing = [name for name in METHODS[kind].split() if not hasattr(thing, name)]
    if missing and not is_function and not (kind == "strategy" and hasattr(thing, "rank")):
        name = thing.__name__ if isinstance(thing, type) else type(thing).__name__
        raise UsageError(f"{name} is no {kind}: it has no {missing[0]}()", "docs/api.md says what each kind needs")


class _Strategy:
    """A query strategy from a function ``(proba (n, k), rng) -> utilities (n,)``."""

    spread_over_clusters = False

    def __init__(self, function: Callable[..., Any]) -> None:
        self._function = function

    def utilities(self, proba: FloatArray, rng: np.random.Generator) -> FloatArray:
        utilities = np.asarray(self._function(proba, rng), dtype=np.float32)
        if utilities.shape != (len(proba),):
            raise UsageError(f"the strategy gave {utilities.shape} for {len(proba)} candidates", "one utility each")
        # a ratio of 0 to 0 is no reason to stop: it counts as 0
        return np.nan_to_num(utilities)


class _Encoder:
    """An encoder from a function ``images -> features``, or from an object that fits and transforms."""

    takes = ("images", "table")

    def __init__(self, transform: Callable[..., Any], whole: Any) -> None:
        self._transform, self._whole = transform, whole
        try:
            source = inspect.getsource(type(whole) if whole is not None else transform)
        except (OSError, TypeError):  # typed in by hand: nobody can say whether it is the one of last time
            source = repr(id(self))
        # parameters decide what comes out as the source does: both are in the version, and so in the cache's key
        state = repr(sorted(vars(whole).items(), key=str)) if whole is not None and hasattr(whole, "__dict__") else ""
        self.version = int.from_bytes(hashlib.sha256(f"{source}{state}".encode()).digest()[:6])

    def fit(self, images: NDArray[Any]) -> _Encoder:
        if hasattr(self._whole, "fit"):
            self._whole.fit(images)
        return self

    def transform(self, images: NDArray[Any]) -> FloatArray:
        features = np.ascontiguousarray(self._transform(images), dtype=np.float32)
        if features.ndim != 2 or len(features) != len(images):
            raise UsageError(f"the encoder gave {features.shape} for {len(images)} images", "one row of features each")
        return features


class _Classifier:
    """A scikit-learn classifier, which would refuse a single class and may not know weights."""

    def __init__(self, estimator: Any) -> None:
        self._estimator = estimator
        # not every one of scikit-learn's takes weights: k nearest neighbors does not
        self._takes_weights = "sample_weight" in inspect.signature(estimator.fit).parameters
        self.classes_: NDArray[np.int64] = np.empty(0, dtype=np.int64)

    def fit(self, X: FloatArray, y: IntArray, sample_weight: FloatArray | None = None) -> _Classifier:
        self.classes_ = np.unique(y).astype(np.int64)
        if len(self.classes_) > 1:
            weights = {"sample_weight": sample_weight} if self._takes_weights and sample_weight is not None else {}
            self._estimator.fit(X, y, **weights)
        return self

    def predict_proba(self, X: FloatArray) -> FloatArray:
        if len(self.classes_) < 2:
            return np.ones((len(X), len(self.classes_)), dtype=np.float32)
        return np.asarray(self._estimator.predict_proba(X), dtype=np.float32)
