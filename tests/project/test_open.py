"""Opening, resuming and moving projects, as the doors do it."""

from __future__ import annotations

import queue
import shutil
import subprocess
import sys
from contextlib import closing

import numpy as np
import pytest
from PIL import Image

from labeler.core.errors import (
    PROJECT_ERRORS,
    EngineError,
    ProjectBusy,
    SourceError,
    UnreadableInstance,
    UsageError,
)
from labeler.core.types import Provenance
from labeler.project import paths
from labeler.project.open import Options, open_demo, open_project
from labeler.store.store import Store
from labeler.worker.protocol import RoundReady

BOOK = Options(engine="book", n_clusters=8)

KILLED = """
import os, sys
from pathlib import Path
from labeler.project.open import Options, open_project
project = open_project(Path(sys.argv[1]), Path(sys.argv[2]), Options(engine="book", n_clusters=8, classes=("a", "b")))
session = project.session
for step in project.open_pipeline().round(session.snapshot()):
    pass
session.merge_round(step)
for number in range(6):
    session.label(session.question.instance_id, number % 2)
session.undo()
session.skip(session.question.instance_id)
session.flag(session.question.instance_id)
print(session.question.instance_id, session.question.rule, session.state.revision, session.view().answers, flush=True)
os._exit(9)  # no goodbye
"""


@pytest.fixture
def path(tmp_path):
    return tmp_path / "work" / "p.labeler.db"


@pytest.fixture
def photos(tmp_path, path):
    """A folder of 12 small images, each of its own shade."""
    path.parent.mkdir()
    root = tmp_path / "photos"
    for number in range(12):
        add_photo(root, f"{'ab'[number % 2]}/{number:02d}.png", 20 * number)
    return root


def add_photo(root, name, shade):
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    pixels = np.full((6, 5), shade, np.uint8)
    pixels[2:4, 1:3] = 255 - shade
    Image.fromarray(pixels).save(root / name)


def answer(project, count=3):
    session = project.session
    class_id = session.classes.id_for("thing", setup=True)
    round_ = project.closing_round()
    for index in round_.queue.indices[:count]:
        session.label(session.pool.ids[int(index)], class_id)
    return round_


def test_opening_makes_a_project_and_leaves_one_file_and_a_cache(photos, path):
    with open_project(photos, path, BOOK) as project:
        assert len(project.session.pool) == 12
        assert project.session.state.percentile == 20.0
        answer(project)
    names = sorted(file.name for file in path.parent.iterdir())
    assert names == ["p.labeler.cache", "p.labeler.db"]


@pytest.mark.slow
def test_a_killed_session_resumes_on_its_question_with_its_undo_stack(few_digits, path):
    path.parent.mkdir()
    done = subprocess.run([sys.executable, "-c", KILLED, few_digits, path], capture_output=True, text=True)
    assert done.returncode == 9, done.stderr
    question, rule, revision, answers = done.stdout.split()
    with open_project(few_digits, path) as project:
        session = project.session
        assert session.question.instance_id == question
        assert session.question.rule == rule
        assert session.state.revision == int(revision)
        assert session.view().answers == int(answers) == 5
        kinds = []
        while session.view().can_undo:
            kinds.append(session.undo().kind)
        assert kinds == ["flag", "skip", *["label"] * 5]
        session.redo()
        assert session.view().answers == 1


def test_the_project_file_opens_without_its_source_named(photos, path):
    with open_project(photos, path, BOOK) as project:
        answer(project)
    with open_project(path) as project:
        assert project.source_path == photos
        assert project.session.view().answers == 3
    with pytest.raises(UsageError):
        open_project(path, path.with_name("other.labeler.db"))


