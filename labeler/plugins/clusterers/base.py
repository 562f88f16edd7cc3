"""The protocol of a clusterer: the core's, under the name of this room."""

from __future__ import annotations

from labeler.core.protocols import Clusterer, Clustering

__all__ = ["Clusterer", "Clustering"]
