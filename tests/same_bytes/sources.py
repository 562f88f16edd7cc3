"""Sources of any content, the same to the byte wherever they are written: no library compresses anything in them.

Needs numpy alone; the classes that are meant stand beside, for whoever answers.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np

N_DIGITS = 200
TOPICS = {
    "harbor": ["ship", "quay", "crane", "cargo", "anchor", "tide", "mast", "rope", "sailor", "dock"],
    "garden": ["rose", "soil", "spade", "seed", "hedge", "lawn", "bloom", "prune", "compost", "bee"],
    "kitchen": ["pan", "knife", "flour", "oven", "simmer", "salt", "butter", "whisk", "plate", "stew"],
}
FILLERS = ["the", "a", "then", "with", "under", "over", "slowly", "again", "early", "and", "near", "some"]
PATTERNS = ("stripes", "squares", "discs")


def digits(folder: Path, demo: Path) -> dict[str, str]:
    """``digits.npz``: the demo's first images, of the file `demo`; id -> class."""
    with np.load(demo) as arrays:
        images, labels = arrays["X"][:N_DIGITS], arrays["y"][:N_DIGITS]
    np.savez(folder / "digits.npz", X=images)
    return {f"{row:05d}": str(label) for row, label in enumerate(labels.tolist())}


def photos(folder: Path) -> dict[str, str]:
    """``photos/``: small colored pictures (PPM) in two splits, with names that are hard to write; id -> class."""
    rng = np.random.default_rng(11)
    truth = {}
    for row in range(72):
        kind = row % 3
        split = "test" if row % 5 == 4 else "train"
        name = ("a b {}", "é,{}", "=x{}")[row // 3 % 3].format(row) + ".ppm"
        path = folder / "photos" / split / name
        path.parent.mkdir(parents=True, exist_ok=True)
        pixels = _pattern(kind, rng)
        path.write_bytes(b"P6 24 24 255\n" + pixels.tobytes())
        truth[f"{split}/{name}"] = PATTERNS[kind]
    copied = folder / "photos" / "train" / "copy.ppm"
    copied.write_bytes((folder / "photos" / "train" / "a b 0.ppm").read_bytes())
    return truth | {"train/copy.ppm": PATTERNS[0]}


def _pattern(kind: int, rng: np.random.Generator) -> np.ndarray:
    y, x = np.mgrid[:24, :24]
    phase, size = int(rng.integers(0, 6)), int(rng.integers(4, 7))
    drawn = (
        (x + phase) // size % 2,
        ((x + phase) // size + (y + phase) // size) % 2,
        ((x - 9 - phase) ** 2 + (y - 12) ** 2 < (size + 2) ** 2),
    )[kind]
    color = rng.integers(90, 250, 3)
    noise = rng.integers(0, 40, (24, 24, 3))
    return np.asarray(drawn[..., None] * (color - 40) + noise, dtype=np.uint8)


def texts(folder: Path) -> dict[str, str]:
    """``texts.csv``: short texts of three topics with ids of their own; id -> class."""
    rng = np.random.default_rng(12)
    names = list(TOPICS)
    rows, truth = [], {}
    for row in range(120):
        topic = names[row % 3]
        words = [*rng.choice(TOPICS[topic], 6), *rng.choice(FILLERS, 6)]
        rows.append((f"t{row:03d}", " ".join(str(word) for word in rng.permutation(words))))
        truth[f"t{row:03d}"] = topic
    _table(folder / "texts.csv", ("id", "text"), rows)
    return truth


def table(folder: Path) -> dict[str, str]:
    """``table.csv``: three clouds of six features; id -> class."""
    rng = np.random.default_rng(13)
    centers = rng.normal(0.0, 3.0, (3, 6))
    rows, truth = [], {}
    for row in range(150):
        values = centers[row % 3] + rng.normal(0.0, 1.0, 6)
        rows.append((f"r{row:03d}", *(f"{value:.4f}" for value in values)))
        truth[f"r{row:03d}"] = ("low", "middle", "high")[row % 3]
    _table(folder / "table.csv", ("id", *(f"f{column}" for column in range(6))), rows)
    return truth


def _table(path: Path, header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


def write_all(folder: Path, demo: Path) -> dict[str, dict[str, str]]:
    """Write every source into `folder`; name -> id -> the class that is meant."""
    folder.mkdir(parents=True, exist_ok=True)
    return {
        "digits": digits(folder, demo),
        "photos": photos(folder),
        "texts": texts(folder),
        "table": table(folder),
    }
