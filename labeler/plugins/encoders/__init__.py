"""Encoders: an instance -> a row of features (`fit`, `transform`)."""
