"""A tar or tar.gz of images. A tar is read in place; a packed one cannot be, and is unpacked into one nameless file."""

from __future__ import annotations

import bz2
import gzip
import lzma
import os
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any, NamedTuple, cast

from labeler.core.errors import SourceError, UnreadableInstance
from labeler.core.text import display_safe
from labeler.plugins.importers.archive_members import BOMB_BYTES, BOMB_RATIO, Member, Members, sort_members
from labeler.plugins.importers.base import ImageFiles, PlainSource, digest
from labeler.plugins.importers.files import file_state, first_bytes
from labeler.plugins.importers.names import is_archive
from labeler.plugins.importers.sidecar_labels import sample_labels

_PACKED: dict[bytes, Callable[..., Any]] = {b"\x1f\x8b": gzip.open, b"BZh": bz2.open, b"\xfd7zXZ\0": lzma.open}
"""First bytes of a packed file -> what reads it."""
_BLOCK = 1 << 20
_LONGEST_READ = 1 << 20
"""Bytes of one header at most: extended headers hold a name and a few times, whatever length they claim."""
_ANEW = "it is cut short or damaged: pack it anew"


class Place(NamedTuple):
    """The place of a member's bytes in the unpacked archive."""

    offset: int
    size: int
    changed: str


class TarSource(ImageFiles, PlainSource):
    """The image members of a tar; ids are their names, in natural order."""

    kind = "tar"

    def __init__(self, path: Path, file: IO[bytes], members: Members[Place]) -> None:
        listed = (part for name, place in members.images.items() for part in (name, place.size, place.changed))
        super().__init__(path, list(members.images), digest((*file_state(path), digest(listed))))
        self.unreadable = members.unreadable
        self.notes = members.notes
        self._file = file
        self._places = list(members.images.values())
        self._beside = members.beside

    def content_bytes(self, index: int) -> bytes:
        """The member's bytes; raises UnreadableInstance where they are gone."""
        return self._read(self._places[index])

    def truth(self) -> dict[str, str]:
        """id -> class by the files beside the images, such as ``0001.cls``; empty without them."""
        return sample_labels(self.ids, self._beside, self._read)[0]

    def _read(self, place: Place) -> bytes:
        try:
            content = os.pread(self._file.fileno(), place.size, place.offset)  # no seek: threads read side by side
        except (OSError, ValueError) as error:
            raise UnreadableInstance(f"cannot be read from the archive ({error})") from error
        if len(content) != place.size:
            raise UnreadableInstance("the archive has become shorter")
        return content

    def close(self) -> None:
        """Close the archive; what was unpacked is gone with it."""
        self._file.close()


class TarImporter:
    """Recognizes a tar by its ending or first header, a packed one by its ending."""

    def accepts(self, path: Path) -> bool:
        """Whether it is called .tar, .tar.gz, .tgz, .tar.bz2 or .tar.xz, or begins like a tar."""
        if not path.is_file():
            return False
        is_called_so = is_archive(path.name) and not path.name.lower().endswith(".zip")
        # the mark of POSIX is at 257; a tar from before it is known by its ending alone
        return is_called_so or first_bytes(path, 262)[257:] == b"ustar"

    def open(self, path: Path) -> TarSource:
        """Read every header; unpack a packed one first.

        Raises
        ------
        SourceError
            No tar or damaged, growing out of all proportion, no room to unpack it, or no readable image in it.
        """
        shown = display_safe(path.name)
        head = first_bytes(path, 6)
        reader = next((reader for start, reader in _PACKED.items() if head.startswith(start)), None)
        file = _unpacked(path, shown, reader) if reader is not None else path.open("rb")
        try:
            return TarSource(path, file, sort_members(_listed(file, shown), shown))
        # an interruption as well: what was unpacked takes up the disk as long as it is open
        except BaseException:
            file.close()
            raise


def _unpacked(path: Path, shown: str, reader: Callable[..., Any]) -> IO[bytes]:
    """The packed tar in a temporary file without a name; raises SourceError where it is too much or damaged."""
    most = max(BOMB_BYTES, BOMB_RATIO * path.stat().st_size)
    out = tempfile.TemporaryFile(prefix="labeler-")  # noqa: SIM115 - the source keeps it open
    try:
        with reader(path, "rb") as stream:
            while block := stream.read(_BLOCK):
                _check_growth(out.tell() + len(block), most, shown)
                out.write(block)
        out.flush()
    except SourceError:
        out.close()
        raise
    except Exception as error:  # they fail in several ways on damaged files; a disk may be full
        out.close()
        reason = display_safe(str(error), 100) or type(error).__name__
        hint = "free some space, or set TMPDIR" if isinstance(error, OSError) and error.errno else _ANEW
        raise SourceError(f"{shown} cannot be unpacked: {reason}", hint) from error
    return cast(IO[bytes], out)


def _check_growth(size: int, most: int, shown: str) -> None:
    if size > most:
        raise SourceError(
            f"{shown} grows more than {BOMB_RATIO} times when unpacked: not unpacked",
            "unpack it yourself if you trust it, and open the folder",
        )


class _Limited:
    """A file that gives a reader of headers no more than a header at once, whatever it asks for."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.seek, self.tell = file.seek, file.tell

    def read(self, size: int = -1) -> bytes:
        if not 0 <= size <= _LONGEST_READ:
            raise tarfile.ReadError(f"a header claims {size:,} bytes")
        return self._file.read(size)


def _listed(file: IO[bytes], shown: str) -> Iterator[Member[Place]]:
    """Every member but folders."""
    end = os.fstat(file.fileno()).st_size
    try:
        file.seek(0)
        limited: Any = _Limited(file)
        # not the locale's encoding: an archive has the same ids on every machine
        archive: Any = tarfile.TarFile(fileobj=limited, encoding="utf-8", errors="surrogateescape")
        while (info := archive.next()) is not None:
            archive.members.clear()  # tarfile keeps a kilobyte a member
            if not info.isdir():
                yield _member(info, end)
        _check_end(file, archive.offset)
    except SourceError:
        raise
    except Exception as error:  # ReadError, ValueError, RecursionError, ...: headers of strangers
        reason = display_safe(str(error), 100) or type(error).__name__
        raise SourceError(f"{shown} is no tar file or is damaged: {reason}", _ANEW) from error


def _check_end(file: IO[bytes], at: int) -> None:
    """tarfile takes a broken header for the end, which is a block of zeros or nothing."""
    file.seek(at)
    if any(file.read(tarfile.BLOCKSIZE)):
        raise tarfile.ReadError("a header in the middle is broken")


def _member(info: tarfile.TarInfo, end: int) -> Member[Place]:
    # `tar -C folder .` writes ./ before every name
    name = info.name.replace("\\", "/").removeprefix("./")
    trouble = ""
    if not info.isreg():
        trouble = "no regular file"
    elif info.issparse():
        trouble = "a sparse file"
    elif info.size < 0 or info.offset_data + info.size > end:
        trouble = "the archive ends before it does"
    place = Place(info.offset_data, info.size, str(info.mtime))
    return Member(name, info.size, place, info.size, info.issym() or info.islnk(), trouble)
