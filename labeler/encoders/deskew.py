"""Glyphs made upright: ground removed, slant sheared away, centered on their centre of mass. Batched."""

from __future__ import annotations

import numpy as np

from labeler.core.vocabulary import FloatArray
from labeler.encoders.raster import resize

_MAX_SHEAR = 1.0  # 45 degrees: beyond it the "slant" is the shape of the glyph


def ink(images: FloatArray) -> FloatArray:
    """Distance from the ground in [0, 1], (n, s, s): 0 on the ground, 1 at the strongest ink.

    The ground of an image is the median of its border, so dark on light and light on dark come out alike. Images
    that are not square are padded with ground.
    """
    n, h, w = images.shape
    border = np.concatenate((images[:, 0], images[:, -1], images[:, :, 0], images[:, :, -1]), axis=1)
    strength: FloatArray = np.abs(images - np.median(border, axis=1)[:, None, None])
    peak = strength.reshape(n, -1).max(axis=1)
    strength /= np.maximum(peak, 1 / 255)[:, None, None]
    if h == w:
        return strength
    side = max(h, w)
    square = np.zeros((n, side, side), dtype=np.float32)
    top, left = (side - h) // 2, (side - w) // 2
    square[:, top : top + h, left : left + w] = strength
    return square


def upright(images: FloatArray, size: int) -> FloatArray:
    """Ink (n, size, size) float32 of grey images (n, h, w): deskewed by its second moments and centered."""
    glyphs = np.maximum(resize(ink(images), size, size), 0.0)
    y, x, shear = _pose(glyphs)
    steps = np.arange(size, dtype=np.float32) - (size - 1) / 2
    rows = y[:, None] + steps
    glyphs = _sample_rows(glyphs, rows)
    columns = x[:, None, None] + shear[:, None, None] * steps[:, None] + steps
    return _sample_columns(glyphs, columns)


def _pose(glyphs: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Centre of mass (y, x) in pixels and horizontal shear, (n,) each."""
    _, h, w = glyphs.shape
    ys, xs = np.arange(h, dtype=np.float32), np.arange(w, dtype=np.float32)
    by_row, by_column = glyphs.sum(axis=2), glyphs.sum(axis=1)
    mass = np.maximum(by_row.sum(axis=1), 1e-6)
    empty = by_row.sum(axis=1) < 1e-6
    y = np.where(empty, (h - 1) / 2, by_row @ ys / mass).astype(np.float32)
    x = np.where(empty, (w - 1) / 2, by_column @ xs / mass).astype(np.float32)
    dy, dx = ys - y[:, None], xs - x[:, None]
    mixed = np.einsum("nij,ni,nj->n", glyphs, dy, dx, optimize=True) / mass
    upright_spread = (by_row * dy**2).sum(axis=1) / mass
    shear = np.clip(mixed / np.maximum(upright_spread, 0.25), -_MAX_SHEAR, _MAX_SHEAR)
    return y, x, shear.astype(np.float32)


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
