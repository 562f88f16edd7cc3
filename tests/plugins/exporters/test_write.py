from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from labeler.core import files
from labeler.core.errors import ExportError, MissingExtra, UsageError
from labeler.core.files import recover
from labeler.plugins import custom, registry
from labeler.plugins.builtin import Plugin
from labeler.plugins.exporters import image_files
from labeler.plugins.exporters.arrays import NpzExporter
from labeler.plugins.exporters.csv_jsonl import CsvExporter, JsonlExporter
from labeler.plugins.exporters.imagefolder import ImageFolderExporter
from labeler.plugins.exporters.write import format_of, place_of, write_export

STEPS = ("rename", "replace", "link", "fsync", "mkdir", "unlink", "rmdir", "open")


def contents(root: Path) -> dict[str, bytes]:
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}


@pytest.fixture
def out(tmp_path: Path) -> Path:
    (tmp_path / "out").mkdir()
    return tmp_path / "out"


def test_a_file_gets_a_manifest_beside_it(make_rows, out: Path) -> None:
    rows = make_rows(["a", "b", "c"], ["y", "x", "caf\udce9"], [0, 1, 0])
    given = {"seed": 3, "configuration": {"k": np.int64(50), "source": Path("p"), "loss": float("nan")}}
    written = write_export(CsvExporter(), rows, out / "x.csv", given, force=False)
    assert written.path == out / "x.csv"
    assert written.manifest_path == out / "x.csv.manifest.json"
    assert written.counts == {"y": 2, "x": 1}
    manifest = json.loads(written.manifest_path.read_text())
    assert manifest["classes"] == ["y", "x", "escaped:caf%E9"]
    assert manifest["counts"] == {
        "total": 3,
        "classes": {"y": 2, "x": 1, "escaped:caf%E9": 0},
        "provenance": {"human": 2, "propagated": 1},
        "class_provenance": {"y": {"human": 2}, "x": {"propagated": 1}},
        "splits": {},
    }
    assert manifest["files"] == {"x.csv": hashlib.sha256((out / "x.csv").read_bytes()).hexdigest()}
    assert manifest["configuration"] == {"k": 50, "source": "p", "loss": None}
    assert (manifest["seed"], manifest["certificate"], manifest["version"]) == (3, None, "0.1.0")
    assert manifest["warnings"] == written.warnings
    assert len(written.warnings) == 1
    assert sorted(contents(out)) == ["x.csv", "x.csv.manifest.json"]


def test_a_folder_gets_its_manifest_inside(make_rows, out: Path) -> None:
    rows = make_rows(["a", "b"], ["x"], [0, 0])
    written = write_export(ImageFolderExporter(), rows, out / "set", {}, force=False)
    assert written.manifest_path == out / "set/manifest.json"
    files = json.loads(written.manifest_path.read_text())["files"]
    assert files == {
        name.removeprefix("set/"): hashlib.sha256(data).hexdigest()
        for name, data in contents(out).items()
        if name != "set/manifest.json"
    }
    assert [path.name for path in out.iterdir()] == ["set"]


@pytest.mark.parametrize("exporter", [CsvExporter(), JsonlExporter(), NpzExporter(), ImageFolderExporter()])
def test_the_same_rows_give_the_same_export(make_rows, tmp_path: Path, exporter: Any) -> None:
    for place in ("one", "two"):
        (tmp_path / place).mkdir()
        write_export(exporter, make_rows(["a", "b"], ["x", "y"], [0, 1]), tmp_path / place / "t", {}, force=False)
    assert contents(tmp_path / "one") == contents(tmp_path / "two")


@pytest.mark.parametrize("exporter", [CsvExporter(), ImageFolderExporter()])
def test_an_existing_target_is_replaced_only_by_force(make_rows, out: Path, exporter: Any) -> None:
    target = out / "t"
    write_export(exporter, make_rows(["a"], ["x"], [0]), target, {}, force=False)
    before = contents(out)
    with pytest.raises(ExportError, match="exists already") as caught:
        write_export(exporter, make_rows(["b"], ["x"], [0]), target, {}, force=False)
    assert "--force" in caught.value.hint
    assert contents(out) == before
    write_export(exporter, make_rows(["b", "c"], ["x"], [0, 0]), target, {}, force=True)
    assert exporter.count(target) == {"x": 2}
    assert not [path for path in out.iterdir() if path.name.startswith(".")]


