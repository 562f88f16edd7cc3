"""Image segmentation by color: the pixels of one image clustered, and the image in the clusters' mean colors."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from labeler.commands.clusters import plots
from labeler.core.errors import UsageError
from labeler.core.protocols import Clustering
from labeler.core.text import counted, display_safe
from labeler.core.types import ByteArray
from labeler.plugins import registry
from labeler.plugins.importers.folder import one_image
from labeler.plugins.importers.names import has_image_ending
from labeler.project.options import check_size

DEFAULT_K = 8
"""Colors, where nobody says how many: as the source's example."""


@dataclass(frozen=True, slots=True)
class Segmented:
    """One image by its colors: `image` (h, w[, 3]) in the mean color of each pixel's cluster, `colors` (k, 1 or 3) the
    most frequent first, and the `shares` (k,) of the pixels."""

    source: str
    clusterer: str
    image: ByteArray
    colors: ByteArray
    shares: list[float]
    inertia: float


def is_image(target: Path) -> bool:
    """Whether a target is one image file."""
    return target.is_file() and has_image_ending(target.name)


def segment(target: Path, clusterer: str, n_clusters: int | None, seed: int) -> Segmented:
    """Cluster the pixels of an image, each color channel in [0, 1].

    Raises
    ------
    SourceError, UnreadableInstance, UsageError, EngineError
        It cannot be read, there is no such clusterer, or it takes no image of so many pixels.
    """
    source = one_image(target)
    try:
        pixels = source.image(0)
    finally:
        source.close()
    rows = pixels.reshape(-1, 1 if pixels.ndim == 2 else pixels.shape[2])
    spec = clusterer or "kmeans"
    check_size(spec, len(rows))
    with threadpool_limits(1):
        clustering: Clustering = registry.create("clusterer", spec).cluster(
            rows.astype(np.float32) / np.float32(255), n_clusters or DEFAULT_K, seed
        )
    means = np.round(np.clip(clustering.centers, 0.0, 1.0) * 255).astype(np.uint8)
    sizes = np.bincount(clustering.clusters, minlength=len(means))
    order = np.argsort(-sizes, kind="stable")
    shares = [round(float(sizes[cluster]) / len(rows), 6) for cluster in order]
    image = np.ascontiguousarray(means[clustering.clusters].reshape(pixels.shape))
    return Segmented(str(target), spec, image, means[order], shares, clustering.inertia)


def check(output: Path | None) -> Path:
    """The file to write, a .png that is nobody's; a UsageError, before any work, where it is none."""
    if output is None:
        raise UsageError("an image is segmented into another one, and no file is named for it", "add: -o segmented.png")
    plots.check(output, "-o")
    return output


def facts(found: Segmented) -> dict[str, Any]:
    """The report as one JSON object."""
    return {
        "source": found.source,
        "clusterer": found.clusterer,
        "n_clusters": len(found.colors),
        "n_pixels": int(np.prod(found.image.shape[:2])),
        "inertia": found.inertia,
        "colors": found.colors.tolist(),
        "shares": found.shares,
    }


def text(found: Segmented) -> str:
    """The report as lines."""
    lines = [f"{display_safe(found.source)}: {counted(len(found.colors), 'color')} by {found.clusterer}"]
    for color, share in zip(found.colors.tolist(), found.shares, strict=True):
        lines.append(f"  #{''.join(f'{value:02x}' for value in (color * 3)[:3])} {100 * share:5.1f} %")
    return "\n".join(lines)
