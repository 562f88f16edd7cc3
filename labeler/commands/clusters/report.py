"""The report of `labeler clusters`: what each cluster holds, and the numbers of clusters that were compared."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from labeler.commands.clusters.spaces import Space
from labeler.commands.result import Result
from labeler.core.content import number
from labeler.core.numeric import choose_k
from labeler.core.numeric.choose_k import Silhouettes, Tried
from labeler.core.protocols import Clustering
from labeler.core.text import counted, display_safe
from labeler.core.types import ByteArray, FloatArray, IndexArray

SHOWN = 3
"""Typical and odd members that are named."""
BAR = 24
_NAME, _SIDE, _SIGMA = 24, 6, 3
"""Cells of a column's name, of a bar to one side, and of a bar for each standard deviation."""


@dataclass(frozen=True, slots=True)
class Card:
    """One cluster: `typical` and `odd` members by id, `means` of a table's columns and how far they are
    `apart` from those of all, in standard deviations; `far` = the columns that stand out."""

    cluster: int
    size: int
    silhouette: float | None
    typical: list[str]
    odd: list[str]
    classes: dict[str, int]
    means: dict[str, float] | None
    apart: dict[str, float] | None
    far: list[tuple[str, float, float]]  # (column, mean, standard deviations from the mean of all)
    warnings: list[str]
    mean: ByteArray | None  # the mean of its images
    members: IndexArray  # rows of the report, nearest to its center first
    words: list[str] = field(default_factory=list)  # telling ones, of texts


@dataclass(frozen=True, slots=True)
class ClusterReport(Result):
    """The clusters of a source or project: one card each, and the numbers of clusters that were compared."""

    source: str
    n_instances: int
    encoder: str
    clusterer: str
    space: str
    clustering: Clustering
    silhouettes: Silhouettes
    cards: list[Card]
    tried: list[Tried] = field(default_factory=list)
    anomalies: list[str] = field(default_factory=list)
    samples: list[ByteArray] = field(default_factory=list)  # images drawn from a mixture, where it saw pixels
    seen_in: Space | None = None
    diagrams: list[tuple[int, Silhouettes]] = field(default_factory=list)  # of several numbers of clusters
    drawn: FloatArray | None = None  # rows drawn from a mixture, where they were asked for
    notes: list[str] = field(default_factory=list)  # what was left out of the source
    files: list[str] = field(default_factory=list)  # "drawn in FILE": what was written of it
    of_views: list[str] = field(default_factory=list)  # which views of a project's pool are not here

    def to_json(self) -> dict[str, Any]:
        """Return the report without its pictures and points."""
        clustering = self.clustering
        cards = [asdict(card) for card in self.cards]
        # positions and pixels say nothing outside of this process
        for card in cards:
            del card["members"], card["far"], card["mean"]
        return {
            "source": self.source,
            "n_instances": self.n_instances,
            "encoder": self.encoder,
            "clusterer": self.clusterer,
            "space": self.space,
            "n_clusters": len(self.cards),
            "inertia": clustering.inertia,
            "silhouette": self.silhouettes.score,
            "silhouette_sample": len(self.silhouettes.rows),
            **{name: value for name, value in clustering.facts.items() if name != "last_merges"},
            "left_out": self.notes,
            "notes": self.of_views,
            "anomalies": self.anomalies,
            "range": [asdict(tried) for tried in self.tried],
            "elbow": choose_k.elbow(self.tried),
            **{f"best_{name}": choose_k.best_by(self.tried, name) for name in ("silhouette", "bic", "aic")},
            "clusters": cards,
            **({"sample": self.drawn.astype(float).round(6).tolist()} if self.drawn is not None else {}),
        }

    def lines(self) -> list[str]:
        """Return the comparison of numbers of clusters, then one line a cluster, then the odd ones."""
        lines = [
            f"{self.n_instances:,} instances · encoder {self.encoder} · clusterer {self.clusterer} · {self.space}",
        ]
        if self.tried:
            lines += ["", *_range_lines(self)]
        score = self.silhouettes.score
        # silhouettes compare all with all: of a large pool a sample is looked at, and the report says so
        sample = len(self.silhouettes.rows)
        of = f"of {sample:,} drawn at random" if sample < self.n_instances - len(self.anomalies) else "of all"
        lines += [
            "",
            f"{counted(len(self.cards), 'cluster')} · inertia {self.clustering.inertia:,.1f}"
            + (f" · mean silhouette {score:.3f} ({of})" if score is not None else ""),
            *_fact_lines(self.clustering.facts),
        ]
        if self.anomalies:
            named = ", ".join(display_safe(name, 30) for name in self.anomalies[:SHOWN])
            lines.append(f"{counted(len(self.anomalies), 'anomaly', 'anomalies')} in no cluster: {named} ...")
        lines += ["", *_card_lines(self.cards)]
        if self.drawn is not None:
            lines += ["", f"{counted(len(self.drawn), 'row')} drawn from the mixture:", *_drawn_lines(self.drawn)]
        odd = [f"cluster {card.cluster}: {', '.join(card.warnings)}" for card in self.cards if card.warnings]
        return [*lines, *(["", "look at these:", *(f"  {line}" for line in odd)] if odd else [])]

    def warnings(self) -> list[str]:
        """Return which views are not here, what was left out of the source, and which files were written."""
        return [*self.of_views, *self.notes, *self.files]


