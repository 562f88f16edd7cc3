"""The views of the pool that a project was labeled by and that are not here: an extra was there once, not now."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from labeler.core.recipe import LEAD, PARTS, VIEWS
from labeler.core.text import display_safe
from labeler.plugins import registry


def missing_views(options: Mapping[str, Any], facts_of_rounds: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return a line where a view had a say in the labels once whose extra is not installed; else none.

    `options` are those in force: who chose an encoder or another engine chose to do without further views.
    `facts_of_rounds` are those of rounds that several views made, or that remember such a one, the last first.
    """
    chosen = any(options.get(part) for part in (*PARTS, "features"))
    if chosen or options.get("engine") not in (None, "", "default"):
        return []
    for facts in facts_of_rounds:
        for encoder in _views_of(facts):
            if extra := registry.missing_extra("encoder", encoder):
                was = display_safe(encoder, 80)
                install = f"pip install '.[{extra}]', or labels may differ"
                return [f"not all features are here that it was labeled by ({was}): {install}"]
    return []


def _views_of(facts: Mapping[str, Any]) -> list[str]:
    """Return the encoders that a round names; its facts may be of any origin."""
    views = facts.get(VIEWS)
    named = [*(views if isinstance(views, list) else []), *([facts.get("encoder")] if LEAD in facts else [])]
    return [encoder for encoder in named if isinstance(encoder, str)]
