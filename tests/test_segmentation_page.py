"""docs/segmentation.md, followed from top to bottom."""

from __future__ import annotations

import csv
import json
import re
import shlex
import sys
from pathlib import Path

from labeler import cli

PAGE = (Path(__file__).parent.parent / "docs/segmentation.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```", PAGE, re.M | re.S)


def test_the_page_does_what_it_says(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("TEXTUAL_DRIVER", raising=False)
    out, ran = "", []
    for language, block in BLOCKS:
        if language == "python":
            exec(compile(block, "segmentation.md", "exec"), {})  # noqa: S102 -- the page's own
            continue
        if language == "text":
            lines = iter(out.splitlines())
            for wanted in block.splitlines():
                assert any(wanted == given for given in lines), wanted  # in this order
            continue
        for line in block.splitlines():
            monkeypatch.setattr(sys, "argv", shlex.split(line))
            try:
                cli.run(0.0)
                code = 0
            except SystemExit as ended:
                code = int(ended.code or 0)
            out, err = capsys.readouterr()
            assert "Traceback" not in out + err
            assert code == (2 if line.startswith("labeler label ") else 0), err
            assert code == 0 or "needs a terminal" in err
            ran.append(line.split()[1])
            if ran[-1] == "simulate":
                assert f"label {100 * json.loads(out)['final']['labels_accuracy']:.0f} % right" in PAGE
    assert ran == ["clusters", "clusters", "clusters", "label", "simulate", "clusters", "outliers", "export", "predict"]
    with open(tmp_path / "predicted.csv", newline="") as file:
        predicted = {row["id"]: row["label"] for row in csv.DictReader(file)}
    with open(tmp_path / "wine.csv", newline="") as file:
        right = [predicted[row["id"]] == row["label"] for row in csv.DictReader(file)]
    assert len(right) == 178
    assert sum(right) > 165
