"""A CSV that names images, relative to itself: ``path,...``. A column of labels is truth for simulations, no label."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from labeler.display import display_safe
from labeler.errors import SourceError
from labeler.importers.dialects import delimiter_of
from labeler.importers.encodings import encoding_of_bytes
from labeler.importers.files import first_bytes, read_bytes
from labeler.importers.label_words import LabelWords
from labeler.importers.members import is_inside
from labeler.importers.names import counted, has_image_ending
from labeler.importers.plain import ImageFiles, digest
from labeler.importers.tables import LABEL_COLUMNS, checked_cells, column, csv_rows, read_text, separator_for

PATH_COLUMNS = ("path", "file_name", "filename", "file", "image", "image_path", "img")
_LOOK = 1 << 16


class ListSource(ImageFiles):
    """The images that a file names; ids are the paths as it writes them, in its order."""

    kind = "list"

    def __init__(self, path: Path, sizes: dict[str, tuple[int, int]], missing: dict[str, str]) -> None:
        super().__init__(path, list(sizes), digest(part for name, state in sizes.items() for part in (name, *state)))
        self.unreadable = missing
        self.labels: dict[str, str] = {}
        self._folder = path.parent

    def content_bytes(self, index: int) -> bytes:
        """The file's bytes; raises UnreadableInstance where it is gone or may not be read."""
        return read_bytes(self._folder / self.ids[index], is_link=True)

    def location(self, index: int) -> Path | None:
        """The file itself."""
        return self._folder / self.ids[index]

    def truth(self) -> dict[str, str]:
        """id -> class from the column of labels; empty without one."""
        return self.labels


class ListImporter:
    """Recognizes a CSV whose first rows name images."""

    def accepts(self, path: Path) -> bool:
        """Whether it is a .csv or .tsv that names images."""
        return path.is_file() and path.suffix.lower() in (".csv", ".tsv") and names_images(path)

    def open(self, path: Path) -> ListSource:
        """Read the names and look at the files.

        Raises
        ------
        SourceError
            A broken quote, or none of the files is there.
        """
        shown = display_safe(path.name)
        aside: list[str] = []
        text = read_text(path, aside)
        lines = list(csv_rows(text, separator_for(path, text), shown))
        header = _header(lines[0][1]) if lines else []
        place = _place_of_paths(lines[0][1] if lines else [])
        name_of_label = column(header, LABEL_COLUMNS)
        label = header.index(name_of_label) if name_of_label is not None else None
        sizes: dict[str, tuple[int, int]] = {}
        missing: dict[str, str] = {}
        labels: dict[str, str] = {}
        outside: list[str] = []
        words = LabelWords()
        for line, row in lines[1 if header else 0 :]:
            cells = checked_cells(row, len(header), line, shown) if header else row
            name = cells[place].strip().replace("\\", "/").removeprefix("./") if place < len(cells) else ""
            if not name:
                continue
            if not is_inside(name):
                outside.append(name)
                continue
            if label is not None and label < len(cells) and (word := words.text(cells[label])):
                labels[name] = word
            if name not in sizes and name not in missing:
                _look_at(path.parent, name, sizes, missing)
        source = ListSource(path, sizes, missing)
        source.notes += [*words.odd_notes(), *aside]
        source.labels = {name: text for name, text in labels.items() if name in sizes}
        if outside:
            lead = counted(len(outside), "name that leads", "names that lead")
            source.notes.append(f"passed over {lead} out of the folder of {shown} ({display_safe(outside[0], 60)})")
        twice = len(lines) - bool(header) - len(sizes) - len(missing) - len(outside)
        if twice > 0:
            source.notes.append(f"passed over {counted(twice, 'row')} without a name or with one named before")
        if not sizes:
            why = next(iter(missing.items()), None)
            first = f" (first: {display_safe(why[0], 60)}: {why[1]})" if why else ""
            raise SourceError(
                f"none of the images that {shown} names can be read{first}", "names are relative to the file"
            )
        return source


def names_images(path: Path) -> bool:
    """Whether the first row of a CSV names an image: one that is there, or one in a table without further numbers."""
    start = first_bytes(path, _LOOK)
    encoding = encoding_of_bytes(start)
    head = start.decode(encoding.name, "replace" if encoding.errors == "replace" else "surrogateescape")
    try:
        rows = [cells for _, cells in csv_rows(head[: head.rfind("\n") + 1] or head, delimiter_of(head), "")][:2]
    except SourceError:
        return False
    if not rows:
        return False
    place, first = _place_of_paths(rows[0]), rows[-1]
    if place >= len(first) or (_header(rows[0]) and len(rows) < 2) or not has_image_ending(first[place].strip()):
        return False
    try:
        if (path.parent / first[place].strip().replace("\\", "/")).is_file():
            return True
    except (OSError, ValueError):
        return False
    return not any(_is_number(cell) for at, cell in enumerate(first) if at != place)


def _header(cells: list[str]) -> list[str]:
    """The names of the columns in lower case; [] where the first line is none."""
    names = [cell.strip().lower() for cell in cells]
    return names if column(names, PATH_COLUMNS) is not None else []


def _place_of_paths(cells: list[str]) -> int:
    names = _header(cells)
    wanted = column(names, PATH_COLUMNS)
    return names.index(wanted) if wanted is not None else 0


def _look_at(folder: Path, name: str, sizes: dict[str, tuple[int, int]], missing: dict[str, str]) -> None:
    try:
        status: Any = os.stat(folder / name)
    except (OSError, ValueError) as error:
        missing[name] = "there is no such file" if isinstance(error, FileNotFoundError) else "cannot be read"
        return
    if not os.path.isfile(folder / name):
        missing[name] = "no regular file"
    elif not status.st_size:
        missing[name] = "empty file (0 bytes)"
    else:
        sizes[name] = (status.st_size, status.st_mtime_ns)


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True
