"""The colors and what they mean; `labeler.tcss` and the phrases name the roles, never a color."""

from __future__ import annotations

from textual.theme import Theme

THEME = Theme(
    name="labeler",
    primary="#6ea8fe",
    secondary="#8a94a6",
    accent="#e0af68",
    warning="#ff9e64",
    error="#f7768e",
    success="#8fd16f",
    foreground="#d7dce5",
    background="#121416",
    surface="#1a1c20",
    panel="#2e3238",
    # greys of little saturation: where there are 256 colors they become greys, not black
    dark=True,
    variables={
        # the roles: what a color means, on every screen
        "answer": "#6ea8fe",  # keys that answer
        "command": "#e0af68",  # keys that command
        "guess": "#c39bf0",  # what the machine thinks or does
        "saved": "#8fd16f",  # what is on disk
        "quiet": "#8f99a8",  # what may be overlooked
        "warn": "#ff9e64",
        "bad": "#f7768e",
        "ground": "#1f2226",  # around pictures
    },
)
