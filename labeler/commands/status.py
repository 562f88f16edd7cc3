"""`labeler status` and `labeler why`: where a project stands, and what a label rests on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from labeler.core.advice import answer_first
from labeler.core.stats.measurement import Measurement
from labeler.core.text import counted, display_safe, escaped, unescaped
from labeler.project.open import Project
from labeler.session.audit.audits import Certificate
from labeler.session.merge.audits import AUDIT_ANEW, earlier_auditors
from labeler.session.provenance import Press, carried, reasons
from labeler.session.quality.random_sample import Estimate
from labeler.session.quality.repeats import to_look_at
from labeler.session.quality.summary import measure, records
from labeler.session.quality.unseen_classes import unseen_class


def status(project: Project) -> dict[str, Any]:
    """Counts and what to do next, JSON-able; from the session alone."""
    view = project.view()
    words = ("human", "confirmed", "imported", "propagated", "predicted")
    advice = view.advice or answer_first()
    measurements = measure(project.session.state, project.session.audit.certificate())
    measured = records(measurements)
    unseen = unseen_class(project.session.state)
    classes: list[dict[str, Any]] = [
        {"name": row.info.name, "key": row.info.key, "retired": row.info.retired}
        | {word: getattr(row, word) for word in words}
        for row in (*view.classes, *view.retired)
    ]
    return {
        "project": escaped(str(project.path)),
        "source": escaped(str(project.source_path)),
        "n_instances": view.n_instances,
        "labeled": view.labeled,
        "classes": classes,
        "by_provenance": {word: sum(row[word] for row in classes) for word in words},
        "rounds": view.rounds,
        "answers": view.answers,
        "grid_pages": project.session.state.answers.pages,
        "skipped": view.skipped,
        "unsure": view.unsure,
        "flagged": view.flagged,
        "rejected": view.rejected,
        "revision": view.revision,
        "open_questions": view.open_questions,
        "conflicts": view.conflicts,
        "percentile": "auto" if view.percentile is None else view.percentile,
        "question": escaped(view.question.instance_id) if view.question else None,
        "estimate": estimate(measurements),
        "self_agreement": measured["self_agreement"],
        "answered_differently": len(to_look_at(project.session.state)),
        "audits_carried": [
            {"by": escaped(name), "statement": AUDIT_ANEW} for name in earlier_auditors(project.session.state)
        ],
        "sway": measured["sway"],
        "unseen_class": None if unseen is None else unseen.facts | {"statement": unseen.statement},
        "advice": {"code": advice.code, "text": advice.text, "key": advice.key},
    }


def estimate(measurements: Sequence[Measurement]) -> dict[str, Any] | None:
    """What may be said of the accuracy: the latest audit's statement, once it is drawn; else what the random questions
    of ``--control`` say; else None.

    `accuracy` is the share found right of `n` random labels of the frozen set, `low` what it is at least at
    `confidence`, `high` what is left where everything not found wrong is right.
    """
    for measurement in measurements:
        if isinstance(measurement, Estimate):
            return measurement.facts | {"from": "estimate", "statement": measurement.statement}
        if isinstance(measurement, Certificate) and measurement.drawn:
            return {
                "accuracy": measurement.value,
                "low": measurement.low,
                "high": measurement.high,
                "confidence": measurement.confidence,
                "n": measurement.n,
                "from": "certificate",
                "statement": measurement.statement,
            }
    return None


def status_text(facts: dict[str, Any]) -> str:
    """The same for a person."""
    by = facts["by_provenance"]
    lines = [
        f"{display_safe(facts['project'])} · source {display_safe(facts['source'])}",
        f"{facts['n_instances']:,} instances · {facts['answers']:,} answers · {facts['open_questions']:,} open",
        f"{facts['labeled']:,} of {facts['n_instances']:,} labeled: what an export holds",
        " · ".join(f"{word} {count:,}" for word, count in by.items()),
        " · ".join(f"{word} {facts[word]:,}" for word in ("skipped", "unsure", "rejected", "flagged")),
    ]
    if facts["conflicts"]:
        lines.append(f"{counted(facts['conflicts'], 'instance')} with two people's different answers: asked first")
    if facts["classes"]:
        names = [display_safe(row["name"], 30) + (" (retired)" if row["retired"] else "") for row in facts["classes"]]
        width = max(map(len, names))
        lines.append(f"{'key':>3}  {'class':<{width}}  {'given':>7}  {'propagated':>10}  {'predicted':>9}")
        for name, row in zip(names, facts["classes"], strict=True):
            given = row["human"] + row["confirmed"] + row["imported"]
            cells = f"{given:>7,}  {row['propagated']:>10,}  {row['predicted']:>9,}"
            lines.append(f"{row['key'] or '-':>3}  {name:<{width}}  {cells}")
    if facts["estimate"]:
        lines.append(f"{facts['estimate']['from']}: {facts['estimate']['statement']}")
    if facts["audits_carried"]:
        people = " and ".join(display_safe(row["by"], 40) for row in facts["audits_carried"])
        lines.append(f"audited by {people} before it was merged: {AUDIT_ANEW}")
    if facts["self_agreement"]:
        lines.append(f"repeats: {facts['self_agreement']['statement']}")
    if facts["answered_differently"]:
        lead = counted(facts["answered_differently"], "repeat was", "repeats were")
        lines.append(f"{lead} answered differently: S in the application looks at both answers")
    if facts["sway"]:
        lines.append(f"blind: {facts['sway']['statement']}")
    if facts["unseen_class"]:
        lines.append(f"unseen class: {facts['unseen_class']['statement']}")
    lines.append(f"next: {facts['advice']['text']}")
    lines.append(f"go on: labeler label {display_safe(facts['project'])}")
    return "\n".join(lines)


def why(
    project: Project, instance_id: str, shares: Callable[[int], list[tuple[int, float]] | None] = lambda index: None
) -> str:
    """What the label of an instance rests on, back to the key press, for a person.

    `shares`: which answers carry the label of an index, as an engine says; None where none can be had, then the nearest
    answer is named.

    Raises
    ------
    UsageError
        The pool has no such instance.
    """
    session = project.session
    index = index_of(project, instance_id)
    instance_id = session.pool.ids[index]
    found = reasons(session, index)
    event = f" (event {found.press.event_id})" if found.press is not None else ""
    lines = [display_safe(instance_id)]
    for line in (found.heading, *found.lines):
        lines.append(f"{line}{event}" if found.press is not None and line == found.press.said else line)
    carriers = shares(index) if found.is_machine else None
    if carriers:
        named, more = carried(session, carriers)
        lines += [f"{100 * share:3.0f} %  {_spoken(press)}" for press, share in named]
        lines += [f"and {counted(more, 'answer')} with a smaller share"] if more else []
    elif found.nearest is not None:
        lines.append(f"it rests most on {_spoken(found.nearest)}")
    return "\n".join(lines)


def index_of(project: Project, instance_id: str) -> int:
    """The index of an instance, by its id or as an export writes it. Raises UsageError where there is none."""
    pool = project.session.pool
    return pool.index(instance_id if instance_id in pool else unescaped(instance_id))


def _spoken(press: Press) -> str:
    how = "".join(f"; {part}" for part in (press.asked, press.guesses) if part)
    return f"{display_safe(press.instance_id)}: {press.said}{how} (event {press.event_id})"
