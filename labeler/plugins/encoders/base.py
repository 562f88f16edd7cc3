"""The protocol of an encoder."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol, runtime_checkable

from numpy.typing import NDArray

from labeler.core.types import FloatArray

Images = NDArray[Any]
"""uint8 images (n, h, w) or (n, h, w, 3), a float32 table of features (n, d), or texts (n,) as objects."""


class Encoder(Protocol):
    """Images or a table -> features. Rows are independent of each other once fitted.

    ``fit`` sees a sample of the pool (at most :data:`labeler.worker.features.FIT_SAMPLE` rows); ``transform`` is called
    on chunks, so it must give the same row whatever the chunk. `version` goes into the cache key: raise it when
    the output changes.

    Beyond these an encoder may have ``side`` (pixels a side at which it wants to see images), with it ``looks_at`` and
    ``framed`` (:class:`labeler.worker.image_store.Framing`), ``bring()`` where it takes something from elsewhere (signs
    of life until that is here; it is called before ``fit``), and ``pin()`` (:mod:`labeler.plugins.pins`).

    ``rows_a_step``: rows that take it about a tenth of a second. An encoder that has it is a heavy one, whose steps are
    done in child processes where there are many, and kept as they are done: it learns nothing, or is :class:`Portable`.
    ``is_exact``: it learns nothing, and an image gives the same bits whatever images stand beside it; its features are
    kept by content, so that an image is not encoded again when others come into the source. ``threads`` and
    ``model_size`` (bytes) say what each process that runs it takes.
    """

    version: int
    takes: tuple[str, ...]  # of "images", "table", "text"

    def fit(self, images: Images) -> Encoder:
        """Learn what depends on the pool (background polarity, principal components); returns self."""
        ...

    def transform(self, images: Images) -> FloatArray:
        """Features (n, d) float32, finite, C-contiguous."""
        ...


@runtime_checkable
class Portable(Protocol):
    """An encoder whose learned state can be carried to another process, where it gives the same bits."""

    def learned(self) -> dict[str, NDArray[Any]]:
        """Return what :meth:`Encoder.fit` learned, as arrays by name."""
        ...

    def take_over(self, learned: Mapping[str, NDArray[Any]]) -> None:
        """Take what another one of the same parameters has :meth:`learned` in place of a fit."""
        ...
