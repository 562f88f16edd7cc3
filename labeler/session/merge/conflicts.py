"""Answers of two people to the same instances: those that neither replaced knowingly, and where they differ."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from labeler.core.events import Conflict, Event
from labeler.core.pool import Pool
from labeler.core.types import UNLABELED, Provenance
from labeler.session.classes import current
from labeler.session.merge.journals import JournalSide, derive_id, fold_journal

_WEAK = ("skip", "unsure")
"""Kinds that give way to another person's answer: they say nothing of the class."""
_PERSON = (Provenance.HUMAN, Provenance.CONFIRMED)


@dataclass(frozen=True, slots=True)
class NamedAnswer:
    """An answer that stands in one journal: its class by the name that both journals have for it, and its event."""

    event_id: str
    kind: str
    class_name: str  # "" = of no class
    provenance: Provenance


def _answers_by_event(side: JournalSide) -> dict[int, dict[str, NamedAnswer]]:
    """Return index -> the answers that stand in a journal, by event: one, or those of a conflict nobody settled."""
    state = side.state
    answers: dict[int, dict[str, NamedAnswer]] = {}
    for index, answer in state.answers.items():
        class_name = side.names.get(answer.class_id, "")
        named = NamedAnswer(answer.event_id, answer.kind, class_name, answer.provenance)
        answers[index] = {answer.event_id: named}
    for index, conflict in state.conflicts.items():
        for event_id, _, class_id in conflict.answers if state.in_conflict(index) else ():
            kind = "reject" if class_id == UNLABELED else "label"
            named = NamedAnswer(event_id, kind, side.names.get(class_id, ""), Provenance.HUMAN)
            answers[index].setdefault(event_id, named)
    return answers


def answers_at_stake(first: JournalSide, second: JournalSide) -> tuple[dict[int, list[NamedAnswer]], list[NamedAnswer]]:
    """Return instance -> the answers of both that neither replaced knowingly, and the weak ones that give way."""
    by_side = _answers_by_event(first), _answers_by_event(second)
    stakes: dict[int, list[NamedAnswer]] = {}
    outranked: list[NamedAnswer] = []
    for index in by_side[0].keys() | by_side[1].keys():
        firsts, seconds = (answers.get(index, {}) for answers in by_side)
        # who knew an event of the other and does not hold it as an answer has replaced it
        joint = [answer for key, answer in firsts.items() if key in seconds or key not in second.known]
        joint += [answer for key, answer in seconds.items() if key not in firsts and key not in first.known]
        answers = [answer for answer in joint if answer.kind not in _WEAK]
        if answers:
            outranked += [answer for answer in joint if answer.kind in _WEAK]
        # two imports may differ, too; but nobody is asked about one where a person has answered
        if any(answer.provenance in _PERSON or answer.kind == "reject" for answer in answers):
            answers = [answer for answer in answers if answer.provenance is not Provenance.IMPORTED]
        if len(answers) > 1:
            stakes[index] = answers
    return stakes, outranked


def make_conflicts(
    events: Sequence[Event], stakes: dict[int, list[NamedAnswer]], numbers: dict[str, int], pool: Pool
) -> list[Event]:
    """Return one event for every instance of which two different things are said."""
    places = {event.event_id: place for place, event in enumerate(events)}
    state = fold_journal(events, pool)
    # not the time of the merge: the same two journals, merged anywhere, give the same events
    at = max((event.at for event in events), default=0.0)
    conflicts = []
    for index in sorted(stakes):
        answers = [answer for answer in stakes[index] if answer.event_id in places]
        answers.sort(key=lambda answer: places[answer.event_id])
        classes = [numbers.get(answer.class_name, UNLABELED) for answer in answers]
        if len({current(class_id, state.classes) for class_id in classes}) > 1:
            rows = tuple(
                (answer.event_id, events[places[answer.event_id]].annotator, class_id)
                for answer, class_id in zip(answers, classes, strict=True)
            )
            event_id = derive_id(Conflict.kind, pool.ids[index], *sorted(answer.event_id for answer in answers))
            conflicts.append(Event(event_id, Conflict(pool.ids[index], rows), at))
    return conflicts


def pair_answers(first: JournalSide, second: JournalSide) -> list[tuple[str, str]]:
    """Return the classes of the instances that each of the two labeled for himself, in pool order."""
    pairs = []
    for index in sorted(first.state.answers.keys() & second.state.answers.keys()):
        one, other = first.state.answers[index], second.state.answers[index]
        # an answer that the other had before the eyes says nothing of agreement
        alone = one.event_id not in second.known and other.event_id not in first.known
        if alone and one.provenance in _PERSON and other.provenance in _PERSON:
            pairs.append((first.names[one.class_id], second.names[other.class_id]))
    return pairs
