"""The pages of a session's audit: a block is laid out before it is shown, its pages confirmed one after the other."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from labeler.core.errors import UsageError
from labeler.core.events import Asked, AuditPage
from labeler.core.types import UNLABELED, IndexArray, Provenance
from labeler.session.audit import audits, pages
from labeler.session.audit.audits import AuditAnswer, AuditRecord
from labeler.session.audit.pages import LEAST_PLANTS, Block, Candidate, Cell
from labeler.session.parts.classes import Classes
from labeler.session.recorder import Recorder

if TYPE_CHECKING:
    from labeler.session.parts.audit import Audit


@dataclass(frozen=True, slots=True)
class Planted:
    """The planted pictures of a confirmed page, seen and overlooked: (index, class shown, class known)."""

    seen: tuple[tuple[int, int, int], ...]
    overlooked: tuple[tuple[int, int, int], ...]

    @property
    def shown(self) -> int:
        """The number of them."""
        return len(self.seen) + len(self.overlooked)


class AuditPages:
    """The pages of a session's audit: a block is laid out, and confirmed page by page."""

    def __init__(self, recorder: Recorder, classes: Classes, audit: Audit) -> None:
        self._recorder, self._classes, self._audit = recorder, classes, audit
        self._state, self._pool = recorder.state, recorder.pool

    def lay_out(self, page_size: int) -> Block:
        """The block whose pages are next; where none is laid out yet it is drawn and recorded before it is shown.

        `page_size`: pictures of a page at most; of a block that is there already its own stays.

        Raises
        ------
        UsageError
            No audit is open, all was checked, or too few were labeled by a person to plant some.
        NotSaved
            The plan could not be written; nothing changed.
        """
        audit = self._audit.open_record()
        if audit.ended:
            raise UsageError(
                "this audit was ended: its statement is drawn", "undo takes the end back, or begin another"
            )
        if page_size < 1:
            raise ValueError(f"a page of {page_size} pictures")
        laid_out = audit.block
        if laid_out is None:
            if self._audit.next_index() is None:
                raise UsageError("every label of the set was checked", "there is nothing left to look at")
            block = self.draw_block(audit, page_size)
            self._recorder.record(pages.event_of(block, audit.number, self._pool.ids))
            return audit.blocks[-1]
        return laid_out

    def answer(self, otherwise: Mapping[int, int] | None = None, *, screen: str = "audit-pages") -> Planted:
        """Confirm the page that is next: every picture is what it is shown as but for those in `otherwise`.

        `otherwise`: index -> class; UNLABELED = cannot tell or of no class, which counts as wrong. Returns what was
        planted on the page.

        Raises
        ------
        UsageError
            No page is laid out, a picture is not on it, or there is no such class; nothing changed.
        NotSaved
            The page could not be written; nothing changed.
        """
        audit, otherwise = self._audit.open_record(), otherwise or {}
        block = audit.block
        if audit.ended or block is None:
            raise UsageError("no page of an audit is laid out", "have one laid out first")
        page = block.page
        if not otherwise.keys() <= {cell.index for cell in page}:
            raise UsageError("a picture that is not on the page cannot be set on it", "answer those it shows")
        for cell in page:
            class_id = otherwise.get(cell.index, cell.class_id)
            if class_id not in (cell.class_id, UNLABELED):
                self._state.check_active(class_id)
        classes = {cell.index: otherwise.get(cell.index, cell.class_id) for cell in page}
        planted = [cell for cell in page if cell.planted]
        ids = self._pool.ids
        body = AuditPage(
            audit=audit.number,
            start=block.start,
            labels=tuple(
                (ids[cell.index], classes[cell.index], _word(cell, classes[cell.index]))
                for cell in page
                if not cell.planted and classes[cell.index] != UNLABELED
            ),
            unsure=tuple(ids[cell.index] for cell in page if not cell.planted and classes[cell.index] == UNLABELED),
            planted=tuple((ids[cell.index], classes[cell.index]) for cell in planted),
            marked=sum(classes[cell.index] != cell.class_id for cell in page) - _exceptions(page, classes),
            reached=self._would_reach(audit, block, classes),
            asked=Asked(screen=screen, rule="audit"),
        )
        first = len(block.first) == len(block.answers)  # else it was confirmed before, and the planted ones are known
        self._recorder.record(body)
        if not first:
            return Planted((), ())
        labels = self._audit.frozen(audit).final.labels
        results = [(cell.index, cell.class_id, int(labels[cell.index]), classes[cell.index]) for cell in planted]
        return Planted(
            tuple((index, shown, known) for index, shown, known, answer in results if answer != shown),
            tuple((index, shown, known) for index, shown, known, answer in results if answer == shown),
        )

    # -- what is laid out ----------------------------------------------------------------------------------------

    def draw_block(self, audit: AuditRecord, page_size: int) -> Block:
        """Return the block that comes next, drawn by the audit's seed: the same question gives the same block."""
        frozen, start = self._audit.frozen(audit), len(audit.answers)
        rng = np.random.default_rng((audit.seed, audit.number, start, int(audit.order_sha256[:16], 16)))
        seen, shown = audit.plants
        wanted = pages.plants_wanted(shown, seen, rng)
        more = audits.certificate(audit, frozen, paged=True).more
        n_pages = pages.pages_needed(more, wanted, page_size)
        wanted = max(min(wanted, int(pages.DENSEST * n_pages * page_size)), 0)
        # at least one that was drawn: a block of planted pictures alone would never bring the audit on
        drawn = frozen.order[start : start + max(n_pages * page_size - wanted, 1)]
        class_ids = frozen.final.labels[drawn].tolist()
        # none that this audit shows or has shown: an answer to a picture both drawn and planted would mean two things
        candidates = self._candidates(audit, frozen.order[: start + len(drawn)])
        count: dict[int, int] = {}
        for class_id in class_ids:
            if not self._state.classes[class_id].retired:
                count[class_id] = count.get(class_id, 0) + 1
        if len(candidates) < LEAST_PLANTS or all(set(count) <= {candidate.known} for candidate in candidates):
            raise UsageError(
                "too few pictures were answered to plant some of them under a wrong class",
                "go on one by one, or answer more questions and audit again with --new",
            )
        before = pages.plants_before(audit.blocks)
        plants = pages.chosen_plants(candidates, before, count, wanted, rng)
        return Block(start, pages.laid_out(drawn, class_ids, plants, page_size, rng))

    def _candidates(self, audit: AuditRecord, checked: IndexArray) -> list[Candidate]:
        """Return what may be planted: single answers from before the audit; where these are few, labels of pages."""
        frozen, stands_for = self._audit.frozen(audit), self._state.stands_for()
        round_, gone = self._recorder.machine_labels.round, self._pool.missing | self._pool.unreadable
        drawn = set(checked.tolist())
        candidates: list[Candidate] = []
        for provenance in (Provenance.HUMAN, Provenance.CONFIRMED):
            if len(candidates) >= LEAST_PLANTS:
                break
            for index in np.flatnonzero(frozen.final.provenances == provenance).tolist():
                answer, known = self._state.answers.get(index), int(frozen.final.labels[index])
                if gone[index] or index in drawn or answer is None or answer.kind != "label":
                    continue
                if answer.class_id != known or self._state.classes[known].retired:
                    continue  # changed since
                confused = int(round_.runner_ups[index]) if round_ is not None and index < len(round_.labels) else -1
                candidates.append(Candidate(index, known, int(stands_for[confused]) if confused >= 0 else UNLABELED))
        return candidates

    def _would_reach(self, audit: AuditRecord, block: Block, classes: dict[int, int]) -> bool:
        if len(block.answers) + 1 < len(block.pages):
            return False
        # on a copy: the event that confirms the page is not written yet, and may fail to be
        after = deepcopy(block)
        after.confirm(classes)
        blocks = [after if other is block else other for other in audit.blocks]
        answers = [*audit.answers, *(AuditAnswer(*pair) for pair in after.in_order())]
        return audits.is_reached(audit, self._audit.frozen(audit), answers, blocks)


def _word(cell: Cell, class_id: int) -> str:
    return (Provenance.CONFIRMED if class_id == cell.class_id else Provenance.HUMAN).word


def _exceptions(page: tuple[Cell, ...], classes: Mapping[int, int]) -> int:
    """Drawn pictures set to another class: the others that were marked cost keys and leave no label."""
    return sum(not cell.planted and classes[cell.index] not in (cell.class_id, UNLABELED) for cell in page)
