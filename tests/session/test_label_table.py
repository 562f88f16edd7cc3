"""Every column of the table of labels, of answers, of a round and of a prediction from elsewhere."""

from __future__ import annotations

import numpy as np

from labeler.core.types import Provenance
from labeler.session.final_labels import final_labels
from labeler.session.label_table import label_table


def test_a_row_says_all_that_is_known_of_a_label(make_session, make_round):
    session = make_session(6, classes=("cat", "dog"))
    session.recorder.annotator = "ada"
    session.label("i0", 1)
    session.reject("i1")
    session.flag("i0")
    sources = np.array([-1, -1, 0, -1, -1, -1], dtype=np.int32)
    round_ = make_round(
        6, session.state.revision, labels=[0, 0, 1, 0, -1, -1], provenances=[0, 5, 4, 5, 0, 0], sources=sources
    )
    session.merge_round(round_)
    session.imports.predictions([("i3", 1, 0.7)], "/some/where/model.csv")
    table = label_table(session.state, final_labels(session.state, session.machine_labels.round))
    assert table.ids == [f"i{index}" for index in range(6)]
    assert table.class_names == ["cat", "dog"]
    assert table.class_indices.tolist() == [1, -1, 1, 1, -1, -1]
    assert table.of(Provenance.PROPAGATED).tolist() == [False, False, True, False, False, False]
    assert table.rejected.tolist() == [False, True, False, False, False, False]
    assert table.flagged.tolist() == [True, False, False, False, False, False]
    assert (table.scores[0], table.scores[1]) == (1.0, 1.0)
    assert table.annotators[:3] == ["ada", "ada", ""]
    assert table.rounds[2] == round_.round
    assert table.source_ids(np.arange(6)) == ["", "", "i0", "model.csv", "", ""]


def test_a_class_that_was_merged_is_no_name_of_its_own(make_session):
    session = make_session(3, classes=("cat", "dog", "lion"))
    session.label("i0", 0)
    session.label("i1", 2)
    session.classes.merge(2, 0)
    table = label_table(session.state, final_labels(session.state, session.machine_labels.round))
    assert table.class_names == ["cat", "dog"]
    assert table.class_indices[:2].tolist() == [0, 0]
