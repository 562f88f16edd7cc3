"""One view of the pool as the engine works in it: its space, its clusterings and the label models in it."""

from __future__ import annotations

from collections.abc import Generator, Sequence

import numpy as np

from labeler.core.numeric.pca import principal_axes
from labeler.core.steps import give_back
from labeler.core.types import FloatArray, IndexArray, Progress
from labeler.engine.belief import Believer
from labeler.engine.depth import deepened, has_more_groups
from labeler.engine.live import LiveBelief
from labeler.engine.representatives import Given, Level, finer_levels, first_level, given_levels, nested_order
from labeler.engine.second_opinion import second_opinion
from labeler.engine.space import Space, space
from labeler.engine.splitting import Partition


class Layout:
    """A view laid out: first what the first questions need, then, by :meth:`finish`, the rest.

    Attributes
    ----------
    space
        Components, diffusion map and neighbour graph of the view.
    levels
        Its clusterings, the coarsest first.
    order
        Representatives (r,) in the order to ask them.
    partition
        The clusters as a person divided them.
    """

    def __init__(self, laid_out: Space, first: Level, random_state: int, further: Sequence[Level] = ()) -> None:
        self.space, self.levels, self.order = laid_out, [first], first.representatives
        self.partition = Partition(laid_out.z, random_state)
        self.live: LiveBelief | None = None
        self._random_state = random_state
        self._further = further  # from elsewhere, finer than the first

    @property
    def representatives(self) -> IndexArray:
        """The first representatives, which are asked whatever is believed."""
        return self.levels[0].representatives

    def finish(self) -> Generator[Progress, None, None]:
        """Yield signs of life; prepare finer clusters and the label models, once."""
        if self.live is not None:
            return
        yield Progress("clustering finer")
        finer = yield from finer_levels(self.space.z, self.levels[0], self._random_state)
        if has_more_groups(self.space, self.levels[0]):
            for place, level in enumerate(finer):
                finer[place] = yield from deepened(level, self.space)
        give_back()
        others = yield from second_opinion(self.space.components, self._random_state)
        self.levels = [self.levels[0], *sorted([*self._further, *finer], key=lambda level: level.size)]
        self.order = nested_order(self.levels)
        give_back()
        believer = Believer(self.space, others, self.representatives, self._random_state)
        self.live = LiveBelief(believer, self._random_state)

    def take(self, components: list[FloatArray]) -> None:
        """Let a linear rule on each of other views' `components` (n, d) have its say."""
        if self.live is not None:
            self.live.believer.join(components)
            self.live.outdated()


def lay_out(
    X: FloatArray, n_clusters: int | None, random_state: int, given: Given | None = None
) -> Generator[Progress, None, Layout]:
    """Yield signs of life; return the layout of features `X` (n, d), its first clusters those `given` if there are."""
    laid_out = yield from space(X, random_state=random_state)
    yield Progress("clustering")
    if given is not None:
        first, *further = given_levels(laid_out.z, given)
        return Layout(laid_out, first, random_state, further)
    first = yield from first_level(laid_out.z, n_clusters, random_state)
    if has_more_groups(laid_out, first):
        first = yield from deepened(first, laid_out)
    return Layout(laid_out, first, random_state)


def components_of(X: FloatArray, random_state: int) -> Generator[Progress, None, FloatArray]:
    """Yield signs of life; return the leading principal components (n, d) of features `X` (n, m)."""
    axes = yield from principal_axes(X, random_state=random_state)
    components = np.empty((len(X), axes.axes.shape[1]), dtype=np.float32)
    yield from axes.project_into(X, components)
    return components
