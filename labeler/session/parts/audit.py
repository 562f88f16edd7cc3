"""What a person does in an audit: begin it, answer the instances in the order they were drawn, end it."""

from __future__ import annotations

import numpy as np

from labeler.core.errors import UsageError
from labeler.core.stats.certificate import WHOLE, more_needed, share_of_alpha
from labeler.core.types import UNLABELED
from labeler.session.audit import audits
from labeler.session.audit.audits import Answer, Audit, Certificate, Frozen
from labeler.session.final_labels import FinalLabels, final_labels
from labeler.session.parts.classes import ClassCommands

SAID = ("label", "unsure", "reject")


class AuditCommands(ClassCommands):
    """The commands of a session that are about audits."""

    _thawed: tuple[int, Frozen] | None = None  # (number of the audit, its labels)
    _certified: tuple[tuple[object, ...], Certificate] | None = None  # (what it was asked of, what was said)

    def begin_audit(
        self, final: FinalLabels, *, target: float, confidence: float, seed: int, predicted: bool = False
    ) -> Audit:
        """Freeze `final`, draw the order and record both; from here on the statement is about these labels.

        `predicted`: the export that it is for holds predicted labels as well. An audit before it counts as ended.

        Raises
        ------
        UsageError
            A target or confidence that cannot be, or no label that a statement would cover.
        """
        check_goal(target, confidence)
        indices = audits.covered(final, self.pool, predicted=predicted)
        if not len(indices):
            raise UsageError(
                "there is no label to audit: all that an export would hold are single answers of a person",
                "answer until labels spread, or confirm pages of a grid",
            )
        number = len(self.state.audits) + 1
        names = {info.class_id: info.name for info in self.state.classes.values()}
        sha256 = audits.set_sha256(self.pool.ids, final, names)
        frozen = audits.freeze(final, audits.draw(indices, seed, number, sha256))
        self._journal.freeze(number, frozen.arrays)
        payload = {
            "number": number,
            "population": len(indices),
            "target": target,
            "confidence": confidence,
            "seed": seed,
            "set_sha256": sha256,
            "order_sha256": audits.order_sha256(frozen.order),
            "classes": [[class_id, name] for class_id, name in sorted(names.items())],
            "round": final.round,
            "predicted": predicted,
            "before": len({begin for record in self.state.carried for begin in record.payload["kept_under"]}),
        }
        self._record("audit_begin", None, None, payload)
        self._thawed = (number, frozen)
        return self.state.audits[-1]

    def answer_audit(
        self, instance_id: str, class_id: int | None, said: str = "label", *, screen: str = "audit"
    ) -> None:
        """A person says what the instance drawn next is, without having been shown a label.

        `said` "unsure" or "reject" come without a class; such a label counts as wrong.

        Raises
        ------
        UsageError
            No audit is open, it is not this one's turn, or there is no such class; nothing changed.
        NotSaved
            The answer could not be written; nothing changed.
        """
        audit = self._open_audit()
        if audit.ended:
            raise UsageError(
                "this audit was ended: its statement is drawn", "undo takes the end back, or begin another"
            )
        index = self.pool.index(instance_id)
        if said not in SAID or (said == "label") != (class_id is not None):
            raise UsageError(f"an audit takes no {said!r}", "give a class, or say unsure or reject")
        if class_id is not None:
            self._check_class(class_id)
        self.refuse_within_block()
        if index != self.audit_next():
            raise UsageError("the instances of an audit are answered in the order they were drawn", "answer the next")
        answer = Answer(index, UNLABELED if class_id is None else class_id)
        reached = audits.is_reached(audit, self.frozen(audit), [*audit.answers, answer])
        payload = {"audit": audit.number, "said": said, "reached": reached, "screen": screen, "rule": "audit"}
        self._record("audit_answer", instance_id, class_id, payload)

    def end_audit(self) -> None:
        """Draw the statement as it stands: what was audited may teach the engine from here on.

        Raises
        ------
        UsageError
            No audit is open, or nothing was checked yet.
        """
        audit = self._open_audit()
        if audit.ended:
            raise UsageError("this audit was ended before", "begin another one")
        if not audit.answers:
            raise UsageError("nothing was checked yet: there is no statement to draw", "answer the first one")
        self.refuse_within_block()
        self._record("audit_end", None, None, {"audit": audit.number})

    # -- reading -------------------------------------------------------------------------------------------------

    @property
    def audit(self) -> Audit | None:
        """The latest audit."""
        return self.state.audits[-1] if self.state.audits else None

    def frozen(self, audit: Audit) -> Frozen:
        """The labels an audit speaks of. Raises ProjectError where they are damaged."""
        if self._thawed is None or self._thawed[0] != audit.number:
            arrays = self._journal.frozen(audit.number)
            self._thawed = (audit.number, audits.thawed(audit, arrays, self.pool.ids))
        return self._thawed[1]

    def audit_next(self) -> int | None:
        """The index whose turn it is; None where all were answered or no audit is open."""
        audit = self.audit
        if audit is None or len(audit.answers) >= audit.population:
            return None
        return int(self.frozen(audit).order[len(audit.answers)])

    def audit_upcoming(self, count: int) -> list[int]:
        """Indices that come after the next one."""
        audit = self.audit
        if audit is None:
            return []
        place = len(audit.answers) + 1
        return [int(index) for index in self.frozen(audit).order[place : place + count]]

    def refuse_within_block(self) -> None:
        """Raise UsageError where pages of a block are confirmed and others of it are not: it counts as a whole."""
        audit = self.audit
        block = audit.block if audit is not None else None
        if block is not None and block.said:
            left = len(block.pages) - len(block.said)
            pages = "1 page is" if left == 1 else f"{left} pages are"
            raise UsageError(
                f"{pages} left of {len(block.pages)} that count together", "confirm them, or take the others back (⌫)"
            )

    def certificate(self, target: float | None = None, *, paged: bool = False) -> Certificate | None:
        """What the latest audit says now, of its target or another one; None where there was none.

        `paged`: the forecast is for looks in pages.

        Raises
        ------
        UsageError
            A target that cannot be.
        """
        audit = self.audit
        if target is not None:
            check_goal(target, audit.confidence if audit is not None else 0.5)
        if audit is None:
            return None
        now = self.state.revision, len(audit.answers), target, paged
        if self._certified is None or self._certified[0] != now:  # a screen asks at every drawing
            self._certified = now, audits.certificate(audit, self.frozen(audit), target, paged=paged)
        return self._certified[1]

    def labels_since_audit(self) -> int:
        """Events since the latest audit began that gave labels outside of it: what it speaks of is not the latest."""
        return 0 if self.audit is None else self.state.label_events - self.state.labels_at_audit

    def audit_goes_on(self) -> bool:
        """Whether there is an audit to go on with: not ended, nor its target reached before labels were given since."""
        audit = self.audit
        return audit is not None and not audit.ended and not (audit.drawn and self.labels_since_audit())

    def audit_ahead(self, target: float, confidence: float) -> tuple[int, int | None]:
        """Labels that an audit would cover as things stand, and looks without an error that it would take; None where
        not even all of them would do."""
        if self.derived.round is None:
            return 0, None
        final = final_labels(self.state, self.derived.round)
        population = len(audits.covered(final.grown(len(self.pool)), self.pool))
        before = len({begin for record in self.state.carried for begin in record.payload["kept_under"]})
        alpha = share_of_alpha(1.0 - confidence, before + len(self.state.audits) + 1) * WHOLE
        return population, more_needed(0, 0, population, alpha, target) if population else None

    def _open_audit(self) -> Audit:
        audit = self.audit
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
