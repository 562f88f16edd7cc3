"""The keys of an audit, one by one or in pages: it is blind, leaves none out, and takes back no more than its own."""

from __future__ import annotations

from labeler.core.errors import UsageError
from labeler.core.events import Event
from labeler.ui.actions import Actions, back, says
from labeler.ui.screens.base import LabelScreen

ACTIONS: Actions = {
    "skip": says(
        "no skipping",
        "an audit leaves none out: U if you cannot tell",
        speaks_of_instance=False,
        in_footer=False,
        leads_notice=True,
        refusal="an audit leaves none out, or the hard ones would be missing: U if you cannot tell",
    ),
    "unsure": says(help="cannot tell: its label counts as wrong"),
    "why": says(
        "not now",
        "an audit is blind: its label is shown on other screens",
        refusal="an audit is blind: its label is shown after the answer, on other screens",
    ),
    "audit": back("back to the questions", before="help"),
    **dict.fromkeys(("similar", "search", "percentile")),  # they lead to where labels are shown
}


def undo(screen: LabelScreen) -> None:
    """Take back what was said since the audit began, no more."""
    session = screen.labeler.project.session
    screen.labeler.command(
        lambda: _is_within(screen, session.state.undo_target()) and session.undo(), screen.moved_in_time
    )


def redo(screen: LabelScreen) -> None:
    """Bring back what was said since the audit began."""
    session = screen.labeler.project.session
    screen.labeler.command(
        lambda: _is_within(screen, session.state.redo_target()) and session.redo(), screen.moved_in_time
    )


def _is_within(screen: LabelScreen, event: Event | None) -> bool:
    audit = screen.labeler.project.session.audit.latest
    # what is older belongs to the labels that the audit froze
    if event is None or audit is None or event.seq < audit.seq:
        raise UsageError("nothing of this audit is left to take back or bring back", "E leads to the questions")
    return True
