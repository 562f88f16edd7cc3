"""The book's script: ``python -m jobs.book_script FOLDER``. Images -> k-means on raw pixels -> representatives.

As one would write it after Géron, Hands-On Machine Learning, ch. 9: nothing of this project, nothing spared.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
from PIL import Image
from sklearn.cluster import KMeans

CLUSTERS = 50


def main() -> None:
    """Print the representatives' paths."""
    paths = sorted(Path(sys.argv[1]).rglob("*.png"))
    X = np.array([np.asarray(Image.open(path), dtype=np.float64).ravel() for path in paths]) / 255.0
    model = KMeans(CLUSTERS, n_init=1, random_state=0)
    distances = model.fit_transform(X)
    nearest = distances.argmin(axis=0)
    print(json.dumps({"images": len(paths), "representatives": [paths[row].name for row in nearest]}))


if __name__ == "__main__":
    main()
