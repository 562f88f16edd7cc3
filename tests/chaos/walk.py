"""A long random walk of commands over a session and its store, with restarts, held against the model after each."""

from __future__ import annotations

import itertools
import random
import time
from collections.abc import Callable
from pathlib import Path

from labeler.core.errors import UsageError
from labeler.core.pool import Pool
from labeler.session.session import Session
from labeler.store.store import Store
from tests.chaos.evidence import inspect, left_beside
from tests.chaos.model import CONFIRMED, HUMAN, IMPORTED, Model, Said
from tests.chaos.outcome import Outcome
from tests.chaos.writing import a_round

N = 30
A_FILE = 2500
"""Commands to a project: then a new one is begun."""
RESTART = 0.01
"""How likely a restart is before a command."""


def run(count: int, seed: int, folder: Path) -> Outcome:
    """Give `count` commands."""
    outcome = Outcome(
        "random walk",
        count,
        "commands",
        seed,
        "Random commands (answers, pages, imports, flags, classes added, renamed, merged, split, retired, brought back,"
        f" undo, redo, rounds) to a session and its store over {N} instances, closed and opened again about every"
        f" {1 / RESTART:.0f}. After each the session says what a model of a few lines says; at each restart the journal"
        " on disk is what was done and the new session shows what the old one showed.",
    )
    began = time.perf_counter()
    chance = random.Random(seed)
    for first in range(0, count, A_FILE):
        walk = Walk(folder / f"{first}.labeler.db", chance, outcome)
        for number in range(first, min(first + A_FILE, count)):
            walk.step()
            if walk.wrong:
                outcome.failures += [f"command {number} ({walk.last}): {one}" for one in walk.wrong]
                break
        walk.end()
    outcome.seconds = time.perf_counter() - began
    return outcome


