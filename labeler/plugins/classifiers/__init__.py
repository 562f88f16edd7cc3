"""Classifiers: scikit-learn shaped, over class ids."""
