"""The images of an export as files in its folder: linked, copied, or written as PNG where they are no files."""

from __future__ import annotations

import errno
import io
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from labeler.core.errors import ExportError, UsageError
from labeler.core.text import display_safe
from labeler.core.types import ByteArray
from labeler.plugins.exporters.base import ExportRows

# endings that a name loses when its image is written as PNG
_IMAGES = (".jpg", ".jpeg", ".png", ".ppm", ".bmp", ".pgm", ".tif", ".tiff", ".webp", ".gif", ".avif", ".heic")
# another disk, no right to it, too many links to one file, or a file system that knows no links
_NO_HARD_LINK = (errno.EXDEV, errno.EPERM, errno.EACCES, errno.EMLINK, errno.ENOTSUP, errno.ENOSYS)


def link_of(rows: ExportRows, default: str) -> str:
    """Return the way images get into the export: the option ``link`` of the rows, else `default`.

    Raises
    ------
    UsageError
        It is none of hard, sym and copy.
    """
    link = rows.options.get("link", default)
    if link not in _PLACERS:
        raise UsageError(f"there is no link={display_safe(link)}", f"there are: {', '.join(_PLACERS)}")
    return link


def are_files(rows: ExportRows) -> list[bool]:
    """Whether every row has a file of its own; those that have none are decoded.

    Raises
    ------
    ExportError
        Files of instances are gone.
    """
    own, gone = [], 0
    first = Path()
    for position in range(len(rows.ids)):  # no list of paths: for a million files that is a gigabyte
        source = rows.locate(position)
        own.append(source is not None)
        if source is not None and not source.is_file():
            first = first if gone else source
            gone += 1
    if gone:
        raise ExportError(
            f"{gone} of {len(own)} images are gone, the first is {display_safe(str(first))}",
            "bring the files back, or export csv or jsonl, which need no image",
        )
    return own


def wanted_name(instance_id: str, as_png: bool) -> str:
    """The base name that an instance's file would like to have."""
    name = instance_id.rpartition("/")[2] or instance_id
    if not as_png:
        return name
    stem, ending = os.path.splitext(name)
    return f"{stem if ending.lower() in _IMAGES else name}.png"


def put_images(rows: ExportRows, files: Sequence[str], own: Sequence[bool], target: Path, link: str) -> list[str]:
    """Put the image of every row at its place of `files` (relative to the folder `target`); returns warnings.

    `own` as :func:`are_files` gives it.

    `link` as :func:`link_of` gives it: ``hard`` is a copy where the file system refuses.

    Raises
    ------
    ExportError
        A name would leave `target`.
    UnreadableInstance
        An image that has no file of its own cannot be decoded.
    OSError
        The folder cannot be written.
    """
    place = _PLACERS[link]
    # each folder once, not once an image
    for folder in dict.fromkeys(map(os.path.dirname, files)):
        inside(target, folder).mkdir(parents=True, exist_ok=True)
    copied = 0
    for position, (file, is_file) in enumerate(zip(files, own, strict=True)):
        source = rows.locate(position) if is_file else None
        if source is None:
            _write_png(rows.image(position), inside(target, file))
        else:
            copied += place(source, inside(target, file))
    return list(_copied(copied, len(files)))


def inside(root: Path, file: str) -> Path:
    """`file` in `root`, in the certainty that it is: the last check, whatever the names were made of."""
    path = Path(os.path.normpath(root / file))
    if path == root or not path.is_relative_to(root):
        raise ExportError(f"{display_safe(file)} would be written outside of the target", "rename the class")
    return path


def _copied(copied: int, total: int) -> Iterator[str]:
    if copied:
        yield f"{copied} of {total} images are copies: the file system takes no hard link from there to here"


def _hard(source: Path, destination: Path) -> bool:
    try:
        # resolved, because a hard link to a symbolic link is a symbolic link
        os.link(source.resolve(), destination)
    except OSError as error:
        if error.errno not in _NO_HARD_LINK:
            raise
        shutil.copyfile(source, destination)
        return True
    return False


def _sym(source: Path, destination: Path) -> bool:
    # an absolute path, which holds when the export is moved
    destination.symlink_to(source.resolve())
    return False


def _copy(source: Path, destination: Path) -> bool:
    shutil.copyfile(source, destination)
    return False


_PLACERS: dict[str, Callable[[Path, Path], bool]] = {"hard": _hard, "sym": _sym, "copy": _copy}
"""Each puts a source at a destination and says whether it had to copy although a link was asked."""


def _write_png(image: ByteArray, destination: Path) -> None:
    """Write (h, w) or (h, w, 3) uint8."""
    with destination.open("xb") as stream:
        stream.write(png_bytes(image))


def png_bytes(image: ByteArray) -> bytes:
    """(h, w) or (h, w, 3) uint8 as the bytes of a PNG."""
    from PIL import Image  # start-up: listing exporters and linking files need no Pillow

    stream = io.BytesIO()
    Image.fromarray(image).save(stream, format="PNG")
    return stream.getvalue()
