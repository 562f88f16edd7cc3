"""What is registered by name, and the registry."""
