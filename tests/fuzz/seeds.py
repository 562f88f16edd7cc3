"""The valid files that mutations start from: every kind of source and table, small."""

from __future__ import annotations

import importlib.util
import io
import json
import os
import shutil
import struct
import tarfile
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
from PIL import Image

from tests.fuzz.mutation import zipped

IDS = ("a/0.png", "a/1.png", "b/2.png", "b/3.png", "c\udce9.png", "00005.png")
"""Names of the instances that tables of labels speak of."""

_rng = np.random.default_rng(7)
GREY = _rng.integers(0, 255, (9, 7), dtype=np.uint8)
COLOR = _rng.integers(0, 255, (9, 7, 3), dtype=np.uint8)


TABLE = _rng.normal(size=(6, 3))


def _saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


_TIFFS: tuple[dict[str, Any], ...] = (
    {},
    {"compression": "zlib", "predictor": True},
    {"tile": (16, 16), "bigtiff": True},
    {"rowsperstrip": 3, "byteorder": ">"},
)


def _tiff(values: np.ndarray[Any, Any], **options: Any) -> bytes:
    out = io.BytesIO()
    tifffile.imwrite(out, values, photometric="minisblack", **({"planarconfig": "contig"} | options))
    return out.getvalue()


def images() -> dict[str, list[bytes]]:
    """Format -> files of it in the modes and packings that its readers treat apart."""
    grey, color = Image.fromarray(GREY), Image.fromarray(COLOR)
    alpha = Image.fromarray(np.dstack([COLOR, GREY]))
    palette, deep = color.quantize(16), Image.fromarray(GREY.astype(np.uint16) * 250)
    exif = Image.Exif()
    exif[0x0112] = 6
    packings = ("tiff_lzw", "tiff_adobe_deflate", "packbits", "jpeg")
    modes = (grey, color, alpha, palette, deep, grey.convert("1"), grey.convert("LA"))
    other = alpha.convert("RGB")
    return {
        "PNG": [
            *(_saved(image, "PNG") for image in modes),
            _saved(color, "PNG", exif=exif),
            _saved(palette, "PNG", transparency=3),
            _saved(color, "PNG", save_all=True, append_images=[other]),
        ],
        "JPEG": [
            _saved(color, "JPEG", exif=exif),
            _saved(grey, "JPEG"),
            _saved(color, "JPEG", progressive=True),
            _saved(color.convert("CMYK"), "JPEG"),
            _saved(color, "JPEG", dpi=(72, 72), comment=b"x"),
        ],
        "BMP": [*(_saved(image, "BMP") for image in (color, grey, palette, grey.convert("1"))), _rle_bmp()],
        "GIF": [
            _saved(palette, "GIF"),
            _saved(grey, "GIF", save_all=True, append_images=[grey, grey]),
            _saved(palette, "GIF", transparency=1, interlace=1),
        ],
        "TIFF": [
            *(_saved(image, "TIFF") for image in (deep, alpha, Image.fromarray(GREY * 1.5))),
            *(_saved(color, "TIFF", compression=name) for name in packings),
            _saved(color, "TIFF", exif=exif),
            _saved(grey.convert("1"), "TIFF", compression="group4"),
            _saved(color, "TIFF", save_all=True, append_images=[color]),
            *(_tiff(COLOR.astype(kind), **how) for kind in ("u2", "f4", "f8") for how in _TIFFS),
            _tiff(np.dstack([COLOR, COLOR]), planarconfig="separate", byteorder=">"),
        ],
        "WEBP": [
            _saved(color, "WEBP"),
            _saved(alpha, "WEBP", lossless=True),
            _saved(color, "WEBP", exif=exif),
            _saved(color, "WEBP", save_all=True, append_images=[other]),
        ],
        "PPM": [
            *(_saved(image, "PPM") for image in (grey, color, grey.convert("1"), deep)),
            b"P2 3 2 255\n0 1 2\n3 4 255\n",
            b"P1 # bits\n3 2\n0 1 0 1 0 1",
            b"P3 1 1 65535 1 2 3\n",
        ],
    }


def _rle_bmp() -> bytes:
    """8 x 4 pixels in runs (BI_RLE8), which Pillow reads and does not write."""
    palette = b"".join(bytes((i, i, i, 0)) for i in range(256))
    rows = b"".join(bytes((4, 10 * row, 4, 200, 0, 0)) for row in range(4)) + b"\0\1"
    start = 14 + 40 + len(palette)
    head = struct.pack("<IiiHHIIiiII", 40, 8, 4, 1, 8, 1, len(rows), 0, 0, 256, 0)
    return struct.pack("<2sIHHI", b"BM", start + len(rows), 0, 0, start) + head + palette + rows


def arrays() -> list[bytes]:
    """`.npy` files: images, tables, text, in both orders of memory and bytes."""
    values: list[Any] = [
        _rng.integers(0, 255, (6, 5, 4), dtype=np.uint8),
        _rng.normal(size=(6, 4)).astype(np.float32),
        _rng.integers(0, 16, (6, 3, 3)).astype(np.float64),
        _rng.integers(0, 255, (6, 5, 4, 4), dtype=np.uint8),
        np.asfortranarray(_rng.integers(0, 999, (6, 4), dtype=np.int64)),
        _rng.integers(0, 4000, (6, 3, 3)).astype(">u2"),
        _rng.random((6, 3, 3, 3)).astype(np.float16),
        np.array(["a", "b", "c", "d", "e", "f"]),
        np.arange(6) % 2 == 0,
    ]
    return [npy(value) for value in values]


