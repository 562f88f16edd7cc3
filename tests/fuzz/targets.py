"""What is fuzzed: each target turns a mutated file into what the program does with it.

A target's `run` may return (the file was taken) or raise a :class:`LabelerError` (it was explained). Anything else is
a mistake of ours; so is taking a file and then holding ids twice, notes of several lines, or pixels that are none.
"""

from __future__ import annotations

import contextlib
import gzip
import itertools
import json
import os
import re
import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
from hypothesis import strategies as st

from labeler.commands.audit import take_answers
from labeler.commands.check import check as check_project
from labeler.commands.import_labels import import_labels
from labeler.commands.simulate import thin
from labeler.commands.status import status
from labeler.core.errors import LabelerError, UnreadableInstance
from labeler.core.pool import Pool
from labeler.core.recipe import ENGINES, PARTS
from labeler.core.text import display_safe
from labeler.core.types import Provenance
from labeler.plugins import registry
from labeler.plugins.exporters.splits import parse_split
from labeler.plugins.importers.base import PlainSource
from labeler.plugins.importers.decode import decode
from labeler.plugins.importers.detect import open_source
from labeler.plugins.importers.label_tables import read_names
from labeler.plugins.importers.labels import read_labels, read_truth
from labeler.plugins.importers.vectors import read_features
from labeler.project.open import open_project
from labeler.project.options import IMAGES, Options, check
from labeler.session.final_labels import FinalLabels
from labeler.session.session import Session
from labeler.store.rows import COLUMNS, EVENT_COLUMNS
from labeler.store.seals import seal_all
from labeler.worker.image_store import fill_images, plan_images
from tests.fuzz import seeds
from tests.fuzz.mutation import (
    CELLS,
    changed_bytes,
    changed_json,
    changed_text,
    packed,
    right_checksums,
    sometimes,
    zipped,
)
from tests.hostile.projects import ODD_DTYPES, ODD_JSON, ODD_SHAPES
from tests.memory_journal import MemoryJournal

UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
CLASS_MAP = json.dumps({"a": "cat", "b": "escaped:%41"})
N_READ = 20
"""Instances of an opened source that are read one by one."""


@dataclass(frozen=True)
class Target:
    """`cases` draws what `run` gets; `run(case, folder)` has a folder of its own, empty."""

    cases: Callable[[], st.SearchStrategy[Any]]
    run: Callable[[Any, Path], None]


def read_source(path: Path) -> None:
    """Open a source and ask it for everything that the program asks."""
    source = open_source(path)
    try:
        n = len(source.ids)
        assert n == len(set(source.ids))
        assert n
        assert not source.unreadable.keys() & set(source.ids)
        for line in (*source.notes, *source.unreadable.values()):
            assert line
            assert not UNSAFE.search(line), line
        assert source.fingerprint()
        for index in {*range(min(n, N_READ)), n - 1}:
            _read_one(source, index)
        if source.content == "images":
            _store(source, n)
        else:
            table = source.table()
            assert table is not None
            assert table.dtype == np.float32
            assert np.isfinite(table).all()
        for labels in (source.folder_labels, source.truth):
            try:
                assert set(labels()) <= set(source.ids)
            except LabelerError as error:
                explained(error)
    finally:
        source.close()


def _read_one(source: Any, index: int) -> None:
    try:
        image = source.image(index)
        assert image.dtype == np.uint8
        assert image.size
        assert image.ndim == 2 or image.shape[2] == 3
        content = source.content_bytes(index)
        small = source.decoded(index, content, 64)
        assert small.dtype == np.uint8
        assert small.ndim == image.ndim
    except UnreadableInstance as error:
        explained(error)


def _store(source: Any, n: int) -> None:
    plan = plan_images(source)
    rows = np.arange(min(n, N_READ), dtype=np.int64)
    for _ in fill_images(source, rows, plan, np.zeros((len(rows), *plan.shape), np.uint8)):
        pass


