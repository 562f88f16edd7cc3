"""A view that labeled the pool once and whose extra is not here is said, from all rounds that were ever saved."""

from __future__ import annotations

from dataclasses import replace

import pytest

from labeler.plugins import registry
from labeler.plugins.builtin import Plugin
from labeler.project.open import open_project
from labeler.project.options import Options
from labeler.project.views import missing_views

BY_NET = {"lead": [1, 20], "views": ["scattering", "net"], "encoder": "net"}


@pytest.fixture
def no_net(monkeypatch):
    """The encoder `net`, whose extra is not installed."""
    line = Plugin("encoder", "net", "nowhere:Net", "a network", "photos", ("no_such_module_of_labeler",))
    monkeypatch.setitem(registry._TABLE["encoder"], "net", line)


@pytest.mark.parametrize(
    ("facts", "is_said"),
    [
        ([BY_NET], True),
        ([BY_NET | {"lead": [0, 20], "encoder": "scattering"}], True),  # it had its say, though it did not lead
        ([{"lead": [1, 0], "encoder": "net:size=3"}], True),
        ([{"views": ["scattering", "net"], "encoder": "scattering"}], True),  # without it, after one that had it
        ([{"lead": [1, 0], "views": ["scattering", "hog"], "encoder": "hog"}, BY_NET], True),  # an older one
        ([{"lead": [1, 0], "views": ["scattering", "hog"], "encoder": "hog"}], False),
        ([{"encoder": "net"}], False),  # one view alone: it was chosen
        ([], False),
        ([{"lead": 1, "views": 7, "encoder": None}, {"lead": [], "views": [None, {}, "no such"]}], False),  # of anyone
    ],
)
def test_a_view_whose_extra_is_gone_is_said_wherever_it_had_a_say(no_net, facts, is_said):
    lines = missing_views({}, facts)
    assert len(lines) == is_said
    assert not is_said or "pip install '.[photos]'" in lines[0]


@pytest.mark.parametrize(
    "options", [{"encoder": "pixels"}, {"features": "f.npy"}, {"engine": "book"}, {"clusterer": "gmm"}]
)
def test_nothing_is_missed_by_who_chose_to_do_without(no_net, options):
    assert missing_views(options, [BY_NET]) == []
    assert missing_views({"engine": "default", "encoder": None}, [BY_NET]) != []


def test_what_a_round_says_of_its_views_is_safe_to_show_and_an_installed_extra_says_nothing(no_net, monkeypatch):
    (line,) = missing_views({}, [{"views": ["net:model=\x1b[31m"]}])
    assert "\x1b" not in line
    monkeypatch.setitem(registry._TABLE["encoder"], "net", Plugin("encoder", "net", "", "", "photos", ("json",)))
    assert missing_views({}, [BY_NET]) == []


@pytest.mark.parametrize("numbers", [(1, 1, 1), (1, 2, 2), (1, 2, 3)], ids=["replaced", "undone", "after"])
def test_sessions_without_the_extra_do_not_make_it_forgotten(few_digits, tmp_path, make_round, no_net, numbers):
    path = tmp_path / "p.labeler.db"
    with open_project(few_digits, path, Options(classes=("0", "1"))) as project:
        assert project.view_notes() == []
    for number, facts in zip(numbers, (BY_NET, {"encoder": "scattering"}, {"encoder": "scattering"}), strict=True):
        with open_project(path) as project:
            n, session = len(project.session.pool), project.session
            session.label(session.pool.ids[number], 0)
            session.merge_round(replace(make_round(n, session.state.revision, number=number), facts=facts))
    with open_project(path, read_only=True) as project:
        assert "labeled by (net)" in project.view_notes()[0]
