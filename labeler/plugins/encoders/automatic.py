"""Choosing an encoder by looking at the pool, without a label."""

from __future__ import annotations

import numpy as np
from scipy.sparse.linalg import eigsh

from labeler.core import steps
from labeler.core.numeric.neighbor_graph import neighbour_graph, normalized
from labeler.core.numeric.pca import axes_of_sample
from labeler.core.types import FloatArray
from labeler.plugins import registry
from labeler.plugins.encoders.base import Images
from labeler.plugins.encoders.deskew import ink
from labeler.plugins.encoders.raster import check_images, resize, to_grey, to_unit

LOOK = 500
"""Images looked at to tell ink on paper."""
SAMPLE = 600
"""Images encoded with each candidate where the eye does not decide."""
CANDIDATES = ("hog", "scattering", "scattering:standardise=False")
COMPANIONS = {"scattering": "hog", "hog": "scattering"}
"""What looks at photos besides the encoder chosen, and is joined once answers can tell what it is worth. Ink needs
none: there it changed no label."""
NETWORK, EXTRA, COLOR_PHOTOS = "efficientnet-lite0", "photos", "color photos"
GROUPS = "its neighbour graph falls best into groups"
"""The reason of an encoder that was chosen for pictures which are neither ink nor in color, and not too few."""
_EIGENVALUES = 20
_THIN = 0.8  # stroke width that still is a stroke, in spreads of the ink: bold letters reach 0.75
_THIN_SMALL = 1.3  # below 16 px a stroke of two pixels is a good part of the glyph


def choose_encoder(images: Images, random_state: int) -> tuple[str, str]:
    """The spec of the encoder that suits the pool and, in one line, why.

    Texts: ``tfidf``. Tables: ``scaled``, or as they are if the columns are of one scale. Ink on a plain ground:
    ``deskew-hog``.
    Colour photos: ``scattering``, which the lighting of a scene hardly reaches.
    Other images: the candidate whose neighbour graph falls best into groups (:func:`group_strength`), on a sample
    shrunk to 32 px. ``deskew-hog`` and ``pca`` do not stand there: they describe a photo by little more than its
    lighting, which makes clean but wrong groups; so does ``hog`` where the ground is plain and unevenly lit, as it
    is in many a colour photo.
    """
    if images.ndim == 1:
        return "tfidf", "texts"
    if images.ndim == 2:
        return _for_table(images)
    check_images(images)
    rng = np.random.default_rng(random_state)
    if is_ink(_sample(images, LOOK, rng)):
        return "deskew-hog", "ink on a plain ground"
    if _colourful(_sample(images, LOOK, rng)):
        return "scattering", COLOR_PHOTOS
    sample = _shrunk(_sample(images, SAMPLE, rng))
    if len(sample) <= 2 * _EIGENVALUES:
        return "hog", "too few images to compare encoders on"
    strengths = {
        spec: group_strength(registry.create("encoder", spec).fit(sample).transform(sample), random_state)
        for spec in CANDIDATES
    }
    best = max(strengths, key=lambda spec: strengths[spec])
    return best, f"{GROUPS} ({strengths[best]:.3f} on {len(sample):,} images)"


def further_views(encoder: str, reason: str) -> list[tuple[str, bool]]:
    """The encoders that join an automatically chosen one, in this order, and whether they may come to lead.

    Photos, and grey pictures that are no ink, are looked at by a network trained on photos as well, where its extra is
    installed: of grey photos it tells twice as many apart as the built-in encoders do.
    """
    views = [(COMPANIONS[name], False)] if (name := encoder.partition(":")[0]) in COMPANIONS else []
    if suits_network(reason) and registry.entry("encoder", NETWORK).available:
        views.append((NETWORK, True))
    return views


def missing_extra(reason: str) -> str:
    """Return the extra that would bring a further view of a pool whose encoder was chosen for `reason`; "" = none."""
    return "" if not suits_network(reason) or registry.entry("encoder", NETWORK).available else EXTRA


def suits_network(reason: str) -> bool:
    """Whether a network trained on photos may tell more of a pool whose encoder was chosen for `reason`."""
    return reason == COLOR_PHOTOS or reason.startswith(GROUPS)


