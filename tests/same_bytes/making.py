"""Makes the projects: ``python tests/same_bytes/making.py FOLDER``, with the labeler that is on the path.

A script of its own, run with the checkout whose code is to make them; what it asks of a session is looked for under
the names it had and has. Every kind of answer there is comes up in one of the projects.
"""

from __future__ import annotations

import csv
import operator
import os
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from running import PROJECTS  # the neighbors, by the script's own folder
from sources import write_all

import labeler

NAMES = {
    "rename": ("rename_class", "classes.rename"),
    "merge": ("merge_class", "classes.merge"),
    "split": ("split_class", "classes.split", "classes.separate"),
    "retire": ("retire_class", "classes.retire"),
    "restore": ("restore_class", "classes.restore"),
    "class_id_for": ("class_id_for", "classes.id_for"),
    "reach": ("reach", "clusters.reach"),
    "divide": ("split", "clusters.split", "clusters.divide"),
    "flag": ("flag", "answers.flag"),
    "keep": ("keep", "answers.keep"),
    "page": ("page", "answers.page"),
}
"""What a session is asked to do -> its names there."""


def ask(session: Any, what: str, *arguments: Any) -> Any:
    """Do one of NAMES."""
    for name in NAMES[what]:
        try:
            method = operator.attrgetter(name)(session)
        except AttributeError:
            continue
        return method(*arguments)
    raise AttributeError(f"a session cannot {what}: it has none of {', '.join(NAMES[what])}")


def command(*arguments: str | Path) -> None:
    """Run a command of the program in this process; 1 is what an audit that is not through ends with."""
    from labeler.__main__ import main

    sys.argv = ["labeler", *map(str, arguments)]
    try:
        main()
    except SystemExit as end:
        if end.code not in (None, 0, 1):
            raise RuntimeError(f"labeler {' '.join(map(str, arguments))} ended with {end.code}") from end


def answer(project: Any, truth: dict[str, str], count: int, *, wrong: int = 0) -> list[str]:
    """Answer what is asked, every `wrong`-th time with the next class; the ids in order."""
    names = sorted(set(truth.values()))
    answered = []
    for turn in range(1, count + 1):
        asked = project.question
        if asked is None:
            break
        meant = truth[asked.id]
        if wrong and turn % wrong == 0:
            meant = names[(names.index(meant) + 1) % len(names)]
        project.answer(meant)
        answered.append(asked.id)
    return answered


def write_labels(path: Path, rows: Iterable[Sequence[str]], header: Sequence[str] = ("path", "label")) -> Path:
    """A CSV of labels as it comes from elsewhere."""
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)
    return path


def make_digits(folder: Path, truth: dict[str, str]) -> None:
    """Everything a person can do with classes, clusters and single answers, and what comes from elsewhere."""
    path = folder / "digits.labeler.db"
    with labeler.open(folder / "digits.npz", path, classes=list("0123456789"), annotator="Ada", seed=3) as project:
        session = project.session
        answered = answer(project, truth, 26)
        project.undo()
        project.undo()
        project.skip()
        project.unsure()
        project.reject()
        answer(project, truth, 6)
        ids = {name: ask(session, "class_id_for", name) for name in "0123456789"}
        ask(session, "flag", answered[1])
        ask(session, "flag", answered[4])
        ask(session, "rename", ids["0"], "zero, round")
        labeled = [item.id for item in project if item.label == "1" and item.provenance == "human"]
        ask(session, "split", ids["1"], "one with a foot", labeled[:1])
        ask(session, "merge", ids["3"], ids["8"])
        ask(session, "retire", ids["9"])
        project.undo()
        ask(session, "retire", ids["5"])
        ask(session, "restore", ids["5"])
        round_ = project.round()
        representatives = [f"{index:05d}" for index in round_.representatives]
        ask(session, "reach", representatives[0], 40.0)
        ask(session, "divide", representatives[1])
        page = [item.id for item in project if item.label == "6" and item.provenance != "human"][:5]
        ask(session, "page", [(name, ids["6"], "confirmed") for name in page])
    imported = write_labels(
        folder / "imported.csv", [(row, truth[row]) for row in map("{:05d}".format, range(150, 158))]
    )
    command("-q", "import-labels", path, imported)
    rows = [(row, truth[row], "0.75") for row in map("{:05d}".format, range(160, 199))]
    predictions = write_labels(folder / "predicted.csv", rows, ("path", "label", "confidence"))
    command("-q", "import-labels", path, predictions, "--as", "predictions")


