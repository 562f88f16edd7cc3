"""The heavy half of a session: prepares the features and owns the engine.

The worker process runs one behind a pipe; simulation, export and tests run the same one in-process.
"""

from __future__ import annotations

import contextlib
from collections.abc import Generator, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from labeler.core import steps
from labeler.core.advice import NO_PROPAGATION, choose_other_features
from labeler.core.errors import EngineError, LabelerError, UsageError
from labeler.core.files import scratch
from labeler.core.model import Model
from labeler.core.numeric.choose_k import Tried, compare
from labeler.core.numeric.kmeans import kmeans_by_steps
from labeler.core.protocols import Clustering, Engine
from labeler.core.recipe import ENGINES, LEAD, LEFT_OUT, PARTS, VIEWS, Recipe
from labeler.core.requests import Comparison, Outliers
from labeler.core.types import GIVEN, FloatArray, IndexArray, IntArray, Progress, Queue, Round, Snapshot
from labeler.engine.queue import QUEUE_SIZE, queue_of
from labeler.plugins import registry
from labeler.plugins.encoders.automatic import COLOR_PHOTOS, further_views, missing_extra
from labeler.plugins.encoders.comparison import CANDIDATES, MOST_ANSWERS, is_better, left_out_hits
from labeler.plugins.importers.base import Source
from labeler.plugins.importers.subset import Subset
from labeler.plugins.outliers import DEFAULT
from labeler.plugins.outliers.sampling import scored
from labeler.plugins.pins import pinned
from labeler.worker.features import EncodedSource, Prepared, encode_others, prepare
from labeler.worker.further_views import FurtherViews
from labeler.worker.picture_view import Beside, view_of
from labeler.worker.protocol import Offer, Ready
from labeler.worker.vectors import clusters_of_shards, first_of_shards

EARLY_FROM = 20_000
"""Pools from this size on get their first questions from a sample, read before the rest."""
EARLY_SAMPLE = 3_000
EARLY_PHOTOS_FROM, EARLY_PHOTOS_SAMPLE = 1_000, 400
"""The same for colour photos, which take a hundred times as long to encode as handwriting."""
PEEK = 12  # pictures that are opened to tell photos from drawings
KS = (2, 3, 5, 7, 10, 15, 20, 30, 40, 50, 70, 100)
COMPARED_ON = 5_000
"""Numbers of clusters that are compared in the application, and instances at most: somebody looks on."""
JOINED = {"clusterer": "kmeans", "classifier": "graph x kernel x linear", "strategy": "margin x neighbours"}
"""What the default engine is made of, for reports; its parts are not plug-ins."""
BOOK = {"encoder": "pixels", "clusterer": "kmeans", "classifier": "logreg", "strategy": "margin-clusters"}

FOLLOWING = "knn"
"""The classifier that goes with a clusterer of dense regions: it overrules none of them (Géron, ch. 9)."""


