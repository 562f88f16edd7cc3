"""Image segmentation by color: the pixels of one image clustered, and the image in the clusters' mean colors."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from labeler.commands.clusters import plots
from labeler.commands.result import Result
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
class Segmentation(Result):
    """One image by its colors: `image` (h, w[, 3]) in the mean color of each pixel's cluster, `colors` (k, 1 or 3) the
    most frequent first, and the `shares` (k,) of the pixels."""

    source: str
    clusterer: str
    image: ByteArray
    colors: ByteArray
    shares: list[float]
    inertia: float
    path: Path | None = None  # where the image was written

    def to_json(self) -> dict[str, Any]:
        """Return the colors and their shares, without the image."""
        return {
            "source": self.source,
            "clusterer": self.clusterer,
            "n_clusters": len(self.colors),
            "n_pixels": int(np.prod(self.image.shape[:2])),
            "inertia": self.inertia,
            "colors": self.colors.tolist(),
            "shares": self.shares,
        }

    def lines(self) -> list[str]:
        """Return one line a color, the most frequent first."""
        lines = [f"{display_safe(self.source)}: {counted(len(self.colors), 'color')} by {self.clusterer}"]
        for color, share in zip(self.colors.tolist(), self.shares, strict=True):
            # a gray is one number: three times the same is its color
            lines.append(f"  #{''.join(f'{value:02x}' for value in (color * 3)[:3])} {100 * share:5.1f} %")
        return lines

    def warnings(self) -> list[str]:
        """Return which file was written."""
        return [] if self.path is None else [f"written to {self.path}"]


def is_image(target: Path) -> bool:
    """Whether a target is one image file."""
    return target.is_file() and has_image_ending(target.name)


def segment(target: Path, clusterer: str, n_clusters: int | None, seed: int) -> Segmentation:
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
    # one thread gives the same sums in the same order, and so the same picture
    with threadpool_limits(1):
        clustering: Clustering = registry.create("clusterer", spec).cluster(
            rows.astype(np.float32) / np.float32(255), n_clusters or DEFAULT_K, seed
        )
    # a mean of colors is a color again; clipped, for a mixture's mean may leave the cube by rounding
    means = np.round(np.clip(clustering.centers, 0.0, 1.0) * 255).astype(np.uint8)
    sizes = np.bincount(clustering.clusters, minlength=len(means))
    # stable: colors of the same share keep the clusterer's order
    order = np.argsort(-sizes, kind="stable")
    shares = [round(float(sizes[cluster]) / len(rows), 6) for cluster in order]
    image = np.ascontiguousarray(means[clustering.clusters].reshape(pixels.shape))
    return Segmentation(str(target), spec, image, means[order], shares, clustering.inertia)


def segment_into(output: Path | None, target: Path, clusterer: str, n_clusters: int | None, seed: int) -> Segmentation:
    """Segment an image and write it to `output`. Raises as :func:`check` and :func:`segment`."""
    path = check(output)
    segmentation = replace(segment(target, clusterer, n_clusters, seed), path=path)
    plots.save_image(segmentation.image, path)
    return segmentation


def check(output: Path | None) -> Path:
    """Return the file to write, a .png that is nobody's; a UsageError, before any work, where it is none."""
    if output is None:
        raise UsageError("an image is segmented into another one, and no file is named for it", "add: -o segmented.png")
    plots.check_place(output, "-o")
    return output
