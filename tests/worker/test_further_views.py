"""Views beside the first one: those that do not work here are left out and said, and the others join."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import numpy as np
import pytest

from labeler.core import steps
from labeler.core.errors import EngineError, ProjectError
from labeler.core.types import Progress
from labeler.plugins import custom, registry
from labeler.plugins.importers.detect import open_source
from labeler.worker import children, mapped_file
from labeler.worker.children import Children
from labeler.worker.features import encode_again, prepare
from labeler.worker.further_views import FurtherViews
from labeler.worker.mapped_file import ROOM

BROKEN = "tfidf"


class Engine:
    """Takes views, but those of `refused` columns."""

    def __init__(self, refused=0):
        self.widths, self.refused = [], refused

    def join(self, X, *, may_lead):
        yield Progress("joining")
        if X.shape[1] == self.refused:
            raise EngineError("these features hold NaN")
        self.widths.append((X.shape[1], may_lead))


@pytest.fixture
def views(tmp_path):
    """Make the further views of a pool of 30 small pictures."""
    np.savez(tmp_path / "pool.npz", X=np.random.default_rng(0).integers(0, 256, (30, 8, 8)).astype(np.uint8))
    source, cache = open_source(tmp_path / "pool.npz"), tmp_path / "cache"
    prepared = steps.run(prepare(source, source.ids, cache, "pixels", "", 0))
    return lambda *wanted: FurtherViews(source, source.ids, cache, prepared, wanted)


@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_view_that_cannot_be_made_is_left_out_and_the_others_join(views, place):
    wanted = [("hog", False), ("pca", True)]
    further, engine = views(*wanted[:place], (BROKEN, True), *wanted[place:]), Engine()
    assert steps.run(further.encode_and_join(engine))
    assert [may_lead for _, may_lead in engine.widths] == [False, True]
    assert [leader.encoder for leader in further.leaders] == ["pca"]
    assert list(further.left_out) == [BROKEN]
    assert further.are_encoded
    (note,) = further.notes()
    assert "left out" in note
    assert "does not take images" in note
    assert "\n" not in note
    assert further.news() == [note]
    assert further.news() == []
    assert not steps.run(further.encode_and_join(engine))  # and it is not tried again


def test_a_view_that_the_engine_refuses_is_left_out_and_the_next_one_joins(views):
    first = Engine()
    steps.run(views(("pca", True)).encode_and_join(first))
    further, engine = views(("pca", True), ("hog", True)), Engine(refused=first.widths[0][0])
    assert steps.run(further.encode_and_join(engine))
    assert further.left_out == {"pca": "these features hold NaN"}
    assert [leader.encoder for leader in further.leaders] == ["hog"]


def test_where_none_works_none_joins(views):
    further = views((BROKEN, True))
    assert not steps.run(further.encode_and_join(Engine()))
    assert further.leaders == []


def test_what_is_no_error_of_a_view_is_not_hidden(views, monkeypatch):
    def broken(*_, **__):
        raise AssertionError("a mistake of our own")

    monkeypatch.setattr("labeler.worker.further_views.encode_again", broken)
    with pytest.raises(AssertionError):
        steps.run(views(("hog", False)).encode_and_join(Engine()))


FULL = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize(
    ("error", "why"),
    [
        (EngineError("two\x20lines"), "two lines"),
        (FULL, "No space left on device"),
        (PermissionError(errno.EACCES, os.strerror(errno.EACCES)), "Permission denied"),
        (OSError("of no number"), "OSError"),
        (MemoryError(), "there is not enough memory"),
        (np._core._exceptions._ArrayMemoryError((1 << 40,), np.dtype(np.float32)), "there is not enough memory"),
    ],
)
@pytest.mark.parametrize("where", ["encode", "join"])
def test_whatever_fails_in_a_view_that_nobody_chose_leaves_it_out(views, monkeypatch, error, why, where):
    engine, join = Engine(), Engine.join

    def encode(*arguments, **options):
        if where == "encode" and arguments[-1] == "pca":
            raise error
        return (yield from encode_again(*arguments, **options))

    def joining(self, X, *, may_lead):
        if where == "join" and may_lead and not self.widths:
            raise error
        yield from join(self, X, may_lead=may_lead)

    monkeypatch.setattr("labeler.worker.further_views.encode_again", encode)
    monkeypatch.setattr(Engine, "join", joining)
    further = views(("pca", True), ("hog", False))
    assert steps.run(further.encode_and_join(engine))
    assert further.left_out == {"pca": why}
    assert [may_lead for _, may_lead in engine.widths] == [False]
    assert further.leaders == []


@pytest.mark.parametrize("name", ["hog", "scattering"])  # one that is encoded in chunks, one in steps with a log
@pytest.mark.parametrize("room", [ROOM - 1, ROOM + 100])  # it is not begun, or its file is not
def test_where_little_room_is_left_a_view_that_nobody_chose_takes_none_of_it(views, tmp_path, monkeypatch, name, room):
    further = views((name, True))
    before = sorted(path.name for path in (tmp_path / "cache").iterdir())
    monkeypatch.setattr(mapped_file, "free", lambda folder: room)
    assert not steps.run(further.encode_and_join(Engine()))
    assert list(further.left_out) == [name]
    assert "there is no room for the cache: fewer than 64 MB are free" in further.left_out[name]
    assert sorted(path.name for path in (tmp_path / "cache").iterdir()) == before


def test_the_log_of_a_view_that_finds_no_room_goes_with_it(views, tmp_path, monkeypatch):
    """A log of an earlier session, whose view was not done when the disk became full."""

    def refuse(*_):
        raise FULL

    monkeypatch.setattr("labeler.worker.heavy_encoders.create", refuse)
    source, cache = open_source(tmp_path / "pool.npz"), tmp_path / "cache"
    prepared = steps.run(prepare(source, source.ids, cache, "pixels", "", 0))
    with pytest.raises(ProjectError, match="no room"):
        steps.run(encode_again(source, source.ids, cache, prepared, "scattering"))
    assert list(cache.glob("rows-*"))  # chosen: what is done of it stays until there is room
    steps.run(views(("scattering", True)).encode_and_join(Engine()))
    assert not list(cache.glob("rows-*"))


@pytest.fixture
def _crashing():
    """Register an encoder whose compiled code is for another machine."""
    own, loaded = dict(registry._OWN["encoder"]), dict(custom._loaded)
    custom.load(Path(__file__).with_name("crashing.py"))
    yield
    registry._OWN["encoder"] = own
    custom._loaded.clear()
    custom._loaded.update(loaded)


@pytest.mark.slow
@pytest.mark.usefixtures("_crashing")
def test_a_view_that_nobody_chose_is_tried_in_a_child_whatever_the_size_of_the_pool(views, tmp_path, monkeypatch):
    sizes, begin = [], Children.__enter__

    def begun(helpers):
        sizes.append(len(helpers._alive))
        return begin(helpers)

    monkeypatch.setattr(Children, "__enter__", begun)
    assert children.size_for(1.0) == 0  # this pool is too small for children to pay
    wanted = [(f"crashing:at={at}", True) for at in ("load", "work", "never")]
    further, engine = views(*wanted, ("hog", False)), Engine()
    assert steps.run(further.encode_and_join(engine))
    assert list(further.left_out) == [spec for spec, _ in wanted[:2]]
    assert all("a process that helped ended (code -4)" in why for why in further.left_out.values())
    (view,) = further.leaders
    X = np.load(tmp_path / "pool.npz")["X"]
    assert np.array_equal(view.features, X.mean(axis=2).astype(np.float32))
    assert max(sizes) == 1
    n_started = len(sizes)
    monkeypatch.setattr("labeler.worker.features.version_of_class", lambda spec: 1)  # of a person's own it is not known
    again = views(*wanted[2:])
    assert steps.run(again.encode_and_join(Engine()))
    assert len(sizes) == n_started  # what is in the cache starts none


@pytest.mark.slow
@pytest.mark.usefixtures("_crashing")
def test_where_children_pay_others_join_the_one_in_which_a_view_was_tried(views, tmp_path, monkeypatch):
    sizes, grow = [], Children.grow

    def grown(helpers, size, encoder):
        grow(helpers, size, encoder)
        sizes.append(len(helpers._alive))

    monkeypatch.setattr(Children, "grow", grown)
    monkeypatch.setattr(children, "cores", lambda: 2)
    monkeypatch.setattr(children, "WORTH", 0.0)
    further = views(("crashing:at=never", True))
    assert steps.run(further.encode_and_join(Engine()))
    X = np.load(tmp_path / "pool.npz")["X"]
    assert np.array_equal(further.leaders[0].features, X.mean(axis=2).astype(np.float32))
    assert sizes == [1, 2]
