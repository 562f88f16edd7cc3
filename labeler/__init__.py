"""Label an image set with a few key presses, in the terminal."""

from __future__ import annotations

__version__ = "0.1.0"
