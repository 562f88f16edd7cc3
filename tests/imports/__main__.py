"""Draws the imports of a package from its source: rooms, floors, arrows, circles, and what else a reader has to hold.

    python -m tests.imports [PACKAGE_FOLDER] [--check] [--reasons]

A room is what stands at the top level of the package, a module or a folder; its floor is one above the highest room
it imports from (rooms in a circle share one). Runtime imports count, those inside functions as well; what is imported
for types alone does not. `--reasons` lists the imports inside functions at which no comment with "start-up" or "extra"
stands (on the line, or alone on the line above; what is tried and may be missing needs none). `--check` exits with 1
where there is a circle, such an import, or a class that inherits from one of ours twice removed.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tests.imports.report import draw, lines_of
from tests.imports.source import Package


def main() -> int:
    """Print the drawing; 1 where `--check` was asked for and something is amiss."""
    parser = argparse.ArgumentParser(prog="python -m tests.imports", description=__doc__.splitlines()[0])
    parser.add_argument("folder", nargs="?", type=Path, default=Path("labeler"))
    parser.add_argument("--check", action="store_true", help="print the faults; exit with 1 where there are any")
    parser.add_argument("--reasons", action="store_true", help="list imports inside functions without a reason")
    given = parser.parse_args()
    drawing = draw(Package(given.folder))
    lines = drawing.faults if given.check else list(lines_of(drawing))
    if given.reasons:
        lines += [
            f"{module.name}:{item.line} imports {item.target or '__init__'}" for module, item in drawing.unexplained
        ]
    print("\n".join(lines))
    return int(given.check and bool(drawing.faults))


if __name__ == "__main__":
    sys.exit(main())
