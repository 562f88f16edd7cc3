"""An open project: session, store and engine wired together; its options, paths and backups."""

from typing import TYPE_CHECKING

from labeler.core.lazy import submodules

if TYPE_CHECKING:
    from labeler.project import closing_round, open, opener, options, paths  # noqa: A004, F401
else:
    __getattr__ = submodules(__name__)
