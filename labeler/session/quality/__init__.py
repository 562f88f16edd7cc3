"""The quality of labels: questions that measure it, and what an audit says of it."""
