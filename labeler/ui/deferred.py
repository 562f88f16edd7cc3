"""The parts of the application that are loaded behind its first frame, for they need numpy."""

from __future__ import annotations

from labeler.ui.forms.base import Form
from labeler.ui.pictures.cache import Pictures
from labeler.ui.pictures.half_blocks import depth_for
from labeler.ui.screens import commands, table
from labeler.ui.screens.base import LabelScreen
from labeler.ui.status_line import StatusLine, about_images

__all__ = ["Form", "LabelScreen", "Pictures", "StatusLine", "about_images", "commands", "depth_for", "load"]


def load() -> None:
    """Load the first screen as well, before the loop has to: it would not hear a key meanwhile."""
    table.class_of("question")
