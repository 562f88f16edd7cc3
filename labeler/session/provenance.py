"""The reasons for a label, back to the key press: the facts that `labeler why` writes and the why screen draws.

From the session alone; the shares of the answers come from an engine and are handed in. An answer that was taken back
is never named.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from labeler.core.events import NOT_ASKED, Event, Import, Label, Page
from labeler.core.text import display_safe
from labeler.core.types import GIVEN, UNLABELED, Provenance, Tier
from labeler.session.answer_records import Answer, Repeat
from labeler.session.classes import current
from labeler.session.predictions import origin_of
from labeler.session.session import Session

_KINDS = {"label": "labeled", "skip": "skipped", "unsure": "unsure", "reject": "rejected"}
_SCREENS = {
    "question": "the question screen",
    "sheet": "the contact sheet",
    "grid": "a page of one class",
    "alike": "a page of the nearest of a kind",
    "clusters": "the clusters",
    "search": "a search",
    "odd": "the odd ones",
    "hunt": "a hunt for a rare class",
    "second-look": "a second look",
    "audit": "an audit, blind",
    "audit-pages": "a page of an audit",
}
LEAST_SHARE = 0.01
MOST_NAMED = 24
"""Answers with a smaller share, or beyond so many, are only counted."""


def when(at: float) -> str:
    """``2026-11-23 12:01:33``."""
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(at))


@dataclass(frozen=True, slots=True)
class Press:
    """The answer that a person or an import last gave of an instance, and how it was asked."""

    index: int
    instance_id: str
    kind: str  # "label", "skip", "unsure", "reject"
    class_name: str
    provenance: Provenance
    at: float
    annotator: str
    round: int
    event_id: str
    screen: str = ""
    rule: str = ""
    origin: str = ""  # of an import: the file
    shown: tuple[tuple[str, float], ...] = ()  # the guesses on the screen, best first
    given_as: str = ""  # the class of the key press, where it was merged or split since
    blind: bool = False  # `shown` was kept from the eye

    @property
    def when(self) -> str:
        """``2026-11-23 12:01:33``."""
        return when(self.at)

    @property
    def said(self) -> str:
        """``3 · human on 2026-11-23 12:01:33 by anna, round 2``; safe to show."""
        who = f" by {display_safe(self.annotator, 40)}" if self.annotator else ""
        if self.kind != "label":
            return f"{_KINDS[self.kind]} on {self.when}{who}"
        name = display_safe(self.class_name, 40)
        if self.given_as:
            name += f" (given as {display_safe(self.given_as, 40)})"
        return f"{name} · {self.provenance.word} on {self.when}{who}, round {self.round}"

    @property
    def asked(self) -> str:
        """``on the question screen, asked as uncertain``; safe to show."""
        if self.origin:
            return f"imported from {display_safe(self.origin, 60)}"
        if not self.screen:
            return ""
        place = f"on {_SCREENS.get(self.screen, f'the {display_safe(self.screen, 30)} screen')}"
        rule = {
            "": "",
            "chosen": ", chosen by hand",
            "doubt": ", asked again because the engine doubted it",
            "repeat": ", asked again because two answers of one person differed",
            "audit": ", drawn at random",
            "random": ", drawn at random, no guesses shown",
        }
        return place + rule.get(self.rule, f", asked as {display_safe(self.rule, 30)}")

    @property
    def guesses(self) -> str:
        """``guesses shown: 3 70 %, 5 20 %``; "" where there were none."""
        if not self.shown:
            return ""
        if self.blind:
            name, score = self.shown[0]
            return f"no guesses shown: blind; the first was {display_safe(name, 30)} {100 * score:.0f} %"
        listed = ", ".join(f"{display_safe(name, 30)} {100 * score:.0f} %" for name, score in self.shown)
        return f"guesses shown: {listed}"


@dataclass(frozen=True, slots=True)
class Reasons:
    """Everything known of one label. `label` = "" where there is none; numbers of the round where there is one."""

    index: int
    instance_id: str
    label: str
    provenance: Provenance
    press: Press | None = None
    round: int | None = None
    score: float = 0.0
    tier: str = ""
    runner_up: str = ""
    cluster: int | None = None
    distance: float = 0.0
    share: float | None = None  # how much it belongs to its cluster (soft assignment); None where not known
    second: int | None = None  # the cluster it belongs to most of the others
    is_outlier: bool = False  # in no cluster, by a clusterer that knows such
    representative: int | None = None
    representative_id: str = ""
    representative_label: str = ""
    nearest: Press | None = None  # the answer that a machine's label rests on most, by the round
    without: tuple[float, str] | None = None  # a given label left out: the engine's belief in it, and what else it says
    is_kept: bool = False  # looked at twice
    again: tuple[str, ...] = ()  # what was said the second time, blind to this answer
    through: str = ""  # how a machine's label came from the answers
    elsewhere: str = ""  # the file it was imported from, of a prediction of another model

    @property
    def is_machine(self) -> bool:
        """Whether the label is one that answers of other instances carry."""
        return self.provenance in (Provenance.PROPAGATED, Provenance.PREDICTED) and not self.elsewhere

    @property
    def heading(self) -> str:
        """The label in one line; of a given one the key press."""
        if self.press is not None and self.press.kind == "label":
            return self.press.said
        if not self.label:
            left = self.press is not None and self.press.kind == "reject"
            return "no label: rejected" if left else "no label yet: no round has been computed since it joined"
        name = display_safe(self.label, 40)
        if self.elsewhere:
            file = display_safe(self.elsewhere, 60)
            return f"{name} · {self.provenance.word} elsewhere, imported from {file} · score {self.score:.3f}"
        return f"{name} · {self.provenance.word} in round {self.round} · score {self.score:.3f} · tier {self.tier}"

    @property
    def lines(self) -> list[str]:
        """The other facts, a line each; safe to show."""
        lines = []
        if self.press is not None:
            lines += [self.press.said] if self.press.kind != "label" else []
            lines += [line for line in (self.press.asked, self.press.guesses) if line]
        if self.without is not None and self.without[1]:
            belief, other = self.without
            lines.append(
                f"without it the engine believes {display_safe(self.label, 40)} at {percent_of_belief(belief)}"
                + (f" and would say {display_safe(other, 40)}" if belief < 0.5 else "")
            )
        if self.is_kept:
            lines.append("looked at twice and kept")
        lines += self.again
        if self.is_machine and self.runner_up:
            lines.append(f"runner-up {display_safe(self.runner_up, 40)}")
        if self.elsewhere and self.runner_up:
            lines.append(f"the engine itself would say {display_safe(self.runner_up, 40)}")
        if self.cluster is not None:
            line = "in no cluster, an anomaly; nearest " if self.is_outlier else ""
            line += f"cluster {self.cluster}, {self.distance:.3f} from its center"
            if self.representative == self.index:
                line += "; it is its representative"
            elif self.representative is not None:
                label = f" ({display_safe(self.representative_label, 40)})" if self.representative_label else ""
                line += f"; its representative {display_safe(self.representative_id)}{label}"
            lines.append(line)
            if self.share is not None and self.second is not None and not self.is_outlier:
                share = percent_of_belief(self.share)
                lines.append(
                    f"soft assignment: {share} of it to this cluster, most of the rest to cluster {self.second}"
                )
        if self.is_machine and self.through:
            lines.append(self.through)
        return lines


def reasons(session: Session, index: int) -> Reasons:
    """Return why the instance at `index` has the label it has now."""
    class_id, provenance = session.label_of(index)
    known = Reasons(index, session.pool.ids[index], _name(session, class_id), provenance, press_of(session, index))
    changes: dict[str, Any] = {
        "again": tuple(_again(session, one) for one in session.state.repeats if one.index == index)
    }
    if provenance is Provenance.PREDICTED:
        changes["elsewhere"] = origin_of(session.state, index)
    without = session.machine_labels.left_out(index)
    if without is not None:
        changes["without"] = (without[0], _name(session, without[1]))
        changes["is_kept"] = session.state.is_kept(index)
    round_ = session.machine_labels.round
    if round_ is not None and index < len(round_.labels):
        cluster = int(round_.clusters[index])
        second = int(round_.seconds[index]) if index < len(round_.seconds) else -1
        representatives = [int(row) for row in round_.representatives if round_.clusters[row] == cluster]
        changes |= {
            "round": round_.round,
            "through": _through(str(round_.facts.get("engine", "default")), provenance),
            "score": float(round_.scores[index]),
            "tier": Tier(int(round_.tiers[index])).word,
            "runner_up": _name(session, int(round_.runner_ups[index])),
            "cluster": cluster,
            "distance": float(round_.distances[index]),
            "share": float(round_.shares[index]) if index < len(round_.shares) else None,
            "second": second if second >= 0 else None,
            "is_outlier": index < len(round_.outliers) and bool(round_.outliers[index]),
        }
        if representatives:
            changes |= {
                "representative": representatives[0],
                "representative_id": session.pool.ids[representatives[0]],
                "representative_label": _name(session, session.label_of(representatives[0])[0]),
            }
        if provenance in GIVEN:  # also of a missing instance, which the engine does not see
            changes |= {"score": 1.0, "tier": Tier.LOCKED.word}
        source = int(round_.sources[index])
        if known.is_machine and not changes.get("elsewhere") and source >= 0:
            changes["nearest"] = _answer(session, source)
    return replace(known, **changes)


def _through(engine: str, provenance: Provenance) -> str:
    """The way from the answers to a machine's label, as the engines go it."""
    if engine != "book":
        return "through the graph of neighbors, by answers of its class"
    if provenance is Provenance.PROPAGATED:
        return "through its cluster, from the nearest answer in it"
    return "by the classifier; the nearest answer of its class is named"


