"""One range of values for a source as a whole, in every depth and container; what is not shown is said."""

from __future__ import annotations

import io
import tarfile
import zipfile

import numpy as np
import pytest
from PIL import Image

from labeler.core.errors import SourceError, UsageError
from labeler.core.recipe import Reading
from labeler.plugins.importers import heic
from labeler.plugins.importers.detect import open_source

tifffile = pytest.importorskip("tifffile")


def figure(white: float, dtype: object, *, black: float = 0.0, seed: int = 0) -> np.ndarray:
    """A bright square on a dark ground with a little noise."""
    values = np.full((24, 24), black, np.float64)
    values[6:18, 6:18] = white
    values[0, 0] = black + (white - black) * np.random.default_rng(seed).uniform(0.4, 0.6)
    return values.astype(dtype)


def png16(values: np.ndarray) -> bytes:
    """A PNG of 16 bits of grey, grey with alpha, color, or color with alpha."""
    import struct
    import zlib

    kind = {1: 0, 2: 4, 3: 2, 4: 6}[values.shape[2] if values.ndim == 3 else 1]

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    rows = values.astype(">u2").reshape(len(values), -1)
    data = b"".join(b"\0" + row.tobytes() for row in rows)
    header = struct.pack(">IIBBBBB", values.shape[1], values.shape[0], 16, kind, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(data)) + chunk(b"IEND", b"")


def pool(folder, images: list[bytes], ending: str = "png"):
    folder.mkdir(exist_ok=True)
    for row, content in enumerate(images):
        (folder / f"{row:02}.{ending}").write_bytes(content)
    return folder


def tif(values: np.ndarray, **options: object) -> bytes:
    out = io.BytesIO()
    options.setdefault("photometric", "minisblack")
    tifffile.imwrite(out, values, **options)
    return out.getvalue()


def brightest(source) -> list[int]:
    return [int(source.image(row).max()) for row in range(len(source.ids))]


@pytest.mark.parametrize("bits", [8, 9, 10, 11, 12, 13, 14, 15, 16])
@pytest.mark.parametrize("bands", [1, 2, 3, 4])
def test_no_depth_is_near_black(tmp_path, bits, bands):
    white = 2**bits - 1
    grey = figure(white, np.uint16)
    values = grey if bands == 1 else np.stack([grey] * bands, axis=2)
    if bands in (2, 4):
        values[..., -1] = 65535
    source = open_source(pool(tmp_path / "p", [png16(values)] * 3))
    assert min(brightest(source)) > 120
    assert source.image(0).min() == 0
    assert source.image(0).ndim == (2 if bands < 3 else 3)
    (line,) = source.notes
    assert line.startswith("values 0 to ")
    assert "--range LOW:HIGH" in line


@pytest.mark.parametrize(
    ("white", "dtype", "black"),
    [
        (1.0, np.float32, 0.0),
        (1.2, np.float32, 0.0),
        (255.0, np.float32, 0.0),
        (0.02, np.float32, 0.0),
        (4000.0, np.float64, 0.0),
        (1.0, np.float64, 0.0),
        (1.0, np.float16, 0.0),
        (2.0, np.float32, -3.0),
        (-1.0, np.float64, -2.0),
        (3000, np.int16, -1000),
        (100_000, np.int32, 0),
        (3_000_000_000, np.uint32, 0),
        (60, np.uint32, 0),
        (2, np.uint16, 0),
        (31_000, np.uint16, 29_000),
        (100, np.int8, -100),
    ],
)
def test_numbers_of_any_kind_are_seen(tmp_path, white, dtype, black):
    images = [tif(figure(white, dtype, black=black, seed=seed)) for seed in range(3)]
    source = open_source(pool(tmp_path / "p", images, "tif"))
    seen = source.image(0)
    assert seen.max() > 120
    assert int(seen.max()) - int(seen.min()) > 120


def test_images_of_one_source_stay_comparable(tmp_path):
    unit, over = figure(1.0, np.float32), figure(1.2, np.float32)
    source = open_source(pool(tmp_path / "f", [tif(unit), tif(over)], "tif"))
    assert brightest(source) == [212, 255]
    dim = [png16(figure(white, np.uint16)) for white in (4000, 40)]
    source = open_source(pool(tmp_path / "i", dim))
    assert brightest(source) == [249, 2]  # the dark one is dark beside the other


def test_whole_numbers_and_fractions_have_a_range_each(tmp_path):
    folder = pool(tmp_path / "p", [png16(figure(4095, np.uint16))])
    (folder / "f.tif").write_bytes(tif(figure(1.2, np.float32)))
    source = open_source(folder)
    assert brightest(source) == [255, 255]
    assert source.shown.text == "auto 0:4095,0:1.2000000476837158"
    assert open_source(folder, Reading(range=source.shown.text)).shown == source.shown


