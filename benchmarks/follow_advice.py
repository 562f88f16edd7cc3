"""A person who does what the advice line says, at the real application with its worker: keys, labels, share right.

    python benchmarks/follow_advice.py [digits] [mnist10k] [--most 300]

The application runs headless, with the real project, worker process and screens; the person knows the truth and
presses keys only. They answer questions; where the advice names pages they open them (G), set what is wrong right
(arrows to it, X for the runner-up, a class key where that is wrong too) and confirm, and go back when the page
screen says so; where it names a second look they take it; they stop when it says stop, or at --most keys. After each
key they wait for the engine's next word, as somebody does who answers every two seconds. Beside it: the same number
of keys as single answers, and 200 of them. The share right is of the labels in the default export, and of all.
"""

from __future__ import annotations

import argparse
import asyncio
import shutil
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import data
import numpy as np
from textual import events

from labeler.core.types import Provenance
from labeler.plugins.importers.detect import open_source
from labeler.plugins.importers.labels import read_truth
from labeler.project.open import Options, Project, open_project
from labeler.ui.app import LabelerApp
from labeler.ui.screens.confirm import ConfirmScreen
from labeler.ui.screens.second_look import SecondLook

IN_EXPORT = (Provenance.HUMAN, Provenance.CONFIRMED, Provenance.IMPORTED, Provenance.PROPAGATED)
COLUMNS = (
    "session", "keys", "of them arrows", "labels given", "in the export", "keys a label", "right there, %", "of all, %",
)  # fmt: skip
PATIENCE = 120.0
PACE = 0.01


@dataclass
class Person:
    """At the keys of one application; the truth as instance id -> class name."""

    app: LabelerApp
    truth: dict[str, str]
    keys: int = 0
    arrows: int = 0
    went: Counter[str] = field(default_factory=Counter)
    said: list[tuple[int, int, str, str]] = field(default_factory=list)  # keys, answers, code, text: as it changed

    @property
    def project(self) -> Project:
        """The open project."""
        return self.app.project

    async def until(self, there: Any, what: str) -> None:
        """Wait for something, with a limit."""
        end = time.perf_counter() + PATIENCE
        while not there():
            if time.perf_counter() > end:
                raise TimeoutError(what)
            await asyncio.sleep(PACE)

    async def press(self, key: str) -> None:
        """Press a key, let it be handled and the engine catch up."""
        self.keys += 1
        self.arrows += key in ("left", "right", "up", "down")
        self.app.post_message(events.Key(key, key if len(key) == 1 else None))
        await asyncio.sleep(PACE)
        await self.until(lambda: self.app.line.idle, f"key {key} handled")
        await self.caught_up()

    async def caught_up(self) -> None:
        """The engine's round holds every answer, and what is on the screen is painted."""
        session = self.project.session
        judged = self.project.session.state

        def there() -> bool:
            view = self.app.view
            known = view is not None and view.round is not None and view.round.revision >= judged.revision
            return known or session.question is None

        await self.until(there, "the engine's round")
        await self.until(lambda: self.app.screen.painted.is_set(), "the screen painted")

    def key_of(self, index: int) -> str:
        """The key of the class that an instance truly has."""
        session = self.project.session
        name = self.truth[session.pool.ids[index]]
        return next(count.info.key for count in self.app.view.classes if count.info.name == name)

    def is_right(self, index: int, class_id: int) -> bool:
        """Whether an instance is of a class."""
        session = self.project.session
        return session.state.classes[class_id].name == self.truth[session.pool.ids[index]]

    def note(self) -> Any:
        """The advice now; kept whenever its code changes."""
        view = self.app.view
        advice = view.advice
        if advice is not None and (not self.said or self.said[-1][2] != advice.code):
            self.said.append((self.keys, view.answers, advice.code, advice.text))
        return advice

    async def follow(self, most: int) -> None:
        """Do as the advice says until it says stop."""
        while self.keys < most:
            advice = self.note()
            code = advice.code if advice is not None else "answer"
            if code in ("stop", "no-propagation", "audit") or self.project.session.question is None:
                return
            self.went[code] += 1
            if code == "grids":
                await self.pages()
            elif advice is not None and advice.key == "S":
                await self.second_look()
            else:
                await self.press(self.key_of(self.app.screen.target().index))

    async def pages(self) -> None:
        """Confirm pages until the screen says that questions mend more."""
        await self.press("G")
        while isinstance(self.app.screen, ConfirmScreen):
            screen = self.app.screen
            await self.until(lambda screen=screen: not screen.pages.is_asked and screen.is_ready(), "a page")
            page = screen.pages.page
            if page is None or screen.leads_back:
                await self.press("G")
                return
            self.went["a page"] += 1
            for place, index in enumerate(page.indices):
                if not self.is_right(index, page.class_id):
                    await self.set_right(screen, place, index)
            await self.press("enter")

    async def set_right(self, screen: ConfirmScreen, place: int, index: int) -> None:
        """Move to a picture and say what it is."""
        while screen.cursor != place:
            before = screen.cursor
            across = abs(place - screen.cursor) >= screen.grid.layout_now.across
            forward = place > screen.cursor
            await self.press(("down" if forward else "up") if across else ("right" if forward else "left"))
            if screen.cursor == before:
                await self.press("right" if forward else "left")
        second = screen.pages.page.runner_ups[place]
        self.went["set right"] += 1
        await self.press("X" if second >= 0 and self.is_right(index, second) else self.key_of(index))

    async def second_look(self) -> None:
        """Look at the doubted answers again."""
        await self.press("S")
        while isinstance(self.app.screen, SecondLook) and (target := self.app.screen.target()) is not None:
            self.went["looked again"] += 1
            standing = self.project.session.state.answers[target.index]
            await self.press("enter" if self.is_right(target.index, standing.class_id) else self.key_of(target.index))
        await self.press("S")