def is_ink(images: Images) -> bool:
    """Whether the typical image is grey, with a plain ground, and its marks are thin strokes, not filled shapes.

    Plain: 7 of 10 border pixels and half of all are close to the border's median.
    """
    if len(images) == 0 or _colourful(images):
        return False
    grey = to_grey(images)
    border = np.concatenate((grey[:, 0], grey[:, -1], grey[:, :, 0], grey[:, :, -1]), axis=1)
    ground = np.median(border, axis=1)
    away = np.abs(grey - ground[:, None, None])
    peak = away.max(axis=(1, 2))
    drawn = peak > 0
    if not drawn.any():
        return False
    plain_border = (np.abs(border - ground[:, None]) < 0.1).mean(axis=1)
    plain = (away < 0.15 * peak[:, None, None]).mean(axis=(1, 2))
    limit = _THIN if max(images.shape[1:3]) >= 16 else _THIN_SMALL
    return bool(
        np.median(plain_border) >= 0.7
        and np.median(plain[drawn]) >= 0.5
        and np.median(_stroke_width(ink(grey[drawn]))) <= limit
    )


def _colourful(images: Images) -> bool:
    """Whether the channels of a typical colour image differ visibly."""
    if images.ndim == 3:
        return False
    unit = to_unit(images)
    return bool(np.median(np.ptp(unit, axis=3).mean(axis=(1, 2))) > 0.03)


def _stroke_width(marks: FloatArray) -> FloatArray:
    """Width of the strokes of ink (n, s, s) as a share of the spread of the ink: a disc has 2, writing about 0.5."""
    side = np.arange(marks.shape[1], dtype=np.float32)
    area = np.maximum(marks.sum(axis=(1, 2)), 1e-6)
    edge = np.hypot(np.diff(marks, axis=1)[:, :, :-1], np.diff(marks, axis=2)[:, :-1]).sum(axis=(1, 2))
    variance = np.zeros(len(marks), dtype=np.float32)
    for axis in (1, 2):
        profile = marks.sum(axis=axis) / area[:, None]
        variance += profile @ side**2 - (profile @ side) ** 2
    spread = np.sqrt(np.maximum(variance / 2, 0.25))
    return np.asarray(2 * area / np.maximum(edge, 1e-6) / spread, dtype=np.float32)


def group_strength(features: FloatArray, random_state: int = 0) -> float:
    """Mean of the 20 largest non-trivial eigenvalues of the normalised 10-neighbour graph, in [-1, 1].

    Near 1 the graph falls into that many groups with few edges between them (von Luxburg, "A tutorial on spectral
    clustering", 2007); it needs no label and compares encoders of different dimension.
    """
    centered = features - features.mean(axis=0, dtype=np.float64).astype(np.float32)
    graph = steps.run(neighbour_graph(centered @ axes_of_sample(centered, 100), random_state=random_state))
    matrix, _ = normalized(graph.weights)
    start = np.random.default_rng(random_state).standard_normal(len(features)).astype(np.float32)
    # the solver finds fewer eigenvalues than there are rows
    wanted = min(_EIGENVALUES + 1, len(features) - 2)
    values = eigsh(matrix, k=wanted, which="LA", v0=start, tol=1e-3, return_eigenvectors=False)
    # the largest is 1 for every graph, and says nothing
    return float(np.sort(values)[:-1].mean())


def _for_table(table: Images) -> tuple[str, str]:
    """``pixels`` (as they are) for many columns of one scale, ``scaled`` otherwise."""
    deviation = np.nan_to_num(np.asarray(table[:10_000], dtype=np.float64).std(axis=0) if len(table) else np.ones(1))
    moving = deviation[deviation > 0]
    if len(moving) >= 32 and np.quantile(moving, 0.95) <= 10 * np.quantile(moving, 0.05):
        return "pixels", f"{table.shape[1]} columns of one scale, as they are"
    return "scaled", "columns of different scales"


def _sample(images: Images, size: int, rng: np.random.Generator) -> Images:
    if len(images) <= size:
        return np.asarray(images)
    return np.asarray(images[np.sort(rng.choice(len(images), size, replace=False))])


def _shrunk(images: Images) -> Images:
    """Images of more than 40 px at 32 px, as floats in [0, 1]: enough to compare encoders, at a fifth of the time."""
    if max(images.shape[1:3]) <= 40:
        return images
    unit = to_unit(images)
    if unit.ndim == 3:
        return resize(unit, 32, 32)
    return np.stack([resize(unit[..., channel], 32, 32) for channel in range(3)], axis=-1)
