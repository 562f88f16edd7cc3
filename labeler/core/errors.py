"""Every situation the program explains to a person instead of failing with a traceback.

A :class:`LabelerError` carries one line that says what is wrong and one that says what to do.
The doors (command line, screens) print the two lines; nothing else formats an error.
"""

from __future__ import annotations


class LabelerError(Exception):
    """An error that the person can mend: ``message`` says what is wrong, ``hint`` what to do."""

    exit_code = 2

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return self.message


class UsageError(LabelerError):
    """An option, name or value that cannot be used."""


class GuessChanged(LabelerError):
    """An answer to a guess that the screen shows no longer: the instance is shown anew instead of saved."""


class SourceError(LabelerError):
    """A source that cannot be opened as a pool of instances."""


class UnreadableInstance(LabelerError):
    """One instance of a source that cannot be read; the others are not affected."""


class ProjectError(LabelerError):
    """A project file that cannot be opened or written."""


class DamagedProject(LabelerError):
    """A project file in which something does not read as it was written."""


class ProjectBusy(LabelerError):
    """Another process has the project open for writing."""


class NotSaved(LabelerError):
    """An answer could not be written to disk (disk full, device gone): the key is kept, nothing else changed.

    `is_uncertain`: it may be on disk, because the disk failed while it confirmed. `is_lost`: the project file is no
    longer where it was, and what was answered before is held by this program alone.
    """

    def __init__(self, message: str, hint: str = "", *, is_uncertain: bool = False, is_lost: bool = False) -> None:
        super().__init__(message, hint)
        self.is_uncertain, self.is_lost = is_uncertain, is_lost


PROJECT_ERRORS = (ProjectError, DamagedProject, ProjectBusy, NotSaved)
"""All that may be wrong with a project file, for an ``except``: every error stands directly below the one base."""


class ExportError(LabelerError):
    """An export that could not be written, or did not read back as written."""


class MissingExtra(LabelerError):
    """A plug-in whose optional package is not installed."""

    def __init__(self, what: str, extra: str) -> None:
        super().__init__(
            f"{what} needs a package that is not installed",
            f"install it with: pip install '.[{extra}]' (in the clone of labeler)",
        )


class HubError(LabelerError):
    """A model of the hub that cannot be had: unknown, gated, out of reach, or not what was pinned.

    `is_unreachable`: nothing is known of the model, because the hub did not answer.
    """

    def __init__(self, message: str, hint: str = "", *, is_unreachable: bool = False) -> None:
        super().__init__(message, hint)
        self.is_unreachable = is_unreachable


class EngineError(LabelerError):
    """Features or settings the engine cannot work with (NaN, no instance, ...)."""


def too_many(clusterer: str, n: int, limit: int) -> EngineError:
    """Return the error of a clusterer that compares all instances with all and is given more than its `limit`."""
    return EngineError(
        f"{clusterer} compares all with all: {n:,} instances are more than its limit of {limit:,}",
        "take --clusterer minibatch-kmeans or birch, which read them in a stream (or raise limit= and wait)",
    )
