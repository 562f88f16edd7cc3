"""A disk that is full, for real: SQLite's own limit of pages, and the kernel's limit of a file's size."""

from __future__ import annotations

import subprocess
import sys

import pytest

from labeler.core.errors import PROJECT_ERRORS, NotSaved, ProjectError
from labeler.project.open import open_project


@pytest.fixture
def project(few_digits, tmp_path):
    with open_project(few_digits, tmp_path / "pool.labeler.db") as project:
        project.session.classes.id_for("one", setup=True)
        yield project


def fill(project):
    """Let the disk end here; answer until one is not saved; returns how many were."""
    db = project._store._db
    db.execute(f"PRAGMA max_page_count = {db.execute('PRAGMA page_count').fetchone()[0]}")
    ids, saved = project.session.pool.ids, project.session.view().answers
    for name in ids[saved:]:
        try:
            project.session.label(name, 0)
        except NotSaved:
            return saved
        saved += 1
    raise AssertionError("the disk was never full")


def answers(path):
    with open_project(path, read_only=True, with_source=False) as project:
        return project.session.view().answers


def test_what_was_acknowledged_is_there_and_nothing_else(project):
    saved = fill(project)
    assert project.session.view().answers == saved
    assert answers(project.path) == saved
    project._store._db.execute("PRAGMA max_page_count = 1000000")  # somebody made room
    project.session.label(project.session.pool.ids[saved], 0)
    assert answers(project.path) == saved + 1


def test_save_elsewhere_goes_on_there_with_all_that_was_saved(project, tmp_path):
    saved, before = fill(project), project.path
    stick = tmp_path / "stick"
    stick.mkdir()
    path = project.save_elsewhere(str(stick))
    assert path == stick / before.name
    project.session.label(project.session.pool.ids[saved], 0)
    project.session.label(project.session.pool.ids[saved + 1], 0)
    assert answers(path) == saved + 2
    assert answers(before) == saved
    assert str(path) in project.summary()
    project.session.undo()
    project.close()
    assert answers(path) == saved + 1
    with open_project(path) as again:  # finds its source, and is a project like any other
        assert again.session.view().can_redo
    assert [file.name for file in before.parent.glob("pool.labeler.db*")] == [before.name]


def test_a_place_that_cannot_be_written_is_said_and_another_can_be_named(project, tmp_path):
    saved = fill(project)
    with pytest.raises((NotSaved, ProjectError)):
        project.save_elsewhere("/proc/none/x")
    (tmp_path / "there.labeler.db").touch()
    with pytest.raises(PROJECT_ERRORS, match="there already"):
        project.save_elsewhere(str(tmp_path / "there"))
    path = project.save_elsewhere(str(tmp_path / "other"))
    assert path.name == "other.labeler.db"
    assert answers(path) == saved


LIMITED = """
import resource, sys
from pathlib import Path
from labeler.project.open import open_project
from labeler.core.errors import NotSaved
path = Path(sys.argv[2])
project = open_project(Path(sys.argv[1]), path)
session = project.session
session.classes.id_for("one", setup=True)
most = max(file.stat().st_size for file in path.parent.glob(path.name + "*")) + int(sys.argv[3])
resource.setrlimit(resource.RLIMIT_FSIZE, (most, resource.RLIM_INFINITY))
saved = 0
try:
    for name in session.pool.ids:
        session.label(name, 0)
        saved += 1
except NotSaved as error:
    assert session.view().answers == saved
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    session.label(session.pool.ids[saved], 0)
    print(saved + 1)
project.close()
"""


@pytest.mark.parametrize("room", [1, 2_000, 5_000, 9_000, 20_000, 70_000])
def test_a_write_the_kernel_refuses_loses_nothing_before_or_after_it(few_digits, tmp_path, room):
    """Each room lets another write fail: of the log's header, of a frame, in the middle of one."""
    path = tmp_path / "pool.labeler.db"
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, few_digits, path, str(room)], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip(), "no write failed"
    assert answers(path) == int(done.stdout)


def test_an_import_is_there_whole_or_not_at_all(project, tmp_path):
    from labeler.commands.import_labels import import_labels

    ids = project.session.pool.ids
    table = tmp_path / "labels.csv"
    table.write_text("id,label\n" + "".join(f"{name},class {row}\n" for row, name in enumerate(ids)))
    db = project._store._db
    db.execute(f"PRAGMA max_page_count = {db.execute('PRAGMA page_count').fetchone()[0]}")
    before = [event.event_id for event in project._store.replay()]
    with pytest.raises(NotSaved):
        import_labels(project, table)
    assert [event.event_id for event in project._store.replay()] == before
    db.execute("PRAGMA max_page_count = 1000000")
