"""A person without a screen: random commands to a session, and rounds as an engine would send them."""

from __future__ import annotations

import contextlib
import random
import time
import uuid
from pathlib import Path

import numpy as np

from labeler.core.errors import UsageError
from labeler.core.pool import Pool
from labeler.core.types import UNLABELED, Advice, Provenance, Queue, Round, Tier
from labeler.session.session import Session
from labeler.store.store import Store

N = 120
IDS = [f"folder/{index:04}.png" for index in range(N)]
CLASSES = ("cat", "dog", "7", "ünïcode")


def open_session(path: Path) -> tuple[Store, Session]:
    """A project file and its session, made with instances and classes where there is none yet."""
    store = Store.open(path, create=True)
    try:
        if not store.instance_ids():
            store.join_instances(IDS, time.time())
        session = Session(Pool(store.instance_ids()), store, clock=time.time, new_id=lambda: uuid.uuid4().hex)
        for name in CLASSES[len(session.state.classes) :]:
            session.classes.add(name, setup=True)
    except BaseException:
        store.close()
        raise
    return store, session


def step(session: Session, chance: random.Random) -> None:
    """One random command; what cannot be done now is not done."""
    ids = session.pool.ids
    active = [info.class_id for info in session.state.active_classes()]
    question = session.question
    asked = question.instance_id if question is not None and chance.random() < 0.8 else chance.choice(ids)
    with contextlib.suppress(UsageError):
        match chance.choices(range(12), (40, 5, 4, 2, 4, 12, 5, 6, 3, 1, 4, 1))[0]:
            case 0:
                session.label(asked, chance.choice(active))
            case 1:
                session.skip(asked)
            case 2:
                session.unsure(asked)
            case 3:
                session.reject(asked)
            case 4:
                session.flag(asked)
            case 5:
                session.undo()
            case 6:
                session.redo()
            case 7:
                words = (Provenance.CONFIRMED.word, Provenance.HUMAN.word)
                page = chance.sample(ids, chance.randint(1, 20))
                session.page([(name, chance.choice(active), chance.choice(words)) for name in page])
            case 8:
                session.imports.labels([(name, chance.choice(active)) for name in chance.sample(ids, 5)], "a file")
            case 9:
                session.classes.add(f"class {session.state.classes.next_id}")
            case 10:
                session.merge_round(a_round(session, chance.randrange(1 << 30)))
            case 11:
                session.set(percentile=chance.choice(["auto", 0.0, 20.0, 100.0]))


def a_round(session: Session, seed: int) -> Round:
    """What an engine might send: labels, scores and a queue by chance."""
    n, draw = len(session.pool), np.random.default_rng(seed)
    classes = [info.class_id for info in session.state.active_classes()] or [UNLABELED]
    queue = draw.permutation(n).astype(np.int64)
    return Round(
        revision=session.state.revision,
        round=session.state.round,
        stage="default",
        labels=draw.choice(classes, n).astype(np.int32),
        provenances=draw.choice([Provenance.NONE, Provenance.PROPAGATED, Provenance.PREDICTED], n).astype(np.uint8),
        scores=draw.random(n, dtype=np.float32),
        tiers=np.full(n, Tier.ASK, dtype=np.uint8),
        sources=np.full(n, -1, dtype=np.int32),
        clusters=draw.integers(0, 5, n).astype(np.int32),
        distances=draw.random(n, dtype=np.float32),
        runner_ups=np.full(n, UNLABELED, dtype=np.int32),
        representatives=queue[:5].copy(),
        queue=Queue(
            queue,
            np.linspace(1, 0, n, dtype=np.float32),
            np.zeros(n, dtype=np.uint8),
            ("uncertain",),
            np.full(n, 0.5, dtype=np.float32),
            draw.choice(classes, (n, 3)).astype(np.int32),
            np.full((n, 3), 0.25, dtype=np.float32),
        ),
        advice=Advice("answer", "answer the question on the screen", ""),
        facts={"n_clusters": 5},
    )
