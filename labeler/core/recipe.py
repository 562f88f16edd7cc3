"""The recipe of an engine: the source and how it is read, the plug-ins, the numbers that they take."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

ENGINES = ("default", "book")
PARTS = ("encoder", "clusterer", "classifier", "strategy")
"""The options that name a plug-in of that kind."""

LEAD, VIEWS = "lead", "views"
"""The facts of a round that several views made: which of them leads and after how many answers; their encoders, which
the rounds saved after it remember where they have none."""
LEFT_OUT = "left_out"
"""The fact of a round that says which views of the pool had no say, though nobody chose to do without them, and why."""

RECOMPUTES = (
    *("engine", "encoder", "clusterer", "classifier", "strategy", "n_clusters", "features", "seed"),
    *("text", "range", "pages"),
)
"""Options whose change makes the engine start over; answers are not touched."""


@dataclass(frozen=True, slots=True)
class Reading:
    """The way to read a source, by the options of a project of these names: the same again gives the same content."""

    text: str = ""  # the column that holds the instances, which are texts
    range: str = ""  # see labeler.plugins.importers.scaling.parse_range
    pages: bool = False  # every page of a TIFF is an instance

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> Self:
        """Return the reading by the options of a project, or those that were given."""
        chosen = {name: options[name] for name in cls.__dataclass_fields__ if options.get(name)}
        return cls(**chosen)


AS_IT_IS = Reading()


@dataclass(frozen=True, slots=True)
class Recipe:
    """All that makes features and an engine out of a source; plug-ins as ``NAME[:key=value,...]``, "" = automatic."""

    source: str
    cache: str
    engine: str = "default"
    encoder: str = ""
    clusterer: str = ""
    classifier: str = ""
    strategy: str = ""
    n_clusters: int | None = None
    features: str = ""
    text: str = ""  # this and the next two: see Reading
    range: str = ""
    pages: bool = False
    seed: int = 0
    plugins: tuple[str, ...] = ()  # files of the person's own plug-ins, run in the worker as they were here

    @property
    def reading(self) -> Reading:
        """The way the source is to be read."""
        return Reading(self.text, self.range, self.pages)
