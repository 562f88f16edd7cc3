"""An open project: its session, its source and, once started, its engine. Every door goes through one."""

from __future__ import annotations

import contextlib
import os
import shlex
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from labeler import backups, changes, locating, messages, plugin_files, registry
from labeler.core.cards import Card, Columns, Shown
from labeler.core.vocabulary import ByteArray, IndexArray, Progress, Provenance, Round
from labeler.display import display_safe
from labeler.errors import LabelerError, NotSaved, ProjectError, UnreadableInstance
from labeler.importers.base import Source
from labeler.importers.names import counted
from labeler.messages import Recipe
from labeler.options import PARTS, RECOMPUTES
from labeler.session.measured import measured
from labeler.session.session import Session
from labeler.session.state import State
from labeler.session.summary import in_the_export, keys_pressed, this_session
from labeler.session.view import View
from labeler.store.store import Store
from labeler.worker_client import WorkerClient

DEFAULT_SEED = 0


@dataclass(frozen=True, slots=True)
class Received:
    """What a message of the worker changed, for the screen: redraw if `changed`, else show progress or a note."""

    changed: bool = False
    progress: Progress | None = None
    note: str = ""
    failed: bool = False
    page: messages.GridReady | None = None
    similar: messages.SimilarReady | None = None
    shares: messages.SharesReady | None = None
    tried: messages.KsTried | None = None
    odd: messages.OddReady | None = None


