"""Which importer a path is for."""

from __future__ import annotations

from pathlib import Path

from labeler import registry
from labeler.display import display_safe
from labeler.errors import SourceError
from labeler.importers.base import Importer, Source
from labeler.importers.texts import open_texts
from labeler.importers.ways_in import refuse, way_into

ACCEPTED = (
    "a folder, zip, tar or tar.gz of images (a folder of such archives, too), a .npz or .npy file, IDX files"
    " (*-images-idx3-ubyte[.gz]) or a folder of them, a list of images (CSV of path,..., a path a line, JSON), a CSV of"
    " features, a Parquet file of features"
)

_LAST = "folder"  # takes any folder, so it is asked after those that know particular ones


def open_source(path: Path, text: str = "") -> Source:
    """Open `path` with the first importer that recognizes it, or the texts of its column `text`.

    Raises
    ------
    SourceError
        There is no such path, nothing recognizes it, or it cannot be used.
    """
    shown = display_safe(str(path))
    try:
        if not path.exists():
            raise SourceError(f"there is no file or folder {shown}", f"a source is {ACCEPTED}")
        if not (path.is_dir() or path.is_file()):
            raise SourceError(f"{shown} is a pipe, socket or device", f"a source is {ACCEPTED}")
        if text:
            return open_texts(path, text)
        importer = _importer_for(path)
        if importer is None:
            refuse(path)
            raise SourceError(f"{shown} is not a kind of source this program knows", f"a source is {ACCEPTED}")
        return importer.open(path)
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        reason = getattr(error, "strerror", None) or error
        raise SourceError(f"cannot open {shown}: {reason}", "check the path and its permissions") from error


def _importer_for(path: Path) -> Importer | None:
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