@pytest.mark.slow
def test_new_files_join_at_the_end_and_missing_ones_keep_their_labels(photos, path):
    with open_project(photos, path, BOOK) as project:
        answer(project, 12)
        before = list(project.session.pool.ids)
    (photos / "a" / "00.png").unlink()
    add_photo(photos, "a/000-first-by-name.png", 77)
    with open_project(photos, path) as project:
        session = project.session
        assert session.pool.ids == [*before, "a/000-first-by-name.png"]
        gone = session.pool.index("a/00.png")
        assert session.label_of(gone)[1] is Provenance.HUMAN
        assert session.pool.missing[gone]
        said = " | ".join(project.notices)
        assert "1 new instance joined" in said
        assert "1 instance is missing" in said
        round_ = project.closing_round()
        assert round_.queue.indices.tolist() == [12]
        with pytest.raises(UnreadableInstance):
            project.instances.image(gone)
        assert project.instances.image(12).shape == (6, 5)
    add_photo(photos, "a/00.png", 0)
    with open_project(photos, path) as project:
        assert not project.session.pool.missing.any()


def test_a_broken_file_that_was_mended_is_asked_again(photos, path):
    whole = (photos / "a" / "00.png").read_bytes()
    (photos / "a" / "00.png").write_bytes(whole[:40])
    with open_project(photos, path, BOOK) as project:
        answer(project, 1)
        index = project.session.pool.index("a/00.png")
        assert project.session.pool.unreadable[index]
        assert any("cannot be read" in notice for notice in project.notices)
    with open_project(path) as project:
        assert project.session.pool.unreadable[index]
    (photos / "a" / "00.png").write_bytes(whole)
    with open_project(path) as project:
        project.closing_round()
        assert not project.session.pool.unreadable[index]


def test_a_moved_folder_is_found_again_beside_the_project_or_where_it_is_named(photos, path, tmp_path):
    with open_project(photos, path, BOOK) as project:
        answer(project)
    moved = tmp_path / "elsewhere" / "photos"
    moved.parent.mkdir()
    photos.rename(moved)
    with pytest.raises(SourceError) as caught:
        open_project(path)
    assert str(photos) in caught.value.message
    assert "-p" in caught.value.hint
    with open_project(moved, path) as project:
        assert project.session.view().answers == 3
        assert any(str(moved) in notice for notice in project.notices)
    with open_project(path) as project:
        assert project.source_path == moved
    # both moved together: found by the way from the one to the other
    home = tmp_path / "new-home"
    home.mkdir()
    (tmp_path / "elsewhere").rename(home / "elsewhere")
    path.parent.rename(home / "work")
    with open_project(home / "work" / path.name) as project:
        assert project.source_path == home / "elsewhere" / "photos"
        assert project.session.view().answers == 3


def test_another_source_is_refused_with_both_paths(photos, path, tmp_path):
    with open_project(photos, path, BOOK) as project:
        answer(project)
    other = tmp_path / "other"
    shutil.copytree(photos, other)
    with pytest.raises(PROJECT_ERRORS) as caught:
        open_project(other, path)
    assert str(photos) in caught.value.message
    assert str(other) in caught.value.message
    with open_project(path) as project:
        assert project.source_path == photos
        assert len(project.session.pool) == 12


def test_a_stranger_of_the_same_names_is_not_taken_for_the_moved_source(photos, path, tmp_path):
    with open_project(photos, path, BOOK) as project:
        answer(project)
    shutil.rmtree(photos)
    stranger = tmp_path / "stranger"
    for number in range(12):
        add_photo(stranger, f"{'ab'[number % 2]}/{number:02d}.png", 20 * number + 7)
    with pytest.raises(PROJECT_ERRORS):
        open_project(stranger, path)


def test_options_are_stored_and_a_changed_one_is_recorded_and_said(photos, path):
    with open_project(photos, path, Options(engine="book", n_clusters=5, keys="letters")) as project:
        assert project.options == {"engine": "book", "n_clusters": 5, "keys": "letters"}
    with open_project(path) as project:
        assert project.recipe().n_clusters == 5
        assert project.session.classes.key_layout == "letters"
        events = project.session.state.revision
    with open_project(path, options=Options(n_clusters=5)) as project:
        assert project.session.state.revision == events  # nothing changed: nothing recorded
    with open_project(path, options=Options(n_clusters=7)) as project:
        assert project.session.state.revision == events + 1
        assert project.session.state.settings["option.n_clusters"] == 7
        assert any("n_clusters = 7" in notice and "anew" in notice for notice in project.notices)
        assert project.recipe().n_clusters == 7
        assert project.recipe().engine == "book"


