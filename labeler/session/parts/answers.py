"""What a person says of instances: one at a time, a page at once, from elsewhere."""

from __future__ import annotations

from dataclasses import replace

from labeler.core.errors import GuessChanged, UsageError
from labeler.core.types import Event, Provenance, Question
from labeler.session.asked import ASKING, QUESTION, HowAsked, as_asked
from labeler.session.pacing import Pacing
from labeler.session.parts.classes import ClassCommands
from labeler.session.quality.random_sample import RANDOM
from labeler.session.questions import CHOSEN

PAGES_OF_A_CLASS = "grid"
"""The screen whose pages the engine chooses by the errors it expects."""


class AnswerCommands(ClassCommands):
    """The commands of a session that are about the labels of instances."""

    pacing: Pacing

    def label(self, instance_id: str, class_id: int, *, screen: str = QUESTION, asked: Question | None = None) -> None:
        """A person says what `instance_id` is. Durable on return. `asked`: how, where it is not the pinned question.

        Raises
        ------
        UsageError
            No such instance or class; nothing changed.
        NotSaved
            The answer could not be written; nothing changed.
        """
        index = self.pool.index(instance_id)
        self._check_class(class_id)
        if asked is None and self._answers_repeat(instance_id, "label", class_id, screen):
            return
        asked = asked or self.questions.asked(index)
        how = as_asked(asked, screen) if asked else HowAsked(screen=screen, rule=CHOSEN)
        if asked and asked.rule == RANDOM and screen in ASKING:
            how = replace(how, machine=self.derived.label_of(index)[0])  # as it stands before this answer
        self._record("label", instance_id, class_id, how.payload)
        self.pacing.single_done()

    def skip(self, instance_id: str, *, screen: str = QUESTION) -> None:
        """Ask it again later in this session."""
        self._set_aside("skip", instance_id, screen)

    def unsure(self, instance_id: str, *, screen: str = QUESTION) -> None:
        """Looked at, cannot tell: not asked again, its label stays the model's at tier ask."""
        self._set_aside("unsure", instance_id, screen)

    def reject(self, instance_id: str, *, screen: str = QUESTION) -> None:
        """Belongs to no class or is unusable: leaves the pool."""
        self._set_aside("reject", instance_id, screen)

    def _set_aside(self, said: str, instance_id: str, screen: str) -> None:
        if not self._answers_repeat(self._known(instance_id), said, None, screen):
            self._record(said, instance_id)

    def _answers_repeat(self, instance_id: str, said: str, class_id: int | None, screen: str) -> bool:
        """Record what is said of the question on the screen where it is a hidden repeat: the first answer stays."""
        index = self.pool.index(instance_id)
        asked = self.questions.repeat(index) if screen in ASKING else None
        if asked is None:
            return False
        about = {"said": said, "first": asked.first, "first_class": self.state.standings[index].class_id}
        self._record("repeat", instance_id, class_id, as_asked(asked, screen).payload | about)
        return True

    def flag(self, instance_id: str) -> None:
        """Set or take away a bookmark; answers nothing."""
        self._record("flag", self._known(instance_id))

    def keep(self, instance_id: str, *, shown: int | None = None) -> None:
        """A second look found the given label right: it is not offered again unless the label changes.

        `shown`: the class that stood before the eye.

        Raises
        ------
        GuessChanged
            The label is not the one that was `shown` any more; nothing changed.
        UsageError
            Nobody gave it a label.
        """
        standing = self.state.standings.get(self.pool.index(instance_id))
        if standing is None or standing.kind != "label":
            raise UsageError("there is no given label to keep", "press the key of its class")
        if shown is not None and shown != standing.class_id:
            raise GuessChanged("the label has changed since it was shown", "look again, ⏎ again keeps it")
        self._record("keep", instance_id, standing.class_id)

    def page(self, labels: list[tuple[str, int, str]], *, screen: str = PAGES_OF_A_CLASS) -> None:
        """A page of a grid at once: (instance_id, class_id, "confirmed" or "human"); one undo takes it back."""
        for instance_id, class_id, word in labels:
            self._known(instance_id)
            self._check_class(class_id)
            if word not in (Provenance.CONFIRMED.word, Provenance.HUMAN.word):
                raise UsageError(f"a page gives no {word!r} labels", "give confirmed or human ones")
        if labels:
            payload = {"labels": [list(item) for item in labels], "screen": screen}
            self._record("page", None, None, payload)
            if screen == PAGES_OF_A_CLASS:
                self.pacing.page_done(sum(word == Provenance.HUMAN.word for _, _, word in labels))

    def import_labels(
        self, labels: list[tuple[str, int]], origin: str, *, replace_imported: bool = False
    ) -> tuple[int, list[tuple[str, int]]]:
        """Labels from elsewhere, as one undoable event.

        Returns how many were taken, and the (instance_id, class_id) that contradict a label which stays: a person's
        always, since a person outranks an import, and one that was imported before unless `replace_imported`. A
        rejected instance stays rejected and is neither, and so is a label that is there already.
        """
        taken, conflicts = [], []
        for instance_id, class_id in labels:
            self._check_class(class_id)
            standing = self.state.standings.get(self.pool.index(instance_id))
            if standing is not None and (standing.kind == "reject" or standing.class_id == class_id):
                continue
            was_imported = standing is not None and standing.provenance is Provenance.IMPORTED
            if standing is None or standing.kind != "label" or (was_imported and replace_imported):
                taken.append([instance_id, class_id, Provenance.IMPORTED.word])
            else:
                conflicts.append((instance_id, class_id))
        if taken:
            self._record("import", None, None, {"labels": taken, "origin": origin})
        return len(taken), conflicts

    def import_predictions(self, predictions: list[tuple[str, int, float | None]], origin: str) -> None:
        """What a model elsewhere says, (instance_id, class_id, score), as one undoable event: machine labels.

        Raises
        ------
        UsageError
            No such instance or class, or a score that is none; nothing changed.
        """
        for instance_id, class_id, score in predictions:
            self._known(instance_id)
            self._check_class(class_id)
            if score is not None and not 0.0 <= score <= 1.0:
                raise UsageError(f"a score of {score:g} is none", "give one between 0 and 1")
        if predictions:
            self._record(
                "predictions", None, None, {"predictions": [list(one) for one in predictions], "origin": origin}
            )

    def follow(self, moved: list[tuple[int, int]], replaced: list[int], *, keep: bool = True) -> None:
        """The source changed: answers go from an index to where their content is now, or are set aside; undoable.

        `keep` False: for this session alone, which may not write.
        """
        pairs = [(old, self.pool.ids[new]) for old, new in moved] + [(old, None) for old in replaced]
        standings = self.state.standings
        answers = [[self.pool.ids[old], place, standings[old].event_id] for old, place in pairs if old in standings]
        if answers and keep:
            self._record("source_change", None, None, {"answers": answers})
        elif answers:
            event = Event(self._new_id(), "source_change", self._clock(), payload={"answers": answers})
            self.derived.note(self.state.apply(event))
            self._draw()