class Walk:
    """One project, its model, and the commands of both."""

    def __init__(self, path: Path, chance: random.Random, outcome: Outcome) -> None:
        self.path, self.chance, self.outcome = path, chance, outcome
        self.model, self.wrong, self.last = Model(), [], ""
        self._names = (f"class {number}" for number in itertools.count())
        self._ids = (f"{path.stem}-{number}" for number in itertools.count())
        self.store = Store.open(path, create=True)
        self.store.join_instances([f"i{index}" for index in range(N)], 0.0)
        self.session = self._session()
        for name in ("a", "b"):
            class_id = self.session.classes.add(name, setup=True)
            self.model.journal.append(("class_add", None, class_id))
            self.model.now.classes[class_id] = [name, self._key(class_id), False, -1]
        self.round()  # before the first one nothing is asked
        steps: dict[Callable[[], None], int] = {
            self.label: 30, self.aside: 8, self.flag: 4, self.page: 5, self.bring_in: 4, self.keep: 2,
            self.add_class: 2, self.rename: 2, self.retire: 2, self.restore: 3, self.merge: 1, self.split: 2,
            self.reach: 2, self.undo: 20, self.redo: 12, self.set: 1, self.round: 2, self.refused: 2,
        }  # fmt: skip
        self._steps, self._weights = list(steps), list(steps.values())

    def step(self) -> None:
        """A command, maybe after a restart, and the comparison."""
        if self.chance.random() < RESTART:
            self.restart()
        what = self.chance.choices(self._steps, self._weights)[0]
        self.last = what.__name__
        what()
        self.outcome.saw(f"{what.__name__.replace('_', ' ')}")
        self.wrong += self.model.differs(self.session)
        if self.chance.random() < 0.2:
            self.wrong += self.model.counts_differ(self.session)

    def end(self) -> None:
        """Close for good."""
        self.wrong = self.model.journal_differs(list(self.store.replay()))
        self.store.close()
        self.wrong += inspect(self.path) + left_beside(self.path)
        self.outcome.failures += [f"at the end of {self.path.name}: {one}" for one in self.wrong]

    def restart(self) -> None:
        """Close, open, compare what both sessions show."""
        live = self.session
        self.store.close()
        self.store = Store.open(self.path)
        self.session = self._session()
        self.wrong += self.model.journal_differs(list(self.store.replay()))
        before, after = live.view(), self.session.view()
        for name in before.__dataclass_fields__:
            if name not in ("round", "last", "advice") and getattr(before, name) != getattr(after, name):
                self.wrong.append(f"after a restart {name}: {getattr(after, name)}, not {getattr(before, name)}")
        self.outcome.saw("restarts")

    # -- commands ------------------------------------------------------------------------------------------------

    def label(self) -> None:
        index, name = self._asked()
        class_id = self._active()
        self.session.label(name, class_id)
        self.model.label(index, name, class_id)

    def aside(self) -> None:
        index, name = self._asked()
        kind = self.chance.choice(("skip", "unsure", "reject"))
        getattr(self.session, kind)(name)
        self.model.set_aside(kind, index, name)

    def flag(self) -> None:
        index, name = self._any()
        self.session.flag(name)
        self.model.flag(index, name)

    def page(self) -> None:
        labels = [(i, self._active(), self.chance.choice((HUMAN, CONFIRMED))) for i in self._some()]
        self.session.page([(f"i{i}", class_id, word) for i, class_id, word in labels])
        self.model.do("page").said.update({i: Said("label", class_id, word, True) for i, class_id, word in labels})

    def bring_in(self) -> None:
        labels = [(i, self._active()) for i in self._some()]
        free = [(i, class_id) for i, class_id in labels if self.model.takes_import(i)]
        taken, _ = self.session.imports.labels([(f"i{i}", class_id) for i, class_id in labels], "a file")
        if taken != len(free):
            self.wrong.append(f"{taken} imported, not {len(free)}")
        if free:
            self.model.do("import").said.update({i: Said("label", class_id, IMPORTED) for i, class_id in free})

    def keep(self) -> None:
        given = [(i, one.class_id) for i, one in self.model.now.said.items() if one.kind == "label"]
        if given:
            index, class_id = self.chance.choice(given)
            self.session.keep(f"i{index}")
            self.model.do("keep", f"i{index}", class_id).kept[index] = class_id

    def add_class(self) -> None:
        name = next(self._names)
        class_id = self.session.classes.add(name)
        self.model.do("class_add", None, class_id).classes[class_id] = [name, self._key(class_id), False, -1]

    def rename(self) -> None:
        class_id, name = self._active(), next(self._names)
        self.session.classes.rename(class_id, name)
        self.model.do("class_rename", None, class_id).classes[class_id][0] = name

    def retire(self) -> None:
        if len(self.model.active) > 2:
            class_id = self._active()
            self.session.classes.retire(class_id)
            self.model.do("class_retire", None, class_id).classes[class_id][1:3] = ["", True]

    def restore(self) -> None:
        names = {self.model.now.classes[class_id][0] for class_id in self.model.active}
        asleep = [i for i, info in self.model.now.classes.items() if info[2] and info[3] == -1 and info[0] not in names]
        if asleep:
            class_id = self.chance.choice(asleep)
            self.session.classes.restore(class_id)
            stand = self.model.do("class_restore", None, class_id)
            stand.classes[class_id][1:3] = [self._key(class_id), False]

    def merge(self) -> None:
        gone, into = self._active(), self._active()
        if gone != into and len(self.model.active) > 2:
            self.session.classes.merge(gone, into)
            self.model.merge(gone, into)

    def split(self) -> None:
        class_id, name = self._active(), next(self._names)
        mine = [i for i, one in self.model.now.said.items() if one.kind == "label" and one.class_id == class_id]
        if mine:
            moved = self.chance.sample(mine, self.chance.randint(1, len(mine)))
            new = self.session.classes.split(class_id, name, [f"i{i}" for i in moved])
            stand = self.model.do("class_split", None, new)
            stand.classes[new] = [name, self._key(new), False, -1]
            stand.said.update({i: stand.said[i]._replace(class_id=new) for i in moved})

    def reach(self) -> None:
        index, name = self._any()
        percentile = self.chance.choice((None, 0.0, 40.0, 100.0))
        if self.model.now.reaches.get(index, ...) != percentile:
            reaches = self.model.do("reach", name).reaches
            reaches.pop(index, None)
            reaches[index] = percentile
        self.session.clusters.reach(name, percentile)

    def undo(self) -> None:
        for _ in range(min(len(self.model.before), self.chance.choice((1, 1, 1, 5)))):
            target = self.session.undo()
            self.model.undo()
            self.model.journal.append(("undo", target.instance_id, None))

    def redo(self) -> None:
        for _ in range(min(len(self.model.after), self.chance.choice((1, 1, 5)))):
            target = self.session.redo()
            self.model.redo()
            self.model.journal.append(("redo", target.instance_id, None))

    def set(self) -> None:
        percentile = self.chance.choice(("auto", 0.0, 20.0))
        if self.session.state.settings.get("percentile") != percentile:
            self.model.journal.append(("setting", None, None))
        self.session.set(percentile=percentile)

    def round(self) -> None:
        self.session.merge_round(a_round(self.session, self.chance.randrange(1 << 30)))

    def refused(self) -> None:
        """What cannot be changes nothing."""
        attempts: tuple[Callable[[], object], ...] = (
            lambda: self.session.label("nobody", self._active()),
            lambda: self.session.label("i0", 10_000),
            lambda: self.session.classes.add("a" * 300),
            lambda: self.session.classes.merge(self.model.active[0], self.model.active[0]),
            lambda: self.session.page([("i1", self._active(), "propagated")]),
        )
        try:
            self.chance.choice(attempts)()
        except UsageError:
            return
        self.wrong.append("what cannot be was done")

    # -- inside --------------------------------------------------------------------------------------------------

    def _session(self) -> Session:
        return Session(Pool(self.store.instance_ids()), self.store, clock=time.time, new_id=lambda: next(self._ids))

    def _key(self, class_id: int) -> str:
        """The key a class was given: one that no other has."""
        key = self.session.state.classes[class_id].key
        others = [info.key for i, info in self.session.state.classes.items() if i != class_id and not info.retired]
        if key and key in others:
            self.wrong.append(f"two classes have the key {key}")
        return key

    def _active(self) -> int:
        return self.chance.choice(self.model.active)

    def _any(self) -> tuple[int, str]:
        index = self.chance.randrange(N)
        return index, f"i{index}"

    def _asked(self) -> tuple[int, str]:
        question = self.session.question
        if question is None or self.chance.random() < 0.3:
            return self._any()
        return question.index, question.instance_id

    def _some(self) -> list[int]:
        return self.chance.sample(range(N), self.chance.randint(1, 8))
