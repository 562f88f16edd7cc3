"""While a program loads it collects seldom, and as usual afterwards."""

from __future__ import annotations

import gc

import pytest

from labeler.core import collector


@pytest.fixture
def _usual():
    before = gc.get_threshold()
    yield
    gc.unfreeze()
    gc.set_threshold(*before)


@pytest.mark.usefixtures("_usual")
def test_it_collects_as_usual_after_loading_and_not_what_is_loaded():
    before = gc.get_threshold()
    collector.begin()
    assert gc.get_threshold()[0] == collector.LOADING
    collector.end()
    assert gc.get_threshold() == before
    assert gc.get_freeze_count() > 1_000


@pytest.mark.usefixtures("_usual")
def test_an_end_without_a_beginning_changes_nothing():
    before = gc.get_threshold(), gc.get_freeze_count()
    collector.end()
    assert (gc.get_threshold(), gc.get_freeze_count()) == before
