"""Archives in a folder: opened as one pool where it holds nothing else (shards), else named."""

from __future__ import annotations

import re
import threading
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from pathlib import Path

from labeler.core.errors import SourceError, UnreadableInstance
from labeler.core.text import counted, display_safe
from labeler.plugins.importers.base import FileSource, ImageFiles, PlainSource, digest
from labeler.plugins.importers.names import natural_key
from labeler.plugins.importers.tar_archive import TarImporter
from labeler.plugins.importers.zip_archive import ZipImporter

MOST_OPEN = 64
"""Archives that are open at once: each holds a file, and the system gives a process about a thousand."""
_NAMED = 3
_NUMBERS = re.compile(r"[\d,]+")


class ShardSource(ImageFiles, PlainSource):
    """The images in the archives of a folder; ids are ``shard-000.tar/0001.jpg``, in natural order.

    Raises SourceError where none of the archives holds an image.
    """

    kind = "folder"

    def __init__(self, path: Path, names: Sequence[str], notes: Sequence[str]) -> None:
        self._shards = _Shards(path)
        places: dict[str, tuple[str, int]] = {}
        unreadable: dict[str, str] = {}
        prints: list[str] = []
        odd: list[str] = []
        remarks: dict[str, list[str]] = {}  # what differs in numbers only is told once
        for name in sorted(names, key=natural_key):
            try:
                shard = self._shards.opened(name)
            # one damaged archive does not keep the others out
            except SourceError as error:
                odd.append(error.message)
                continue
            places |= {f"{name}/{member}": (name, index) for index, member in enumerate(shard.ids)}
            unreadable |= {f"{name}/{member}": why for member, why in shard.unreadable.items()}
            for note in shard.notes:
                remarks.setdefault(_NUMBERS.sub("", note), []).append(f"{name}: {note}")
            prints += [name, shard.fingerprint()]
        if not places:
            self._shards.close()
            raise SourceError(
                f"no image in the folder {display_safe(str(path))}: {'; '.join([*_first(odd), *notes])}",
                "images end in png, jpg, bmp, gif, tif, webp, pgm or ppm; archives of them are zip or tar",
            )
        super().__init__(path, list(places), digest(prints))
        self.unreadable = unreadable
        self._places = list(places.values())
        n_opened = len(prints) // 2
        lead = f"the images are those of {counted(n_opened, 'archive')} in the folder"
        self.notes = [*notes, *([lead] if n_opened else []), *map(_once, remarks.values()), *_first(odd)]

    def content_bytes(self, index: int) -> bytes:
        """The member's bytes; raises UnreadableInstance where it is damaged or its archive is gone."""
        name, place = self._places[index]
        return self._shards.content(name, place)

    def truth(self) -> dict[str, str]:
        """id -> class by the files beside the images in their archives; empty without them."""
        return self._shards.labels(dict.fromkeys(name for name, _ in self._places))

    def close(self) -> None:
        """Close the archives."""
        self._shards.close()


class _Shards:
    """The archives of a folder, the latest used of them open."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._open: OrderedDict[str, FileSource] = OrderedDict()
        self._prints: dict[str, str] = {}
        self._lock = threading.RLock()  # one may be closed for another that a second thread asks for

    def opened(self, name: str) -> FileSource:
        """Open one, as it was when it was listed; raises SourceError."""
        with self._lock:
            if name in self._open:
                self._open.move_to_end(name)
                return self._open[name]
            path = self._folder / name
            importer = ZipImporter() if path.suffix.lower() == ".zip" else TarImporter()
            shard: FileSource = importer.open(path)
            # images are known by their place in the listing: in another listing it would be another image's
            if self._prints.setdefault(name, shard.fingerprint()) != shard.fingerprint():
                shard.close()
                raise SourceError(f"{display_safe(name)} has changed since it was opened", "open the folder again")
            self._open[name] = shard
            while len(self._open) > MOST_OPEN:
                self._open.popitem(last=False)[1].close()  # the one that was not used for longest
            return shard

    def content(self, name: str, index: int) -> bytes:
        with self._lock:
            try:
                return self.opened(name).content_bytes(index)
            except (SourceError, OSError) as error:
                reason = error.message if isinstance(error, SourceError) else error.strerror
                raise UnreadableInstance(f"its archive cannot be read: {reason}") from error

    def labels(self, names: Iterable[str]) -> dict[str, str]:
        labels: dict[str, str] = {}
        for name in names:
            with self._lock:
                labels |= {f"{name}/{member}": label for member, label in self.opened(name).truth().items()}
        return labels

    def close(self) -> None:
        with self._lock:
            while self._open:
                self._open.popitem()[1].close()


def notes_on_archives(names: Sequence[str]) -> list[str]:
    """One line on archives that lie beside images and are not opened, and what to do."""
    if not names:
        return []
    lead = counted(len(names), "archive")
    return [f"passed over {lead} beside the images ({display_safe(names[0], 60)}): unpack it here, or open it alone"]


def _once(lines: Sequence[str]) -> str:
    more = counted(len(lines) - 1, "more archive")
    return lines[0] + (f" (and so in {more})" if len(lines) > 1 else "")


def _first(lines: Sequence[str]) -> list[str]:
    more = counted(len(lines) - _NAMED, "more such line")
    return [*lines[:_NAMED], *([f"and {more} of other archives"] if len(lines) > _NAMED else [])]
