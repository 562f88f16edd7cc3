"""The data card: what it says, and that no name in it is anything but text."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labeler.plugins.exporters.csv_jsonl import CsvExporter
from labeler.plugins.exporters.data_card import plain
from labeler.plugins.exporters.imagefolder import ImageFolderExporter
from labeler.plugins.exporters.write import write_export

CERTIFICATE = {
    "statement": "at least 98.10 % of the 90 labels are right, with 95 % confidence",
    "checked": 40,
    "population": 90,
    "wrong": 1,
    "about": "the labels as they were frozen",
    "set_sha256": "ab12",
}


@pytest.fixture
def card_of(make_rows: Any, tmp_path: Path) -> Any:
    def write(names: list[str], manifest: dict[str, Any] | None = None, **columns: Any) -> str:
        rows = make_rows([f"{i}.png" for i in range(6)], names, [0, 0, 0, 0, 1, 1], **columns)
        write_export(ImageFolderExporter(), rows, tmp_path / "out", manifest or {}, force=True)
        return (tmp_path / "out" / "README.md").read_text(encoding="utf-8")

    return write


def test_it_counts_by_class_and_provenance_and_claims_no_accuracy(card_of: Any) -> None:
    text = card_of(["cat", "dog"], {"n_instances": 10, "configuration": {"facts": {"unseen_chance": 0.25}}})
    assert "6 labels of 10 images (60.0 %) in 2 classes" in text
    assert "| class | human | propagated | all | share |" in text
    assert "| cat | 2 | 2 | 4 | 66.7 % |" in text
    assert "| dog | 1 | 1 | 2 | 33.3 % |" in text
    assert "| all | 3 | 3 | 6 | 100 % |" in text
    assert "accuracy is not known until an audit" in text
    assert "about 25.0 %" in text
    assert "4 of 10 images are not in this set" in text


def test_a_certificate_is_stated_with_what_it_rests_on(card_of: Any) -> None:
    text = card_of(["cat", "dog"], {"certificate": CERTIFICATE})
    assert r"at least 98\.10 \% of the 90 labels are right" in text
    assert "Checked 40 of 90, drawn at random; 1 were wrong" in text
    assert "`ab12`" in text
    assert "not known" not in text


def test_how_it_was_made_names_engine_person_and_splits(card_of: Any) -> None:
    session = {"answers": 3, "grid_pages": 1, "keys": 9, "annotators": ["ada", "<b>"]}
    facts = {"encoder": "deskew-hog", "strategy": "margin"}
    manifest = {"seed": 7, "session": session, "recipe": {"engine": "book"}, "configuration": {"facts": facts}}
    text = card_of(["cat", "dog"], manifest, splits=["train", "test"] * 3)
    assert "engine book: encoder deskew-hog, strategy margin" in text
    assert "3 single answers, 1 confirmed pages, 9 key presses" in text
    assert r"by ada, \<b\>" in text
    assert "Splits: train 3, test 3" in text


def test_an_estimate_is_called_one_and_what_repeats_and_blind_questions_say_is_there(card_of: Any) -> None:
    said = {"statement": "91 of 100 right on random questions"}
    text = card_of(["cat", "dog"], {"estimate": said})
    assert "An estimate, no certificate: 91 of 100 right on random questions" in text
    assert "not known" not in text
    assert "How far can the answers" not in text
    text = card_of(["cat", "dog"], {"self_agreement": {"statement": "9 of 10"}, "sway": {"statement": "<b>"}})
    assert "not known" in text
    assert "## How far can the answers be trusted?\n\n- 9 of 10\n- \\<b\\>\n" in text


def test_the_curve_stands_where_there_was_an_audit_with_its_intervals(card_of: Any) -> None:
    row = {"coverage": 0.5, "least_score": 0.875, "looked_at": 20, "right": 19, "accuracy": 0.95}
    rows = [row | {"low": 0.751, "high": 0.999, "confidence": 0.95}]
    text = card_of(["cat", "dog"], {"certificate": CERTIFICATE, "coverage_accuracy": rows})
    assert "| 50 % | 0.875 | 20 | 95.0 % | 75.1 to 99.9 % |" in text
    assert "Each interval (95 %) is its row's alone" in text
    assert "looked at" not in card_of(["cat", "dog"], {"coverage_accuracy": []})


def test_options_reach_and_unseen_classes_are_said(card_of: Any) -> None:
    manifest = {
        "options": {"control": 0.1, "encoder": "hog", "features": "a|b"},
        "configuration": {"percentile": 20.0},
        "unseen_class": {"labels": 8, "once": 2, "chance": 0.25},
    }
    text = card_of(["cat", "dog"], manifest)
    assert r"options given: control 0\.1, features a\|b" in text
    assert "labels spread to the closest 20 % of each cluster" in text
    assert "about 25.0 % of the answers would be of one (classes with one given label, by given labels: 2 of 8" in text


def test_hostile_class_names_are_text(card_of: Any) -> None:
    name = "[x](http://e.org)|<script>`\n# **b** \x1b[2J\u202e"
    text = card_of([name, "dog"])
    row = next(line for line in text.splitlines() if "script" in line)
    assert len(re.findall(r"(?<!\\)\|", row)) == 6  # the table has its five columns still
    for mark in ("[", "]", "(", "<", ">", "`", "*", "#"):
        assert re.search(rf"(?<!\\){re.escape(mark)}", row) is None
    assert "\x1b" not in text
    assert "\u202e" not in text


@given(st.text(max_size=60))
def test_every_mark_of_markdown_is_escaped_and_no_line_is_begun(text: str) -> None:
    shown = plain(text)
    assert "\n" not in shown
    assert not re.search(r"[`*_<>|\[\]#&]", re.sub(r"\\.", "", shown))


def test_the_same_export_has_the_same_card_and_its_hash_is_in_the_manifest(card_of: Any, tmp_path: Path) -> None:
    assert card_of(["cat", "dog"]) == card_of(["cat", "dog"])
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    assert "README.md" in manifest["files"]


def test_beside_a_file_the_manifest_has_the_figures(make_rows: Any, tmp_path: Path) -> None:
    rows = make_rows(["a", "b", "c"], ["cat", "dog"], [0, 0, 1])
    write_export(CsvExporter(), rows, tmp_path / "x.csv", {}, force=False)
    manifest = json.loads((tmp_path / "x.csv.manifest.json").read_text())
    assert manifest["counts"]["class_provenance"] == {"cat": {"human": 1, "propagated": 1}, "dog": {"human": 1}}
    assert manifest["card"].startswith("# A labeled image set\n\n3 labels")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["x.csv", "x.csv.manifest.json"]
