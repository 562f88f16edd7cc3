"""One source from several folders and by several names: its project is found, or it is said that a new one begins."""

from __future__ import annotations

import os

import pytest

import labeler
from labeler.project.open import open_project
from tests.plugins.importers.test_zip_archive import png


@pytest.fixture
def pool(tmp_path, monkeypatch):
    """A folder of images with a project beside it that holds one label; the current folder is that of both."""
    for name in ("a/pool/sub", "elsewhere"):
        (tmp_path / name).mkdir(parents=True)
    for row in range(4):
        (tmp_path / "a" / "pool" / f"{row}.png").write_bytes(png(row))
    monkeypatch.chdir(tmp_path / "a")
    with labeler.open("pool") as project:
        assert any(line.startswith("a new project begins: ") for line in project.project.notices)
        project.answer("cat", "0.png")
    return tmp_path / "a" / "pool"


def opened(path):
    """(project file, label of the first, notices)."""
    with labeler.open(path) as project:
        return project.project.path, project["0.png"].label, "\n".join(project.project.notices)


@pytest.mark.parametrize(
    ("folder", "written"),
    [
        (".", "pool/"),
        ("pool", "."),
        ("pool/sub", ".."),
        ("..", "a/pool"),
        ("../elsewhere", "../link"),
        ("../elsewhere", "../link_of_a/pool"),
    ],
)
def test_the_project_beside_the_source_is_found_from_anywhere(pool, tmp_path, monkeypatch, folder, written):
    (tmp_path / "link").symlink_to(pool)
    (tmp_path / "link_of_a").symlink_to(pool.parent)
    monkeypatch.chdir(pool.parent / folder)
    path, label, notices = opened(written)
    assert (os.path.realpath(path), label) == (str(pool.parent / "pool.labeler.db"), "cat")
    assert ("goes on with the project of this source" in notices) == (os.path.realpath(".") != str(pool.parent))
    assert [entry.name for entry in (tmp_path / "elsewhere").iterdir()] == []


def test_a_project_in_the_source_and_one_under_the_name_of_a_link(pool, tmp_path, monkeypatch):
    (pool.parent / "pool.labeler.db").rename(pool / "pool.labeler.db")
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert opened(pool)[:2] == (pool / "pool.labeler.db", "cat")
    (pool / "pool.labeler.db").rename(tmp_path / "elsewhere" / "pool.labeler.db")
    (tmp_path / "elsewhere" / "photos").symlink_to(pool)
    assert opened("photos")[1] == "cat"


def test_a_new_one_says_where_the_other_is(pool, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path / "elsewhere")
    (tmp_path / "own").mkdir()
    with open_project(pool, tmp_path / "own" / "p.labeler.db"):
        pass
    (pool.parent / "pool.labeler.db").unlink()
    path, label, notices = opened(pool)
    assert (path, label) == (tmp_path / "elsewhere" / "pool.labeler.db", None)
    assert f"a new project begins: {path}" in notices
    assert f"labeler label {tmp_path / 'own' / 'p.labeler.db'}" in notices
    assert "begins" not in opened(pool)[2]  # the second time it goes on


def test_the_project_of_another_source_of_that_name_is_not_taken(pool, tmp_path, monkeypatch):
    other = tmp_path / "b" / "pool"
    other.mkdir(parents=True)
    (other / "0.png").write_bytes(png(9))
    (other.parent / "pool.labeler.db").write_bytes((pool.parent / "pool.labeler.db").read_bytes())
    monkeypatch.chdir(tmp_path / "elsewhere")
    path, label, notices = opened(other)
    assert (path, label) == (tmp_path / "elsewhere" / "pool.labeler.db", None)
    assert "a new project begins" in notices


def test_a_state_folder_that_cannot_be_written_does_no_harm(pool, tmp_path, monkeypatch):
    (tmp_path / "state").write_text("a file")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    assert opened("pool")[1] == "cat"


@pytest.mark.parametrize("classes", [None, (), []])
def test_no_classes_are_no_classes(pool, classes):
    with labeler.open("pool", "fresh.labeler.db", classes=classes) as project:
        assert project.classes == []
        project.answer("dog", "1.png")
        assert project.classes == ["dog"]
