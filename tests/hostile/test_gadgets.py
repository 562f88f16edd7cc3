"""Arrays and tables made to run code, to fill the memory or to keep one waiting: refused in one line, at once."""

from __future__ import annotations

import io
import os
import pickle
import re
import resource
import struct
import subprocess
import sys
import time
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest

from labeler.core.errors import LabelerError, SourceError
from labeler.plugins.importers.detect import open_source
from labeler.plugins.importers.labels import read_labels, read_truth
from labeler.plugins.importers.vectors import read_features
from tests.fuzz import seeds
from tests.fuzz.targets import _Named as Named
from tests.fuzz.targets import explained

ROOT = Path(__file__).resolve().parents[2]


class Gadget:
    """Unpickled, it makes a file of the name `owned`."""

    def __reduce__(self):
        return (os.mkdir, ("owned",))


def gadgets() -> dict[str, bytes]:
    objects, plain = io.BytesIO(), np.zeros((3, 4, 4), np.uint8)
    np.save(objects, np.array([Gadget()] * 3, dtype=object), allow_pickle=True)
    record = io.BytesIO()
    np.save(record, np.array([(1, Gadget())], dtype=[("a", "i4"), ("b", "O")]), allow_pickle=True)
    found = {"objects.npy": objects.getvalue(), "records.npy": record.getvalue(), "pickle.npy": pickle.dumps(Gadget())}
    for name in ("X", "y", "ids"):
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w") as archive:
            for other in {"X", "y", "ids"} - {name}:
                archive.writestr(f"{other}.npy", seeds.npy(plain if other == "X" else np.arange(3)))
            archive.writestr(f"{name}.npy", objects.getvalue())
        found[f"{name}.npz"] = out.getvalue()
    found["pickle.npz"] = pickle.dumps(Gadget())
    return found


