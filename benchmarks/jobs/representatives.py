"""Our chain from files to representatives: ``python -m jobs.representatives {raw|default} FOLDER CACHE``.

``raw`` is the source's chain on raw pixels with the book script's 50 clusters, ``default`` what a person gets who names
nothing. All is clustered and the first questions are known at the end; encoders that join later are no part of it.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from jobs.report import peak_mb, tell

from labeler.core.recipe import Recipe
from labeler.plugins.importers.detect import open_source
from labeler.worker.pipeline import Pipeline, _nothing_answered

CLUSTERS = 50


def main() -> None:
    """Print how many images and representatives there are, and the CPU seconds of this process by what it did."""
    kind, folder, cache = sys.argv[1], Path(sys.argv[2]), sys.argv[3]
    parts = {"engine": "book", "encoder": "pixels", "n_clusters": CLUSTERS} if kind == "raw" else {}
    recipe = Recipe(str(folder), cache, **parts)
    before, began = peak_mb(), time.process_time()
    source = open_source(folder)
    pipeline = Pipeline(recipe, source)
    spent = {"imports": began, "listing": time.process_time() - began}
    latest, what = time.process_time(), "reading"
    job = pipeline.open()
    while True:
        try:
            step = next(job)
        except StopIteration:
            break
        now = time.process_time()
        # a step names what comes next
        spent[what], latest, what = spent.get(what, 0.0) + now - latest, now, step.what or what
    questions = pipeline.rerank(_nothing_answered())
    tell(images=len(source.ids), representatives=len(questions.indices), spent=spent, before=before, peak=peak_mb())


if __name__ == "__main__":
    main()
