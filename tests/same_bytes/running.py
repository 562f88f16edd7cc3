"""Exports a project every way there is: ``python tests/same_bytes/running.py PROJECT FOLDER [CASE ...]``.

A script of its own, run with the checkout whose code is to export. Each case is a command; what it writes is in a
folder of its name, its standard output and exit code beside.
"""

from __future__ import annotations

import contextlib
import io
import sys
from pathlib import Path

EXPORTS = {
    "csv": ["labels.csv"],
    "jsonl": ["labels.jsonl"],
    "parquet": ["labels.parquet"],
    "npz": ["set.npz"],
    "sklearn": ["set.sklearn.npz"],
    "cleanlab": ["set.cleanlab.npz"],
    "imagefolder": ["images"],
    "hf": ["dataset", "--format", "hf"],
    "hf-jsonl": ["dataset", "--format", "hf:metadata=jsonl", "--split", "70/30"],
    "hf-csv": ["dataset", "--format", "hf:metadata=csv"],
    "labelstudio": ["tasks", "--format", "labelstudio"],
    "fiftyone": ["set", "--format", "fiftyone"],
    "fiftyone-split": ["set", "--format", "fiftyone", "--split", "60/20/20"],
    "prodigy": ["labels.prodigy.jsonl"],
    "model": ["model.npz", "--format", "model"],
    "onnx": ["model.onnx"],
    "stdout": ["-"],
    "stdout-jsonl": ["-", "--format", "jsonl"],
    "latest": ["labels.csv", "--latest"],
    "predicted": ["labels.csv", "--include", "predicted"],
    "rejected": ["labels.csv", "--include", "rejected"],
    "all": ["labels.jsonl", "--include", "predicted", "--include", "rejected", "--latest"],
    "human-only": ["labels.csv", "--human-only", "--latest"],
    "confident": ["labels.csv", "--min-confidence", "0.8"],
    "equal": ["labels.csv", "--weights", "equal"],
    "balanced": ["set.npz", "--weights", "balanced"],
    "split": ["labels.csv", "--split", "80/10/10"],
    "split-two": ["images", "--split", "75/25", "--link", "copy"],
    "csv-safe": ["labels.csv", "--csv-safe"],
}
"""Name -> what stands behind ``labeler export PROJECT``; the first is the target, in the case's folder."""
COMMANDS = {
    "status": ["status", "PROJECT", "--json"],
    "check": ["check", "PROJECT", "--json"],
    "replay": ["replay", "PROJECT", "--json"],
    "clusters": ["clusters", "PROJECT", "--json"],
    "outliers": ["outliers", "PROJECT", "--json"],
    "search": ["search", "PROJECT", "--like", "ID", "--json"],
    "audit": ["audit", "PROJECT", "--json"],
    "predict": ["predict", "PROJECT", "SOURCE", "-o", "TARGET", "--json"],
}
"""Name -> a command whose JSON is a contract as well; ID is an instance, SOURCE the project's own."""
IDS = {"digits": "00003", "photos": "train/a b 10.ppm", "texts": "t004", "table": "r005"}
SOURCES = {"digits": "digits.npz", "photos": "photos", "texts": "texts.csv", "table": "table.csv"}
PROJECTS = {
    "digits": "digits",
    "photos": "photos",
    "texts": "texts",
    "table": "table",
    "book": "digits",
    "chain": "texts",
    "measured": "digits",
    "merged": "table",
}
"""Project -> its source."""


def arguments_of(case: str, project: Path, folder: Path) -> list[str]:
    """The command line of a case."""
    if case in EXPORTS:
        target, *options = EXPORTS[case]
        return ["export", str(project), target if target == "-" else str(folder / target), *options]
    source = PROJECTS[project.name.partition(".")[0]]
    places = {
        "PROJECT": str(project),
        "ID": IDS[source],
        "SOURCE": str(project.with_name(SOURCES[source])),
        "TARGET": str(folder / "predicted.csv"),
    }
    return [places.get(word, word) for word in COMMANDS[case]]


def run(case: str, project: Path, folder: Path) -> None:
    """Run one case in this process; what is said on standard error is for reading, and not compared."""
    from labeler.__main__ import main

    folder.mkdir(parents=True)
    out, err = io.StringIO(), io.StringIO()
    sys.argv = ["labeler", "-q", *arguments_of(case, project, folder)]
    code: object = 0
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            main()
        except SystemExit as end:
            code = end.code or 0
    (folder / "exit code").write_text(f"{code}\n")
    if case not in EXPORTS or EXPORTS[case][0] == "-":  # what is said for a person may be said better
        (folder / "standard output").write_text(out.getvalue(), encoding="utf-8", errors="surrogatepass")
    (folder / "standard error").write_text(err.getvalue(), encoding="utf-8", errors="surrogatepass")


def main() -> None:
    """Run the cases that are named, or all."""
    project, folder = Path(sys.argv[1]), Path(sys.argv[2])
    for case in sys.argv[3:] or [*EXPORTS, *COMMANDS]:
        run(case, project, folder / case)


if __name__ == "__main__":
    main()
