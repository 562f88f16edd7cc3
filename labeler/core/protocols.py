"""Protocols of the plug-ins that an engine is handed, and of the engine itself, for those who drive it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from labeler.core.model import Model
from labeler.core.types import BoolArray, FloatArray, Grid, IndexArray, IntArray, Progress, Queue, Round, Snapshot

if TYPE_CHECKING:
    from labeler.core.numeric.pca import PrincipalAxes


Method = TypeVar("Method", bound=Callable[..., Any])


def requestable(method: Method) -> Method:
    """Mark a method of a protocol as one that may be asked for from another process; see :mod:`labeler.core.requests`.

    Its annotations say how arguments and results travel: numbers, texts, arrays, records of these, lists of records.
    """
    method.is_requestable = True  # type: ignore[attr-defined]
    return method


class Mixture(Protocol):
    """A model of the features as a sum of clusters, each of which is a density."""

    def shares(self, X: FloatArray) -> FloatArray:
        """Return how much each of `X` (n, d) belongs to each cluster (n, k); rows sum to 1."""
        ...

    def draw(self, count: int) -> FloatArray:
        """Made-up instances (count, d); the same ones each time."""
        ...

    def looks_at(self, width: int) -> bool:
        """Whether it is of `width` features themselves, and not of their components."""
        ...


@dataclass(frozen=True, slots=True)
class Clustering:
    """A hard clustering: `clusters` (n,) int32, `distances` (n,) float32 to its own center, `centers` (k, d).

    What a clusterer knows besides, else empty: `exemplars` (k,) = the instance that stands for each cluster;
    `outliers` (n,) = whom no cluster holds (counted to the nearest, but no label spreads to them); `shares` (n,) in
    [0, 1] = how much each belongs to its own cluster and `seconds` (n,) = the cluster it belongs to most of the others
    (-1 = none); `tree` (n - 1, 2) = the merges of a hierarchy as scikit-learn numbers them; `samples` (m, d) = made-up
    instances, drawn from a model of the features; `core` (n,) = who makes the clusters, where the others are only
    counted to them, `cut` = how far from the core a cluster reaches, on the components of `sight` (None = in the
    features); `mixture` = the model of the features that the clusters are components of. `facts` is JSON-able.
    """

    clusters: IntArray
    distances: FloatArray
    centers: FloatArray
    inertia: float = float("nan")  # not every clusterer minimizes one
    exemplars: IndexArray = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    outliers: BoolArray = field(default_factory=lambda: np.empty(0, dtype=np.bool_))
    shares: FloatArray = field(default_factory=lambda: np.empty(0, dtype=np.float32))
    seconds: IntArray = field(default_factory=lambda: np.empty(0, dtype=np.int32))
    tree: IndexArray = field(default_factory=lambda: np.empty((0, 2), dtype=np.int64))
    samples: FloatArray = field(default_factory=lambda: np.empty((0, 0), dtype=np.float32))
    core: BoolArray = field(default_factory=lambda: np.empty(0, dtype=np.bool_))
    cut: float = float("inf")
    sight: PrincipalAxes | None = None
    mixture: Mixture | None = None
    facts: dict[str, Any] = field(default_factory=dict)


class Clusterer(Protocol):
    """Features -> cluster, distance to its center and center, for every instance."""

    def cluster(self, X: FloatArray, n_clusters: int, random_state: int) -> Clustering:
        """Cluster `X` (n, d) into at most `n_clusters`; the same `random_state` gives the same result.

        One that finds by itself how many there are may come to more.
        """
        ...


class SeededClusterer(Clusterer, Protocol):
    """A clusterer that can begin at given centers."""

    def start_at(self, centers: FloatArray) -> None:
        """Begin at `centers` (m, d), in place of as many of its own; they hold for every clustering from here on."""
        ...


class Classifier(Protocol):
    """A scikit-learn shaped classifier over class ids."""

    classes_: NDArray[np.int64]

    def fit(self, X: FloatArray, y: IntArray, sample_weight: FloatArray | None = None) -> Classifier:
        """Fit on `X` (n, d), `y` (n,) class ids; one class alone is allowed."""
        ...

    def predict_proba(self, X: FloatArray) -> FloatArray:
        """Class probabilities (n, len(classes_)), rows sum to 1, columns in the order of `classes_`."""
        ...


class FollowingClassifier(Classifier, Protocol):
    """A classifier that goes by a clustering whose core is named: fitted on core instances, it overrules no cluster."""

    def follow(self, clustering: Clustering) -> None:
        """Look where `clustering` looked, and no farther from the core than it reaches; for every fit from here on."""
        ...

    def beyond(self, X: FloatArray) -> BoolArray:
        """Return which of `X` (n, d) are farther from all it learned than a cluster reaches: of no class it knows."""
        ...


class QueryStrategy(Protocol):
    """Gives every candidate a utility: higher = ask sooner."""

    spread_over_clusters: bool

    def utilities(self, proba: FloatArray, rng: np.random.Generator) -> FloatArray:
        """Utilities (n,) float32 of candidates with class probabilities `proba` (n, k)."""
        ...


@dataclass(frozen=True, slots=True)
class PoolView:
    """The part a strategy may see of a pool that looks at more than probabilities.

    `X` (n, d) features, maybe memory-mapped; `proba` (n, k) class probabilities, without columns before the first
    answer; `answered` (a,) indices; `candidates` (n,) = who may be asked.
    """

    X: FloatArray
    proba: FloatArray
    answered: IndexArray
    candidates: BoolArray


class PoolStrategy(Protocol):
    """Chooses questions that go together, from the features and from what was asked already."""

    from_the_start: bool  # it chooses the first questions as well, in place of the clusters' representatives

    def rank(self, pool: PoolView, size: int, rng: np.random.Generator) -> IndexArray:
        """Return at most `size` different candidates in the order to ask them; none only where there is none."""
        ...


class Engine(Protocol):
    """The heavy, stateful half: features in, rounds and questions out. Knows indices and class ids, nothing else.

    The same object runs in the worker process and in-process. A job is a generator: it yields
    :class:`Progress` in steps of <= 200 ms and its result last. What is :func:`requestable` can be asked for by the
    screens as it stands here, ``project.engine.request(Engine.similar, index=3, ...)``: a method that is added needs
    nothing else than the engines that have it and whoever asks.
    """

    def open(self, X: FloatArray) -> Iterator[Progress]:
        """Take the features (n, d) float32 (maybe memory-mapped) and prepare: graph, space, clusters."""
        ...

    def join(self, X: FloatArray, *, may_lead: bool = False) -> Iterator[Progress]:
        """Take another encoder's features (n, d) of the same pool beside those it was opened with; an engine that has
        no use for them leaves them. One that `may_lead` can come to take the place of the first."""
        ...

    def leading(self, snapshot: Snapshot) -> int:
        """Return which features lead after the answers of `snapshot`: 0 = those it was opened with, then those that
        may, as they joined. :meth:`predict` and :meth:`model` are of these."""
        ...

    def follow(self, snapshot: Snapshot) -> Iterator[Progress]:
        """Let those features lead from here on, without a round; :meth:`shares`, :meth:`hunt` and what else is
        answered at once are of them then."""
        ...

    def round_due(self, n_answers: int) -> bool:
        """Whether a full round pays after the `n_answers`-th answer."""
        ...

    def rerank(self, snapshot: Snapshot) -> Queue:
        """The short way after an answer: at least 50 questions (or all there are), within milliseconds."""
        ...

    def prepare(self, indices: IndexArray) -> Iterator[Progress]:
        """Work ahead for the answers to `indices`, the next questions, while nobody waits; may be dropped anywhere.

        Changes no bit of what is derived later, only when it is there.
        """
        ...

    def round(self, snapshot: Snapshot) -> Iterator[Progress | Round]:
        """The long way: every label, score and tier of the pool and a full queue."""
        ...

    def closing_round(self, snapshot: Snapshot) -> Round:
        """The round computed from scratch, with no incremental structure: what leaves the program."""
        ...

    def predict(self, snapshot: Snapshot, X_new: FloatArray) -> tuple[IntArray, FloatArray]:
        """Class ids (m,) and scores (m,) of instances outside the pool, by the labels of `snapshot`."""
        ...

    def model(self, snapshot: Snapshot) -> Model | None:
        """Return what :meth:`predict` labels by, as arrays; None without an answer.

        Raises
        ------
        EngineError
            It cannot be put into arrays.
        """
        ...

    @requestable
    def grid(self, snapshot: Snapshot, size: int, skip: IndexArray) -> Grid | None:
        """The page of one class most worth confirming now (`skip` = shown already); None where nothing is left."""
        ...

    @requestable
    def similar(self, snapshot: Snapshot, index: int, size: int, skip: IndexArray) -> IndexArray:
        """Return at most `size` instances that nobody answered, nearest to `index` first (`index` itself may be one).

        Nearest in the engine's own space; `skip` = shown already. The same snapshot gives the same instances.
        """
        ...

    @requestable
    def hunt(self, snapshot: Snapshot, class_id: int, size: int, skip: IndexArray) -> IndexArray:
        """Return at most `size` instances that nobody answered, the likeliest to be of a rare class first.

        `skip` = shown already. The same snapshot gives the same instances.
        """
        ...

    def points(self) -> FloatArray:
        """Return where it clusters (n, d)."""
        ...

    def repeats(self) -> IndexArray:
        """Return for each instance the first (n,) that is nearly the same, by the features: itself where none is."""
        ...

    @requestable
    def shares(self, snapshot: Snapshot, index: int) -> list[tuple[int, float]]:
        """The answers (their indices) that carry the label of `index`, with their shares, largest first."""
        ...
