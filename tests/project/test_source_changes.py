"""A label stays with the content it was given to, whatever becomes of names, order and files between sessions."""

from __future__ import annotations

import struct
import zipfile

import numpy as np
import pytest
from PIL import Image

from labeler.commands.export.export import ExportOptions, export
from labeler.project.open import open_project

N = 12


def pictures(seed=0, count=N):
    rng = np.random.default_rng(seed)
    return rng.integers(0, 255, (count, 8, 8), dtype=np.uint8)


class Folder:
    """Files under names; the others are made of these."""

    def __init__(self, tmp_path):
        self.path = tmp_path / "photos"

    def write(self, contents):
        self.path.mkdir(exist_ok=True)
        for old in self.path.iterdir():
            old.unlink()
        for name, picture in contents.items():
            Image.fromarray(picture).save(self.path / f"{name}.png")


class Zip:
    def __init__(self, tmp_path):
        self.path, self.folder = tmp_path / "photos.zip", Folder(tmp_path)

    def write(self, contents):
        self.folder.write(contents)
        with zipfile.ZipFile(self.path, "w") as archive:
            for file in sorted(self.folder.path.iterdir()):
                archive.write(file, file.name)


class Npz:
    """Names are places in the array: a row that goes moves all that come after it."""

    def __init__(self, tmp_path):
        self.path = tmp_path / "photos.npz"

    def write(self, contents):
        np.savez(self.path, X=np.array(list(contents.values())))


class Table:
    def __init__(self, tmp_path):
        self.path = tmp_path / "table.npz"

    def write(self, contents):
        np.savez(self.path, X=np.array([one.ravel()[:5].astype(np.float32) for one in contents.values()]))


class Idx:
    def __init__(self, tmp_path):
        self.path = tmp_path / "train-images-idx3-ubyte"

    def write(self, contents):
        array = np.array(list(contents.values()))
        self.path.write_bytes(struct.pack(">IIII", 0x803, *array.shape) + array.tobytes())


@pytest.fixture(params=[Folder, Zip, Npz, Table, Idx], ids=lambda kind: kind.__name__)
def source(request, tmp_path):
    return request.param(tmp_path)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "p.labeler.db"


def names(count=N):
    return [f"{letter}" for letter in "abcdefghijklmnopqrstuvwxyz"[:count]]


def begin(source, path, *, encode):
    """Label the first four a, b, c, d by their content: class 0, 1, 0, 1; the sixth is unsure."""
    contents = dict(zip(names(), pictures(), strict=True))
    source.write(contents)
    with open_project(source.path, path) as project:
        session = project.session
        for name in ("even", "odd"):
            session.classes.id_for(name, setup=True)
        if encode:
            project.open_pipeline()
        for place in range(4):
            session.label(session.pool.ids[place], place % 2)
        session.unsure(session.pool.ids[5])
    return contents


def given(project):
    """Content -> class, as the project believes it now; what is missing has none."""
    session, found = project.session, {}
    rows = {name: row for row, name in enumerate(project.source.ids)}
    for index, standing in session.state.answers.items():
        if session.pool.ids[index] in rows and standing.kind == "label":
            found[project.source.content_bytes(rows[session.pool.ids[index]])] = standing.class_id
    return found


def first(source, path, contents):
    with open_project(path, read_only=True) as project:
        return given(project)


