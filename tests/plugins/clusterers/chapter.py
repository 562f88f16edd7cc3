"""The sets that the chapter on unsupervised learning works with (Géron, Hands-On Machine Learning, ch. 9)."""

from __future__ import annotations

import numpy as np
from sklearn.datasets import make_blobs, make_moons

CENTERS = np.array([[0.2, 2.3], [-1.5, 2.3], [-2.8, 1.8], [-2.8, 2.8], [-2.8, 1.3]])
SPREADS = np.array([0.4, 0.3, 0.1, 0.1, 0.1])


def moons(n=1_000, seed=42):
    """Two interleaved half circles (n, 2), and which is which (n,)."""
    X, y = make_moons(n, noise=0.05, random_state=seed)
    return X.astype(np.float32), y


def five_blobs():
    """Two wide and three narrow blobs (2000, 2), and which is which."""
    X, y = make_blobs(2_000, centers=CENTERS, cluster_std=SPREADS, random_state=7)
    return X.astype(np.float32), y


def mixture():
    """Three Gaussians of different shapes (1250, 2)."""
    X, _ = make_blobs(1_000, centers=((4, -4), (0, 0)), random_state=42)
    other, _ = make_blobs(250, centers=1, random_state=42)
    return np.concatenate((X.dot(np.array([[0.374, 0.95], [0.732, 0.598]])), other + np.array([6, -8]))).astype(
        np.float32
    )


def customers(n=300, seed=0):
    """Three segments of customers (n, 4): age, income, spending, visits; and which is which."""
    rng = np.random.default_rng(seed)
    middle = np.array([[25, 20_000, 80, 2], [45, 60_000, 40, 10], [65, 110_000, 15, 25]])
    y = np.arange(n) % 3
    return (middle[y] + rng.normal(size=(n, 4)) * [4, 5_000, 6, 1]).astype(np.float32), y


def scaled(X):
    """Columns brought to mean 0 and variance 1."""
    return ((X - X.mean(axis=0)) / X.std(axis=0)).astype(np.float32)
