"""Words in a cell of labels: a class, or in one of many spellings that there is none; spellings that are the same."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping

from labeler.core.class_names import class_name, is_fraction, whole_number
from labeler.core.text import counted, display_safe, plain_text

MISSING = frozenset(
    {
        *("nan", "NaN", "-nan", "-NaN", "NaT", "NA", "N/A", "n/a", "<NA>", "#N/A", "#NA", "#N/A N/A"),
        *("null", "NULL", "None", "1.#IND", "-1.#IND", "1.#QNAN", "-1.#QNAN", "\\N"),
    }
)
"""How pandas, numpy, R, databases and spreadsheets write that there is no value, as pandas reads them."""
UNLABELED_INDICES = frozenset({-1, -2, -100})
"""No class, where numbers count classes: scikit-learn's unlabeled, an ignored one, what torch leaves out."""
_NAMED = 5


class LabelWords:
    """Reads labels, and counts what is none; a name of `classes` is a class whatever it looks like."""

    def __init__(self, classes: Iterable[str] = ()) -> None:
        self._classes = frozenset(map(class_name, classes))
        self.missing: Counter[str] = Counter()

    def text(self, value: object, *, is_given: bool = False) -> str:
        """A value of a cell as the name it is, "" where it is no label; `is_given`: its row says that there is one."""
        if value is None or (isinstance(value, float) and math.isnan(value)):
            return self.none("null" if value is None else "NaN")
        # a column of whole numbers with gaps comes out of pandas as fractions
        if isinstance(value, float) and value.is_integer():
            return str(int(value))
        word = plain_text(str(value).strip())
        if not class_name(word):
            return self.none("empty")
        # capitals count: `none` is a word, `None` is how Python writes a gap
        if word in MISSING and not is_given and word not in self._classes:
            return self.none(word)
        return word

    def none(self, word: str) -> str:
        """Count `word` as no label; returns ""."""
        self.missing[word] += 1
        return ""

    def odd_notes(self) -> list[str]:
        """The same where more than empty cells were no label: of a source, some instances of which have none."""
        return self.notes() if self.missing.keys() - {"empty"} else []

    def notes(self, things: tuple[str, str] = ("row has", "rows have")) -> list[str]:
        """One line on what was no label; none where every row had one."""
        if not self.missing:
            return []
        words = ", ".join(f"{display_safe(word, 20)} {count:,}" for word, count in self.missing.most_common(_NAMED))
        named = next((word for word in self.missing if word in MISSING), "")
        way_out = f"; if {named} is a class: --classes {named}" if named else ""
        return [f"{counted(self.missing.total(), *things)} no label ({words}){way_out}"]


def settled(names: Iterable[str], classes: Iterable[str] = ()) -> tuple[Mapping[str, str], list[str]]:
    """(name as written -> class, notes): one class for spellings of one name, ``1`` for ``1.0``.

    A name in `classes` stays what it is there. Numbers lose their ``.0`` only where none of the file has a fraction.
    """
    written = dict.fromkeys(names)
    known = {class_name(name): name for name in classes}
    composed = {name: class_name(name) for name in written}
    whole = not any(map(is_fraction, composed.values())) and not any(map(is_fraction, known))
    labels = {}
    for name, spelled in composed.items():
        plain = whole_number(spelled) if whole and spelled not in known else spelled
        labels[name] = known.get(plain, plain)
    return labels, [*_twins(labels), *_numbers(labels), *_cases(labels)]


def _twins(labels: Mapping[str, str]) -> list[str]:
    """A line where several spellings became one class."""
    spellings: dict[str, list[str]] = {}
    for name, label in labels.items():
        spellings.setdefault(label, []).append(name)
    twins = [f"{label!r} ({len(names)})" for label, names in spellings.items() if len(names) > 1]
    if not twins:
        return []
    shown = ", ".join(display_safe(twin, 60) for twin in twins[:_NAMED])
    return [f"spelled in several ways, taken as one class: {shown}"]


def _numbers(labels: Mapping[str, str]) -> list[str]:
    name = next((name for name, label in labels.items() if whole_number(class_name(name)) == label != name), None)
    return (
        []
        if name is None or class_name(name) == labels[name]
        else [f"labels such as {name} are read as {labels[name]}"]
    )


def _cases(labels: Mapping[str, str]) -> list[str]:
    """A line on classes that differ in capitals only: they stay two."""
    folded: dict[str, set[str]] = {}
    for label in labels.values():
        folded.setdefault(label.casefold(), set()).add(label)
    pair = next((sorted(labels) for labels in folded.values() if len(labels) > 1), None)
    return [] if pair is None else [f"two classes that differ in capitals only: {display_safe(' and '.join(pair), 80)}"]
