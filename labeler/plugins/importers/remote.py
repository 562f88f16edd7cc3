"""Images on other machines, read through fsspec (an extra): all below an address, or those that a list names.

Which file systems there are is fsspec's: ``https://`` comes with the extra, ``s3://`` and others need a package each.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

from labeler.core.errors import LabelerError, MissingExtra, SourceError, UnreadableInstance
from labeler.core.recipe import AS_IT_IS, Reading
from labeler.core.text import display_safe
from labeler.plugins.importers.base import ImageFiles, PlainSource, Source, digest
from labeler.plugins.importers.files import MAX_FILE_BYTES
from labeler.plugins.importers.list_rows import TEXTS
from labeler.plugins.importers.names import ENDINGS_IN_WORDS, has_image_ending, natural_key
from labeler.plugins.importers.value_range import arranged

ADDRESS = re.compile(r"(https?|ftp|s3|gs|gcs|az|abfs|azure|hdfs|memory)://", re.IGNORECASE)
PACKAGES = {"s3": "s3fs", "gs": "gcsfs", "gcs": "gcsfs", "az": "adlfs", "abfs": "adlfs", "hdfs": "pyarrow"}
"""What fsspec needs besides itself, by scheme."""
AHEAD = 32
"""Images that are fetched at once where they are read one after the other: each takes a round trip by itself."""
_BUSY = (408, 425, 429)
"""Answers of a web server that ask to come again, among those that say that the request is at fault (4xx)."""


class Unreachable(OSError):
    """An image that could not be looked at, as something in between failed: it may be there the next time."""


def check_installed(address: str) -> None:
    """Refuse an address that needs what is not installed.

    Raises
    ------
    MissingExtra, SourceError
        The line says which package.
    """
    scheme = address.partition(":")[0].lower()
    needed = ("fsspec", "aiohttp") if scheme in ("http", "https") else ("fsspec",)
    if any(find_spec(name) is None for name in needed):
        raise MissingExtra(f"reading {scheme}://", "remote")
    package = PACKAGES.get(scheme)
    if package is not None and find_spec(package) is None:
        what = f"reading {scheme}:// needs the package {package}, which is not installed"
        raise SourceError(what, f"install it with: pip install {package}")


def can_read(address: str) -> bool:
    """Whether what an address needs is installed."""
    try:
        check_installed(address)
    except LabelerError:
        return False
    return True


def read_many(addresses: Sequence[str]) -> list[bytes | UnreadableInstance]:
    """Return the content of each address, or why there is none; as many at a time as their file system likes.

    Raises
    ------
    Unreachable
        One of them could not be looked at: no answer, or a server that is busy.
    """
    contents: list[bytes | UnreadableInstance] = []
    for start in range(0, len(addresses), AHEAD):
        some = addresses[start : start + AHEAD]
        schemes = {address.partition(":")[0].lower() for address in some}
        if len(schemes) > 1:
            contents += [content for address in some for content in _read([address])]
        else:
            contents += _read(some)
    return contents


def _read(addresses: Sequence[str]) -> list[bytes | UnreadableInstance]:
    """Return the content of each of some addresses of one scheme."""
    files, first = _file_system(addresses[0])
    paths = [first, *(files._strip_protocol(address) for address in addresses[1:])]
    # not cat(): it takes signs in names, as in `a[1].png`, for patterns
    answers = files.cat_ranges(paths, None, None, on_error="return")
    return [_content(address, answer) for address, answer in zip(addresses, answers, strict=True)]


def _content(address: str, answer: object) -> bytes | UnreadableInstance:
    if isinstance(answer, bytes):
        too_large = f"{len(answer):,} bytes are more than the limit of {MAX_FILE_BYTES:,}"
        return answer if len(answer) <= MAX_FILE_BYTES else UnreadableInstance(too_large)
    if isinstance(answer, FileNotFoundError):
        return UnreadableInstance("the file is gone")
    if isinstance(answer, PermissionError):
        return UnreadableInstance("cannot be read (not permitted)")
    status = getattr(answer, "status", None)
    if isinstance(status, int) and 400 <= status < 500 and status not in _BUSY:
        return UnreadableInstance(f"cannot be read (the server says {status})")
    why = f"{type(answer).__name__} {answer}".strip()
    raise Unreachable(f"{display_safe(address)} cannot be reached: {display_safe(why)}")


def _file_system(address: str) -> tuple[Any, str]:
    """The file system of an address, and the address as that writes it."""
    check_installed(address)
    from fsspec.core import url_to_fs  # an extra

    files, path = url_to_fs(address)
    return files, path


class RemoteSource(ImageFiles, PlainSource):
    """Images at addresses, which are their ids; the fingerprint is of the addresses alone.

    Images that are replaced under the same address are not noticed: to ask for each one's time takes a round trip.
    """

    kind = "remote"

    def __init__(self, address: str, addresses: Sequence[str]) -> None:
        super().__init__(Path(address), addresses, fingerprint_of(addresses))
        self.address = address
        self._window: dict[int, bytes | UnreadableInstance] = {}
        self._last = -2

    def content_bytes(self, index: int) -> bytes:
        """Return the bytes, fetched with the next ones where images are read in their order.

        Raises
        ------
        UnreadableInstance
            There is nothing, or it may not be read.
        Unreachable
            Nobody knows.
        """
        if index not in self._window:
            size = AHEAD if index == self._last + 1 else 1
            self._window = dict(enumerate(read_many(self.ids[index : index + size]), index))
        self._last = index
        content = self._window[index]
        if isinstance(content, UnreadableInstance):
            raise content
        return content


def fingerprint_of(addresses: Sequence[str]) -> str:
    """Return the fingerprint of images at these addresses, as a list of them has it."""
    return digest(part for address in addresses for part in (address, 0, 0))


def open_address(address: str, reading: Reading = AS_IT_IS) -> Source:
    """Open all images below an address, or those that the text at it names, one a line.

    Raises
    ------
    SourceError
        There is none, or it cannot be reached.
    MissingExtra
        What reads such an address is not installed.
    """
    shown = display_safe(address)
    try:
        names = _named_at(address) if address.lower().endswith(TEXTS) else _below(address)
    except LabelerError:
        raise
    except FileNotFoundError:
        names = []
    except Exception as error:  # each file system has errors of its own
        why = display_safe(str(error), 100) or type(error).__name__
        raise SourceError(f"cannot list {shown}: {why}", "check the address, and who may read it") from error
    if not names:
        raise SourceError(f"there is no image at {shown}", f"{ENDINGS_IN_WORDS}; what lies below it is searched too")
    return arranged(RemoteSource(address, names), reading)


def _below(address: str) -> list[str]:
    files, path = _file_system(address)
    # pages of a web server are walked through, and one that fails would be passed over; stores list all at once
    is_walk = address.lower().startswith("http")
    there = files.find(path, on_error="raise") if is_walk else files.find(path)
    names = map(files.unstrip_protocol, there or files.ls(path, detail=False))  # where none is found, ls() says why
    return sorted(filter(has_image_ending, names), key=natural_key)


def _named_at(address: str) -> list[str]:
    (content,) = read_many([address])
    if isinstance(content, UnreadableInstance):
        raise SourceError(f"{display_safe(address)}: {content}", "check the address")
    lines = (line.strip() for line in content.decode("utf-8", "replace").split("\n"))
    absolute = partial(urljoin, address)
    names = (line if ADDRESS.match(line) else absolute(line) for line in lines if line and not line.startswith("#"))
    return list(dict.fromkeys(filter(has_image_ending, names)))
