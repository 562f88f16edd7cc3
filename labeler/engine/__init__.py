"""The engines: the default one and the source's chain. Pure: no files, clock, screen or database."""
