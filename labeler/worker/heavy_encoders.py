"""A pool encoded by a heavy encoder: in steps of rows that are always the same, in children where there are many."""

from __future__ import annotations

from collections.abc import Generator, Iterator

import numpy as np

from labeler.core.types import IndexArray, Progress
from labeler.plugins import custom, registry
from labeler.plugins.encoders.base import Encoder, Images, Portable
from labeler.plugins.importers.base import Source
from labeler.plugins.registry import Spec
from labeler.worker import children
from labeler.worker.image_store import LARGEST, ImagePlan
from labeler.worker.protocol import Employ, Learned, Part, Work
from labeler.worker.work import read_work

MANY_STEPS = 30
"""Steps of a tenth of a second from which on children pay: to start, each takes half a second of its core."""


def is_heavy(encoder: Encoder) -> bool:
    """Whether it says how many rows are a step for it."""
    return getattr(encoder, "rows_a_step", 0) > 0


def encode_in_steps(
    source: Source, rows: IndexArray, raw: Images, encoder: Encoder, spec: Spec
) -> Generator[Progress | tuple[slice, Part], None, None]:
    """Yield signs of life, and the features of each step with the rows that they are of, in any order.

    Where a step ends depends on nothing but the encoder: so many processes or one, the bits are the same.
    """
    step, n = int(encoder.rows_a_step), len(raw)  # type: ignore[attr-defined]
    works = _works(source, rows, raw, encoder, step)
    size = _children_for(encoder, spec, -(-n // step))
    learned = encoder.learned() if size and isinstance(encoder, Portable) else {}
    employ = Employ(str(spec), custom.loaded(), [Learned(name, np.asarray(a)) for name, a in learned.items()])
    done = 0
    with children.Children(employ, size, encoder) as helpers:
        for part in helpers.do(works):
            if part is not None:
                here = slice(part.number * step, min((part.number + 1) * step, n))
                done += here.stop - here.start
                yield here, part
            yield Progress(f"encoding ({helpers.ended})" if helpers.ended else "encoding", done, n)


def _works(source: Source, rows: IndexArray, raw: Images, encoder: Encoder, step: int) -> Iterator[Work]:
    side = int(getattr(encoder, "side", 0))
    plan = ImagePlan((side, side, 3), exact=False)
    for number, start in enumerate(range(0, len(raw), step)):
        here = slice(start, start + step)
        if source.content == "images" and side > LARGEST:  # once more from the source, in color
            yield read_work(source, rows[here], plan, number).work
        else:
            yield Work(number, np.ascontiguousarray(raw[here]))


def _children_for(encoder: Encoder, spec: Spec, n_steps: int) -> int:
    """Return how many children work on so many steps: none where they do not pay, or would not know the encoder."""
    cores = children.cores() // max(1, int(getattr(encoder, "threads", 1)))
    if cores < 2 or n_steps < MANY_STEPS or registry.entry("encoder", spec.name).origin == "this process":
        return 0
    return min(cores, children.MOST)
