"""Lines about instances that cannot be read or show nothing."""

from __future__ import annotations

from labeler.core.text import display_safe
from labeler.plugins.importers.names import counted


def unreadable_line(reasons: dict[str, str], few: int = 5) -> str:
    """Return a line that counts what cannot be read (name -> why), names a few and says what to do; safe to show."""
    names = [f"{display_safe(name, 60)} ({display_safe(why, 60)})" for name, why in list(reasons.items())[:few]]
    more = f" and {len(reasons) - few:,} more" if len(reasons) > few else ""
    return f"{len(reasons):,} cannot be read: {', '.join(names)}{more}; mend and open again, the rest goes on without"


def blank_line(names: list[str], few: int = 5) -> str:
    """Return one line that counts pictures of one single value and names the first few, safe to show."""
    lead = counted(len(names), "picture shows", "pictures show")
    more = f" and {len(names) - few:,} more" if len(names) > few else ""
    shown = ", ".join(display_safe(name, 60) for name in names[:few])
    return f"{lead} nothing, all of one value: {shown}{more}; asked like the others, X rejects"
