"""What a person brings of their own, made to fit what the engine asks of a plug-in.

Plain functions do for an encoder and a query strategy, any scikit-learn classifier with probabilities for a
classifier; what meets the protocol of its kind already is taken as it is.
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

NEEDS = {
    "encoder": ("transform",),
    "clusterer": ("cluster",),
    "classifier": ("fit",),
    "strategy": ("utilities",),
    "outlier method": ("fit", "score", "anomalies"),
    "importer": ("accepts", "open"),
    "exporter": ("write", "count"),
}
"""The methods without which an object is no plug-in of its kind."""


def factory_of(kind: str, thing: Any) -> Callable[..., Any]:
    """What makes the plug-in: a class is called with its parameters, an object is there already.

    Raises
    ------
    UsageError
        It has not the methods of its kind, and nobody knows how to use it.
    """
    if isinstance(thing, type):

        def made(**parameters: Any) -> Any:
            return _fitting(kind, thing(**parameters))

        made.__signature__ = inspect.signature(thing)  # type: ignore[attr-defined]
        made.__doc__ = inspect.getdoc(thing)
        _check(kind, thing)
        return made
    adapted = _fitting(kind, thing)

    def there() -> Any:
        return adapted

    there.__doc__ = inspect.getdoc(thing)
    return there


def _fitting(kind: str, thing: Any) -> Any:
    if kind == "strategy":
        if hasattr(thing, "rank"):  # it looks at the whole pool
            return thing
        if not hasattr(thing, "utilities") and callable(thing):
            return _Strategy(thing)
        _check(kind, thing)
        if not hasattr(thing, "spread_over_clusters"):
            return _Strategy(thing.utilities)
    elif kind == "encoder":
        if not hasattr(thing, "transform") and callable(thing):
            return _Encoder(thing, None)
        _check(kind, thing)
        if not (hasattr(thing, "version") and hasattr(thing, "takes")):
            return _Encoder(thing.transform, thing)
    elif kind == "classifier":
        _check(kind, thing)
        if not hasattr(thing, "predict_proba"):
            raise UsageError(
                f"the classifier {type(thing).__name__} gives no probabilities",
                "wrap it: sklearn.calibration.CalibratedClassifierCV(classifier)",
            )
        if hasattr(thing, "get_params"):
            return _Classifier(thing)
    else:
        _check(kind, thing)
    return thing


def _check(kind: str, thing: Any) -> None:
    if kind == "strategy" and hasattr(thing, "rank"):
        return
    missing = [name for name in NEEDS[kind] if not hasattr(thing, name)]
    if missing and not (kind in ("strategy", "encoder") and callable(thing) and not isinstance(thing, type)):
        name = thing.__name__ if isinstance(thing, type) else type(thing).__name__
        raise UsageError(f"{name} is no {kind}: it has no {missing[0]}()", "docs/api.md says what each kind needs")


class _Strategy:
    """A query strategy from a function ``(proba (n, k), rng) -> utilities (n,)``."""

    spread_over_clusters = False

    def __init__(self, utilities: Callable[..., Any]) -> None:
        self._utilities = utilities

    def utilities(self, proba: FloatArray, rng: np.random.Generator) -> FloatArray:
        """See :class:`labeler.core.protocols.QueryStrategy`."""
        found = np.asarray(self._utilities(proba, rng), dtype=np.float32)
        if found.shape != (len(proba),):
            raise UsageError(f"the strategy gave {found.shape} for {len(proba)} candidates", "one utility each")
        return np.nan_to_num(found)


class _Encoder:
    """An encoder from a function ``images -> features``, or from an object that fits and transforms."""

    takes = ("images", "table")

    def __init__(self, transform: Callable[..., Any], whole: Any) -> None:
        self._transform, self._whole = transform, whole
        try:
            source = inspect.getsource(type(whole) if whole is not None else transform)
        except (OSError, TypeError):  # typed in by hand: nobody can say whether it is the one of last time
            source = repr(id(self))
        state = repr(sorted(vars(whole).items(), key=str)) if whole is not None and hasattr(whole, "__dict__") else ""
        self.version = int.from_bytes(hashlib.sha256(f"{source}{state}".encode()).digest()[:6])

    def fit(self, images: NDArray[Any]) -> _Encoder:
        """See :class:`labeler.plugins.encoders.base.Encoder`."""
        if hasattr(self._whole, "fit"):
            self._whole.fit(images)
        return self

    def transform(self, images: NDArray[Any]) -> FloatArray:
        """See :class:`labeler.plugins.encoders.base.Encoder`."""
        found = np.ascontiguousarray(self._transform(images), dtype=np.float32)
        if found.ndim != 2 or len(found) != len(images):
            raise UsageError(f"the encoder gave {found.shape} for {len(images)} images", "one row of features each")
        return found


class _Classifier:
    """A scikit-learn classifier, which would refuse a single class and may not know weights."""

    def __init__(self, estimator: Any) -> None:
        self._estimator = estimator
        self._weighs = "sample_weight" in inspect.signature(estimator.fit).parameters
        self.classes_: NDArray[np.int64] = np.empty(0, dtype=np.int64)

    def fit(self, X: FloatArray, y: IntArray, sample_weight: FloatArray | None = None) -> _Classifier:
        """See :class:`labeler.core.protocols.Classifier`."""
        self.classes_ = np.unique(y).astype(np.int64)
        if len(self.classes_) > 1:
            weights = {"sample_weight": sample_weight} if self._weighs and sample_weight is not None else {}
            self._estimator.fit(X, y, **weights)
        return self

    def predict_proba(self, X: FloatArray) -> FloatArray:
        """See :class:`labeler.core.protocols.Classifier`."""
        if len(self.classes_) < 2:
            return np.ones((len(X), len(self.classes_)), dtype=np.float32)
        return np.asarray(self._estimator.predict_proba(X), dtype=np.float32)
