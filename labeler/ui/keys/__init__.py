"""From what is typed to what it means."""
