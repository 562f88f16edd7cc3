"""Gaussian mixtures: soft clusters of any ellipsoid's shape, by expectation maximisation."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from labeler.clusterers.shaping import COMPONENTS, few_places, fit_rows, one_of, positive, shaped, sight, whole
from labeler.core.protocols import Clustering
from labeler.core.steps import blocks
from labeler.core.vocabulary import FloatArray, IntArray

COVARIANCES = ("tied", "full", "diag", "spherical")
EMPTIED = 0.01
"""A component of less weight is called emptied."""
SAMPLES = 26
"""Instances that are drawn from a mixture, to be looked at."""


class Gmm:
    """A mixture of Gaussians (scikit-learn's, EM from k-means); an instance is in the component it is likeliest of.

    Fitted on 20,000 instances at most. `facts` hold converged, iterations, weights, bic and aic.

    Parameters
    ----------
    covariance_type
        ``tied`` = one shape for all; ``full`` = each its own; ``diag`` = along the axes; ``spherical``.
    n_init
        Runs; the likeliest is kept.
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
        n_init: int = 1,
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
        """See :class:`labeler.core.protocols.Clusterer`."""
        axes = sight(X, self.pca, random_state)
        points = np.ascontiguousarray(X, dtype=np.float32) if axes is None else axes.project(X)
        few = few_places(X, points, n_clusters)
        if few is not None:
            return few
        # the variance a point may not fall below is meant relative to the data's own
        unit = float(points.std(dtype=np.float64)) or 1.0
        rows = (fit_rows(points, random_state) / unit).astype(np.float64)
        model = self._model(min(n_clusters, len(rows)), random_state)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # whether it converged is in the facts
            model.fit(rows)
        labels, shares, seconds = _responsibilities(model, points, unit)
        drawn = (model.sample(SAMPLES)[0] * unit).astype(np.float32)
        samples = drawn if axes is None else axes.restore(drawn)
        return shaped(X, labels, shares=shares, seconds=seconds, samples=samples, facts=self._facts(model, rows))

    def _model(self, n_components: int, random_state: int) -> Any:
        from sklearn.mixture import GaussianMixture

        return GaussianMixture(
            n_components,
            covariance_type=self.covariance_type,
            n_init=self.n_init,
            max_iter=self.max_iter,
            reg_covar=self.reg_covar,
            random_state=random_state,
        )

    def _facts(self, model: Any, rows: Any) -> dict[str, Any]:
        return _progress(model) | {"bic": float(model.bic(rows)), "aic": float(model.aic(rows))}


class BayesianGmm(Gmm):
    """A Bayesian mixture of Gaussians (scikit-learn's, a Dirichlet process): it empties components it does not need.

    `facts` hold converged, iterations, weights and emptied = how many have less weight than 0.01.

    Parameters
    ----------
    weight_concentration_prior
        Low = few components hold nearly everything, high = many do; ``none`` = 1 / clusters.
    covariance_type, n_init, max_iter, reg_covar, pca
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

    def _model(self, n_components: int, random_state: int) -> Any:
        from sklearn.mixture import BayesianGaussianMixture

        return BayesianGaussianMixture(
            n_components=n_components,
            weight_concentration_prior=self.weight_concentration_prior,
            covariance_type=self.covariance_type,
            n_init=self.n_init,
            max_iter=self.max_iter,
            reg_covar=self.reg_covar,
            random_state=random_state,
        )

    def _facts(self, model: Any, rows: Any) -> dict[str, Any]:
        return _progress(model) | {"emptied": int((model.weights_ < EMPTIED).sum())}


def _progress(model: Any) -> dict[str, Any]:
    return {
        "converged": bool(model.converged_),
        "iterations": int(model.n_iter_),
        "weights": [round(float(weight), 6) for weight in model.weights_],
    }


def _responsibilities(model: Any, points: FloatArray, unit: float) -> tuple[IntArray, FloatArray, IntArray]:
    """For each instance the likeliest component, its responsibility, and the next component."""
    n, k = len(points), len(model.weights_)
    labels, shares, seconds = np.empty(n, np.int32), np.empty(n, np.float32), np.full(n, -1, np.int32)
    for block in blocks(n, max(k, points.shape[1])):
        found = model.predict_proba((points[block] / unit).astype(np.float64))
        labels[block] = found.argmax(axis=1)
        rows = np.arange(len(found))
        shares[block] = found[rows, labels[block]]
        if k > 1:
            found[rows, labels[block]] = -1.0
            seconds[block] = found.argmax(axis=1)
    return labels, shares, seconds
