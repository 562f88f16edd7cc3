"""The heavy process: from a source to features to an engine, and how the screen's process speaks with it."""
