"""`labeler export`: labels by exporter, or the model."""

from typing import TYPE_CHECKING

from labeler.core.lazy import submodules

if TYPE_CHECKING:
    from labeler.commands.export import export, labels, model  # noqa: F401
else:
    __getattr__ = submodules(__name__)
