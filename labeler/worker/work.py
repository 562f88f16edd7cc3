"""A piece of the reading and encoding of a pool: what it needs, and doing it, in this process or in a child of it.

Bytes are read in this process and decoded wherever the piece is done, so that any source will do, be it an archive or
some rows of another source.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

import numpy as np

from labeler.core.errors import UnreadableInstance
from labeler.core.types import ByteArray, IndexArray
from labeler.plugins.encoders.base import Encoder, Images
from labeler.plugins.importers.base import ImageFiles, Source
from labeler.plugins.importers.decode import decode
from labeler.plugins.importers.scaling import ValueRange, parse_range
from labeler.plugins.importers.subset import Subset
from labeler.worker.image_store import Framing, ImagePlan, way_of
from labeler.worker.protocol import Part, Work


def do(work: Work, encoder: Encoder | None) -> Part:
    """Decode a work's files, where there are any, and encode, where there is an encoder."""
    images: Images = work.images
    broken: dict[int, str] = {}
    if work.shape:
        framing: Any = encoder if work.is_framed else None
        images, broken = _decoded(work, framing)
    return Part(work.number, images if encoder is None else encoder.transform(images), broken)


def _decoded(work: Work, framing: Framing | None) -> tuple[ByteArray, dict[int, str]]:
    plan = ImagePlan(work.shape, work.is_exact)
    images = np.zeros((len(work.sizes), *plan.shape), dtype=np.uint8)
    broken: dict[int, str] = {}
    fit, framed = way_of(plan, framing)
    shown, start = parse_range(work.shown) or ValueRange(), 0
    for place, size in enumerate(work.sizes.tolist()):
        if size < 0:
            continue
        content = work.files[start : start + size].tobytes()
        start += size
        try:
            images[place] = framed(decode(content, fit, shown))
        except UnreadableInstance as error:
            broken[place] = str(error)
    return images, broken


@dataclass(frozen=True, slots=True)
class Reading:
    """A work, sha256 (k, 32) of what was read for it, and place -> why that could not be read."""

    work: Work
    hashes: ByteArray
    broken: dict[int, str]


def read_work(
    source: Source, positions: IndexArray, plan: ImagePlan, number: int, framing: Framing | None = None
) -> Reading:
    """Read the images at `positions` (k,) of a source, -1 where there is none, as a work that decodes them.

    With a `framing` it is for whoever has the encoder whose framing that is.
    """
    hashes = np.zeros((len(positions), 32), dtype=np.uint8)
    broken: dict[int, str] = {}
    shown = range_of_files(source)
    fit, framed = way_of(plan, framing)
    contents: list[bytes] = []
    sizes = np.full(len(positions), -1, dtype=np.int64)
    images = np.zeros((0 if shown is not None else len(positions), *plan.shape), dtype=np.uint8)
    for place, position in enumerate(positions.tolist()):
        if position < 0:
            continue
        try:
            content = source.content_bytes(position)
            hashes[place] = np.frombuffer(hashlib.sha256(content).digest(), dtype=np.uint8)
            if shown is not None:
                sizes[place] = len(content)
                contents.append(content)
            else:
                images[place] = framed(source.decoded(position, content, fit))
        except UnreadableInstance as error:
            broken[place] = str(error)
    if shown is None:
        return Reading(Work(number, images), hashes, broken)
    files = np.frombuffer(b"".join(contents), dtype=np.uint8)
    is_framed = framing is not None
    work = Work(number, images, files, sizes, plan.shape, is_exact=plan.exact, is_framed=is_framed, shown=shown)
    return Reading(work, hashes, broken)


def range_of_files(source: Source) -> str | None:
    """The range by which the bytes of a source's images are decoded; None where the source alone can decode them."""
    while isinstance(source, Subset):
        source = source.whole
    decoded: object = getattr(type(source), "decoded", None)
    if not isinstance(source, ImageFiles) or decoded is not ImageFiles.decoded:  # a source may have its own way
        return None
    shown = source.shown
    if shown is None or shown == ValueRange():
        return ""
    return shown.text if parse_range(shown.text) == shown else None
