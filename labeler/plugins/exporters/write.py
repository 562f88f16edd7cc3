"""Writing an export: staged, flushed, read back, counted, hashed, and only then given its name.

Exporters write; everything that makes an export trustworthy is here, once.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import labeler
from labeler.core.errors import ExportError, LabelerError, UsageError
from labeler.core.files import WORKING, Place, is_folder, recover, whole_folder, whole_pair
from labeler.core.text import display_safe
from labeler.plugins import registry
from labeler.plugins.builtin import Plugin
from labeler.plugins.exporters.base import Exporter, ExportRows
from labeler.plugins.exporters.earlier_export import (
    MANIFEST,
    TOOL,
    Earlier,
    Listed,
    Stamp,
    fit,
    is_of_a_project,
    listed_in,
    look,
    manifest_in,
    sha256_of,
)
from labeler.plugins.exporters.manifest import by_class, describe, manifest_of, plain, write_json

FOLDER_FORMAT = "imagefolder"
# the disk, a person's quota, or a file larger than the file system takes
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_FORBIDDEN = (errno.EACCES, errno.EPERM, errno.EROFS)


@dataclass(frozen=True, slots=True)
class Written:
    """An export that stands: where, how many instances of each class (those of none left out), what to know of it."""

    path: Path
    manifest_path: Path
    counts: dict[str, int]
    warnings: list[str]


def format_of(target: Path, name: str | None = None) -> str:
    """Return the exporter for `target`: `name` (maybe ``NAME:key=value``) if given, else the one of its ending.

    A target without an ending and an existing folder mean imagefolder.

    Raises
    ------
    UsageError
        `name` is no exporter, or no exporter has this ending; the hint lists the formats.
    MissingExtra
        The exporter of this ending is not installed.
    """
    if name is not None:
        registry.entry("exporter", registry.parse_spec(name).name)
        return name
    endings = _endings()
    for ending in sorted(endings, key=len, reverse=True):  # .cleanlab.npz before .npz
        if target.name.lower().endswith(ending) and not target.is_dir():
            return endings[ending]
    if target.is_dir() or not target.suffix:
        return FOLDER_FORMAT
    if target.suffix.lower().removeprefix(".") in registry.names("exporter"):
        registry.load("exporter", target.suffix.lower().removeprefix("."))  # says which extra it needs
    known = ", ".join(f"{name} ({ending})" for ending, name in endings.items())
    raise UsageError(
        f"no export format ends in {display_safe(target.suffix)}",
        f"there are: {known}, {FOLDER_FORMAT} (a folder); or name one with --format",
    )


def write_export(
    exporter: Exporter,
    rows: ExportRows,
    target: Path,
    manifest: dict[str, Any],
    force: bool,
    sources: Sequence[Path] = (),
) -> Written:
    """Write `rows` to `target` with a manifest, or leave everything as it was.

    With `force` an older export is replaced: of a folder what its own manifest lists, as it lists it; all else in it
    stays, and is refused where it stands in the way of the new one. `sources` are never written over.

    `manifest` brings what only the caller knows (``seed``, ``configuration``, ``certificate``, ...); the class list,
    counts, files, warnings and version are put in here. The same rows and `manifest` give the same bytes.

    Raises
    ------
    ExportError
        The target exists (without `force`), is not replaceable, cannot be written or did not read back as written.
    LabelerError
        What the exporter raises: an option or an image it cannot use.
    """
    target = Path(os.path.abspath(target))
    place, earlier = place_of(target, exporter.is_folder), Earlier()
    expected = by_class(rows)
    try:
        check_parent(target)
        # what a killed export left half exchanged is put right before anything is judged
        left = recover(place)
        _check_target(exporter, rows, place, force, sources)
        with whole_pair(target, place.beside) if place.beside else whole_folder(target, earlier) as draft:
            warnings = exporter.write(rows, draft.path)
            # before the manifest: what does not read back gets none
            _check_counts(exporter, draft.path, expected)
            describe(draft, rows, target, manifest_of(rows, manifest, expected, warnings))
            draft.sync()
            listed = _check_target(exporter, rows, place, force, sources)  # nobody else came first?
            earlier.known, edited = _what_stays(target, draft.path, listed)
    except OSError as error:
        raise explained(error, target) from error
    return Written(
        target,
        place.beside or target / MANIFEST,
        expected,
        [*warnings, *edited, *_left_in(left), *_left_in(draft.left)],
    )


def write_single(
    target: Path,
    manifest: dict[str, Any],
    write: Callable[[Path], None],
    force: bool,
    sources: Sequence[Path] = (),
) -> Path:
    """Let `write` make a file that holds no labels of the pool (a model, predictions), as safely as an export.

    Returns the path of the manifest beside it. `sources` are never written over, and no project.

    Raises
    ------
    ExportError
        The target exists (without `force`), is a folder or cannot be written; nothing was changed.
    """
    target = Path(os.path.abspath(target))
    beside = manifest_beside(target)
    place = Place(target, beside)
    try:
        check_parent(target)
        recover(place)
        if target.is_dir():
            raise ExportError(f"{display_safe(str(target))} is a folder", "choose another name")
        if place.is_taken() and not force:
            raise _exists(target)
        check_replaceable(place, sources)
        with whole_pair(target, beside) as draft:
            write(draft.path)
            document = {"tool": TOOL, "version": labeler.__version__} | manifest
            # under the name that it will have, not the draft's
            document["files"] = {target.name: sha256_of(draft.path)}
            write_json(draft.beside, plain(document))
            draft.sync()
    except OSError as error:
        raise explained(error, target) from error
    return beside


def place_of(target: Path, is_folder: bool) -> Place:
    """Return the names that an export gets: a folder holds its manifest, a file has it beside it."""
    return Place(target, contents=Earlier()) if is_folder else Place(target, manifest_beside(target))


def manifest_beside(target: Path) -> Path:
    """Return the path of the manifest of a file."""
    return target.with_name(f"{target.name}.{MANIFEST}")


def _exists(path: Path) -> ExportError:
    return ExportError(f"{display_safe(str(path))} exists already", "choose another name, or replace it with --force")


def _endings() -> dict[str, str]:
    """Ending -> exporter, of all that are installed."""
    endings: dict[str, str] = {}
    for name in registry.names("exporter"):
        plugin = registry.entry("exporter", name)
        if plugin.available:
            for ending in plugin.endings or _own_endings(plugin):
                endings.setdefault(ending, name)
    return endings


def _own_endings(plugin: Plugin) -> tuple[str, ...]:
    """Endings that no table lists: the exporter of an installed package says them itself, once it is imported."""
    is_of_a_package = plugin.origin and plugin.thing is None
    return tuple(getattr(registry.load("exporter", plugin.name), "endings", ())) if is_of_a_package else ()


def check_parent(target: Path) -> None:
    """Refuse a target in no folder, and a free name where a project looks for its own files. Raises ExportError."""
    parent = target.parent
    if not target.name:
        raise ExportError(f"{display_safe(str(target))} cannot be written over", "name a file or folder in it")
    if not parent.is_dir():
        what = "is not a folder" if parent.exists() else "does not exist"
        raise ExportError(f"{display_safe(str(parent))} {what}", "make the folder first, or choose another one")
    if not os.path.lexists(target) and is_of_a_project(target):
        raise ExportError(
            f"{display_safe(str(target))} is a name for a file of a project", "choose another name; nothing was changed"
        )


def _check_target(
    exporter: Exporter, rows: ExportRows, place: Place, force: bool, sources: Sequence[Path]
) -> Listed | None:
    """Refuse what exists; with `force`, refuse only what is not ours to remove. Returns what the older export wrote."""
    target, shown = place.target, display_safe(str(place.target))
    if not place.is_taken():
        return None
    if not force:
        raise _exists(target if place.beside is None or os.path.lexists(target) else place.beside)
    if os.path.lexists(target) and target.is_dir() != exporter.is_folder:
        raise ExportError(f"{shown} is a {'folder' if target.is_dir() else 'file'}", "choose another name")
    # one after the other: a list of a million paths takes a gigabyte
    located = (rows.locate(position) for position in range(len(rows.ids)))
    images = (source for source in located if source is not None)
    if not exporter.is_folder:
        check_replaceable(place, chain(sources, images))
        return None
    if not os.path.lexists(target):
        return None
    listed = listed_in(target)
    if listed is None and any(target.iterdir()):  # --force with a wrong name must not cost a photo collection
        raise ExportError(f"{shown} is a folder that no export made", "choose another name, or remove it yourself")
    root = Path(os.path.realpath(target))
    if any(source.resolve().is_relative_to(root) for source in chain(sources, images)):
        raise ExportError(f"the images themselves are in {shown}", "choose another name")
    return None if target.is_symlink() else listed or Listed({}, {})


def check_replaceable(place: Place, sources: Iterable[Path]) -> None:
    """Refuse to replace what nobody means by --force: a project or any database, a source, a manifest of another kind.

    Raises
    ------
    ExportError
        One of them is there.
    """
    target, hint = place.target, "choose another name; nothing was changed"
    shown = display_safe(str(target))
    if any(_is_same(target, source) for source in sources):
        raise ExportError(f"{shown} is what the labels are of: it is not written over", hint)
    if is_of_a_project(target):
        raise ExportError(f"{shown} is a project or another database: it is not written over", hint)
    beside = place.beside
    if beside is None or not os.path.lexists(beside) or manifest_in(beside) is not None:
        return
    if beside.is_symlink() or not beside.is_file() or beside.stat().st_size:
        raise ExportError(f"{display_safe(str(beside))} is no manifest of an export", hint)


def _is_same(first: Path, second: Path) -> bool:
    try:
        return os.path.samefile(first, second)
    except OSError:
        return False


def _what_stays(target: Path, new: Path, listed: Listed | None) -> tuple[dict[str, Stamp] | None, list[str]]:
    """Stamps of what an older export wrote, and a line on what was edited since.

    Raises
    ------
    ExportError
        What stays is in the way of the new export.
    """
    if listed is None or not is_folder(target):
        return None, []
    contents = look(target, listed, new)
    blocked = fit(contents, target, new).blocked
    if blocked:
        shown = display_safe(str(target / blocked[0]))
        why = "was not written by the export that is there"
        if is_of_a_project(target / blocked[0], blocked[0]):
            why = "is a project's"
        elif blocked[0] in contents.edited:
            why = "was edited since the export that is there"
        more = f" (and {len(blocked) - 1:,} more)" if len(blocked) > 1 else ""
        raise ExportError(
            f"{shown} {why}, and is in the way{more}", "move it elsewhere, or choose another name; nothing was changed"
        )
    if not contents.edited:
        return contents.own, []
    names = ", ".join(display_safe(name, 60) for name in contents.edited[:5])
    more = f" and {len(contents.edited) - 5:,} more" if len(contents.edited) > 5 else ""
    return contents.own, [f"edited since the export that was replaced, and left as it is: {names}{more}"]


def _left_in(place: Path | None) -> list[str]:
    return (
        []
        if place is None
        else [f"not all of what was replaced could be put back: it is in {display_safe(str(place))}"]
    )


def _check_counts(exporter: Exporter, new: Path, expected: dict[str, int]) -> None:
    hint = "nothing was changed; please report this"
    try:
        counts = {name: number for name, number in exporter.count(new).items() if number}
    except (OSError, LabelerError):
        raise
    except Exception as error:  # whatever a reader trips over: the file is not what it should be
        raise ExportError(f"the export cannot be read back: {display_safe(str(error))}", hint) from error
    if counts != expected:
        wrong = next(name for name in {**expected, **counts} if expected.get(name) != counts.get(name))
        raise ExportError(
            f"the export reads back {counts.get(wrong, 0)} instead of {expected.get(wrong, 0)} instances "
            f"of {display_safe(wrong)}",
            hint,
        )


def explained(error: OSError, target: Path) -> ExportError:
    """An error of the disk as two lines."""
    shown = display_safe(str(target))
    if error.errno in _FULL:
        return ExportError(f"no space left for {shown}", "free some, or choose another disk; nothing was changed")
    if error.errno == errno.ENAMETOOLONG:
        return ExportError(f"the name {shown} is too long", "choose a shorter one")
    # an image of the source failed, not the export: the message must not blame the target
    if isinstance(error.filename, str) and not _written(Path(error.filename), target):
        where = display_safe(error.filename)
        return ExportError(f"{where} cannot be read: {error.strerror}", "the export was not written, nothing changed")
    if error.errno in _FORBIDDEN:
        return ExportError(f"{shown} may not be written", "choose a folder you may write in; nothing was changed")
    return ExportError(f"{shown} cannot be written: {error.strerror or error}", "nothing was changed")


def _written(path: Path, target: Path) -> bool:
    """Whether `path` is something an export writes, and not a file it reads."""
    if path in (target, target.parent) or path.name == f"{target.name}.{MANIFEST}":
        return True
    return path.is_relative_to(target.parent) and path.relative_to(target.parent).parts[0].startswith(WORKING)
