"""Make `digits.zip`, `digits.csv` and the program's own copy `labeler/_data/digits.npz` from scikit-learn's digits.

Run it from anywhere: ``python datasets/make_digits.py``. The same versions of Pillow and zlib write the same bytes.
"""

from __future__ import annotations

import csv
import io
import zipfile
from pathlib import Path

import numpy as np
from PIL import Image
from sklearn.datasets import load_digits

HERE = Path(__file__).resolve().parent
PACKAGE_DATA = HERE.parent / "labeler" / "_data"
LEVELS = 16  # the originals count the ink pixels of 4 x 4 blocks: 0 to 16
TIMESTAMP = (1998, 7, 1, 0, 0, 0)  # when the data set was given to UCI; fixed, so that the zip's bytes are


def main() -> None:
    """Write the three files and say how large they are."""
    digits = load_digits()
    pixels = np.rint(digits.images * 255 / LEVELS).astype(np.uint8)  # (1797, 8, 8)
    labels = digits.target.astype("U1")
    ids = np.array([f"digits/{row:04d}.png" for row in range(len(pixels))])
    PACKAGE_DATA.mkdir(exist_ok=True)
    write_zip(HERE / "digits.zip", ids, pixels)
    write_truth(HERE / "digits.csv", ids, labels)
    np.savez_compressed(PACKAGE_DATA / "digits.npz", X=pixels, y=labels, ids=ids)
    for path in (HERE / "digits.zip", HERE / "digits.csv", PACKAGE_DATA / "digits.npz"):
        print(f"{path.name}: {path.stat().st_size:,} bytes")


def write_zip(path: Path, ids: np.ndarray, pixels: np.ndarray) -> None:
    """One grey PNG an image, in the order of scikit-learn, under names that do not tell the class."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:  # PNG is packed already
        for name, image in zip(ids.tolist(), pixels, strict=True):
            content = io.BytesIO()
            Image.fromarray(image).save(content, "PNG", optimize=True)
            member = zipfile.ZipInfo(name, TIMESTAMP)
            member.external_attr = 0o644 << 16
            member.create_system = 3  # Unix, on whatever machine this runs
            archive.writestr(member, content.getvalue())


def write_truth(path: Path, ids: np.ndarray, labels: np.ndarray) -> None:
    """The truth file beside the archive: path,label."""
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(["path", "label"])
        table.writerows(zip(ids.tolist(), labels.tolist(), strict=True))


if __name__ == "__main__":
    main()
