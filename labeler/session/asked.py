"""Names of the places where a question is asked, as the event of its answer keeps them."""

from __future__ import annotations

QUESTION = "question"
"""The screen of the pinned question."""
PYTHON = "python"
"""A script or a notebook that is handed the pinned question."""
ASKING = frozenset({QUESTION, PYTHON})
"""Where the pinned question is asked: what is said there answers it as it was asked. Elsewhere a person chose."""
