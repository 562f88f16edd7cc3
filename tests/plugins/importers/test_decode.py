"""Images of every mode and state of decay -> uint8 pixels, or one line that says why not."""

from __future__ import annotations

import io
import struct
import subprocess
import sys
import zlib

import numpy as np
import pytest
from PIL import Image, features

from labeler.core.errors import UnreadableInstance
from labeler.plugins.importers import decode as decoding
from labeler.plugins.importers.decode import decode

# A 2 x 3 picture without any symmetry: each of the eight orientations looks different.
CORNERS = np.array([[10, 80, 150], [40, 200, 250]], np.uint8)
UPRIGHT_FROM = {  # EXIF orientation -> how such a file stores the upright picture
    1: lambda a: a,
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: a.T,
    6: lambda a: np.rot90(a),
    7: lambda a: a[::-1, ::-1].T,
    8: lambda a: np.rot90(a, -1),
}


def encoded(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["PNG", "TIFF", "JPEG"])
def test_exif_orientation_is_applied(kind, orientation):
    big = np.kron(CORNERS, np.ones((16, 16), np.uint8))  # whole JPEG blocks: nearly lossless
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = np.ascontiguousarray(UPRIGHT_FROM[orientation](big))
    content = encoded(Image.fromarray(stored), kind, exif=exif, **({"quality": 95} if kind == "JPEG" else {}))
    seen = decode(content)
    assert seen.shape == big.shape
    assert np.abs(seen.astype(int) - big).max() <= 3


@pytest.mark.parametrize("kind", ["PNG", "BMP", "GIF", "TIFF", "PPM"])
def test_grey_stays_grey_in_every_lossless_format(kind):
    pixels = np.arange(48, dtype=np.uint8).reshape(6, 8) * 5
    assert np.array_equal(decode(encoded(Image.fromarray(pixels), kind)), pixels)


@pytest.mark.parametrize("kind", ["JPEG", "WEBP"])
def test_lossy_formats(kind):
    if kind == "WEBP" and not features.check("webp"):
        pytest.skip("Pillow without WebP")
    pixels = np.full((16, 16, 3), (200, 100, 50), np.uint8)
    assert np.abs(decode(encoded(Image.fromarray(pixels), kind)).astype(int) - pixels).max() <= 6


def test_16_bits_are_scaled_not_clipped():
    values = np.array([[0, 257, 32768, 65535]], np.uint16)
    for kind in ("PNG", "TIFF"):
        assert decode(encoded(Image.fromarray(values), kind)).tolist() == [[0, 1, 128, 255]]
    pgm = b"P5 4 1 65535\n" + values.astype(">u2").tobytes()
    assert decode(pgm).tolist() == [[0, 1, 128, 255]]


def test_floats_are_scaled_and_nan_is_black():
    values = np.array([[0.0, 0.5, 1.0, np.nan]], np.float32)
    assert decode(encoded(Image.fromarray(values), "TIFF")).tolist() == [[0, 128, 255, 0]]
    with pytest.raises(UnreadableInstance, match="no finite"):
        decode(encoded(Image.fromarray(np.full((2, 2), np.nan, np.float32)), "TIFF"))


def test_cmyk_becomes_rgb():
    image = Image.new("CMYK", (8, 8), (0, 255, 255, 0))  # red ink
    red = decode(encoded(image, "TIFF"))
    assert red.shape == (8, 8, 3)
    assert red[0, 0].tolist() == [255, 0, 0]
    assert decode(encoded(image, "JPEG"))[0, 0, 0] > 240


def test_palette_shows_its_colours():
    image = Image.new("P", (2, 1))
    image.putpalette([255, 0, 0, 0, 0, 255])
    image.putdata([0, 1])
    assert decode(encoded(image)).tolist() == [[[255, 0, 0], [0, 0, 255]]]


def drawing(mode: str, ink: int, *, alpha: int = 255) -> Image.Image:
    """A square of ink on what is transparent."""
    layers = np.full((12, 12, 2 if mode == "LA" else 4), 0, np.uint8)
    layers[..., :-1] = 77  # what is under the transparency is nobody's business
    layers[3:9, 3:9, :-1] = ink
    layers[3:9, 3:9, -1] = alpha
    return Image.fromarray(layers, mode)


@pytest.mark.parametrize("mode", ["LA", "RGBA"])
@pytest.mark.parametrize(("ink", "ground"), [(0, 255), (120, 255), (190, 255), (220, 0), (255, 0)])
def test_a_drawing_is_laid_on_the_ground_that_shows_it(mode, ink, ground):
    seen = decode(encoded(drawing(mode, ink)))
    assert seen.ndim == (2 if mode == "LA" else 3)  # grey with alpha stays grey
    assert (seen[5, 5].max(), seen[0, 0].max()) == (ink, ground)


def test_half_transparent_ink_is_half_as_dark():
    assert abs(int(decode(encoded(drawing("RGBA", 0, alpha=128)))[5, 5, 0]) - 127) <= 1


