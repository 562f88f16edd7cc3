"""All of a pool to its nearest of 50 centers: ``python -m jobs.assignment FEATURES.npy``.

Beside it the least that can be: the matrix product of the same rows and centers, and the largest entry of each row.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable

import numpy as np
from jobs.report import tell
from threadpoolctl import threadpool_limits

from labeler.core.numeric.kmeans import assign, kmeans

CLUSTERS, REPEATS, CHUNK = 50, 5, 8_192


def timed(job: Callable[[], object]) -> float:
    """The median CPU seconds."""
    seconds = []
    for _ in range(REPEATS):
        began = time.process_time()
        job()
        seconds.append(time.process_time() - began)
    return statistics.median(seconds)


def main() -> None:
    """Print the seconds of the assignment, of all k-means with it, and of the bare product."""
    X = np.load(sys.argv[1])
    with threadpool_limits(1):
        centers = kmeans(X, CLUSTERS, 0, n_init=1).centers

        def product() -> None:
            for start in range(0, len(X), CHUNK):
                (X[start : start + CHUNK] @ centers.T).argmax(axis=1)

        tell(
            rows=len(X),
            assign=timed(lambda: assign(X, centers)),
            product=timed(product),
            kmeans=timed(lambda: kmeans(X, CLUSTERS, 0, n_init=1)),
        )


if __name__ == "__main__":
    main()
