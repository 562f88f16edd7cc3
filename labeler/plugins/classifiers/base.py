"""The protocol of a classifier: the core's, under the name of this room."""

from __future__ import annotations

from labeler.core.protocols import Classifier

__all__ = ["Classifier"]
