"""The peculiarities of a cluster: columns of a table in which its mean stands out, the telling words of its texts."""

from __future__ import annotations

from typing import Any

import numpy as np

from labeler.core.types import FloatArray, IndexArray

COLUMNS = 4
"""Features told of a cluster: those in which its mean is farthest from all instances', in standard deviations."""
WORDS = 6
MOST_WORDS = 20_000

Means = tuple[dict[str, float], dict[str, float], list[tuple[str, float, float]]]


def means(raw: FloatArray, members: IndexArray, columns: list[str]) -> Means:
    """Return each column's mean over the members, how far it is from that of all, and the columns that stand out."""
    table = raw.astype(np.float64)
    mean = table[members].mean(axis=0)
    spread = table.std(axis=0)
    # a column that is the same everywhere stands out nowhere: 0 / 1 instead of 0 / 0
    apart = (mean - table.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
    far = np.argsort(-np.abs(apart), kind="stable")[:COLUMNS]
    standing = [(columns[place], float(mean[place]), float(apart[place])) for place in far if apart[place]]
    named, aparts = (
        {name: round(float(v), 6) for name, v in zip(columns, some, strict=True)} for some in (mean, apart)
    )
    return named, aparts, standing


class Words:
    """The words of a pool's texts, by how much each tells (TF-IDF: often here, rarely elsewhere)."""

    def __init__(self, texts: Any) -> None:
        from sklearn.feature_extraction.text import TfidfVectorizer  # start-up: seconds, and for texts alone

        # bytes of a file that are no text came as surrogates, which the vectorizer refuses
        plain = [str(text).encode("utf-8", "replace").decode("utf-8") for text in texts]
        words = TfidfVectorizer(max_features=MOST_WORDS, sublinear_tf=True, stop_words="english")
        try:
            self._weights: Any = words.fit_transform(plain)
            self._names = words.get_feature_names_out().tolist()
        except ValueError:  # not a single word: numbers, signs or nothing
            self._weights, self._names = None, []

    def of(self, members: IndexArray) -> list[str]:
        """Return the words that stand out most in the texts of `members`, the most telling first."""
        if self._weights is None or not len(members):
            return []
        all_of_them = np.asarray(self._weights.mean(axis=0)).ravel()
        apart = np.asarray(self._weights[members].mean(axis=0)).ravel() - all_of_them
        order = np.argsort(-apart, kind="stable")[:WORDS]
        return [self._names[place] for place in order.tolist() if apart[place] > 0]