def test_images_of_8_bits_are_as_they_are(tmp_path):
    folder = pool(tmp_path / "p", [png16(figure(4095, np.uint16))])
    Image.fromarray(figure(100, np.uint8)).save(folder / "z.png")
    assert brightest(open_source(folder)) == [255, 100]
    (folder / "00.png").unlink()
    source = open_source(folder)
    assert source.shown is None
    assert source.notes == []


@pytest.mark.parametrize("stray", ["one image", "a hot pixel"])
def test_what_is_stray_does_not_make_the_others_black(tmp_path, stray):
    images = [np.kron(figure(4095, np.uint16, seed=seed), np.ones((6, 6), np.uint16)) for seed in range(20)]
    if stray == "one image":
        images[3][:] = 65535
    else:
        for image in images:
            image[5, 5] = 65535
    source = open_source(pool(tmp_path / "p", [png16(image) for image in images]))
    assert min(brightest(source)) == 255
    assert source.shown.whole == (0, 4095)
    if stray == "one image":
        assert "(1 of them beyond it)" in source.notes[0]


def test_what_was_not_measured_is_black(tmp_path):
    values = figure(1.0, np.float32)
    values[:3] = np.nan
    values[3] = np.inf
    values[4] = -3.4e38
    tag = [(42113, "s", 0, "-9999", True)]  # as GDAL writes it
    marked, heights = figure(1.0, np.float32), figure(4000, np.int16)
    marked[:3] = heights[:3] = -9999
    bands = tif(np.stack([marked] * 3, axis=2), extratags=tag, planarconfig="contig")
    contents = [tif(values), bands, tif(marked, extratags=tag), tif(heights, extratags=tag)]
    for row, content in enumerate(contents):
        seen = open_source(pool(tmp_path / str(row), [content], "tif")).image(0)
        assert (seen[10, 10].max() > 245, seen[:3].max(), seen[20, 20].max()) == (True, 0, 0)


def test_the_range_is_the_same_in_every_container(tmp_path):
    images = {f"{row}.png": png16(figure(4000 - row, np.uint16)) for row in range(3)}
    folder = pool(tmp_path / "p", list(images.values()))
    with zipfile.ZipFile(tmp_path / "p.zip", "w") as packed, tarfile.open(tmp_path / "p.tar", "w") as tar:
        for name, content in images.items():
            packed.writestr(name, content)
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    (tmp_path / "p/list.csv").write_text("path\n" + "\n".join(sorted(path.name for path in folder.glob("*.png"))))
    for place in (folder, tmp_path / "p.zip", tmp_path / "p.tar", tmp_path / "p/list.csv"):
        source = open_source(place)
        assert source.shown.text == "auto 0:4095,-"
        assert brightest(source) == [249, 249, 249]
        source.close()


def test_a_range_that_is_given_holds(tmp_path):
    folder = pool(tmp_path / "p", [png16(figure(1000, np.uint16, black=500))])
    source = open_source(folder, Reading(range="500:1500"))
    assert (source.image(0).min(), source.image(0).max()) == (0, 128)
    assert source.notes == ["values 500 to 1500 are shown as black to white"]
    bytes_alone = pool(tmp_path / "b", [])
    Image.fromarray(figure(60, np.uint8)).save(bytes_alone / "a.png")
    Image.fromarray(np.stack([figure(60, np.uint8)] * 3, axis=2)).save(bytes_alone / "b.png")
    assert brightest(open_source(bytes_alone, Reading(range="0:120"))) == [128, 128]
    source = open_source(bytes_alone, Reading(range="0:4095"))
    assert brightest(source) == [60, 60]
    assert "8 bits" in source.notes[0]


@pytest.mark.parametrize("text", ["1", "5:5", "9:1", "a:b", "0:nan", "0:inf", "0:1:2", "auto 0:1", "0;1", "auto x,y"])
def test_what_is_no_range_is_said(tmp_path, text):
    with pytest.raises(UsageError, match="no range of values"):
        open_source(pool(tmp_path / "p", [png16(figure(9, np.uint16))]), Reading(range=text))


@pytest.mark.parametrize(
    ("values", "low", "high"),
    [
        (figure(1.2, np.float32), 0, 255),
        (figure(1.0, np.float64), 0, 255),
        (figure(4000, np.uint16), 0, 249),
        (figure(16.0, np.float32), 0, 255),
        (figure(5, np.uint8), 0, 182),
        (figure(200, np.uint8), 0, 200),
    ],
)
def test_arrays_follow_the_same_rules(tmp_path, values, low, high):
    np.savez(tmp_path / "x.npz", X=np.stack([values] * 4))
    source = open_source(tmp_path / "x.npz")
    assert (source.image(1).min(), source.image(1).max()) == (low, high)


