"""The bytes of an image file -> uint8 pixels, the same for the screen and for the features.

Pillow would open 43 formats (EPS starts Ghostscript), clip 16-bit values to white and leave photos lying on
their side. Here one list of formats is opened and every conversion is deliberate.
"""

from __future__ import annotations

import logging
import warnings
from functools import cache
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from labeler.core.vocabulary import ByteArray
from labeler.display import display_safe
from labeler.errors import UnreadableInstance
from labeler.importers.bounded import MOST_BYTES, Bounded, check_head, coefficient_bytes, pixel_bytes, tags_fit
from labeler.importers.scaling import byte_range, to_bytes
from labeler.importers.strips import AT_ONCE, in_strips, span_of, turned

if TYPE_CHECKING:
    from PIL import Image, ImageFile

FORMATS = ("PNG", "JPEG", "BMP", "GIF", "TIFF", "WEBP", "PPM")
MAX_PIXELS = 64_000_000
"""No image above 64 megapixels is decoded: 192 MB of colour, more is an attack or a mistake."""

_MOST_PIXELS_A_BYTE = {
    ("PNG", None): 8 * 1032,
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
_TURNS = {
    2: "FLIP_LEFT_RIGHT",
    3: "ROTATE_180",
    4: "FLIP_TOP_BOTTOM",
    5: "TRANSPOSE",
    6: "ROTATE_270",
    7: "TRANSVERSE",
    8: "ROTATE_90",
}


def decode(content: bytes, fit: int | None = None) -> ByteArray:
    """Decode the first frame of an image file, turned as its EXIF orientation says.

    Parameters
    ----------
    content : bytes
        The whole file.
    fit : int, optional
        Shrink to at most this many pixels on the longer side (never enlarge); fast for JPEG.

    Returns
    -------
    (h, w) uint8 for grey images, (h, w, 3) uint8 for all others; transparency is laid over white. Whole, but above
    WHOLE reduced by a whole number: no image takes more than 300 MB.

    Raises
    ------
    UnreadableInstance
        No image of a known format, damaged, cut short or too large; the message says which.
    """
    if not content:
        raise UnreadableInstance("empty file (0 bytes)")
    from PIL import Image, UnidentifiedImageError

    try:
        _quiet()
        check_head(content)
        with Image.open(file := Bounded(content), formats=FORMATS) as image:
            file.begin_pixels()
            return _pixels(image, fit, content)
    except UnreadableInstance:
        raise
    except UnidentifiedImageError:
        raise UnreadableInstance(_what_else(content)) from None
    except Image.DecompressionBombError:
        raise UnreadableInstance(f"claims more than {MAX_PIXELS // 1_000_000} megapixels") from None
    except Exception as error:  # a damaged file makes Pillow's readers fail in a dozen ways; each is the same to us
        reason = display_safe(str(error), 120) or type(error).__name__
        raise UnreadableInstance(f"damaged image: {reason}") from error


@cache
def _quiet() -> None:
    """Pillow warns and logs to stderr, which is the screen. Once for all: `catch_warnings` upsets threads."""
    warnings.filterwarnings("ignore", module=r"PIL\.")
    logging.getLogger("PIL").addHandler(logging.NullHandler())  # without any handler, Python prints the record


def _pixels(image: ImageFile.ImageFile, fit: int | None, content: bytes) -> ByteArray:
    width, height = image.size
    if width * height > MAX_PIXELS:
        raise UnreadableInstance(
            f"{width} x {height} pixels are more than {MAX_PIXELS // 1_000_000} megapixels",
            "shrink it and open the folder again",
        )
    most = _MOST_PIXELS_A_BYTE.get((image.format or "", image.info.get("compression")))
    if most is not None and width * height > most * len(content):
        raise UnreadableInstance(f"claims {width} x {height} pixels, more than its {len(content):,} bytes can hold")
    if image.info.get("progressive") and content.count(_SCAN) * width * height > _MAX_SCANNED:
        raise UnreadableInstance(f"{content.count(_SCAN):,} scans of {width} x {height} pixels: made to take long")
    _reduce_to_hold(image, fit)
    if not _take_scaled(image, content):
        image.load()
    turn = _turn(image)  # after load(): TIFF turns itself while loading and then says so
    if image.width * image.height > AT_ONCE:
        pixels = in_strips(image, fit, _flat)
        return pixels if turn is None else np.ascontiguousarray(turned(pixels, turn))
    flat = _flat(image)
    if fit:
        flat.thumbnail((fit, fit), reducing_gap=2.0)
    return np.array(flat if turn is None else flat.transpose(turn), dtype=np.uint8)


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
    """Read a PPM of another depth than 8 or 16 bits, which Pillow does value by value, as Pillow would."""
    from PIL import Image

    if image.format != "PPM" or not image.tile or image.tile[0][0] != "ppm":
        return False
    offset, (_, most) = image.tile[0].offset, cast(tuple[str, int], image.tile[0].args)
    wide, bands = most > 255, len(image.getbands())
    count = image.width * image.height * bands
    values = np.frombuffer(content, dtype=">u2" if wide else "u1", count=count, offset=offset)
    top = 65535 if image.mode == "I" else 255
    table = np.minimum(np.rint(np.arange(65536 if wide else 256) / most * top), top)
    shape = (image.height, image.width, bands)[: 2 if bands == 1 else 3]
    scaled = table.astype(np.int32 if image.mode == "I" else np.uint8)[values].reshape(shape)
    image.tile = []
    image.im = Image.fromarray(scaled).im
    return True


def _turn(image: Image.Image) -> Image.Transpose | None:
    from PIL.Image import Transpose

    blobs = (image.info.get("exif") or b"", image.info.get("Raw profile type exif") or b"")
    if image.format != "TIFF" and (len(blobs[1]) > 60_000 or not tags_fit(blobs[0])):
        return None
    try:
        name = _TURNS.get(image.getexif().get(_EXIF_ORIENTATION, 1))
    except Exception:  # broken metadata is no reason to lose the picture
        return None
    return None if name is None else Transpose[name]


def _flat(image: Image.Image, span: tuple[float, float] | None = None) -> Image.Image:
    """Convert any mode to L (if grey) or RGB; `span`: the least and largest value of what it is a part of."""
    from PIL import Image

    if image.mode == "F" or image.mode.startswith("I"):
        return Image.fromarray(_scaled(np.asarray(image), span))
    grey = image.mode in ("1", "L", "LA", "La")
    if not image.has_transparency_data:
        grey = grey or (image.mode == "P" and _grey_palette(image))  # how GIF stores grey
        return image.convert("L" if grey else "RGB")
    layered = image.convert("LA" if grey else "RGBA")
    paper = Image.new("L" if grey else "RGB", image.size, "white")
    paper.paste(layered, mask=layered.getchannel("A"))
    return paper


def _grey_palette(image: Image.Image) -> bool:
    colours = np.array(image.getpalette("RGB") or [0, 0, 1]).reshape(-1, 3)
    return bool((colours == colours[:, :1]).all())


def _scaled(values: np.ndarray[Any, Any], span: tuple[float, float] | None = None) -> ByteArray:
    """16-bit values by their full range, so that images of one pool stay comparable; others by what they span."""
    if values.dtype.itemsize == 2:
        return to_bytes(values, 0, 65535)
    found = span or span_of(values)
    if found is None:
        raise UnreadableInstance("holds no finite pixel value")
    low, high = found
    if values.dtype.kind == "i" and low >= 0 and 255 < high <= 65535:
        return to_bytes(values, 0, 65535)  # 16-bit PGM and old PNG readers arrive as 32-bit integers
    return to_bytes(values, *byte_range(low, high))


def _what_else(content: bytes) -> str:
    """One line on what a file that is no image seems to be."""
    head = content[:512]
    if head.startswith((b"%!PS", b"\xc5\xd0\xd3\xc6")):
        return "PostScript (EPS) is not read"
    if head.startswith(b"%PDF"):
        return "PDF is not read"
    try:
        text = head[: -3 if len(content) > 512 else None].decode()
    except UnicodeDecodeError:
        return f"no image of a known format ({', '.join(FORMATS)})"
    if all(char.isprintable() or char.isspace() for char in text):
        return "text, not an image"
    return f"no image of a known format ({', '.join(FORMATS)})"
