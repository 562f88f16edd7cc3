"""The bytes of an image file -> uint8 pixels, the same for the screen and for the features.

Pillow would open 43 formats (EPS starts Ghostscript), clip 16-bit values to white and leave photos lying on
their side. Here one list of formats is opened and every conversion is deliberate.
"""

from __future__ import annotations

import importlib
import logging
import warnings
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from labeler.core.errors import UnreadableInstance
from labeler.core.text import display_safe
from labeler.core.types import ByteArray
from labeler.plugins.importers import heic, sixteen_bit, tiff, tiff_values
from labeler.plugins.importers.decode_limits import (
    MOST_BYTES,
    Bounded,
    check_head,
    coefficient_bytes,
    pixel_bytes,
    tags_fit,
)
from labeler.plugins.importers.pixel_modes import DATA, bytes_of, flattener
from labeler.plugins.importers.scaling import Ranges
from labeler.plugins.importers.strips import AT_ONCE, in_strips, shrunk, turned

if TYPE_CHECKING:
    from PIL import Image, ImageFile

# AVIF and HEIC come on top where they can be read: see `_formats`
FORMATS = ("PNG", "JPEG", "BMP", "GIF", "TIFF", "WEBP", "PPM")
MAX_PIXELS = 64_000_000
"""No image above 64 megapixels is decoded: 192 MB of colour, more is an attack or a mistake."""
MAX_DRAFTED = 178_000_000
"""But for JPEG, which is decoded at a half or less on each side: up to where Pillow takes it for an attack."""

_MOST_PIXELS_A_BYTE = {
    ("PNG", None): 8 * 1032,  # deflate unpacks a byte to 1,032, of eight pixels each
    ("GIF", None): 2731,  # a code of 12 bits stands for 4,096 at most; what a frame leaves out of its canvas counts
    ("TIFF", "raw"): 8,
    ("TIFF", "packbits"): 8 * 128,
    ("TIFF", "tiff_lzw"): 8 * 1400,
    ("TIFF", "tiff_adobe_deflate"): 8 * 1032,
    ("TIFF", "tiff_deflate"): 8 * 1032,
}
"""(format, packing) -> pixels of one bit that a byte can stand for; others notice by themselves what is not there."""

_SCAN, _MAX_SCANNED = b"\xff\xda", 50 * MAX_PIXELS
"""A progressive JPEG passes over all its pixels with every scan, of which a few bytes make one: two seconds of it."""

_EXIF_ORIENTATION = 0x0112
# as Pillow's exif_transpose() turns; 1 is upright
_TURNS = {
    2: "FLIP_LEFT_RIGHT",
    3: "ROTATE_180",
    4: "FLIP_TOP_BOTTOM",
    5: "TRANSPOSE",
    6: "ROTATE_270",
    7: "TRANSVERSE",
    8: "ROTATE_90",
}


def decode(content: bytes, fit: int | None = None, shown: Ranges = DATA) -> ByteArray:
    """Decode the first frame of an image file, turned as its EXIF orientation says.

    Parameters
    ----------
    content : bytes
        The whole file.
    fit : int, optional
        Shrink to at most this many pixels on the longer side (never enlarge); fast for JPEG.
    shown : ValueRange, optional
        What is black and white of values deeper than 8 bits; by default what the image itself suggests.

    Returns
    -------
    (h, w) uint8 for grey images, (h, w, 3) uint8 for all others; what is transparent is laid over white, or over black
    where it would not be seen on white. Whole, but above WHOLE reduced by a whole number: no image takes more than
    300 MB.

    Raises
    ------
    UnreadableInstance
        No image of a known format, damaged, cut short or too large; the message says which.
    """
    if not content:
        raise UnreadableInstance("empty file (0 bytes)")
    from PIL import Image, UnidentifiedImageError  # start-up: before the first frame

    refused: UnreadableInstance | None = None
    try:
        _quiet()
        check_head(content)
        try:
            if (pixels := _of_tiff(content, fit, shown)) is not None:
                return pixels
        except UnreadableInstance as error:  # what Pillow makes of it is better than nothing
            refused = error
        with Image.open(file := Bounded(content), formats=_formats(content)) as image:
            file.begin_pixels()
            return _pixels(image, fit, content, shown)
    except UnreadableInstance:
        raise
    except UnidentifiedImageError:
        raise (refused or UnreadableInstance(_what_else(content))) from None
    except Image.DecompressionBombError:
        raise UnreadableInstance(f"claims more than {MAX_PIXELS // 1_000_000} megapixels") from None
    except Exception as error:  # a damaged file makes Pillow's readers fail in a dozen ways; each is the same to us
        reason = display_safe(str(error), 120) or type(error).__name__
        raise refused or UnreadableInstance(f"damaged image: {reason}") from error


