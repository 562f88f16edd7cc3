"""Shows that two checkouts export the same bytes for the same answers, in every format.

    python -m tests.same_bytes OTHER_CHECKOUT [--python PYTHON] [--committed] [--only NAME ...] [--keep FOLDER]
    python -m tests.same_bytes --record

The projects are made by the code of OTHER_CHECKOUT (see making.py: digits, photos, texts, a table of features, plug-ins
by name, an audit with its certificate, measuring questions, two people's files merged). Then the code of each checkout
opens copies of them at the same place, without a cache, and exports each in every format and with every option
(running.py); the JSON of commands is written as well. Every file is compared to the byte. Nothing is normalised: an
export holds no time. It holds the program's version: checkouts that differ in it differ in every manifest. What is not
compared is what is said to a person: standard error, and the report of an export.

Each checkout runs with its own ``.venv``; `--python` runs both with one interpreter, where libraries should not differ.
`--committed` takes the projects that are kept in ``projects/`` in place of new ones. `--record` makes these anew with
the present checkout, and ``expected.json`` with them: they are of the code before its rooms were moved, and stay.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from tests.same_bytes.reading import differences, labels_digest
from tests.same_bytes.running import EXPORTS, PROJECTS

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
COMMITTED = HERE / "projects"
EXPECTED = HERE / "expected.json"
SUFFIX = ".labeler.db"
NOT_COMMITTED = ("parquet", "hf", "onnx", "model")
"""Cases whose files depend on an extra that may not be there, or that hold a model and no labels."""


def main() -> int:
    """Compare, or record; 1 where anything differs."""
    parser = argparse.ArgumentParser(prog="python -m tests.same_bytes", description=__doc__.splitlines()[0])
    parser.add_argument("other", nargs="?", type=Path, help="the checkout that makes the projects")
    parser.add_argument("--python", type=Path, help="one interpreter for both")
    parser.add_argument("--committed", action="store_true", help="compare on the projects that are kept")
    parser.add_argument("--only", nargs="+", choices=list(PROJECTS), default=list(PROJECTS))
    parser.add_argument("--keep", type=Path, help="leave the exports of both here")
    parser.add_argument("--record", action="store_true", help="make the kept projects anew")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        work = given.keep.resolve() if given.keep else Path(folder)
        work.mkdir(parents=True, exist_ok=True)
        if given.record:
            record(work)
            return 0
        if given.other is None:
            parser.error("name the other checkout")
        return compare(work, given.other.resolve(), given.python, given.only, given.committed)


def compare(work: Path, other: Path, python: Path | None, names: Sequence[str], committed: bool) -> int:
    """Make, export twice, compare; the number of files that differ, at most 1."""
    ready, stage = work / "ready", work / "stage"
    if committed:
        unpack(ready, names)
    else:
        make(other, python, stage)
        stage.rename(ready)
    for side, checkout in (("before", other), ("after", ROOT)):
        set_out(ready, stage)
        for name in names:
            print(f"{side}: {name}", file=sys.stderr, flush=True)
            export(checkout, python, stage / f"{name}{SUFFIX}", stage / "out" / name)
        shutil.rmtree(work / side, ignore_errors=True)
        (stage / "out").rename(work / side)
        shutil.rmtree(stage)
    aside = {path for side in ("before", "after") for path in (work / side).rglob("standard error")}
    errors = {path.parent: path.read_text() for path in aside}
    for path in aside:
        path.unlink()
    lines = list(differences(work / "before", work / "after"))
    print("\n".join(lines))
    _say_codes(work / "before", errors)
    n_files = sum(path.is_file() for path in (work / "before").rglob("*"))
    print(f"{n_files} files of {len(names)} projects compared, {len(lines)} differ")
    return int(bool(lines))


def _say_codes(side: Path, errors: dict[Path, str]) -> None:
    """What could not be exported, and why, by the first line of what was said."""
    reasons = Counter[str]()
    for path in side.rglob("exit code"):
        if path.read_text() != "0\n":
            lines = [line for line in errors[path.parent].splitlines() if line.startswith("labeler: ")]
            reasons[f"{path.parent.name}: {lines[0] if lines else 'exit code ' + path.read_text().strip()}"] += 1
    for reason, count in sorted(reasons.items()):
        print(f"alike in both, {count} x {reason}")


def make(checkout: Path, python: Path | None, folder: Path) -> None:
    """Make the projects with the code of a checkout, beside their sources."""
    command = [interpreter(checkout, python), str(HERE / "making.py"), str(folder)]
    with tempfile.TemporaryDirectory() as home:
        subprocess.run(command, check=True, env=environment(checkout, Path(home)), cwd=home, stdout=sys.stderr)
    for cache in folder.glob("*.labeler.cache"):
        shutil.rmtree(cache)


def export(checkout: Path, python: Path | None, project: Path, folder: Path, *cases: str) -> None:
    """Export a project every way, or as the cases say, with the code of a checkout."""
    command = [interpreter(checkout, python), str(HERE / "running.py"), str(project), str(folder), *cases]
    with tempfile.TemporaryDirectory() as home:
        subprocess.run(command, check=True, env=environment(checkout, Path(home)), cwd=home)


def interpreter(checkout: Path, python: Path | None) -> str:
    """The one that was named, else the checkout's own, else ours."""
    own = checkout / ".venv" / "bin" / "python"
    return str((python or (own if own.exists() else Path(sys.executable))).absolute())


