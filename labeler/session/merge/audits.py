"""Audits of the files that were merged: they stay behind, and what was answered in them stays answered.

A certificate speaks of the labels of one file as they were frozen there; merged labels are others. So a merged journal
holds the answers alone, and says whose they were. Older versions took the audits along in ``audit_carried`` events: a
journal that holds one is read, and the next merge leaves it behind as well.
"""

from __future__ import annotations

from labeler.core.events import Event, Label, Page, Reject, Unsure
from labeler.session.state import State

AUDIT_ANEW = "audit it anew; the originals keep their certificates"
_ANSWERS = (Label, Unsure, Reject, Page)
"""What an answer of an audit is in a merged journal: see :func:`labeler.session.merge.class_ids.in_classes`."""
_RULE, _PAGES = "audit", "audit-pages"
"""By which rule a single look was drawn, and the screen of a page: that much of an audit stays with its answers."""


def earlier_auditors(state: State) -> list[str]:
    """The people who answered audits in files that were merged into this one, in order of their names."""
    # by the answers themselves: they are in every later merge, where the audit is not
    names = {event.annotator for kind in _ANSWERS for event in state.standing_events(kind) if _is_of_audit(event)}
    return sorted(names or {record.annotator for record in state.audits.carried})


def _is_of_audit(event: Event) -> bool:
    asked = event.body.asked if isinstance(event.body, _ANSWERS) else None
    return asked is not None and (asked.rule == _RULE or asked.screen == _PAGES)
