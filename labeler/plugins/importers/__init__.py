"""Importers: a path -> a source of instances."""
