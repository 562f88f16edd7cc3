"""Every record that is stored or sent comes back as it was, through the way it really goes."""

from __future__ import annotations

import dataclasses
import json
import os
import threading

import numpy as np
import pytest

from labeler.core import codec
from labeler.core.events import KINDS, Event, Label, Setting
from labeler.core.events import packed as packed_event
from labeler.core.events import unpacked as unpacked_event
from labeler.core.types import Question, Round
from labeler.project.options import Options
from labeler.session.audit.audits import AuditRecord, freeze, order_sha256, set_sha256, thawed
from labeler.session.final_labels import FinalLabels
from labeler.session.learning_curve import Point, packed, unpacked
from labeler.store.store import Store
from labeler.worker import protocol
from tests.records import ROWS, example, same

QUEUE = {"guesses": np.ones((ROWS, 2), np.int32), "guess_scores": np.full((ROWS, 2), 0.5, np.float32)}
"""The columns that have a row each; the types do not say so."""


@pytest.fixture
def store(tmp_path):
    store = Store.open(tmp_path / "a.labeler.db", create=True)
    store.join_instances([f"i{number}" for number in range(ROWS)], 1.0)
    yield store
    store.close()


def reopened(store):
    store.close()
    return Store.open(store.path, read_only=True)


def test_every_message_has_its_type_in_the_table():
    public = {
        kind
        for name, kind in vars(protocol).items()
        if dataclasses.is_dataclass(kind) and kind.__module__ == protocol.__name__ and not name.startswith("_")
    }
    assert public - {protocol.Learned} <= set(protocol._TYPES.values())  # which travels within another


@pytest.mark.parametrize("kind", list(protocol._TYPES.values()), ids=lambda kind: kind.__name__)
def test_a_message_through_a_pipe(kind):
    message = example(kind, **QUEUE) if dataclasses.fields(kind) else kind()
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb") as receiver, os.fdopen(writing, "wb") as sender:

        def send():
            with sender:  # closed in any case: one that cannot be written is not waited for
                protocol.write(sender, message)

        threading.Thread(target=send, daemon=True).start()
        assert same(protocol.read(receiver), message)


def test_the_pinned_question(store):
    question = example(Question)
    store.save_question(question, 5)
    back = reopened(store)
    assert back.load_question() == (question, 5)
    assert same(back.load_question()[0], question)
    back.close()


def test_a_round(store):
    round_ = example(Round, **QUEUE)
    store.save_round(round_)
    back = reopened(store)
    assert same(back.load_round(), round_)
    assert back.notes == []
    back.close()


GIVEN = {
    "word": "unsure",
    "labels": (("i0", 1, "human"), ("näme \udcff", 2, "imported")),
    "events": (packed_event(Event("e", Label("i0", 0), 1.0)),),
    "kept_under": {"e": -1},
    "values": {"percentile": 12.5, "some": [None, {"thing": True}]},
}
"""Fields whose types do not say all."""


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_an_event(store, kind):
    body = example(kind, **{name: GIVEN[name] for name in GIVEN if name in kind.__slots__})
    keys = 3 if kind.counts_presses else None
    event = Event("e1", body, 1.5, "anna \udcff", "e0", keys, {} if kind is Setting else {"newer": [1]}, 1)
    assert same(store.append(event), event)
    assert same(next(store.replay()), event)
    assert same(unpacked_event(codec.loads(json.dumps(packed_event(event)))), event)


def test_the_labels_of_an_audit(store):
    final = example(FinalLabels)
    ids, names = store.instance_ids(), {1: "a"}
    frozen = freeze(final, np.array([2, 0], np.int64))
    store.freeze(1, frozen.arrays)
    hashes = set_sha256(ids, final, names), order_sha256(frozen.order)
    audit = AuditRecord(1, 1, 1.0, 2, 0.9, 0.9, 0, *hashes, names, final.round, True)
    back = thawed(audit, store.frozen(1), ids)
    assert same(back.final, final)
    assert same(back.order, frozen.order)


def test_options(store):
    given = {"engine": "book", "keys": "letters", "images": "ascii", "classes": ("cat", "dog"), "percentile": 12.5}
    given |= {"control": 0.25, "repeats": 0.5, "blind": 0.125, "range": "0:4095"}
    options = example(Options, **given)
    store.remember(options=codec.encode(options, {}))
    back = reopened(store)
    assert same(codec.decode(Options, back.project()["options"]), options)
    back.close()


def test_the_points_of_the_learning_curve(store):
    points = (example(Point), dataclasses.replace(example(Point), answers=99))
    store.save_round(dataclasses.replace(example(Round, **QUEUE), facts={"history": packed(points)}))
    assert same(unpacked(store.load_round().facts["history"]), points)
