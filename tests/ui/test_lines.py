"""The fixed lines as text for a width."""

import pytest
from textual.content import Content

from labeler.core.types import Progress
from labeler.session.view import Stage
from labeler.ui.render import lines
from labeler.ui.screens import table

CHAIN = [
    Stage("pixels"),
    Stage("k-means 50"),
    Stage("representatives 12/50", active=True),
    Stage("propagate 20 %"),
    Stage("classifier"),
    Stage("uncertain"),
]


@pytest.mark.parametrize(("share", "text"), [(0, "    "), (0.5, "██  "), (0.53, "██▏ "), (1, "████"), (7, "████")])
def test_bars_count_eighths(share, text):
    assert lines.bar(share, 4) == text


@pytest.mark.parametrize(
    ("size", "text"), [(0, "0 B"), (320, "320 B"), (1234, "1.2 kB"), (45_678, "46 kB"), (3_400_000, "3.4 MB")]
)
def test_file_sizes(size, text):
    assert lines.file_size(size) == text


@pytest.mark.parametrize("width", [20, 40, 60, 80, 120])
def test_the_chain_keeps_its_link_in_force_at_any_width(width):
    line = lines.chain(CHAIN, width)
    assert line.cell_length <= width
    assert "▸represent" in line.plain
    if width == 120:
        assert line.plain == "pixels > k-means 50 > ▸representatives 12/50 > propagate 20 % > classifier > uncertain"


def test_plugin_parameters_and_empty_links_stay_out_of_the_chain():
    stages = [Stage("scattering:standardise=False"), Stage("  "), Stage("uncertain", active=True)]
    assert lines.chain(stages, 80).plain == "scattering > ▸uncertain"


def test_the_right_end_keeps_its_place():
    line = lines.ends(Content("x" * 100), Content("saved"), 30)
    assert line.cell_length == 30
    assert line.plain.endswith(" saved")


def test_of_a_long_path_the_end_is_shown():
    line = lines.about("a/very/long/path/" * 5 + "picture.png", ["28×28"], flagged=True, width=60)
    assert line.cell_length <= 60
    assert "picture.png · 28×28 ⚑ flagged" in line.plain


@pytest.mark.parametrize("place", list(table.SCREENS))
@pytest.mark.parametrize("width", [58, 78, 118])
def test_help_and_quit_are_always_in_the_footer(place, width):
    line = lines.footer(table.class_of(place).KEYS.actions, width)
    assert line.cell_length <= width
    assert line.plain.endswith("? help  Q quit")


def test_the_way_back_is_in_the_footer():
    assert "R back" in lines.footer(table.class_of("representatives").KEYS.actions, 78).plain
    assert "G back" in lines.footer(table.class_of("confirm").KEYS.actions, 78).plain


def test_a_job_of_unknown_length_only_says_what_it_does():
    assert lines.working(Progress("clustering"), 0).plain.endswith(" clustering")
    assert "12 of 48" in lines.working(Progress("reading", 12, 48), 1).plain
