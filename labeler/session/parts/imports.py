"""Labels and predictions that come from elsewhere, and answers that follow a changed source."""

from __future__ import annotations

from labeler.core.errors import UsageError
from labeler.core.events import Import, Predictions, SourceChange
from labeler.core.types import Provenance
from labeler.session.parts.classes import Classes
from labeler.session.recorder import Recorder


class Imports:
    """The labels of a session that no person gave at a screen."""

    def __init__(self, recorder: Recorder, classes: Classes) -> None:
        self._recorder, self._classes = recorder, classes
        self._pool, self._state = recorder.pool, recorder.state

    def labels(
        self, labels: list[tuple[str, int]], origin: str, *, replace_imported: bool = False
    ) -> tuple[int, list[tuple[str, int]]]:
        """Take labels from elsewhere, as one undoable event.

        Returns how many were taken, and the (instance_id, class_id) that contradict a label which stays: a person's
        always, since a person outranks an import, and one that was imported before unless `replace_imported`. A
        rejected instance stays rejected and is neither, and so is a label that is there already.
        """
        taken, conflicts = [], []
        for instance_id, class_id in labels:
            self._state.check_active(class_id)
            answer = self._state.answers.get(self._pool.index(instance_id))
            # neither taken nor a contradiction: the same file a second time changes nothing, and what was thrown out
            # stays out
            if answer is not None and (answer.kind == "reject" or answer.class_id == class_id):
                continue
            was_imported = answer is not None and answer.provenance is Provenance.IMPORTED
            if answer is None or answer.kind != "label" or (was_imported and replace_imported):
                taken.append((instance_id, class_id, "imported"))
            else:
                conflicts.append((instance_id, class_id))
        if taken:
            self._recorder.record(Import(tuple(taken), origin))
        return len(taken), conflicts

    def predictions(self, predictions: list[tuple[str, int, float | None]], origin: str) -> None:
        """Take what a model elsewhere says, (instance_id, class_id, score), as one undoable event: machine labels.

        Raises
        ------
        UsageError
            No such instance or class, or a score that is none; nothing changed.
        """
        for instance_id, class_id, score in predictions:
            self._pool.index(instance_id)
            self._state.check_active(class_id)
            if score is not None and not 0.0 <= score <= 1.0:
                raise UsageError(f"a score of {score:g} is none", "give one between 0 and 1")
        if predictions:
            self._recorder.record(Predictions(tuple(predictions), origin))

    def follow(self, moved: list[tuple[int, int]], replaced: list[int], *, keep: bool = True) -> None:
        """Let answers follow a changed source from an index to where their content is now, or set them aside; undoable.

        `keep` False: for this session alone, which may not write.
        """
        pairs = [(old, self._pool.ids[new]) for old, new in moved] + [(old, None) for old in replaced]
        answers = self._state.answers
        # each with the event that gave it: the fold moves an answer only while that is the one that stands
        followed = tuple((self._pool.ids[old], place, answers[old].event_id) for old, place in pairs if old in answers)
        if followed and keep:
            self._recorder.record(SourceChange(followed))
        elif followed:
            self._recorder.apply_unsaved(SourceChange(followed))
