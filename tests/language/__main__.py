"""Print every breach of the language rules: `python -m tests.language [FOLDER ...]`; ends with 1 where there is one."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.language.rules import breaches

if __name__ == "__main__":
    lines = [str(breach) for name in sys.argv[1:] or ["labeler"] for breach in breaches(Path(name))]
    print(*lines, f"{len(lines)} in all", sep="\n")
    sys.exit(bool(lines))
