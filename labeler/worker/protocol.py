"""The messages between screen, worker and the worker's children, as frames of JSON and raw arrays (never pickle)."""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass, field, make_dataclass
from functools import cache
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from labeler.core import codec, requests
from labeler.core.errors import EngineError
from labeler.core.recipe import Recipe
from labeler.core.requests import Signature
from labeler.core.types import ByteArray, IndexArray, Progress, Queue, Round, Snapshot


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
class Request:
    """A method of the engine to call with a snapshot and `arguments`, a record; see :mod:`labeler.core.requests`.

    `numbers`: those by which whoever asked knows the reply again; several where the same was asked more than once.
    """

    name: str
    numbers: list[int]
    snapshot: Snapshot
    arguments: Any = None


@dataclass(frozen=True, slots=True)
class Reply:
    """One result of a request, by the answers up to `revision`; more follow unless it `is_last`."""

    name: str
    numbers: list[int]
    revision: int
    result: Any = None
    is_last: bool = True


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
class Offer:
    """A proposal of something better than what is in use, in one line; nothing changes until the person follows it."""

    text: str


@dataclass(frozen=True, slots=True)
class Failed:
    """A job could not be done: one line what is wrong, one what to do.

    `fatal` = the worker is of no more use; `has_ended` = what it was asked before gets no reply; `numbers` = the
    requests that get none.
    """

    message: str
    hint: str = ""
    fatal: bool = False
    has_ended: bool = False
    numbers: list[int] = field(default_factory=list)


# -- between the worker and its children ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Learned:
    """An array that a fitted encoder learned, by its name."""

    name: str
    values: NDArray[Any]


@dataclass(frozen=True, slots=True)
class Employ:
    """The first message to a child: the encoder it works with ("" = it decodes alone), and what that has learned."""

    encoder: str = ""
    plugins: tuple[str, ...] = ()  # files of the person's own plug-ins, run in this process before
    learned: list[Learned] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Work:
    """Images that are read already (k, h, w[, 3]), or the bytes of files one after another: `sizes` (k,), -1 = none.

    Files are decoded into `shape`. `number` is the caller's, and comes back with the :class:`Part`.
    """

    number: int
    images: NDArray[Any] = field(default_factory=lambda: np.empty(0, dtype=np.uint8))
    files: ByteArray = field(default_factory=lambda: np.empty(0, dtype=np.uint8))
    sizes: IndexArray = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    shape: tuple[int, ...] = ()
    is_exact: bool = False  # see ImagePlan
    is_framed: bool = False  # by the encoder that it is for
    shown: str = ""  # the range of values, as a project remembers it

    @property
    def size(self) -> int:
        """Bytes that it takes in memory and on the way to a child."""
        return int(self.images.nbytes + self.files.nbytes)


@dataclass(frozen=True, slots=True)
class Part:
    """The rows that came of a work, an image each: features float32 or pixels uint8; `broken`: place -> why zeros."""

    number: int
    rows: NDArray[Any]
    broken: dict[int, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Undone:
    """A work that failed with an error of Python's: done again where it can be said, it says what is wrong."""

    number: int


@dataclass(frozen=True, slots=True)
class Employed:
    """The first message of a child: it has its encoder, and begins to work."""


_TYPES: dict[str, type[Any]] = {
    kind.__name__: kind
    for kind in (
        *(Open, Answered, Request, Ready, QueueReady, RoundReady, Reply, Offer, Progress, Failed),
        *(Employ, Employed, Work, Part, Undone),
    )
}


@dataclass(frozen=True, slots=True)
class _Frame:
    """The head of a message; of each array, whose bytes follow, it has name, dtype, shape and size in bytes."""

    type: str
    fields: dict[str, Any]
    arrays: list[tuple[str, str, list[int], int]]


_PREFIX = struct.Struct("<QQ")  # the sizes of head and body: whoever reads knows how much is to come


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
    if len(header) < header_size or len(body) < body_size:  # the other end died in the middle of a write
        return None
    frame = codec.decode(_Frame, codec.loads(header, finite=False), finite=False)  # an inertia may be nan
    if frame.type not in _TYPES:
        raise codec.Unreadable(f"there is no message {frame.type!r}")
    arrays, start = {}, 0
    for name, dtype, shape, size in frame.arrays:
        arrays[name] = codec.unpack_array(dtype, shape, memoryview(body)[start : start + size])
        start += size
    return codec.decode(_kind_of(frame), frame.fields, arrays, finite=False)


def _kind_of(frame: _Frame) -> type[Any]:
    """Return the class of a message; of requests and replies with the types of the method that they name."""
    if frame.type not in ("Request", "Reply"):
        return _TYPES[frame.type]
    try:
        signature = requests.signature(str(frame.fields.get("name")))
    except EngineError:
        return _TYPES[frame.type]  # whoever serves it says that there is no such request
    return _typed(frame.type, signature)


@cache
def _typed(kind: str, signature: Signature) -> type[Any]:
    hint = ("arguments", signature.arguments) if kind == "Request" else ("result", signature.result)
    return make_dataclass(kind, [(*hint, field(default=None))], bases=(_TYPES[kind],), frozen=True)
