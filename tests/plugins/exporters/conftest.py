from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import settings

from labeler.plugins.exporters.base import ExportRows, HeldOut

settings.register_profile("exporters", deadline=None)  # files are written: a busy disk is no failure
settings.load_profile("exporters")

MakeRows = Callable[..., ExportRows]


@pytest.fixture
def make_rows() -> MakeRows:
    """Rows of 4 x 3 images without files of their own; any column may be given."""

    def make(ids: list[str], names: list[str], indices: list[int], **columns: Any) -> ExportRows:
        n = len(ids)
        images = np.random.default_rng(0).integers(0, 256, (n, 4, 3), dtype=np.uint8)
        rows = ExportRows(
            ids=ids,
            class_names=names,
            class_indices=np.array(indices, dtype=np.int32),
            provenances=[("human", "propagated")[i % 2] for i in range(n)],
            confidence=np.linspace(0.1, 1, n, dtype=np.float32),
            weights=np.ones(n, dtype=np.float32),
            tiers=["locked"] * n,
            clusters=np.arange(n, dtype=np.int32) - 1,
            rounds=np.ones(n, dtype=np.int32),
            annotators=["ada"] * n,
            source_ids=ids,
            sha256=[f"{i:064x}" for i in range(n)],
            flagged=[i == 1 for i in range(n)],
            splits=[""] * n,
            locate=lambda row: None,
            image=lambda row: images[row],
            features=lambda: images,
            held_out=lambda: HeldOut(
                np.full((n, len(names)), 1 / len(names), dtype=np.float32),
                np.arange(n, dtype=np.int32) % 5,
                images.reshape(n, 12).astype(np.float32),
                "even shares",
            ),
        )
        return replace(rows, **columns)

    return make


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """A source folder with two files of the same name and a third one."""
    root = tmp_path / "photos"
    for name, content in (("a/1.jpg", b"one"), ("b/1.jpg", b"two"), ("b/2.gif", b"three")):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content)
    return root
