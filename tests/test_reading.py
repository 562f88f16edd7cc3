"""How pictures are read is remembered: another opening, the worker and new images see the same; exports stay out."""

from __future__ import annotations

import io
import json
import shutil
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

import labeler
from labeler.commands.export.export import export
from labeler.commands.import_labels import import_labels
from labeler.commands.predict import predict
from labeler.core.errors import UsageError
from labeler.plugins.importers import decode
from labeler.plugins.importers.detect import open_source
from labeler.project.open import Options, open_project
from labeler.project.source_changes import content_hash


def figure(kind: int, white: int, dtype: object = np.uint16, side: int = 20) -> np.ndarray:
    values = np.zeros((side, side), dtype)
    if kind % 2:
        values[5:15, 5:15] = white
    else:
        values[::3] = white
    values[kind % side, 0] = white // 2
    return values


def deep_pool(folder, n: int = 8, white: int = 4095):
    folder.mkdir()
    for row in range(n):
        (folder / "ab"[row % 2]).mkdir(exist_ok=True)
        Image.fromarray(figure(row, white)).save(folder / "ab"[row % 2] / f"{row}.png")
    return folder


def notices_on(project, words: str) -> list[str]:
    return [notice for notice in project.notices if words in notice]


def test_what_was_decided_at_first_holds_for_later_images_and_the_worker(tmp_path):
    pool, path = deep_pool(tmp_path / "pool"), tmp_path / "p.labeler.db"
    with open_project(pool, path) as project:
        assert project.options["range"] == "auto 0:4095,-"
        assert notices_on(project, "values 0 to 4095 are shown as black to white, as 8 images suggest")
        before = [project.instances.image(row) for row in range(8)]
        assert np.array_equal(project.open_pipeline().prepared.raw, before)
    for row in range(8, 20):
        Image.fromarray(figure(row, 60_000)).save(pool / "a" / f"{row}.png")
    with open_project(path) as project:
        assert project.options["range"] == "auto 0:4095,-"
        assert all(np.array_equal(before[row], project.instances.image(row)) for row in range(8))
        again = open_source(pool, project.recipe().reading)  # as the worker opens it
        assert again.shown == project.source.shown
        assert np.array_equal(project.open_pipeline().prepared.raw[:8], before)
    with open_project(path, options=Options(range="auto")) as project:
        assert project.options["range"] == "auto 0:65535,-"
        assert notices_on(project, "computed anew: range")


def test_the_features_see_the_range_and_each_has_its_own_entry_in_the_cache(tmp_path):
    pool, path = deep_pool(tmp_path / "pool"), tmp_path / "p.labeler.db"
    seen = {}
    for given in ("0:4095", "0:65535", "0:4095"):
        with open_project(pool, path, Options(range=given, encoder="pixels")) as project:
            raw = project.open_pipeline().prepared.raw
            seen.setdefault(given, []).append((int(raw.max()), float(project.open_pipeline().features().max())))
    assert seen["0:4095"] == [(255, 1.0)] * 2
    assert seen["0:65535"][0][0] == 16


@pytest.mark.parametrize("container", ["folder", "npz"])
def test_another_range_takes_no_answer_away(tmp_path, container):
    pool = deep_pool(tmp_path / "pool")
    if container == "npz":
        pool = tmp_path / "pool.npz"
        np.savez(pool, X=np.stack([figure(row, 1000).astype(np.float32) / 900 for row in range(8)]))
    path = tmp_path / "p.labeler.db"
    with labeler.open(pool, path, classes=["a", "b"]) as project:
        for row in range(4):
            project.answer("ab"[row % 2], list(project)[row].id)
        project.project.open_pipeline()
    with labeler.open(pool, path, range=(0, 500 if container == "folder" else 0.5)) as project:
        assert not notices_on(project.project, "set aside")
        assert [instance.label for instance in list(project)[:4]] == ["a", "b", "a", "b"]
        assert project.project.instances.image(1).max() == 255


def test_a_wrong_range_is_said_before_a_project_is_made(tmp_path):
    with pytest.raises(UsageError, match="no range of values"):
        labeler.open(deep_pool(tmp_path / "pool"), tmp_path / "p.labeler.db", range="4095")
    assert not (tmp_path / "p.labeler.db").exists()


def test_new_images_are_read_by_the_range_of_their_project(tmp_path):
    pool, path = deep_pool(tmp_path / "pool"), tmp_path / "p.labeler.db"
    new = deep_pool(tmp_path / "new", 2, white=1023)  # a dark day: the sensor is the same
    with open_project(pool, path, Options(encoder="pixels")) as project:
        import_labels(project, pool)
        (line,) = predict(project, new).notes
        assert line.startswith("values 0 to 4095 are shown as black to white, as when the project began")
        assert "values 0 to 1023" in predict(project, new, options=Options(range="0:1023")).notes[0]


FORMS = [
    pytest.param("imagefolder", link, marks=[pytest.mark.slow][: link != "sym"]) for link in ("hard", "sym", "copy")
]
FORMS += [
    pytest.param(form, link, marks=pytest.mark.slow)
    for form in ("hf", "fiftyone", "labelstudio")
    for link in ("hard", "sym")
]