def explained(error: LabelerError) -> None:
    """An error is one line what is wrong and one what to do, as the door prints them."""
    shown = display_safe(error.message, 1000)
    assert shown.strip()
    assert not UNSAFE.search(shown)
    assert isinstance(error, UnreadableInstance) or error.hint.strip(), f"no way out is named: {shown}"


# -- sources -----------------------------------------------------------------------------------------------------------


def run_image(content: bytes, folder: Path) -> None:
    """Decode, whole and shrunk; a file that is read whole is read small as well."""
    image = decode(content)
    assert image.dtype == np.uint8
    assert image.size
    small = decode(content, fit=4)
    assert small.ndim == image.ndim
    assert max(small.shape[:2]) <= 4 or max(image.shape[:2]) <= 4


def image_cases(kind: str) -> st.SearchStrategy[bytes]:
    """Mutated files of one format; PNG with right checksums every second time."""
    content = changed_bytes(seeds.images()[kind])
    return sometimes(right_checksums, content) if kind == "PNG" else content


def run_file(name: str) -> Callable[[bytes, Path], None]:
    """Write the bytes as `name` and open that as a source."""

    def run(content: bytes, folder: Path) -> None:
        (folder / name).write_bytes(content)
        read_source(folder / name)

    return run


def zip_cases() -> st.SearchStrategy[bytes]:
    """Zips with bent directories, and right ones around bent images and names."""
    inner = st.builds(
        lambda name, content: zipped({name: content, "ok.png": b"P5 1 1 9 x"}),
        (st.sampled_from(CELLS).map(lambda cell: f"{cell[:200]}x.png") | st.text(min_size=1, max_size=20)).map(
            lambda name: name.encode("utf-8", "replace").decode()
        ),
        image_cases("PNG"),
    )
    return changed_bytes(seeds.archives()) | inner


def tar_gz_cases() -> st.SearchStrategy[bytes]:
    """Packed tars bent themselves, and right ones around bent tars."""
    return changed_bytes([gzip.compress(tar, mtime=0) for tar in seeds.tars()]) | changed_bytes(seeds.tars()).map(
        gzip.compress
    )


