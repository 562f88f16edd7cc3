"""`python -m labeler` and the `labeler` command."""

from __future__ import annotations

import os
import sys
import time

STARTED = time.perf_counter()

from labeler.core import collector  # noqa: E402 - start-up: the clock above starts before everything else is loaded

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")


def main() -> None:
    """Run the command line, with one thread in the numeric libraries unless the environment says otherwise.

    With more, two processes on two cores wait for each other's threads: 20 s in place of 2 were measured. They read
    the variables when they are loaded, so they are set before anything else; the worker inherits them.
    """
    for name in THREADS:
        os.environ.setdefault(name, "1")
    collector.begin()
    try:
        from labeler.cli import run  # start-up: the clock above starts before everything else is loaded
    except KeyboardInterrupt:  # before there was anything to interrupt
        sys.stderr.write("labeler: interrupted\n")
        sys.exit(130)
    run(STARTED)


if __name__ == "__main__":
    main()
