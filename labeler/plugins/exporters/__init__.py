"""Exporters: labels -> a file or folder another program reads."""
