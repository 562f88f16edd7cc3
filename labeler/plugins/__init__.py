"""Plug-ins, and the registry that knows them by name."""
