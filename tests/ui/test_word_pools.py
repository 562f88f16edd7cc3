"""Pools that are no images: what stands in a picture's place, on the screens as they are."""

from __future__ import annotations

import numpy as np
import pytest

from labeler.core.content import Columns, Passage
from labeler.core.types import IndexArray
from tests.ui.places import go_to
from tests.ui.support import FakeProject, running, settle
from tests.ui.test_as_text import SIZES, same_as_kept
from tests.ui.test_screens import DANGEROUS, lines
from tests.ui.test_screens import HOSTILE as EVIL

NAMES = ["age", "income", "visits a year", "basket", "discount used", "returns", "days since last visit", "newsletter"]


class TableProject(FakeProject):
    """Customers: `d` columns, named by `names`."""

    content = "table"

    def __init__(self, names: list[str] = NAMES, **options) -> None:
        super().__init__(**({"n_classes_known": 10} | options))
        self.session.pool.noun = "row"
        rng = np.random.default_rng(0)
        table = rng.lognormal(1, 1, size=(400, len(names))).astype(np.float32)
        table[:, 0] = rng.integers(18, 90, 400)
        self.columns = Columns(table, names)

    def shown(self, index: int):
        return self.columns.card(index)

    def mean_of(self, indices: IndexArray):
        return self.columns.mean_of(indices)


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("key", ["", "R", "G", "T"])
async def test_a_table_on_the_screen(key: str, size: tuple[int, int]):
    project = TableProject()
    async with running(project, size=size) as app:
        await app.press_and_see("0", "1", "2", "1")
        await settle(app, app.pilot)
        if key:
            await app.press_and_see(key)
            await settle(app, app.pilot)
        name = {"": "question", "R": "sheet", "G": "grid", "T": "clusters"}[key]
        same_as_kept(f"table-{name}-{size[0]}x{size[1]}", lines(app))
    assert project.labels() == [(0, "0"), (1, "1"), (2, "2"), (3, "1")]


async def test_a_card_says_what_the_row_holds():
    project = TableProject()
    async with running(project) as app:
        shown = lines(app)
        for fact in project.instances.shown(0).facts:
            (line,) = [line for line in shown if line.startswith(f" {fact.name[:12]}")]
            assert fact.value in line
            assert f"{fact.apart:+.1f}" in line
            assert "●" in line
        assert "8 columns" in "\n".join(shown)
        assert "rows labeled" in shown[0]


async def test_more_columns_than_lines_come_by_pages_and_the_next_row_begins_at_the_first():
    project = TableProject([f"c{number}" for number in range(40)])
    async with running(project) as app:
        order = [fact.name for fact in project.instances.shown(0).outstanding(40)]

        def names() -> list[str]:
            return [line.split()[0] for line in lines(app) if line.startswith(" c") and "●" in line]

        first = names()
        assert first == order[: len(first)]
        assert "page 1 of 3, V turns it" in "\n".join(lines(app))
        for key, page in (("V", 1), ("right", 2), ("V", 0), ("left", 2)):
            await app.press_and_see(key)
            await settle(app, app.pilot)
            assert names() == order[page * len(first) :][: len(first)]
        await app.press_and_see("3")
        await settle(app, app.pilot)
        assert names() == [fact.name for fact in project.instances.shown(1).outstanding(len(first))]
    assert project.labels() == [(0, "3")]


async def test_one_page_says_so():
    async with running(TableProject()) as app:
        for key in ("V", "left", "right"):
            assert "all of it is shown: one page" in await app.press_and_see(key)


@pytest.mark.parametrize("size", [(60, 16), (80, 24), (120, 40)])
async def test_names_of_columns_do_nothing(size: tuple[int, int]):
    names = [f"{number}{EVIL[number % len(EVIL)]}" for number in range(12)]
    async with running(TableProject(names), size=size) as app:
        for place in ("question", "representatives", "clusters", "confirm", "similar", "why"):
            await go_to(app, place)
            await settle(app, app.pilot)
            text = "\n".join(lines(app))
            assert not DANGEROUS.search(text)
            assert len(text.splitlines()) == size[1]


class TextProject(FakeProject):
    """Reviews of some words; the one of row 5 is long."""

    content = "text"

    def __init__(self, **options) -> None:
        super().__init__(**({"n_classes_known": 10} | options))
        self.session.pool.noun = "text"

    def shown(self, index: int):
        words = [
            "the",
            "parcel",
            "came",
            "late",
            "and",
            "one",
            "cup",
            "was",
            "broken",
            "but",
            "they",
            "sent",
            "another",
            "within",
            "a",
            "day",
        ]
        length = 600 if index == 5 else 6 + index % 9
        return Passage(" ".join(words[(index + place) % len(words)] for place in range(length)) + f". No. {index}")


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("key", ["", "R", "G", "T"])
async def test_texts_on_the_screen(key: str, size: tuple[int, int]):
    async with running(TextProject(), size=size) as app:
        await app.press_and_see(*"01234")
        await settle(app, app.pilot)
        if key:
            await app.press_and_see(key)
            await settle(app, app.pilot)
        name = {"": "question", "R": "sheet", "G": "grid", "T": "clusters"}[key]
        same_as_kept(f"text-{name}-{size[0]}x{size[1]}", lines(app))


async def test_a_long_text_is_read_to_its_end_by_pages():
    project = TextProject()
    async with running(project) as app:
        await app.press_and_see(*"01234")
        await settle(app, app.pilot)
        assert "602 words" in "\n".join(lines(app))
        seen = []
        for _ in range(6):
            text = "\n".join(line[:49] for line in lines(app)[1:-5])
            seen.append("No. 5" in text.replace("\n", " "))
            await app.press_and_see("V")
            await settle(app, app.pilot)
        assert sum(seen) in (1, 2)
        assert not seen[0]
        await app.press_and_see("5")
        await settle(app, app.pilot)
        assert "No. 6" in "\n".join(lines(app))
    assert [index for index, _ in project.labels()] == [0, 1, 2, 3, 4, 5]
