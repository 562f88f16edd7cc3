"""The protocols of query strategies: the core's, under the name of this room.

Most give every candidate a utility from its class probabilities; those that choose questions together, by where they
lie, rank the pool.
"""

from __future__ import annotations

from labeler.core.protocols import PoolStrategy, PoolView, QueryStrategy

__all__ = ["PoolStrategy", "PoolView", "QueryStrategy"]