def _formats(content: bytes) -> tuple[str, ...]:
    """The formats to try: those in a box of ISO's are told by it, and not every Pillow has a reader for them."""
    if content[4:8] != b"ftyp":
        return FORMATS
    if heic.prepared(content):
        return heic.FORMATS
    try:
        importlib.import_module("PIL.AvifImagePlugin")
    except ImportError:
        return FORMATS
    return ("AVIF",)


@cache
def _quiet() -> None:
    """Pillow warns and logs to stderr, which is the screen. Once for all: `catch_warnings` upsets threads."""
    warnings.filterwarnings("ignore", module=r"PIL\.")
    logging.getLogger("PIL").addHandler(logging.NullHandler())  # without any handler, Python prints the record


def _pixels(image: ImageFile.ImageFile, fit: int | None, content: bytes, shown: Ranges) -> ByteArray:
    width, height = image.size
    _check_size(width, height, MAX_DRAFTED if image.format == "JPEG" else MAX_PIXELS)
    most = _MOST_PIXELS_A_BYTE.get((image.format or "", image.info.get("compression")))
    if most is not None and width * height > most * len(content):
        raise UnreadableInstance(f"claims {width} x {height} pixels, more than its {len(content):,} bytes can hold")
    if image.info.get("progressive") and content.count(_SCAN) * width * height > _MAX_SCANNED:
        raise UnreadableInstance(f"{content.count(_SCAN):,} scans of {width} x {height} pixels: made to take long")
    # before load(): a JPEG can be decoded smaller only as long as nothing of it was decoded
    _reduce_to_hold(image, fit)
    if (values := sixteen_bit.values_of(image, content)) is not None:
        return _finished(bytes_of(values[0], shown, values[1]), fit, _turn(image))
    if not _take_scaled(image, content):
        image.load()
    turn = _turn(image)  # after load(): TIFF turns itself while loading and then says so
    flatten = flattener(image, shown)
    if image.width * image.height > AT_ONCE:
        pixels = in_strips(image, fit, flatten)
        return pixels if turn is None else np.ascontiguousarray(turned(pixels, turn))
    flat = flatten(image)
    if fit:
        # shrunk first and turned after that: the fewer pixels, the cheaper the turn
        flat.thumbnail((fit, fit), reducing_gap=2.0)
    return np.array(flat if turn is None else flat.transpose(turn), dtype=np.uint8)


def _finished(pixels: ByteArray, fit: int | None, turn: Image.Transpose | None) -> ByteArray:
    """Shrunk and turned."""
    small = shrunk(pixels, fit) if fit else pixels
    return small if turn is None else np.ascontiguousarray(turned(small, turn))


def _check_size(width: int, height: int, most: int) -> None:
    if width * height > most:
        raise UnreadableInstance(
            f"{width} x {height} pixels are more than {most // 1_000_000} megapixels",
            "shrink it and open the folder again",
        )


