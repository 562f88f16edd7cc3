"""The members of an archive, sorted into images and what is passed over: the same rules for zip and tar."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from labeler.core.errors import SourceError
from labeler.core.text import counted, display_safe
from labeler.plugins.importers.files import MAX_FILE_BYTES
from labeler.plugins.importers.names import (
    ENDINGS_IN_WORDS,
    count_endings,
    has_image_ending,
    is_archive,
    is_junk,
    junk_note,
    natural_key,
)
from labeler.plugins.importers.sidecar_labels import ending_of, key_of, may_be_label

# each costs some hundred bytes before anything is read, and a directory may list any number of them
MAX_MEMBERS = 5_000_000
BOMB_BYTES, BOMB_RATIO = 64 << 20, 250
"""What grows to more than this, and so many times, is no image."""

_TABLES = (".csv", ".jsonl", ".json", ".tsv")

Place = TypeVar("Place")


@dataclass(frozen=True, slots=True)
class Member(Generic[Place]):
    """One file of an archive: name with forward slashes, bytes unpacked and `packed`, where it is.

    `trouble` says in words why it cannot be read, "" = nothing known against it.
    """

    name: str
    size: int
    place: Place
    packed: int
    is_link: bool = False
    trouble: str = ""


@dataclass
class Members(Generic[Place]):
    """Members that an archive lists, sorted into kinds."""

    images: dict[str, Place] = field(default_factory=dict)
    beside: dict[str, Place] = field(default_factory=dict)  # what may be the label of an image of the same key
    unreadable: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def sort_members(listed: Iterable[Member[Place]], shown: str) -> Members[Place]:
    """Pick the images out of an archive's files; raises SourceError where none can be read."""
    members: Members[Place] = Members()
    others, unsafe, links, twice = list[str](), list[str](), 0, 0
    junk: Counter[str] = Counter()
    for number, member in enumerate(listed, 1):
        if number > MAX_MEMBERS:
            raise SourceError(f"{shown} lists more than {MAX_MEMBERS:,} members", "split it")
        name = member.name
        # any folder on the way counts: all that lies below __MACOSX is left over
        left_over = next((part for part in name.split("/") if part not in (".", "..") and is_junk(part)), None)
        if left_over is not None:
            junk[left_over] += 1
            continue
        # nothing is unpacked by its name here, but ids are paths that other programs and exports go by
        if not is_inside(name):
            unsafe.append(name)
        elif member.is_link:
            links += 1
        elif not has_image_ending(name):
            others.append(name)
            if not member.trouble and may_be_label(name, member.size):
                members.beside[name] = member.place
        else:
            twice += name in members.images or name in members.unreadable
            _place(member, members)
    members.images = {name: members.images[name] for name in sorted(members.images, key=natural_key)}
    keys = {key_of(name) for name in members.images}
    # only now: an archive may list the label of an image before the image
    members.beside = {name: place for name, place in members.beside.items() if key_of(name) in keys}
    members.notes = _notes([name for name in others if name not in members.beside], unsafe, links, twice)
    members.notes += _notes_on_labels_beside(members.beside)
    members.notes += [line] if (line := junk_note(junk)) else []
    if not members.images:
        raise _no_images(members, shown)
    return members


def is_inside(name: str) -> bool:
    """Whether a member's name stays below the folder it would be unpacked in."""
    # C:/x, and even C:x, leave the folder on Windows
    drive = len(name) > 1 and name[1] == ":"
    return not (name.startswith("/") or drive or ".." in name.split("/") or "\0" in name or not name)


def _place(member: Member[Place], members: Members[Place]) -> None:
    """Put one image member where it belongs; of two with one name the later counts, as when unpacking."""
    name = member.name
    members.images.pop(name, None)
    members.unreadable.pop(name, None)
    ratio = member.size / max(member.packed, 1)
    if member.trouble:
        members.unreadable[name] = member.trouble
    elif member.size == 0:
        members.unreadable[name] = "empty file (0 bytes)"
    elif member.size > MAX_FILE_BYTES:
        members.unreadable[name] = f"claims {member.size:,} bytes, more than {MAX_FILE_BYTES:,}"
    elif member.size > BOMB_BYTES and ratio > BOMB_RATIO:
        members.unreadable[name] = f"grows {ratio:,.0f} times when unpacked: not unpacked"
    else:
        members.images[name] = member.place


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
    inner = [name for name in others if is_archive(name)]
    if inner:
        lead = counted(len(inner), "archive")
        notes.append(f"passed over {lead} in the archive ({display_safe(inner[0], 60)}): unpack it to use it")
    passed = {*tables, *inner}
    rest = [name for name in others if name not in passed]
    if rest:
        notes.append(f"passed over {counted(len(rest), 'file')} without an image ending ({count_endings(rest)})")
    return notes


def _notes_on_labels_beside(beside: Iterable[str]) -> list[str]:
    endings = Counter(f".{ending_of(name)}" for name in beside)
    if not endings:
        return []
    listed = ", ".join(f"{ending} {count:,}" for ending, count in endings.most_common())
    return [f"files beside the images may be their labels ({listed}): import-labels takes them, --truth y, too"]


def _no_images(members: Members[Place], shown: str) -> SourceError:
    reasons = set(members.unreadable.values())
    if reasons == {"encrypted"}:
        return SourceError(f"{shown} is encrypted", "unpack it with its password and open the folder")
    what = [f"{counted(len(members.unreadable), 'image')} cannot be read ({reasons.pop()})"] if reasons else []
    inside = "; ".join(what + members.notes) or "it is empty"
    return SourceError(f"no image in {shown}: {inside}", ENDINGS_IN_WORDS)
