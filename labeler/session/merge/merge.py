"""Two journals into one: which events stand, in which order, in whose classes, and what the two disagree about.

The merged journal depends on the two sets of events alone, not on which comes first: `merge_journals(a, b)` is
`merge_journals(b, a)`. Where one journal knows all the other does, it is the result as it is: `merge_journals(a, a)` is
`a`. What either person took back is left out, with its undo; the ids of all that is left out travel with the journal
(`dropped`), so that a later merge does not bring it back.
"""

from __future__ import annotations

import heapq
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from labeler.core.events import AuditCarried, Event, Flag, Merge
from labeler.core.pool import Pool
from labeler.session.merge.class_ids import join_classes, translate_classes
from labeler.session.merge.classes import KeyChange, compare_classes, settle_clashes
from labeler.session.merge.conflicts import answers_at_stake, make_conflicts, pair_answers
from labeler.session.merge.journals import JournalSide, Side, event_text, fold_journal


@dataclass(slots=True)
class MergedJournal:
    """The journal of both, and what there is to say of it.

    `pairs`: the classes, as (first, second) person, of the instances that both answered, each for himself. `conflicts`:
    indices to settle. `keys`: class -> (name, its key in `a`, in `b`, the one it has now) where the two differ.
    `outranked`: how many "cannot tell" gave way to the other's answer.
    """

    events: list[Event]
    dropped: frozenset[str]
    pairs: list[tuple[str, str]] = field(default_factory=list)
    conflicts: list[int] = field(default_factory=list)
    keys: list[KeyChange] = field(default_factory=list)
    renamed: list[tuple[str, str]] = field(default_factory=list)
    outranked: int = 0


def merge_journals(a: Side, b: Side, pool: Pool) -> MergedJournal:
    """Merge two journals over one pool that holds the instances of both.

    Raises
    ------
    ProjectError
        A journal holds what this version does not know.
    """
    first, second = JournalSide(a, pool), JournalSide(b, pool)
    first.names, second.names = join_classes(
        first.creations, first.state.classes, second.creations, second.state.classes
    )
    whole = _find_complete(a, b)
    if whole is not None:
        result = _without_carried(whole, a.dropped | b.dropped)
    else:
        result = _unite(first, second, pool)
    result.pairs = pair_answers(first, second)
    state = fold_journal(result.events, pool)
    result.conflicts = [index for index in state.conflicts if state.in_conflict(index)]
    result.keys, result.renamed = compare_classes(result.events, state, (first, second))
    return result


def _find_complete(a: Side, b: Side) -> Side | None:
    """The side that holds everything the other does; of two equal ones the one whose text is less."""
    able = []
    for whole, part in ((a, b), (b, a)):
        ids = {event.event_id for event in whole.events}
        # what the part left out knowingly must not be in the whole: it would come back by the merge
        if {event.event_id for event in part.events} <= ids | whole.dropped and not part.dropped & ids:
            able.append(whole)
    return min(able, key=lambda side: [event_text(event) for event in side.events], default=None)


def _without_carried(whole: Side, dropped: frozenset[str]) -> MergedJournal:
    """The journal that knows all, but for audits of other files that older versions took along."""
    carried = {event.event_id for event in whole.events if isinstance(event.body, AuditCarried)}
    if not carried:
        return MergedJournal(list(whole.events), dropped)
    events = [event for event in whole.events if event.event_id not in carried]
    return MergedJournal([replace(event, seq=place) for place, event in enumerate(events, start=1)], dropped | carried)


# -- the union ---------------------------------------------------------------------------------------------------