def test_a_manifest_alone_is_not_overwritten_either(make_rows, out: Path) -> None:
    (out / "x.csv.manifest.json").touch()
    with pytest.raises(ExportError, match=r"x\.csv\.manifest\.json exists"):
        write_export(CsvExporter(), make_rows(["a"], ["x"], [0]), out / "x.csv", {}, force=False)
    write_export(CsvExporter(), make_rows(["a"], ["x"], [0]), out / "x.csv", {}, force=True)


def test_a_source_that_cannot_be_read_is_named(make_rows, photos: Path, out: Path, monkeypatch) -> None:
    def refuse(source: Path, _: Path) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", str(source))

    monkeypatch.setattr(image_files.os, "link", refuse)
    monkeypatch.setattr(image_files.shutil, "copyfile", refuse)
    rows = make_rows(["a/1.jpg"], ["x"], [0], locate=lambda row: photos / "a/1.jpg")
    with pytest.raises(ExportError, match=r"photos/a/1\.jpg cannot be read"):
        write_export(ImageFolderExporter(), rows, out / "set", {}, force=False)
    assert list(out.iterdir()) == []


def test_force_removes_only_what_an_export_made(make_rows, photos: Path, out: Path) -> None:
    rows = make_rows(["a"], ["x"], [0])
    before = contents(photos)
    with pytest.raises(ExportError, match="no export made"):
        write_export(ImageFolderExporter(), rows, photos, {}, force=True)
    with pytest.raises(ExportError, match="is a folder"):
        write_export(CsvExporter(), rows, photos, {}, force=True)
    with pytest.raises(ExportError, match="is a file"):
        write_export(ImageFolderExporter(), rows, photos / "a/1.jpg", {}, force=True)
    assert contents(photos) == before
    write_export(ImageFolderExporter(), rows, out / "set", {}, force=False)
    inside = make_rows(["a.png"], ["x"], [0], locate=lambda row: out / "set/x/a.png")
    with pytest.raises(ExportError, match="images themselves"):
        write_export(ImageFolderExporter(), inside, out / "set", {}, force=True)


def test_a_link_is_replaced_and_not_what_it_points_to(make_rows, out: Path) -> None:
    write_export(ImageFolderExporter(), make_rows(["a"], ["x"], [0]), out / "real", {}, force=False)
    (out / "link").symlink_to(out / "real")
    before = contents(out / "real")
    write_export(ImageFolderExporter(), make_rows(["b"], ["x"], [0]), out / "link", {}, force=True)
    assert contents(out / "real") == before
    assert not (out / "link").is_symlink()
    (out / "dangling.csv").symlink_to(out / "nowhere")
    with pytest.raises(ExportError, match="exists already"):
        write_export(CsvExporter(), make_rows(["a"], ["x"], [0]), out / "dangling.csv", {}, force=False)


@pytest.mark.parametrize(
    ("path", "message"), [("no/where/x.csv", "does not exist"), ("file/x.csv", "is not a folder"), ("n" * 300, "long")]
)
def test_a_place_that_cannot_be_written(make_rows, out: Path, path: str, message: str) -> None:
    (out / "file").touch()
    with pytest.raises(ExportError, match=message) as caught:
        write_export(CsvExporter(), make_rows(["a"], ["x"], [0]), out / path, {}, force=False)
    assert caught.value.hint
    assert "\n" not in caught.value.message
    assert list(contents(out)) == ["file"]


@pytest.mark.parametrize(
    ("code", "message"),
    [(errno.ENOSPC, "no space left"), (errno.EROFS, "may not be written"), (errno.EIO, "cannot be")],
)
def test_a_disk_that_fails_leaves_nothing(make_rows, out: Path, monkeypatch, code: int, message: str) -> None:
    def fail(_: int) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(files.os, "fsync", fail)
    with pytest.raises(ExportError, match=message):
        write_export(CsvExporter(), make_rows(["a"], ["x"], [0]), out / "x.csv", {}, force=False)
    assert list(out.iterdir()) == []


