"""An open project: its session, its source and, once started, its engine. Every door goes through one."""

from __future__ import annotations

import contextlib
import shlex
from collections.abc import Callable, Generator
from dataclasses import asdict, replace
from itertools import chain, takewhile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from labeler.core import steps
from labeler.core.errors import LabelerError, NotSaved, ProjectError
from labeler.core.recipe import LEAD, LEFT_OUT, VIEWS, Recipe
from labeler.core.text import counted, display_safe, unreadable_line
from labeler.core.types import ByteArray, IndexArray, Progress, Provenance, Queue, Round
from labeler.plugins.importers.base import Source
from labeler.plugins.pins import is_pin_of, pinned
from labeler.project import backups, paths, source_changes
from labeler.project.engine import PUT_OFF_FROM, EngineLink
from labeler.project.instances import Instances
from labeler.project.notices import blank_line
from labeler.project.recipes import recipe_of
from labeler.project.views import missing_views
from labeler.session.fold import fold
from labeler.session.quality.summary import measure
from labeler.session.session import Session
from labeler.session.state import State
from labeler.session.summary import in_the_export, keys_pressed, this_session
from labeler.session.view import View
from labeler.store.store import Store
from labeler.worker.protocol import Open, Ready

if TYPE_CHECKING:
    from labeler.worker.pipeline import Pipeline  # its libraries take a second to load


