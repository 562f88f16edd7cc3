"""The changes of what is counted that a round brings, in words: no number falls, and no total changes, unsaid."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from labeler.core.events import Body, Reach, Setting, Split, Undo
from labeler.core.recipe import LEAD
from labeler.core.text import counted
from labeler.core.types import GIVEN, Round

SMALL = 200
"""A fall of less than one in so many instances is no news: labels come and go with every answer."""
_REACH = (Setting, Reach, Split)


def notes_of(
    before: Round | None,
    after: Round | None,
    labeled: tuple[int, int],
    events: Collection[Body],
    rules: tuple[int, int] = (0, 0),
) -> list[str]:
    """Return what to say of the round that came `after` another one; `labeled` then and now, `events` in between.

    `rules`: clusters that the person divided, and those with a percentile of their own.
    """
    if before is None or after is None:
        return []
    notes = []
    then, now = labeled
    if then - now > len(after.labels) // SMALL:
        notes.append(f"labeled fell from {then:,} to {now:,}: {_why(before, after, events)}")
    had, has = len(before.representatives), len(after.representatives)
    if had != has:
        is_split = any(isinstance(event, Split) for event in events)
        how = "a cluster was divided" if is_split else "finer clusters" if has > had else "coarser clusters"
        notes.append(f"{how}: {has:,} representatives")
    view = after.facts.get("view")
    if isinstance(view, str) and view != before.facts.get("view"):
        notes.append(view)
    return [*notes, *_of_rules(before, after, *rules)]


def _of_rules(before: Round, after: Round, n_divided: int, n_own: int) -> list[str]:
    """Say what becomes of rules of clusters where another encoder made the clusters."""
    then, now = before.facts.get("encoder"), after.facts.get("encoder")
    if then is None or now is None or then == now or not (n_divided or n_own):
        return []
    parts = []
    if n_divided:  # a division is named by a representative, which the new clusters may not have
        parts.append(f"{counted(n_divided, 'division')} of yours may be gone")
    if n_own:
        parts.append(f"{counted(n_own, 'percentile')} of a cluster's own may hold for other instances")
    return [f"other features lead, and so the clusters are others: {', '.join(parts)}"]


def _why(before: Round, after: Round, events: Collection[Body]) -> str:
    # what the person did comes first: the facts of the round only let the reason be guessed
    if any(isinstance(event, Undo) for event in events):
        return "an answer was taken back"
    if any(event.of_class for event in events) or _n_classes(after) > _n_classes(before):
        return "a class was added" if _n_classes(after) > _n_classes(before) else "the classes were changed"
    if any(isinstance(event, _REACH) for event in events):
        return "how far labels spread was changed"
    if LEAD in before.facts and LEAD not in after.facts:
        return "not all views of the pool that it was labeled by are here now"
    spread, spread_before = after.facts.get("spread"), before.facts.get("spread")
    if spread == "nothing":
        return "left-out answers say that labels do not spread here"
    if spread == "unproven":
        return "nothing spreads until left-out answers bear it out"
    if spread == "locked" and spread_before != "locked":
        return "only the surest labels spread now, as left-out answers bear out no more"
    return "the latest answers make it less sure of them"


def _n_classes(round_: Round) -> int:
    # by given labels: a person or an import names a class, the machine's labels follow
    return len(np.unique(round_.labels[np.isin(round_.provenances, GIVEN)]))