class Pipeline:
    """Source and recipe in, rounds and questions out.

    `imported` (m, 2): index and class id of labels that came from elsewhere, at whose means a clusterer may begin.
    """

    def __init__(
        self, recipe: Recipe, source: Source, ids: Sequence[str] | None = None, imported: IndexArray | None = None
    ) -> None:
        self.recipe = complete(recipe)
        self.source = source
        self.ids = ids if ids is not None else source.ids
        self.engine: Engine = make_engine(self.recipe)
        self.imported = imported if imported is not None else np.empty((0, 2), dtype=np.int64)
        self.prepared: Prepared | None = None
        self.is_open = False
        self.further: FurtherViews | None = None
        """Views beside the first one; None until the pool is open."""
        self._oddness: tuple[tuple[str | None, bool, str], FloatArray] | None = None

    def open(self) -> Generator[Progress, None, Ready]:
        """Read, encode and cluster; see :func:`labeler.worker.features.prepare` for what may be raised."""
        recipe = yield from self._pin()
        self.prepared = yield from prepare(
            self.source, self.ids, Path(recipe.cache), recipe.encoder, recipe.features, recipe.seed
        )
        clusterer: Any = getattr(self.engine, "clusterer", None)
        if len(self.imported) and hasattr(clusterer, "start_at"):
            clusterer.start_at(class_means(self.prepared.features, self.imported))
        begin: Any = getattr(self.engine, "begin_with", None)
        if begin is not None and (given := clusters_of_shards(recipe.features, self.source, self.ids)) is not None:
            begin(given)
        yield from self.engine.open(self.prepared.features)
        self.further = self._further_views(self.prepared)
        self.is_open = True
        unreadable = {str(row): why for row, why in self.prepared.unreadable.items()}
        prepared = self.prepared
        blank = np.array(prepared.blank, dtype=np.int64)
        return Ready(prepared.encoder, prepared.reason, unreadable, prepared.hashes, prepared.path, blank)

    def _pin(self) -> Generator[Progress, None, Recipe]:
        """The recipe with what its encoder takes from elsewhere pinned: once, for the sample and the pool alike."""
        if self.recipe.encoder and not self.recipe.features:
            self.recipe = replace(self.recipe, encoder=(yield from pinned("encoder", self.recipe.encoder)))
        return self.recipe

    def join_companion(self) -> Generator[Progress, None, bool]:
        """Encode photos in further ways and let them have their say, once; only beside an encoder nobody chose.

        Returns whether there are any and they joined now.
        """
        if self.further is None:
            return False
        return (yield from self.further.encode_and_join(self.engine))

    @property
    def _chooses_views(self) -> bool:
        """Whether pictures are looked at in the ways that suit them: nobody chose one."""
        return self.source.content == "images" and not self.recipe.encoder and _is_joined(self.recipe)

    def _further_views(self, prepared: Prepared) -> FurtherViews:
        wanted = further_views(prepared.encoder, prepared.reason) if self._chooses_views else []
        return FurtherViews(self.source, self.ids, Path(self.recipe.cache), prepared, wanted)

    def leading(self, snapshot: Snapshot) -> Prepared:
        """Return the view that leads after the answers of `snapshot`: newcomers are labeled in it.

        Raises
        ------
        EngineError
            The pool is not open yet.
        """
        self.features()
        return self._leaders()[self.engine.leading(snapshot)]

    def settle(self, snapshot: Snapshot) -> Generator[Progress, None, Prepared]:
        """Yield signs of life; join every view and let the one lead that the answers of `snapshot` decide for.

        What is shown or leaves beside the labels of a closing round is made of this view, which is returned.
        """
        yield from self.join_companion()
        yield from self.engine.follow(snapshot)
        return self.leading(snapshot)

    def notes(self) -> list[str]:
        """Return a line for each view that is left out though nobody chose so, known once the views are settled."""
        return self.further.notes() if self.further is not None else []

    def view(self, encoder: str) -> Prepared | None:
        """Return the view by an encoder among those that joined and may lead; None where it is not there."""
        return next((view for view in self._leaders() if view.encoder == encoder), None)

    def _leaders(self) -> list[Prepared]:
        """Return the views that may lead, the first one and those that joined; none before the pool is open."""
        if self.prepared is None or self.further is None:
            return []
        return [self.prepared, *self.further.leaders]

    def early(self, *, for_photos: bool = True) -> Generator[Progress, None, Queue | None]:
        """First questions for a big pool from a sample of it, while the whole is still to be read; None for others.

        Colour photos begin so in smaller pools as well, unless not `for_photos`. Of features that were computed in
        shards: what is nearest to their centroids.
        """
        recipe, ids = self.recipe, self.source.ids
        if (self.ids is not ids and list(self.ids) != list(ids)) or not _is_joined(recipe):
            return None
        if recipe.features:
            order = first_of_shards(recipe.features, self.source, QUEUE_SIZE)
            representative = np.zeros(0 if order is None else len(order), dtype=np.uint8)
            return queue_of(order, representative, None, None) if order is not None else None
        size = EARLY_SAMPLE if len(ids) >= EARLY_FROM else 0
        if for_photos and len(ids) >= EARLY_PHOTOS_FROM and not recipe.encoder and _are_photos(self.source):
            size = EARLY_PHOTOS_SAMPLE
        if not size:
            return None
        recipe = yield from self._pin()
        rng = np.random.default_rng(recipe.seed)
        rows = np.sort(rng.choice(len(ids), size, replace=False)).astype(np.int64)
        sample = Subset(self.source, rows)
        # a folder of its own: entries of a sample must not pass for the pool's
        with scratch(Path(recipe.cache)) as folder:
            prepared = yield from prepare(sample, sample.ids, folder, recipe.encoder, "", recipe.seed)
            engine = make_engine(recipe)
            yield from engine.open(prepared.features)
            queue = engine.rerank(_nothing_answered())
        return replace(queue, indices=rows[queue.indices])

    def round_due(self, n_answers: int) -> bool:
        """Whether a full round pays after the `n_answers`-th answer."""
        return self.engine.round_due(n_answers)

    def rerank(self, snapshot: Snapshot) -> Queue:
        """Questions, within milliseconds."""
        return self.engine.rerank(snapshot)

    def work_ahead(self, indices: IndexArray) -> Iterator[Progress]:
        """Work ahead for the answers to `indices`, the next questions, while nobody waits."""
        return self.engine.prepare(indices)

    def round(self, snapshot: Snapshot) -> Iterator[Progress | Round]:
        """Everything, behind the person."""
        for step in self.engine.round(snapshot):
            yield self._named(step) if isinstance(step, Round) else step

    def closing_round(self, snapshot: Snapshot) -> Round:
        """Return what leaves the program, from scratch."""
        # first: an export must not depend on whether a worker had time for it
        steps.run(self.join_companion())
        return self._named(self.engine.closing_round(snapshot))

    def predict(self, snapshot: Snapshot, X_new: FloatArray) -> tuple[IntArray, FloatArray]:
        """Labels of instances outside the pool, encoded as the pool was."""
        return self.engine.predict(snapshot, X_new)

    def model(self, snapshot: Snapshot) -> Model | None:
        """Return what labels instances outside the pool, as arrays; None without an answer."""
        return self.engine.model(snapshot)

    def features(self) -> FloatArray:
        """The pool's features (n, d), maybe memory-mapped.

        Raises
        ------
        EngineError
            The pool is not open yet.
        """
        if self.prepared is None:
            raise EngineError("the pool is not encoded yet", "open it first")
        return self.prepared.features

    def encode(self, source: Source, snapshot: Snapshot | None = None) -> Generator[Progress, None, EncodedSource]:
        """Another source's instances in the features of this pool, or in those that lead after a `snapshot`."""
        self.features()  # refused before it is open
        assert self.prepared is not None  # noqa: S101 - features() looked
        return encode_others(source, self.prepared if snapshot is None else self.leading(snapshot))

    def oddness(
        self, seen_in: Prepared, method: str | None = None, *, quick: bool = False
    ) -> Generator[Progress, None, FloatArray]:
        """Yield signs of life; return how odd each instance is (n,) in a view of the pool; kept for the next time.

        A method that is named looks at the features; the default (None) at the pictures beside them as well. Large
        pools are judged by what is usual in a sample of them.
        """
        if self._oddness is None or self._oddness[0] != (method, quick, seen_in.encoder):
            yield Progress("looking for odd ones")
            view: FloatArray | Beside = seen_in.features
            if method is None:
                view = view_of(seen_in.features, seen_in.raw, seen_in.encoder)
            scores = yield from scored(view, method or DEFAULT, self.recipe.seed, quick=quick)
            self._oddness = (method, quick, seen_in.encoder), scores
        return self._oddness[1]

    # -- what may be requested: see PoolRequests ------------------------------------------------------------------

    def closing(self, snapshot: Snapshot) -> Iterator[Progress | Round]:
        """Yield signs of life, then what leaves the program, from scratch."""
        yield Progress("computing every label anew")
        yield from self.join_companion()
        yield self.closing_round(snapshot)

    def outliers(self, snapshot: Snapshot, size: int, first: IndexArray) -> Iterator[Progress | Outliers]:
        """Yield signs of life, then at most `size` instances without an answer, oddest first after those in `first`."""
        leading = self.leading(snapshot)
        # whoever looks at odd ones before the first answer sees them at once: other views are still being encoded
        seen_in = leading if len(snapshot.indices) else self._leaders()[0]
        scores = yield from self.oddness(seen_in, quick=True)
        left = np.ones(len(scores), dtype=np.bool_)
        for answered in (snapshot.indices, snapshot.excluded, snapshot.held_back):
            left[answered] = False
        leads = np.zeros(len(scores), dtype=np.bool_)
        leads[first] = True
        order = np.lexsort((-scores, ~leads))  # the last key counts first
        order = order[left[order]][:size].astype(np.int64)
        yield Outliers(order, scores[order])

    def compare_numbers(self, snapshot: Snapshot) -> Iterator[Progress | Comparison]:
        """Yield signs of life and what is known, from nothing on, each time another number of clusters was compared."""
        tried: list[Tried] = []
        ks, about = self.ks(), self.compared()
        yield Comparison([], len(ks), about)
        for step in self.compare(ks):
            if isinstance(step, Tried):
                tried.append(step)
                yield Comparison(list(tried), len(ks), about)
            else:
                yield step

    def ks(self) -> list[int]:
        """Numbers of clusters worth comparing in this pool."""
        # three instances a cluster, or there is nothing to compare
        return [k for k in KS if k <= max(len(self.ids) // 3, 2)]

    def compared(self) -> str:
        """Return what :meth:`compare` clusters, in words."""
        name = registry.parse_spec(self.recipe.clusterer or BOOK["clusterer"]).name
        few = f"{COMPARED_ON:,} drawn of {len(self.ids):,}" if len(self.ids) > COMPARED_ON else f"{len(self.ids):,}"
        return f"{name} of {few} instances"

    def compare(self, ks: list[int]) -> Generator[Progress | Tried, None, list[Tried]]:
        """Numbers of clusters where the engine clusters, on a sample of a large pool."""
        points, seed = self.engine.points(), self.recipe.seed
        if len(points) > COMPARED_ON:
            rows = np.sort(np.random.default_rng(seed).choice(len(points), COMPARED_ON, replace=False))
            points = np.asarray(points[rows])

        def cluster(k: int) -> Generator[Progress, None, Clustering]:
            if not self.recipe.clusterer:
                return (yield from kmeans_by_steps(points, k, seed, n_init=1))  # one run: somebody looks on
            yield Progress("clustering")
            clustering: Clustering = registry.create("clusterer", self.recipe.clusterer).cluster(points, k, seed)
            return clustering

        return (yield from compare(points, cluster, ks, seed))

    def repeats(self) -> IndexArray:
        """Return for each instance the first one (n,) that it repeats, to the content or nearly."""
        return self.engine.repeats()

    def other_encoder(self, snapshot: Snapshot) -> Generator[Progress, None, Offer | None]:
        """Compare the encoder that was chosen without answers with the others, by the answers; an offer or None.

        None where further views join: to choose an encoder would leave them out, and nobody has compared that.
        """
        prepared = self.prepared
        if self.further is not None and self.further.are_any:
            return None
        if prepared is None or self.recipe.encoder or self.source.content != "images" or prepared.encoder == "features":
            return None
        rows, y = snapshot.indices[-MOST_ANSWERS:], snapshot.class_ids[-MOST_ANSWERS:]
        specs = [prepared.encoder, *(spec for spec in CANDIDATES if spec != prepared.encoder)]
        hits = yield from left_out_hits(prepared.raw, rows, y, specs, self.recipe.seed)
        best = max(hits, key=lambda spec: int(hits[spec].sum()))
        if not is_better(hits[best], hits[prepared.encoder]):
            return None
        shares = f"{hits[best].mean():.0%} of your answers against {hits[prepared.encoder].mean():.0%}, each left out"
        return Offer(f"quit (Q), then go on with --encoder {best}: it would suit better ({shares})")

    def offer_of_extra(self) -> Offer | None:
        """Name the extra that would bring features worth having for this pool; None where nothing is missing."""
        extra = self.missing_extra()
        how = f"quit (Q), pip install '.[{extra}]' in the clone, open it again"
        return Offer(f"{self._promise_of_extra()}; {how}") if extra else None

    def _promise_of_extra(self) -> str:
        is_photos = self.prepared is not None and self.prepared.reason == COLOR_PHOTOS
        return (
            "photos: a network tells them apart better"
            if is_photos
            else "a network may tell these pictures apart better"
        )

    def missing_extra(self) -> str:
        """Return the extra that would bring a further view of this pool; "" where none is missing or one was chosen."""
        return missing_extra(self.prepared.reason) if self._chooses_views and self.prepared is not None else ""

    def _named(self, round_: Round) -> Round:
        """Add what the engine does not know: the chain's parts, views that are left out, an extra that would help."""
        recipe = self.recipe
        if round_.advice.code == NO_PROPAGATION and (extra := self.missing_extra()):
            n_answers = int(np.isin(round_.provenances, GIVEN).sum())
            round_ = replace(round_, advice=choose_other_features(n_answers, extra))
        views = self._leaders()
        place, n_answers = round_.facts.get(LEAD, (0, 0))
        encoder = views[place].encoder if views else recipe.encoder
        names: dict[str, Any] = {"engine": recipe.engine, "encoder": encoder}
        if LEAD in round_.facts:
            names[VIEWS] = [view.encoder for view in views]
            why = f"by {n_answers} left-out answers" if n_answers else "by the look of the pool"
            beside = ", ".join(view.encoder for view in views if view.encoder != encoder)
            names["view"] = f"{encoder} leads, {why}; beside it {beside}"
        if self.further is not None and self.further.left_out:
            names[LEFT_OUT] = self.notes()
            names["view"] = f"{names.get('view', encoder)}; without {', '.join(self.further.left_out)}"
        own = JOINED if _is_joined(recipe) else BOOK
        for part in PARTS[1:]:
            names[part] = getattr(recipe, part) or own[part]
        return replace(round_, facts=names | round_.facts | names)  # named first, and by nobody else


def _are_photos(source: Source) -> bool:
    """Whether the first images are colour photos too large for a quick encoder; unreadable ones are nobody's."""
    images = []
    for row in range(min(PEEK, len(source.ids)) if source.content == "images" else 0):
        with contextlib.suppress(LabelerError):
            images.append(source.image(row))
    return bool(images) and all(image.ndim == 3 and max(image.shape[:2]) > 40 for image in images)


def _nothing_answered() -> Snapshot:
    none = np.empty(0, dtype=np.int64)
    return Snapshot(
        0,
        1,
        none,
        none.astype(np.int32),
        none.astype(np.uint8),
        none.astype(np.float32),
        none.astype(np.int32),
        none,
        none,
        none,
    )


def class_means(X: FloatArray, labels: IndexArray) -> FloatArray:
    """The mean features (m, d) of each class of `labels` (rows of index and class id), by class id."""
    return np.stack(
        [
            np.asarray(X[labels[labels[:, 1] == class_id, 0]], dtype=np.float64).mean(axis=0)
            for class_id in np.unique(labels[:, 1])
        ]
    ).astype(np.float32)


def complete(recipe: Recipe) -> Recipe:
    """Fill what `recipe` leaves open with the engine's own parts; check every name and parameter.

    Raises
    ------
    UsageError
        An unknown engine, plug-in or parameter.
    """
    if recipe.engine not in ENGINES:
        raise UsageError(f"no engine is called {recipe.engine!r}", f"there are: {', '.join(ENGINES)}")
    if _names_core(recipe.clusterer) and not recipe.classifier:
        recipe = replace(recipe, classifier=FOLLOWING)
    if recipe.engine == "book":
        chosen: dict[str, Any] = {part: getattr(recipe, part) or name for part, name in BOOK.items()}
        recipe = replace(recipe, **chosen)
    for part in PARTS:
        if getattr(recipe, part):
            registry.create(part, getattr(recipe, part))
    return recipe


def _names_core(clusterer: str) -> bool:
    """Whether a clusterer is one of dense regions, which says who makes its clusters."""
    return bool(clusterer) and bool(
        getattr(registry.load("clusterer", registry.parse_spec(clusterer).name), "names_core", False)
    )


def make_engine(recipe: Recipe) -> Engine:
    """The engine of a completed recipe.

    The default engine brings its own clusters, model and questions; naming a plug-in for one of them asks for the
    chain of plug-ins, on the encoder of the default.
    """
    if _is_joined(recipe):
        from labeler.engine.default import DefaultEngine  # start-up: 0.1 s that the other does not need

        return DefaultEngine(recipe.n_clusters, recipe.seed)
    from labeler.engine.book import BookEngine  # start-up: as above

    return BookEngine(
        registry.create("clusterer", recipe.clusterer or BOOK["clusterer"]),
        registry.create("classifier", recipe.classifier or BOOK["classifier"]),
        registry.create("strategy", recipe.strategy or BOOK["strategy"]),
        n_clusters=recipe.n_clusters or 50,  # the source's number on digits
        random_state=recipe.seed,
    )


def _is_joined(recipe: Recipe) -> bool:
    return recipe.engine == "default" and not any(getattr(recipe, part) for part in PARTS[1:])