def test_what_does_not_read_back_is_not_put_in_place(make_rows, out: Path, monkeypatch) -> None:
    rows = make_rows(["a", "b"], ["x"], [0, 0])
    monkeypatch.setattr(CsvExporter, "count", lambda self, target: {"x": 1})
    with pytest.raises(ExportError, match="1 instead of 2 instances of x"):
        write_export(CsvExporter(), rows, out / "x.csv", {}, force=False)
    monkeypatch.setattr(CsvExporter, "count", lambda self, target: json.loads("broken"))
    with pytest.raises(ExportError, match="cannot be read back"):
        write_export(CsvExporter(), rows, out / "x.csv", {}, force=False)
    assert list(out.iterdir()) == []


def remove_all(path: Path) -> None:
    shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()


class Killed(BaseException):
    """Not an Exception: as Ctrl-C, nothing but the clean-up itself may stop it."""


def at_step(number: int, act: Any, monkeypatch) -> list[str]:
    """Let the `number`-th of the calls that change the disk do `act` instead; the list of calls grows as they come."""
    calls: list[str] = []

    def wrapped(name: str, original: Any) -> Any:
        def call(*args: Any, **kwargs: Any) -> Any:
            calls.append(name)
            if len(calls) == number:
                act()
            return original(*args, **kwargs)

        return call

    for name in STEPS:
        monkeypatch.setattr(os, name, wrapped(name, getattr(os, name)))
    return calls


def raise_killed() -> None:
    raise Killed


def raise_full() -> None:
    raise OSError(errno.ENOSPC, "full")


@pytest.mark.parametrize("act", [raise_killed, raise_full])
@pytest.mark.parametrize("old", [True, False])
@pytest.mark.mostly_slow
@pytest.mark.parametrize("exporter", [CsvExporter(), ImageFolderExporter()])
def test_a_failure_at_any_step_leaves_the_old_or_the_new(make_rows, out: Path, exporter, old: bool, act) -> None:
    target = out / "t"
    if old:
        write_export(exporter, make_rows(["a"], ["x"], [0]), target, {}, force=False)
    before = contents(out)
    for step in range(1, 200):
        with pytest.MonkeyPatch.context() as patch:
            calls = at_step(step, act, patch)
            with suppress(Killed, ExportError):
                write_export(exporter, make_rows(["b", "c"], ["x"], [0, 0]), target, {}, force=True)
        if len(calls) < step:
            break
        if contents(out) != before:
            # too late to fail: the new one stands and what was left to do is to clear the old one away
            assert exporter.count(target) == {"x": 2}
            for path in out.iterdir():
                remove_all(path)
            if old:
                write_export(exporter, make_rows(["a"], ["x"], [0]), target, {}, force=False)
            assert contents(out) == before
    assert step > 8
    assert exporter.count(target) == {"x": 2}


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.parametrize("exporter", [CsvExporter(), ImageFolderExporter()])
def test_a_kill_at_any_step_leaves_the_old_or_the_new(make_rows, out: Path, exporter: Any) -> None:
    target = out / "t"
    place = place_of(target, exporter.is_folder)
    old_rows, new_rows = make_rows(["a"], ["x"], [0]), make_rows(["b", "c"], ["x"], [0, 0])
    seen = set()
    for step in range(1, 200):
        write_export(exporter, old_rows, target, {}, force=True)
        child = os.fork()
        if child == 0:
            with pytest.MonkeyPatch.context() as patch:
                at_step(step, lambda: os._exit(9), patch)
                write_export(exporter, new_rows, target, {}, force=True)
            os._exit(0)
        if os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0:
            break
        recover(place)  # what the next export begins with
        number = exporter.count(target)["x"]
        manifest = json.loads((place.beside or target / "manifest.json").read_text())
        assert manifest["counts"]["total"] == number
        seen.add(number)
    assert seen == {1, 2}
    assert exporter.count(target) == {"x": 2}


