"""A profile in one line: by package and function, without what only waits."""

from __future__ import annotations

import cProfile
import time

import pytest

from benchmarks.rows.profiles import name_of, package_of, summary, within


@pytest.mark.parametrize(
    ("file", "function", "package"),
    [
        ("/x/lib/python3.11/site-packages/textual/app.py", "run", "textual"),
        ("/x/lib/python3.11/site-packages/click.py", "run", "click"),
        ("/home/labeler/core/steps.py", "run", "labeler"),
        ("/x/lib/python3.11/json/decoder.py", "decode", "python's library"),
        ("<frozen importlib._bootstrap>", "_load", "importing"),
        ("~", "<built-in method marshal.loads>", "importing"),
        ("~", "<method 'execute' of 'sqlite3.Connection' objects>", "sqlite3"),
        ("~", "<built-in method numpy.array>", "numpy"),
        ("~", "<method 'append' of 'list' objects>", "python itself"),
    ],
)
def test_whose_a_function_is(file, function, package):
    assert package_of(file, function) == package


def test_a_function_has_a_short_name():
    assert name_of("/a/b/steps.py", 3, "run") == "steps.run"
    assert name_of("~", 0, "<built-in method numpy.array>") == "numpy.array"


def test_what_waits_is_left_out(tmp_path):
    profile = cProfile.Profile()
    profile.enable()
    time.sleep(0.1)
    sorted(range(100_000), key=lambda number: -number)
    profile.disable()
    profile.dump_stats(tmp_path / "some.prof")
    text = summary(tmp_path / "some.prof")
    assert "sleep" not in text
    assert "sorted" in text


def test_functions_of_a_package_are_named_with_what_they_call(tmp_path):
    from labeler.core import steps

    profile = cProfile.Profile()
    profile.runcall(steps.blocks, 100, 10)
    profile.dump_stats(tmp_path / "some.prof")
    assert within(tmp_path / "some.prof", "labeler").startswith("with what they call: steps.blocks 0.00 s")
    assert within(tmp_path / "some.prof", "textual") == "with what they call: "
