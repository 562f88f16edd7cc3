"""What screens say and draw: pure functions from a view and a size to styled text."""
