"""A pool encoded by a heavy encoder: in steps of rows, in children where there are many, each kept as it is done.

Photos are decoded twice, for the image store and for a network that wants to see them larger, each time no larger than
it is needed (JPEG in draft mode). Once would take a store of 77 kB a photo at 160 pixels a side, and what the built-in
view sees would depend on which network is installed; of the 6 ms that a photo of 160 pixels takes the second time, 0.4
are the decoding. Of 12 megapixels it is 29 ms, on all cores.
"""

from __future__ import annotations

import hashlib
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from labeler.core.errors import EngineError
from labeler.core.mapped import let_go
from labeler.core.types import BoolArray, ByteArray, FloatArray, IndexArray, Progress
from labeler.plugins import custom, registry
from labeler.plugins.encoders.base import Encoder, Images, Portable
from labeler.plugins.importers.base import Source
from labeler.plugins.registry import Spec
from labeler.worker import children
from labeler.worker.cache import rows_entry
from labeler.worker.image_store import LARGEST, Framing, ImagePlan
from labeler.worker.mapped_file import ROOM, check_room, create, is_full
from labeler.worker.protocol import Employ, Learned, Part, Work
from labeler.worker.row_log import ID, RowLog
from labeler.worker.work import range_of_files, read_work

STEP = 0.1
"""Seconds that a step takes, about."""


@dataclass(frozen=True, slots=True)
class Pool:
    """Instances at `rows` of a source (-1: not there) to encode, as the store has them, and what they are of.

    `raw` (n, ...), `hashes` (n, 32) of their content, `unreadable`: row -> why it is zeros.
    """

    source: Source
    rows: IndexArray
    raw: Images
    hashes: ByteArray
    unreadable: dict[int, str]
    cache: Path
    is_optional: bool = False
    """Whether nobody chose the encoder: it takes nothing that may be needed."""
    helpers: children.Children | None = None
    """Children in which the encoder was tried out."""

    @property
    def leaves(self) -> int:
        """Bytes that what is made of it leaves free on the disk."""
        return ROOM if self.is_optional else 0


def is_heavy(encoder: Encoder) -> bool:
    """Whether it says how many rows are a step for it."""
    return getattr(encoder, "rows_a_step", 0) > 0


def looks_itself(encoder: Encoder, source: Source) -> bool:
    """Whether it sees images as they are read once more, larger than the store has them or framed in its own way."""
    return source.content == "images" and (getattr(encoder, "side", 0) > LARGEST or hasattr(encoder, "framed"))


def encode_in_steps(pool: Pool, encoder: Encoder, spec: Spec, draft: Path) -> Generator[Progress, None, None]:
    """Yield signs of life; write the features (n, d) of a pool, of one instance at least, by a fitted encoder.

    What was encoded of the same content before is taken from the log of the encoder. So many processes or one, from
    the beginning or from where a killed one was: the bits are the same, as a step is of the same images each time, or
    the encoder is exact.
    """
    with RowLog(pool.cache / _entry_of_log(pool, encoder, spec)) as log:
        try:
            check_room(draft.parent, pool.leaves)
            yield from _fill(_Target(draft, len(pool.raw), pool.leaves), log, pool, encoder, spec)
        except OSError as error:
            if pool.is_optional and is_full(error):  # else it would go on taking room, and be of no use
                log.remove()
            raise
        if isinstance(encoder, Portable):  # what it learned is of this pool: no other one can use the rows
            log.remove()


def _fill(target: _Target, log: RowLog, pool: Pool, encoder: Encoder, spec: Spec) -> Generator[Progress, None, None]:
    """Yield signs of life; fill a target by a log and by encoding what is not in it, which it then is."""
    is_exact, step = bool(getattr(encoder, "is_exact", False)), int(encoder.rows_a_step)  # type: ignore[attr-defined]
    ids = pool.hashes if is_exact else _ids_of_steps(pool.hashes, step)
    yield target.progress()
    for rows, features in _remembered(log, ids):
        target.put(rows, features)
        yield target.progress()
    left = _steps_left(target.is_done, step, is_exact)
    for done in _encoded(pool, encoder, spec, left):
        if isinstance(done, str):
            yield target.progress(done)
            continue
        target.put(done.rows, done.features)
        let_go(pool.raw)
        if is_exact or done.is_sound.all():
            log.append(ids[done.rows][done.is_sound], done.features[done.is_sound])


class _Target:
    """The array file that is filled, made when the first rows say how wide it is."""

    def __init__(self, path: Path, n: int, leave: int) -> None:
        self._path, self._leave, self._array = path, leave, np.empty((0, 0), dtype=np.float32)
        self.is_done: BoolArray = np.zeros(n, dtype=np.bool_)

    def put(self, rows: IndexArray, features: FloatArray) -> None:
        n, width = len(self.is_done), features.shape[1]
        if not self._array.size:
            self._array = create(self._path, np.float32, (n, width), self._leave)
        if width != self._array.shape[1]:  # of a person's own, changed since the log was begun
            raise EngineError(
                f"the encoder gives {width} numbers an instance, and gave {self._array.shape[1]}", "raise its `version`"
            )
        self._array[rows] = features
        self.is_done[rows] = True
        let_go(self._array)  # pages of a mapped file that were used count as memory until they are let go

    def progress(self, remark: str = "") -> Progress:
        name = f"encoding ({remark})" if remark else "encoding"
        return Progress(name, int(self.is_done.sum()), len(self.is_done))


