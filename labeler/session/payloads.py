"""What the payload of an event may hold, field by field: a journal may come from anybody, and its seals from anyone."""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping
from typing import Any

from labeler.core.types import LATEST, UNLABELED, Event

MOST_CLASSES = 1_000_000
"""Above every class id: ids are given one after the other, and arrays have a place for each."""
_MOST = 2**31
_SAID = ("label", "skip", "unsure", "reject")
_WORDS = ("human", "confirmed", "imported", "propagated", "predicted")

Check = Callable[[Any], bool]


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_flag(value: Any) -> bool:
    return isinstance(value, bool)


def _is_whole(value: Any) -> bool:
    return type(value) is int and abs(value) < _MOST


def _is_count(value: Any) -> bool:
    return _is_whole(value) and value >= 0


def _is_number(value: Any) -> bool:
    return type(value) in (int, float) and abs(value) < 1e12


def _is_class(value: Any) -> bool:
    return type(value) is int and -1 <= value < MOST_CLASSES


def _is_share(value: Any) -> bool:
    return type(value) in (int, float) and 0 < value < 1


def _is_percent(value: Any) -> bool:
    return type(value) in (int, float) and 0 <= value <= 100


def _is_confidence(value: Any) -> bool:
    return type(value) in (int, float) and 0 <= value <= 1


def _or_none(check: Check) -> Check:
    return lambda value: value is None or check(value)


def _rows(*columns: Check) -> Check:
    """A list of lists with so many entries each."""

    def check(value: Any) -> bool:
        return isinstance(value, list) and all(
            isinstance(row, list | tuple)
            and len(row) == len(columns)
            and all(column(cell) for column, cell in zip(columns, row, strict=True))
            for row in value
        )

    return check


def _each(check: Check) -> Check:
    return lambda value: isinstance(value, list) and all(map(check, value))


_FIELDS: dict[str, Check] = {
    **dict.fromkeys(("rule", "screen", "origin", "first", "name", "key", "set_sha256", "order_sha256"), _is_text),
    **dict.fromkeys(("setup", "blind", "reached", "predicted"), _is_flag),
    **dict.fromkeys(("keys", "marked", "audit", "start", "number", "population", "seed", "before", "round"), _is_count),
    **dict.fromkeys(("machine", "first_class", "into", "from"), _is_class),
    **dict.fromkeys(("margin", "utility"), _is_number),
    **dict.fromkeys(("target", "confidence"), _is_share),
    **dict.fromkeys(("shown", "hidden"), _rows(_is_class, _is_number)),
    "said": lambda value: value in _SAID,
    "percentile": _or_none(_is_percent),
    "predictions": _rows(_is_text, _is_class, _or_none(_is_confidence)),
    "labels": _rows(_is_text, _is_class, lambda word: word in _WORDS),
    "unsure": _each(_is_text),
    "moved": _each(_is_text),
    "planted": _rows(_is_text, _is_class),
    "classes": _rows(_is_class, _is_text),
    "pages": _each(_rows(_is_text, _is_class, _is_whole)),
}
"""Fields of one meaning in whatever kind of event; others are of a newer version, and nobody reads them."""
_OF_KIND: dict[str, dict[str, Check]] = {
    "conflict": {"answers": _rows(_is_text, _is_text, _is_class)},
    "source_change": {"answers": _rows(_is_text, _or_none(_is_text), _is_text)},
    "audit_carried": {"kept_under": lambda value: isinstance(value, dict)},
}
_REQUIRED: dict[str, tuple[str, ...]] = {
    "audit_carried": ("kept_under",),
    "class_merge": ("into",),
    "class_split": ("from", "name", "moved"),
    "page": ("labels",),
    "predictions": ("predictions",),
}
"""What is read before, or long after, the event is folded; what else is missing shows in the fold."""


def check(event: Event) -> None:
    """Raise ValueError where an event holds what it cannot hold."""
    if event.class_id is not None and not _is_class(event.class_id):
        raise ValueError(f"its class is {event.class_id}")
    if not -LATEST < event.at < LATEST:
        raise ValueError("its time is none")
    if event.kind == "setting":
        _check_settings(event.payload)
        return
    checks: Mapping[str, Check] = _FIELDS | _OF_KIND.get(event.kind, {}) if event.kind in _OF_KIND else _FIELDS
    for name, value in event.payload.items():
        if name in checks and not checks[name](value):
            raise ValueError(f"its {name} cannot be")
    for name in _REQUIRED.get(event.kind, ()):
        if name not in event.payload:
            raise ValueError(f"it has no {name}")


def check_classes(event: Event, classes: Container[int]) -> None:
    """Raise ValueError where an event gives instances a class that was not there before it."""
    rows = [row[1] for name in ("labels", "planted", "predictions") for row in event.payload.get(name, ())]
    given = [class_id for class_id in rows if class_id != UNLABELED]  # what a page leaves without a label is said, too
    if event.kind in ("label", "keep", "audit_answer", "repeat") and event.class_id is not None:
        given.append(event.class_id)
    for class_id in given:
        if class_id not in classes:
            raise ValueError(f"no class is {class_id}")


def _check_settings(settings: Mapping[str, Any]) -> None:
    percentile = settings.get("percentile")
    if not (percentile is None or percentile == "auto" or _is_percent(percentile)):
        raise ValueError("its percentile cannot be")
