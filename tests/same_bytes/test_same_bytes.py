"""Projects made before the rooms were moved open, say the same of themselves and export the same labels.

What differs between machines in its last digits is left out here; ``python -m tests.same_bytes OTHER_CHECKOUT``
compares two checkouts to the byte.
"""

from __future__ import annotations

import json

import numpy as np
import pytest

import labeler
from labeler.plugins import registry
from labeler.plugins.encoders.automatic import NETWORK
from tests.same_bytes.__main__ import EXPECTED, ROOT, SUFFIX, committed_cases, expected_of, export, unpack
from tests.same_bytes.reading import differences, labels_digest, labels_in
from tests.same_bytes.running import EXPORTS, PROJECTS


@pytest.fixture(scope="module")
def expected():
    return json.loads(EXPECTED.read_text(encoding="utf-8"))


@pytest.fixture
def folder(tmp_path, monkeypatch):
    for kind in ("STATE", "CACHE", "DATA", "CONFIG"):
        monkeypatch.setenv(f"XDG_{kind}_HOME", str(tmp_path / kind.lower()))
    return tmp_path / "projects"


def test_everything_committed_is_expected_and_nothing_else(expected):
    assert set(expected) == set(PROJECTS)
    labels = [set(entry["labels"]) for entry in expected.values()]
    assert all(cases == set(committed_cases()) - {"status"} for cases in labels)


def test_a_certified_export_holds_the_labels_it_held(folder, expected):
    unpack(folder, ["table"])
    with labeler.open(folder / f"table{SUFFIX}") as project:
        assert len(project) == expected["table"]["status"]["n_instances"]
        target = folder / "out" / EXPORTS["csv"][0]
        target.parent.mkdir(parents=True)
        project.export(target)
    (target.parent / "exit code").write_text("0\n")
    assert labels_digest(target.parent, folder) == expected["table"]["labels"]["csv"]


@pytest.mark.slow
@pytest.mark.parametrize("name", PROJECTS)
def test_every_export_holds_the_labels_it_held_and_the_status_says_the_same(folder, expected, name):
    if name == "photos" and registry.entry("encoder", NETWORK).available:
        pytest.skip("with the extra a network looks at photos as well: other labels spread")
    unpack(folder, [name])
    export(ROOT, None, folder / f"{name}{SUFFIX}", folder / "out" / name, *committed_cases())
    now = expected_of(folder, name)
    assert now["labels"] == expected[name]["labels"]
    assert without_floats(now["status"]) == without_floats(expected[name]["status"])
    assert floats_of(now["status"]) == pytest.approx(floats_of(expected[name]["status"]), rel=1e-6)
    assert keys_of(now["status"]) == keys_of(expected[name]["status"])


def without_floats(value):
    if isinstance(value, dict):
        return {name: without_floats(item) for name, item in value.items()}
    if isinstance(value, list):
        return [without_floats(item) for item in value]
    return "a float" if isinstance(value, float) else value


def floats_of(value):
    if isinstance(value, dict):
        return [number for name in sorted(value) for number in floats_of(value[name])]
    if isinstance(value, list):
        return [number for item in value for number in floats_of(item)]
    return [value] if isinstance(value, float) else []


def keys_of(value):
    """Keys in their order, which is part of what is printed."""
    if isinstance(value, dict):
        return [(name, keys_of(item)) for name, item in sorted(value.items())]
    return [keys_of(item) for item in value] if isinstance(value, list) else None


# -- the comparison itself --------------------------------------------------------------------------------------------


ROW = "path,label,provenance,confidence,round\na,cat,human,1.0,1\n"


@pytest.mark.parametrize(
    ("name", "text", "same"),
    [
        ("labels.csv", ROW.replace("1.0", "0.9"), True),
        ("labels.csv", ROW.replace("cat", "dog"), False),
        ("labels.csv", ROW.replace("human", "propagated"), False),
        ("labels.csv", ROW.replace(",1\n", ",2\n"), False),
        ("labels.csv", ROW + "b,cat,human,1.0,1\n", False),
        ("labels.csv.manifest.json", "{}", True),
        ("classes.txt", "cat", False),
    ],
)
def test_a_digest_changes_with_the_labels_and_with_nothing_else(tmp_path, name, text, same):
    for side in ("before", "after"):
        (tmp_path / side).mkdir()
        (tmp_path / side / "labels.csv").write_text(ROW)
        (tmp_path / side / "labels.csv.manifest.json").write_text("{}\n")
        (tmp_path / side / "classes.txt").write_text("cat\ndog\n")
    (tmp_path / "after" / name).write_text(text)
    assert (labels_digest(tmp_path / "before", tmp_path) == labels_digest(tmp_path / "after", tmp_path)) is same
    assert len(list(differences(tmp_path / "before", tmp_path / "after"))) == 1


def test_labels_are_read_from_every_kind_of_file(tmp_path):
    np.savez(tmp_path / "set.npz", y=[1, 0], ids=["a", "b"], X=np.zeros((2, 3), np.float32))
    assert labels_in(tmp_path / "set.npz") == {"ids": ["a", "b"], "y": [1, 0]}
    (tmp_path / "x.jsonl").write_text('{"path": "a", "score": 0.25, "meta": {"weight": 1.0, "label": "b"}}\n')
    assert labels_in(tmp_path / "x.jsonl") == [{"path": "a", "meta": {"label": "b"}}]
    (tmp_path / "standard output").write_text(ROW)
    assert labels_in(tmp_path / "standard output") == [
        {"path": "a", "label": "cat", "provenance": "human", "round": "1"}
    ]


def test_where_files_differ_is_said(tmp_path):
    before, after = tmp_path / "before", tmp_path / "after"
    for side, change in ((before, 0.0), (after, 0.5)):
        side.mkdir()
        np.savez(side / "set.npz", X=np.arange(4.0) + change, y=[1])
        (side / f"{side.name}.txt").write_text("here alone")
    lines = list(differences(before, after))
    assert lines == [
        "after.txt: only after",
        "before.txt: only before",
        "set.npz: X differs in 4 of 4 by up to 0.5",
    ]