def test_a_range_given_for_arrays_holds_and_a_remembered_one_where_it_fits(tmp_path):
    np.savez(tmp_path / "x.npz", X=np.stack([figure(0.6, np.float32)] * 4))
    assert open_source(tmp_path / "x.npz").image(0).max() == 153
    assert open_source(tmp_path / "x.npz", Reading(range="0:1.2")).image(0).max() == 128
    assert open_source(tmp_path / "x.npz", Reading(range="auto -,0:1.2")).image(0).max() == 128
    np.savez(tmp_path / "x.npz", X=np.stack([figure(200.0, np.float32)] * 4))
    assert open_source(tmp_path / "x.npz", Reading(range="auto -,0:1.2")).image(0).max() == 200


def test_drawings_in_an_array_go_on_the_ground_that_shows_them(tmp_path):
    layers = np.zeros((3, 12, 12, 4), np.uint8)
    layers[0, 3:9, 3:9] = 255  # white ink
    layers[1, 3:9, 3:9, 3] = 255  # black ink
    layers[2, 3:9, 3:9, :3] = 200  # alpha all 0
    np.savez(tmp_path / "x.npz", X=layers)
    source = open_source(tmp_path / "x.npz")
    seen = [(int(source.image(row)[5, 5, 0]), int(source.image(row)[0, 0, 0])) for row in range(3)]
    assert seen == [(255, 0), (0, 255), (200, 0)]


@pytest.mark.parametrize("packing", [None, "zlib"])
@pytest.mark.parametrize(
    ("dtype", "bands"), [("u1", 5), ("u2", 3), ("u2", 5), ("f4", 3), ("f8", 1), ("f8", 4), ("u1", 2)]
)
def test_tiff_of_any_bands_and_depth(tmp_path, dtype, bands, packing):
    white = 200 if dtype == "u1" else 3000 if dtype == "u2" else 1.0
    grey = figure(white, dtype)
    values = np.stack([np.roll(grey, band, axis=1) for band in range(bands)], axis=2)
    options = {"planarconfig": "contig"} if bands > 1 else {}
    content = tif(values if bands > 1 else grey, compression=packing, **options)
    source = open_source(pool(tmp_path / "p", [content], "tif"))
    seen = source.image(0)
    assert seen.shape == ((24, 24, 3) if bands > 2 else (24, 24))
    assert seen.max() > 120
    if bands > 2:
        assert np.array_equal(seen[:, 1:, 1], seen[:, :-1, 0])  # the bands are in their order
    beyond = [note for note in source.notes if "beyond what can be shown" in note]
    assert len(beyond) == (bands in (2, 4, 5))


def test_a_fourth_band_that_is_not_said_to_be_alpha_is_none(tmp_path):
    values = np.stack([figure(200, np.uint8)] * 3 + [figure(3, np.uint8, black=1)], axis=2)
    plain = tif(values, photometric="rgb", extrasamples=[0])
    alpha = tif(values, photometric="rgb", extrasamples=["unassalpha"])
    sources = [open_source(pool(tmp_path / str(row), [content], "tif")) for row, content in enumerate((plain, alpha))]
    assert sources[0].image(0)[10, 10, 0] == 200
    assert sources[0].image(0)[20, 20, 0] == 0
    assert sources[1].image(0)[10, 10, 0] == 200  # it hides everything: no alpha either


def test_a_tiff_that_is_not_read_says_so_in_one_line(tmp_path):
    content = bytearray(tif(np.stack([figure(1.0, "f8")] * 5, axis=2), planarconfig="contig"))
    at = content.index((259).to_bytes(2, "little") + (3).to_bytes(2, "little")) + 8
    content[at : at + 2] = (34887).to_bytes(2, "little")  # LERC
    source = open_source(pool(tmp_path / "p", [bytes(content)], "tif"))
    with pytest.raises(Exception, match="5 bands of 64 bits packed by method 34887 is not read") as caught:
        source.image(0)
    assert type(caught.value).__name__ == "UnreadableInstance"


def scan(pages: int) -> bytes:
    out = io.BytesIO()
    images = [Image.fromarray(figure(10 * number + 50, np.uint8)) for number in range(pages)]
    images[0].save(out, "TIFF", save_all=True, append_images=images[1:], compression="tiff_lzw")
    return out.getvalue()


