"""The session: the one mutable object, and what it needs from outside."""