def make_photos(folder: Path, truth: dict[str, str]) -> None:
    """Images in files, in the splits they came with."""
    with labeler.open(folder / "photos", folder / "photos.labeler.db", classes=["stripes", "squares"]) as project:
        answer(project, truth, 18)
        project.reject()
        answer(project, truth, 4)


def make_texts(folder: Path, truth: dict[str, str]) -> None:
    """Texts of a column."""
    with labeler.open(folder / "texts.csv", folder / "texts.labeler.db", text="text") as project:
        answer(project, truth, 20, wrong=9)


def make_table(folder: Path, truth: dict[str, str]) -> None:
    """Features; an audit to its end, and answers after it."""
    path = folder / "table.labeler.db"
    with labeler.open(folder / "table.csv", path, percentile=60.0, n_clusters=9, annotator="Bo") as project:
        answer(project, truth, 15)
    drawn, answers = folder / "drawn.csv", folder / "answers.csv"
    command("-q", "audit", path, "--draw", drawn, "--target", "0.9")
    with drawn.open(encoding="utf-8", newline="") as stream:
        names = [row["id"] for row in csv.DictReader(stream)]
    wrong = {names[2]: "low" if truth[names[2]] != "low" else "high"}
    write_labels(answers, [(name, wrong.get(name, truth[name])) for name in names], ("id", "label"))
    command("-q", "audit", path, "--answers", answers, "--end")
    with labeler.open(path) as project:
        answer(project, truth, 5)


def make_book(folder: Path, truth: dict[str, str]) -> None:
    """The chain of plug-ins, with parts that are named."""
    parts: dict[str, Any] = {"engine": "book", "encoder": "pca", "clusterer": "gmm", "classifier": "knn"}
    path = folder / "book.labeler.db"
    with labeler.open(
        folder / "digits.npz", path, strategy="entropy", n_clusters=20, percentile=50, **parts
    ) as project:
        answer(project, truth, 30)


def make_chain(folder: Path, truth: dict[str, str]) -> None:
    """The chain as it comes, and a classifier that names another engine."""
    with labeler.open(folder / "texts.csv", folder / "chain.labeler.db", text="text", classifier="logreg") as project:
        answer(project, truth, 24)


def make_measured(folder: Path, truth: dict[str, str]) -> None:
    """Random, repeated and blind questions."""
    shares = {"control": 0.2, "repeats": 0.2, "blind": 0.3}
    path = folder / "measured.labeler.db"
    with labeler.open(folder / "digits.npz", path, classes=list("0123456789"), seed=5, **shares) as project:
        answer(project, truth, 70, wrong=13)


def make_merged(folder: Path, truth: dict[str, str]) -> None:
    """Two people's files of one source."""
    paths = []
    for annotator, seed, wrong in (("anna", 1, 6), ("bob", 2, 5)):
        path = folder / f"{annotator}.labeler.db"
        with labeler.open(folder / "table.csv", path, annotator=annotator, seed=seed) as project:
            for row in range(6):  # both are asked about these
                project.answer(truth[f"r{row:03d}"], f"r{row:03d}")
            answer(project, truth, 18, wrong=wrong)
        paths.append(path)
    command("-q", "merge", *paths, "-o", folder / "merged.labeler.db")


MAKERS = {
    "digits": make_digits,
    "photos": make_photos,
    "texts": make_texts,
    "table": make_table,
    "book": make_book,
    "chain": make_chain,
    "measured": make_measured,
    "merged": make_merged,
}


def main() -> None:
    """Write the sources and every project into the folder that is named."""
    folder = Path(sys.argv[1]).resolve()
    truths = write_all(folder, Path(labeler.__file__).parent / "_data" / "digits.npz")
    os.chdir(folder)
    for name, source in PROJECTS.items():
        MAKERS[name](folder, truths[source])
        print(name, flush=True)


if __name__ == "__main__":
    main()
