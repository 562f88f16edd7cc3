"""A zip of images, read in place: nothing is unpacked to disk."""

from __future__ import annotations

import os
import stat
import zipfile
from dataclasses import dataclass, field
from pathlib import Path

from labeler.display import display_safe
from labeler.errors import SourceError, UnreadableInstance
from labeler.importers.files import MAX_FILE_BYTES, first_bytes
from labeler.importers.names import count_endings, counted, has_image_ending, is_junk, natural_key
from labeler.importers.plain import ImageFiles, digest

MAX_MEMBERS = 5_000_000
_BOMB_BYTES, _BOMB_RATIO = 64 << 20, 250
_TABLES = (".csv", ".jsonl", ".json", ".tsv")


@dataclass
class Members:
    """What the archive's directory lists, sorted into kinds."""

    images: dict[str, zipfile.ZipInfo] = field(default_factory=dict)
    unreadable: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


class ZipSource(ImageFiles):
    """The image members of a zip; ids are their names, in natural order."""

    kind = "zip"

    def __init__(self, path: Path, archive: zipfile.ZipFile, members: Members) -> None:
        state = digest(part for name, member in members.images.items() for part in (name, member.file_size, member.CRC))
        super().__init__(path, list(members.images), digest((state, *sorted(members.unreadable))))
        self.unreadable = members.unreadable
        self.notes = members.notes
        self._archive = archive
        self._members = list(members.images.values())

    def content_bytes(self, index: int) -> bytes:
        """The member's bytes, unpacked; raises UnreadableInstance where it is damaged."""
        member = self._members[index]
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
            members = sort_members(archive.infolist(), shown)
        except SourceError:
            archive.close()
            raise
        return ZipSource(path, archive, members)


def sort_members(listed: list[zipfile.ZipInfo], shown: str) -> Members:
    """Pick the images out of an archive's directory; raises SourceError where none can be read."""
    if len(listed) > MAX_MEMBERS:
        raise SourceError(f"{shown} lists {len(listed):,} members, more than {MAX_MEMBERS:,}", "split it")
    found, others, unsafe, links, twice = Members(), [], [], 0, 0
    for member in listed:
        name = member.filename.replace("\\", "/")  # some packers on Windows write backslashes
        if name.endswith("/") or any(is_junk(part) for part in name.split("/") if part not in (".", "..")):
            continue
        if not is_inside(name):
            unsafe.append(name)
        elif stat.S_ISLNK(member.external_attr >> 16):
            links += 1
        elif not has_image_ending(name):
            others.append(name)
        else:
            twice += name in found.images or name in found.unreadable
            _place(member, name, found)
    found.images = {name: found.images[name] for name in sorted(found.images, key=natural_key)}
    found.notes = _notes(others, unsafe, links, twice)
    if not found.images:
        raise _no_images(found, shown)
    return found


def is_inside(name: str) -> bool:
    """Whether a member's name stays below the folder it would be unpacked in."""
    drive = len(name) > 1 and name[1] == ":"
    return not (name.startswith("/") or drive or ".." in name.split("/") or "\0" in name or not name)


def _place(member: zipfile.ZipInfo, name: str, found: Members) -> None:
    """Put one image member where it belongs; of two with one name the later counts, as when unpacking."""
    found.images.pop(name, None)
    found.unreadable.pop(name, None)
    ratio = member.file_size / max(member.compress_size, 1)
    if member.flag_bits & 0x1:
        found.unreadable[name] = "encrypted"
    elif member.file_size == 0:
        found.unreadable[name] = "empty file (0 bytes)"
    elif member.file_size > MAX_FILE_BYTES:
        found.unreadable[name] = f"claims {member.file_size:,} bytes, more than {MAX_FILE_BYTES:,}"
    elif member.file_size > _BOMB_BYTES and ratio > _BOMB_RATIO:
        found.unreadable[name] = f"grows {ratio:,.0f} times when unpacked: not unpacked"
    else:
        found.images[name] = member


def _notes(others: list[str], unsafe: list[str], links: int, twice: int) -> list[str]:
    notes = []
    if unsafe:
        lead = counted(len(unsafe), "member whose name leaves", "members whose names leave")
        notes.append(f"passed over {lead} the archive ({display_safe(unsafe[0], 60)})")
    if links:
        notes.append(f"passed over {counted(links, 'link')}: links are not followed")
    if twice:
        notes.append(counted(twice, "name occurs", "names occur") + " twice: the later member counts")
    tables = [name for name in others if os.path.splitext(name)[1].lower() in _TABLES]
    if tables:
        notes.append(f"{display_safe(tables[0], 60)} in the archive is not read as labels: unpack it to use it")
    rest = [name for name in others if name not in tables]
    if rest:
        notes.append(f"passed over {counted(len(rest), 'file')} without an image ending ({count_endings(rest)})")
    return notes


def _no_images(found: Members, shown: str) -> SourceError:
    reasons = set(found.unreadable.values())
    if reasons == {"encrypted"}:
        return SourceError(f"{shown} is encrypted", "unpack it with its password and open the folder")
    what = [f"{counted(len(found.unreadable), 'image')} cannot be read ({reasons.pop()})"] if reasons else []
    inside = "; ".join(what + found.notes) or "it is empty"
    return SourceError(f"no image in {shown}: {inside}", "images end in png, jpg, bmp, gif, tif, webp, pgm or ppm")
