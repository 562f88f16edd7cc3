"""The space of clusters: the features of what can be read, and the way back to the instances themselves."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from labeler.core import steps
from labeler.core.errors import SourceError
from labeler.core.numeric.pca import PrincipalAxes, principal_axes
from labeler.core.protocols import Clustering
from labeler.core.text import counted
from labeler.core.types import BoolArray, FloatArray, IndexArray, Progress
from labeler.plugins import registry
from labeler.plugins.encoders.scaled import Scaled
from labeler.plugins.importers.base import Source
from labeler.worker.features import Prepared, fitted, prepare

FEATURES = 100
"""Principal components of the encoder's features that are clustered, at most."""
CRITERIA = ("bic", "aic")


@dataclass(frozen=True, slots=True)
class Space:
    """The `points` (n, d) that are clustered, one a readable instance: `ids`, `rows` (n,) in the pool, what they are of
    (`raw`); `axes` of what is components; `scaling` of a table whose columns were brought to one scale."""

    points: FloatArray
    ids: list[str]
    rows: IndexArray
    raw: Any
    encoder: str
    axes: PrincipalAxes | None
    scaling: Scaled | None
    unreadable: dict[str, str]

    def named(self) -> str:
        """Return what the points are, in words."""
        n = self.points.shape[1]
        return counted(n, "feature") if n < FEATURES else f"{FEATURES} principal components"

    def in_columns(self, clustering: Clustering) -> Clustering:
        """Return the clustering with BIC and AIC of the columns as they came, where they are of all of them, scaled."""
        looked_at = clustering.mixture is not None and clustering.mixture.looks_at(self.points.shape[1])
        if self.scaling is not None and self.axes is None and looked_at:
            # a column w times as wide makes a density w times as thin: minus twice its log grows by 2 log w a row
            less = 2 * len(self.points) * self.scaling.log_widths()
            for name in CRITERIA:
                if name in clustering.facts:
                    clustering.facts[name] += less
        return clustering

    def restored(self, points: FloatArray) -> FloatArray:
        """Return what has these `points` (m, d): rows of the encoder's features, of a scaled table in its own units."""
        features = self.axes.restore(points) if self.axes is not None else points
        return self.scaling.restore(features) if self.scaling is not None else features


def space_of(
    source: Source,
    ids: Sequence[str],
    usable: BoolArray | None,
    cache: Path,
    encoder: str,
    features: str,
    seed: int,
    progress: Callable[[Progress], None],
) -> Space:
    """Return the features of what can be read of a pool; `usable` (n,): what else is left out.

    Raises
    ------
    SourceError
        Nothing can be read.
    UsageError
        The encoder does not exist, or does not take what the source holds.
    """
    prepared: Prepared = steps.run(prepare(source, ids, cache, encoder, features, seed), progress)
    held = np.ones(len(ids), dtype=np.bool_) if usable is None else usable.copy()
    held[list(prepared.unreadable)] = False
    rows = np.flatnonzero(held).astype(np.int64)
    if not len(rows):
        raise SourceError("nothing in it can be read", "look at a few of the files: are they images?")
    # a copy of a large pool only where something is left out of it
    whole = len(rows) == len(ids)
    X: FloatArray = prepared.features if whole else np.asarray(prepared.features[rows])
    raw = prepared.raw if whole else prepared.raw[rows]
    axes = None
    if X.shape[1] > FEATURES:
        # one thread gives the same sums in the same order, and so the same bytes
        with threadpool_limits(1):
            axes = steps.run(principal_axes(X, FEATURES, seed))
            X = axes.project(X)
    unreadable = {ids[row]: why for row, why in prepared.unreadable.items()}
    points, named = np.array(X, dtype=np.float32), [ids[row] for row in rows.tolist()]
    return Space(points, named, rows, raw, prepared.encoder, axes, _scaling(prepared), unreadable)


def _scaling(prepared: Prepared) -> Scaled | None:
    """Return the encoder `scaled` as it was fitted; None where another one made the features."""
    spec = registry.parse_spec(prepared.encoder)
    if spec.name != "scaled":
        return None
    encoder = fitted(registry.create("encoder", spec), prepared.raw)
    return encoder if isinstance(encoder, Scaled) else None
