"""Outlier methods: features -> how odd every instance is."""
