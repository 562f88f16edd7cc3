"""What a query strategy is: the core's protocol, under the name of this room."""

from __future__ import annotations

from labeler.core.protocols import QueryStrategy

__all__ = ["QueryStrategy"]
