"""`labeler export`: which labels, which rows, and the model."""
