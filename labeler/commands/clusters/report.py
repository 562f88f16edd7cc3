"""What `labeler clusters` prints."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from labeler.commands.clusters.inspect import SHOWN, Card, Found
from labeler.core.content import number
from labeler.core.numeric import choose_k
from labeler.core.text import counted, display_safe
from labeler.core.types import FloatArray

BAR = 24
_NAME, _SIDE, _SIGMA = 24, 6, 3
"""Cells of a column's name, of a bar to one side, and of a bar for each standard deviation."""


def facts(found: Found) -> dict[str, Any]:
    """The report as one JSON object."""
    clustering = found.clustering
    cards = [asdict(card) for card in found.cards]
    for card in cards:
        del card["members"], card["far"], card["mean"]
    return {
        "source": found.source,
        "n_instances": found.n_instances,
        "encoder": found.encoder,
        "clusterer": found.clusterer,
        "space": found.space,
        "n_clusters": len(found.cards),
        "inertia": clustering.inertia,
        "silhouette": found.silhouettes.score,
        "silhouette_sample": len(found.silhouettes.rows),
        **{name: value for name, value in clustering.facts.items() if name != "last_merges"},
        "left_out": found.notes,
        "anomalies": found.anomalies,
        "range": [asdict(one) for one in found.tried],
        "elbow": choose_k.elbow(found.tried),
        **{f"best_{name}": choose_k.best_by(found.tried, name) for name in ("silhouette", "bic", "aic")},
        "clusters": cards,
        **({"sample": found.drawn.astype(float).round(6).tolist()} if found.drawn is not None else {}),
    }


def text(found: Found) -> str:
    """The report as lines."""
    lines = [
        f"{found.n_instances:,} instances · encoder {found.encoder} · clusterer {found.clusterer} · {found.space}",
    ]
    if found.tried:
        lines += ["", *_range_lines(found)]
    score = found.silhouettes.score
    sample = len(found.silhouettes.rows)
    of = f"of {sample:,} drawn at random" if sample < found.n_instances - len(found.anomalies) else "of all"
    lines += [
        "",
        f"{counted(len(found.cards), 'cluster')} · inertia {found.clustering.inertia:,.1f}"
        + (f" · mean silhouette {score:.3f} ({of})" if score is not None else ""),
        *_fact_lines(found.clustering.facts),
    ]
    if found.anomalies:
        named = ", ".join(display_safe(name, 30) for name in found.anomalies[:SHOWN])
        lines.append(f"{counted(len(found.anomalies), 'anomaly', 'anomalies')} in no cluster: {named} ...")
    lines += ["", *_card_lines(found.cards)]
    if found.drawn is not None:
        lines += ["", f"{counted(len(found.drawn), 'row')} drawn from the mixture:", *_drawn_lines(found.drawn)]
    odd = [f"cluster {card.cluster}: {', '.join(card.warnings)}" for card in found.cards if card.warnings]
    return "\n".join([*lines, *(["", "look at these:", *(f"  {line}" for line in odd)] if odd else [])])


# -- inside ------------------------------------------------------------------------------------------------------


def _range_lines(found: Found) -> list[str]:
    tried = found.tried
    most = max(one.inertia for one in tried) or 1.0
    mixture = any(one.bic is not None for one in tried)
    likelihoods = f"{'BIC':>13}{'AIC':>13}" if mixture else ""
    lines = [f"{'k':>5}{'clusters':>10}{'inertia':>14}  {'':<{BAR}}{'silhouette':>12}{likelihoods}"]
    for one in tried:
        bar = "█" * max(round(BAR * one.inertia / most), 1)
        score = f"{one.silhouette:.3f}" if one.silhouette is not None else "-"
        likelihood = f"{one.bic:>13,.0f}{one.aic:>13,.0f}" if one.bic is not None and one.aic is not None else ""
        lines.append(f"{one.k:>5}{one.n_clusters:>10}{one.inertia:>14,.1f}  {bar:<{BAR}}{score:>12}{likelihood}")
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
    """What sets the rows of a table apart: the mean of a column, and how far it is from that of all, as a bar."""
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