def _range_lines(report: ClusterReport) -> list[str]:
    tried = report.tried
    most = max(row.inertia for row in tried) or 1.0
    mixture = any(row.bic is not None for row in tried)
    likelihoods = f"{'BIC':>13}{'AIC':>13}" if mixture else ""
    lines = [f"{'k':>5}{'clusters':>10}{'inertia':>14}  {'':<{BAR}}{'silhouette':>12}{likelihoods}"]
    for row in tried:
        bar = "█" * max(round(BAR * row.inertia / most), 1)
        score = f"{row.silhouette:.3f}" if row.silhouette is not None else "-"
        likelihood = f"{row.bic:>13,.0f}{row.aic:>13,.0f}" if row.bic is not None and row.aic is not None else ""
        lines.append(f"{row.k:>5}{row.n_clusters:>10}{row.inertia:>14,.1f}  {bar:<{BAR}}{score:>12}{likelihood}")
    elbow = choose_k.elbow(tried)
    if elbow is not None:
        lines.append(f"elbow of the inertia: k = {elbow} ({choose_k.ELBOW_BY})")
    for name, words in (("silhouette", "largest silhouette"), ("bic", "lowest BIC"), ("aic", "lowest AIC")):
        best = choose_k.best_by(tried, name)
        if best is not None:
            lines.append(f"{words}: k = {best}")
    return lines


def _fact_lines(facts: dict[str, Any]) -> list[str]:
    lines = []
    if "iterations" in facts and "converged" in facts:
        went = "converged" if facts["converged"] else "did NOT converge: raise max_iter"
        lines.append(f"{went} after {counted(facts['iterations'], 'iteration')}")
    if "weights" in facts:
        weights = sorted(facts["weights"], reverse=True)
        lines.append(f"weights from {weights[0]:.3f} to {weights[-1]:.3f}")
    if "emptied" in facts:
        lines.append(f"{counted(facts['emptied'], 'component')} emptied (weight below 0.01)")
    for name, words in (("bic", "BIC"), ("aic", "AIC")):
        if name in facts:
            lines.append(f"{words} {facts[name]:,.1f}")
    for name in ("eps", "bandwidth", "threshold"):
        if name in facts:
            lines.append(f"{name} {facts[name]:g}")
    return lines


def _card_lines(cards: list[Card]) -> list[str]:
    """A line a cluster: size, silhouette as a bar, and what is in it."""
    most = max((card.size for card in cards), default=1) or 1
    lines = [f"{'cluster':>7}{'size':>8}  {'':<12} {'silhouette':<18} what it holds"]
    for card in cards:
        size = "█" * max(round(12 * card.size / most), 1)
        score = card.silhouette
        bar = "" if score is None else f"{score:+.2f} {'█' * max(round(12 * max(score, 0.0)), 0)}"
        classes = ", ".join(f"{display_safe(name, 20)} {count}" for name, count in list(card.classes.items())[:3])
        members = f"typical {_named(card.typical[:2])}" + (f" · odd {_named(card.odd[:1])}" if card.odd else "")
        words = ", ".join(display_safe(word, 20) for word in card.words)
        holds = " · ".join(part for part in (words, classes, members) if part)
        lines.append(f"{card.cluster:>7}{card.size:>8,}  {size:<12} {bar:<18} {holds}")
        lines += _mean_lines(card)
    return lines


def _mean_lines(card: Card) -> list[str]:
    """Return what sets the rows of a table apart: a column's mean, and how far it is from that of all, as a bar."""
    lines = []
    for name, mean, apart in card.far:
        cells = min(round(abs(apart) * _SIGMA), _SIDE)
        left, right = ("█" * cells, "") if apart < 0 else ("", "█" * cells)
        name = display_safe(name, _NAME)
        lines.append(f"{'':>17}{name:<{_NAME}} {number(mean):>9}  {left:>{_SIDE}}│{right:<{_SIDE}} {apart:+.1f} sd")
    return lines


def _drawn_lines(rows: FloatArray) -> list[str]:
    """The rows as CSV: numbers with the fewest digits that give the same float32 again."""
    return [",".join(str(value) for value in row) for row in rows.astype("float32")]


def _named(ids: list[str]) -> str:
    return ", ".join(display_safe(name, 30) for name in ids)
