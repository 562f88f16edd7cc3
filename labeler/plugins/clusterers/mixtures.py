"""Gaussian mixtures: soft clusters of any ellipsoid's shape, by expectation maximisation."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from labeler.core.protocols import Clustering
from labeler.core.steps import blocks
from labeler.core.types import FloatArray, IndexArray, IntArray
from labeler.plugins.clusterers.common import COMPONENTS, few_places, fit_rows, one_of, positive, shaped, sight, whole

if TYPE_CHECKING:
    from labeler.core.numeric.pca import PrincipalAxes

COVARIANCES = ("tied", "full", "diag", "spherical")
EMPTIED = 0.01
"""A component of less weight is called emptied."""
SAMPLES = 26
"""Instances that are drawn from a mixture, to be looked at."""
RUNS, RUNS_OF_MANY, FEW = 10, 1, 10_000
"""Runs of EM where nobody says how many: for pools of up to so many instances, and for larger ones."""


class Gmm:
    """A mixture of Gaussians (scikit-learn's, EM from k-means); an instance is in the component it is likeliest of.

    Fitted on 20,000 instances at most. `facts` hold converged, iterations, weights, bic and aic; these are of all
    instances, of the features as they came (or their components, where those are looked at).

    Parameters
    ----------
    covariance_type
        ``tied`` = one shape for all; ``full`` = each its own; ``diag`` = along the axes; ``spherical``.
    n_init
        Runs; the likeliest is kept. ``none`` = 10, and 1 where there are more than 10,000 instances.
    max_iter
        Steps of EM at most.
    reg_covar
        Added to the variances, in the features' unit squared, so that no component shrinks to a point.
    pca
        Principal components looked at; ``none`` = the features as they are.
    """

    def __init__(
        self,
        covariance_type: str = "tied",
        n_init: int | None = None,
        max_iter: int = 200,
        reg_covar: float = 1e-6,
        pca: int | None = COMPONENTS,
    ) -> None:
        one_of(COVARIANCES, covariance_type=covariance_type)
        whole(n_init=n_init, max_iter=max_iter, pca=pca)
        positive(reg_covar=reg_covar)
        self.covariance_type, self.n_init, self.max_iter = covariance_type, n_init, max_iter
        self.reg_covar, self.pca = reg_covar, pca

    def cluster(self, X: FloatArray, n_clusters: int, random_state: int) -> Clustering:
        """Fit `n_clusters` Gaussians; each instance belongs to its likeliest one."""
        axes = sight(X, self.pca, random_state)
        points = np.ascontiguousarray(X, dtype=np.float32) if axes is None else axes.project(X)
        few = few_places(X, points, n_clusters)
        if few is not None:
            return few
        # the variance a point may not fall below is meant relative to the data's own
        unit = float(points.std(dtype=np.float64)) or 1.0
        # in float64: in float32 a covariance may lose what makes it invertible
        rows = (fit_rows(points, random_state) / unit).astype(np.float64)
        model = self._model(min(n_clusters, len(rows)), self.n_init or _runs(len(X)), random_state)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # whether it converged is in the facts
            model.fit(rows)
        labels, shares, seconds = _responsibilities(model, points, unit)
        fitted = FittedMixture(model, unit, axes, np.unique(labels))
        facts = _progress(model) | self._criteria(model, points, unit)
        samples = fitted.draw(SAMPLES)
        return shaped(X, labels, shares=shares, seconds=seconds, samples=samples, facts=facts, mixture=fitted)

    def _model(self, n_components: int, n_init: int, random_state: int) -> Any:
        from sklearn.mixture import GaussianMixture  # start-up: 1 s, and every clustering loads this file

        return GaussianMixture(
            n_components,
            covariance_type=self.covariance_type,
            n_init=n_init,
            max_iter=self.max_iter,
            reg_covar=self.reg_covar,
            random_state=random_state,
        )

    def _criteria(self, model: Any, points: FloatArray, unit: float) -> dict[str, Any]:
        """BIC (Schwarz 1978), AIC (Akaike 1974); a density per `unit` is one of the features' own, times unit^d."""
        n, d = points.shape
        likelihood = -n * d * np.log(unit)
        for block in blocks(n, max(len(model.weights_), d)):
            likelihood += float(model.score_samples((points[block] / unit).astype(np.float64)).sum())
        free = _free_parameters(self.covariance_type, len(model.weights_), d)
        return {"bic": float(-2 * likelihood + free * np.log(n)), "aic": float(-2 * likelihood + 2 * free)}


class BayesianGmm(Gmm):
    """A Bayesian mixture of Gaussians (scikit-learn's, a Dirichlet process): it empties components it does not need.

    `facts` hold converged, iterations, weights and emptied = how many have less weight than 0.01.

    Parameters
    ----------
    weight_concentration_prior
        Low = few components hold nearly everything, high = many do; ``none`` = 1 / clusters.
    n_init
        Runs; the likeliest is kept. One of them takes as long as ten of ``gmm``.
    covariance_type, max_iter, reg_covar, pca
        As of ``gmm``.
    """

    def __init__(
        self,
        weight_concentration_prior: float | None = None,
        covariance_type: str = "tied",
        n_init: int = 1,
        max_iter: int = 300,
        reg_covar: float = 1e-6,
        pca: int | None = COMPONENTS,
    ) -> None:
        super().__init__(covariance_type, n_init, max_iter, reg_covar, pca)
        positive(weight_concentration_prior=weight_concentration_prior)
        self.weight_concentration_prior = weight_concentration_prior

    def _model(self, n_components: int, n_init: int, random_state: int) -> Any:
        from sklearn.mixture import BayesianGaussianMixture  # start-up: as above

        return BayesianGaussianMixture(
            n_components=n_components,
            weight_concentration_prior=self.weight_concentration_prior,
            covariance_type=self.covariance_type,
            n_init=n_init,
            max_iter=self.max_iter,
            reg_covar=self.reg_covar,
            random_state=random_state,
        )

    def _criteria(self, model: Any, points: FloatArray, unit: float) -> dict[str, Any]:
        return {"emptied": int((model.weights_ < EMPTIED).sum())}


class FittedMixture:
    """A fitted mixture over the features it was fitted on; its clusters are the components somebody is in."""

    def __init__(self, model: Any, unit: float, axes: PrincipalAxes | None, components: IndexArray) -> None:
        self._model, self._unit, self._axes, self._components = model, unit, axes, components

    def shares(self, X: FloatArray) -> FloatArray:
        """Return how much each of `X` (n, d) belongs to each cluster (n, k); rows sum to 1."""
        points = np.asarray(X, dtype=np.float32) if self._axes is None else self._axes.project(X)
        shares = self._model.predict_proba((points / self._unit).astype(np.float64))[:, self._components]
        # far from every component all shares underflow to 0
        return np.asarray(shares / np.maximum(shares.sum(axis=1, keepdims=True), 1e-300), dtype=np.float32)

    def draw(self, count: int) -> FloatArray:
        """Draw made-up instances (count, d); the same ones each time."""
        drawn = (self._model.sample(count)[0] * self._unit).astype(np.float32)
        return drawn if self._axes is None else self._axes.restore(drawn)

    def looks_at(self, width: int) -> bool:
        """Return whether it is of `width` features themselves, and not of their components."""
        return self._axes is None and self._model.means_.shape[1] == width


def _runs(n: int) -> int:
    return RUNS if n <= FEW else RUNS_OF_MANY


def _free_parameters(covariance: str, k: int, d: int) -> int:
    """Count the parameters of a mixture of `k` Gaussians in `d` dimensions: their shapes, means and weights."""
    shape = {"full": k * d * (d + 1) // 2, "tied": d * (d + 1) // 2, "diag": k * d, "spherical": k}[covariance]
    return shape + k * d + k - 1  # weights sum to 1, so the last one is not free


def _progress(model: Any) -> dict[str, Any]:
    return {
        "converged": bool(model.converged_),
        "iterations": int(model.n_iter_),
        "weights": [round(float(weight), 6) for weight in model.weights_],
    }


def _responsibilities(model: Any, points: FloatArray, unit: float) -> tuple[IntArray, FloatArray, IntArray]:
    """Return for each instance the likeliest component, its responsibility, and the next component."""
    n, k = len(points), len(model.weights_)
    labels, shares, seconds = np.empty(n, np.int32), np.empty(n, np.float32), np.full(n, -1, np.int32)
    for block in blocks(n, max(k, points.shape[1])):
        proba = model.predict_proba((points[block] / unit).astype(np.float64))
        labels[block] = proba.argmax(axis=1)
        rows = np.arange(len(proba))
        shares[block] = proba[rows, labels[block]]
        if k > 1:
            # out of the way of the second likeliest
            proba[rows, labels[block]] = -1.0
            seconds[block] = proba.argmax(axis=1)
    return labels, shares, seconds
