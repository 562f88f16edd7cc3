"""A project opened on a thread of its own: who gets it, what goes wrong, and what is left when nobody wants it."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest

from labeler.core.errors import ProjectError, SourceError
from labeler.core.types import Progress
from labeler.project import opener
from labeler.project.open import open_project
from labeler.project.opener import Opener
from labeler.project.options import Options


def opened(path, source, **options):
    return Opener("few", lambda: open_project(source, path, Options(**options)))


def begun(opening, behind=lambda: None):
    """Begin, and wait until the thread says that it is done."""
    done = threading.Event()
    opening.begin(behind, done.set)
    assert done.wait(60)
    return opening


def can_be_opened(path):
    open_project(path).close()
    return True


class TestOpened:
    def test_it_belongs_to_whoever_takes_it(self, few_digits, tmp_path):
        path = tmp_path / "p.labeler.db"
        with begun(opened(path, few_digits, classes=("odd", "even"))) as opening:
            assert opening.project is None
            project = opening.take()
            assert project is opening.project
            project.session.label(project.session.pool.ids[0], 0)
        with open_project(path, read_only=True) as again:
            assert again.session.state.answers.counts["label"] == 1
        assert can_be_opened(path)

    def test_until_it_is_taken_it_is_the_threads(self, few_digits, tmp_path):
        with begun(opened(tmp_path / "p.labeler.db", few_digits)) as opening:
            project = opening._project
            with pytest.raises(ProjectError, match="another thread"):
                project.session.classes.add("odd")
            opening.take().session.classes.add("odd")

    def test_what_is_loaded_behind_it_comes_after_it_on_the_same_thread(self, few_digits, tmp_path):
        seen = []
        opening = opened(tmp_path / "p.labeler.db", few_digits)
        with begun(opening, lambda: seen.append((opening._project is not None, threading.current_thread().name))):
            assert seen == [(True, "opener")]

    def test_on_the_present_thread_as_well(self, few_digits, tmp_path):
        with opened(tmp_path / "p.labeler.db", few_digits) as opening:
            assert opening.run() is opening.project
        assert can_be_opened(tmp_path / "p.labeler.db")

    def test_nobody_takes_it(self, few_digits, tmp_path):
        with begun(opened(tmp_path / "p.labeler.db", few_digits)):
            pass
        assert can_be_opened(tmp_path / "p.labeler.db")


class TestNotOpened:
    def test_the_reason_is_raised_where_it_is_taken(self, tmp_path):
        with (
            begun(opened(tmp_path / "p.labeler.db", tmp_path / "nowhere")) as opening,
            pytest.raises(SourceError, match="nowhere"),
        ):
            opening.take()
        assert not list(tmp_path.iterdir())

    def test_a_lock_does_not_outlive_what_is_missing(self, few_digits, tmp_path):
        path, features = tmp_path / "p.labeler.db", tmp_path / "few.npy"
        np.save(features, np.zeros((3, 2), dtype=np.float32))
        with begun(opened(path, few_digits, features=str(features))) as opening, pytest.raises(SourceError):
            opening.take()
        assert not path.with_name(path.name + ".lock").exists()
        assert opening.project is None

    def test_what_fails_behind_it_closes_it(self, few_digits, tmp_path):
        def fail():
            raise MemoryError

        with begun(opened(tmp_path / "p.labeler.db", few_digits), fail) as opening, pytest.raises(MemoryError):
            opening.take()
        assert can_be_opened(tmp_path / "p.labeler.db")


class TestLeft:
    def test_the_thread_is_interrupted_and_closes_what_it_opened(self):
        at_work, ends = threading.Event(), []

        def endless():
            try:
                at_work.set()
                while True:
                    time.sleep(0.001)
            finally:
                ends.append(True)

        with Opener("few", endless) as opening:
            opening.begin(lambda: None, lambda: None)
            at_work.wait(60)
        assert ends == [True]
        assert isinstance(opening.error, KeyboardInterrupt)

    def test_a_disk_that_does_not_answer_is_not_waited_for(self, monkeypatch):
        monkeypatch.setattr(opener, "PATIENCE", 0.02)
        answer = threading.Event()
        with Opener("few", lambda: answer.wait(60)) as opening:
            opening.begin(lambda: None, lambda: None)
        assert opening._thread.is_alive()
        answer.set()
        opening._thread.join(60)

    def test_a_download_is_left_at_its_next_sign_of_life(self):
        opening = Opener("few", lambda: None)
        opening._note(Progress("fetching", 1, 5))
        assert opening.step == Progress("fetching", 1, 5)
        opening._is_left = True
        with pytest.raises(KeyboardInterrupt):
            opening._note(Progress("fetching", 2, 5))

    def test_the_end_of_the_application_is_no_error(self):
        def gone():
            raise RuntimeError("Event loop is closed")

        with Opener("few", lambda: 1 / 0) as opening:
            opening.begin(lambda: None, gone)
            opening._thread.join(60)
            assert isinstance(opening.error, ZeroDivisionError)
