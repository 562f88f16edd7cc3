"""Detection of the importer that a path is for."""

from __future__ import annotations

from pathlib import Path

from labeler.core.errors import SourceError
from labeler.core.recipe import AS_IT_IS, Reading
from labeler.core.text import display_safe
from labeler.plugins import registry
from labeler.plugins.importers.base import Importer, Source, TakesRange
from labeler.plugins.importers.folder import one_image
from labeler.plugins.importers.image_pages import ENDINGS as TIFF_ENDINGS
from labeler.plugins.importers.other_formats import refuse, way_into
from labeler.plugins.importers.texts import open_texts
from labeler.plugins.importers.value_range import arranged

ACCEPTED = (
    "a folder, zip, tar or tar.gz of images (a folder of such archives, too), a .npz or .npy file, IDX files"
    " (*-images-idx3-ubyte[.gz]) or a folder of them, a list of images (CSV of path,..., a path a line, JSON), a CSV of"
    " features, a Parquet file of features"
)

_LAST = "folder"  # takes any folder, so it is asked after those that know particular ones


def open_source(path: Path, reading: Reading = AS_IT_IS) -> Source:
    """Open `path` with the first importer that recognizes it, read as `reading` says.

    Raises
    ------
    SourceError
        There is no such path, nothing recognizes it, or it cannot be used.
    UsageError
        The range to read it by is none.
    """
    shown = display_safe(str(path))
    try:
        if not path.exists():
            raise SourceError(f"there is no file or folder {shown}", f"a source is {ACCEPTED}")
        if not (path.is_dir() or path.is_file()):
            raise SourceError(f"{shown} is a pipe, socket or device", f"a source is {ACCEPTED}")
        # the person said what the table is: nothing is guessed
        if reading.text:
            return open_texts(path, reading.text)
        if path.is_file() and path.name.lower().endswith(TIFF_ENDINGS):
            if reading.pages:
                return arranged(one_image(path), reading)
            raise SourceError(f"{shown} is one image, not a set of them", "its pages are, each an image: --pages")
        importer = _importer_for(path)
        if importer is None:
            # says how to get its content in where the kind is known; the line below only that it is not
            refuse(path)
            raise SourceError(f"{shown} is not a kind of source this program knows", f"a source is {ACCEPTED}")
        if isinstance(importer, TakesRange):
            importer.range = reading.range
        return arranged(importer.open(path), reading)
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        reason = getattr(error, "strerror", None) or error
        raise SourceError(f"cannot open {shown}: {reason}", "check the path and its permissions") from error


def _importer_for(path: Path) -> Importer | None:
    # this program's own first: a package of others is imported only where none of these takes the path
    own = sorted(registry.names("importer", installed=False), key=lambda name: name == _LAST)
    is_foreign = way_into(path) is not None  # a workbook is a zip, too
    return (_first(own, path) if not is_foreign else None) or _first(
        [name for name in registry.names("importer") if name not in own], path
    )


def _first(names: list[str], path: Path) -> Importer | None:
    for name in names:
        if registry.entry("importer", name).available:
            importer: Importer = registry.load("importer", name)()
            if importer.accepts(path):
                return importer
        elif path.suffix.lower() == f".{name}":  # it needs an extra: loading it says which
            registry.load("importer", name)
    return None
