"""The Textual application: draws a view, turns keys into session calls."""
