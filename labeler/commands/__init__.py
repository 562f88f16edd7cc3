"""The work of each command, without a screen or a terminal: one module a command, of its name.

A module is loaded when it is first used: ``from labeler import commands``, then ``commands.search.nearest_to(...)``.
"""

from typing import TYPE_CHECKING

from labeler.core.lazy import submodules

if TYPE_CHECKING:
    from labeler.commands import (  # noqa: F401
        audit,
        backup,
        check,
        clusters,
        export,
        features,
        hunt,
        import_labels,
        merge,
        models,
        outliers,
        plugins,
        predict,
        replay,
        restore,
        result,
        search,
        simulate,
        status,
        why,
    )
else:
    __getattr__ = submodules(__name__)
