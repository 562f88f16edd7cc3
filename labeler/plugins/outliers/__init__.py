"""Outlier methods: which instances are odd, which new ones lie outside of what is known."""

DEFAULT = "local-outlier-factor:n_neighbors=50"
"""Of the six, each on the features alone and with the pictures beside them, the one that found most of what was planted
(benchmarks/outliers.md); with 20 neighbors, the method's own default, a handful of blank pictures vouch for each other.
"""
