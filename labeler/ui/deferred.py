"""What the application loads behind its first frame: all that numpy is needed for."""

from __future__ import annotations

from labeler.ui.forms.base import Form
from labeler.ui.pictures.cache import Pictures
from labeler.ui.pictures.half_blocks import depth_for
from labeler.ui.screens import commands
from labeler.ui.screens.base import LabelScreen
from labeler.ui.status_line import StatusLine

__all__ = ["Form", "LabelScreen", "Pictures", "StatusLine", "commands", "depth_for"]
