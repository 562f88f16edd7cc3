"""Who is alike to whom: exemplars, and eigenvectors of the neighbour graph."""

from __future__ import annotations

import numpy as np
import pytest

from labeler.core.errors import EngineError
from labeler.engine.book import representatives
from labeler.plugins.clusterers.graph_based import AffinityPropagation, Spectral
from tests.plugins.clusterers.digits import X, purity


def test_exemplars_are_the_representatives():
    from sklearn.cluster import AffinityPropagation as Sklearn

    found = AffinityPropagation(pca=None).cluster(X[:400], 50, 0)
    theirs = Sklearn(damping=0.7, max_iter=300, random_state=0).fit(X[:400])
    assert set(representatives(found).tolist()) == set(theirs.cluster_centers_indices_.tolist())
    assert found.facts["converged"] is True
    fewer = AffinityPropagation(preference=-400).cluster(X[:400], 50, 0)
    assert len(fewer.centers) < len(found.centers)


@pytest.mark.slow
def test_spectral_clusters_follow_the_neighbours():
    for way in ("kmeans", "cluster_qr"):
        assert purity(Spectral(assign_labels=way).cluster(X, 30, 0).clusters) > 0.9


def test_two_moons_are_two_for_spectral_clustering():
    from sklearn.datasets import make_moons

    points, y = make_moons(400, noise=0.04, random_state=0)
    found = Spectral().cluster(points.astype(np.float32), 2, 0)
    assert purity(found.clusters, y) == 1


def test_the_limit_is_kept():
    with pytest.raises(EngineError, match="affinity-propagation compares all with all"):
        AffinityPropagation(limit=50).cluster(X[:60], 5, 0)
    with pytest.raises(EngineError, match="spectral compares all with all"):
        Spectral(limit=50).cluster(X[:60], 5, 0)
