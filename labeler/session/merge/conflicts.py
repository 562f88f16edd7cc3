"""What two people said of the same instances: what neither replaced knowingly, where they agree and where not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from labeler.core.events import Conflict, Event
from labeler.core.pool import Pool
from labeler.core.types import UNLABELED, Provenance
from labeler.session.classes import current
from labeler.session.merge.journals import Reading, folded, id_of

_WEAK = ("skip", "unsure")
"""What gives way to another person's answer."""
_PERSON = (Provenance.HUMAN, Provenance.CONFIRMED)


@dataclass(frozen=True, slots=True)
class Said:
    """What stands of one instance in one journal: a class, by the name that both journals have for it, by an event."""

    event_id: str
    kind: str
    class_name: str  # "" = of no class
    provenance: Provenance


def _at_stake(side: Reading) -> dict[int, dict[str, Said]]:
    """For every instance the answers that stand in a journal: one, or those of a conflict nobody settled."""
    state = side.state
    found: dict[int, dict[str, Said]] = {}
    for index, one in state.answers.items():
        found[index] = {
            one.event_id: Said(one.event_id, one.kind, side.names.get(one.class_id, ""), one.provenance),
        }
    for index, conflict in state.conflicts.items():
        for event_id, _, class_id in conflict.answers if state.in_conflict(index) else ():
            kind = "reject" if class_id == UNLABELED else "label"
            said = Said(event_id, kind, side.names.get(class_id, ""), Provenance.HUMAN)
            found[index].setdefault(event_id, said)
    return found


def stakes_of(first: Reading, second: Reading) -> tuple[dict[int, list[Said]], list[Said]]:
    """Instance -> the answers of both that neither replaced knowingly; and the weak ones that give way to an answer."""
    mine, theirs = _at_stake(first), _at_stake(second)
    stakes: dict[int, list[Said]] = {}
    outranked: list[Said] = []
    for index in mine.keys() | theirs.keys():
        one, other = mine.get(index, {}), theirs.get(index, {})
        joint = [said for key, said in one.items() if key in other or key not in second.known]
        joint += [said for key, said in other.items() if key not in one and key not in first.known]
        answers = [said for said in joint if said.kind not in _WEAK]
        if answers:
            outranked += [said for said in joint if said.kind in _WEAK]
        if any(said.provenance in _PERSON or said.kind == "reject" for said in answers):
            answers = [said for said in answers if said.provenance is not Provenance.IMPORTED]
        if len(answers) > 1:
            stakes[index] = answers
    return stakes, outranked


def conflict_events(
    events: Sequence[Event], stakes: dict[int, list[Said]], numbers: dict[str, int], pool: Pool
) -> list[Event]:
    """One event for every instance of which two different things are said."""
    places = {event.event_id: place for place, event in enumerate(events)}
    state = folded(events, pool)
    at = max((event.at for event in events), default=0.0)
    found = []
    for index in sorted(stakes):
        said = sorted((one for one in stakes[index] if one.event_id in places), key=lambda one: places[one.event_id])
        classes = [numbers.get(one.class_name, UNLABELED) for one in said]
        if len({current(class_id, state.classes) for class_id in classes}) > 1:
            people = [events[places[one.event_id]].annotator for one in said]
            answers = tuple(
                (one.event_id, who, class_id) for one, who, class_id in zip(said, people, classes, strict=True)
            )
            made = id_of("conflict", pool.ids[index], *sorted(one.event_id for one in said))
            found.append(Event(made, Conflict(pool.ids[index], answers), at))
    return found


def both_answered(first: Reading, second: Reading) -> list[tuple[str, str]]:
    """Classes of the instances that each of the two labeled for himself, in pool order."""
    pairs = []
    for index in sorted(first.state.answers.keys() & second.state.answers.keys()):
        one, other = first.state.answers[index], second.state.answers[index]
        alone = one.event_id not in second.known and other.event_id not in first.known
        if alone and one.provenance in _PERSON and other.provenance in _PERSON:
            pairs.append((first.names[one.class_id], second.names[other.class_id]))
    return pairs