def test_what_a_killed_export_left_is_swept_up_and_nothing_else(make_rows, out: Path) -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    swept, kept = f".labeler-new-a.{gone.pid}.draft", [f".labeler-new-b.{os.getpid()}.draft", f"notes.{gone.pid}.draft"]
    for name in (swept, *kept):
        (out / name).mkdir()
        (out / name / "x").touch()
    write_export(CsvExporter(), make_rows(["a"], ["x"], [0]), out / "x.csv", {}, False)
    assert {path.name for path in out.iterdir()} == {"x.csv", "x.csv.manifest.json", *kept}


def test_a_manifest_never_describes_other_data(make_rows, out: Path, monkeypatch) -> None:
    """Between the two renames of a file and its manifest there is no manifest."""
    write_export(CsvExporter(), make_rows(["a"], ["x"], [0]), out / "x.csv", {}, force=False)
    real = os.replace

    def looking(source: Any, destination: Any) -> None:
        if Path(destination) == out / "x.csv":
            assert not (out / "x.csv.manifest.json").exists()
        real(source, destination)

    monkeypatch.setattr(files.os, "replace", looking)
    write_export(CsvExporter(), make_rows(["b"], ["x"], [0]), out / "x.csv", {}, force=True)


@pytest.mark.parametrize(
    ("target", "name", "expected"),
    [
        ("x.csv", None, "csv"),
        ("X.CSV", None, "csv"),
        ("x.jsonl", None, "jsonl"),
        ("x.npz", None, "npz"),
        ("x.tar", "csv", "csv"),
        ("x.csv", "csv:csv_safe=yes", "csv:csv_safe=yes"),
        ("folder", None, "imagefolder"),
        ("folder/", None, "imagefolder"),
    ],
)
def test_format_of(target: str, name: str | None, expected: str) -> None:
    assert format_of(Path(target), name) == expected


def test_an_existing_folder_is_an_image_folder(tmp_path: Path) -> None:
    (tmp_path / "v1.2").mkdir()
    assert format_of(tmp_path / "v1.2") == "imagefolder"


@pytest.mark.parametrize(("target", "name"), [("x.doc", None), ("x.csv", "doc")])
def test_an_unknown_format_lists_the_known_ones(target: str, name: str | None) -> None:
    with pytest.raises(UsageError) as caught:
        format_of(Path(target), name)
    assert all(known in caught.value.hint for known in ("csv", "jsonl", "npz", "imagefolder"))


def test_many_files_are_flushed_at_once(tmp_path: Path, monkeypatch) -> None:
    flushed = []
    monkeypatch.setattr(files.os, "sync", lambda: flushed.append(True))
    files.sync_files([tmp_path / "absent"] * 300)
    assert flushed == [True]


def test_a_format_that_is_not_installed_says_what_to_install(monkeypatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(MissingExtra) as caught:
        format_of(Path("x.parquet"))
    assert ".[parquet]" in caught.value.hint


def test_no_exporter_is_imported_to_learn_an_ending() -> None:
    code = (
        "import sys; from pathlib import Path; from labeler.plugins.exporters.write import format_of\n"
        "assert format_of(Path('x.prodigy.jsonl')) == 'prodigy'\n"
        "print([name for name in ('arrays', 'csv_jsonl', 'prodigy', 'imagefolder')"
        " if f'labeler.plugins.exporters.{name}' in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_an_exporter_of_ones_own_says_its_ending_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    class Own(CsvExporter):
        endings = (".own",)

    monkeypatch.setattr(registry, "_OWN", {kind: {} for kind in registry.KINDS})
    custom.register("exporter", "own", Own)
    assert format_of(Path("x.own")) == "own"


def test_an_exporter_of_a_package_says_its_ending_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(CsvExporter, "endings", (".theirs",), raising=False)
    line = Plugin("exporter", "far", "labeler.plugins.exporters.csv_jsonl:CsvExporter", "from afar", origin="far")
    monkeypatch.setattr(registry, "_installed", lambda kind: {"far": line} if kind == "exporter" else {})
    assert format_of(Path("x.theirs")) == "far"
