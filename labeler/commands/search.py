"""`labeler search --like`: what lies near to one instance."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from labeler.commands.ranks import Ranking, ReportProgress, ranking_of
from labeler.core import steps
from labeler.core.errors import UnreadableInstance, UsageError
from labeler.core.numeric.nearest import squared_distances_to
from labeler.core.recipe import Reading
from labeler.core.text import display_safe
from labeler.plugins.importers.folder import one_image
from labeler.plugins.importers.names import has_image_ending
from labeler.plugins.importers.value_range import arranged
from labeler.project.project import Project
from labeler.worker.pipeline import Pipeline


def nearest_to(project: Project, like: str, count: int, progress: ReportProgress = lambda _: None) -> Ranking:
    """Return the instances nearest to an instance of the pool or to an image file, in the features that lead (Euclid).

    Raises
    ------
    UsageError
        `like` is neither, or nothing can be encoded.
    UnreadableInstance
        The image cannot be decoded.
    """
    pool = project.session.pool
    own = _id_of(project, like)
    # checked before the features are made: that may take minutes
    if own is None and not (Path(like).is_file() and has_image_ending(Path(like).name)):
        raise UsageError(
            f"{display_safe(like)} is neither an instance of the pool nor an image file",
            "ids are paths relative to the source, as in an export",
        )
    pipeline: Pipeline = project.open_settled_pipeline(progress)
    snapshot = project.session.snapshot()
    view = pipeline.leading(snapshot)
    X = view.features
    if own is not None:
        index = pool.index(own)
        if pool.missing[index] or pool.unreadable[index]:
            raise UnreadableInstance(
                f"{display_safe(own)} is missing or cannot be read, so nothing is known to be like it"
            )
        point = np.asarray(X[index], dtype=np.float32)
    else:
        # a file from outside is read by the pool's range of values, else its grey would not compare
        by_range = Reading(range=project.options.get("range") or "")
        arrived = steps.run(pipeline.encode(arranged(one_image(Path(like)), by_range), snapshot), progress)
        if arrived.unreadable:
            raise UnreadableInstance(f"{display_safe(like)}: {arrived.unreadable[0]}")
        point, index = arrived.features[0], -1
    distances = np.sqrt(squared_distances_to(X, point))
    usable = ~(pool.missing | pool.unreadable)
    # an instance is nearest to itself, which says nothing
    if index >= 0:
        usable[index] = False
    # stable: of equally near ones the first of the pool stands first, every time
    order = np.argsort(np.where(usable, distances, np.inf), kind="stable")[: min(count, int(usable.sum()))]
    query = {"like": own if own is not None else like, "encoder": view.encoder}
    return ranking_of(project, query, "distance", order.astype(np.int64), distances[order])


def _id_of(project: Project, like: str) -> str | None:
    """Return the id that is meant, also by the path of its file; None for none of the pool."""
    pool = project.session.pool
    if like in pool:
        return like
    try:
        inside = Path(like).resolve().relative_to(project.source_path.resolve()).as_posix()
    except (ValueError, OSError, RuntimeError):  # no path of this source, or links in a circle
        return None
    return inside if inside in pool else None