def feature_arrays() -> list[bytes]:
    """Archives of a table of features, with and without ids."""
    table, names = npy(TABLE), npy(np.array([*IDS[:4], "00004", "5"]))
    return [zipped({"X.npy": table}), zipped({"emb.npy": table, "ids.npy": npy(np.array(IDS[::-1]))}, 0),
            zipped({"X.npy": table, "ids.npy": names})]  # fmt: skip


def npy(value: Any) -> bytes:
    """One array as the bytes of a `.npy`."""
    out = io.BytesIO()
    np.save(out, value, allow_pickle=False)
    return out.getvalue()


def archives() -> list[bytes]:
    """Zips of images, of a labels file beside them, of nothing, stored and packed."""
    png, jpeg = images()["PNG"][0], images()["JPEG"][0]
    return [
        zipped({"a/0.png": png, "a/1.jpg": jpeg, "b/2.png": png, "labels.csv": b"path,label\n"}),
        zipped({"0.png": png, "sub\\1.png": png, "../2.png": png, "__MACOSX/._0.png": b"x"}, 0),
        zipped({"0.png": b"", "1.bmp": images()["BMP"][0], "2.png": b"no image", "é目.png": png}),
        zipped({}),
    ]


def tars() -> list[bytes]:
    """Tars of images: with long names, a link, other files, junk; of nothing."""
    png = images()["PNG"][0]
    plain = {"./a/0.png": png, "b/1.png": png, f"b/{'n' * 120}.png": png, "labels.csv": b"path,label\n", "0.png": b""}
    return [tarred(plain), tarred({"../2.png": png, "ok.png": png}), tarred({})]


def tarred(members: dict[str, bytes]) -> bytes:
    """A tar of `members` and a link."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
        link = tarfile.TarInfo("link.png")
        link.type, link.linkname = tarfile.SYMTYPE, "ok.png"
        archive.addfile(link)
    return out.getvalue()


def customers() -> list[str]:
    """CSV files of features as a source: ids, texts, gaps, a label; without a header."""
    rows = "".join(f"c{n},Anna {n},{20 + n},{n * 1000.5},{'' if n % 3 else 7}\n" for n in range(9))
    plain = "".join(f"{n},{n * n},{-n}e-1\n" for n in range(9))
    return [f"CustomerID,Name,Age,Income,Gap\n{rows}", plain, f"x;y;label\n{plain.replace(',', ';')}"]


def parquets() -> list[bytes]:
    """The same as Parquet; nothing where pyarrow is not installed."""
    if importlib.util.find_spec("pyarrow") is None:
        return []
    import pyarrow
    from pyarrow import parquet

    table = {
        "id": [f"c{n}" for n in range(9)],
        "x": [n * 1.5 for n in range(9)],
        "n": [*range(8), None],
        "t": ["a"] * 9,
    }
    found = []
    for compression in ("none", "snappy"):
        out = io.BytesIO()
        parquet.write_table(pyarrow.table(table), out, compression=compression)
        found.append(out.getvalue())
    return found


def idx(*shape: int, content: bytes | None = None) -> bytes:
    """An IDX file of bytes."""
    size = int(np.prod(shape))
    body = (bytes(range(256)) * (size // 256 + 1))[:size] if content is None else content
    return bytes((0, 0, 8, len(shape))) + b"".join(struct.pack(">I", side) for side in shape) + body


def label_tables() -> list[str]:
    """CSV files of labels, as different programs write them."""
    rows = list(zip(IDS, ("cat", "dog", "cat", "dog", "ox", "ox"), strict=True))
    return [
        "path,label\n" + "".join(f"{name},{label}\n" for name, label in rows),
        "id;class\r\n" + "".join(f'"{name}";"{label}"\r\n' for name, label in rows),
        "label\tfile_name\tprovenance\tconfidence\n" + "".join(f"{b}\t{a}\thuman\t0.5\n" for a, b in rows),
        "path,label,provenance,confidence,sha256\n" + "".join(f"./{a},{b},imported,1,\n" for a, b in rows),
    ]


def label_objects() -> list[dict[str, Any]]:
    """The labels as objects of JSON."""
    return [{"path": name, "label": number % 2, "confidence": 0.5} for number, name in enumerate(IDS)]


def label_lines() -> list[str]:
    """JSON files of labels: one object a line, and the like."""
    objects = label_objects()
    text = "\n".join(json.dumps(item) for item in objects)
    return [text, text.replace("path", "id").replace("0.5", "null"), json.dumps(objects), json.dumps({"rows": objects})]


def feature_tables() -> list[str]:
    """CSV files of features, with and without a header and ids."""
    rows = [[f"{value:.3f}" for value in _rng.normal(size=3)] for _ in IDS]
    plain = "".join(",".join(row) + "\n" for row in rows)
    named = "".join(f"{name},{','.join(row)}\n" for name, row in zip(IDS, rows, strict=True))
    return [plain, "a,b,c\n" + plain, named, "path,a,b,c\n" + named, "path;a;b;c\n" + named.replace(",", ";")]


@cache
def project() -> bytes:
    """A project file of some work: answers, pages, an import, classes merged and taken back, an audit, a round."""
    from tests.chaos.mutations import make

    folder, before = Path(tempfile.mkdtemp(prefix="seed-")), os.environ.get("XDG_STATE_HOME")
    os.environ["XDG_STATE_HOME"] = str(folder / "state")
    try:
        return make(folder)[0].read_bytes()
    finally:
        shutil.rmtree(folder)
        os.environ.pop("XDG_STATE_HOME")
        if before is not None:
            os.environ["XDG_STATE_HOME"] = before
