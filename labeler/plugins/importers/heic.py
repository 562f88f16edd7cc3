"""HEIC and HEIF, as phones write them: read by pillow-heif, the extra `heic`."""

from __future__ import annotations

import importlib.util
from functools import cache

from labeler.core.errors import UnreadableInstance

FORMATS = ("HEIF",)
ENDINGS = (".heic", ".heif", ".hif")
HINT = "pip install '.[heic]' (in the clone of labeler)"
# mif1 and msf1 name only the container, not the codec: AVIF may begin so, and then names itself further on
_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")


def is_heic(content: bytes) -> bool:
    """Whether a file begins like one, whatever it is called."""
    return content[4:8] == b"ftyp" and content[8:12] in _BRANDS and b"avif" not in content[12:64]


def is_installed() -> bool:
    """Whether the extra is there."""
    return importlib.util.find_spec("pillow_heif") is not None


def prepared(content: bytes) -> bool:
    """Whether `content` is HEIC, which Pillow can open from here on.

    Raises
    ------
    UnreadableInstance
        It is, and the extra is not installed; the hint says how it is.
    """
    if not is_heic(content):
        return False
    if not is_installed():
        raise UnreadableInstance(f"HEIC needs {HINT}", HINT)
    _register()
    return True


@cache
def _register() -> None:
    from pillow_heif import register_heif_opener  # here: an extra, and only for who has such files

    register_heif_opener(thumbnails=False)