def test_a_change_is_said_also_where_nothing_was_chosen_before(photos, path):
    open_project(photos, path).close()
    with open_project(photos, path, Options(engine="book")) as project:
        assert any("engine = book" in notice for notice in project.notices)
        assert project.session.state.settings["option.engine"] == "book"
        assert project.session.state.percentile == 20.0


def test_a_changed_percentile_and_added_classes_are_said(photos, path):
    with open_project(photos, path, Options(percentile=35.0, classes=("a",))) as project:
        assert not any("changed" in notice for notice in project.notices)  # the first opening changes nothing
    with open_project(path, options=Options(percentile=35.0, classes=("a",))) as project:
        assert not any("changed" in notice for notice in project.notices)
    with open_project(path, options=Options(percentile="auto", classes=("a", "b"))) as project:
        assert "changed: percentile = auto" in project.notices
        assert "changed: new classes b" in project.notices
    with open_project(path, options=Options(percentile=20)) as project:
        assert "changed: percentile = 20" in project.notices


def test_a_percentile_once_chosen_is_kept(photos, path):
    with open_project(photos, path, Options(engine="book", percentile=35.0)) as project:
        assert project.session.state.percentile == 35.0
    with open_project(photos, path, Options(engine="book")) as project:
        assert project.session.state.percentile == 35.0
    with open_project(photos, path, Options(percentile="auto", engine="default")) as project:
        assert project.session.state.percentile is None


def test_a_wrong_option_leaves_no_project_behind(photos, path):
    for wrong in (
        Options(engine="none"),
        Options(clusterer="kmeans:k=1"),
        Options(n_clusters=0),
        Options(percentile="101"),
        Options(classes=("a", "a")),
        Options(keys="qwerty"),
        Options(seed=-1),
    ):
        with pytest.raises(UsageError) as caught:
            open_project(photos, path, wrong)
        assert caught.value.hint
        assert not path.exists()


def test_a_wrong_option_on_resume_leaves_the_project_as_it_was(photos, path):
    open_project(photos, path).close()
    for wrong in (Options(engine="none"), Options(encoder="none"), Options(clusterer="kmeans:k=1")):
        with pytest.raises(UsageError):
            open_project(path, options=wrong)
        with open_project(path) as project:
            assert project.options == {}
            project.open_pipeline()


def test_a_second_process_is_refused_and_a_reader_is_not(photos, path):
    with open_project(photos, path, BOOK) as project:
        answer(project)
        with pytest.raises(ProjectBusy):
            open_project(path)
        with open_project(path, read_only=True, with_source=False) as reader:
            assert reader.session.view().answers == 3


def test_a_project_that_never_got_its_source_says_so(path):
    from labeler.store.store import Store

    path.parent.mkdir()
    Store.open(path, create=True).close()
    for read_only in (False, True):
        with pytest.raises(PROJECT_ERRORS) as caught:
            open_project(path, read_only=read_only, with_source=False)
        assert "-p" in caught.value.hint


def test_neighbors_are_labeled_ones_the_nearest_first(photos, path):
    with open_project(photos, path, BOOK) as project:
        session = project.session
        class_id = session.classes.id_for("thing")
        project.closing_round()
        for number in (1, 5, 11):
            session.label(session.pool.ids[number], class_id)
        features = np.load(next(path.parent.glob("*.cache/features*.npy")))
        order = sorted((1, 5, 11), key=lambda other: np.square(features[other] - features[4]).sum())
        assert [other for other, _ in project.instances.neighbors(4, 2)] == order[:2]
        assert (1, class_id) not in project.instances.neighbors(1, 5)


