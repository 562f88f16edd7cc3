"""Lines about instances that cannot be read or show nothing."""

from __future__ import annotations

from labeler.core.text import counted, display_safe


def blank_line(names: list[str], few: int = 5) -> str:
    """Return one line that counts pictures of one single value and names the first few, safe to show."""
    lead = counted(len(names), "picture shows", "pictures show")
    more = f" and {len(names) - few:,} more" if len(names) > few else ""
    shown = ", ".join(display_safe(name, 60) for name in names[:few])
    return f"{lead} nothing, all of one value: {shown}{more}; asked like the others, X rejects"
