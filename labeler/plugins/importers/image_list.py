"""A file that names images, relative to itself or from the root: ``path,...`` in a CSV, a path a line, JSON.

Labels in it are truth for simulations, no labels. Addresses on the web are read where the extra for them is there."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from labeler.core.errors import SourceError, UnreadableInstance
from labeler.core.text import counted, display_safe
from labeler.plugins.importers import remote
from labeler.plugins.importers.base import ImageFiles, PlainSource, digest
from labeler.plugins.importers.files import read_bytes
from labeler.plugins.importers.id_matching import name_of_media
from labeler.plugins.importers.label_words import LabelWords
from labeler.plugins.importers.list_rows import listed_rows, names_images
from labeler.plugins.importers.names import is_junk

_ABSOLUTE = re.compile(r"/|[A-Za-z]:/")
_WEB = remote.ADDRESS
_LOOK, _ABOVE = 20, 3
"""Names by which is judged where files are, and folders above the list that are tried."""


class ListSource(ImageFiles, PlainSource):
    """The images that a file names; ids are the paths as it writes them, in its order."""

    kind = "list"

    def __init__(self, path: Path, sizes: dict[str, tuple[int, int]], missing: dict[str, str], place: Place) -> None:
        super().__init__(path, list(sizes), digest(part for name, state in sizes.items() for part in (name, *state)))
        self.unreadable = missing
        self.labels: dict[str, str] = {}
        self._place = place

    def content_bytes(self, index: int) -> bytes:
        """The file's bytes; raises UnreadableInstance where it is gone or may not be read."""
        name = self.ids[index]
        if _WEB.match(name):
            return _fetched(name)
        # a list names each of its files on purpose, links among them
        return read_bytes(self._place.path_of(name), is_link=True)

    def location(self, index: int) -> Path | None:
        """The file itself; None where it is on the web."""
        name = self.ids[index]
        return None if _WEB.match(name) else self._place.path_of(name)

    def truth(self) -> dict[str, str]:
        """id -> class from the column of labels; empty without one."""
        return self.labels


class Place:
    """The place of the files of a list: below `base`, without the folders `left` that are written before."""

    def __init__(self, base: Path, left: str = "") -> None:
        self.base, self._left = base, left

    def path_of(self, name: str) -> Path:
        """The file that a name means."""
        if self._left and name.startswith(self._left):
            name = name[len(self._left) :]
        return self.base / name

    def is_file(self, name: str) -> bool:
        """Whether there is one."""
        try:
            return self.path_of(name).is_file()
        except (OSError, ValueError):
            return False

    def note(self) -> str:
        """A line about it where it is not beside the list, as written."""
        left = f" without {display_safe(self._left, 60)}" if self._left else ""
        return f"none of the files is where the list says: they are those in {display_safe(str(self.base))}{left}"


class ListImporter:
    """Recognizes a file whose first lines name images."""

    def accepts(self, path: Path) -> bool:
        """Whether it is a .csv, .tsv, .txt, .lst, .json or .jsonl that names images."""
        return path.is_file() and names_images(path)

    def open(self, path: Path) -> ListSource:
        """Read the names and look at the files.

        Raises
        ------
        SourceError
            A broken quote, no JSON, or none of the files is there.
        """
        shown = display_safe(path.name)
        aside: list[str] = []
        words = LabelWords()
        labels: dict[str, str] = {}
        names: dict[str, None] = {}  # a set that keeps the order of the list
        n_rows = 0
        for row in listed_rows(path, aside):
            n_rows += 1
            name = _written(row.name)
            if name:
                names[name] = None
                if (
                    row.label is not None
                    and not isinstance(row.label, (list, dict))
                    and (word := words.text(row.label))
                ):
                    labels[name] = word
        place, moved = _place_of(list(names), path.parent)
        sizes: dict[str, tuple[int, int]] = {}
        missing: dict[str, str] = {}
        for name in names:
            _look_at(place, name, sizes, missing)
        if not sizes:
            raise _none_is_there(shown, missing)
        source = ListSource(path, sizes, missing, place)
        source.notes += [*words.odd_notes(), *aside, *moved]
        source.labels = {name: text for name, text in labels.items() if name in sizes}
        if twice := n_rows - len(names):
            source.notes.append(f"passed over {counted(twice, 'row')} without a name or with one named before")
        return source


def _written(name: str) -> str:
    """A name with forward slashes, without what says nothing; of ``file:`` addresses, the path."""
    text = name.strip()
    text = text if _WEB.match(text) else name_of_media(text).replace("\\", "/")
    return text.removeprefix("./")


def _place_of(names: Sequence[str], folder: Path) -> tuple[Place, list[str]]:
    """Return where the files are, and a line where that is not where the list says: not one is there, and in one other
    place are all that were looked for."""
    usual = Place(folder)
    some = [name for name in names if not _WEB.match(name)][:_LOOK]
    # a single one in its place means that the others are missing, not that all are elsewhere
    if not some or any(map(usual.is_file, names)):
        return usual, []
    for place in _places(some[0], folder):
        if all(map(place.is_file, some)):
            return place, [place.note()]
    return usual, []


def _places(name: str, folder: Path) -> Iterator[Place]:
    """Folders above the list and beside it; then, for what was written elsewhere, without the folders it names."""
    parents = list(folder.resolve().parents)[:_ABOVE]
    if not _ABSOLUTE.match(name):
        beside = [child for base in (folder, *parents[:1]) for child in _folders_in(base)]
        yield from map(Place, (*parents, *beside))
    at = name.find("/")
    while at >= 0:
        yield from (Place(base, name[: at + 1]) for base in (folder, *parents))
        at = name.find("/", at + 1)


def _fetched(address: str) -> bytes:
    try:
        (content,) = remote.read_many([address])
    except remote.Unreachable as error:
        raise UnreadableInstance(str(error)) from None
    if isinstance(content, UnreadableInstance):
        raise content
    return content


def _folders_in(folder: Path) -> list[Path]:
    try:
        return sorted(entry for entry in folder.iterdir() if entry.is_dir() and not is_junk(entry.name))[:_LOOK]
    except OSError:
        return []


def _look_at(place: Place, name: str, sizes: dict[str, tuple[int, int]], missing: dict[str, str]) -> None:
    if _WEB.match(name):
        if remote.can_read(name):
            sizes[name] = (0, 0)  # as RemoteSource has it: to ask for either takes a round trip
        else:
            missing[name] = "an address on the web: download it first"
        return
    path = place.path_of(name)
    try:
        status = os.stat(path)
    except (OSError, ValueError) as error:
        missing[name] = "there is no such file" if isinstance(error, FileNotFoundError) else "cannot be read"
        return
    if not os.path.isfile(path):
        missing[name] = "no regular file"
    elif not status.st_size:
        missing[name] = "empty file (0 bytes)"
    else:
        sizes[name] = (status.st_size, status.st_mtime_ns)


def _none_is_there(shown: str, missing: dict[str, str]) -> SourceError:
    why = next(iter(missing.items()), None)
    first = f" (first: {display_safe(why[0], 60)}: {why[1]})" if why else ""
    hint = "names are relative to the file"
    if why and _ABSOLUTE.match(why[0]):
        hint = "paths of another computer? write them relative to the list, or put the list into their folder"
    if why and _WEB.match(why[0]):
        hint = "download them into a folder, and open that; or read them where they are: pip install '.[remote]'"
    return SourceError(f"none of the images that {shown} names can be read{first}", hint)
