"""`labeler why`: what a label rests on, back to the key press."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from labeler.commands.result import Result
from labeler.core.text import counted, display_safe, unescaped
from labeler.project.open import Project
from labeler.session.provenance import Press, carried, reasons


@dataclass(frozen=True, slots=True)
class Explanation(Result):
    """The reasons of one label, as lines: the instance first, then the label and its provenance.

    `notes`: which views of the pool had no say in it, though nobody chose so.
    """

    reasons: list[str]
    notes: list[str] = field(default_factory=list)

    def lines(self) -> list[str]:
        """Return the reasons as they are."""
        return self.reasons

    def warnings(self) -> list[str]:
        """Return the notes."""
        return self.notes


def why(
    project: Project, instance_id: str, shares: Callable[[int], list[tuple[int, float]] | None] = lambda index: None
) -> Explanation:
    """Explain the label of an instance, back to the key press.

    `shares`: which answers carry the label of an index, as an engine says; None where none can be had, then the nearest
    answer is named.

    Raises
    ------
    UsageError
        The pool has no such instance.
    """
    session = project.session
    index = index_of(project, instance_id)
    instance_id = session.pool.ids[index]
    reason = reasons(session, index)
    event = f" (event {reason.press.event_id})" if reason.press is not None else ""
    lines = [display_safe(instance_id)]
    for line in (reason.heading, *reason.lines):
        lines.append(f"{line}{event}" if reason.press is not None and line == reason.press.said else line)
    # a person's label rests on their own key press: no engine is asked, which takes a while
    carriers = shares(index) if reason.is_machine else None
    if carriers:
        # a hundred answers may carry a label: the largest shares are named, the others counted
        named, more = carried(session, carriers)
        lines += [f"{100 * share:3.0f} %  {_spoken(press)}" for press, share in named]
        lines += [f"and {counted(more, 'answer')} with a smaller share"] if more else []
    elif reason.nearest is not None:
        lines.append(f"it rests most on {_spoken(reason.nearest)}")
    return Explanation(lines, project.view_notes() if reason.is_machine else [])


def index_of(project: Project, instance_id: str) -> int:
    """Return the index of an instance, by its id or as an export writes it. Raises UsageError where there is none."""
    pool = project.session.pool
    return pool.index(instance_id if instance_id in pool else unescaped(instance_id))


def _spoken(press: Press) -> str:
    how = "".join(f"; {part}" for part in (press.asked, press.guesses) if part)
    return f"{display_safe(press.instance_id)}: {press.said}{how} (event {press.event_id})"