def environment(checkout: Path, home: Path) -> dict[str, str]:
    """The checkout before all else on the path, nothing of the person's own, one thread."""
    places = {f"XDG_{kind}_HOME": str(home / kind.lower()) for kind in ("STATE", "CACHE", "DATA", "CONFIG")}
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    return dict(os.environ) | places | threads | {"PYTHONPATH": str(checkout), "PYTHONHASHSEED": "0"}


def set_out(ready: Path, stage: Path) -> None:
    """Copies of projects and sources at the place where both checkouts find them."""
    shutil.rmtree(stage, ignore_errors=True)
    shutil.copytree(ready, stage)


def unpack(folder: Path, names: Sequence[str] = tuple(PROJECTS)) -> None:
    """The projects that are kept, and their sources, written into `folder`."""
    import labeler
    from tests.same_bytes.sources import write_all

    write_all(folder, Path(labeler.__file__).parent / "_data" / "digits.npz")
    for name in names:
        packed = (COMMITTED / f"{name}{SUFFIX}.gz").read_bytes()
        (folder / f"{name}{SUFFIX}").write_bytes(gzip.decompress(packed))


def record(work: Path) -> None:
    """Make the kept projects and what is expected of them with the present code."""
    place = Path(tempfile.gettempdir()) / "labeler-projects"  # the projects remember it: nobody's own
    make(ROOT, None, place)
    COMMITTED.mkdir(exist_ok=True)
    for name in PROJECTS:
        whole = (place / f"{name}{SUFFIX}").read_bytes()
        (COMMITTED / f"{name}{SUFFIX}.gz").write_bytes(gzip.compress(whole, mtime=0))
    shutil.rmtree(place)
    unpack(work)
    expected = {}
    for name in PROJECTS:
        export(ROOT, None, work / f"{name}{SUFFIX}", work / "out" / name, *committed_cases())
        expected[name] = expected_of(work, name)
    EXPECTED.write_text(json.dumps(expected, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def committed_cases() -> list[str]:
    """The cases of which digests are kept, and the status."""
    return [*(case for case in EXPORTS if case not in NOT_COMMITTED), "status"]


def expected_of(work: Path, name: str) -> dict[str, object]:
    """What is kept of a project that was exported below `work`."""
    out = work / "out" / name
    status = (out / "status" / "standard output").read_text(encoding="utf-8")
    return {
        "labels": {case: labels_digest(out / case, work) for case in committed_cases() if case != "status"},
        "status": json.loads(status.replace(str(work.resolve()), "FOLDER")),
    }


if __name__ == "__main__":
    sys.exit(main())
