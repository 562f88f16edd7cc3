"""`labeler clusters`: how many there are, what each one holds, and pictures of it."""

from typing import TYPE_CHECKING

from labeler.core.lazy import submodules

if TYPE_CHECKING:
    from labeler.commands.clusters import assignments, colors, inspect, plots  # noqa: F401
else:
    __getattr__ = submodules(__name__)
