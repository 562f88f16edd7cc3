"""Two journals into one: which events stand, in which order, in whose classes, and what the two disagree about.

The merged journal depends on the two sets of events alone, not on which comes first: `merged(a, b) == merged(b, a)`.
Where one journal knows all the other does, it is the result as it is: `merged(a, a) == a`. What either person took back
is left out, with its undo; the ids of all that is left out travel with the journal (`dropped`), so that a later merge
does not bring it back.
"""

from __future__ import annotations

import hashlib
import heapq
import json
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace

from labeler.core.pool import Pool
from labeler.core.vocabulary import UNLABELED, ClassInfo, Event, Provenance
from labeler.session.class_ids import Creations, in_classes, joint_classes
from labeler.session.classes import current, free_name
from labeler.session.keys import assign_key
from labeler.session.state import State

_WEAK = ("skip", "unsure")
"""What gives way to another person's answer."""
_PERSON = (Provenance.HUMAN, Provenance.CONFIRMED)
_NOT_CARRIED = frozenset({"audit_begin", "audit_block", "audit_end"})
"""A certificate speaks of the labels of one file as they were; it stays with that file."""


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two: its events in order, who answered where no name was given, and what merges left out before."""

    events: Sequence[Event]
    annotator: str = ""
    dropped: frozenset[str] = frozenset()

    @property
    def known(self) -> frozenset[str]:
        """Ids of all the events it has seen."""
        return frozenset(event.event_id for event in self.events) | self.dropped


@dataclass(frozen=True, slots=True)
class Said:
    """What stands of one instance in one journal: a class, by the name that both journals have for it, by an event."""

    event_id: str
    kind: str
    class_name: str  # "" = of no class
    provenance: Provenance


@dataclass(slots=True)
class Merged:
    """The journal of both, and what there is to say of it.

    `pairs`: the classes, as (first, second) person, of the instances that both answered, each for himself. `conflicts`:
    indices to settle. `keys`: class -> (name, its key in `a`, in `b`, the one it has now) where the two differ.
    `outranked`: how many "cannot tell" gave way to the other's answer.
    """

    events: list[Event]
    dropped: frozenset[str]
    pairs: list[tuple[str, str]] = field(default_factory=list)
    conflicts: list[int] = field(default_factory=list)
    keys: list[tuple[str, str, str, str]] = field(default_factory=list)
    renamed: list[tuple[str, str]] = field(default_factory=list)
    outranked: int = 0


class _Reading:
    """One side, folded: its classes and what was taken back."""

    def __init__(self, side: Side, pool: Pool) -> None:
        self.side, self.known = side, side.known
        self.ids = frozenset(event.event_id for event in side.events)
        self.state = State(pool)
        self.flags: dict[str, bool] = {}  # event -> whether it set the bookmark
        for event in side.events:
            self.state.apply(event)
            if event.kind == "flag":
                self.flags[event.event_id] = pool.index(event.instance_id or "") in self.state.flagged
        self.creations = Creations.of(side.events)
        self.names: dict[int, str] = {}  # class id -> what both journals call it, once that is known
        self._moves: dict[str, set[str]] = {}
        for event in side.events:
            if event.kind in ("undo", "redo") and event.target is not None:
                self._moves.setdefault(event.target, set()).add(event.event_id)
        undone = {event.target for event in side.events if event.kind == "undo" and event.target is not None}
        self.gone = {event_id for event_id in undone if self.state.event(event_id) is None}

    def moves(self, event_id: str) -> set[str]:
        """The undos and redos of an event."""
        return self._moves.get(event_id, set())

    def kept(self, dropped: Collection[str]) -> list[Event]:
        """What goes into the merged journal."""
        return [event for event in self.side.events if event.event_id not in dropped and event.kind != "conflict"]


def merged(a: Side, b: Side, pool: Pool) -> Merged:
    """Merge two journals over one pool that holds the instances of both.

    Raises
    ------
    ProjectError
        A journal holds what this version does not know.
    """
    first, second = _Reading(a, pool), _Reading(b, pool)
    first.names, second.names = joint_classes(
        first.creations, first.state.classes, second.creations, second.state.classes
    )
    whole = _one_that_knows_all(a, b)
    if whole is not None:
        result = Merged(list(whole.events), a.dropped | b.dropped)
    else:
        result = _united(first, second, pool)
    result.pairs = _both_answered(first, second)
    state = folded(result.events, pool)
    result.conflicts = [index for index in state.conflicts if state.in_conflict(index)]
    _compare_classes(result, state, (first, second))
    return result


def folded(events: Iterable[Event], pool: Pool) -> State:
    """What a journal amounts to."""
    state = State(pool)
    for event in events:
        state.apply(event)
    return state


def _one_that_knows_all(a: Side, b: Side) -> Side | None:
    """The side that holds everything the other does; of two equal ones the one whose text is less."""
    able = []
    for whole, part in ((a, b), (b, a)):
        ids = {event.event_id for event in whole.events}
        if {event.event_id for event in part.events} <= ids | whole.dropped and not part.dropped & ids:
            able.append(whole)
    return min(able, key=lambda side: [_text(event) for event in side.events], default=None)


# -- the union ---------------------------------------------------------------------------------------------------


def _united(first: _Reading, second: _Reading, pool: Pool) -> Merged:
    sides = (first, second)
    stakes, outranked = _stakes(first, second)
    dropped = first.side.dropped | second.side.dropped | _taken_back(first, second) | _left_out(sides)
    dropped |= {said.event_id for said in outranked}
    while made := dropped & _creations_in_use(sides, dropped):  # one took back what the other goes on with
        dropped -= made
    order = list(_in_order(first.kept(dropped), second.kept(dropped)))
    numbers: dict[str, int] = {}
    for event_id in order:  # the classes are numbered as they were first named
        for side in sides:
            if event_id in side.creations.class_of:
                numbers.setdefault(side.names[side.creations.class_of[event_id]], len(numbers))
    versions: dict[str, list[Event]] = {}
    for side, other in (sides, sides[::-1]):
        lookup = {class_id: numbers[name] for class_id, name in side.names.items() if name in numbers}
        for event in side.kept(dropped):
            who = event.annotator or ("" if event.event_id in other.known else side.side.annotator)
            versions.setdefault(event.event_id, []).append(in_classes(replace(event, annotator=who, seq=0), lookup))
    events = [max(versions[event_id], key=lambda event: (bool(event.annotator), _text(event))) for event_id in order]
    useless = _useless_flags(events, sides)
    events = [event for event in events if event.event_id not in useless]
    events += _mended(events, pool)
    events += _conflicts(events, stakes, numbers, pool)
    events = [replace(event, seq=place) for place, event in enumerate(events, start=1)]
    dropped = (dropped | useless) - {event.event_id for event in events}
    return Merged(events, frozenset(dropped), outranked=sum(said.kind == "unsure" for said in outranked))


def _left_out(sides: Iterable[_Reading]) -> set[str]:
    """Undos and redos, whose outcome is known, and what is about one file alone."""
    kinds = ("undo", "redo", *_NOT_CARRIED)
    return {event.event_id for side in sides for event in side.side.events if event.kind in kinds}


def _taken_back(first: _Reading, second: _Reading) -> set[str]:
    """Events that were taken back; where the two differ, the side that knows more undos and redos of it decides."""
    gone = set()
    for event_id in first.gone | second.gone:
        moves = first.moves(event_id), second.moves(event_id)
        if moves[0] > moves[1]:
            taken = event_id in first.gone
        elif moves[1] > moves[0]:
            taken = event_id in second.gone
        else:
            taken = True
        if taken:
            gone.add(event_id)
    return gone


def _creations_in_use(sides: Iterable[_Reading], dropped: Collection[str]) -> set[str]:
    """The events that made classes of which anything that is kept speaks."""
    sides = tuple(sides)
    used: set[str] = set()
    for side in sides:
        used |= {side.names[class_id] for event in side.kept(dropped) for class_id in _speaks_of(event)}
    return {
        event_id
        for side in sides
        for event_id, class_id in side.creations.class_of.items()
        if side.names[class_id] in used
    }


def _speaks_of(event: Event) -> Iterator[int]:
    if event.class_id is not None:
        yield event.class_id
    if "first_class" in event.payload:
        yield int(event.payload["first_class"])
    for name in ("into", "from"):
        if name in event.payload and event.kind.startswith("class_"):
            yield int(event.payload[name])
    if event.kind in ("page", "audit_page", "import"):
        yield from (int(class_id) for _, class_id, _ in event.payload["labels"])


def _in_order(*chains: Sequence[Event]) -> Iterator[str]:
    """Event ids by (time, id), but never against the order of a journal, whatever its clock said meanwhile."""
    after: dict[str, list[Event]] = {}
    waits: dict[str, int] = {}
    by_id: dict[str, Event] = {}
    for chain in chains:
        for place, event in enumerate(chain):
            following = chain[place + 1] if place + 1 < len(chain) else None
            by_id.setdefault(event.event_id, event)
            waits.setdefault(event.event_id, 0)
            if following is not None:
                after.setdefault(event.event_id, []).append(following)
                waits[following.event_id] = waits.get(following.event_id, 0) + 1
    heap = [(event.at, event_id) for event_id, event in by_id.items() if not waits[event_id]]
    heapq.heapify(heap)
    done: set[str] = set()
    while len(done) < len(by_id):
        if not heap:  # earlier merges ordered some the other way round: the earliest first
            heap = [min((event.at, event_id) for event_id, event in by_id.items() if event_id not in done)]
        _, event_id = heapq.heappop(heap)
        if event_id in done:
            continue
        done.add(event_id)
        yield event_id
        for following in after.get(event_id, ()):
            waits[following.event_id] -= 1
            if not waits[following.event_id] and following.event_id not in done:
                heapq.heappush(heap, (following.at, following.event_id))


def _useless_flags(events: Iterable[Event], sides: Sequence[_Reading]) -> set[str]:
    """A bookmark is a toggle: one that two people set is set once."""
    flagged: set[str] = set()
    useless = set()
    for event in events:
        if event.kind != "flag" or event.instance_id is None:
            continue
        wanted = any(side.flags.get(event.event_id, False) for side in sides)
        if wanted == (event.instance_id in flagged):
            useless.add(event.event_id)
        else:
            flagged ^= {event.instance_id}
    return useless


# -- answers -----------------------------------------------------------------------------------------------------


def _at_stake(side: _Reading) -> dict[int, dict[str, Said]]:
    """For every instance the answers that stand in a journal: one, or those of a conflict nobody settled."""
    state = side.state
    found: dict[int, dict[str, Said]] = {}
    for index, one in state.standings.items():
        found[index] = {
            one.event_id: Said(one.event_id, one.kind, side.names.get(one.class_id, ""), one.provenance),
        }
    for index, conflict in state.conflicts.items():
        for event_id, _, class_id in conflict.answers if state.in_conflict(index) else ():
            kind = "reject" if class_id == UNLABELED else "label"
            said = Said(event_id, kind, side.names.get(class_id, ""), Provenance.HUMAN)
            found[index].setdefault(event_id, said)
    return found


def _stakes(first: _Reading, second: _Reading) -> tuple[dict[int, list[Said]], list[Said]]:
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


def _conflicts(
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
            answers = [[one.event_id, who, class_id] for one, who, class_id in zip(said, people, classes, strict=True)]
            made = _id_of("conflict", pool.ids[index], *sorted(one.event_id for one in said))
            found.append(Event(made, "conflict", at, "", pool.ids[index], payload={"answers": answers}))
    return found


def _both_answered(first: _Reading, second: _Reading) -> list[tuple[str, str]]:
    """Classes of the instances that each of the two labeled for himself, in pool order."""
    pairs = []
    for index in sorted(first.state.standings.keys() & second.state.standings.keys()):
        one, other = first.state.standings[index], second.state.standings[index]
        alone = one.event_id not in second.known and other.event_id not in first.known
        if alone and one.provenance in _PERSON and other.provenance in _PERSON:
            pairs.append((first.names[one.class_id], second.names[other.class_id]))
    return pairs


# -- classes -----------------------------------------------------------------------------------------------------


def _mended(events: Sequence[Event], pool: Pool) -> list[Event]:
    """Events that give classes of one name or key another one: the class that was named first keeps what it has."""
    state = folded(events, pool)
    names: set[str] = set()
    keys: set[str] = set()
    active = sorted(state.active_classes(), key=lambda info: info.class_id)
    held = {info.key for info in active}
    found = []
    at = max((event.at for event in events), default=0.0)

    def mend(kind: str, info: ClassInfo, payload: dict[str, str]) -> None:
        made = _id_of(kind, str(info.class_id), json.dumps(payload), *(event.event_id for event in events))
        found.append(Event(made, kind, at, class_id=info.class_id, payload={**payload, "setup": True}))

    for info in active:
        name, key = free_name(info.name, names), info.key
        if key and key in keys:
            key = assign_key(name, held)
            held.add(key)
        if name != info.name:
            mend("class_rename", info, {"name": name})
        if key != info.key:
            mend("class_key", info, {"key": key})
        names.add(name)
        keys.add(key)
    return found


def _compare_classes(result: Merged, state: State, sides: tuple[_Reading, _Reading]) -> None:
    """Note the classes whose keys or names the two have differently."""
    creations = Creations.of(result.events)
    for info in state.active_classes():
        own = [_counterpart(info.class_id, creations, side) for side in sides]
        if own[0] is not None and own[1] is not None:
            if own[0].key != own[1].key and not (own[0].retired or own[1].retired):
                result.keys.append((info.name, own[0].key, own[1].key, info.key))
        else:
            single = own[0] or own[1]
            if single is not None and not single.retired and single.key != info.key:
                result.keys.append((info.name, own[0].key if own[0] else "", own[1].key if own[1] else "", info.key))
        result.renamed += [(one.name, info.name) for one in own if one is not None and one.name != info.name]


def _counterpart(class_id: int, creations: Creations, side: _Reading) -> ClassInfo | None:
    """The class of one side that became `class_id`; None where it had none."""
    for event_id, number in creations.class_of.items():
        if number == class_id and event_id in side.creations.class_of:
            return side.state.classes.get(side.creations.class_of[event_id])
    return None


def _text(event: Event) -> str:
    return json.dumps(asdict(replace(event, seq=0)), sort_keys=True)


def _id_of(*parts: str) -> str:
    """An id that follows from what the event is about: merging again makes the same one."""
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogateescape")).hexdigest()[:32]


def same_events(one: Collection[Event], other: Collection[Event]) -> bool:
    """Whether two journals are the same, event for event."""
    return [_text(event) for event in one] == [_text(event) for event in other]
