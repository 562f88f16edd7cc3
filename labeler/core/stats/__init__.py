"""Statistics that sessions and commands share. Pure."""