@dataclass(frozen=True, slots=True)
class _Encoded:
    """Features of some rows of a pool, and which of them are those of the content that the pool has a hash of."""

    rows: IndexArray
    features: FloatArray
    is_sound: BoolArray


def _entry_of_log(pool: Pool, encoder: Encoder, spec: Spec) -> str:
    """The log of an encoder, named after all that its features depend on beside the content of an instance."""
    decoded = range_of_files(pool.source)
    # files are the same in a folder and an archive; what is decoded by the source alone is the source's
    seen = (decoded,) if decoded is not None else (pool.source.kind, getattr(pool.source, "shown", None))
    learned = hashlib.blake2b(digest_size=16)
    for name, values in sorted(encoder.learned().items()) if isinstance(encoder, Portable) else ():
        learned.update(name.encode() + np.ascontiguousarray(values).tobytes())
    return rows_entry(spec, encoder, *seen, pool.raw.shape[1:], learned.hexdigest())


def _ids_of_steps(hashes: ByteArray, step: int) -> ByteArray:
    """Ids (n, 32) of rows that may depend, in their last bits, on what stands beside them: by step and place in it."""
    ids = np.zeros((len(hashes), ID), dtype=np.uint8)
    for start in range(0, len(hashes), step):
        part = hashlib.sha256(hashes[start : start + step].tobytes())
        for row in range(start, min(start + step, len(hashes))):
            place = part.copy()
            place.update((row - start).to_bytes(8))
            ids[row] = np.frombuffer(place.digest(), dtype=np.uint8)
    return ids


def _remembered(log: RowLog, ids: ByteArray) -> Iterator[tuple[IndexArray, FloatArray]]:
    """Rows of the ids (n, 32) that are in a log, and their features."""
    wanted: dict[bytes, list[int]] = {}
    for row, content in enumerate(ids):
        wanted.setdefault(content.tobytes(), []).append(row)
    width = 0
    for contents, features in log.read():
        pairs = [(row, place) for place, content in enumerate(contents) for row in wanted.get(content.tobytes(), ())]
        width = width or features.shape[1]
        if pairs and width == features.shape[1]:
            rows, places = np.array(pairs, dtype=np.int64).T
            yield rows, features[places]


def _steps_left(is_done: BoolArray, step: int, is_exact: bool) -> list[IndexArray]:
    """Rows still to be encoded, a step at a time; whole steps, with what is done of them, unless any rows will do."""
    n = len(is_done)
    if is_exact:
        left = np.flatnonzero(~is_done)
        return [left[start : start + step] for start in range(0, len(left), step)]
    steps = (np.arange(start, min(start + step, n)) for start in range(0, n, step))
    return [rows for rows in steps if not is_done[rows].all()]


def _encoded(pool: Pool, encoder: Encoder, spec: Spec, steps: list[IndexArray]) -> Iterator[_Encoded | str]:
    """Features of steps, in any order, and signs of life: what is to be remarked, if anything."""
    is_sound: dict[int, BoolArray] = {}
    size = _children_for(encoder, spec, len(steps))
    learned = encoder.learned() if isinstance(encoder, Portable) else None
    employ = Employ(str(spec), custom.loaded(), [Learned(name, np.asarray(a)) for name, a in (learned or {}).items()])
    tried = pool.helpers if learned is None else None  # these know nothing that it learned here
    with tried or children.Children(employ, size, encoder) as helpers:
        helpers.grow(size, encoder)
        for part in helpers.do(_works(pool, encoder, steps, is_sound)):
            if part is not None:
                yield _Encoded(steps[part.number], part.rows, _without(is_sound.pop(part.number), part))
            yield helpers.ended


def _without(is_sound: BoolArray, part: Part) -> BoolArray:
    is_sound[list(part.broken)] = False
    return is_sound


def _works(pool: Pool, encoder: Encoder, steps: list[IndexArray], is_sound: dict[int, BoolArray]) -> Iterator[Work]:
    side = int(getattr(encoder, "side", 0))
    plan = ImagePlan((side, side, 3), exact=False)  # in color, whatever the store holds
    itself = looks_itself(encoder, pool.source)
    framing: Framing | Any = encoder if hasattr(encoder, "framed") else None
    for number, rows in enumerate(steps):
        if itself:
            reading = read_work(pool.source, pool.rows[rows], plan, number, framing)
            # a file that was changed meanwhile is not what the pool has a hash of
            is_sound[number] = (reading.hashes == pool.hashes[rows]).all(axis=1)
            is_sound[number][list(reading.broken)] = False
            yield reading.work
        else:
            is_sound[number] = np.array([int(row) not in pool.unreadable for row in rows], dtype=np.bool_)
            yield Work(number, np.ascontiguousarray(pool.raw[rows]))


def _children_for(encoder: Encoder, spec: Spec, n_steps: int) -> int:
    """Return how many children work on so many steps: none where they do not pay, or would not know the encoder."""
    if registry.entry("encoder", spec.name).origin == "this process":
        return 0
    return children.size_for(n_steps * STEP, *(int(getattr(encoder, name, 0)) for name in ("threads", "model_size")))
