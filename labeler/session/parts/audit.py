"""The audit of a session: begun, answered in the order that was drawn, ended."""

from __future__ import annotations

import numpy as np

from labeler.core import events
from labeler.core.errors import UsageError
from labeler.core.events import Asked, AuditBegin, AuditEnd
from labeler.core.stats.certificate import WHOLE, more_needed, share_of_alpha
from labeler.core.types import UNLABELED
from labeler.session.audit import audits
from labeler.session.audit.audits import AuditAnswer, AuditRecord, Certificate, Frozen
from labeler.session.final_labels import FinalLabels, final_labels
from labeler.session.parts.audit_pages import AuditPages
from labeler.session.parts.classes import Classes
from labeler.session.recorder import Recorder

SAID = ("label", "unsure", "reject")


class Audit:
    """The audit of a session: one is open at most, the latest.

    `pages`: the same audit, looked at in pages.
    """

    def __init__(self, recorder: Recorder, classes: Classes) -> None:
        self._recorder, self._classes = recorder, classes
        self._state, self._pool = recorder.state, recorder.pool
        self._thawed: tuple[int, Frozen] | None = None  # (number of the audit, its labels)
        # thousands of bounds along the looks: a screen asks at every drawing, so the last one is remembered
        self._certified: tuple[tuple[object, ...], Certificate] | None = None
        self.pages = AuditPages(recorder, classes, self)

    def begin(
        self, final: FinalLabels, *, target: float, confidence: float, seed: int, predicted: bool = False
    ) -> AuditRecord:
        """Freeze `final`, draw the order and record both; from here on the statement is about these labels.

        `predicted`: the export that it is for holds predicted labels as well. An audit before it counts as ended.

        Raises
        ------
        UsageError
            A target or confidence that cannot be, or no label that a statement would cover.
        """
        check_goal(target, confidence)
        indices = audits.covered(final, self._pool, predicted=predicted)
        if not len(indices):
            raise UsageError(
                "there is no label to audit: all that an export would hold are single answers of a person",
                "answer until labels spread, or confirm pages of a grid",
            )
        number = len(self._state.audits) + 1
        names = {info.class_id: info.name for info in self._state.classes.values()}
        sha256 = audits.set_sha256(self._pool.ids, final, names)
        frozen = audits.freeze(final, audits.draw(indices, seed, number, sha256))
        # before the event: a kill in between leaves labels that nothing rests on, never an audit without its labels
        self._recorder.journal.freeze(number, frozen.arrays)
        body = AuditBegin(
            number=number,
            population=len(indices),
            target=target,
            confidence=confidence,
            seed=seed,
            set_sha256=sha256,
            order_sha256=audits.order_sha256(frozen.order),
            classes=tuple(sorted(names.items())),
            round=final.round,
            predicted=predicted,
            before=len(self._state.audits.carried_begins),
        )
        self._recorder.record(body)
        self._thawed = (number, frozen)
        return self._state.audits[-1]

    def answer(self, instance_id: str, class_id: int | None, word: str = "label", *, screen: str = "audit") -> None:
        """A person says what the instance drawn next is, without having been shown a label.

        `word` "unsure" or "reject" come without a class; such a label counts as wrong.

        Raises
        ------
        UsageError
            No audit is open, it is not this one's turn, or there is no such class; nothing changed.
        NotSaved
            The answer could not be written; nothing changed.
        """
        audit = self.open_record()
        if audit.ended:
            raise UsageError(
                "this audit was ended: its statement is drawn", "undo takes the end back, or begin another"
            )
        index = self._pool.index(instance_id)
        if word not in SAID or (word == "label") != (class_id is not None):
            raise UsageError(f"an audit takes no {word!r}", "give a class, or say unsure or reject")
        if class_id is not None:
            self._state.check_active(class_id)
        self.refuse_within_block()
        if index != self.next_index():
            raise UsageError("the instances of an audit are answered in the order they were drawn", "answer the next")
        answer = AuditAnswer(index, UNLABELED if class_id is None else class_id)
        # kept with the answer: a fold need not thaw labels and compute bounds to know that the statement stands
        reached = audits.is_reached(audit, self.frozen(audit), [*audit.answers, answer])
        body = events.AuditAnswer(
            instance_id=instance_id,
            class_id=class_id,
            audit=audit.number,
            word=word,
            reached=reached,
            asked=Asked(screen=screen, rule="audit"),
        )
        self._recorder.record(body)

    def end(self) -> None:
        """Draw the statement as it stands: what was audited may teach the engine from here on.

        Raises
        ------
        UsageError
            No audit is open, or nothing was checked yet.
        """
        audit = self.open_record()
        if audit.ended:
            raise UsageError("this audit was ended before", "begin another one")
        if not audit.answers:
            raise UsageError("nothing was checked yet: there is no statement to draw", "answer the first one")
        self.refuse_within_block()
        self._recorder.record(AuditEnd(audit.number))

    # -- reading -------------------------------------------------------------------------------------------------

    @property
    def latest(self) -> AuditRecord | None:
        """The latest audit; None where there was none."""
        return self._state.audits[-1] if self._state.audits else None

    def frozen(self, audit: AuditRecord) -> Frozen:
        """The labels an audit speaks of. Raises ProjectError where they are damaged."""
        if self._thawed is None or self._thawed[0] != audit.number:
            arrays = self._recorder.journal.frozen(audit.number)
            self._thawed = (audit.number, audits.thawed(audit, arrays, self._pool.ids))
        return self._thawed[1]

    def next_index(self) -> int | None:
        """The index whose turn it is; None where all were answered or no audit is open."""
        audit = self.latest
        if audit is None or len(audit.answers) >= audit.population:
            return None
        return int(self.frozen(audit).order[len(audit.answers)])

    def upcoming(self, count: int) -> list[int]:
        """Indices that come after the next one."""
        audit = self.latest
        if audit is None:
            return []
        place = len(audit.answers) + 1
        return [int(index) for index in self.frozen(audit).order[place : place + count]]

    def refuse_within_block(self) -> None:
        """Raise UsageError where pages of a block are confirmed and others of it are not: it counts as a whole."""
        audit = self.latest
        block = audit.block if audit is not None else None
        if block is not None and block.answers:
            left = len(block.pages) - len(block.answers)
            pages = "1 page is" if left == 1 else f"{left} pages are"
            raise UsageError(
                f"{pages} left of {len(block.pages)} that count together", "confirm them, or take the others back (⌫)"
            )

    def certificate(self, target: float | None = None, *, paged: bool = False) -> Certificate | None:
        """Return what the latest audit says now, of its target or another one; None where there was none.

        `paged`: the forecast is for looks in pages.

        Raises
        ------
        UsageError
            A target that cannot be.
        """
        audit = self.latest
        if target is not None:
            # 0.5 passes: where no audit was begun the target alone is looked at
            check_goal(target, audit.confidence if audit is not None else 0.5)
        if audit is None:
            return None
        now = self._state.revision, len(audit.answers), target, paged
        if self._certified is None or self._certified[0] != now:
            self._certified = now, audits.certificate(audit, self.frozen(audit), target, paged=paged)
        return self._certified[1]

    def labels_since(self) -> int:
        """Events since the latest audit began that gave labels outside of it: what it speaks of is not the latest."""
        return 0 if self.latest is None else self._state.answers.label_events - self._state.audits.labels_before

    def goes_on(self) -> bool:
        """Whether there is an audit to go on with: not ended, nor its target reached before labels were given since."""
        audit = self.latest
        return audit is not None and not audit.ended and not (audit.drawn and self.labels_since())

    def ahead(self, target: float, confidence: float) -> tuple[int, int | None]:
        """Labels that an audit would cover as things stand, and looks without an error that it would take; None where
        not even all of them would do."""
        if self._recorder.machine_labels.round is None:
            return 0, None
        final = final_labels(self._state, self._recorder.machine_labels.round)
        population = len(audits.covered(final.grown(len(self._pool)), self._pool))
        before = len(self._state.audits.carried_begins)
        alpha = share_of_alpha(1.0 - confidence, before + len(self._state.audits) + 1) * WHOLE
        return population, more_needed(0, 0, population, alpha, target) if population else None

    def open_record(self) -> AuditRecord:
        """The latest audit, ended or not. Raises UsageError where there was none."""
        audit = self.latest
        if audit is None:
            raise UsageError("no audit was begun", "begin one with: labeler audit PROJECT")
        return audit


def check_goal(target: float, confidence: float) -> None:
    """Refuse what cannot be aimed at.

    Raises
    ------
    UsageError
        The target is not above 0 and below 1, or the confidence not from 0.5 up to below 1.
    """
    if not 0.0 < target < 1.0 or not np.isfinite(target):
        raise UsageError(f"a target of {target:g} cannot be certified", "give a share such as 0.98")
    if not 0.5 <= confidence < 1.0:
        raise UsageError(f"a confidence of {confidence:g} says nothing", "give a share such as 0.95")
