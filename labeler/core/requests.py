"""The methods that may be asked for from another process, with the types of what goes in and comes out.

They are those of :class:`Engine` and :class:`PoolRequests` that are marked as :func:`requestable`; their annotations
are all there is to say of them.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, make_dataclass
from functools import cache, reduce
from operator import or_
from typing import Any, Protocol, get_args, get_origin, get_type_hints

from labeler.core.errors import EngineError
from labeler.core.numeric.choose_k import Tried
from labeler.core.protocols import Engine, requestable
from labeler.core.types import FloatArray, IndexArray, Progress, Round, Snapshot


@dataclass(frozen=True, slots=True)
class Outliers:
    """The oddest instances, oddest first, and their scores by an outlier method."""

    indices: IndexArray
    scores: FloatArray


@dataclass(frozen=True, slots=True)
class Comparison:
    """Numbers of clusters compared so far of `total`; `about` = what was clustered, in words."""

    tried: list[Tried]
    total: int
    about: str


class PoolRequests(Protocol):
    """The requests to a pool besides its engine; :class:`labeler.worker.pipeline.Pipeline` answers.

    Each is a job: between two of its steps others are served.
    """

    @requestable
    def closing(self, snapshot: Snapshot) -> Iterator[Progress | Round]:
        """Compute every label anew from these answers alone, as an export has them."""
        ...

    @requestable
    def outliers(self, snapshot: Snapshot, size: int, first: IndexArray) -> Iterator[Progress | Outliers]:
        """Find at most `size` instances without an answer, oddest first; `first` stand before all others."""
        ...

    @requestable
    def compare_numbers(self, snapshot: Snapshot) -> Iterator[Progress | Comparison]:
        """Compare numbers of clusters: a result for each, with those before it."""
        ...


@dataclass(frozen=True)
class Signature:
    """The arguments and results of a request.

    `arguments` is a record of all it takes but the snapshot, `result` the type of each reply; a job replies as often
    as it likes and shows signs of life, any other method replies once.
    """

    name: str
    owner: type[Any]
    arguments: type[Any]
    result: Any
    is_job: bool


def signature(name: str) -> Signature:
    """Return what the request of that name takes and gives.

    Raises
    ------
    EngineError
        Nothing of that name may be asked for.
    """
    for owner in (PoolRequests, Engine):
        method = vars(owner).get(name)
        if getattr(method, "is_requestable", False):
            return _read(method, owner)
    raise EngineError(f"nothing called {name!r} can be asked of the engine", f"there are: {', '.join(names())}")


def names() -> list[str]:
    """Return the names of all requests."""
    methods = {**vars(PoolRequests), **vars(Engine)}
    return sorted(name for name, method in methods.items() if getattr(method, "is_requestable", False))


@cache  # a record is made once for each method: the codec knows it again
def _read(method: Callable[..., Any], owner: type[Any]) -> Signature:
    hints = get_type_hints(method)
    result = hints.pop("return")
    parameters = list(inspect.signature(method).parameters.values())[2:]  # without self and the snapshot
    arguments = make_dataclass(
        f"{method.__name__}_arguments",
        [(item.name, hints[item.name], _default(item.default)) for item in parameters],
        frozen=True,
    )
    is_job = get_origin(result) is Iterator
    if is_job:  # signs of life are for whoever runs it: no reply is one
        result = reduce(or_, (kind for kind in get_args(get_args(result)[0]) if kind is not Progress))
    return Signature(method.__name__, owner, arguments, result, is_job)


def _default(value: Any) -> Any:
    return field() if value is inspect.Parameter.empty else field(default=value)
