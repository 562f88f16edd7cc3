"""Merging: the tree that agglomerative clustering keeps, and BIRCH, which takes a pool of any size."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from labeler.engine.representatives import Level, nearest_to_center
from labeler.engine.splitting import divide
from labeler.plugins.clusterers.common import reduced
from labeler.plugins.clusterers.hierarchical import LINKAGES, Agglomerative, Birch
from tests.plugins.clusterers.digits import X, purity


@pytest.mark.parametrize("linkage", LINKAGES)
def test_the_clusters_are_scikit_learns_and_the_tree_is_kept(linkage):
    from sklearn.cluster import AgglomerativeClustering

    found = Agglomerative(linkage=linkage).cluster(X, 20, 0)
    theirs = AgglomerativeClustering(20, linkage=linkage).fit(reduced(X, 10, 0))
    assert len(np.unique(found.clusters * 100 + theirs.labels_)) == 20
    np.testing.assert_array_equal(found.tree, theirs.children_)
    assert len(found.facts["last_merges"]) == 19
    assert found.facts["last_merges"] == sorted(found.facts["last_merges"])


def test_to_divide_a_cluster_takes_its_last_merge_back():
    coarse, fine = (Agglomerative().cluster(X, k, 0) for k in (12, 13))
    # the merge that made twelve of thirteen: the cluster of the twelve that holds two of the thirteen
    pairs = {(int(a), int(b)) for a, b in zip(coarse.clusters, fine.clusters, strict=True)}
    merged = next(a for a, _ in pairs if sum(a == other for other, _ in pairs) == 2)
    level = Level(coarse, nearest_to_center(coarse))
    found = divide(level, X, int(level.representatives[merged]))
    assert found.size == 13
    assert len(np.unique(found.clustering.clusters * 100 + fine.clusters)) == 13  # the same thirteen
    again = divide(found, X, int(found.parts[0]))
    assert again.size == 14
    same = coarse.clusters != merged
    np.testing.assert_array_equal(again.clustering.clusters[same], coarse.clusters[same])


def test_a_cluster_of_one_cannot_be_divided():
    found = Agglomerative().cluster(X[:5], 5, 0)
    level = Level(found, nearest_to_center(found))
    assert divide(level, X[:5], int(level.representatives[0])) is level


@pytest.mark.slow
def test_birch_finds_digits_and_a_narrow_threshold_is_widened():
    found = Birch().cluster(X, 50, 0)
    assert purity(found.clusters) > 0.9
    assert 50 < found.facts["subclusters"] <= 4_000
    rng = np.random.default_rng(0)
    noise = rng.normal(size=(5_000, 4)).astype(np.float32)
    tight = Birch(threshold=1e-6).cluster(noise, 10, 0)
    assert tight.facts["subclusters"] <= 4_000
    assert tight.facts["threshold"] > 1e-6


MEASURED = """
import resource, sys, numpy as np
from labeler.plugins import registry
from threadpoolctl import threadpool_limits
import sklearn.cluster, sklearn.neighbors, scipy.linalg
X = np.load(sys.argv[1], mmap_mode="r")
clusterer = registry.create("clusterer", sys.argv[2])
clusterer.cluster(X[:3000], 20, 0)
peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
with threadpool_limits(1):
    before = peak()
    found = clusterer.cluster(X, 20, 0)
print(len(found.centers), peak() - before)
"""


@pytest.mark.slow
def test_birch_reads_a_memory_mapped_pool_in_bounded_memory(tmp_path):
    rng = np.random.default_rng(0)
    path = tmp_path / "X.npy"
    X = np.lib.format.open_memmap(path, "w+", np.float32, (300_000, 256))  # 293 MB
    centers = rng.normal(0, 5, (20, 256)).astype(np.float32)
    for start in range(0, len(X), 10_000):
        X[start : start + 10_000] = centers[rng.integers(20, size=10_000)] + rng.normal(size=(10_000, 256))
    X.flush()
    del X
    call = [sys.executable, "-c", MEASURED, str(path), "birch"]
    done = subprocess.run(call, capture_output=True, text=True, check=True)
    found, grown = done.stdout.split()
    assert int(found) == 20
    assert float(grown) < 150  # MB: the pages of the file that were read are given back