class Project:
    """One open project: its file, its session, its source; `instances` looks at them, `engine` works behind a person.

    `hashes` (n, 32): content of the instances as it was answered, zeros = not known.
    """

    def __init__(
        self, store: Store, session: Session, source: Source | None, notices: list[str], hashes: ByteArray
    ) -> None:
        self._store = store
        self.session, self.source, self.notices = session, source, notices
        self.view: Callable[[], View] = session.view  # what screens draw from
        self.instances = Instances(session, source, hashes)
        self.engine = EngineLink(session, notices, self.opening, self._take_encoded)
        self.truth: dict[str, str] | None = None
        self.path = store.path
        self.name = store.path.name.removesuffix(paths.SUFFIX)
        self._first_path = store.path  # whose cache it is, also where answers are saved elsewhere from some time on
        self._cache: Path | None = None
        self._unsaved: dict[str, ByteArray] = {}  # arrays of the pool
        self._pipeline: Pipeline | None = None  # the last one that was opened in this process
        self.backed_up = not store.read_only  # whether closing it leaves a backup

    # -- the file ------------------------------------------------------------------------------------------------

    def cache(self) -> Path:
        """Return the folder of the cache; where it is not beside the project, a notice says so.

        Raises
        ------
        ProjectError
            It cannot be written, nor can the user's cache folder.
        """
        if self._cache is None or not self._cache.is_dir():  # it may be deleted at any time
            self._cache, elsewhere = paths.usable_cache(self._first_path)
            self.notices += [elsewhere] if elsewhere else []
        return self._cache

    @property
    def source_path(self) -> Path:
        """The place of the instances."""
        return self.source.path if self.source is not None else Path(self._store.project()["source"]["path"])

    def inputs(self) -> list[Path]:
        """Return the project, then what its labels are of and rest on: nothing that is written goes over them."""
        features = self.options.get("features")
        return [self.path, self.source_path, *([Path(features)] if features else [])]

    @property
    def options(self) -> dict[str, Any]:
        """The options in force."""
        return dict(self._store.project().get("options", {}))

    def state_at(self, seq: int) -> State:
        """Return what the events before the one at `seq` of the journal amount to."""
        return fold(State(self.session.pool), takewhile(lambda event: event.seq < seq, self._store.replay()))

    def mark(self) -> str | None:
        """Return what tells this state of the project from all others; None where its file says something else.

        So it is where another process has gone on meanwhile, or where a changed source is followed without writing.
        """
        mark = self._store.mark()
        return mark if self._store.n_events() == self.session.state.revision else None

    # -- the engine's recipe, and the engine in this process -----------------------------------------------------

    def recipe(self) -> Recipe:
        """Return what makes this project's engine; raises ProjectError where a part of it is not here."""
        return recipe_of(self.source_path, self.cache(), self.options, self._store.project().get("own", {}))

    def check_features(self) -> None:
        """Refuse features that are not of this source, or have not a row for each instance, before the pool is read.

        Raises
        ------
        SourceError
            How many rows there are and how many are wanted, or which source they are of.
        """
        features = self.options.get("features")
        if features:
            from labeler.worker.vectors import check_vectors  # start-up: most projects have no such features

            check_vectors(features, self.source, self.session.pool.ids)

    def opening(self) -> Open:
        """Return the message that opens this pool in a worker."""
        pool, source = self.session.pool, self._its_source("open it with: labeler label PROJECT")
        ids = None if pool.is_of(source.ids) else list(pool.ids)
        return Open(self.recipe(), ids, self.session.state.revision, self._imported())

    def open_pipeline(self, progress: Callable[[Progress], None] | None = None) -> Pipeline:
        """Prepare the engine in this process and return it."""
        return steps.run(self.open_pipeline_by_steps(), progress)

    def early_questions(
        self, progress: Callable[[Progress], None] | None = None, *, for_photos: bool = True
    ) -> Queue | None:
        """Return the questions from a sample that a big pool begins with, before it is read; None for others.

        Photos, slow to encode, begin so in smaller pools as well, unless not `for_photos`.
        """
        from labeler.worker.pipeline import Pipeline  # start-up: as below

        source = self._its_source("is it where it was?")
        pipeline = Pipeline(self.recipe(), source, self.session.pool.ids, self._imported())
        return steps.run(pipeline.early(for_photos=for_photos), progress)

    def open_settled_pipeline(self, progress: Callable[[Progress], None] | None = None) -> Pipeline:
        """Prepare the engine as what leaves is made: with every view joined, led by the one the answers decide for."""
        pipeline = self.open_pipeline(progress)
        steps.run(pipeline.settle(self.session.snapshot()), progress)
        return pipeline

    def open_pipeline_by_steps(self, encoder: str = "") -> Generator[Progress, None, Pipeline]:
        """Prepare the engine in this process, yielding signs of life; return it; with another `encoder` if given."""
        from labeler.worker.pipeline import Pipeline  # start-up: scikit-learn and scipy, which no screen needs

        source = self._its_source("is it where it was?")
        recipe = replace(self.recipe(), encoder=encoder) if encoder else self.recipe()
        pipeline = Pipeline(recipe, source, self.session.pool.ids, self._imported())
        self._take_encoded((yield from pipeline.open()))
        self._pipeline = pipeline
        return pipeline

    def missing_views(self) -> list[str]:
        """Return a line where it was labeled by a view whose extra is not installed, else none."""
        rounds = chain.from_iterable(map(self._store.facts_of_rounds, (VIEWS, LEAD)))
        return missing_views(self.options, rounds)

    def view_notes(self) -> list[str]:
        """Return a line for each view that has no say in what is shown or leaves though nobody chose so, and why.

        Whatever settles the views of the pool says them, on the screen and in the manifest.
        """
        round_ = self.session.machine_labels.round
        if self._pipeline is not None:
            return [*self.missing_views(), *self._pipeline.notes()]
        left_out = round_.facts.get(LEFT_OUT, ()) if round_ is not None else ()
        return [*self.missing_views(), *(str(note) for note in left_out)]

    def closing_round(self, progress: Callable[[Progress], None] | None = None) -> Round:
        """Return the round that an export rests on, from scratch, merged into the session."""
        round_: Round = self.open_pipeline(progress).closing_round(self.session.snapshot())
        self.session.merge_round(round_)
        return round_

    def take_clusters(self, k: int) -> None:
        """Cluster into `k` from here on, as if ``--clusters`` had been given: recorded, and done by the next worker."""
        self.session.set(**{"option.n_clusters": k})
        self._store.remember(options=self.options | {"n_clusters": k})

    def _its_source(self, hint: str) -> Source:
        if self.source is None:
            raise ProjectError("the source of this project is not open", hint)
        return self.source

    def _imported(self) -> IndexArray:
        """Index and class id (m, 2) of the labels that came from elsewhere."""
        snapshot = self.session.snapshot()
        rows = snapshot.provenances == Provenance.IMPORTED
        return np.column_stack((snapshot.indices[rows], snapshot.class_ids[rows].astype(np.int64)))

    def _take_encoded(self, ready: Ready) -> None:
        """Take note of what reading the pool brought: content hashes and what cannot be read."""
        pool, unreadable = self.session.pool, {int(row): why for row, why in ready.unreadable.items()}
        pool.unreadable[:] = False  # what could not be read last time may be mended
        pool.mark_unreadable(unreadable)
        if unreadable:
            self.notices.append(unreadable_line({pool.ids[row]: why for row, why in unreadable.items()}))
        if len(ready.blank):
            self.notices.append(blank_line([pool.ids[int(row)] for row in ready.blank]))
        if ready.features:
            self.instances.take_features(np.load(ready.features, mmap_mode="r"))
        if len(ready.hashes):
            self.instances.take_hashes(ready.hashes)
        if not self._store.read_only:
            self._keep_pins(ready.encoder)
            self._unsaved = {"sha256": self.instances.sha256(), "unreadable": pool.unreadable.astype(np.uint8)}
            if len(pool) < PUT_OFF_FROM:
                self.save_derived()

    def save_derived(self) -> bool:
        """Save what can be made anew and was put off, first a round, then what reading brought; False = nothing."""
        if self.session.keep_round():
            return True
        arrays, self._unsaved = self._unsaved, {}
        if arrays:
            with contextlib.suppress(NotSaved):  # read again at the next opening
                self._store.put_arrays("pool", arrays)
        return bool(arrays)

    def pin_encoder(self, progress: Callable[[Progress], None]) -> None:
        """Fetch what the encoder takes from elsewhere and was never fetched for this project, and keep which it was.

        Raises
        ------
        LabelerError
            It cannot be had.
        """
        encoder = self.options.get("encoder")
        if encoder and not self.options.get("features"):
            self._keep_pins(steps.run(pinned("encoder", encoder), progress))

    def _keep_pins(self, encoder: str) -> None:
        """Remember the encoder in force with the content that it was fetched in, from the first time on."""
        options = self.options
        before = options.get("encoder") or ""
        if is_pin_of("encoder", encoder, before):
            with contextlib.suppress(NotSaved):  # pinned again at the next opening
                self._store.remember(options=options | {"encoder": encoder})
                self.notices.append(f"the encoder is {encoder} from here on")

    # -- the end -------------------------------------------------------------------------------------------------

    def summary(self) -> str:
        """Return what to say on quitting: the work, where it is, how to go on."""
        measurements = measure(self.session.state, self.session.audit.certificate())
        lines = [
            *([self._score()] if self.truth is not None else []),
            this_session(self.session),
            in_the_export(self.session),
            *(f"{line.title}: {line.statement}" for measurement in measurements for line in measurement.lines),
            *(self._what_is_lost() if self.is_lost else self._how_to_go_on()),
        ]
        return "\n".join(lines)

    @property
    def is_lost(self) -> bool:
        """Whether the project file was removed, moved or replaced while it was open."""
        return self._store.is_lost

    def _how_to_go_on(self) -> list[str]:
        path = shlex.quote(display_safe(str(self.path), 1000))
        return [
            f"saved in {display_safe(str(self.path), 1000)}",
            "resume: labeler demo" if self.truth is not None else f"resume: labeler label {path}",
            f"export: labeler export {path} labels.csv",
        ]

    def _what_is_lost(self) -> list[str]:
        """Return where the answers are now that the file is not: in a backup made here, before anything is let go."""
        lines = [f"NOT saved in {display_safe(str(self.path), 1000)}: it was removed, moved or replaced while open"]
        try:
            # the open connection still reads what the name does not lead to any more
            backup = backups.keep(self._store, "lost")
        except LabelerError as error:
            return [*lines, f"no backup could be made of what was open: {error.message} ({error.hint})"]
        self.backed_up = False
        place = shlex.quote(display_safe(str(backup.path), 1000))
        return [*lines, f"all answers are in its backup: labeler restore {place}"]

    def save_elsewhere(self, place: str) -> Path:
        """Copy all that is saved to `place` (a folder or a new file) and go on there; what was here stays as it is.

        Returns the file. Raises ProjectError, NotSaved where it cannot be written or is there already.
        """
        path = Path(place).expanduser()
        path = path / self.path.name if path.is_dir() else path
        if not path.name.endswith(paths.SUFFIX):
            path = path.with_name(path.name + paths.SUFFIX)
        store = backups.go_on_at(self._store, path, self.source_path)
        self.session.recorder.go_on_in(store)
        # only now: until the session writes to the new file, answers need the old one
        before, self._store, self.path = self._store, store, store.path
        before.close()
        self.notices.append(f"the disk of {before.path} did not take an answer: all is in {path} from there on")
        return path

    def adopt(self) -> None:
        """Belong to the present thread from here on; the one that opened it must be done with it."""
        self._store.adopt()

    def close(self) -> None:
        """End the worker, leave a backup where something changed since the last one, and a single file."""
        self.engine.end()  # first: its worker reads the source and writes in the cache
        while self.save_derived():
            pass
        if self.source is not None:
            self._complete_hashes()  # while the source is open
            self.source.close()
        if self.backed_up:
            try:
                backups.at_exit(self._store)
            except LabelerError as error:  # nothing is lost by it, and what was done is done
                self.notices.append(f"no backup was made: {error.message} ({error.hint})")
        self._store.close()

    def __enter__(self) -> Project:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # -- inside --------------------------------------------------------------------------------------------------

    def _complete_hashes(self) -> None:
        """Keep the content of what was answered before the pool was read: a label stays with what it was given to."""
        if self._store.read_only or self.source is None:
            return
        answered, hashes = self.session.state.answers, self.instances.sha256()
        completed = source_changes.completed(self.source, self.session.pool.ids, answered, hashes)
        if completed is not None:
            with contextlib.suppress(NotSaved):
                self._store.put_arrays("pool", {"sha256": completed})

    def _score(self) -> str:
        truth, session = self.truth or {}, self.session
        names = {class_id: info.name for class_id, info in session.state.classes.items()}
        right = sum(
            names.get(session.label_of(index)[0]) == truth.get(instance_id)
            for index, instance_id in enumerate(session.pool.ids)
        )
        share = 100 * right / max(len(session.pool), 1)
        keys = counted(keys_pressed(session), "key")
        return f"you: {keys}; right: {share:.1f} % of {len(session.pool):,} (only the demo knows)"


def summary_of(project: Project) -> dict[str, Any]:
    """Return the options in force, for a manifest."""
    return {"options": project.options, "recipe": {k: v for k, v in asdict(project.recipe()).items() if k != "cache"}}
