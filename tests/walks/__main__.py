"""Counts how far two things go through the program: an export, and a key press to the next question.

    python -m tests.walks [export | command | key] [--list]

Each runs in a process of its own, on a project of 400 digits with 30 answers, and every function of the package that is
called is noted by a profile (``sys.setprofile``, in all threads). A file is entered where one of its functions is
called: what a file does when it is imported is not counted, nor are comprehensions.

- `export`: ``project.export("labels.csv")`` of a project that is open from Python, its features and a round there;
- `command`: all of ``labeler export PROJECT labels.csv``;
- `key`: in the application that ``labeler label PROJECT`` opens, headless (Textual's pilot), from the arrival of a
  class key to the frame that holds the raised counter and the next question; the median of 15 keys with half a second
  of rest between, and all that any of them entered. What the worker happens to send meanwhile counts as well.

Rooms are the first parts of the modules' names, floors are those of ``python -m tests.imports``. Climbs are counted in
two ways, as arrows between rooms and not how often they were gone over:

- `calls up`: a function of a room on a lower floor calls one of a room on a higher floor (through other packages, too);
  to step a generator or a coroutine is no call;
- `ups`: in the order in which the rooms are first entered, the next room is on a higher floor than the one before, as a
  reader meets who follows the walk.

`calls into the session` is how often the walk goes down there from above, `callers` from which files. `loaded` are the
files of the package that were imported, exporters among them.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path

from tests.imports.rooms import floors_of, room_of
from tests.imports.source import Package
from tests.walks.walk import Walk

WALKS = ("export", "command", "key")
N_INSTANCES, N_ANSWERS = 400, 30


def main() -> None:
    """Run the walks, each in a process of its own."""
    parser = argparse.ArgumentParser(prog="python -m tests.walks", description=__doc__.splitlines()[0])
    parser.add_argument("walk", nargs="*", choices=[*WALKS, []], default=[])
    parser.add_argument("--list", action="store_true", help="name the files and arrows")
    parser.add_argument("--json", action="store_true", help="print one JSON object a walk")
    parser.add_argument("--within", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.within is not None:
        figures = walk_through(given.walk[0], given.within)
        print(json.dumps(figures) if given.json else "\n".join(lines_of(given.walk[0], figures, given.list)))
        return
    with tempfile.TemporaryDirectory() as folder:
        environment = alone(Path(folder))
        make_project(Path(folder), environment)
        more = [name for name in ("list", "json") if getattr(given, name)]
        for name in given.walk or WALKS:
            command = [sys.executable, "-m", "tests.walks", name, "--within", folder, *(f"--{word}" for word in more)]
            subprocess.run(command, env=environment, check=True)


def alone(folder: Path) -> dict[str, str]:
    """An environment in which nothing of the person's own is read or written."""
    places = {f"XDG_{kind}_HOME": str(folder / kind.lower()) for kind in ("STATE", "CACHE", "DATA", "CONFIG")}
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    return dict(os.environ) | places | threads


def make_project(folder: Path, environment: dict[str, str]) -> None:
    """A project of digits with some answers, in another process: nothing of it is loaded here."""
    code = f"""
import numpy, pathlib, labeler
digits = numpy.load(pathlib.Path(labeler.__file__).parent / "_data" / "digits.npz")
numpy.savez("digits.npz", X=digits["X"][:{N_INSTANCES}])
with labeler.open("digits.npz", "digits.labeler.db", classes=list("0123456789")) as project:
    for _ in range({N_ANSWERS}):
        project.answer(str(digits["y"][project.question.index]))
"""
    paths = os.pathsep.join(filter(None, (os.getcwd(), environment.get("PYTHONPATH"))))
    subprocess.run([sys.executable, "-c", code], cwd=folder, env=environment | {"PYTHONPATH": paths}, check=True)


def walk_through(name: str, folder: Path) -> dict[str, object]:
    """Go one walk in this process; its figures."""
    import labeler

    package = Path(labeler.__file__).parent
    walk = Walk(package)
    project = folder / "digits.labeler.db"
    if name == "key":
        from tests.walks.key import pressed

        return figures_of_keys(pressed(project, walk))
    from tests.walks import export

    (export.called if name == "export" else export.commanded)(project, folder / f"{name}.csv", walk)
    return figures_of_export(walk, floors_of(Package(package)))


def figures_of_export(walk: Walk, floors: dict[str, int]) -> dict[str, object]:
    """What is counted of an export."""
    order = [
        room for room in dict.fromkeys(room_of(module) for turn in walk.turns for module in turn) if room in floors
    ]
    calls_up: dict[str, list[str]] = {}
    into_session = Counter[str]()
    for (caller, called), count in walk.calls.items():
        above, below = room_of(caller), room_of(called)
        if floors.get(above, 0) < floors.get(below, 0):
            calls_up.setdefault(f"{above} -> {below}", []).append(f"{caller} -> {called}")
        if below == "session" and above != "session":
            into_session[caller] += count
    modules = [name for name in sys.modules if name.startswith("labeler.")]
    return {
        "files": sorted(walk.files),
        "functions": len(walk.functions),
        "rooms": order,
        "calls up": calls_up,
        "ups": [f"{a} -> {b}" for a, b in pairwise(order) if floors[a] < floors[b]],
        "calls into the session": into_session.total(),
        "callers of the session": dict(into_session),
        "loaded": len(modules),
        "exporters loaded": sorted(name for name in modules if ".exporters." in name),
    }


def figures_of_keys(keys: list[set[tuple[str, str, int]]]) -> dict[str, object]:
    """What is counted of key presses."""
    files = [{module for module, _, _ in entered} for entered in keys]
    whole = set().union(*files)
    return {
        "files by key": [len(entered) for entered in files],
        "functions by key": [len(entered) for entered in keys],
        "files": sorted(whole),
        "always": sorted(set.intersection(*files)),
        "functions": len(set().union(*keys)),
        "rooms": sorted(set(map(room_of, whole))),
    }


def lines_of(name: str, figures: dict[str, object], in_full: bool) -> Iterable[str]:
    """The figures as lines; `in_full` with the names."""
    if name == "key":
        by_key = [statistics.median(figures[f"{what} by key"]) for what in ("files", "functions")]  # type: ignore[call-overload]
        yield f"key: {by_key[0]:g} files, {by_key[1]:g} functions (median of {len(figures['files by key'])} keys)"  # type: ignore[arg-type]
        yield f"  files by key: {figures['files by key']}"
    counted = {what: value if isinstance(value, int) else len(value) for what, value in figures.items()}  # type: ignore[arg-type]
    yield f"{name}{', all keys together' if name == 'key' else ''}: " + ", ".join(
        f"{count} {what}" for what, count in counted.items() if not what.endswith("by key")
    )
    if in_full:
        yield from (f"  {what}: {value}" for what, value in figures.items())


if __name__ == "__main__":
    main()