@pytest.mark.parametrize("name", gadgets())
def test_nothing_is_ever_unpickled(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / name
    path.write_bytes(gadgets()[name])
    refused = 0
    for use in (open_source, lambda path: read_features(path, ["a", "b", "c"]), lambda path: open_source(path).truth()):
        try:
            use(path)
        except LabelerError as error:
            explained(error)
            refused += 1
    assert refused >= (1 if name == "y.npz" else 2)
    assert not (tmp_path / "owned").exists()


def test_a_truth_of_objects_is_said_when_it_is_asked_for(tmp_path):
    (tmp_path / "y.npz").write_bytes(gadgets()["y.npz"])
    source = open_source(tmp_path / "y.npz")
    assert source.notes == ["the array 'y' is not used: it is damaged or holds Python objects"]
    with pytest.raises(SourceError, match="Python objects, which are never loaded"):
        source.truth()


# -- what grows when it is unpacked ------------------------------------------------------------------------------------


def measured(tmp_path: Path, statement: str) -> tuple[str, float, int]:
    """(what was said, seconds, MB at most) of a statement in a process of its own."""
    program = (
        "import resource, time, sys\n"
        "from pathlib import Path\n"
        "from labeler.core.errors import LabelerError\n"
        "from labeler.plugins.importers.detect import open_source\n"
        "from labeler.plugins.importers.vectors import read_features\n"
        "from labeler.plugins.importers.labels import read_truth, read_labels\n"
        "from labeler.plugins.importers import array_source, folder, idx, zip_archive\n"
        "peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024\n"
        "before, started = peak(), time.process_time()\n"
        "try:\n"
        f"    {statement}\n"
        "    said = 'taken'\n"
        "except LabelerError as error:\n"
        "    said = error.message\n"
        "print(said, time.process_time() - started, peak() - before, sep='\\n')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=100,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (8 << 30, 8 << 30)),
    )
    assert done.returncode == 0, done.stderr
    said, seconds, grown = done.stdout.splitlines()
    return said, float(seconds), int(grown)


def deflated(head: bytes, n_megabytes: int) -> bytes:
    """`head` and so many zeros, deflated: a thousandth of it."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    begin = packer.compress(head) + packer.flush(zlib.Z_FULL_FLUSH)
    each = packer.compress(bytes(1 << 20)) + packer.flush(zlib.Z_FULL_FLUSH)
    return begin + each * n_megabytes + packer.flush()


def test_a_packed_idx_of_nothing_but_zeros_is_not_unpacked(tmp_path):
    n = 3000
    head = b"\0\0\x08\x03" + struct.pack(">3I", n, 1024, 1024)
    content = b"\x1f\x8b\x08\0\0\0\0\0\0\xff" + deflated(head, n) + bytes(8)
    (tmp_path / "x-images-idx3-ubyte.gz").write_bytes(content)
    said, seconds, grown = measured(tmp_path, "open_source(Path('x-images-idx3-ubyte.gz'))")
    assert "claims 3,145,728,000 bytes of images from a packed file of" in said
    assert seconds < 2
    assert grown < 100


def test_an_archive_of_zeros_is_not_unpacked(tmp_path):
    head, n = io.BytesIO(), 2000
    np.lib.format.write_array_header_1_0(head, {"descr": "|u1", "fortran_order": False, "shape": (n, 1024, 1024)})
    content = deflated(head.getvalue(), n)
    sizes = struct.pack("<III", 0, len(content), len(head.getvalue()) + (n << 20))
    local = b"PK\3\4\x14\0\0\0\x08\0\0\0\x21\0" + sizes + struct.pack("<HH", 5, 0) + b"X.npy"
    listed = b"PK\1\2\x14\0\x14\0\0\0\x08\0\0\0\x21\0" + sizes + struct.pack("<HHHHHII", 5, 0, 0, 0, 0, 0, 0) + b"X.npy"
    end = struct.pack("<4sHHHHIIH", b"PK\5\6", 0, 0, 1, 1, len(listed), len(local) + len(content), 0)
    (tmp_path / "x.npz").write_bytes(local + content + listed + end)
    said, seconds, grown = measured(tmp_path, "open_source(Path('x.npz'))")
    assert "claims 2,097,152,128 bytes from" in said
    assert seconds < 2
    assert grown < 100


# -- tables ------------------------------------------------------------------------------------------------------------

N_COLUMNS = 100_000


def columns(*first: str) -> str:
    return ",".join([*first, *(f"c{number}" for number in range(N_COLUMNS))])


def test_a_hundred_thousand_columns(tmp_path):
    """Labels are found among them; as features they are numbers like any other."""
    cells = ",".join(["0.5"] * N_COLUMNS)
    rows = [f"{name},{cells},cat" for name in ("a", "b", "c")]
    (tmp_path / "labels.csv").write_text("\n".join([columns("path") + ",label", *rows]))
    (tmp_path / "features.csv").write_text("\n".join([columns("path"), *(row.removesuffix(",cat") for row in rows)]))
    started = time.process_time()
    source = Named()
    source.ids = ["a", "b", "c"]
    assert read_truth(str(tmp_path / "labels.csv"), source) == dict.fromkeys("abc", "cat")
    assert read_features(tmp_path / "features.csv", ["c", "b", "a"]).shape == (3, N_COLUMNS)
    assert time.process_time() - started < 2


def test_ragged_rows_take_no_memory_for_what_is_not_there(tmp_path):
    """One line of a hundred thousand columns and a hundred thousand lines of one: 40 GB of nothing."""
    wide = ",".join(["1"] * N_COLUMNS)
    (tmp_path / "features.csv").write_text("\n".join([wide, *["1"] * N_COLUMNS]))
    said, seconds, grown = measured(tmp_path, "read_features(Path('features.csv'), ['a'])")
    assert said == "features.csv, line 2: 1 cells, the first line has 100000"
    assert seconds < 2
    assert grown < 200


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("path,label\na,cat,extra\n", "line 2: 3 cells, the first line names 2"),
        ("path,label\na\nb,cat\n", None),
        ("path,label\n\n\na,cat\n", None),
        ("\ufeffpath,label\na,cat\n", None),
        ("path,label\na,cat\na,cat\n", None),
        ("path,label\na,cat\na,dog\n", "gives a two labels: 'cat' and 'dog'"),
        ("path,label\na,\n", "holds no label"),
        ("path,label\na,NaN\n", "if NaN is a class: --classes NaN"),
        ("path,label,confidence\na,cat,NaN\n", "line 2: confidence 'NaN' is not between 0 and 1"),
        ("path,label,confidence\na,cat,1e400\n", "line 2: confidence '1e400' is not between 0 and 1"),
        ("label\ncat\n", r"has no column 'path' \(columns: label\)"),
        ("path,path,label\na,b,cat\n", None),
        ('path,label\n"a,cat\n', "check the quotes"),
        ("path,label\n,cat\n", "line 2: a label without a path or id"),
        ("path,label\nnobody,cat\n", "none of the names in labels.csv is an instance"),
        ("path,label\na," + "x" * 200_000 + "\n", None),
        ("", "no column|holds no label|no label"),
        ("\0\0\0", "no column|holds no label"),
        ("<html><body>404</body></html>", "no column"),
    ],
)  # fmt: skip
def test_odd_tables_are_read_or_explained(tmp_path, text, said):
    """Byte order marks, ragged and blank rows, values that are none, ids given twice."""
    (tmp_path / "labels.csv").write_text(text, encoding="utf-8", newline="")
    source = Named()
    source.ids = ["a", "b"]
    if said is None:
        labels = read_truth(str(tmp_path / "labels.csv"), source)
        assert set(labels.values()) <= {"cat", "x" * 200_000}
        assert labels
        assert read_labels(tmp_path / "labels.csv", source)
        return
    with pytest.raises(SourceError) as caught:
        read_truth(str(tmp_path / "labels.csv"), source)
    explained(caught.value)
    assert re.search(said, f"{caught.value.message} {caught.value.hint}")


def test_an_idx_of_no_images_and_one_of_no_pixels(tmp_path):
    for shape in ((0, 28, 28), (5, 0, 28), (5, 28, 0), (0, 0, 0)):
        (tmp_path / "x-images-idx3-ubyte").write_bytes(seeds.idx(*shape))
        with pytest.raises(SourceError) as caught:
            open_source(tmp_path / "x-images-idx3-ubyte")
        explained(caught.value)
