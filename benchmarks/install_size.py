"""How much disk and time an installation takes: the core alone, in a fresh environment.

    python benchmarks/install_size.py                 (needs a package index, as `pip install` does)
    python benchmarks/install_size.py --extra map

Size: what lies in the environment after the installation less what was there before it (pip itself), by package, from
the files that pip recorded. Seconds: `pip install .`, downloads included; and what a person waits at each start.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
STARTS = 5

SIZES = """
import json
from importlib.metadata import distributions
sizes = {}
for found in distributions():
    files = [found.locate_file(file) for file in found.files or []]
    sizes[found.metadata["Name"]] = sum(file.stat().st_size for file in files if file.is_file())
print(json.dumps(sizes))
"""


def sizes(python: Path) -> dict[str, int]:
    """Bytes of every package in an environment."""
    found: dict[str, int] = json.loads(subprocess.run([python, "-c", SIZES], check=True, capture_output=True).stdout)
    return found


def seconds(*command: str | Path) -> float:
    """Wall time of a command."""
    began = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began


def main() -> None:
    """Print a table of packages by size, and the times."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--extra", default="", help="install this extra too")
    extra = parser.parse_args().extra
    with tempfile.TemporaryDirectory() as folder:
        venv.create(folder, with_pip=True)
        scripts = Path(folder) / ("Scripts" if sys.platform == "win32" else "bin")
        python, before = scripts / "python", sizes(scripts / "python")
        target = f"{ROOT}[{extra}]" if extra else str(ROOT)
        took = seconds(python, "-m", "pip", "install", "-q", "--no-cache-dir", target)
        added = {name: size for name, size in sizes(python).items() if name not in before}
        subprocess.run([scripts / "labeler", "--help"], check=True, stdout=subprocess.DEVNULL)  # compiled once
        on_disk = int(subprocess.run(["du", "-sk", folder], check=True, capture_output=True).stdout.split()[0])
        start = min(seconds(scripts / "labeler", "--help") for _ in range(STARTS))
    print("| package | MB |\n|---|---|")
    ordered = sorted(added.items(), key=lambda item: -item[1])
    for name, size in ordered[:10]:
        print(f"| {name} | {size / 1e6:.1f} |")
    print(f"| {len(ordered[10:])} others | {sum(size for _, size in ordered[10:]) / 1e6:.1f} |")
    print(f"| **all {len(ordered)}** | **{sum(added.values()) / 1e6:.1f}** |")
    print(f"\n`du -sh` of the environment, pip itself among it: {on_disk / 1024:.0f}M")
    print(f"\n`pip install`, seconds: {took:.0f}; `labeler --help`, ms: {1000 * start:.0f}")


if __name__ == "__main__":
    main()
