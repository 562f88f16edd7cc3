"""`python -m labeler` and the `labeler` command."""

from __future__ import annotations

import time

STARTED = time.perf_counter()


def main() -> None:
    """Run the command line."""
    from labeler.cli import run

    run(STARTED)


if __name__ == "__main__":
    main()
