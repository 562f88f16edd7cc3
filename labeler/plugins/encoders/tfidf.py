"""Texts as what they are about: TF-IDF, then a truncated SVD."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer
from threadpoolctl import threadpool_limits

from labeler.core.types import FloatArray
from labeler.plugins.encoders.base import Images

MOST_WORDS = 50_000


class Tfidf:
    """Latent semantic analysis (Deerwester et al. 1990): counts of words, damped and weighted by how rare they are,
    then the `n_components` leading directions, every row of unit length (zero where no word is known).

    Parameters
    ----------
    n_components : int
        Columns of the result at most; fewer where there are fewer texts or words.
    ngrams : int
        Runs of up to so many words count as words.
    min_texts : int
        A word counts from this many texts on; in a pool of fewer than 100 texts every word does.
    """

    version = 1
    takes: tuple[str, ...] = ("text",)

    def __init__(self, n_components: int = 100, ngrams: int = 1, min_texts: int = 2) -> None:
        if n_components < 1 or ngrams < 1 or min_texts < 1:
            raise ValueError("n_components, ngrams and min_texts are at least 1")
        self.n_components, self.ngrams, self.min_texts = n_components, ngrams, min_texts
        self._words: Any = None
        self._axes: FloatArray | None = None

    def fit(self, images: Images) -> Tfidf:
        """Learn words, their weights and the directions from texts (n,) of objects."""
        words = TfidfVectorizer(
            ngram_range=(1, self.ngrams),
            min_df=self.min_texts if len(images) >= 100 else 1,
            max_features=MOST_WORDS,
            sublinear_tf=True,  # ten times the same word is not ten times as much about it
            strip_accents="unicode",
        )
        texts = _plain(images)
        try:
            counts = words.fit_transform(texts)
        except ValueError:  # not a single word: numbers, signs or nothing
            self._words, self._axes = None, np.zeros((0, 1), dtype=np.float32)
            return self
        if counts.shape[1] < 2:  # one word: nothing to turn
            self._words, self._axes = words, np.ones((1, 1), dtype=np.float32)
            return self
        wanted = max(min(self.n_components, counts.shape[1] - 1, counts.shape[0] - 1), 1)
        with threadpool_limits(1):
            svd = TruncatedSVD(wanted, random_state=0).fit(counts)
        self._words, self._axes = words, np.ascontiguousarray(svd.components_.T, dtype=np.float32)
        return self

    def transform(self, images: Images) -> FloatArray:
        """Features (n, d) float32 of texts (n,)."""
        if self._axes is None:
            raise ValueError("fit comes before transform")
        if self._words is None or not len(images):
            return np.zeros((len(images), self._axes.shape[1]), dtype=np.float32)
        rows = np.asarray(self._words.transform(_plain(images)) @ self._axes, dtype=np.float32)
        lengths = np.linalg.norm(rows, axis=1, keepdims=True)
        return np.ascontiguousarray(rows / np.where(lengths > 0, lengths, 1), dtype=np.float32)


def _plain(texts: Images) -> list[str]:
    """The texts without what is no character. Raises ValueError where they are none."""
    if texts.ndim != 1 or texts.dtype != object:
        raise ValueError(f"takes texts (n,), not an array of shape {texts.shape}")
    return [text.encode("utf-8", "replace").decode("utf-8") for text in texts.tolist()]
