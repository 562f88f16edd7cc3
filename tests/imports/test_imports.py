"""The drawing of the imports sees what it is there to see: each fault is put into a package made for it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.imports.__main__ import main
from tests.imports.graph import circles, floors
from tests.imports.report import Drawing, draw
from tests.imports.rooms import floors_of
from tests.imports.source import Package


@pytest.fixture
def drawn(tmp_path):
    def write(**files: str) -> Drawing:
        folder = tmp_path / "house"
        for name, text in {"__init__": "", **files}.items():
            path = folder.joinpath(*name.split("__in__")).with_suffix(".py")
            path.parent.mkdir(parents=True, exist_ok=True)
            (path.parent / "__init__.py").touch()
            path.write_text(text)
        return draw(Package(folder))

    return write


def test_floors_are_one_above_the_highest_room_that_is_imported(drawn):
    drawing = drawn(
        cli__in__main="from house.store import rows\nimport house.core",
        store__in__rows="from ..core import text\nfrom . import lock",
        store__in__lock="import sqlite3",
        core__in__text="",
    )
    assert drawing.floors == {"core": 1, "store": 2, "cli": 3}
    assert drawing.rooms == {"core": set(), "store": {"core"}, "cli": {"store", "core"}}
    assert floors_of(drawing.package) == drawing.floors
    assert drawing.faults == []


def test_a_circle_of_files_is_seen_though_a_function_hides_half_of_it(drawn):
    drawing = drawn(
        ui__in__app="from house.ui import page",
        ui__in__page="def show():\n    # start-up: not before the first page\n    from house.ui.app import run",
    )
    assert drawing.file_circles == [["ui.app", "ui.page"]]
    assert drawing.load_circles == []
    assert drawing.faults == ["circle of 2 files: ui.app ui.page"]


def test_a_circle_of_rooms_is_seen_where_no_files_are_in_one(drawn):
    drawing = drawn(
        core__in__text="", core__in__top="import house.store.rows", store__in__rows="from house.core.text import plain"
    )
    assert drawing.room_circles == [["core", "store"]]
    assert drawing.file_circles == []
    assert drawing.floors == {"core": 1, "store": 1}
    assert drawing.faults == ["circle of rooms: core store"]


def test_what_is_imported_for_types_alone_makes_no_arrow(drawn):
    drawing = drawn(
        core="import typing\nif typing.TYPE_CHECKING:\n    import house.store\nelse:\n    from house import text",
        store="from house.core import name",
        text="",
    )
    assert drawing.rooms["core"] == {"text"}
    assert drawing.faults == []


@pytest.mark.parametrize(
    ("body", "n_unexplained"),
    [
        ("    import numpy", 1),
        ("    import numpy  # heavy", 1),
        ("    import numpy  # start-up: half a second", 0),
        ("    # start-up: half a second\n    import numpy", 0),
        ("    import pyarrow  # an extra", 0),
        ("    import pyarrow  # extraordinary", 1),
        ("    x = 1  # start-up\n    import numpy", 1),
        ("    from numpy import (  # Start-up: half a second\n        array,\n    )", 0),
        ("    text = '# start-up'; import numpy", 1),
        ("    try:\n        import numpy\n    except ImportError:\n        return", 0),
        ("    try:\n        import numpy\n    except ValueError:\n        return", 1),
    ],
)
def test_an_import_inside_a_function_has_to_say_why(drawn, body, n_unexplained):
    drawing = drawn(core=f"class Some:\n  def measure(self):\n{body}\n")
    assert len(drawing.in_functions) == 1
    assert len(drawing.unexplained) == n_unexplained
    assert len(drawing.faults) == n_unexplained


def test_a_class_twice_removed_is_seen_across_files_and_through_what_hands_it_on(drawn):
    drawing = drawn(
        core__in__base="class Base:\n    pass",
        core__in____init__="from house.core.base import Base",
        store__in__middle="from house.core import Base as Ground\n\nclass Middle(Ground):\n    pass",
        store__in__top="from house.store import middle\n\nclass Top(dict[str, int], middle.Middle):\n    pass",
    )
    assert drawing.faults == ["twice removed: core.base.Base <- store.middle.Middle <- store.top.Top"]


def test_screens_may_have_two_of_ours_above_them_and_no_more(drawn):
    screens = "from textual.screen import Screen\nclass A(Screen[None]): ...\nclass B(A): ...\nclass C(B): ...\n"
    assert drawn(ui__in__screens=screens).faults == []
    assert len(drawn(ui__in__screens=screens + "class D(C): ...\n").faults) == 1
    others = screens.replace("Screen", "Widget").replace("widget.screen", "widget")
    assert len(drawn(ui__in__screens=others).faults) == 1


def test_comments_and_long_files_are_counted(drawn):
    drawing = drawn(core='# why\nx = "# no"  # because\n"""\n# no\n"""\ny = 1  # noqa: E501\n' + "z = 1\n" * 500)
    assert drawing.comment_lines == (1, 1, 506)
    assert [module.name for module in drawing.over_long] == ["core"]


def test_circles_and_floors_of_a_graph():
    arrows = {"a": {"b"}, "b": {"c"}, "c": {"b", "d"}, "d": set(), "e": {"a", "d"}}
    assert circles(arrows) == [["b", "c"]]
    assert floors(arrows) == {"d": 1, "b": 2, "c": 2, "a": 3, "e": 4}


@pytest.mark.parametrize(("text", "code"), [("import os", 0), ("def f():\n    import os", 1)])
def test_the_check_ends_with_1_where_something_is_amiss(tmp_path, monkeypatch, capsys, text, code):
    (tmp_path / "core.py").write_text(text)
    monkeypatch.setattr(sys, "argv", ["imports", str(tmp_path), "--check"])
    assert main() == code
    assert bool(capsys.readouterr().out.strip()) == bool(code)


@pytest.mark.slow
def test_the_program_is_drawn_whole():
    drawing = draw(Package(Path(__file__).parents[2] / "labeler"))
    assert {"core", "session", "store", "ui", "cli"} <= set(drawing.rooms)
    assert drawing.floors["core"] < drawing.floors["session"] < drawing.floors["ui"] < drawing.floors["cli"]
    assert not drawing.load_circles
