"""Pictures, texts and rows as strips of a screen."""
