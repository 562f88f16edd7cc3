"""Broken and odd image files by name, each with the line that explains it, or with what is seen of it."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

import numpy as np
from PIL import Image

from tests.fuzz.seeds import images


def saved(image: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def plain(value: int = 0, side: int = 8) -> bytes:
    """A PNG of one grey."""
    return saved(Image.fromarray(np.full((side, side), value, np.uint8)))


def chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def claiming(width: int, height: int) -> bytes:
    """A PNG of a few bytes that says it is that large."""
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(bytes(64))) + chunk(b"IEND", b"")


def wide_canvas(width: int, height: int) -> bytes:
    """A GIF whose few pixels stand on a canvas that large."""
    whole = saved(Image.new("P", (8, 8)), "GIF")
    return whole[:6] + struct.pack("<HH", width, height) + whole[10:]


def many_scans(side: int = 8000, scans: int = 2000) -> bytes:
    """A progressive JPEG that goes over its pixels again and again: a few bytes each time, a tenth of a second."""
    whole = saved(Image.new("L", (side, side), 128), "JPEG", progressive=True)
    return whole[:-2] + whole[whole.rindex(b"\xff\xda") : -2] * scans + whole[-2:]


def bad_tiff() -> bytes:
    """A packed TIFF with a hole, of which libtiff speaks on standard error."""
    noise = np.random.default_rng(0).integers(0, 255, (64, 64, 3), dtype=np.uint8)
    whole = saved(Image.fromarray(noise), "TIFF", compression="tiff_adobe_deflate")
    return whole[:100] + bytes(300) + whole[400:]


def broken_png() -> bytes:
    whole = bytearray(plain(7, 40))
    whole[-20] ^= 255
    return bytes(whole)


def unreadable() -> dict[str, tuple[bytes, str]]:
    """name -> (content, a pattern of the line that is said of it)."""
    text = b"path,label\na.png,cat\n"
    found = {
        "bomb.png": (claiming(60_000, 60_000), "more than 64 megapixels"),
        "large.png": (claiming(8_001, 8_000), "more than 64 megapixels"),
        "liar.png": (claiming(7_000, 7_000), r"claims 7000 x 7000 pixels, more than its \d+ bytes can hold"),
        "liar.gif": (wide_canvas(7_000, 7_000), r"claims 7000 x 7000 pixels, more than its \d+ bytes can hold"),
        "slow.jpg": (many_scans(), "scans of 8000 x 8000 pixels: made to take long"),
        "eps.png": (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\nshowpage\n", r"PostScript \(EPS\) is not read"),
        "eps-of-windows.jpg": (b"\xc5\xd0\xd3\xc6" + bytes(40), r"PostScript \(EPS\) is not read"),
        "pdf.png": (b"%PDF-1.7\n", "PDF is not read"),
        "text.png": (text, "text, not an image"),
        "page.jpg": (b"<!DOCTYPE html><html><body>404</body></html>", "text, not an image"),
        "svg.png": (b'<svg xmlns="http://www.w3.org/2000/svg"/>', "text, not an image"),
        "noise.png": (bytes(range(256)) * 4, "no image of a known format"),
        "ico.png": (b"\0\0\1\0\1\0" + bytes(60), "no image of a known format"),
        "pickle.png": (
            b"\x80\x04\x95\x10\0\0\0\0\0\0\0\x8c\x05posix\x94\x8c\x06system\x94\x93",
            "no image of a known format",
        ),
        "checksum.png": (broken_png(), "damaged image"),
        "hole.tif": (bad_tiff(), "damaged image"),
        "nan.tif": (saved(Image.fromarray(np.full((4, 4), np.nan, np.float32)), "TIFF"), "no finite pixel value"),
    }
    for kind, ending in (
        ("PNG", "png"),
        ("JPEG", "jpg"),
        ("GIF", "gif"),
        ("TIFF", "tif"),
        ("WEBP", "webp"),
        ("BMP", "bmp"),
    ):
        whole = images()[kind][0]
        found[f"half.{ending}"] = (whole[: len(whole) // 2], "damaged image|no image of a known format")
    return found


def readable() -> dict[str, tuple[bytes, Any]]:
    """name -> (content, the pixel at the top left as it is to be seen; None = any) of what is odd and no mistake."""
    red, half = (200, 0, 0), Image.new("RGBA", (8, 8), (0, 0, 0, 0))
    palette, paper = Image.new("RGB", (8, 8), red).quantize(4), Image.new("RGB", (8, 8))
    frames = [Image.new("L", (8, 8), 255)]
    deep = Image.fromarray(np.full((8, 8), 32768, np.uint16))
    found: dict[str, tuple[bytes, Any]] = {
        "16-bit.png": (saved(deep), 128),
        "16-bit.tif": (saved(deep, "TIFF"), 128),
        "16-bit.pgm": (b"P5 8 8 65535\n" + b"\x80\0" * 64, 128),
        "one-bit.png": (saved(Image.new("1", (8, 8), 1)), 255),
        "palette.png": (saved(palette), red),
        "palette.gif": (saved(palette, "GIF"), red),
        "alpha.png": (saved(half), (0, 0, 0)),  # an alpha that hides all is none
        "grey-alpha.png": (saved(Image.new("LA", (8, 8), (0, 0))), 0),
        "cmyk.jpg": (saved(Image.new("CMYK", (8, 8)), "JPEG"), None),
        "cmyk.tif": (saved(Image.new("CMYK", (8, 8)), "TIFF"), (255, 255, 255)),
        "animated.gif": (saved(Image.new("L", (8, 8), 7), "GIF", save_all=True, append_images=frames), 7),
        "animated.png": (saved(Image.new("L", (8, 8), 7), save_all=True, append_images=frames), 7),
        "animated.webp": (saved(Image.new("RGB", (8, 8), red), "WEBP", save_all=True, append_images=[paper]), None),
        "pages.tif": (saved(Image.new("L", (8, 8), 7), "TIFF", save_all=True, append_images=frames), 7),
        "really-a.jpg": (plain(9), 9),
        "one-pixel.png": (plain(5, 1), 5),
        "thin.png": (saved(Image.new("L", (3000, 1), 5)), 5),
    }  # fmt: skip
    for orientation in range(1, 9):
        exif = Image.Exif()
        exif[0x0112] = orientation
        found[f"exif-{orientation}.png"] = (saved(Image.new("L", (8, 4), 60), exif=exif), 60)
    return found
