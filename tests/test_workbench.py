"""First questions from a sample of a big pool."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from labeler import workbench
from labeler.importers.detect import open_source
from labeler.messages import Recipe
from labeler.workbench import Workbench

DIGITS = Path(__file__).parent.parent / "labeler" / "_data" / "digits.npz"


def early(tmp_path, **options):
    source = open_source(DIGITS)
    bench = Workbench(Recipe(str(DIGITS), str(tmp_path / "cache"), **options), source)
    job = bench.early()
    while True:
        try:
            next(job)
        except StopIteration as end:
            return source, end.value


def test_a_big_pool_gets_its_first_questions_from_a_sample(tmp_path, monkeypatch):
    monkeypatch.setattr(workbench, "EARLY_FROM", 1_000)
    monkeypatch.setattr(workbench, "EARLY_SAMPLE", 600)
    source, queue = early(tmp_path)
    assert len(np.unique(queue.indices)) == len(queue.indices) >= 20
    assert queue.indices.max() < len(source.ids)
    assert {queue.rule_names[rule] for rule in queue.rules[:20]} == {"representative"}
    truth = source.truth()
    assert len({truth[source.ids[index]] for index in queue.indices[:20]}) >= 9
    assert not (tmp_path / "cache").exists()
    assert np.array_equal(early(tmp_path)[1].indices, queue.indices)


@pytest.mark.parametrize("options", [{}, {"engine": "book"}, {"features": "x.npy"}], ids=["small", "book", "vectors"])
def test_others_wait_for_the_whole(tmp_path, monkeypatch, options):
    if options:
        monkeypatch.setattr(workbench, "EARLY_FROM", 1_000)
        monkeypatch.setattr(workbench, "EARLY_SAMPLE", 600)
    assert early(tmp_path, **options)[1] is None
