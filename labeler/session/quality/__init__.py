"""What the questions that measure say."""
