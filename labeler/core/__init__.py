"""The pure part: numpy, scipy, scikit-learn and faiss; no files, clock, UI, SQL or global random state."""
