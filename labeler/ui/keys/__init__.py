"""Keys: what is typed, and what it means."""
