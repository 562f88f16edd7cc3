"""Text of the screens: pure functions from a view and a size to styled text."""