def test_pages_are_instances_on_request(tmp_path):
    folder = pool(tmp_path / "p", [scan(1), scan(3)], "tif")
    with zipfile.ZipFile(tmp_path / "p.zip", "w") as packed:
        for path in sorted(folder.iterdir()):
            packed.write(path, path.name)
    for place in (folder, tmp_path / "p.zip"):
        source = open_source(place)
        assert list(source.ids) == ["00.tif", "01.tif"]
        assert source.notes == [
            "1 TIFF file has more than one page: the first is opened, --pages opens each as an instance"
        ]
        source = open_source(place, Reading(pages=True))
        assert list(source.ids) == ["00.tif", "01.tif#1", "01.tif#2", "01.tif#3"]
        assert brightest(source) == [50, 50, 60, 70]
        contents = [source.content_bytes(row) for row in range(4)]
        assert len(set(contents)) == 4
        assert 60 < source.decoded(3, contents[3], 8).max() < 80
        assert source.notes == ["3 pages of 1 TIFF file opened, each as an instance"]
        assert (source.location(0) is None) == (place != folder)
        assert source.location(1) is None
        source.close()


def test_a_single_scan_opens_in_pages(tmp_path):
    (tmp_path / "scan.tiff").write_bytes(scan(12))
    source = open_source(tmp_path / "scan.tiff", Reading(pages=True))
    assert source.ids[2] == "scan.tiff#3"
    assert brightest(source)[11] == 160
    assert source.path == tmp_path / "scan.tiff"


def test_a_tiff_by_itself_is_one_image_unless_its_pages_are_wanted(tmp_path):
    (tmp_path / "scan.tif").write_bytes(scan(2))
    with pytest.raises(SourceError, match="one image") as caught:
        open_source(tmp_path / "scan.tif")
    assert "--pages" in caught.value.hint


def test_smaller_copies_are_no_pages_and_circles_end(tmp_path):
    out = io.BytesIO()
    with tifffile.TiffWriter(out) as writer:
        for value, kind in ((50, 0), (60, 1), (70, 0)):
            writer.write(figure(value, np.uint8), photometric="minisblack", subfiletype=kind, metadata=None)
    source = open_source(pool(tmp_path / "p", [out.getvalue()], "tif"), Reading(pages=True))
    assert brightest(source) == [50, 70]
    content = bytearray(scan(1))
    first = int.from_bytes(content[4:8], "little")
    count = int.from_bytes(content[first : first + 2], "little")
    content[first + 2 + 12 * count :][:4] = b""
    content[first + 2 + 12 * count : first + 6 + 12 * count] = first.to_bytes(4, "little")  # the next one is itself
    source = open_source(pool(tmp_path / "c", [bytes(content)], "tif"), Reading(pages=True))
    assert list(source.ids) == ["00.tif"]


def test_a_page_has_the_label_of_its_file(tmp_path):
    (tmp_path / "a.tif").write_bytes(scan(2))
    (tmp_path / "list.csv").write_text("path,label\na.tif,form\n")
    source = open_source(tmp_path / "list.csv", Reading(pages=True))
    assert source.truth() == {"a.tif#1": "form", "a.tif#2": "form"}


def test_avif_opens(tmp_path):
    out = io.BytesIO()
    image = Image.fromarray(np.stack([figure(250, np.uint8)] * 3, axis=2))
    try:
        image.save(out, "AVIF", quality=95)
    except (KeyError, OSError, ValueError):
        pytest.skip("Pillow without AVIF")
    source = open_source(pool(tmp_path / "p", [out.getvalue()], "avif"))
    assert source.image(0)[12, 12].min() > 230


HEAD = b"\0\0\0\x1cftypheic\0\0\0\0mif1heicmiaf"


def test_heic_without_its_extra_says_how_it_is_installed(tmp_path, monkeypatch):
    monkeypatch.setattr(heic, "is_installed", lambda: False)
    folder = pool(tmp_path / "p", [HEAD + bytes(100)], "heic")
    with pytest.raises(SourceError, match="1 HEIC image and no other") as caught:
        open_source(folder)
    assert "pip install '.[heic]'" in caught.value.hint
    Image.fromarray(figure(9, np.uint8)).save(folder / "x.png")
    (folder / "phone.jpg").write_bytes(HEAD + bytes(100))  # renamed, as programs do
    source = open_source(folder)
    assert source.notes == [
        "1 HEIC image cannot be read without an extra: pip install '.[heic]' (in the clone of labeler)"
    ]
    with pytest.raises(Exception, match="HEIC needs pip install"):
        source.image(list(source.ids).index("phone.jpg"))


def test_heic_opens_with_its_extra(tmp_path):
    pillow_heif = pytest.importorskip("pillow_heif")
    out = io.BytesIO()
    image = Image.fromarray(np.stack([figure(250, np.uint8)] * 3, axis=2))
    pillow_heif.from_pillow(image).save(out, quality=95)
    source = open_source(pool(tmp_path / "p", [out.getvalue()], "heic"))
    assert source.image(0)[12, 12].min() > 230
    assert source.notes == []
