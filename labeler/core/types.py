"""The words of the project as frozen data: provenance, tiers, classes, questions, snapshots and rounds.

Imports numpy at most, so that the screen's process can load it at once.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

UNLABELED = -1
"""The class id of an instance without a label, as in scikit-learn."""

FloatArray = NDArray[np.float32]
IntArray = NDArray[np.int32]
IndexArray = NDArray[np.int64]
ByteArray = NDArray[np.uint8]
BoolArray = NDArray[np.bool_]


DOUBTED = 0.99
"""A given label that the engine doubts this much is worth a second look (chosen in benchmarks/doubt.md)."""


class Provenance(IntEnum):
    """The reason why an instance has its label. Stored as uint8, shown by name in lower case."""

    NONE = 0
    HUMAN = 1  # a person answered this instance
    CONFIRMED = 2  # a person confirmed it on a page of a grid
    IMPORTED = 3  # came with `labeler import-labels`
    PROPAGATED = 4  # spread from answers, inside the reach
    PREDICTED = 5  # the model's label outside the reach: held back by default

    @property
    def word(self) -> str:
        """The name used in files and on screens."""
        return self.name.lower()


GIVEN = (Provenance.HUMAN, Provenance.CONFIRMED, Provenance.IMPORTED)
"""Labels that no machine may overwrite."""


class Tier(IntEnum):
    """The degree to which a label the engine gave can be trusted."""

    NONE = 0
    ASK = 1
    LIKELY = 2
    LOCKED = 3

    @property
    def word(self) -> str:
        """The name used in files and on screens."""
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class ClassInfo:
    """One class: a stable id, its name, the key that answers it (given once; "" = none left).

    A retired class cannot be answered, holds no key and is given to nobody by a machine; labels a person gave stay.
    `last_key` is the key it held; `merged_into` the class that took its labels over (UNLABELED = none): such a class
    is retired for good, but for an undo.
    """

    class_id: int
    name: str
    key: str = ""
    retired: bool = False
    last_key: str = ""
    merged_into: int = UNLABELED


@dataclass(frozen=True, slots=True)
class Question:
    """The question on the screen: the instance, the rule that chose it and what the model thinks of it."""

    index: int
    instance_id: str
    rule: str  # why it is asked: "representative", "uncertain", "random", "again", ...
    utility: float = 0.0
    margin: float = 1.0  # the model's margin when asked; the seed weight of the answer
    guesses: tuple[tuple[int, float], ...] = ()  # (class_id, score), best first
    blind: bool = False  # nothing that could sway the answer is shown: it is one that measures
    drawn: bool = False  # whether chance decided if it is blind
    first: str = ""  # of a hidden repeat: the event of the first answer, which stays


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All that an engine may know of a session at one `revision`.

    The four answer arrays run in parallel, one entry a labeled instance, in the order of the answers:
    `indices` int64, `class_ids` int32, `provenances` uint8 (:data:`GIVEN`), `weights` float32 (the margin the
    model had when it was asked, 1.0 where that is not known). An instance occurs once.

    `reach_indices`, `reach_percentiles` (r,): clusters with a reach of their own, named by an instance that was their
    representative, the latest last; NaN = the common rule again. `splits` (s,): representatives whose clusters were
    divided in two, in that order.
    """

    revision: int
    round: int
    indices: IndexArray
    class_ids: IntArray
    provenances: ByteArray
    weights: FloatArray
    class_list: IntArray  # active class ids, in the order they were added; may hold classes without answers
    excluded: IndexArray  # rejected, unreadable, missing or of a retired class: no question, no machine label
    held_back: IndexArray  # unsure: no question, the model's label at tier ask
    deferred: IndexArray  # skipped a moment ago: no question now
    percentile: float | None = None  # None = auto
    reach_indices: IndexArray = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    reach_percentiles: FloatArray = field(default_factory=lambda: np.empty(0, dtype=np.float32))
    splits: IndexArray = field(default_factory=lambda: np.empty(0, dtype=np.int64))


