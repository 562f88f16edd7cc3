"""Outlier methods: which instances are odd, which new ones lie outside of what is known."""

DEFAULT = "local-outlier-factor"
"""Of the six the one that found a class it had never seen most often (digits, each class left out in turn)."""
