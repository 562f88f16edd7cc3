"""`labeler status` and `labeler why`: where a project stands, and what a label rests on."""

from __future__ import annotations

import time
from typing import Any

from labeler.api import Project
from labeler.core.vocabulary import Advice, Provenance, Tier
from labeler.display import display_safe
from labeler.exporters.escaping import escaped, unescaped
from labeler.session.state import Standing


def status(project: Project) -> dict[str, Any]:
    """Counts and what to do next, JSON-able; from the project file alone."""
    view = project.view()
    words = ("human", "confirmed", "imported", "propagated", "predicted")
    advice = view.advice or Advice("answer", "answer the first questions", "")
    classes: list[dict[str, Any]] = [
        {"name": row.info.name, "key": row.info.key, "retired": row.info.retired}
        | {word: getattr(row, word) for word in words}
        for row in (*view.classes, *view.retired)
    ]
    return {
        "project": escaped(str(project.path)),
        "source": escaped(str(project.source_path)),
        "n_instances": view.n_instances,
        "classes": classes,
        "by_provenance": {word: sum(row[word] for row in classes) for word in words},
        "rounds": view.rounds,
        "answers": view.answers,
        "grid_pages": project.session.state.pages,
        "skipped": view.skipped,
        "unsure": view.unsure,
        "flagged": view.flagged,
        "rejected": view.rejected,
        "revision": view.revision,
        "open_questions": view.open_questions,
        "percentile": "auto" if view.percentile is None else view.percentile,
        "question": escaped(view.question.instance_id) if view.question else None,
        "estimate": None,
        "advice": {"code": advice.code, "text": advice.text, "key": advice.key},
    }


def status_text(facts: dict[str, Any]) -> str:
    """The same for a person."""
    by = facts["by_provenance"]
    lines = [
        f"{display_safe(facts['project'])} · source {display_safe(facts['source'])}",
        f"{facts['n_instances']:,} instances · {facts['answers']:,} answers · {facts['open_questions']:,} open",
        " · ".join(f"{word} {count:,}" for word, count in by.items()),
        " · ".join(f"{word} {facts[word]:,}" for word in ("skipped", "unsure", "rejected", "flagged")),
    ]
    if facts["classes"]:
        names = [display_safe(row["name"], 30) + (" (retired)" if row["retired"] else "") for row in facts["classes"]]
        width = max(map(len, names))
        lines.append(f"{'key':>3}  {'class':<{width}}  {'given':>7}  {'propagated':>10}  {'predicted':>9}")
        for name, row in zip(names, facts["classes"], strict=True):
            given = row["human"] + row["confirmed"] + row["imported"]
            cells = f"{given:>7,}  {row['propagated']:>10,}  {row['predicted']:>9,}"
            lines.append(f"{row['key'] or '-':>3}  {name:<{width}}  {cells}")
    lines.append(f"next: {facts['advice']['text']}")
    lines.append(f"go on: labeler label {display_safe(facts['project'])}")
    return "\n".join(lines)


def why(project: Project, instance_id: str) -> str:
    """What the label of an instance rests on, back to the key press, for a person.

    Raises
    ------
    UsageError
        The pool has no such instance.
    """
    session = project.session
    if instance_id not in session.pool:  # as an export writes it
        instance_id = unescaped(instance_id)
    index = session.pool.index(instance_id)
    names = {class_id: info.name for class_id, info in session.state.classes.items()}
    standing = session.state.standings.get(index)
    lines = [display_safe(instance_id)]
    if standing is not None:
        return "\n".join([*lines, _spoken(standing, names)])
    class_id, provenance = session.label_of(index)
    round_ = session.derived.round
    if provenance is Provenance.NONE or round_ is None:
        return "\n".join([*lines, "no label yet: no round has been computed since it joined"])
    lines.append(
        f"{display_safe(names.get(class_id, '?'))} · {provenance.word} in round {round_.round}"
        f" · score {round_.scores[index]:.3f} · tier {Tier(int(round_.tiers[index])).word}"
    )
    lines.append(f"cluster {round_.clusters[index]}, {round_.distances[index]:.3f} from its center")
    source = int(round_.sources[index])
    carrier = session.state.standings.get(source) if source >= 0 else None
    if carrier is not None:
        lines.append(f"it rests most on {display_safe(session.pool.ids[source])}: {_spoken(carrier, names)}")
    return "\n".join(lines)


def _spoken(standing: Standing, names: dict[int, str]) -> str:
    when = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(standing.at))
    who = f" by {display_safe(standing.annotator)}" if standing.annotator else ""
    if standing.kind != "label":
        word = {"skip": "skipped", "unsure": "unsure", "reject": "rejected"}[standing.kind]
        return f"{word} on {when}{who} (event {standing.event_id})"
    name = display_safe(names.get(standing.class_id, "?"))
    return f"{name} · {standing.provenance.word} on {when}{who}, round {standing.round} (event {standing.event_id})"