def test_two_installations_share_the_demo(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    with open_demo(options=BOOK) as project:
        project.session.label(project.session.pool.ids[0], 0)
        path, digits = project.path, project.source_path
    elsewhere = tmp_path / "other" / "digits.npz"
    elsewhere.parent.mkdir()
    shutil.copy(digits, elsewhere)
    store = Store.open(path)
    store.remember(source=paths.remembered(elsewhere, path))
    store.close()
    with open_demo() as project:
        assert (project.source_path, project.session.view().answers) == (elsewhere, 1)
    elsewhere.unlink()  # that installation is gone: found again as any moved source is
    with open_demo() as project:
        assert (project.source_path, project.session.view().answers) == (digits, 1)


def test_the_demo_knows_its_classes_and_starts_fresh_on_request(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    with open_demo(options=BOOK) as project:
        assert [row.info.name for row in project.view().classes] == list("0123456789")
        assert [row.info.key for row in project.view().classes] == list("0123456789")
        assert not project.view().can_undo
        project.session.label(project.session.pool.ids[0], 0)
        assert "right:" in project.summary()
    with open_demo() as project:
        assert project.session.view().answers == 1
    with open_demo(fresh=True) as project:
        assert project.session.view().answers == 0
    kept = list((tmp_path / "labeler").glob("demo-*.labeler.db"))
    assert len(kept) == 1
    with open_project(kept[0], read_only=True) as project:
        assert project.session.view().answers == 1


@pytest.mark.slow
def test_the_worker_behind_a_project_asks_and_derives_and_a_resumed_one_catches_up(few_digits, path):
    path.parent.mkdir()

    def until(project, inbox, done):
        while not done():
            received = project.engine.receive(inbox.get(timeout=60))
            assert not received.failed, received.note

    for expected in (0, 4):
        inbox = queue.Queue()
        with open_project(few_digits, path, BOOK) as project:
            session = project.session
            assert session.view().answers == expected
            project.engine.start(inbox.put)
            until(
                project, inbox, lambda project=project: project.engine.is_ready and project.session.question is not None
            )
            class_id = session.classes.id_for("thing", setup=True)
            for _ in range(4):
                session.label(session.question.instance_id, class_id)
                project.engine.changed()
            until(project, inbox, lambda session=session: session.machine_labels.revision == session.state.revision)
            view = session.view()
            assert view.answers == expected + 4
            assert view.given + view.propagated + view.predicted == 150


def test_a_cache_that_cannot_be_made_is_said_in_one_line(few_digits, path):
    path.parent.mkdir()
    path.with_name("p.labeler.cache").write_text("in the way")
    with open_project(few_digits, path, BOOK) as project, pytest.raises(PROJECT_ERRORS, match="cache"):
        project.engine.start(print)


@pytest.mark.slow
@pytest.mark.parametrize("options", [Options(), BOOK])
def test_rules_of_clusters_close_alike_after_a_restart_and_undo_restores_exactly(few_digits, path, options):
    path.parent.mkdir()
    with open_project(few_digits, path, options) as project:
        session, truth = project.session, project.source.truth()
        first = project.closing_round()
        for index in first.representatives[:20]:
            name = session.pool.ids[int(index)]
            session.label(name, session.classes.id_for(truth[name]))
        before = project.closing_round()
        session.clusters.reach(session.pool.ids[int(before.representatives[0])], 0.0)
        session.clusters.split(session.pool.ids[int(before.representatives[1])])
        divided = project.closing_round()
        assert len(divided.representatives) == len(before.representatives) + 1
        view = session.view()
    with open_project(few_digits, path) as project:
        assert project.session.view().history == view.history
        again = project.closing_round()
        arrays = ("labels", "provenances", "scores", "clusters", "distances", "foreign", "representatives")
        for name in arrays:
            assert np.array_equal(getattr(again, name), getattr(divided, name)), name
        assert not np.array_equal(again.provenances, before.provenances)
        project.session.undo()
        project.session.undo()
        restored = project.closing_round()
        for name in arrays:
            assert np.array_equal(getattr(restored, name), getattr(before, name)), name
        assert again.facts != restored.facts
        assert restored.facts == before.facts


def test_a_clusterer_that_compares_all_with_all_refuses_a_large_pool_before_any_work(few_digits, tmp_path):
    project = tmp_path / "p.labeler.db"
    with pytest.raises(EngineError, match=r"spectral compares all with all: .* more than its limit of 9"):
        open_project(few_digits, project, Options(clusterer="spectral:limit=9"))
    assert not project.exists()
    with open_project(few_digits, project, Options(clusterer="spectral")):
        pass
    with pytest.raises(EngineError):
        open_project(project, None, Options(clusterer="dbscan:limit=100"))


def test_imported_labels_reach_the_worker(few_digits, tmp_path):
    with open_project(few_digits, tmp_path / "p.labeler.db") as project:
        session = project.session
        named = {3: session.classes.id_for("a", setup=True), 9: session.classes.id_for("b", setup=True)}
        session.imports.labels([(session.pool.ids[index], class_id) for index, class_id in named.items()], "elsewhere")
        session.label(session.pool.ids[5], named[3])
        assert dict(project.opening().imported.tolist()) == named


def test_a_pool_of_rows_is_named_by_its_source_and_no_list_is_made(tmp_path, monkeypatch):
    source = tmp_path / "rows.npy"
    np.save(source, np.random.default_rng(0).random((30, 4), dtype=np.float32))
    monkeypatch.setattr("labeler.store.rows.unpack_ids", lambda blob, count: pytest.fail("a list was made"))
    for answers in range(2):  # new, then resumed
        with open_project(source, tmp_path / "p.labeler.db", Options(classes=("a",))) as project:
            pool = project.session.pool
            assert pool.ids is project.source.ids
            assert project.opening().ids is None
            assert project.session.view().answers == answers
            project.session.label("00007", 0)
            assert project.instances.shown(7) == project.instances.columns().card(7)
            project.backed_up = False  # a copy is read as a list, to look at all of it


def test_instances_are_where_the_source_has_them_now(photos, path):
    with open_project(photos, path, BOOK) as project:
        assert project.session.pool.ids is project.source.ids
    (photos / "a" / "02.png").unlink()
    add_photo(photos, "a/00a.png", 7)
    with open_project(photos, path, BOOK) as project:
        pool, source = project.session.pool, project.source
        assert pool.ids != source.ids
        assert project.opening().ids == pool.ids
        for index, name in enumerate(pool.ids):
            if name == "a/02.png":
                with pytest.raises(UnreadableInstance):
                    project.instances.image(index)
            else:
                assert project.instances.location(index) == str(photos / name)
        for beyond in (len(pool), -1):
            with pytest.raises(UnreadableInstance):
                project.instances.image(beyond)


def test_what_can_be_made_anew_of_a_large_pool_is_saved_when_there_is_time_for_it(few_digits, path, monkeypatch):
    path.parent.mkdir()
    saved = []
    real_round, real_arrays = Store.save_round, Store.put_arrays
    monkeypatch.setattr(Store, "save_round", lambda store, round_: (saved.append("round"), real_round(store, round_)))
    monkeypatch.setattr(Store, "put_arrays", lambda store, *what: (saved.append("arrays"), real_arrays(store, *what)))
    for module in ("project", "engine"):
        monkeypatch.setattr(f"labeler.project.{module}.PUT_OFF_FROM", 100)
    with open_project(few_digits, path, BOOK) as project:
        session = project.session
        pipeline = project.open_pipeline()
        project.engine.receive(RoundReady(pipeline.closing_round(session.snapshot())))
        assert saved == []
        assert session.machine_labels.round is not None
        assert project.save_derived()  # a step of its own for each
        assert saved == ["round"]
        assert project.save_derived()
        assert saved == ["round", "arrays"]
        assert not project.save_derived()
        session.label(session.question.instance_id, session.classes.id_for("thing", setup=True))
        last = pipeline.closing_round(session.snapshot())
        project.engine.receive(RoundReady(last))
        hashes = project.instances.sha256()
    assert saved == ["round", "arrays", "round"]  # at the end at last
    with closing(Store.open(path, read_only=True)) as store:
        assert store.load_round().labels.tolist() == last.labels.tolist()
        assert np.array_equal(store.arrays("pool")["sha256"], hashes)
        assert hashes.any(axis=1).all()