@dataclass(frozen=True)
class Outcome:
    """What came of a session."""

    keys: int
    arrows: int
    labels: int
    right_in_export: float
    right: float
    given: int


def outcome(project: Project, truth: dict[str, str], keys: int, arrows: int) -> Outcome:
    """From the closing round: what an export would hold."""
    closing = project.closing_round()
    names = {class_id: info.name for class_id, info in project.session.state.classes.items()}
    right = np.array(
        [
            names.get(int(label)) == truth[name]
            for label, name in zip(closing.labels, project.session.pool.ids, strict=True)
        ]
    )
    inside = np.isin(closing.provenances, IN_EXPORT)
    given = project.session.state.answers.counts["label"]
    return Outcome(keys, arrows, int(inside.sum()), float(right[inside].mean()), float(right.mean()), given)


async def session(pool: data.PoolFile, path: Path, most: int, singles: int = 0) -> tuple[Outcome, Person]:
    """One session: following the advice, or with `singles` that many answers whatever it says."""
    truth = read_truth(pool.truth, open_source(pool.path))
    names = tuple(sorted(set(truth.values())))
    with open_project(pool.path, path, Options(classes=names)) as project:
        app = LabelerApp(project)
        async with app.run_test(size=(120, 40)):
            person = Person(app, truth)
            await person.until(lambda: app.view is not None and app.view.question is not None, "the first question")
            await person.caught_up()
            if singles:
                while person.keys < singles:
                    await person.press(person.key_of(app.screen.target().index))
            else:
                await person.follow(most)
        return outcome(project, truth, person.keys, person.arrows), person


def row(name: str, found: Outcome) -> str:
    """One line of the table."""
    return (
        f"| {name} | {found.keys} | {found.arrows} | {found.given:,} | {found.labels:,} "
        f"| {found.keys / found.labels:.4f} | {100 * found.right_in_export:.2f} | {100 * found.right:.2f} |"
    )


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sets", nargs="*", default=["digits"], metavar="SET")
    parser.add_argument("--most", type=int, default=300)
    parser.add_argument("--alone", action="store_true", help="Follow the advice only, without the comparisons.")
    given = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="labeler-advice-"))
    try:
        for name in given.sets:
            pool = data.load(name, 0, folder)
            found, person = asyncio.run(session(pool, folder / f"{name}-advice.labeler.db", given.most))
            print(f"## {name}, {len(pool.y):,} instances\n")
            print(f"| {' | '.join(COLUMNS)} |")
            print("|---" * len(COLUMNS) + "|")
            print(row("following the advice", found), flush=True)
            for singles in () if given.alone else sorted({max(found.keys, 1), 200}):
                other, _ = asyncio.run(session(pool, folder / f"{name}-{singles}.labeler.db", 0, singles))
                print(row(f"{singles} single answers", other), flush=True)
            went = ", ".join(f"{what} {count}" for what, count in person.went.items())
            print(f"\nWhere it led: {went}.\n")
            for keys, answers, code, text in person.said:
                print(f"- after {keys} keys ({answers} single answers): {code}: {text}")
            print(flush=True)
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
