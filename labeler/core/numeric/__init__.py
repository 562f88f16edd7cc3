"""Numerics that engines and plug-ins share. Pure."""
