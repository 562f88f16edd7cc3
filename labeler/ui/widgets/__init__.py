"""Widgets: each draws one thing it is handed and asks nobody for more."""
