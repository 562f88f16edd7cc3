"""The kinds of events, and what is true of each."""

from __future__ import annotations

from labeler.core.types import Event
from labeler.session.classes import CLASS_KINDS

GIVES_LABELS = frozenset({"label", "page", "import"})
CARRIED = "audit_carried"
"""The kind of an event in which older versions kept the audits of a merged file: read, and never made."""
NO_KEYS = frozenset({"import", "predictions", "setting", "audit_begin", "audit_block", "source_change", CARRIED})
ANSWERS = frozenset({"label", "unsure", "reject", "page", "repeat"})
"""Events a person takes time over: their times make the pace."""
PAGES = ("page", "audit_page")
AUDITED = ("audit_answer", "audit_page")
UNDOABLE = CLASS_KINDS | {
    "label",
    "skip",
    "unsure",
    "reject",
    "flag",
    "page",
    "import",
    "predictions",
    "keep",
    "reach",
    "split",
    "audit_answer",
    "audit_page",
    "audit_end",
    "repeat",
    "source_change",
}


def keys_of(event: Event) -> int:
    """How many keys a person pressed for it: as a screen counted them, else one, and one an exception on a page."""
    if event.kind in NO_KEYS or event.payload.get("setup"):
        return 0
    if "keys" in event.payload:
        return int(event.payload["keys"])
    exceptions = [word for _, _, word in event.payload["labels"] if word == "human"] if event.kind in PAGES else []
    return 1 + len(exceptions) + int(event.payload.get("marked", 0))
