"""What each command does, without a screen or a terminal: one module a command, of its name."""