class Project:
    """One open project: its session, its source and, once started, its engine."""

    def __init__(
        self, store: Store, session: Session, source: Source | None, notices: list[str], hashes: ByteArray
    ) -> None:
        self._store = store
        self._hashes = hashes
        self.session = session
        self.source = source
        self.notices = notices
        self.truth: dict[str, str] | None = None
        self.path = store.path
        self.name = store.path.name.removesuffix(locating.SUFFIX)
        self._cache = locating.cache_of(store.path)  # also where answers are saved elsewhere from some time on
        self._client: WorkerClient | None = None
        self._features: Any = None
        self._rows: dict[int, int] | None = None
        self._columns: Columns | None = None
        self.ready = False
        self.backed_up = not store.read_only  # whether closing it leaves a backup

    # -- reading -------------------------------------------------------------------------------------------------

    @property
    def source_path(self) -> Path:
        """Where the instances are."""
        return self.source.path if self.source is not None else Path(self._store.project()["source"]["path"])

    @property
    def options(self) -> dict[str, Any]:
        """The options in force."""
        return dict(self._store.project().get("options", {}))

    def view(self) -> View:
        """What screens draw from."""
        return self.session.view()

    def image(self, index: int) -> ByteArray:
        """The image of one instance, whole. May be called from any thread.

        Raises
        ------
        UnreadableInstance
            It cannot be decoded, is missing, or the source holds no images.
        """
        row = self._row(index)
        if self.source is None or row is None or self.source.content != "images":
            raise UnreadableInstance("there is no image to show here")
        return self.source.image(row)

    @property
    def content(self) -> str:
        """What the instances are: "images", or "table" where they are the rows of one."""
        return self.source.content if self.source is not None else "images"

    def shown(self, index: int) -> Shown:
        """What a person looks at to answer. May be called from any thread; raises as :meth:`image`."""
        row = self._row(index)
        columns = self.columns()
        if columns is None or row is None:
            return self.image(index)
        return columns.card(row)

    def columns(self) -> Columns | None:
        """Where the values of a table's columns lie; None where the instances are no rows of a table."""
        if self._columns is None and self.source is not None and (table := self.source.table()) is not None:
            self._columns = Columns(table, self.source.column_names())
        return self._columns

    def mean_of(self, indices: IndexArray) -> Card | None:
        """The means of some rows of a table; None for other instances, or where none of them is there."""
        columns = self.columns()
        rows = [row for index in indices.tolist() if (row := self._row(index)) is not None]
        return columns.mean_of(np.array(rows, dtype=np.int64)) if columns is not None and rows else None

    def location(self, index: int) -> str:
        """The file of an instance, or its id where it is none."""
        row = self._row(index)
        path = self.source.location(row) if self.source is not None and row is not None else None
        return str(path) if path is not None else self.session.pool.ids[index]

    def folder_classes(self) -> list[str]:
        """Names of the source's sub-folders, as classes to offer; empty where it has none."""
        labels = self.source.folder_labels() if self.source is not None else {}
        return sorted(set(labels.values()))

    def file_size(self, index: int) -> int | None:
        """Bytes of the instance's file; None where it is none."""
        try:
            return os.stat(self.location(index)).st_size
        except (OSError, ValueError):
            return None

    def neighbors(self, index: int, count: int) -> list[tuple[int, int]]:
        """The nearest labeled instances as (index, class_id), nearest first; empty before the pool is encoded."""
        given = [
            (other, standing.class_id)
            for other, standing in self.session.state.standings.items()
            if standing.kind == "label" and other != index
        ][-500:]
        if self._features is None or not given or index >= len(self._features):
            return []
        rows = np.array([other for other, _ in given])
        distances = np.square(self._features[rows] - self._features[index]).sum(axis=1)
        return [given[int(position)] for position in np.argsort(distances, kind="stable")[:count]]

    def summary(self) -> str:
        """What to say on quitting: the work, where it is, how to go on."""
        path = shlex.quote(display_safe(str(self.path), 1000))
        lines = [
            *([self._score()] if self.truth is not None else []),
            this_session(self.session),
            in_the_export(self.session),
            *(f"{one.name}: {one.statement}" for one in measured(self.session.state)),
            f"saved in {display_safe(str(self.path), 1000)}",
            "resume: labeler demo" if self.truth is not None else f"resume: labeler label {path}",
            f"export: labeler export {path} labels.csv",
        ]
        return "\n".join(lines)

    # -- the worker behind the screen ----------------------------------------------------------------------------

    def start(self, post: Callable[[Any], None]) -> None:
        """Start the worker; `post` gets its messages, from another thread. Hand each to :meth:`receive`."""
        if self.source is None:
            raise ProjectError("the source of this project is not open", "open it with: labeler label PROJECT")
        cache = Path(self.recipe().cache)
        try:
            cache.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ProjectError(
                f"cannot write the cache {cache}: {error.strerror}", "choose a writable place with -p PROJECT"
            ) from error
        self._client = WorkerClient(self.opening(), post, cache / "worker.log")
        if self.session.state.standings:
            self.changed()

    def changed(self) -> None:
        """Tell the engine that the session moved; never blocks."""
        if self._client is not None:
            urgent = self.session.state.voided_at == self.session.state.revision
            self._client.send(messages.Answered(self.session.snapshot(), urgent))

    def want_page(self, size: int, shown: list[int]) -> None:
        """Ask the engine for a page of one class to confirm, without those `shown`; it comes as ``Received.page``."""
        if self._client is not None:
            skip = np.array(shown, dtype=np.int64)
            self._client.send(messages.GridWanted(self.session.snapshot(), size, skip))

    def want_similar(self, index: int, size: int, shown: list[int]) -> None:
        """Ask the engine for instances like `index`, without those `shown`; they come as ``Received.similar``."""
        if self._client is not None:
            skip = np.array(shown, dtype=np.int64)
            self._client.send(messages.SimilarWanted(self.session.snapshot(), index, size, skip))

    def want_odd(self, size: int) -> None:
        """Ask for the oddest instances without an answer; they come as ``Received.odd``."""
        if self._client is not None:
            self._client.send(messages.OddWanted(self.session.snapshot(), size, self.in_no_cluster()))

    def in_no_cluster(self) -> IndexArray:
        """The instances that the clusterer of the last round put into no cluster; none where it knows no such."""
        round_ = self.session.derived.round
        found = np.flatnonzero(round_.outliers) if round_ is not None else np.empty(0)
        return found.astype(np.int64)

    def want_shares(self, index: int) -> None:
        """Ask the engine which answers carry the label of an instance; they come as ``Received.shares``."""
        if self._client is not None:
            self._client.send(messages.SharesWanted(self.session.snapshot(), index))

    def want_ks(self) -> None:
        """Ask the engine to compare numbers of clusters; they come as ``Received.tried``, more and more of them."""
        if self._client is not None:
            self._client.send(messages.KsWanted())

    def take_clusters(self, k: int) -> None:
        """Cluster into `k` from here on, as if ``--clusters`` had been given: recorded, and done by the next worker."""
        self.session.set(**{"option.n_clusters": k})
        self._store.remember(options=self.options | {"n_clusters": k})

    def end_worker(self) -> None:
        """End the worker; :meth:`start` makes another, by the options in force. Takes a moment: from any thread."""
        if self._client is not None:
            self._client.close()

    def receive(self, message: Any) -> Received:
        """Merge what the worker sent; called where the session lives."""
        if isinstance(message, Progress):
            return Received(progress=message)
        if isinstance(message, messages.Ready):
            self.encoded(message)
            self.changed()
            return Received(changed=True, note=f"encoder {message.encoder}: {message.reason}")
        if isinstance(message, messages.QueueReady):
            return Received(changed=self.session.merge_queue(message.queue, message.revision))
        if isinstance(message, messages.RoundReady):
            return Received(changed=self.session.merge_round(message.round))
        if isinstance(message, messages.GridReady):
            return Received(page=message)
        if isinstance(message, messages.SimilarReady):
            return Received(similar=message)
        if isinstance(message, messages.OddReady):
            return Received(changed=True, odd=message)  # what was being done is done
        if isinstance(message, messages.SharesReady):
            return Received(shares=message)
        if isinstance(message, messages.KsTried):
            return Received(changed=len(message.tried) == message.total, tried=message)
        if isinstance(message, messages.Offer):
            self.notices.append(message.text)
            return Received(note=message.text)
        if isinstance(message, messages.Failed):
            hint = f" ({message.hint})" if message.hint else ""
            return Received(note=f"{message.message}{hint}", failed=message.fatal)
        return Received()

    def encoded(self, ready: messages.Ready) -> None:
        """Take note of what reading the pool brought: content hashes and what cannot be read."""
        self.ready = True
        unreadable = {int(row): why for row, why in ready.unreadable.items()}
        self.session.pool.unreadable[:] = False  # what could not be read last time may be mended
        self.session.pool.mark_unreadable(unreadable)
        if unreadable:
            self.notices.append(unreadable_line({self.session.pool.ids[r]: w for r, w in unreadable.items()}))
        if ready.features:
            self._features = np.load(ready.features, mmap_mode="r")
        if len(ready.hashes):
            answered = np.zeros(len(self._hashes), dtype=np.bool_)
            answered[list(self.session.state.standings)] = True
            keep = answered & self._hashes.any(axis=1)  # what was answered: a change since shows at the next opening
            self._hashes = np.where(keep[:, None], self._hashes, ready.hashes)
        if not self._store.read_only:
            mask = self.session.pool.unreadable.astype(np.uint8)
            with contextlib.suppress(NotSaved):  # derived: read again at the next opening
                self._store.put_arrays("pool", {"sha256": self._hashes, "unreadable": mask})

    # -- the engine in-process -----------------------------------------------------------------------------------

    def recipe(self) -> Recipe:
        """What makes this project's engine."""
        options = self.options
        chosen = {name: options[name] for name in RECOMPUTES if options.get(name) is not None}
        self._check_own(options)
        return Recipe(
            source=str(self.source_path),
            cache=str(self._cache),
            plugins=plugin_files.loaded(),
            **{"seed": DEFAULT_SEED, **chosen},
        )

    def _check_own(self, options: dict[str, Any]) -> None:
        """A person's own plug-ins are never run because a project names them: the person must, each time."""
        for kind in PARTS:
            name = registry.parse_spec(options.get(kind) or "").name
            if not name or registry.knows(kind, name):
                continue
            kept = self._store.project().get("own", {}).get(kind, {})
            came_from = kept.get("origin", "") if kept.get("name") == name else ""
            shown = display_safe(came_from) or "FILE.py"
            raise ProjectError(
                f"this project uses the {kind} {display_safe(name)}"
                + (f" of {shown}, which is not run unasked" if came_from.endswith(".py") else ", which is not here"),
                f"look at the file, then add --plugin {shown}; or choose another one with --{kind}",
            )

    def opening(self) -> messages.Open:
        """The message that opens this pool in a worker."""
        ids = self.session.pool.ids
        same = self.source is not None and ids == list(self.source.ids)
        return messages.Open(self.recipe(), None if same else ids, self.session.state.revision, self._imported())

    def open_bench(self, progress: Callable[[Progress], None] = lambda _: None) -> Any:
        """Prepare the engine in this process and return it (a :class:`labeler.workbench.Workbench`)."""
        from labeler.workbench import Workbench

        if self.source is None:
            raise ProjectError("the source of this project is not open", "is it where it was?")
        bench = Workbench(self.recipe(), self.source, self.session.pool.ids, self._imported())
        for step in _steps(bench.open()):
            if isinstance(step, Progress):
                progress(step)
            else:
                self.encoded(step)
        return bench

    def closing_round(self, progress: Callable[[Progress], None] = lambda _: None) -> Round:
        """The round that leaves the program, from scratch, merged into the session."""
        round_: Round = self.open_bench(progress).closing_round(self.session.snapshot())
        self.session.merge_round(round_)
        return round_

    def state_at(self, seq: int) -> State:
        """What the events before the one at `seq` of the journal amount to."""
        state = State(self.session.pool)
        for event in self._store.replay():
            if event.seq >= seq:
                break
            state.apply(event)
        return state

    def sha256(self) -> ByteArray:
        """Content hashes (n, 32) uint8, of answered instances as they were answered; zeros where not known."""
        return self._hashes

    def save_elsewhere(self, place: str) -> Path:
        """Copy all that is saved to `place` (a folder or a new file) and go on there; what was here stays as it is.

        Returns the file. Raises ProjectError, NotSaved where it cannot be written or is there already.
        """
        path = Path(place).expanduser()
        path = path / self.path.name if path.is_dir() else path
        if not path.name.endswith(locating.SUFFIX):
            path = path.with_name(path.name + locating.SUFFIX)
        store = backups.go_on_at(self._store, path, self.source_path)
        self.session.go_on_in(store)
        before, self._store, self.path = self._store, store, store.path
        before.close()
        self.notices.append(f"the disk of {before.path} did not take an answer: all is in {path} from there on")
        return path

    def close(self) -> None:
        """End the worker, leave a backup where something changed since the last one, and a single file."""
        if self._client is not None:
            self._client.close()
        if self.source is not None:
            self._complete_hashes()
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

    def _imported(self) -> IndexArray:
        """Index and class id (m, 2) of the labels that came from elsewhere."""
        snapshot = self.session.snapshot()
        mine = snapshot.provenances == Provenance.IMPORTED
        return np.column_stack((snapshot.indices[mine], snapshot.class_ids[mine].astype(np.int64)))

    def _complete_hashes(self) -> None:
        """What was answered before the pool was read, or in a table: a label stays with the content it was given to."""
        if self._store.read_only or self.source is None:
            return
        found = changes.completed(self.source, self.session.pool.ids, self.session.state.standings, self._hashes)
        if found is not None:
            with contextlib.suppress(NotSaved):
                self._store.put_arrays("pool", {"sha256": found})

    def _row(self, index: int) -> int | None:
        """Position of a pool index in the source."""
        if self.source is None:
            return None
        if self._rows is None:
            positions = {name: row for row, name in enumerate(self.source.ids)}
            self._rows = {i: positions[name] for i, name in enumerate(self.session.pool.ids) if name in positions}
        return self._rows.get(index)

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
    """Options in force, for a manifest."""
    return {"options": project.options, "recipe": {k: v for k, v in asdict(project.recipe()).items() if k != "cache"}}


def unreadable_line(reasons: dict[str, str], few: int = 5) -> str:
    """One line that counts what cannot be read (name -> why), names the first few and says what to do; safe to show."""
    names = [f"{display_safe(name, 60)} ({display_safe(why, 60)})" for name, why in list(reasons.items())[:few]]
    more = f" and {len(reasons) - few:,} more" if len(reasons) > few else ""
    return f"{len(reasons):,} cannot be read: {', '.join(names)}{more}; mend and open again, the rest goes on without"


def _steps(generator: Any) -> Any:
    """A generator's yields, then what it returns."""
    result = yield from generator
    yield result
