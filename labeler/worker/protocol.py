"""What the screen's process and the worker say to each other, as frames of JSON and raw arrays (never pickle)."""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass, field
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from labeler.core import codec
from labeler.core.numeric.choose_k import Tried
from labeler.core.recipe import Recipe
from labeler.core.types import Advice, ByteArray, FloatArray, Grid, IndexArray, Progress, Queue, Round, Snapshot


@dataclass(frozen=True, slots=True)
class Open:
    """Read, encode, cluster. `ids` is the pool's order where it differs from the source's own.

    `revision` is the session's: the first questions are ranked at it. `imported` (m, 2) int64: index and class id of
    labels that came from elsewhere, at whose means a clusterer may begin.
    """

    recipe: Recipe
    ids: list[str] | None = None
    revision: int = 0
    imported: IndexArray = field(default_factory=lambda: np.empty((0, 2), dtype=np.int64))


@dataclass(frozen=True, slots=True)
class Answered:
    """The session moved: re-rank now, and run a round behind it when one pays (or at once if `urgent`)."""

    snapshot: Snapshot
    urgent: bool = False


@dataclass(frozen=True, slots=True)
class GridWanted:
    """The next page of one class to confirm; `skip` = indices shown already."""

    snapshot: Snapshot
    size: int
    skip: IndexArray


@dataclass(frozen=True, slots=True)
class SimilarWanted:
    """Instances without an answer, nearest to `index` first; `skip` = indices shown already."""

    snapshot: Snapshot
    index: int
    size: int
    skip: IndexArray


@dataclass(frozen=True, slots=True)
class HuntWanted:
    """Instances without an answer, the likeliest to be of class `class_id` first; `skip` = indices shown already."""

    snapshot: Snapshot
    class_id: int
    size: int
    skip: IndexArray


@dataclass(frozen=True, slots=True)
class OddWanted:
    """The oddest instances that nobody answered; `first` = in no cluster, they come before all others."""

    snapshot: Snapshot
    size: int
    first: IndexArray


@dataclass(frozen=True, slots=True)
class SharesWanted:
    """The answers behind one label."""

    snapshot: Snapshot
    index: int


@dataclass(frozen=True, slots=True)
class ClosingWanted:
    """Every label anew from these answers alone, as they leave the program."""

    snapshot: Snapshot


@dataclass(frozen=True, slots=True)
class KsWanted:
    """Compare numbers of clusters."""


@dataclass(frozen=True, slots=True)
class KsTried:
    """What was compared so far of `total` numbers; `about` = what was clustered, in words."""

    tried: list[Tried]
    total: int
    about: str


@dataclass(frozen=True, slots=True)
class Ready:
    """The pool is encoded and clustered. `unreadable`: index (as text) -> why. `hashes` (n, 32) uint8, maybe empty."""

    encoder: str
    reason: str
    unreadable: dict[str, str]
    hashes: ByteArray
    features: str = ""  # the cached features file, "" where there is none
    blank: IndexArray = field(default_factory=lambda: np.empty(0, dtype=np.int64))  # pictures of one single value


@dataclass(frozen=True, slots=True)
class QueueReady:
    """Questions ranked at `revision`."""

    revision: int
    queue: Queue


@dataclass(frozen=True, slots=True)
class RoundReady:
    """A finished round."""

    round: Round


@dataclass(frozen=True, slots=True)
class ClosingReady:
    """The closing round of a snapshot."""

    round: Round


@dataclass(frozen=True, slots=True)
class GridReady:
    """The page asked for, or None when no class has one worth a key."""

    revision: int
    grid: Grid | None


@dataclass(frozen=True, slots=True)
class SimilarReady:
    """The instances nearest to `index`, nearest first; none where nothing is left."""

    revision: int
    index: int
    indices: IndexArray


@dataclass(frozen=True, slots=True)
class HuntReady:
    """The instances likeliest to be of class `class_id`; none where nothing is left, or it has no answer."""

    revision: int
    class_id: int
    indices: IndexArray


@dataclass(frozen=True, slots=True)
class OddReady:
    """The oddest instances, oddest first, and their scores by an outlier method."""

    indices: IndexArray
    scores: FloatArray


@dataclass(frozen=True, slots=True)
class SharesReady:
    """The answers (index, share) behind the label of `index`, largest first."""

    index: int
    shares: list[list[float]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Offer:
    """Something better than what is in use, in one line; nothing changes until the person follows it."""

    text: str


@dataclass(frozen=True, slots=True)
class Failed:
    """A job could not be done: one line what is wrong, one what to do. `fatal` = the worker is of no more use."""

    message: str
    hint: str = ""
    fatal: bool = False


_TYPES = {
    kind.__name__: kind
    for kind in (
        Open,
        Recipe,
        Answered,
        Snapshot,
        GridWanted,
        SimilarWanted,
        HuntWanted,
        HuntReady,
        SharesWanted,
        ClosingWanted,
        ClosingReady,
        KsWanted,
        KsTried,
        Tried,
        OddWanted,
        OddReady,
        Ready,
        QueueReady,
        Queue,
        RoundReady,
        Round,
        Advice,
        GridReady,
        Grid,
        SimilarReady,
        SharesReady,
        Offer,
        Progress,
        Failed,
    )
}


@dataclass(frozen=True, slots=True)
class _Frame:
    """What stands before the bytes of the arrays, of each of which it has name, dtype, shape and size in bytes."""

    type: str
    fields: dict[str, Any]
    arrays: list[tuple[str, str, list[int], int]]


_PREFIX = struct.Struct("<QQ")


def write(stream: BinaryIO, message: Any) -> None:
    """Write one message and flush."""
    arrays: dict[str, NDArray[Any]] = {}
    packed = codec.encode(message, arrays)
    rows = [(name, *codec.pack_array(array)) for name, array in arrays.items()]
    listed = [(name, dtype, shape, len(content)) for name, dtype, shape, content in rows]
    header = json.dumps(codec.encode(_Frame(type(message).__name__, packed, listed), {})).encode()
    body = b"".join(content for *_, content in rows)
    stream.write(_PREFIX.pack(len(header), len(body)) + header + body)
    stream.flush()


def read(stream: BinaryIO) -> Any:
    """Read one message; None at the end of the stream.

    Raises
    ------
    Unreadable
        It is no message of this version's.
    """
    prefix = stream.read(_PREFIX.size)
    if len(prefix) < _PREFIX.size:
        return None
    header_size, body_size = _PREFIX.unpack(prefix)
    header, body = stream.read(header_size), stream.read(body_size)
    if len(header) < header_size or len(body) < body_size:
        return None
    frame = codec.decode(_Frame, codec.loads(header), finite=False)
    if frame.type not in _TYPES:
        raise codec.Unreadable(f"there is no message {frame.type!r}")
    arrays, start = {}, 0
    for name, dtype, shape, size in frame.arrays:
        arrays[name] = codec.unpack_array(dtype, shape, memoryview(body)[start : start + size])
        start += size
    return codec.decode(_TYPES[frame.type], frame.fields, arrays, finite=False)
