"""The options of label and simulate: what a project remembers and a person may change."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from labeler.core.class_names import check_names, class_name
from labeler.core.errors import UsageError, too_many
from labeler.core.recipe import Reading
from labeler.plugins import registry
from labeler.session.keys import LAYOUTS

IMAGES = ("auto", "half", "kitty", "sixel", "ascii")
BOOK_PERCENTILE = 20.0  # with the closest 20 % the source was most often right, 94.0 % (docs/measured.md)


SHARES = {"control": "0.1", "repeats": "0.02", "blind": "0.1"}
"""Options that say which share of the questions measures something, with one that is usual."""


@dataclass(frozen=True, slots=True)
class Options:
    """None (or empty) = not given: the stored value holds, else the default.

    `percentile` is a number from 0 to 100 or "auto".
    """

    engine: str | None = None
    encoder: str | None = None
    clusterer: str | None = None
    classifier: str | None = None
    strategy: str | None = None
    n_clusters: int | None = None
    percentile: float | str | None = None
    classes: tuple[str, ...] = ()
    features: str | None = None
    text: str | None = None  # the column that holds the instances, which are texts
    range: str | None = None  # LOW:HIGH, the values that are black and white; "auto": by the data
    pages: bool | None = None  # whether every page of a TIFF is an instance
    seed: int | None = None
    annotator: str | None = None
    keys: str | None = None
    images: str | None = None
    control: float | None = None
    repeats: float | None = None
    blind: float | None = None

    def given(self) -> dict[str, Any]:
        """The options that were given, by name."""
        return {item.name: value for item in fields(self) if (value := getattr(self, item.name)) not in (None, ())}


def reading_of(given: Options, stored: Mapping[str, Any]) -> Reading:
    """Return how a source is to be read: as was given now, else as its project remembers."""
    return Reading.of(dict(stored) | given.given())


def check(options: Options) -> Options:
    """Check the values that no plug-in checks.

    Raises
    ------
    UsageError
        A value out of its range; the hint names the range.
    """
    if options.keys is not None and options.keys not in LAYOUTS:
        raise UsageError(f"no key layout is called {options.keys!r}", f"there are: {', '.join(LAYOUTS)}")
    if options.images is not None and options.images not in IMAGES:
        raise UsageError(f"images cannot be drawn as {options.images!r}", f"there are: {', '.join(IMAGES)}")
    if options.n_clusters is not None and options.n_clusters < 1:
        raise UsageError(f"{options.n_clusters} clusters cannot be made", "give --clusters a number from 1 up")
    if options.seed is not None and not 0 <= options.seed < 2**32:  # scikit-learn takes no other
        raise UsageError(f"the seed {options.seed} is out of range", "give a whole number from 0 to 4294967295")
    for name, usual in SHARES.items():
        share = getattr(options, name)
        if share is not None and not 0 <= share <= 0.5:  # beyond a half, more would be measured than labeled
            raise UsageError(f"--{name} {share:g} is out of range", f"give a share from 0 to 0.5, such as {usual}")
    if options.range is not None:
        from labeler.plugins.importers.scaling import parse_range  # start-up: numpy

        parse_range(options.range)
    check_names(options.classes)
    word, times = Counter(map(class_name, options.classes)).most_common(1)[0] if options.classes else ("", 1)
    if times > 1:
        raise UsageError(f"the class {word!r} is named twice", "name every class once")
    return replace(options, percentile=parse_percentile(options.percentile))


def check_size(clusterer: str | None, n: int) -> None:
    """Refuse a clusterer that compares all with all where there are too many instances, before any work.

    Raises
    ------
    EngineError
        There are more than its `limit`; the hint names clusterers that take them.
    """
    limit = getattr(registry.create("clusterer", clusterer), "limit", None) if clusterer else None
    if limit is not None and n > limit:
        raise too_many(registry.parse_spec(str(clusterer)).name, n, limit)


def parse_percentile(value: float | str | None) -> float | str | None:
    """A percentile as the session keeps it: a float from 0 to 100, "auto", or None.

    Raises
    ------
    UsageError
        It is neither.
    """
    if value is None or value == "auto":
        return value
    try:
        number = float(value)
    except ValueError:
        number = -1.0
    if not 0 <= number <= 100:
        raise UsageError(f"the percentile {value!r} is out of range", "give a number from 0 to 100, or auto")
    return number
