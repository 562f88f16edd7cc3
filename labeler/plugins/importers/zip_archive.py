"""A zip of images, read in place: nothing is unpacked to disk."""

from __future__ import annotations

import stat
import zipfile
from collections.abc import Iterator
from pathlib import Path

from labeler.core.errors import SourceError, UnreadableInstance
from labeler.core.text import display_safe
from labeler.plugins.importers.archive_members import Member, Members, sort_members
from labeler.plugins.importers.base import ImageFiles, PlainSource, digest
from labeler.plugins.importers.files import first_bytes
from labeler.plugins.importers.sidecar_labels import sample_labels


class ZipSource(ImageFiles, PlainSource):
    """The image members of a zip; ids are their names, in natural order."""

    kind = "zip"

    def __init__(self, path: Path, archive: zipfile.ZipFile, members: Members[zipfile.ZipInfo]) -> None:
        # of the directory, which has a checksum of every member: a copy with another date is the same source
        state = digest(part for name, member in members.images.items() for part in (name, member.file_size, member.CRC))
        super().__init__(path, list(members.images), digest((state, *sorted(members.unreadable))))
        self.unreadable = members.unreadable
        self.notes = members.notes
        self._archive = archive
        self._members = list(members.images.values())
        self._beside = members.beside

    def content_bytes(self, index: int) -> bytes:
        """The member's bytes, unpacked; raises UnreadableInstance where it is damaged."""
        return self._read(self._members[index])

    def truth(self) -> dict[str, str]:
        """id -> class by the files beside the images, such as ``0001.cls``; empty without them."""
        return sample_labels(self.ids, self._beside, self._read)[0]

    def _read(self, member: zipfile.ZipInfo) -> bytes:
        try:
            with self._archive.open(member) as stream:
                return stream.read(member.file_size + 1)  # zipfile itself stops at file_size and checks the CRC
        except Exception as error:  # bad CRC, bad local header, unknown method, zlib, end of file, closed archive
            reason = display_safe(str(error), 120) or type(error).__name__
            raise UnreadableInstance(f"damaged in the archive: {reason}") from error

    def close(self) -> None:
        """Close the archive."""
        self._archive.close()


class ZipImporter:
    """Recognizes a zip by its ending or first bytes."""

    def accepts(self, path: Path) -> bool:
        """Whether it is called .zip, or begins like one and is not numpy's."""
        if not path.is_file():
            return False
        ending = path.suffix.lower()
        return ending == ".zip" or (ending != ".npz" and first_bytes(path, 4) == b"PK\x03\x04")

    def open(self, path: Path) -> ZipSource:
        """Read the archive's directory.

        Raises
        ------
        SourceError
            No zip or damaged, encrypted, absurdly many members, or no readable image in it.
        """
        shown = display_safe(path.name)
        try:
            archive = zipfile.ZipFile(path)
        except Exception as error:  # BadZipFile, struct.error, OSError, NotImplementedError, ...
            reason = display_safe(str(error), 100) or type(error).__name__
            raise SourceError(f"{shown} is no zip file or is damaged: {reason}", "pack it anew") from error
        try:
            members = sort_members(_listed(archive.infolist()), shown)
        except SourceError:
            archive.close()
            raise
        return ZipSource(path, archive, members)


def _listed(infos: list[zipfile.ZipInfo]) -> Iterator[Member[zipfile.ZipInfo]]:
    for info in infos:
        name = info.filename.replace("\\", "/")  # some packers on Windows write backslashes
        if not name.endswith("/"):
            # the upper half is the mode of a file where a Unix packed it; the lowest bit of the flags is for encryption
            is_link, encrypted = stat.S_ISLNK(info.external_attr >> 16), bool(info.flag_bits & 0x1)
            yield Member(name, info.file_size, info, info.compress_size, is_link, "encrypted" if encrypted else "")
