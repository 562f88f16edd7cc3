"""Glyphs made upright: ground removed, slant sheared away, centre and size brought to one place. Batched.

Moment normalisation as in handwriting recognition (Casey, "Moment normalization of handprinted characters", IBM J.
1970; Liu et al., "Handwritten digit recognition: normalization and feature extraction", Pattern Recognition 37, 2004).
"""

from __future__ import annotations

import numpy as np

from labeler.core.types import FloatArray
from labeler.plugins.encoders.raster import resize

# Flat optima over five sets (two of handwritten digits, one of 8 x 8 digits, printed letters, drawn signs).
_MAX_SHEAR = 1.0  # 45 degrees: beyond it the "slant" is the shape of the glyph
_SPREAD = 0.18  # root mean square spread of the ink wanted, in sides of the output
_EVEN_OUT = 0.55  # share of the difference between width and height that is taken away: 0 keeps the aspect
_ZOOM = (0.4, 2.5)  # input pixels an output pixel may span at least and at most: a dot stays a dot
_UNREST = 4.0  # median deviations of the border (2.7 standard ones) that pass for ground ...
_UNREST_LIMIT = 0.35  # ... but never more than this share of the strongest ink


def ink(images: FloatArray) -> FloatArray:
    """Distance from the ground in [0, 1], (n, s, s): 0 on the ground, 1 at the strongest ink.

    The ground of an image is the median of its border, so dark on light and light on dark come out alike. Images
    that are not square are padded with ground.
    """
    n, h, w = images.shape
    border = np.concatenate((images[:, 0], images[:, -1], images[:, :, 0], images[:, :, -1]), axis=1)
    ground = np.median(border, axis=1)
    # Paper that is not clean: what the border does by itself is no ink. (0 where the ground is one value.)
    unrest = np.median(np.abs(border - ground[:, None]), axis=1)
    strength: FloatArray = np.abs(images - ground[:, None, None])
    peak = strength.reshape(n, -1).max(axis=1)
    unrest = np.minimum(_UNREST * unrest, _UNREST_LIMIT * peak)
    strength = np.maximum(strength - unrest[:, None, None], 0)
    strength /= np.maximum(peak - unrest, 1 / 255)[:, None, None]
    if h == w:
        return strength
    side = max(h, w)
    square = np.zeros((n, side, side), dtype=np.float32)
    top, left = (side - h) // 2, (side - w) // 2
    square[:, top : top + h, left : left + w] = strength
    return square


def upright(images: FloatArray, size: int) -> FloatArray:
    """Ink (n, size, size) float32 of grey images (n, h, w): deskewed, centered and sized by its moments."""
    glyphs = ink(images)
    # A large original is read at twice the size wanted and averaged, so that shrinking does not alias.
    fine = 2 if glyphs.shape[1] >= 1.5 * size else 1
    side = fine * size
    glyphs = np.maximum(resize(glyphs, side, side), 0.0)
    y, x, shear, spread_y, spread_x = _pose(glyphs)
    both = np.sqrt((spread_y**2 + spread_x**2) / 2)
    zoom_y = _zoom(both, spread_y, size, fine)
    zoom_x = _zoom(both, spread_x, size, fine)
    steps = ((np.arange(side) - (side - 1) / 2) / fine).astype(np.float32)
    dy = zoom_y[:, None] * steps
    glyphs = _sample_rows(glyphs, y[:, None] + dy)
    rows = (x[:, None] + shear[:, None] * dy)[:, :, None]
    glyphs = _sample_columns(glyphs, rows + zoom_x[:, None, None] * steps)
    if fine == 1:
        return glyphs
    return np.asarray(glyphs.reshape(len(glyphs), size, fine, size, fine).mean(axis=(2, 4)), dtype=np.float32)


def _zoom(both: FloatArray, spread: FloatArray, size: int, fine: int) -> FloatArray:
    """Input pixels an output pixel spans along one axis, from the spread of the ink along it and along both."""
    zoom = both * (spread / both) ** _EVEN_OUT / (_SPREAD * size)
    return np.clip(zoom, fine * _ZOOM[0], fine * _ZOOM[1]).astype(np.float32)


def _pose(glyphs: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray, FloatArray]:
    """Centre of mass (y, x), horizontal shear, and the spreads (y, x) once it is removed; pixels, (n,) each."""
    _, h, w = glyphs.shape
    ys, xs = np.arange(h, dtype=np.float32), np.arange(w, dtype=np.float32)
    by_row, by_column = glyphs.sum(axis=2), glyphs.sum(axis=1)
    total = by_row.sum(axis=1)
    mass = np.maximum(total, 1e-6)
    y = np.where(total > 0, by_row @ ys / mass, (h - 1) / 2).astype(np.float32)
    x = np.where(total > 0, by_column @ xs / mass, (w - 1) / 2).astype(np.float32)
    dy, dx = ys - y[:, None], xs - x[:, None]
    mixed = np.einsum("nj,nj->n", np.einsum("nij,ni->nj", glyphs, dy), dx) / mass
    # A quarter of a pixel squared: what one pixel's own width would give.
    var_y = np.maximum((by_row * dy**2).sum(axis=1) / mass, 0.25)
    var_x = np.maximum((by_column * dx**2).sum(axis=1) / mass, 0.25)
    shear = np.clip(mixed / var_y, -_MAX_SHEAR, _MAX_SHEAR)
    sheared = np.maximum(var_x - 2 * shear * mixed + shear**2 * var_y, 0.25)
    return y, x, shear.astype(np.float32), np.sqrt(var_y), np.sqrt(sheared)


def _sample_rows(glyphs: FloatArray, rows: FloatArray) -> FloatArray:
    """Linear interpolation along y at fractional `rows` (n, r), zero outside: (n, r, w)."""
    n, h, _ = glyphs.shape
    padded = np.pad(glyphs, ((0, 0), (1, 2), (0, 0)))
    rows = np.clip(rows + 1, 0, h + 1)
    low = np.floor(rows).astype(np.int64)
    part = (rows - low)[:, :, None].astype(np.float32)
    image = np.arange(n)[:, None]
    return padded[image, low] * (1 - part) + padded[image, low + 1] * part


def _sample_columns(glyphs: FloatArray, columns: FloatArray) -> FloatArray:
    """Linear interpolation along x at fractional `columns` (n, r, c), zero outside: (n, r, c)."""
    n, r, w = glyphs.shape
    padded = np.pad(glyphs, ((0, 0), (0, 0), (1, 2)))
    columns = np.clip(columns + 1, 0, w + 1)
    low = np.floor(columns).astype(np.int64)
    part = (columns - low).astype(np.float32)
    low += (np.arange(n * r) * (w + 3)).reshape(n, r, 1)
    flat = padded.ravel()
    return np.take(flat, low) * (1 - part) + np.take(flat, low + 1) * part