@dataclass(frozen=True, slots=True)
class Queue:
    """Questions in the order to ask them; parallel arrays, `rules` indexes into `rule_names`.

    `margins`: the model's margin (likeliest - second class score, in [0, 1]) of each queued instance;
    `guesses` (q, 3) int32 class ids best first (UNLABELED = none), `guess_scores` (q, 3) float32 what may be shown of
    them (rows sum to at most 1; the rest is doubt).
    """

    indices: IndexArray
    utilities: FloatArray
    rules: ByteArray
    rule_names: tuple[str, ...]
    margins: FloatArray
    guesses: IntArray
    guess_scores: FloatArray


@dataclass(frozen=True, slots=True)
class Round:
    """The labels and all else that an engine derives from a snapshot; one entry an instance unless said otherwise.

    `labels` int32 class ids (UNLABELED = none): given labels stand in it untouched. `provenances` uint8, `scores`
    float32 in [0, 1] what may be shown of it (1 for given ones), `tiers` uint8, `sources` int32 = index
    of the answer a label rests on most (itself for a given one, -1 = none), `clusters` int32, `distances` float32 to
    the cluster's center, `runner_ups` int32 second-best class (UNLABELED = none; of a given label the likeliest other
    class without it),
    `doubts` float32 in [0, 1]: of a given label 1 - the engine's belief in it when that answer is left out, else 0.
    `foreign` (n_clusters,) int32: for each cluster the instance of another one nearest to its center (-1 = none).
    `shares` (n,) float32 in [0, 1]: how much each instance belongs to its own cluster (soft assignment), `seconds` (n,)
    int32: the cluster it belongs to most of the others (-1 = none). `outliers` (n,) uint8: 1 = in no cluster, by a
    clusterer that knows such; empty by the others. The last five are empty in rounds stored by a version that did not
    have them.
    """

    revision: int
    round: int
    stage: str  # one line for the status bar: where the chain stands
    labels: IntArray
    provenances: ByteArray
    scores: FloatArray
    tiers: ByteArray
    sources: IntArray
    clusters: IntArray
    distances: FloatArray
    runner_ups: IntArray
    representatives: IndexArray  # (n_clusters,) in the order to ask them
    queue: Queue
    advice: Advice
    facts: dict[str, Any] = field(default_factory=dict)  # JSON-able figures: inertia, agreement, unseen class, ...
    doubts: FloatArray = field(default_factory=lambda: np.empty(0, dtype=np.float32))
    foreign: IntArray = field(default_factory=lambda: np.empty(0, dtype=np.int32))
    shares: FloatArray = field(default_factory=lambda: np.empty(0, dtype=np.float32))
    seconds: IntArray = field(default_factory=lambda: np.empty(0, dtype=np.int32))
    outliers: ByteArray = field(default_factory=lambda: np.empty(0, dtype=np.uint8))


@dataclass(frozen=True, slots=True)
class Advice:
    """Advice on what is next: a stable `code`, one sentence with its reason, and the key that follows it ("" = none).

    `short`: the same in few words, where the sentence is long. All there are: :mod:`labeler.core.advice`.
    """

    code: str  # "answer", "grids", "second-look", "stop", "no-propagation"
    text: str
    key: str = ""
    short: str = ""


@dataclass(frozen=True, slots=True)
class Grid:
    """A page of instances of one predicted class to confirm at a glance (`indices`, `runner_ups` in parallel).

    `pays`: its keys are expected to mend more than as many single questions; a person may want it all the same.
    """

    class_id: int
    indices: IndexArray
    runner_ups: IntArray
    expected_errors: float
    pays: bool = True


@dataclass(frozen=True, slots=True)
class Progress:
    """A sign of life of a long job: what it does ("": nothing is under way now), `done` of `total` (0: unknown)."""

    what: str
    done: int = 0
    total: int = 0


LATEST = 253_402_300_799
"""The last second of the year 9999, after 1970: what no calendar takes is no time."""
