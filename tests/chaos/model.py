"""What a journal amounts to, thought again as simply as can be: everything is copied before each command."""

from __future__ import annotations

from collections import Counter
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from labeler.core.events import Event
from labeler.core.types import UNLABELED
from labeler.session.session import Session

HUMAN, CONFIRMED, IMPORTED, NONE = "human", "confirmed", "imported", "none"


class Said(NamedTuple):
    """What a person last said of an instance; `paged`: on a page, together with others."""

    kind: str
    class_id: int = UNLABELED
    provenance: str = NONE
    paged: bool = False


@dataclass
class Stand:
    """What stands at a moment."""

    said: dict[int, Said] = field(default_factory=dict)
    classes: dict[int, list[Any]] = field(default_factory=dict)  # id -> [name, key, retired, merged into]
    flags: set[int] = field(default_factory=set)
    kept: dict[int, int] = field(default_factory=dict)  # index -> the class that a second look found right
    reaches: dict[int, float | None] = field(default_factory=dict)


class Model:
    """The stack of what stood before each command, and the journal that should be on disk."""

    def __init__(self) -> None:
        self.now = Stand()
        self.before: list[Stand] = []
        self.after: list[Stand] = []
        self.journal: list[tuple[str, str | None, int | None]] = []  # (kind, instance, class)

    def do(self, kind: str, instance: str | None = None, class_id: int | None = None) -> Stand:
        """A command that undo takes back is done: returns what to change."""
        self.journal.append((kind, instance, class_id))
        self.before.append(deepcopy(self.now))
        self.after.clear()
        return self.now

    def undo(self) -> None:
        """Everything is as it was."""
        self.after.append(self.now)
        self.now = self.before.pop()

    def redo(self) -> None:
        """Everything is as it was before that."""
        self.before.append(self.now)
        self.now = self.after.pop()

    @property
    def active(self) -> list[int]:
        """Classes that can be answered."""
        return [class_id for class_id, info in self.now.classes.items() if not info[2]]

    def label(self, index: int, name: str, class_id: int) -> None:
        """One answer."""
        self.do("label", name, class_id).said[index] = Said("label", class_id, HUMAN)

    def set_aside(self, kind: str, index: int, name: str) -> None:
        """Skipped, unsure or rejected."""
        self.do(kind, name).said[index] = Said(kind)

    def flag(self, index: int, name: str) -> None:
        """A bookmark, set or taken away."""
        self.do("flag", name).flags ^= {index}

    def takes_import(self, index: int) -> bool:
        """Whether an import changes something: a label that is there and a rejection stay."""
        return self.now.said.get(index, Said("")).kind not in ("label", "reject")

    def merge(self, gone: int, into: int) -> None:
        """One class into another."""
        stand = self.do("class_merge", None, gone)
        stand.classes[gone][1:] = ["", True, into]
        for index, said in stand.said.items():
            if said.kind == "label" and said.class_id == gone:
                stand.said[index] = said._replace(class_id=into)

    def differs(self, session: Session) -> list[str]:
        """Where a session says something else."""
        state, stand = session.state, self.now
        said = {
            index: Said(one.kind, one.class_id, one.provenance.word, one.paged) for index, one in state.answers.items()
        }
        classes = {i: [info.name, info.key, info.retired, info.merged_into] for i, info in state.classes.items()}
        pairs = {
            "said": (said, stand.said),
            "classes": (classes, stand.classes),
            "flags": (state.flagged, stand.flags),
            "kept": ({index: one.class_id for index, one in state.looks.items()}, stand.kept),
            "reaches": (list(state.clusters.reaches.items()), list(stand.reaches.items())),
            "undo": (state.undo_target() is not None, bool(self.before)),
            "redo": (state.redo_target() is not None, bool(self.after)),
        }
        return [f"{name}: {found}, not {wanted}" for name, (found, wanted) in pairs.items() if found != wanted]

    def counts_differ(self, session: Session) -> list[str]:
        """Where what screens draw counts something else."""
        view, said = session.view(), self.now.said
        kinds = Counter(one.kind for one in said.values())
        settled = kinds["label"] + kinds["unsure"] + kinds["reject"]
        pairs = {
            "given": (view.given, kinds["label"]),
            "answers": (view.answers, sum(one.provenance == HUMAN and not one.paged for one in said.values())),
            "skipped": (view.skipped, kinds["skip"]),
            "unsure": (view.unsure, kinds["unsure"]),
            "rejected": (view.rejected, kinds["reject"]),
            "flagged": (view.flagged, len(self.now.flags)),
            "open": (view.open_questions, len(session.pool) - settled),
            "asked": (view.question is None, settled == len(session.pool)),
        }
        for row in (*view.classes, *view.retired):
            for word in (HUMAN, CONFIRMED, IMPORTED):
                wanted = sum((one.class_id, one.provenance) == (row.info.class_id, word) for one in said.values())
                pairs[f"{row.info.name} {word}"] = (getattr(row, word), wanted)
        return [f"{name}: {found}, not {wanted}" for name, (found, wanted) in pairs.items() if found != wanted]

    def journal_differs(self, stored: list[Event]) -> list[str]:
        """Where the file holds something else than was done."""
        found = [(event.kind, event.instance_id, event.class_id) for event in stored]
        if found == self.journal:
            return []
        place = next((i for i, pair in enumerate(zip(found, self.journal, strict=False)) if pair[0] != pair[1]), -1)
        return [f"the journal of {len(found)} events, not {len(self.journal)}, differs from event {place + 1}"]
