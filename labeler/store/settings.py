"""Settings that a project remembers, key by key, and what each may hold, in one place for whoever reads them."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Callable, Mapping
from typing import Any

Check = Callable[[Any], bool]


def is_number(value: Any) -> bool:
    """Whether it is an int or float, not a truth value."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_whole(value: Any) -> bool:
    return type(value) is int


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and len(value) <= 100_000


def _is_path(value: Any) -> bool:
    """A text that a system call takes as a path."""
    if not _is_text(value) or not value or "\0" in value:
        return False
    try:
        os.fsencode(value)
    except UnicodeEncodeError:
        return False
    return True


def _is_time(value: Any) -> bool:
    """Seconds since 1970 of any clock, however wrong: nothing but a note rests on it."""
    return is_number(value) and math.isfinite(value)


def _is_names(value: Any) -> bool:
    return isinstance(value, list) and all(map(_is_text, value))


def _has(required: Mapping[str, Check], more: Mapping[str, Check] | None = None) -> Check:
    """Check an object: the keys it must have, and those it may have; others are of a newer version, and are left."""
    known = {**required, **(more or {})}

    def check(value: Any) -> bool:
        if not isinstance(value, dict) or not required.keys() <= value.keys():
            return False
        return all(check(value[name]) for name, check in known.items() if name in value)

    return check


def _or_none(check: Check) -> Check:
    return lambda value: value is None or check(value)


_SPAN = r"-?[0-9.]{1,30}(?:e[+-]?[0-9]{1,3})?:-?[0-9.]{1,30}(?:e[+-]?[0-9]{1,3})?"
_RANGE = re.compile(rf"{_SPAN}|auto|auto (?:-|{_SPAN}),(?:-|{_SPAN})", re.IGNORECASE)
"""What is black and white: as a person gave it, or as the data of whole numbers and of fractions suggested."""

OPTIONS: dict[str, Check] = {
    **dict.fromkeys(("engine", "encoder", "clusterer", "classifier", "strategy"), _is_text),
    **dict.fromkeys(("text", "annotator", "keys", "images"), _is_text),
    "features": _is_path,
    "range": lambda value: _is_text(value) and _RANGE.fullmatch(value) is not None,
    "pages": lambda value: isinstance(value, bool),
    "n_clusters": lambda value: _is_whole(value) and 0 < value < 2**31,
    "seed": lambda value: _is_whole(value) and 0 <= value < 2**32,
    "percentile": lambda value: value == "auto" or (is_number(value) and 0 <= value <= 100),
    "classes": _is_names,
    # as options.check
    **dict.fromkeys(("control", "repeats", "blind"), lambda value: is_number(value) and 0 <= value <= 0.5),
}
"""The options, by their names in :class:`labeler.project.options.Options`."""

KEYS: dict[str, Check] = {
    "source": _has({"path": _is_path, "relative": _is_path}),
    "options": _has({}, OPTIONS),
    "created": _is_time,
    "opened_as": lambda value: isinstance(value, dict),
    "fingerprint": _or_none(_is_text),
    "backup": _or_none(_has({}, {"of": _is_path, "reason": _is_text, "at": _is_time})),
    "own": lambda value: (
        isinstance(value, dict)
        and all(map(_has({"name": _is_text, "sha256": _is_text}, {"origin": _is_text}), value.values()))
    ),
    "left_out": _is_names,
}
"""Other keys are of a newer version: they stay as they are, and nobody reads them."""


def wrong_key(values: Mapping[str, Any]) -> str:
    """The first key that holds what it cannot hold ("" = none), with the option's name where it is one of these."""
    for key, check in KEYS.items():
        if key in values and not check(values[key]):
            options = values[key] if key == "options" and isinstance(values[key], dict) else {}
            odd = (name for name, fits in OPTIONS.items() if name in options and not fits(options[name]))
            return next((f"option {name}" for name in odd), key)
    return ""
