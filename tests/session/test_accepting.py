"""`enter` in any sequence of what people, engines and restarts do: it saves what is shown and what is held, or nothing.

A seeded walk: an engine changes its mind at random and speaks at random moments, late ones among them; a question and
a page of pictures are painted now and then, and accepted as a screen would.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from labeler.core.errors import GuessChanged, LabelerError, UsageError
from labeler.core.pool import Pool
from labeler.core.types import UNLABELED, Provenance, Question
from labeler.session.final_labels import final_labels
from labeler.session.quality.turns import RANDOM, Blind, Control, Repeats
from labeler.session.session import Session
from labeler.store.store import Store
from labeler.ui.page import Page
from tests.memory_journal import MemoryJournal

N = 24
WALKS, STEPS = 40, 500
MACHINE = (Provenance.PROPAGATED, Provenance.PREDICTED)


@dataclass
class Painted:
    """What stands before the eye, and what was held of it when it was painted."""

    question: Question | None
    held: int


class Walk:
    """One session, as a person, an engine and the machine it runs on treat it."""

    def __init__(self, seed: int, make_round: Any, make_queue: Any, path: Path | None) -> None:
        self.rng = np.random.default_rng(seed)
        self.make_round, self.make_queue, self.path = make_round, make_queue, path
        self.counts: Counter[str] = Counter()
        self.ids, self.clock = itertools.count(), itertools.count(1000)
        self.memory = MemoryJournal()
        self.painted: Painted | None = None
        self.page: Page | None = None
        self.late: list[Any] = []
        self.open()
        for name in "abcd":
            self.session.classes.id_for(name, setup=True)

    # -- the machine ---------------------------------------------------------------------------------------------

    def open(self) -> None:
        journal: Any = self.memory
        if self.path is not None:
            self.store = journal = Store.open(self.path, create=True)
        self.session = Session(
            Pool([f"i{index}" for index in range(N)]),
            journal,
            clock=lambda: float(next(self.clock)),
            new_id=lambda: f"e{next(self.ids)}",
        )
        self.session.questions.control = Control(0.1, 3)
        self.session.questions.blind = Blind(0.1, 3)
        self.session.questions.repeats = Repeats(0.1, 3)

    def reopen(self) -> None:
        if self.path is not None:
            self.store.close()
        self.open()
        self.painted = self.page = None

    # -- what the property speaks of -----------------------------------------------------------------------------

    def held(self, index: int) -> int:
        """What the engine and the people hold an instance to be, by what every other screen says of it."""
        class_id, _ = self.session.label_of(index)
        infos = self.session.state.classes
        if class_id == UNLABELED:  # a queue may know more than the round, where there is none of that revision yet
            class_id = self.session.held(index)
        return UNLABELED if class_id == UNLABELED or infos[class_id].retired else class_id

    def paint(self) -> None:
        """The question, as the screen draws and then has painted it."""
        question = self.session.question
        held = UNLABELED
        if question is not None:
            held = self.held(question.index)
            if not question.first and question.rule != RANDOM and self.painted is None:
                head = question.guesses[0][0] if question.guesses else UNLABELED
                assert head == held
            self.session.painted(question)
        if self.painted is None or self.painted.question != question:
            self.painted = Painted(question, held)

    def moved(self) -> None:
        """A person did something: what is on the screen comes to the front anew."""
        self.painted = None
        self.lay_out_anew()

    def lay_out_anew(self) -> None:
        if self.page is not None:
            standings = self.session.state.answers
            for place in reversed(range(len(self.page.indices))):
                if self.page.indices[place] in standings:
                    self.page.drop(place)
            lookup = self.session.state.stands_for()
            self.page.restate(lambda class_id: int(lookup[class_id]))
            self.page.caption([self.held(index) for index in self.page.indices], without=UNLABELED)
            self.page = self.page if self.page.indices else None

    def enter(self) -> None:
        """The press: what happened to the journal is judged by what was shown at that moment."""
        if self.painted is None or self.painted.question is None:
            return
        question, before = self.painted.question, self.n_events()
        assert self.session.question == question  # nothing moved under the eye
        shown = question.guesses[0][0] if question.guesses and not question.blind else UNLABELED
        now = self.held(question.index)
        try:
            self.session.accept(question.instance_id, shown)
        except GuessChanged:
            assert self.n_events() == before
            assert now != shown
            self.counts["enter: shown anew"] += 1
            self.painted = None
            self.paint()
            return
        except UsageError:
            assert self.n_events() == before
            assert shown == UNLABELED
            self.counts["enter: nothing to accept"] += 1
            return
        event = self.last_event()
        assert event.class_id == shown
        if question.first:
            assert event.kind == "repeat"
            self.counts["enter: second answers"] += 1
        else:
            assert event.kind == "label"
            assert shown == now == self.painted.held
            self.counts["enter: saved"] += 1

    def confirm(self) -> None:
        """The press on a page."""
        page = self.page
        if page is None:
            return
        before, now = self.n_events(), {index: self.held(index) for index in page.indices}
        captions = dict(zip(page.indices, page.captions, strict=True))
        set_otherwise = {page.indices[place]: class_id for place, class_id in page.otherwise.items()}
        labels = [(f"i{index}", class_id, word.word) for index, class_id, word in page.labels()]
        try:
            self.session.confirm(labels, page.painted_as())
        except GuessChanged:
            assert self.n_events() == before
            assert any(captions[index] != now[index] for index in captions if index not in set_otherwise)
            self.counts["page: shown anew"] += 1
            self.lay_out_anew()
            return
        if self.n_events() > before:
            for name, class_id, word in self.last_event().payload["labels"]:
                index = int(name[1:])
                if word == Provenance.CONFIRMED.word:
                    assert class_id == captions[index] == now[index]
                else:
                    assert class_id == set_otherwise[index]
                self.counts["page: labels saved"] += 1
            self.counts["page: saved"] += 1
        self.page = None

    def n_events(self) -> int:
        return self.store.n_events() if self.path is not None else len(self.memory.events)

    def last_event(self) -> Any:
        return list(self.store.replay())[-1] if self.path is not None else self.memory.events[-1]

    # -- steps ---------------------------------------------------------------------------------------------------

    def do_paint(self) -> None:
        self.paint()

    def do_enter(self) -> None:
        self.paint()
        self.enter()

    def do_enter_late(self) -> None:
        """The picture was painted a while ago."""
        self.enter()

    def do_resume(self) -> None:
        self.session.renew()
        self.moved()

    def do_page(self) -> None:
        free = [index for index in range(N) if index not in self.session.state.answers]
        if free:
            chosen = self.rng.permutation(free)[:6].tolist()
            self.page = Page(UNLABELED, [int(index) for index in chosen])
            self.lay_out_anew()

    def do_mark(self) -> None:
        if self.page is not None and (class_id := self.active()) is not None:
            self.page.set(int(self.rng.integers(len(self.page.indices))), class_id)

    def do_confirm(self) -> None:
        self.confirm()

    def do_answer(self) -> None:
        class_id, question = self.active(), self.session.question
        if class_id is not None and question is not None:
            self.session.label(question.instance_id, class_id)

    def do_set_aside(self) -> None:
        question = self.session.question
        if question is not None:
            getattr(self.session, str(self.rng.choice(["skip", "skip", "unsure", "reject"])))(question.instance_id)

    def do_flag(self) -> None:
        self.session.flag(f"i{self.rng.integers(N)}")

    def do_ask(self) -> None:
        self.session.ask(f"i{self.rng.integers(N)}")
        self.moved()

    def do_undo(self) -> None:
        self.session.undo()

    def do_redo(self) -> None:
        self.session.redo()

    def do_second_look(self) -> None:
        given = self.session.state.indices_of("label")
        if len(given):
            index = int(self.rng.choice(given))
            class_id = self.session.label_of(index)[0]
            with_another = self.active()
            if with_another is None or self.rng.random() < 0.5:
                self.session.keep(f"i{index}", shown=class_id)
            else:
                asked = Question(index, f"i{index}", "doubt")
                self.session.label(f"i{index}", with_another, screen="second-look", asked=asked)

    def do_import(self) -> None:
        class_id = self.active()
        if class_id is not None:
            self.session.imports.labels([(f"i{self.rng.integers(N)}", class_id)], "file")

    def do_classes(self) -> None:
        session, class_id, other = self.session, self.active(), self.active()
        what = self.rng.choice(["add", "rename", "merge", "split", "retire", "restore"])
        if what == "add" and len(session.state.classes) < 12:
            session.classes.add(f"new{next(self.ids)}")
        elif what == "rename" and class_id is not None:
            session.classes.rename(class_id, f"named{next(self.ids)}")
        elif what == "merge" and class_id is not None and other is not None and class_id != other:
            session.classes.merge(class_id, other)
        elif what == "split" and class_id is not None:
            rows = [i for i, s in session.state.answers.items() if s.kind == "label" and s.class_id == class_id]
            if len(rows) > 1:
                session.classes.split(class_id, f"split{next(self.ids)}", [f"i{rows[0]}"])
        elif what == "retire" and class_id is not None and len(session.state.active_classes()) > 2:
            session.classes.retire(class_id)
        elif what == "restore":
            retired = [i.class_id for i in session.state.classes.values() if i.retired and i.merged_into == UNLABELED]
            if retired:
                session.classes.restore(int(self.rng.choice(retired)))

    def do_reopen(self) -> None:
        self.reopen()

    def do_options(self) -> None:
        self.session.set(percentile=float(self.rng.integers(100)))
        self.session.set(**{"option.n_clusters": int(self.rng.integers(2, 50))})

    def do_round(self) -> None:
        """Now, or begun a while ago and here only now; sometimes one that says nothing of some."""
        session = self.session
        ids = [info.class_id for info in session.state.active_classes()]
        if not ids:
            return
        labels = self.rng.choice(ids, N) if self.rng.random() < 0.5 else np.full(N, self.rng.choice(ids))
        provenances = self.rng.choice(MACHINE, N)
        nothing = self.rng.random(N) < 0.2
        labels, provenances = np.where(nothing, UNLABELED, labels), np.where(nothing, 0, provenances)
        given = session.snapshot()
        labels[given.indices], provenances[given.indices] = given.class_ids, given.provenances
        round_ = self.make_round(
            N, session.state.revision, labels, provenances, queue=self.rng.permutation(N)[: int(self.rng.integers(N))]
        )
        if self.rng.random() < 0.3:
            self.late.append(("round", round_, round_.revision))
        else:
            self.counts["rounds"] += session.merge_round(round_)

    def do_queue(self) -> None:
        ids = [info.class_id for info in self.session.state.active_classes()]
        order = self.rng.permutation(N)[: int(self.rng.integers(1, N))]
        queue = self.make_queue(order, classes=self.rng.permutation(ids)[:3])
        if self.rng.random() < 0.3:
            self.late.append(("queue", queue, self.session.state.revision))
        else:
            self.counts["queues"] += self.session.merge_queue(queue, self.session.state.revision)

    def do_late(self) -> None:
        if self.late:
            kind, what, revision = self.late.pop(int(self.rng.integers(len(self.late))))
            taken = (
                self.session.merge_round(what)
                if kind == "round" and revision <= self.session.state.revision
                else kind == "queue" and self.session.merge_queue(what, revision)
            )
            self.counts["late: taken" if taken else "late: dropped"] += 1

    def active(self) -> int | None:
        ids = [info.class_id for info in self.session.state.active_classes()]
        return int(self.rng.choice(ids)) if ids else None

    def steps(self) -> Iterator[str]:
        names = [name for name in dir(self) if name.startswith("do_")]
        often = {"do_paint": 3, "do_enter_late": 4, "do_round": 5, "do_queue": 3, "do_confirm": 3, "do_page": 2}
        weights = np.array([often.get(name, 1) for name in names], dtype=float)
        while True:
            yield str(self.rng.choice(names, p=weights / weights.sum()))

    def go(self, steps: int) -> None:
        for name in itertools.islice(self.steps(), steps):
            before = self.n_events()
            try:
                getattr(self, name)()
            except (GuessChanged, AssertionError):
                raise
            except LabelerError:  # nothing to undo, a class that is there already: said, and nothing happened
                self.counts["refused"] += 1
            if self.n_events() > before and name != "do_flag":
                self.moved()
            self.counts["steps"] += 1
            self.check_labeled()
            if len(self.session.state.answers) > N * 2 // 3:
                self.session.undo()
                self.moved()

    def check_labeled(self) -> None:
        """What the header counts is what the default export of the same round holds."""
        round_ = self.session.machine_labels.round
        view = self.session.view()
        if round_ is not None:
            assert view.labeled == int(final_labels(self.session.state, round_).by_default().sum())


@pytest.mark.mostly_slow
@pytest.mark.parametrize(("with_file", "walks"), [(False, WALKS // 8), (False, WALKS), (True, 2)])
def test_enter_saves_what_is_shown_and_held_or_nothing(make_round, make_queue, tmp_path, monkeypatch, with_file, walks):
    monkeypatch.setattr("labeler.session.quality.turns.AGO", 2)  # repeats come in a short session, too
    total: Counter[str] = Counter()
    for seed in range(walks):
        walk = Walk(seed, make_round, make_queue, tmp_path / f"{seed}.labeler.db" if with_file else None)
        walk.go(STEPS)
        total += walk.counts
    least = 1 if walks < WALKS else 40
    print(dict(total))  # seen where it fails, or with -s
    assert all(
        total[name] >= least for name in ("enter: saved", "enter: shown anew", "page: saved", "page: shown anew")
    )
    assert walks < WALKS or total["enter: second answers"]
    assert total["late: taken"]
    assert total["late: dropped"]