def _of_tiff(content: bytes, fit: int | None, shown: Ranges) -> ByteArray | None:
    """A TIFF that Pillow does not read, or not in full; None for all other images."""
    if not tiff.is_tiff(content):
        return None
    page = next(tiff.pages(lambda at, size: content[at : at + size], most=1), None)
    if page is None or not tiff_values.is_for_us(page):
        return None
    _check_size(page.number(tiff.WIDTH), page.number(tiff.HEIGHT), MAX_PIXELS)
    pixels = bytes_of(tiff_values.values_of(content, page), shown, tiff_values.alpha_of(page))
    if page.number(tiff.PHOTOMETRIC, 1) == 0:  # WhiteIsZero: the file counts from white to black
        pixels = 255 - pixels
    return _finished(pixels, fit, _turn_of(page.number(_EXIF_ORIENTATION, 1)))


def _reduce_to_hold(image: ImageFile.ImageFile, fit: int | None) -> None:
    """Let a JPEG decode at a half, a quarter or an eighth: down to `fit`, or to what memory holds of it.

    Raises
    ------
    UnreadableInstance
        It takes more memory than one image may, however it is read.
    """
    size, besides = image.size, coefficient_bytes(image)
    scale = next((s for s in (1, 2, 4, 8) if besides + pixel_bytes(image, s) <= MOST_BYTES), 0)
    if scale == 0 or (scale > 1 and image.format != "JPEG"):
        raise UnreadableInstance(
            f"{size[0]} x {size[1]} pixels of {image.format} take more than {MOST_BYTES // 1_000_000} MB to read",
            "shrink it and open the folder again",
        )
    if fit:
        image.draft(None, (min(fit, size[0] // scale), min(fit, size[1] // scale)))  # None: the mode stays
    elif scale > 1:
        image.draft(None, (size[0] // scale, size[1] // scale))


def _take_scaled(image: ImageFile.ImageFile, content: bytes) -> bool:
    """Read a PPM of fewer levels than 256, which Pillow does value by value, as Pillow would."""
    from PIL import Image  # start-up: before the first frame

    values = sixteen_bit.ppm_values(image, content) if image.format == "PPM" else None
    if values is None:
        return False
    # load() would decode again what stands here
    image.tile = []
    image.im = Image.fromarray(values[..., 0] if values.shape[2] == 1 else values).im
    return True


def _turn(image: Image.Image) -> Image.Transpose | None:
    blobs = (image.info.get("exif") or b"", image.info.get("Raw profile type exif") or b"")
    # absurd metadata are not parsed: a picture on its side is better than one that takes minutes
    if image.format != "TIFF" and (len(blobs[1]) > 60_000 or not tags_fit(blobs[0])):
        return None
    try:
        return _turn_of(image.getexif().get(_EXIF_ORIENTATION, 1))
    except Exception:  # broken metadata is no reason to lose the picture
        return None


def _turn_of(orientation: int) -> Image.Transpose | None:
    from PIL.Image import Transpose  # start-up: before the first frame

    name = _TURNS.get(orientation)
    return None if name is None else Transpose[name]


def _what_else(content: bytes) -> str:
    """One line on what a file that is no image seems to be."""
    head = content[:512]
    if head.startswith((b"%!PS", b"\xc5\xd0\xd3\xc6")):
        return "PostScript (EPS) is not read"
    if head.startswith(b"%PDF"):
        return "PDF is not read"
    if head[4:12] == b"ftypavif":
        return "AVIF is not read by this Pillow: pip install --upgrade pillow"
    try:
        # the cut may go through a letter of up to four bytes
        text = head[: -3 if len(content) > 512 else None].decode()
    except UnicodeDecodeError:
        return f"no image of a known format ({', '.join(FORMATS)}, AVIF, HEIC)"
    if all(char.isprintable() or char.isspace() for char in text):
        return "text, not an image"
    return f"no image of a known format ({', '.join(FORMATS)}, AVIF, HEIC)"