@pytest.mark.parametrize(("form", "link"), FORMS)
def test_an_export_below_the_source_stays_out_and_is_not_missed(tmp_path, form, link):
    pool, path = deep_pool(tmp_path / "pool"), tmp_path / "p.labeler.db"
    (pool / "deep").mkdir()
    target = pool / "deep" / "training"
    with open_project(pool, path) as project:
        import_labels(project, pool)
        export(project, target, f"{form}:link={link}")
    with open_project(path) as project:
        assert len(project.session.pool) == 8
        assert notices_on(project, "passed over 1 export of labeler's own (deep/training)")
        assert not notices_on(project, "joined") + notices_on(project, "missing")
    exported = open_source(target)  # opened by itself it is a source, links and all
    assert len(exported.ids) == 8
    assert max(int(exported.image(row).max()) for row in range(8)) == 255
    shutil.rmtree(target)
    with open_project(path) as project:
        assert not notices_on(project, "joined") + notices_on(project, "missing")


def test_pictures_of_one_value_are_counted_and_named_and_stay(tmp_path):
    pool, path = deep_pool(tmp_path / "pool"), tmp_path / "p.labeler.db"
    for name, picture in (("w", np.full((20, 20), 65535, np.uint16)), ("k", np.zeros((9, 9), np.uint16))):
        Image.fromarray(picture).save(pool / f"{name}.png")
    Image.new("RGBA", (8, 8), (9, 9, 9, 0)).save(pool / "clear.png")
    for _ in range(2):  # also from the cache
        with open_project(pool, path) as project:
            project.open_pipeline()
            (line,) = notices_on(project, "of one value")
            assert line.startswith("3 pictures show nothing, all of one value: clear.png, k.png, w.png")
            assert not project.session.pool.unreadable.any()


def test_no_photo_is_decoded_whole_for_features_or_a_plan(tmp_path, monkeypatch):
    pool = tmp_path / "pool"
    pool.mkdir()
    for row in range(3):
        Image.fromarray(np.kron(figure(row, 255, np.uint8), np.ones((40, 40), np.uint8))).save(pool / f"{row}.jpg")
    sizes = []
    monkeypatch.setattr(decode, "flattener", lambda image, shown: sizes.append(image.size) or (lambda part: part))
    with open_project(pool, tmp_path / "p.labeler.db") as project:
        project.open_pipeline()
    assert sizes
    assert max(max(size) for size in sizes) <= 200  # of 800


@pytest.mark.slow
def test_72_megapixels_are_read_by_draft(tmp_path):
    out = io.BytesIO()
    Image.linear_gradient("L").resize((9800, 7350)).convert("RGB").save(out, "JPEG", quality=80)
    assert decode.decode(out.getvalue(), 64).shape == (48, 64, 3)
    whole = decode.decode(out.getvalue())
    assert whole.shape == (3675, 4900, 3)
    (tmp_path / "x.jpg").write_bytes(out.getvalue())
    source = open_source(tmp_path)
    assert content_hash(source, 0)


def test_pages_are_labeled_and_leave_as_files_of_their_own(tmp_path):
    pool = tmp_path / "pool"
    pool.mkdir()
    pages = [Image.fromarray(figure(row, 200 + row, np.uint8)) for row in range(4)]
    pages[0].save(pool / "scan.tif", save_all=True, append_images=pages[1:])
    with labeler.open(pool, tmp_path / "p.labeler.db", pages=True, classes=["even", "odd"]) as project:
        assert [instance.id for instance in project] == [f"scan.tif#{number}" for number in range(1, 5)]
        for row in range(4):
            project.answer(["even", "odd"][row % 2], f"scan.tif#{row + 1}")
        project.export(tmp_path / "out", "imagefolder")
        project.export(tmp_path / "labels.csv")
    files = sorted(path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*.png"))
    assert len(files) == 4
    assert files[0].startswith("even/scan.tif#1")
    assert "scan.tif#3,even" in (tmp_path / "labels.csv").read_text()
    with labeler.open(tmp_path / "p.labeler.db") as project:  # remembered
        assert project["scan.tif#4"].label == "odd"
        assert project["scan.tif#4"].image().max() == 203
        assert not notices_on(project.project, "missing")


@pytest.mark.slow
def test_commands_take_the_range_and_say_it(tmp_path):
    pool = deep_pool(tmp_path / "pool", 12)
    for arguments in (
        ["simulate", pool, "--truth", "folders", "--clicks", "2", "--range", "0:4000"],
        ["clusters", pool, "--clusters", "2", "--range", "0:4000", "--json"],
    ):
        done = subprocess.run(
            [sys.executable, "-m", "labeler", *map(str, arguments)], capture_output=True, text=True, cwd=tmp_path
        )
        assert done.returncode == 0, done.stderr
        assert "values 0 to 4000 are shown as black to white" in done.stderr
        assert json.loads(done.stdout)
