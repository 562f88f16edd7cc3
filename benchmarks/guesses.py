"""Whether the percentages that are shown hold: of the labels shown with 60 to 70 %, how many are right.

    LABELER_DATA=... python benchmarks/guesses.py digits mnist10k cifar3000 grocery bloodcells noise --seeds 2

A simulated person answers; after 3, 5, 10, 20 and 50 answers every label that a person would see is compared with the
truth: of the pool (captions of pages, search, "more like this", why, the confidence of an export: the closing round),
and of the up to 200 questions that are queued (the guess under the enter key). "error" is the expected calibration
error: in each tenth of the percentages the distance between the mean percentage shown and the share right, weighted by
how many are shown there (Naeini et al. 2015); per session, then the mean over the sessions and, in brackets, the worst.
"highest": the largest percentage shown of a label that repeats no answered instance. The reliability table has, for
each tenth, the share right of the pool's labels shown there, and which part of them that is.
"""

from __future__ import annotations

import argparse
import tempfile
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from data import SETS, load

from labeler.commands.simulate.oracle import Oracle
from labeler.core import steps
from labeler.core.types import UNLABELED, Round
from labeler.plugins.importers.labels import read_truth
from labeler.project.open import Project, open_project
from labeler.project.options import Options

CLICKS = (3, 5, 10, 20, 50)
TENTHS = 10


@dataclass(frozen=True, slots=True)
class Seen:
    """What was shown at one moment of a session, and whether it was right: of the pool, and of the next questions."""

    shown: np.ndarray
    right: np.ndarray
    asked: np.ndarray
    asked_right: np.ndarray


def tenth_of(shown: np.ndarray) -> np.ndarray:
    """Which tenth each percentage lies in; a full 100 % lies in the last."""
    return np.minimum((shown * TENTHS).astype(int), TENTHS - 1)


def calibration_error(shown: np.ndarray, right: np.ndarray) -> float:
    """Expected calibration error over tenths."""
    tenths = tenth_of(shown)
    gaps = [
        (tenths == tenth).mean() * abs(shown[tenths == tenth].mean() - right[tenths == tenth].mean())
        for tenth in np.unique(tenths)
    ]
    return float(sum(gaps))


def session(name: str, seed: int, engine: str) -> dict[int, Seen]:
    """What one simulated session shows at each of CLICKS."""
    seen: dict[int, Seen] = {}
    with tempfile.TemporaryDirectory() as folder:
        pool = load(name, seed, Path(folder))
        options = Options(engine=engine, seed=seed)
        with open_project(pool.path, Path(folder) / "guesses.labeler.db", options) as project:
            project.backed_up = False
            assert project.source is not None
            truth = read_truth(pool.truth, project.source)
            oracle, pipeline, session = Oracle(truth, 0.0, seed), project.open_pipeline(), project.session
            session.merge_queue(pipeline.rerank(session.snapshot()), session.state.revision)
            steps.run(pipeline.join_companion())
            for clicks in range(1, max(CLICKS) + 1):
                question = session.question
                assert question is not None
                class_id = session.classes.id_for(oracle.answer(question.instance_id), setup=True)
                session.label(question.instance_id, class_id)
                queue = pipeline.rerank(session.snapshot())
                session.merge_queue(queue, session.state.revision)
                if pipeline.round_due(clicks):
                    for step in pipeline.round(session.snapshot()):
                        if isinstance(step, Round):
                            session.merge_round(step, save=False)
                            queue = step.queue
                if clicks in CLICKS:
                    seen[clicks] = look(project, pipeline.closing_round(session.snapshot()), queue, truth)
    return seen


def look(project: Project, closing: Round, queue: Any, truth: dict[str, str]) -> Seen:
    """Compare what is shown with the truth."""
    state, ids = project.session.state, project.session.pool.ids
    names = {class_id: info.name for class_id, info in state.classes.items()}
    snapshot = project.session.snapshot()
    rest = closing.labels != UNLABELED
    rest[snapshot.indices] = False
    rows = np.flatnonzero(rest)
    right = np.array([names[int(closing.labels[row])] == truth[ids[row]] for row in rows])
    guesses, scores = queue.guesses[:, 0], queue.guess_scores[:, 0]
    known = np.flatnonzero(guesses != UNLABELED)
    asked_right = [names[int(guesses[place])] == truth[ids[int(queue.indices[place])]] for place in known]
    return Seen(closing.scores[rows], right, scores[known], np.array(asked_right, dtype=bool))


def summary(clicks: int, runs: list[Seen]) -> list[str]:
    """One line of the first table."""
    errors = [calibration_error(run.shown, run.right) for run in runs]
    asked = [calibration_error(run.asked, run.asked_right) for run in runs if len(run.asked)]
    shown, right = np.concatenate([run.shown for run in runs]), np.concatenate([run.right for run in runs])
    return [
        str(clicks),
        f"{100 * right.mean():.1f}",
        f"{100 * shown.mean():.1f}",
        f"{100 * np.mean(errors):.1f} ({100 * max(errors):.1f})",
        f"{100 * np.mean(asked):.1f} ({100 * max(asked):.1f})" if asked else "no guesses",
        f"{100 * shown[shown < 1.0].max(initial=0.0):.1f}",
    ]


def reliability(runs: list[Seen]) -> list[str]:
    """Share right in percent and, in brackets, part of the labels, for each tenth of the percentages shown."""
    shown, right = np.concatenate([run.shown for run in runs]), np.concatenate([run.right for run in runs])
    tenths = tenth_of(shown)
    cells = []
    for tenth in range(TENTHS):
        here = tenths == tenth
        cells.append(f"{100 * right[here].mean():.0f} ({100 * here.mean():.0f})" if here.any() else "")
    return cells


def row(cells: list[str]) -> str:
    """A line of a table."""
    return "| " + " | ".join(cells) + " |"


def main() -> None:
    """Print both tables of each set."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="+", choices=sorted(SETS), metavar="SET", help=", ".join(SETS))
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--engine", default="default")
    arguments = parser.parse_args()
    for name in arguments.names:
        runs: defaultdict[int, list[Seen]] = defaultdict(list)
        for seed in range(arguments.seeds):
            for clicks, seen in session(name, seed, arguments.engine).items():
                runs[clicks].append(seen)
        print(f"### {name}, {arguments.seeds} seeds, engine {arguments.engine}\n")
        print(row(["answers", "right, %", "shown, %", "error, points", "error of questions", "highest, %"]))
        print("|---" * 6 + "|")
        for clicks, seen_all in runs.items():
            print(row(summary(clicks, seen_all)))
        print("\n" + row(["shown", *(f"{10 * tenth}-{10 * tenth + 10} %" for tenth in range(TENTHS))]))
        print("|---" * (TENTHS + 1) + "|")
        for clicks, seen_all in runs.items():
            print(row([f"after {clicks}", *reliability(seen_all)]))
        print(flush=True)


if __name__ == "__main__":
    main()
