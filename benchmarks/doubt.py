"""How many of the answers the engine doubts are wrong, and how many of the wrong ones it doubts.

    python benchmarks/doubt.py digits --seeds 10
    LABELER_DATA=... python benchmarks/doubt.py mnist10k --seeds 5

A simulated person gives a wrong class to a share `--noise` of the questions, uniformly. After 50, 100 and 200 answers
the closing round says what it believes of each answer when that one is left out (`Round.doubts`); an answer doubted
by at least the threshold is offered for a second look. "right offers" = share of those that are wrong answers;
"found" = share of the wrong answers that are offered.
"""

from __future__ import annotations

import argparse
import tempfile
from collections import defaultdict
from pathlib import Path

import numpy as np
from data import SETS, load

from labeler.commands.simulate.oracle import Oracle
from labeler.core.types import DOUBTED, Round
from labeler.plugins.importers.labels import read_truth
from labeler.project.open import open_project
from labeler.project.options import Options

CLICKS = (50, 100, 200)
THRESHOLDS = (0.5, 0.9, 0.98, 0.99, 0.995, 0.999)

Judged = tuple[np.ndarray, np.ndarray]
"""The doubts (a,) and whether each answer is wrong (a,)."""


def session(name: str, seed: int, noise: float, engine: str) -> dict[int, Judged]:
    """Doubts and errors of one simulated session at each of CLICKS."""
    found: dict[int, Judged] = {}
    with tempfile.TemporaryDirectory() as folder:
        pool = load(name, seed, Path(folder))
        options = Options(engine=engine, seed=seed)
        with open_project(pool.path, Path(folder) / "doubt.labeler.db", options) as project:
            assert project.source is not None
            truth = read_truth(pool.truth, project.source)
            oracle, pipeline, session = Oracle(truth, noise, seed), project.open_pipeline(), project.session
            session.merge_queue(pipeline.rerank(session.snapshot()), session.state.revision)
            for clicks in range(1, max(CLICKS) + 1):
                question = session.question
                assert question is not None
                class_id = session.classes.id_for(oracle.answer(question.instance_id), setup=True)
                session.label(question.instance_id, class_id)
                snapshot = session.snapshot()
                session.merge_queue(pipeline.rerank(snapshot), snapshot.revision)
                if pipeline.round_due(clicks):
                    for step in pipeline.round(session.snapshot()):
                        if isinstance(step, Round):
                            session.merge_round(step, save=False)
                if clicks in CLICKS:
                    snapshot = session.snapshot()
                    closing = pipeline.closing_round(snapshot)
                    judged = closing.facts.get("answers_judged", True)  # else nothing is offered
                    doubts = closing.doubts[snapshot.indices] if judged else np.zeros(len(snapshot.indices))
                    names = {class_id: info.name for class_id, info in session.state.classes.items()}
                    pairs = zip(snapshot.indices, snapshot.class_ids, strict=True)
                    wrong = [truth[session.pool.ids[int(i)]] != names[int(class_id)] for i, class_id in pairs]
                    found[clicks] = doubts, np.array(wrong)
    return found


def main() -> None:
    """Print the table of one set."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", choices=sorted(SETS))
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--noise", type=float, default=0.05)
    parser.add_argument("--engine", default="default")
    arguments = parser.parse_args()
    runs: defaultdict[int, list[Judged]] = defaultdict(list)
    for seed in range(arguments.seeds):
        for clicks, judged in session(arguments.name, seed, arguments.noise, arguments.engine).items():
            runs[clicks].append(judged)
    print(f"{arguments.name}, {arguments.seeds} seeds, {100 * arguments.noise:g} % wrong, engine {arguments.engine}\n")
    print("| answers | wrong | " + " | ".join(f"doubt >= {t:g}" for t in THRESHOLDS) + " |")
    print("|---" * (len(THRESHOLDS) + 2) + "|")
    for clicks, judged in runs.items():
        doubts = np.concatenate([doubts for doubts, _ in judged])
        wrong = np.concatenate([wrong for _, wrong in judged])
        cells = []
        for threshold in THRESHOLDS:
            offered = doubts >= threshold
            hits, all_offered = int(wrong[offered].sum()), int(offered.sum())
            right = f"{100 * hits / all_offered:.0f}" if all_offered else "-"
            cells.append(f"{right} / {100 * hits / max(int(wrong.sum()), 1):.0f} ({all_offered / len(judged):.1f})")
        print(f"| {clicks} | {wrong.sum() / len(judged):.1f} | " + " | ".join(cells) + " |")
    print(f"\nIn use: {DOUBTED:g}. Cells: right offers % / found % (offers a session).")


if __name__ == "__main__":
    main()