def _again(session: Session, repeat: Repeat) -> str:
    """``answered again on 2026-11-23 12:01:33 by anna, blind to this: 5``."""
    who = f" by {display_safe(repeat.annotator, 40)}" if repeat.annotator else ""
    named = _name(session, current(repeat.class_id, session.state.classes))
    answer = display_safe(named, 40) if repeat.word == "label" else _KINDS[repeat.word]
    return f"answered again on {when(repeat.at)}{who}, blind to this: {answer}"


def press_of(session: Session, index: int) -> Press | None:
    """Return what was last said of an instance; None where nothing stands."""
    answer = session.state.answers.get(index)
    return None if answer is None else _press(session, index, answer)


def carried(
    session: Session, shares: Iterable[tuple[int, float] | Sequence[float]]
) -> tuple[list[tuple[Press, float]], int]:
    """The answers that carry a label, the largest share first, and how many more there are with little each."""
    named: list[tuple[Press, float]] = []
    more = 0
    for index, share in shares:
        answer = _answer(session, int(index))
        if answer is None:
            continue
        if share < LEAST_SHARE or len(named) == MOST_NAMED:
            more += 1
        else:
            named.append((answer, float(share)))
    return named, more


def _answer(session: Session, index: int) -> Press | None:
    """The given label of an instance; None where it was taken back since."""
    answer = session.state.answers.get(index)
    return _press(session, index, answer) if answer is not None and answer.kind == "label" else None


