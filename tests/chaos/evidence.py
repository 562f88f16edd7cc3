"""What was acknowledged against what is stored: the one question after every kill."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import NamedTuple

from labeler.core.errors import LabelerError
from labeler.core.events import Event
from labeler.core.pool import Pool
from labeler.session.session import Session
from labeler.store import seals
from labeler.store.store import Store


class Ack(NamedTuple):
    """A line of the side pipe: the event was committed before it was written."""

    seq: int
    event_id: str
    kind: str
    instance_id: str | None
    class_id: int | None


def acknowledged(said: bytes) -> list[Ack]:
    """The whole lines of a side pipe that are acknowledgements; a killed writer may leave half a line."""
    lines = said.split(b"\n")[:-1]
    return [Ack(*json.loads(line)) for line in lines if line.startswith(b"[")]


def ack_of(event: Event) -> Ack:
    """What an event's acknowledgement says."""
    return Ack(event.seq, event.event_id, event.kind, event.instance_id, event.class_id)


def examine(project: Path, acks: list[Ack], n_kills: int) -> list[str]:
    """Open a project whose writer died, and say what is wrong with it; nothing, it is hoped.

    Every acknowledged event is there at its place and in its order, none twice; at most one a kill is there that was
    not acknowledged yet; SQLite and the seals find nothing; the journal folds; one file is left afterwards.
    """
    try:
        store = Store.open(project)
    except LabelerError as error:
        return [f"it does not open: {error.message}"]
    try:
        stored = list(store.replay())
        ids = store.instance_ids()
        Session(Pool(ids), store, clock=lambda: 0.0, new_id=lambda: "never")
        notes = store.notes
    except LabelerError as error:
        return [f"it does not read: {error.message}"]
    finally:
        store.close()
    return compare(stored, acks, n_kills) + notes + inspect(project) + left_beside(project)


def compare(stored: list[Event], acks: list[Ack], n_kills: int) -> list[str]:
    """Acknowledged events that are lost, changed, doubled or out of order."""
    found = [ack_of(event) for event in stored]
    wrong = [f"acknowledged and lost or changed: {ack}" for ack in acks if found[ack.seq - 1 : ack.seq] != [ack]]
    if len({one.event_id for one in found}) != len(found):
        wrong.append("an event is stored twice")
    if [one.seq for one in found] != list(range(1, len(found) + 1)):
        wrong.append("the order has gaps")
    if [ack.seq for ack in acks] != sorted({ack.seq for ack in acks}):
        wrong.append("acknowledged out of order")
    unsaid = len(found) - len(acks)
    if unsaid > n_kills:
        wrong.append(f"{unsaid} events are stored that nobody acknowledged, after {n_kills} kills")
    return wrong


def inspect(project: Path) -> list[str]:
    """What SQLite and the seals find wrong with a closed project file."""
    connection = sqlite3.connect(f"file:{project}?mode=ro", uri=True)
    try:
        verdict = connection.execute("PRAGMA integrity_check").fetchall()
        return [str(row[0]) for row in verdict if row[0] != "ok"] + seals.damaged(connection)
    finally:
        connection.close()


def left_beside(project: Path) -> list[str]:
    """Files of the project's that should be gone once it is closed."""
    beside = [path.name for path in project.parent.glob(f"{project.name}-*")]
    beside += [path.name for path in project.parent.glob(f"{project.name}.lock")]
    return [f"left behind: {name}" for name in beside]
