"""An export over an older one removes what that one wrote, and nothing else."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from labeler.core import files
from labeler.core.errors import ExportError
from labeler.core.files import recover
from labeler.plugins.exporters.csv_jsonl import CsvExporter
from labeler.plugins.exporters.imagefolder import ImageFolderExporter
from labeler.plugins.exporters.write import place_of, write_export, write_single

FOLDER, FILE = ImageFolderExporter(), CsvExporter()


def contents(root: Path) -> dict[str, bytes | str]:
    """Every file and link below a folder, and every empty folder."""
    tree: dict[str, bytes | str] = {}
    for path in root.rglob("*"):
        name = path.relative_to(root).as_posix()
        if path.is_symlink():
            tree[name] = f"-> {os.readlink(path)}"
        elif path.is_file():
            tree[name] = path.read_bytes()
        elif not any(path.iterdir()):
            tree[name] = "empty"
    return tree


@pytest.fixture
def images(tmp_path: Path) -> Path:
    """Four small files that stand for images."""
    folder = tmp_path / "images"
    folder.mkdir()
    for name in "abcd":
        (folder / f"{name}.png").write_bytes(f"image {name}".encode())
    return folder


@pytest.fixture
def rows_of(make_rows, images: Path) -> Any:
    def rows(names: str, classes: list[str], of: list[int], **options: str) -> Any:
        return make_rows(
            [f"{name}.png" for name in names], classes, of,
            locate=lambda row: images / f"{names[row]}.png", options=options,
        )  # fmt: skip

    return rows


@pytest.fixture
def target(rows_of, tmp_path: Path) -> Path:
    """A folder of an earlier export: a and b of cat, c of dog."""
    target = tmp_path / "set"
    write_export(FOLDER, rows_of("abc", ["cat", "dog"], [0, 0, 1], link="copy"), target, {}, force=False)
    return target


def again(rows_of, target: Path, **options: str) -> list[str]:
    """The later export: a and d, both of bird; what it warns of."""
    rows = rows_of("ad", ["bird"], [0, 0], **({"link": "copy"} | options))
    return write_export(FOLDER, rows, target, {}, force=True).warnings


def ours_of(target: Path) -> dict[str, str]:
    return json.loads((target / "manifest.json").read_text())["files"]


def test_what_the_older_export_wrote_is_gone_and_all_else_stays(rows_of, target: Path) -> None:
    (target / "notes.txt").write_text("mine")
    (target / "cat" / "why.md").write_text("mine too")
    (target / "deep" / "er").mkdir(parents=True)
    (target / "deep" / "er" / "x").write_text("deep")
    (target / "empty").mkdir()
    (target / "link").symlink_to(target.parent / "images")
    with closing(sqlite3.connect(target / "p.labeler.db")) as db:
        db.execute("CREATE TABLE t (x)")
    (target / "p.labeler.cache").mkdir()
    (target / "p.labeler.cache" / "features").write_bytes(b"f")
    before = contents(target)
    ours = {"manifest.json", *ours_of(target)}
    again(rows_of, target)
    after = contents(target)
    assert {name: after.get(name) for name in before if name not in ours} == {
        name: value for name, value in before.items() if name not in ours
    }
    assert sorted(path.name for path in target.parent.iterdir()) == ["images", "set"]
    assert not (target / "dog").exists()
    assert {name for name in after if name.startswith("bird/")} == {"bird/a.png", "bird/d.png"}


def test_a_file_edited_since_stays_and_is_named(rows_of, target: Path) -> None:
    (target / "cat" / "a.png").write_bytes(b"edited")
    warnings = again(rows_of, target)
    assert (target / "cat" / "a.png").read_bytes() == b"edited"
    assert not (target / "cat" / "b.png").exists()
    assert any("cat/a.png" in line and "edited" in line for line in warnings)


@pytest.mark.parametrize(
    ("make", "name", "why"),
    [
        (lambda t: ((t / "bird").mkdir(), (t / "bird" / "a.png").write_text("x")), "bird/a.png", "was not written by"),
        (lambda t: (t / "bird").write_text("no folder"), "bird", "was not written by"),
        (lambda t: (t / "bird").symlink_to(t.parent), "bird", "was not written by"),
        (lambda t: (t / "bird" / "a.png").mkdir(parents=True), "bird/a.png", "was not written by"),
        (lambda t: (t / "README.md").write_text("my card"), "README.md", "was edited"),
    ],
)
def test_what_is_in_the_way_is_refused_and_nothing_changes(rows_of, target: Path, make, name: str, why: str) -> None:
    make(target)
    before = contents(target.parent)
    with pytest.raises(ExportError, match=why) as caught:
        again(rows_of, target)
    assert str(target / name) in caught.value.message
    assert "nothing was changed" in caught.value.hint
    assert contents(target.parent) == before


def listing(target: Path, **names: str) -> None:
    """Let the manifest of a folder list more, or other things."""
    place = target / "manifest.json"
    document = json.loads(place.read_text())
    document["files"] |= names
    place.write_text(json.dumps(document))


def hash_of(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_project_stays_whatever_a_manifest_says(rows_of, target: Path) -> None:
    for name in ("p.labeler.db", "odd.db"):
        with closing(sqlite3.connect(target / name)) as db:
            db.execute("CREATE TABLE t (x)")
    for name in ("p.labeler.db-wal", "p.labeler.db-journal", "p.labeler.db.lock", "odd.db-wal", "odd.db.lock"):
        (target / name).write_bytes(b"of a project")
    (target / "p.labeler.cache").mkdir()
    (target / "p.labeler.cache" / "f").write_bytes(b"of a project")
    names = [name for name in contents(target) if "labeler" in name or name.startswith("odd")]
    assert len(names) == 8
    listing(target, **{name: hash_of(target / name) for name in names})
    before = {name: contents(target)[name] for name in names}
    again(rows_of, target)
    assert {name: contents(target)[name] for name in names} == before
    rows = rows_of("a", ["p.labeler.db"], [0], link="copy")
    before = contents(target)
    with pytest.raises(ExportError, match="project"):
        write_export(FOLDER, rows, target, {}, force=True)
    assert contents(target) == before


@pytest.mark.parametrize("name", ["../images/a.png", "/etc/passwd", "x/../../images/a.png", "", "a\0b"])
def test_a_manifest_that_leads_out_of_its_folder_is_refused(rows_of, target: Path, images: Path, name: str) -> None:
    listing(target, **{name: hash_of(images / "a.png")})
    before = contents(target.parent)
    with pytest.raises(ExportError, match="no manifest of an export"):
        again(rows_of, target)
    assert contents(target.parent) == before


def test_names_listed_through_a_link_are_not_followed(rows_of, target: Path, images: Path) -> None:
    (target / "out").symlink_to(images)
    listing(target, **{"out/a.png": hash_of(images / "a.png"), "out": hash_of(images / "a.png")})
    before = contents(images)
    again(rows_of, target)
    assert contents(images) == before
    assert (target / "out").is_symlink()


@pytest.mark.parametrize(
    "text",
    ['{"tool": "labeler"}', '{"tool": "labeler", "files": []}', '{"tool": "labeler", "files": {"a": 3}}',
     '{"tool": "labeler", "files": {"a": "x"}}', '{"tool": "labeler", "files": {}, "links": 3}',
     "[" * 100_000, "9" * 10_000, "", "\0", '{"tool": "another"}'],
)  # fmt: skip
def test_a_bad_manifest_is_refused_in_a_line(rows_of, target: Path, text: str) -> None:
    (target / "manifest.json").write_text(text)
    before = contents(target.parent)
    with pytest.raises(ExportError) as caught:
        again(rows_of, target)
    assert "\n" not in caught.value.message
    assert contents(target.parent) == before


def test_a_hard_link_goes_and_the_image_stays(rows_of, target: Path, images: Path) -> None:
    shutil.rmtree(target)
    write_export(FOLDER, rows_of("abc", ["cat", "dog"], [0, 0, 1], link="hard"), target, {}, force=False)
    assert os.path.samefile(target / "cat/a.png", images / "a.png")
    (images / "a.png").write_bytes(b"changed in place")  # and so in the export, which has the same file
    before = contents(images)
    again(rows_of, target, link="hard")
    assert contents(images) == before
    assert not (target / "cat").exists()
    assert os.path.samefile(target / "bird/a.png", images / "a.png")


def test_links_of_an_export_go_and_those_of_a_person_stay(rows_of, target: Path, images: Path) -> None:
    shutil.rmtree(target)
    write_export(FOLDER, rows_of("abc", ["cat", "dog"], [0, 0, 1], link="sym"), target, {}, force=False)
    (target / "cat/b.png").unlink()
    (target / "cat/b.png").symlink_to(images / "d.png")
    before = contents(images)
    again(rows_of, target, link="sym")
    assert contents(images) == before
    assert [path.name for path in (target / "cat").iterdir()] == ["b.png"]
    again(rows_of, target, link="sym")


def test_what_came_while_it_was_replaced_stays(rows_of, target: Path, monkeypatch) -> None:
    real = files.os.rename

    def late(source: Any, destination: Any) -> None:
        if Path(source) == target:
            (target / "late.txt").write_text("just in time")
            (target / "cat" / "a.png").write_bytes(b"edited at the last moment")
        real(source, destination)

    monkeypatch.setattr(files.os, "rename", late)
    again(rows_of, target)
    assert (target / "late.txt").read_text() == "just in time"
    assert (target / "cat/a.png").read_bytes() == b"edited at the last moment"


def test_what_finds_its_place_taken_is_kept_where_it_can_be_seen(rows_of, target: Path, monkeypatch) -> None:
    real = files.os.rename

    def late(source: Any, destination: Any) -> None:
        if Path(source) == target:
            (target / "bird").write_text("in the way, too late to be refused")
        real(source, destination)

    monkeypatch.setattr(files.os, "rename", late)
    (line,) = [line for line in again(rows_of, target) if "put back" in line]
    monkeypatch.undo()
    again(rows_of, target)
    (left,) = target.parent.glob("labeler-old-*")
    assert (left / "target" / "bird").read_text() == "in the way, too late to be refused"
    assert line.endswith(f".{left.name.rpartition('-')[0]}")


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_kill_at_any_step_loses_nothing_of_a_person(rows_of, target: Path, tmp_path: Path) -> None:
    steps = ("rename", "replace", "link", "fsync", "mkdir", "unlink", "rmdir", "open")
    own = {"notes.txt": b"mine", "cat/why.md": b"mine too", "cat/a.png": b"edited", "deep/er/x": b"deep"}
    original = tmp_path / "original"
    for name, text in own.items():
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        (target / name).write_bytes(text)
    shutil.copytree(target, original)
    seen = set()
    for step in range(1, 400):
        shutil.rmtree(target)
        shutil.copytree(original, target)
        child = os.fork()
        if child == 0:
            calls = 0

            def counted(real: Any, step: int = step) -> Any:
                def call(*args: Any, **options: Any) -> Any:
                    nonlocal calls
                    calls += 1
                    if calls == step:
                        os._exit(9)
                    return real(*args, **options)

                return call

            for name in steps:
                setattr(os, name, counted(getattr(os, name)))
            again(rows_of, target)
            os._exit(0)
        ended = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        recover(place_of(target, is_folder=True))
        after = contents(target)
        assert {name: after.get(name) for name in own} == own
        seen.add("new" if "bird/a.png" in after else "old")
        assert ("bird/a.png" in after, "bird/d.png" in after) in ((True, True), (False, False))
        assert ("cat/b.png" in after) == ("bird/a.png" not in after)
        assert not list(tmp_path.glob(".labeler-old*")) + list(tmp_path.glob("labeler-old*"))
        if ended == 0:
            break
        assert ended == 9
    assert ended == 0
    assert seen == {"old", "new"}


# -- one file --------------------------------------------------------------------------------------------------------


def test_one_file_is_replaced_but_never_a_database_or_what_the_labels_are_of(rows_of, images: Path, tmp_path) -> None:
    rows = rows_of("ab", ["cat"], [0, 0])
    with closing(sqlite3.connect(tmp_path / "any.csv")) as db:
        db.execute("CREATE TABLE t (x)")
    (tmp_path / "p.labeler.db").write_bytes(b"damaged")
    (tmp_path / "any.csv-journal").write_bytes(b"a hot journal")
    (tmp_path / "mine.csv").write_text("mine")
    (tmp_path / "mine.csv.manifest.json").write_text('{"mine": 1}')
    (tmp_path / "source.csv").write_text("x,y")
    (tmp_path / "hard.csv").hardlink_to(tmp_path / "source.csv")
    before = contents(tmp_path)
    for name in ("any.csv", "p.labeler.db", "any.csv-journal", "mine.csv", "source.csv", "hard.csv", "images/a.png"):
        with pytest.raises(ExportError, match=r"not written over|no manifest"):
            write_export(FILE, rows, tmp_path / name, {}, True, [tmp_path / "source.csv"])
        if name != "images/a.png":
            with pytest.raises(ExportError, match=r"not written over|no manifest"):
                write_single(tmp_path / name, {}, lambda path: path.touch(), True, [tmp_path / "source.csv"])
    assert contents(tmp_path) == before
    (tmp_path / "mine.csv.manifest.json").unlink()
    write_export(FILE, rows, tmp_path / "mine.csv", {}, force=True)  # named, and said: replace it
    assert FILE.count(tmp_path / "mine.csv") == {"cat": 2}


@pytest.mark.parametrize(
    "name",
    ["p.labeler.db", "p.labeler.db-wal", "p.labeler.db.fresh", "p.labeler.db.lock", "p.labeler.cache", "any.db-wal",
     "any.db-journal", "any.db.fresh"],
)  # fmt: skip
def test_no_file_is_put_where_a_project_looks_for_its_own(rows_of, tmp_path, name: str) -> None:
    with closing(sqlite3.connect(tmp_path / "any.db")) as db:
        db.execute("CREATE TABLE t (x)")
    rows = rows_of("ab", ["cat"], [0, 0])
    before = contents(tmp_path)
    for force in (False, True):
        with pytest.raises(ExportError, match="is a name for a file of a project"):
            write_export(FILE, rows, tmp_path / name, {}, force)
        with pytest.raises(ExportError, match="is a name for a file of a project"):
            write_single(tmp_path / name, {}, lambda path: path.touch(), force)
    assert contents(tmp_path) == before


# -- the law ---------------------------------------------------------------------------------------------------------

PART = st.sampled_from(["cat", "dog", "bird", "notes", "a.png", "b.png", "README.md", "p.labeler.db", "x"])
PATHS = st.lists(PART, min_size=1, max_size=3).map("/".join)
THINGS = st.dictionaries(PATHS, st.sampled_from(["file", "folder", "link", "database"]), max_size=6)


@pytest.mark.slow
@given(things=THINGS, listed=st.booleans())
@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_nothing_but_what_an_export_wrote_ever_changes(make_rows, things: dict[str, str], listed: bool) -> None:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        for name in "ad":
            (root / f"{name}.png").write_bytes(name.encode())

        def export(names: str, classes: list[str], of: list[int], force: bool) -> None:
            rows = make_rows(
                [f"{name}.png" for name in names], classes, of, locate=lambda row: root / f"{names[row]}.png"
            )
            write_export(FOLDER, rows, root / "set", {}, force)

        export("ad", ["cat", "dog"], [0, 1], False)
        ours = contents(root / "set")
        for name, kind in things.items():
            put(root / "set" / name, kind)
        before = contents(root / "set")
        own = {name: value for name, value in before.items() if ours.get(name) != value and value != "empty"}
        if listed and (root / "set" / "manifest.json").is_file():
            regular = {name for name, value in own.items() if isinstance(value, bytes) and b"SQLite" in value}
            listing(root / "set", **{name: hash_of(root / "set" / name) for name in regular})
            before = contents(root / "set")
        try:
            export("ad", ["bird"], [0, 0], True)
        except ExportError:
            assert contents(root / "set") == before
        after = contents(root / "set")
        assert {name: after.get(name) for name in own} == own
        assert {path.name for path in root.iterdir()} == {"a.png", "d.png", "set"}


def put(path: Path, kind: str) -> None:
    """Make something at a path if that can be."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if kind == "folder":
            path.mkdir()
            return
        if os.path.lexists(path) and path.is_dir():
            return
        path.unlink(missing_ok=True)  # an image may be a hard link
        if kind == "link":
            path.symlink_to("/nowhere")
        elif kind == "database":
            path.write_bytes(b"SQLite format 3\0 and more")
        else:
            path.write_bytes(b"mine")
    except OSError:
        return