def _press(session: Session, index: int, answer: Answer) -> Press:
    event = session.state.event(answer.event_id)
    how = event.asked if event is not None else NOT_ASKED
    origin = event.body.origin if event is not None and isinstance(event.body, Import) else ""
    return Press(
        index,
        session.pool.ids[index],
        answer.kind,
        _name(session, answer.class_id),
        answer.provenance,
        answer.at,
        answer.annotator,
        answer.round,
        answer.event_id,
        how.screen or "",
        how.rule or "",
        origin or "",
        tuple((_name(session, class_id), score) for class_id, score in how.guesses),
        _given_as(session, event, answer, session.pool.ids[index]),
        how.hidden is not None,
    )


def _given_as(session: Session, event: Event | None, answer: Answer, instance_id: str) -> str:
    """The class a person named; "" where the label is of it still."""
    body = event.body if event is not None else None
    if isinstance(body, Label):
        class_id = body.class_id
    elif isinstance(body, Page):
        class_id = next(named for other, named, _ in body.labels if other == instance_id)
    else:
        return ""
    return "" if class_id == answer.class_id else _name(session, class_id)


def _name(session: Session, class_id: int) -> str:
    if class_id == UNLABELED:
        return ""
    info = session.state.classes.get(class_id)
    return info.name if info is not None else "?"


def percent_of_belief(share: float) -> str:
    """Small beliefs matter here: ``0.3 %``, ``12 %``."""
    value = 100 * share
    if value < 0.05:
        return "<0.1 %"
    if value > 99.95:
        return ">99.9 %"
    return f"{value:.1f} %" if value < 10 or value > 99 else f"{value:.0f} %"
