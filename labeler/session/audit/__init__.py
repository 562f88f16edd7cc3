"""Audits: frozen labels, looks, statements."""
