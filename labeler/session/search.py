"""Find instances by what is typed: words of the id or path, class, provenance, tier, marks. Pure over a session.

A query is words separated by spaces; an instance is found where all of them fit. :data:`GUIDE` says what there is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from labeler.core.types import UNLABELED, BoolArray, ByteArray, ClassInfo, IntArray, Provenance, Tier
from labeler.session.session import Session

GUIDE = (
    ("img 07", "both words stand in the path, upper or lower case"),
    ("class:7", "labeled so, by you or the machine (name, key or beginning)"),
    ("provenance:propagated", "or human, confirmed, imported, predicted, none"),
    ("tier:ask", "how sure the machine is of its label: ask, likely or locked"),
    ("flagged  unsure  rejected  skipped", "what you said of it"),
    ("labeled  open", "with a label you gave or confirmed; without any answer"),
    ("doubted  unreadable  missing", "odd to the machine; not to be shown"),
    ('"flagged"  class:"sea lion"', "in quotes: the word itself, with its spaces"),
)
"""What can be typed, and what it finds."""

_TERM = re.compile(r'(?:(class|provenance|tier):)?("[^"]*"?|\S+)', re.IGNORECASE)
_MACHINE = (Provenance.PROPAGATED, Provenance.PREDICTED)


@dataclass(frozen=True, slots=True)
class Found:
    """Indices in the pool's order; `trouble` = one line on a word that can fit nothing."""

    indices: list[int]
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class Labels:
    """The final labels of a pool now, one entry an instance: what :meth:`Session.label_of` says of each, and tiers."""

    class_ids: IntArray
    provenances: ByteArray
    tiers: ByteArray


def folded(ids: Iterable[str]) -> list[str]:
    """Ids as they are compared; made once, for it is the dear part of a search."""
    return [name.casefold() for name in ids]


def final_labels(session: Session) -> Labels:
    """The final labels now."""
    n = len(session.pool)
    class_ids = np.full(n, UNLABELED, dtype=np.int32)
    provenances, tiers = np.zeros(n, dtype=np.uint8), np.zeros(n, dtype=np.uint8)
    round_ = session.machine_labels.round
    if round_ is not None:
        machine = np.flatnonzero(np.isin(round_.provenances, _MACHINE))
        class_ids[machine], provenances[machine] = round_.labels[machine], round_.provenances[machine]
        tiers[machine] = round_.tiers[machine]
    spoken = {index: answer for index, answer in session.state.answers.items() if answer.kind in ("label", "reject")}
    if spoken:
        rows = np.fromiter(spoken, dtype=np.int64, count=len(spoken))
        class_ids[rows] = [answer.class_id for answer in spoken.values()]
        provenances[rows] = [answer.provenance for answer in spoken.values()]
        # a tier says how sure the machine is; of what a person gave it says nothing
        tiers[rows] = 0
    return Labels(class_ids, provenances, tiers)


def find(query: str, session: Session, texts: Sequence[str]) -> Found:
    """The instances that fit every word of `query`; all of them where there is none. `texts` = :func:`folded` ids."""
    fits = np.ones(len(session.pool), dtype=np.bool_)
    words: list[str] = []
    labels: Labels | None = None
    for key, value, quoted in _terms(query):
        if key:
            labels = labels or final_labels(session)
            mask, trouble = _by_key[key](value, session, labels)
            if trouble:
                return Found([], trouble)
            fits &= mask
        # in quotes the word itself is looked for, though it is a mark's
        elif value in _MARKS and not quoted:
            fits &= _marked(session, value)
        elif value:
            words.append(value)
    # words last, and only where all else fits: comparing texts is the dear part
    indices: list[int] = np.flatnonzero(fits).tolist()
    for word in words:
        indices = [index for index in indices if word in texts[index]]
    return Found(indices)


def _terms(query: str) -> Iterator[tuple[str, str, bool]]:
    """(key or "", value, in lower case but for a class, whether it was quoted)."""
    for match in _TERM.finditer(query):
        key, value = (match[1] or "").lower(), match[2]
        quoted = value.startswith('"')
        value = value.strip('"') if quoted else value
        yield key, value if key == "class" else value.casefold(), quoted


def _by_class(value: str, session: Session, labels: Labels) -> tuple[BoolArray, str]:
    infos, wanted = list(session.state.classes.values()), value.casefold()
    ways: tuple[Callable[[ClassInfo], bool], ...] = (  # the first that any class fits
        lambda info: info.name == value,
        lambda info: info.name.casefold() == wanted,
        lambda info: bool(info.key) and info.key == value,
        lambda info: info.name.casefold().startswith(wanted),
    )
    ids = next((matches for way in ways if (matches := [info.class_id for info in infos if way(info)])), [])
    return np.isin(labels.class_ids, ids), "" if ids else f"no class begins with {value!r}, and none has that key"


def _by_provenance(value: str, session: Session, labels: Labels) -> tuple[BoolArray, str]:
    matches = [word for word in Provenance if word.word.startswith(value)]
    known = ", ".join(word.word for word in Provenance)
    return np.isin(labels.provenances, matches), "" if matches else f"no provenance begins with {value!r}: {known}"


def _by_tier(value: str, session: Session, labels: Labels) -> tuple[BoolArray, str]:
    matches = [tier for tier in Tier if tier.word.startswith(value)]
    known = ", ".join(tier.word for tier in Tier)
    return np.isin(labels.tiers, matches), "" if matches else f"no tier begins with {value!r}: {known}"


_by_key: dict[str, Callable[[str, Session, Labels], tuple[BoolArray, str]]] = {
    "class": _by_class,
    "provenance": _by_provenance,
    "tier": _by_tier,
}
_KINDS = {"unsure": "unsure", "rejected": "reject", "skipped": "skip", "labeled": "label"}
_MARKS = frozenset({*_KINDS, "flagged", "open", "doubted", "unreadable", "missing"})


def _marked(session: Session, mark: str) -> BoolArray:
    pool, state = session.pool, session.state
    if mark in ("unreadable", "missing"):
        return np.array(getattr(pool, mark), dtype=np.bool_)
    mask = np.zeros(len(pool), dtype=np.bool_)
    if mark in _KINDS:
        mask[state.indices_of(_KINDS[mark])] = True
    elif mark == "open":
        mask[:] = True
        mask[list(state.answers)] = False
    else:
        mask[list(state.flagged if mark == "flagged" else session.machine_labels.doubted())] = True
    return mask
