"""What works behind a person: the worker behind the screen, or the engine in this process."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Generator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from labeler.core import steps
from labeler.core.errors import NotSaved, ProjectError
from labeler.core.recipe import PARTS, RECOMPUTES, Recipe
from labeler.core.text import counted, display_safe, unreadable_line
from labeler.core.types import IndexArray, Progress, Provenance, Round
from labeler.plugins import custom, registry
from labeler.plugins.importers.vectors import check_rows
from labeler.project.instances import Opened
from labeler.worker import protocol
from labeler.worker.client import WorkerClient

if TYPE_CHECKING:
    from labeler.worker.pipeline import Pipeline  # its libraries take a second to load

DEFAULT_SEED = 0


@dataclass(frozen=True, slots=True)
class Received:
    """What a message of the worker changed, for the screen: redraw if `changed`, else show progress or a note."""

    changed: bool = False
    progress: Progress | None = None
    note: str = ""
    failed: bool = False
    page: protocol.GridReady | None = None
    similar: protocol.SimilarReady | None = None
    shares: protocol.SharesReady | None = None
    tried: protocol.KsTried | None = None
    odd: protocol.OddReady | None = None
    closing: Round | None = None
    hunt: protocol.HuntReady | None = None


class Behind(Opened):
    """One open project with its engine, once started."""

    # -- the worker behind the screen ----------------------------------------------------------------------------

    def start(self, post: Callable[[Any], None]) -> None:
        """Start the worker; `post` gets its messages, from another thread. Hand each to :meth:`receive`."""
        if self.source is None:
            raise ProjectError("the source of this project is not open", "open it with: labeler label PROJECT")
        opening = self.opening()
        self._client = WorkerClient(opening, post, self.cache() / "worker.log")
        if self.session.state.answers:
            self.changed()

    def changed(self) -> None:
        """Tell the engine that the session moved; never blocks."""
        if self._client is not None:
            urgent = self.session.state.voided_at == self.session.state.revision
            self._client.send(protocol.Answered(self.session.snapshot(), urgent))

    def want_page(self, size: int, shown: list[int]) -> None:
        """Ask the engine for a page of one class to confirm, without those `shown`; it comes as ``Received.page``."""
        if self._client is not None:
            skip = np.array(shown, dtype=np.int64)
            self._client.send(protocol.GridWanted(self.session.snapshot(), size, skip))

    def want_similar(self, index: int, size: int, shown: list[int]) -> None:
        """Ask the engine for instances like `index`, without those `shown`; they come as ``Received.similar``."""
        if self._client is not None:
            skip = np.array(shown, dtype=np.int64)
            self._client.send(protocol.SimilarWanted(self.session.snapshot(), index, size, skip))

    def want_hunt(self, class_id: int, size: int, shown: list[int]) -> None:
        """Ask the engine for what may be of a rare class, without those `shown`; it comes as ``Received.hunt``."""
        if self._client is not None:
            skip = np.array(shown, dtype=np.int64)
            self._client.send(protocol.HuntWanted(self.session.snapshot(), class_id, size, skip))

    def want_odd(self, size: int) -> None:
        """Ask for the oddest instances without an answer; they come as ``Received.odd``."""
        if self._client is not None:
            self._client.send(protocol.OddWanted(self.session.snapshot(), size, self.in_no_cluster()))

    def in_no_cluster(self) -> IndexArray:
        """The instances that the clusterer of the last round put into no cluster; none where it knows no such."""
        round_ = self.session.machine_labels.round
        found = np.flatnonzero(round_.outliers) if round_ is not None else np.empty(0)
        return found.astype(np.int64)

    def want_shares(self, index: int) -> None:
        """Ask the engine which answers carry the label of an instance; they come as ``Received.shares``."""
        if self._client is not None:
            self._client.send(protocol.SharesWanted(self.session.snapshot(), index))

    def want_closing(self) -> None:
        """Ask the engine for every label anew, as it leaves the program; they come as ``Received.closing``.

        The session answers from them once they are there, as long as nothing was said meanwhile.
        """
        if self._client is not None:
            self._client.send(protocol.ClosingWanted(self.session.snapshot()))

    @property
    def is_closed(self) -> bool:
        """Whether the session answers from the closing round of what was said so far."""
        return self._closed is not None and self._closed == (
            self.session.state.revision,
            self.session.machine_labels.n_merged,
        )

    def _close(self, closing: Round) -> None:
        """Take a closing round; what advises while a person answers stays the live round's, where it is as new."""
        live = self.session.machine_labels.sent
        if live is not None and live.revision == closing.revision:
            closing = replace(closing, advice=live.advice, queue=live.queue, facts=closing.facts | live.facts)
        if closing.revision == self.session.state.revision and self.session.merge_round(closing):
            self._closed = (closing.revision, self.session.machine_labels.n_merged)

    def want_ks(self) -> None:
        """Ask the engine to compare numbers of clusters; they come as ``Received.tried``, more and more of them."""
        if self._client is not None:
            self._client.send(protocol.KsWanted())

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
        if isinstance(message, protocol.Ready):
            self.encoded(message)
            self.changed()
            noun = self.session.pool.noun
            return Received(changed=True, note=f"ready: {counted(len(self.session.pool), noun)} read and compared")
        if isinstance(message, protocol.QueueReady):
            return Received(changed=self.session.merge_queue(message.queue, message.revision))
        if isinstance(message, protocol.RoundReady):
            changed = self.session.merge_round(message.round)
            return Received(changed=changed, note=" · ".join(self.session.round_notes) if changed else "")
        if isinstance(message, protocol.ClosingReady):
            self._close(message.round)
            return Received(changed=True, closing=message.round)  # outdated or not: what was being done is done
        if isinstance(message, protocol.GridReady):
            return Received(page=message)
        if isinstance(message, protocol.SimilarReady):
            return Received(similar=message)
        if isinstance(message, protocol.HuntReady):
            return Received(hunt=message)
        if isinstance(message, protocol.OddReady):
            return Received(changed=True, odd=message)  # what was being done is done
        if isinstance(message, protocol.SharesReady):
            return Received(shares=message)
        if isinstance(message, protocol.KsTried):
            return Received(changed=len(message.tried) == message.total, tried=message)
        if isinstance(message, protocol.Offer):
            self.notices.append(message.text)
            return Received(note=message.text)
        if isinstance(message, protocol.Failed):
            hint = f" ({message.hint})" if message.hint else ""
            return Received(note=f"{message.message}{hint}", failed=message.fatal)
        return Received()

    def encoded(self, ready: protocol.Ready) -> None:
        """Take note of what reading the pool brought: content hashes and what cannot be read."""
        self.ready = True
        unreadable = {int(row): why for row, why in ready.unreadable.items()}
        self.session.pool.unreadable[:] = False  # what could not be read last time may be mended
        self.session.pool.mark_unreadable(unreadable)
        if unreadable:
            self.notices.append(unreadable_line({self.session.pool.ids[r]: w for r, w in unreadable.items()}))
        if len(ready.blank):
            self.notices.append(blank_line([self.session.pool.ids[int(row)] for row in ready.blank]))
        if ready.features:
            self._features = np.load(ready.features, mmap_mode="r")
        if len(ready.hashes):
            answered = np.zeros(len(self._hashes), dtype=np.bool_)
            answered[list(self.session.state.answers)] = True
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
            cache=str(self.cache()),
            plugins=custom.loaded(),
            **{"seed": DEFAULT_SEED, **chosen},
        )

    def check_features(self) -> None:
        """Refuse a features file that has not a row for each instance, before the pool is read.

        Raises
        ------
        SourceError
            How many rows it has, and how many are wanted.
        """
        features = self.options.get("features")
        if features:
            check_rows(Path(features), self.session.pool.ids)

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

    def opening(self) -> protocol.Open:
        """The message that opens this pool in a worker."""
        ids = self.session.pool.ids
        same = self.source is not None and ids == list(self.source.ids)
        return protocol.Open(self.recipe(), None if same else ids, self.session.state.revision, self._imported())

    def open_pipeline(self, progress: Callable[[Progress], None] | None = None) -> Pipeline:
        """Prepare the engine in this process and return it."""
        return steps.run(self.open_pipeline_by_steps(), progress)

    def open_pipeline_by_steps(self) -> Generator[Progress, None, Pipeline]:
        """Prepare the engine in this process, yielding signs of life; return it."""
        from labeler.worker.pipeline import Pipeline  # start-up: the screen's process never needs an engine of its own

        if self.source is None:
            raise ProjectError("the source of this project is not open", "is it where it was?")
        pipeline = Pipeline(self.recipe(), self.source, self.session.pool.ids, self._imported())
        self.encoded((yield from pipeline.open()))
        return pipeline

    def closing_round(self, progress: Callable[[Progress], None] | None = None) -> Round:
        """The round that leaves the program, from scratch, merged into the session."""
        round_: Round = self.open_pipeline(progress).closing_round(self.session.snapshot())
        self.session.merge_round(round_)
        return round_

    # -- inside --------------------------------------------------------------------------------------------------

    def _imported(self) -> IndexArray:
        """Index and class id (m, 2) of the labels that came from elsewhere."""
        snapshot = self.session.snapshot()
        mine = snapshot.provenances == Provenance.IMPORTED
        return np.column_stack((snapshot.indices[mine], snapshot.class_ids[mine].astype(np.int64)))


def blank_line(names: list[str], few: int = 5) -> str:
    """One line that counts pictures of one single value and names the first few, safe to show."""
    lead = counted(len(names), "picture shows", "pictures show")
    more = f" and {len(names) - few:,} more" if len(names) > few else ""
    shown = ", ".join(display_safe(name, 60) for name in names[:few])
    return f"{lead} nothing, all of one value: {shown}{more}; asked like the others, X rejects"
