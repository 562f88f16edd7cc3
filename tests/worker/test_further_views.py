"""Views beside the first one: those that do not work here are left out and said, and the others join."""

from __future__ import annotations

import numpy as np
import pytest

from labeler.core import steps
from labeler.core.errors import EngineError
from labeler.core.types import Progress
from labeler.plugins.importers.detect import open_source
from labeler.worker.features import prepare
from labeler.worker.further_views import FurtherViews

BROKEN = "onnx:model=gone.onnx,size=32"


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
    assert "gone.onnx" in note
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