def run_list(content: bytes, folder: Path) -> None:
    """Open a bent list of images; two that it names are there."""
    for name in ("a/0.png", "b/2.png"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(seeds.images()["PNG"][0])
    (folder / "list.csv").write_bytes(content)
    read_source(folder / "list.csv")


def npz_cases() -> st.SearchStrategy[bytes]:
    """Archives bent themselves, and right ones around bent arrays."""
    arrays = seeds.arrays()
    text, numbers = seeds.npy(np.array(list("abcdef"))), seeds.npy(np.arange(6))
    whole = [zipped({"X.npy": array, "y.npy": numbers, "ids.npy": text}) for array in arrays[:4]]
    inner = st.builds(
        lambda X, y, ids, method: zipped({"X.npy": X, "y.npy": y, "ids.npy": ids}, method),
        changed_bytes(arrays) | headers(),
        changed_bytes([text, numbers]),
        st.just(text) | changed_bytes([text]),
        st.sampled_from((0, 8)),
    )
    return changed_bytes(whole) | inner


def headers() -> st.SearchStrategy[bytes]:
    """`.npy` files whose header says something else than what follows."""
    side = st.sampled_from((0, 1, 2, 6, -1, 5000, 2**31, 2**62, 2**64, 10**30))
    strange = st.sampled_from(("()", "6", "None", "(6,4", "'x'", "(1.5,)"))
    shape = st.lists(side, max_size=5).map(tuple).map(repr) | strange
    kind = st.sampled_from(
        ("'|u1'", "'<f4'", "'<f8'", "'>i2'", "'|O'", "'<U9'", "'<U0'", "'|V4'", "'<M8[ns]'", "'<c16'", "[('a','<i4')]",
         "'<f2'", "'|b1'", "'<g'", "'<U999999999'", "'?'", "None", "'|S0'", "'<m8'", "(('<f4',(2,)))")
    )  # fmt: skip

    def build(shape: str, kind: str, order: str, body: int, version: int) -> bytes:
        text = f"{{'descr': {kind}, 'fortran_order': {order}, 'shape': {shape}, }}".encode()
        size = len(text).to_bytes(2 if version == 1 else 4, "little")
        return b"\x93NUMPY" + bytes((version, 0)) + size + text + b"\x7f\xc0" * body

    order = st.sampled_from(("False", "True", "0", "[]"))
    return st.builds(build, shape, kind, order, st.sampled_from((0, 12, 48, 500)), st.sampled_from((1, 2, 3)))


def idx_cases() -> st.SearchStrategy[bytes]:
    """Bent IDX files, packed every second time; and bent packings."""
    files = [seeds.idx(6, 5, 4), seeds.idx(1, 1, 1), seeds.idx(3, 28, 28)]
    return sometimes(packed, changed_bytes(files)) | changed_bytes([packed(content) for content in files])


def idx_label_cases() -> st.SearchStrategy[bytes]:
    """Bent IDX labels."""
    return changed_bytes([seeds.idx(6), packed(seeds.idx(6))])


def feature_cases() -> st.SearchStrategy[bytes]:
    """Archives of features, bent, and archives of other things."""
    table, names = seeds.npy(seeds.TABLE), seeds.npy(np.array(seeds.IDS[::-1]))
    inner = st.builds(
        lambda X, ids: zipped({"X.npy": X, "ids.npy": ids}), changed_bytes([table]) | headers(), changed_bytes([names])
    )
    return changed_bytes(seeds.feature_arrays()) | inner | npz_cases()


def idx_folder_cases() -> st.SearchStrategy[Any]:
    """(images, labels) of one prefix."""
    labels = sometimes(packed, changed_bytes([seeds.idx(6), seeds.idx(5)]))
    return st.tuples(sometimes(packed, changed_bytes([seeds.idx(6, 5, 4)])), labels)


def run_idx_folder(case: tuple[bytes, bytes], folder: Path) -> None:
    """Images and labels side by side, as MNIST is."""
    for part, content in zip(("images-idx3", "labels-idx1"), case, strict=True):
        (folder / f"train-{part}-ubyte").write_bytes(content)
    read_source(folder)


def folder_cases() -> st.SearchStrategy[Any]:
    """Trees of (kind, name as bytes, content) with files, folders, links, loops and pipes."""
    name = st.sampled_from(CELLS).map(lambda cell: cell.encode("utf-8", "surrogatepass")) | st.binary(max_size=12)
    ending = st.sampled_from((b".png", b".JPG", b".tif", b"", b".txt", b".png.png", b"."))
    kind = st.sampled_from(("file", "file", "file", "empty", "folder", "link", "loop", "dangling", "pipe", "ours"))
    entry = st.tuples(kind, name, ending, st.integers(0, 3), image_cases("PNG") | image_cases("GIF"))
    return st.lists(entry, max_size=8)


def run_folder(case: Sequence[tuple[str, bytes, bytes, int, bytes]], folder: Path) -> None:
    """Make the tree (as far as the file system takes its names) and open it."""
    root = os.fsencode(folder / "pool")
    os.mkdir(root)
    places = [root]
    for kind, name, ending, where, content in case:
        part = name.replace(b"/", b"_").replace(b"\0", b"")[: 255 - len(ending)] + ending
        path = os.path.join(places[where % len(places)], part if part not in (b"", b".", b"..") else b"x.png")
        try:
            _make(kind, path, content, root)
        except OSError:
            continue  # there already, or no name for this file system
        if kind == "folder":
            places.append(path)
    read_source(folder / "pool")


def _make(kind: str, path: bytes, content: bytes, root: bytes) -> None:
    if kind == "folder":
        os.mkdir(path)
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind in ("link", "loop", "dangling"):
        os.symlink({"link": b"/etc/passwd", "loop": root, "dangling": b"nowhere"}[kind], path)
    else:
        with open(path + (b".labeler.db" if kind == "ours" else b""), "xb") as file:
            file.write(b"" if kind == "empty" else content)


# -- tables ------------------------------------------------------------------------------------------------------------


def json_cases() -> st.SearchStrategy[bytes]:
    """Lines of JSON bent as text and as objects."""
    return changed_json(seeds.label_objects()) | changed_text(seeds.label_lines())


class _Named(PlainSource):
    """A source of the ids that the tables speak of; nobody looks at its images."""

    kind = "folder"

    def __init__(self) -> None:
        super().__init__(Path("pool"), list(seeds.IDS), "0")

    def content_bytes(self, index: int) -> bytes:
        return bytes([index])


def run_labels(name: str) -> Callable[[bytes, Path], None]:
    """The file as a simulation's truth and as labels to import."""

    def run(content: bytes, folder: Path) -> None:
        path = folder / name
        path.write_bytes(content)
        try:
            truth = read_truth(str(path), _Named())
        except LabelerError as error:
            explained(error)
        else:
            assert truth.keys() <= set(seeds.IDS)
            "".join(truth.values()).encode()  # a class name is text that can be stored
        source = _Named()
        for row in read_labels(path, source):
            assert row.instance_id in seeds.IDS
            assert row.label.strip()
        assert all(not UNSAFE.search(note) for note in source.notes)

    return run


def run_import(content: bytes, folder: Path) -> None:
    """`labeler import-labels` over a session in memory: what is not taken changes nothing."""
    path = folder / "labels.jsonl"
    path.write_bytes(content)
    session = _session()
    session.label(seeds.IDS[0], session.classes.id_for("cat"))
    project: Any = SimpleNamespace(source=_Named(), session=session)
    n_events = len(session.recorder.journal.events)
    try:
        said = "\n".join(import_labels(project, path).lines())
    except LabelerError:
        assert len(session.recorder.journal.events) == n_events, "refused, yet something was recorded"
        raise
    assert not UNSAFE.search(said.replace("\n", ""))
    assert session.label_of(0) == (0, Provenance.HUMAN)


def run_answers(content: bytes, folder: Path) -> None:
    """`labeler audit --answers`: all or nothing."""
    path = folder / "answers.csv"
    path.write_bytes(content)
    session = _audited()
    n_events = len(session.recorder.journal.events)
    try:
        taken = take_answers(SimpleNamespace(session=session), path)  # type: ignore[arg-type]
    except LabelerError:
        assert len(session.recorder.journal.events) == n_events, "refused, yet something was recorded"
        raise
    assert len(session.audit.latest.answers) == taken


def _session() -> Session:
    count = itertools.count()
    return Session(Pool(list(seeds.IDS)), MemoryJournal(), clock=lambda: 1.0, new_id=lambda: f"e{next(count)}")


def _audited() -> Session:
    """A session with an audit over all six instances."""
    session, n = _session(), len(seeds.IDS)
    for name in ("cat", "dog", "ox"):
        session.classes.id_for(name, setup=True)
    final = FinalLabels(
        np.zeros(n, np.int32),
        np.full(n, Provenance.PROPAGATED, np.uint8),
        np.full(n, 0.5, np.float32),
        np.zeros(n, np.uint8),
        np.zeros(n, np.int32),
        np.zeros(n, np.int32),
        1,
    )
    session.audit.begin(final, target=0.5, confidence=0.9, seed=0)
    return session


def run_features(name: str) -> Callable[[bytes, Path], None]:
    """The file as ``--features``."""

    def run(content: bytes, folder: Path) -> None:
        path = folder / name
        path.write_bytes(content)
        rows = read_features(path, seeds.IDS)
        assert rows.shape[0] == len(seeds.IDS)
        assert rows.dtype == np.float32
        assert np.isfinite(rows).all()

    return run


def run_class_map(content: bytes, folder: Path) -> None:
    """Class folders with the map that an export writes beside them."""
    (folder / "a").mkdir()
    (folder / "a" / "0.png").write_bytes(b"x")
    (folder / "class_map.json").write_bytes(content)
    for row in read_labels(folder, _Named()):
        row.label.encode()


def run_class_names(content: bytes, folder: Path) -> None:
    """``--classes-file``."""
    path = folder / "classes.txt"
    path.write_bytes(content)
    session = _session()
    for name in check(Options(classes=tuple(read_names(path)))).classes:
        session.classes.id_for(name, setup=True)


def option_cases() -> st.SearchStrategy[Any]:
    """(option, value): words that mean something, bent."""
    for kind in PARTS:  # to import a library is no case's time
        for name in registry.names(kind):
            if registry.entry(kind, name).available:
                registry.load(kind, name)
    word = st.sampled_from(
        ("kmeans", "gmm:covariance_type=tied", "dbscan:eps=0.5,min_samples=5", "pca:n_components=4", "logreg:C=0.1",
         "kmeans:n_init=3", "margin-clusters", "facility-location", "minibatch-kmeans:batch_size=10", "random", "hog:",
         "auto", "20", "100", "book", "80/10/10", "0.5/0.5", "10:1,4,8", "2:cat", "digits")
    )  # fmt: skip
    bent = changed_text(["kmeans:n_init=3,max_iter=10", "logreg:C=0.1,max_iter=5", "80/10/10", "10:cat,dog"])
    bent_text = bent.map(lambda content: content.decode("utf-8", "surrogateescape"))
    value = word | st.text(max_size=12) | st.sampled_from(CELLS) | bent_text
    number = st.integers() | st.floats()
    names = ("engine", *PARTS, "percentile", "classes", "keys", "images", "annotator", "split", "imbalance")
    return st.tuples(st.sampled_from(names), value) | st.tuples(
        st.sampled_from(("n_clusters", "seed", "control", "percentile")), number
    )


def run_option(case: tuple[str, Any], folder: Path) -> None:
    """An option's value as the doors check it."""
    name, value = case
    if name == "split":
        parse_split(value)
    elif name == "imbalance":
        thin(np.arange(6), ["cat", "dog", "cat", "dog", "ox", "ox"], value, 0)
    elif name in PARTS:
        registry.create(name, value)
    else:
        options = check(Options(**{name: tuple(value.split(",")) if name == "classes" else value}))
        assert options.engine in (None, *ENGINES) or name == "engine"
        assert options.images in (None, *IMAGES)


@cache
def project_cases() -> st.SearchStrategy[Any]:
    """Which cell of a project file holds what: a value as it is, JSON, or a part of the JSON that stands there."""
    leaf = st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from(CELLS) | st.text(max_size=6)
    value = leaf | st.lists(leaf, max_size=3) | st.dictionaries(st.sampled_from(CELLS), leaf, max_size=2)
    odd = (
        st.sampled_from([text for text in ODD_JSON if len(text) < 6_000])
        | st.sampled_from(ODD_DTYPES)
        | st.sampled_from(ODD_SHAPES[:-2])
    )
    change = st.tuples(st.integers(0, 2**16 - 1), st.integers(0, 2**16 - 1), st.integers(0, 3), value, odd)
    return st.lists(change, min_size=1, max_size=3)


def run_project(changes: list[tuple[int, int, int, Any, str]], folder: Path) -> None:
    """Bend cells of a sound project, seal them anew, and check and open it; what opens is drawn from."""
    path = folder / "fuzz.labeler.db"
    path.write_bytes(seeds.project())
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as db:
        for change in changes:
            _bend(db, *change)
        seal_all(db)
    sound = check_project(path).is_sound
    try:
        with open_project(path, read_only=True, with_source=False) as project:
            project.view()
            project.session.snapshot()
            _ = status(project)
    except LabelerError as error:
        if "never opened with a source" not in error.message:  # to the check this is a note
            assert not sound, "it is refused, and the check finds nothing"
        raise


def _bend(db: sqlite3.Connection, which: int, row: int, kind: int, value: Any, odd: str) -> None:
    cells = [(table, name) for table, names in (("events", EVENT_COLUMNS), *COLUMNS.items()) for name in names]
    table, column = cells[which % len(cells)]
    rows = db.execute(f"SELECT rowid, {column} FROM {table}").fetchall()
    if not rows:
        return
    rowid, before = rows[row % len(rows)]
    after: Any = odd
    if kind == 1 and isinstance(value, str | int | float | bytes | None):
        after = value
    elif kind > 1:
        after = json.dumps(value)
        with contextlib.suppress(ValueError, TypeError, LookupError, ZeroDivisionError):
            inner = json.loads(before)
            inner[sorted(inner)[row % len(inner)]] = value
            after = json.dumps(inner)
    with contextlib.suppress(sqlite3.Error, OverflowError, UnicodeEncodeError, ZeroDivisionError):
        db.execute(f"UPDATE OR IGNORE {table} SET {column} = ? WHERE rowid = ?", (after, rowid))


def targets() -> dict[str, Target]:
    """Every target by name."""
    from tests.fuzz.layouts import layout_targets  # which are made of what is here

    found = {f"image-{kind.lower()}": Target(lambda kind=kind: image_cases(kind), run_image) for kind in seeds.images()}
    found |= {
        "folder": Target(folder_cases, run_folder),
        "zip": Target(zip_cases, run_file("pool.zip")),
        "tar": Target(lambda: changed_bytes(seeds.tars()), run_file("pool.tar")),
        "tar-gz": Target(tar_gz_cases, run_file("pool.tar.gz")),
        "list": Target(lambda: changed_text(seeds.label_tables()), run_list),
        "table-csv": Target(lambda: changed_text(seeds.customers()), run_file("customers.csv")),
        "npz": Target(npz_cases, run_file("pool.npz")),
        "npy": Target(lambda: changed_bytes(seeds.arrays()) | headers(), run_file("pool.npy")),
        "idx": Target(idx_cases, run_file("x-images-idx3-ubyte")),
        "idx-folder": Target(idx_folder_cases, run_idx_folder),
        "labels-csv": Target(lambda: changed_text(seeds.label_tables()), run_labels("labels.csv")),
        "labels-jsonl": Target(json_cases, run_labels("labels.jsonl")),
        "labels-idx": Target(idx_label_cases, run_labels("labels-idx1-ubyte")),
        "import": Target(json_cases, run_import),
        "answers": Target(lambda: changed_text(seeds.label_tables()), run_answers),
        "features-csv": Target(lambda: changed_text(seeds.feature_tables()), run_features("features.csv")),
        "features-npy": Target(lambda: changed_bytes(seeds.arrays()[1:2]) | headers(), run_features("features.npy")),
        "features-npz": Target(feature_cases, run_features("features.npz")),
        "class-map": Target(lambda: changed_text([CLASS_MAP, '["a"]', "{}"]), run_class_map),
        "class-names": Target(lambda: changed_text(["cat\ndog\nGreek/alpha\n", "a\r\nb"]), run_class_names),
        "options": Target(option_cases, run_option),
        "project": Target(project_cases, run_project),
    }
    found |= layout_targets()
    if seeds.parquets():
        found["table-parquet"] = Target(lambda: changed_bytes(seeds.parquets()), run_file("customers.parquet"))
    return found


def run_case(target: Target, case: Any) -> str:
    """ "taken" or "explained"; raises what is a mistake."""
    folder = Path(tempfile.mkdtemp(prefix="case-"))
    try:
        target.run(case, folder)
    except LabelerError as error:
        explained(error)
        return "explained"
    finally:
        shutil.rmtree(folder)
    return "taken"
