"""Spreading labels along the neighbour graph: a random walk with restart from every answer.

Zhou et al., "Learning with local and global consistency" (2004); here each class is divided by the weight of its
own seeds, so that asking a class more often does not make it larger.
"""

from __future__ import annotations

import math
from collections.abc import Generator, Iterator

import numpy as np
from scipy import sparse

from labeler.core import steps
from labeler.core.numeric.neighbor_graph import normalized
from labeler.core.types import FloatArray, IndexArray, IntArray

ALPHA = 0.99  # the value of Zhou et al. (2004)
TOLERANCE = 1e-3  # no label differs from a tight solve by it (benchmarks/engine_speed.md)
COLUMNS_AT_ONCE = 32  # one product with the matrix serves them all
KEPT_COLUMNS = 32  # twice what the worker works ahead for: what undo brings back is there still
KEPT_BYTES = 64_000_000  # bounds them in pools of more than half a million
ROWS_A_STEP = 1_000_000
"""Rows times iterations between two signs of life of a prepared column: well below 200 ms."""
REACHED = 1e-12


class RandomWalk:
    """Solves (I - alpha S) F = Y on the normalised graph S by Chebyshev iteration.

    The number of steps depends on `alpha` alone and a column never on those beside it: the same seeds give the same
    bits, whatever was solved before or together with them.
    """

    def __init__(self, weights: sparse.csr_array, alpha: float = ALPHA, tolerance: float = TOLERANCE) -> None:
        self.matrix, _ = normalized(weights)
        self.n = int(self.matrix.shape[0])
        self.alpha = alpha
        condition = math.sqrt((1 + alpha) / (1 - alpha))
        self.steps = math.ceil(math.log(2 / tolerance) / -math.log((condition - 1) / (condition + 1)))
        self._own: dict[int, float] = {}
        self._ahead: dict[int, FloatArray] = {}  # the longest untouched first
        self._begun: tuple[int, Iterator[None]] | None = None

    def solve(self, seeds: FloatArray) -> FloatArray:
        """The visits (n, c) float32 of walks started with `seeds` (n, c). Saad, "Iterative methods", alg. 12.1."""
        return steps.run(self.solve_by_steps(seeds))

    def solve_by_steps(self, seeds: FloatArray) -> Generator[None, None, FloatArray]:
        """:meth:`solve`, with signs of life."""
        pause = max(1, ROWS_A_STEP // max(seeds.size, 1))
        visits = seeds
        for step, visits in enumerate(self._iterate(seeds), 1):  # noqa: B007 - the last ones are wanted
            if step % pause == 0:
                yield
        return visits

    def _iterate(self, seeds: FloatArray) -> Iterator[FloatArray]:
        """The visits after every step of the solution; one array, that the next step changes."""
        visits = np.zeros_like(seeds)
        residual = seeds.copy()
        direction = seeds.copy()
        rho = self.alpha  # the spectrum of I - alpha S lies around 1, by alpha to each side
        for _ in range(self.steps):
            visits += direction
            residual -= direction
            image = self.matrix @ direction
            image *= np.float32(self.alpha)
            residual += image
            following = 1.0 / (2.0 / self.alpha - rho)
            direction *= np.float32(following * rho)
            direction += np.multiply(residual, np.float32(2.0 * following / self.alpha), out=image)
            rho = following
            yield visits

    def residual(self, seeds: FloatArray, visits: FloatArray) -> float:
        """The largest relative residual of a column: 0 for an exact solution."""
        left = seeds - (visits - np.float32(self.alpha) * (self.matrix @ visits))
        size = np.maximum(np.linalg.norm(seeds, axis=0), 1e-12)
        return float((np.linalg.norm(left, axis=0) / size).max(initial=0.0))

    def columns(self, indices: IndexArray) -> FloatArray:
        """The visits (n, len(indices)) of one unit walk from each of `indices`; remembers their returns.

        What was prepared is not solved again.
        """
        return steps.run(self.columns_by_steps(indices))

    def columns_by_steps(self, indices: IndexArray) -> Generator[None, None, FloatArray]:
        """:meth:`columns`, with signs of life."""
        missing = np.array([int(index) not in self._ahead for index in indices], dtype=np.bool_)
        visits = np.empty((self.n, len(indices)), dtype=np.float32, order="F")  # written and read by the column
        for column, index in enumerate(indices):
            if not missing[column]:
                visits[:, column] = self._ahead[int(index)]
        if missing.any():
            visits[:, missing] = yield from self.solve_by_steps(self._units(indices[missing]))
        for column, index in enumerate(indices):
            self._own[int(index)] = float(visits[index, column])
        return visits

    def knows(self, indices: IndexArray) -> bool:
        """Whether the columns of all `indices` are prepared."""
        return all(int(index) in self._ahead for index in indices)

    def prepare(self, indices: IndexArray) -> Iterator[None]:
        """Solve the columns of `indices` one after the other, the first ones first, and keep them for `columns`.

        A column is a fact of the graph: it stays right whatever is answered or taken back, and leaves only to make
        room. Dropping this generator loses no work: the column it was at is continued by the next one that wants it.
        """
        wanted = [int(index) for index in indices[: self.room]]
        for index in reversed(wanted):  # so the head of the queue is touched last, and leaves last
            if index in self._ahead:
                self._ahead[index] = self._ahead.pop(index)
        missing = [index for index in wanted if index not in self._ahead]
        begun = self._begun[0] if self._begun is not None else -1
        for index in sorted(missing, key=lambda index: index != begun):
            if self._begun is None or self._begun[0] != index:
                self._begun = (index, self._solve_ahead(index))
            for _ in self._begun[1]:
                yield
            self._begun = None
            yield

    @property
    def room(self) -> int:
        """The number of columns that are remembered."""
        return max(1, min(KEPT_COLUMNS, KEPT_BYTES // (4 * max(self.n, 1))))

    @property
    def at_once(self) -> int:
        """The number of columns that are solved together: five arrays of them are alive."""
        return max(4, min(COLUMNS_AT_ONCE, steps.NUMBERS // (2 * max(self.n, 1))))

    def _solve_ahead(self, index: int) -> Iterator[None]:
        """Solve one column in short steps and keep it, in the place of the one untouched for longest."""
        visits = yield from self.solve_by_steps(self._units(np.array([index], dtype=np.int64)))
        while len(self._ahead) >= self.room:
            del self._ahead[next(iter(self._ahead))]
        self._ahead[index], self._own[index] = visits[:, 0], float(visits[index, 0])

    def _units(self, indices: IndexArray) -> FloatArray:
        """One unit seed a column (n, len(indices))."""
        seeds = np.zeros((self.n, len(indices)), dtype=np.float32)
        seeds[indices, np.arange(len(indices))] = 1.0
        return seeds

    def own(self, indices: IndexArray) -> FloatArray:
        """Return how often a unit walk from each of `indices` is at its own start (len(indices),), by the graph."""
        return steps.run(self.own_by_steps(indices))

    def own_by_steps(self, indices: IndexArray) -> Generator[None, None, FloatArray]:
        """:meth:`own`, with signs of life."""
        missing = np.array([index for index in indices if int(index) not in self._own], dtype=np.int64)
        for start in range(0, len(missing), self.at_once):
            yield from self.columns_by_steps(missing[start : start + self.at_once])
        return np.array([self._own[int(index)] for index in indices], dtype=np.float32)


def shares_of(mass: FloatArray, totals: FloatArray) -> FloatArray:
    """Class shares (rows, k): the mass of each class by the weight of its seeds, rows summing to 1.

    A row no walk reached is 1 / k each. `totals` is (k,), or (rows, k) where rows leave a seed out.
    """
    shares = np.empty(mass.shape, dtype=np.float32)
    even = np.float32(1.0 / max(mass.shape[1], 1))
    for rows in steps.blocks(*mass.shape):
        seeds = totals if totals.ndim == 1 else totals[rows]
        # an iteration that is cut off may end a little below 0
        per_seed = np.where(seeds > REACHED, np.maximum(mass[rows], 0.0) / np.maximum(seeds, REACHED), 0.0)
        whole = per_seed.sum(axis=1, keepdims=True)
        shares[rows] = np.where(whole > REACHED, per_seed / np.maximum(whole, REACHED), even)
    return shares


class Spread:
    """The mass every class sends to every instance, kept up to date as answers come."""

    def __init__(self, walk: RandomWalk) -> None:
        self.walk = walk
        self.indices = np.empty(0, dtype=np.int64)
        self.positions = np.empty(0, dtype=np.int32)
        self.weights = np.empty(0, dtype=np.float32)
        self.mass = np.zeros((walk.matrix.shape[0], 0), dtype=np.float32)

    def extend(self, indices: IndexArray, positions: IntArray, weights: FloatArray, n_classes: int) -> None:
        """Take the answers (all of them, in order): adds what is new, starts over where the old ones changed."""
        steps.run(self.extend_by_steps(indices, positions, weights, n_classes))

    def extend_by_steps(
        self, indices: IndexArray, positions: IntArray, weights: FloatArray, n_classes: int
    ) -> Generator[None, None, bool]:
        """:meth:`extend`, with signs of life; False where somebody else extended it between two of them."""
        before, known = self.indices, self._known(indices, positions, weights)
        fresh = slice(known, len(indices))
        many = len(indices) - known > self.walk.at_once  # one solve a class is then cheaper than one an answer
        if many:
            added = yield from mass_by_steps(self.walk, indices[fresh], positions[fresh], weights[fresh], n_classes)
        else:
            added = yield from self.walk.columns_by_steps(indices[fresh])
        if self.indices is not before:
            return False
        if not known:
            self.mass = np.zeros((self.walk.n, n_classes), dtype=np.float32)
        if n_classes > self.mass.shape[1]:
            grown = np.zeros((self.walk.n, n_classes - self.mass.shape[1]), dtype=np.float32)
            self.mass = np.concatenate((self.mass, grown), axis=1)
        if many:
            self.mass += added
        else:
            for column, (position, weight) in enumerate(zip(positions[fresh], weights[fresh], strict=True)):
                self.mass[:, position] += weight * added[:, column]
        self.indices, self.positions, self.weights = indices.copy(), positions.copy(), weights.copy()
        return True

    def _known(self, indices: IndexArray, positions: IntArray, weights: FloatArray) -> int:
        """Return how many of the answers are in the mass already; 0 where it rests on others, too."""
        known = len(self.indices)
        extends = (
            known <= len(indices)
            and np.array_equal(self.indices, indices[:known])
            and np.array_equal(self.positions, positions[:known])
            and np.array_equal(self.weights, weights[:known])
        )
        return known if extends else 0


def mass_of(
    walk: RandomWalk, indices: IndexArray, positions: IntArray, weights: FloatArray, n_classes: int
) -> FloatArray:
    """The mass (n, n_classes) of all seeds at once: one solve a class, however many answers it has."""
    return steps.run(mass_by_steps(walk, indices, positions, weights, n_classes))


def mass_by_steps(
    walk: RandomWalk, indices: IndexArray, positions: IntArray, weights: FloatArray, n_classes: int
) -> Generator[None, None, FloatArray]:
    """:func:`mass_of`, with signs of life."""
    seeds = np.zeros((walk.n, n_classes), dtype=np.float32)
    np.add.at(seeds, (indices, positions), weights)
    return (yield from walk.solve_by_steps(seeds))


def left_out(
    mass: FloatArray, totals: FloatArray, own: FloatArray, rows: IndexArray, positions: IntArray, weights: FloatArray
) -> FloatArray:
    """The class shares (len(rows), k) of answered instances, each without its own seed, in closed form."""
    picked = np.arange(len(rows))
    without = mass[rows].copy()
    without[picked, positions] -= own * weights
    left = np.repeat(totals[None, :], len(rows), axis=0)
    left[picked, positions] -= weights
    left[left < 1e-6] = 0.0  # rounding: of a class that had this seed alone nothing is left
    return shares_of(without, left)