@pytest.mark.parametrize("encode", [True, False], ids=["read whole", "quit before it was read"])
class TestBetweenSessions:
    def test_nothing_is_said_of_the_same(self, source, path, encode):
        contents = begin(source, path, encode=encode)
        source.write(contents)  # the same again, at another time
        with open_project(path) as project:
            assert not [line for line in project.notices if "source changed" in line]
            assert project.session.view().answers == 4

    @pytest.mark.mostly_slow
    def test_sorted_anew(self, source, path, encode):
        contents = begin(source, path, encode=encode)
        before = first(source, path, contents)
        turned = list(contents.values())[::-1]
        source.write(dict(zip(names(), turned, strict=True)))
        with open_project(path, read_only=True) as project:
            assert given(project) == before
        with open_project(path) as project:
            assert given(project) == before
            assert "5 answers went with the content" in " ".join(project.notices)
            assert project.session.view().answers == 4
        with open_project(path) as project:  # said once
            assert given(project) == before
            assert not [line for line in project.notices if "source changed" in line]

    def test_one_replaced(self, source, path, encode):
        contents = begin(source, path, encode=encode)
        before = first(source, path, contents)
        contents["b"] = pictures(9, 1)[0]
        source.write(contents)
        with open_project(path) as project:
            session = project.session
            assert "1 answer set aside" in " ".join(project.notices)
            assert session.view().answers == 3
            assert set(given(project).items()) < set(before.items())
            assert session.state.answers.get(1) is None  # asked anew
            session.undo()  # it shows the same: the person knows better
            assert session.view().answers == 4
        with open_project(path) as project:
            assert project.session.view().answers == 4
            assert not [line for line in project.notices if "source changed" in line]

    @pytest.mark.mostly_slow
    def test_one_in_front_and_one_gone(self, source, path, encode):
        """In an array every place changes its content; in a folder a name is new and another gone."""
        contents = begin(source, path, encode=encode)
        before = first(source, path, contents)
        del contents["c"]
        source.write({"0": pictures(7, 1)[0]} | contents)
        with open_project(path) as project:
            assert set(given(project).items()) < set(before.items())
            assert len(given(project)) == 3
        contents["c"] = pictures()[2]  # and back again
        source.write({"0": pictures(7, 1)[0]} | contents)
        with open_project(path) as project:
            assert set(given(project).items()) <= set(before.items())

    def test_a_name_of_its_own_is_followed(self, tmp_path, path, encode):
        source = Folder(tmp_path)
        contents = begin(source, path, encode=encode)
        before = first(source, path, contents)
        contents["zebra"] = contents.pop("b")
        source.write(contents)
        with open_project(path) as project:
            assert given(project) == before
            assert "b.png is zebra.png now" in " ".join(project.notices)


def test_an_export_without_an_opening_in_between_holds_no_wrong_label(tmp_path, path):
    source = Folder(tmp_path)
    contents = begin(source, path, encode=True)
    contents["a"], contents["b"] = contents["b"], contents["a"]
    source.write(contents)
    with open_project(path, read_only=True) as project:
        export(project, tmp_path / "labels.csv", "csv", ExportOptions(human_only=True))
    rows = [line.split(",")[:2] for line in (tmp_path / "labels.csv").read_text().splitlines()[1:]]
    assert dict(rows) == {"a.png": "odd", "b.png": "even", "c.png": "even", "d.png": "odd"}


def test_a_kill_while_it_is_noted_is_looked_at_again(tmp_path, path, monkeypatch):
    source = Folder(tmp_path)
    contents = begin(source, path, encode=True)
    before = first(source, path, contents)
    contents["a"], contents["b"] = contents["b"], contents["a"]
    source.write(contents)

    from labeler.store.store import Store

    def killed(self, **values):
        raise KeyboardInterrupt

    monkeypatch.setattr(Store, "remember", killed)
    with pytest.raises(KeyboardInterrupt):
        open_project(path)
    monkeypatch.undo()
    with open_project(path) as project:
        assert given(project) == before


def test_ids_never_stand_without_their_source(tmp_path, path, monkeypatch):
    """A kill between the first two writes of a new project leaves one that opens by itself."""
    source = Folder(tmp_path)
    source.write(dict(zip(names(), pictures(), strict=True)))

    from labeler.store.store import Store

    def killed(self, **values):
        raise KeyboardInterrupt

    monkeypatch.setattr(Store, "remember", killed)
    with pytest.raises(KeyboardInterrupt):
        open_project(source.path, path)
    monkeypatch.undo()
    with open_project(path) as project:
        assert len(project.session.pool) == N


def test_two_that_saw_the_change_merge_without_moving_it_twice(tmp_path, path):
    import shutil

    from labeler.commands.merge import merge

    source = Folder(tmp_path)
    contents = begin(source, path, encode=True)
    before = first(source, path, contents)
    other = tmp_path / "other.labeler.db"
    shutil.copy(path, other)
    contents["a"], contents["b"] = contents["b"], contents["a"]
    source.write(contents)
    for file in (path, other):
        with open_project(file) as project:
            project.session.label(project.session.pool.ids[8 if file == path else 9], 1)
    merge(path, other, tmp_path / "both.labeler.db")
    with open_project(tmp_path / "both.labeler.db") as project:
        found = given(project)
        assert set(before.items()) < set(found.items())
        assert len(found) == 6


def test_why_says_the_answer_of_a_label_that_moved(tmp_path, path):
    from labeler.session.provenance import reasons

    source = Folder(tmp_path)
    contents = begin(source, path, encode=True)
    contents["zebra"] = contents.pop("b")
    source.write(contents)
    with open_project(path) as project:
        session = project.session
        found = reasons(session, session.pool.index("zebra.png"))
        assert found.label == "odd"