def _unite(first: JournalSide, second: JournalSide, pool: Pool) -> MergedJournal:
    sides = (first, second)
    stakes, outranked = answers_at_stake(first, second)
    dropped = first.dropped | second.dropped | _find_taken_back(first, second) | _find_left_out(sides)
    dropped |= {answer.event_id for answer in outranked}
    # one took a class back that the other goes on with; what speaks of it may speak of others: until all is there
    while in_use := dropped & _creations_in_use(sides, dropped):
        dropped -= in_use
    order = list(_interleave(first.without(dropped), second.without(dropped)))
    numbers = _number_classes(order, sides)
    events = _choose_versions(order, sides, dropped, numbers)
    useless = _find_useless_flags(events, sides)
    events = [event for event in events if event.event_id not in useless]
    events += settle_clashes(events, pool)
    events += make_conflicts(events, stakes, numbers, pool)
    events = [replace(event, seq=place) for place, event in enumerate(events, start=1)]
    dropped = (dropped | useless) - {event.event_id for event in events}
    return MergedJournal(events, frozenset(dropped), outranked=sum(answer.kind == "unsure" for answer in outranked))


def _number_classes(order: Iterable[str], sides: Iterable[JournalSide]) -> dict[str, int]:
    """Return joint name -> class id: the classes are numbered as they were first named."""
    numbers: dict[str, int] = {}
    for event_id in order:
        for side in sides:
            if event_id in side.creations.class_of:
                numbers.setdefault(side.names[side.creations.class_of[event_id]], len(numbers))
    return numbers


def _choose_versions(
    order: Iterable[str], sides: tuple[JournalSide, JournalSide], dropped: Collection[str], numbers: dict[str, int]
) -> list[Event]:
    """Return the events in their order and in the joint classes; of one that both hold, the version that names more."""
    versions: dict[str, list[Event]] = {}
    for side, other in (sides, sides[::-1]):
        lookup = {class_id: numbers[name] for class_id, name in side.names.items() if name in numbers}
        for event in side.without(dropped):
            # who gave no name is called by the file; not where both files hold the event, for then it may be of either
            who = event.annotator or ("" if event.event_id in other.known else side.annotator)
            version = translate_classes(replace(event, annotator=who, seq=0), lookup)
            versions.setdefault(event.event_id, []).append(version)
    # by its text where both name somebody: any choice will do that does not depend on which side comes first
    return [max(versions[name], key=lambda event: (bool(event.annotator), event_text(event))) for name in order]


def _find_left_out(sides: Iterable[JournalSide]) -> set[str]:
    """Undos and redos, whose outcome is known, what is about one file alone, and what is made anew."""
    events = [event for side in sides for event in side.events]
    return {event.event_id for event in events if event.body.merge is not Merge.TAKEN}


def _find_taken_back(first: JournalSide, second: JournalSide) -> set[str]:
    """Events that were taken back; where the two differ, the side that knows more undos and redos of it decides."""
    taken_back = set()
    for event_id in first.taken_back | second.taken_back:
        moves = first.moves(event_id), second.moves(event_id)
        if moves[0] > moves[1]:
            taken = event_id in first.taken_back
        elif moves[1] > moves[0]:
            taken = event_id in second.taken_back
        else:  # neither knows more: what one took back knowingly is not to come back by the other
            taken = True
        if taken:
            taken_back.add(event_id)
    return taken_back


def _creations_in_use(sides: Iterable[JournalSide], dropped: Collection[str]) -> set[str]:
    """The events that made classes of which anything that is kept speaks."""
    sides = tuple(sides)
    used: set[str] = set()
    for side in sides:
        used |= {side.names[class_id] for event in side.without(dropped) for class_id in event.body.merged().names()}
    return {
        event_id
        for side in sides
        for event_id, class_id in side.creations.class_of.items()
        if side.names[class_id] in used
    }


def _interleave(*chains: Sequence[Event]) -> Iterator[str]:
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


def _find_useless_flags(events: Iterable[Event], sides: Sequence[JournalSide]) -> set[str]:
    """A bookmark is a toggle: one that two people set is set once."""
    flagged: set[str] = set()
    useless = set()
    for event in events:
        if not isinstance(event.body, Flag):
            continue
        wanted = any(side.flags.get(event.event_id, False) for side in sides)
        if wanted == (event.body.instance_id in flagged):
            useless.add(event.event_id)
        else:
            flagged ^= {event.body.instance_id}
    return useless


def is_same_journal(one: Collection[Event], other: Collection[Event]) -> bool:
    """Whether two journals are the same, event for event."""
    return [event_text(event) for event in one] == [event_text(event) for event in other]
