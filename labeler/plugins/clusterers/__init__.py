"""Clusterers: features -> cluster, distance to its center and center, for every instance."""
