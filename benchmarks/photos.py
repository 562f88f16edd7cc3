"""Photos from the first byte to a network's view of them: seconds and processor seconds, with those of all children.

    LABELER_DATA=... python benchmarks/photos.py 5000       (needs the extra `photos`; alone on the machine)

The first photos of the groceries (data.py), at most 160 pixels a side, as a folder of JPEG files and a new project.
Ready is when the network's view has joined the built-in ones. Prints a line of a table.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
import zipfile
from pathlib import Path

from data import data_folder

from labeler.core import steps
from labeler.plugins.importers.detect import open_source
from labeler.project.open import Options, open_project_of


def unpack(n: int, folder: Path) -> None:
    """Write the first `n` photos into `folder`."""
    with zipfile.ZipFile(data_folder() / "photos" / "grocery.zip") as archive:
        names = [name for name in archive.namelist() if name.endswith(".jpg")][:n]
        for number, name in enumerate(names):
            (folder / f"{number:05}.jpg").write_bytes(archive.read(name))


def processor_seconds() -> float:
    """Of this process and of its children that have ended."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def main() -> None:
    """Print the line of one run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("n", type=int, nargs="?", default=5_000)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "photos"
        folder.mkdir()
        unpack(arguments.n, folder)
        began, used = time.perf_counter(), processor_seconds()
        with open_project_of(open_source(folder), Path(scratch) / "photos.labeler.db", Options()) as project:
            pipeline = project.open_pipeline()
            steps.run(pipeline.join_companion())
            ready = time.perf_counter() - began
        print("| photos | ready after, s | processor, s |\n|---|---|---|")
        print(f"| {arguments.n:,} | {ready:.1f} | {processor_seconds() - used:.1f} |")


if __name__ == "__main__":
    main()