@pytest.mark.parametrize("alpha", [0, 3])
@pytest.mark.parametrize("mode", ["LA", "RGBA"])
def test_an_alpha_that_hides_everything_is_none(mode, alpha):
    layers = np.asarray(drawing(mode, 200)).copy()
    layers[..., -1] = alpha
    seen = decode(encoded(Image.fromarray(layers, mode)))
    assert (seen[5, 5].max(), seen[0, 0].max()) == (200, 77)


@pytest.mark.parametrize(("ink", "ground"), [((255, 255, 255), 0), ((10, 10, 10), 255)])
def test_a_palette_with_a_transparent_color(ink, ground):
    keyed = Image.new("P", (12, 12), 0)
    keyed.putpalette([128, 0, 128, *ink])
    keyed.paste(1, (3, 3, 9, 9))
    for kind in ("PNG", "GIF"):
        seen = decode(encoded(keyed, kind, transparency=0))
        assert (seen[5, 5].tolist(), seen[0, 0].tolist()) == (list(ink), [ground] * 3)


def test_a_key_color_is_transparent():
    for mode, key, ink in (("RGB", (9, 9, 9), (255, 255, 250)), ("L", 9, 255)):
        image = Image.new(mode, (12, 12), key)
        image.paste(ink, (3, 3, 9, 9))
        seen = decode(encoded(image, transparency=key))
        assert (seen[5, 5].max(), seen[0, 0].max()) == (255, 0)


def test_a_large_drawing_has_one_ground():
    layers = np.zeros((2900, 2900, 4), np.uint8)
    layers[2000:2900, :, :] = 255  # in the last strips alone
    seen = decode(encoded(Image.fromarray(layers, "RGBA"), compress_level=1), fit=64)
    assert (seen[5, 5].max(), seen[60, 5].min()) == (0, 255)


def test_one_bit_is_black_and_white():
    assert decode(b"P4 8 1\n\xf0").tolist() == [[0] * 4 + [255] * 4]


def test_first_frame_of_an_animation():
    frames = [Image.new("RGB", (4, 4), colour) for colour in ("red", "blue")]
    content = encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])
    assert decode(content)[0, 0].tolist() == [255, 0, 0]


def test_fit_shrinks_and_never_enlarges():
    photo = encoded(Image.new("RGB", (400, 200), "green"), "JPEG")
    assert decode(photo, fit=50).shape == (25, 50, 3)
    assert decode(photo, fit=1000).shape == (200, 400, 3)


def test_every_cut_of_a_jpeg_is_said_not_shown_half_grey():
    noise = np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8)
    whole = encoded(Image.fromarray(noise), "JPEG")
    for length in (len(whole) // 2, len(whole) // 3, 20):
        with pytest.raises(UnreadableInstance):
            decode(whole[:length])
    with pytest.raises(UnreadableInstance, match=r"damaged image: .*truncated"):
        decode(encoded(Image.fromarray(noise))[:2000])


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "empty"),
        (b"hello, I am a picture\n", "text"),
        ("Bär ".encode() * 400, "text"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n", "PostScript"),
        (b"%PDF-1.4\n", "PDF"),
        (b"\x00\x01\x02\xff" * 20, "no image of a known format"),
    ],
)
def test_what_is_no_image_is_named(content, why):
    with pytest.raises(UnreadableInstance, match=why) as caught:
        decode(content)
    assert "\n" not in caught.value.message


def png_of_size(width: int, height: int) -> bytes:
    """A PNG whose header claims a size that its few bytes cannot fill."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    data = zlib.compress(b"\0" * 1000)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


@pytest.mark.parametrize("side", [8_001, 11_000, 60_000])
def test_bombs_are_refused_before_memory_is_taken(side):
    with pytest.raises(UnreadableInstance, match="64 megapixels"):
        decode(png_of_size(side, side))


def test_broken_exif_does_not_cost_the_picture():
    content = encoded(Image.new("L", (3, 2), 7), "PNG", exif=b"Exif\0\0MM\0*\xff\xff\xff\xff")
    assert decode(content).shape == (2, 3)


def test_formats_are_a_list_of_ours():
    icon = encoded(Image.new("RGB", (16, 16)), "ICO")
    with pytest.raises(UnreadableInstance):
        decode(icon)
    assert "EPS" not in decoding.FORMATS


def test_nothing_is_printed_over_the_screen():
    program = (
        "import sys, logging; from labeler.plugins.importers.decode import decode\n"
        "try: decode(sys.stdin.buffer.read())\n"
        "except Exception: pass\n"
        "logging.getLogger('PIL.TiffImagePlugin').error('More samples per pixel than can be decoded')"
    )
    huge = subprocess.run([sys.executable, "-c", program], input=png_of_size(11_000, 11_000), capture_output=True)
    assert (huge.returncode, huge.stdout, huge.stderr) == (0, b"", b"")
