"""A pool read and encoded on a disk that is full: one line, and nothing left of it."""

from __future__ import annotations

import errno
import os

import numpy as np
import pytest

from labeler.core import steps
from labeler.core.errors import ProjectError, UsageError
from labeler.plugins import custom, registry
from labeler.plugins.importers.detect import open_source
from labeler.worker.features import encoder_of, prepare


@pytest.fixture
def source(tmp_path):
    np.savez(tmp_path / "pool.npz", X=np.random.default_rng(0).integers(0, 256, (30, 8, 8)).astype(np.uint8))
    return open_source(tmp_path / "pool.npz")


@pytest.mark.parametrize(("encoder", "left"), [("pixels", 0), ("pixels", 1), ("scattering", 1)])
def test_a_full_disk_is_one_line_for_what_was_chosen_and_takes_no_more_than_whole_entries(
    source, tmp_path, monkeypatch, encoder, left
):
    """The image store cannot be kept, or (`left`: mapped files that fit) the features by a quick or a heavy encoder."""
    fits = [True] * left

    def reserve(*_):
        if not (fits and fits.pop()):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "posix_fallocate", reserve, raising=False)
    cache = tmp_path / "cache"
    with pytest.raises(ProjectError, match="there is no room for the cache") as caught:
        steps.run(prepare(source, source.ids, cache, encoder, "", 0))
    assert "\n" not in caught.value.message + caught.value.hint
    names = sorted(path.name.partition("-")[0] for path in cache.iterdir() if not path.name.startswith("rows-"))
    assert names == (["hashes.npy", "images.npy", "unreadable.json"] if left else [])


def test_a_disk_that_fails_otherwise_is_not_said_to_be_full(source, tmp_path, monkeypatch):
    def reserve(*_):
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(os, "posix_fallocate", reserve, raising=False)
    with pytest.raises(OSError, match=os.strerror(errno.EIO)):
        steps.run(prepare(source, source.ids, tmp_path / "cache", "pixels", "", 0))


def test_an_encoder_of_somebodys_own_does_not_hide_why_another_is_refused(monkeypatch):
    own = dict(registry._OWN["encoder"])
    monkeypatch.setitem(registry._OWN, "encoder", own)
    custom.register("encoder", "tones", lambda images: images.reshape(len(images), -1))
    with pytest.raises(UsageError, match="encoder 'tfidf' does not take images"):
        encoder_of(registry.parse_spec("tfidf"), "images")
