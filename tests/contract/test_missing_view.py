"""Every command that settles the views of a pool says which of them is not here, on stderr and in what it writes."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from labeler import cli  # noqa: F401 - the commands register themselves
from labeler.cli.main import main
from labeler.plugins import registry
from labeler.plugins.builtin import Plugin
from labeler.project.open import open_project
from labeler.worker import pipeline as pipeline_module

N = 40
pytestmark = pytest.mark.slow

SETTLE = {
    "status": ["status", "{project}"],
    "status --json": ["status", "{project}", "--json"],
    "why": ["why", "{project}", "{machine}"],
    "clusters": ["clusters", "{project}"],
    "clusters --json": ["clusters", "{project}", "--clusters", "3", "--json"],
    "search": ["search", "{project}", "--like", "{machine}"],
    "search --json": ["search", "{project}", "--like", "{machine}", "--json"],
    "outliers": ["outliers", "{project}"],
    "outliers --json": ["outliers", "{project}", "--json"],
    "hunt": ["hunt", "{project}", "--class", "a"],
    "hunt --json": ["hunt", "{project}", "--class", "a", "--json"],
    "predict": ["predict", "{project}", "{source}", "-o", "{folder}/new.csv"],
    "predict --json": ["predict", "{project}", "{source}", "--json"],
    "export": ["export", "{project}", "{folder}/labels.csv"],
    "export -": ["export", "{project}", "-"],
    "export a model": ["export", "{project}", "{folder}/model.npz", "--format", "model"],
    "audit": ["audit", "{project}", "--draw", "{folder}/drawn.csv"],
    "replay": ["replay", "{project}"],
    "label": ["label", "{project}"],
}
"""Requests by name, each of a command that is shown, or lets leave, what the views of a pool make."""
FRESH = {"simulate": ["simulate", "{source}", "--truth", "{truth}", "--clicks", "4", "--json"]}
"""Requests of a project of their own, which nobody labeled by other views before."""
SETTLE_NONE = {
    "demo": "handwriting, of which there is one view",
    "features": "has no project",
    "import-labels": "takes labels in, no view is asked",
    "merge": "merges journals",
    "plugins": "has no pool",
    "models": "has no pool",
    "check": "reads what is stored",
    "backup": "copies",
    "restore": "copies",
}


def colors() -> np.ndarray:
    """Pictures in two colors, with noise."""
    rng = np.random.default_rng(0)
    grounds = np.array([[200, 60, 60], [60, 60, 200]])[np.arange(N) % 2]
    return np.clip(grounds[:, None, None] + rng.normal(0, 25, (N, 16, 16, 3)), 0, 255).astype(np.uint8)


@pytest.fixture(scope="module")
def labeled(tmp_path_factory):
    """Two projects of which a view beside the first one led, "p" with a later round without it: their folder, and an
    instance that the machine labels."""
    folder = tmp_path_factory.mktemp("colors")
    (folder / "photos").mkdir()
    for row, picture in enumerate(colors()):
        Image.fromarray(picture).save(folder / "photos" / f"{row:02d}.png")
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(pipeline_module, "further_views", lambda encoder, reason: [("pixels", True)])
        with open_project(folder / "photos", folder / "led.labeler.db") as project:
            session = project.session
            for row in range(20):
                session.label(session.pool.ids[row], session.classes.id_for("ab"[row % 2]))
            closing = project.closing_round()
            assert "lead" in closing.facts
            machine = session.pool.ids[int(np.flatnonzero(closing.provenances > 2)[0])]
        shutil.copy(folder / "led.labeler.db", folder / "p.labeler.db")
        monkeypatch.setattr(pipeline_module, "further_views", lambda encoder, reason: [])
        with open_project(folder / "p.labeler.db") as project:
            assert "lead" not in project.closing_round().facts
    (folder / "truth.csv").write_text("path,label\n" + "".join(f"{row:02d}.png,{'ab'[row % 2]}\n" for row in range(N)))
    return folder, machine


@pytest.fixture
def request_of(labeled, tmp_path, monkeypatch):
    """Runs a request on a copy of a project: its outcome, and the folder it writes to."""
    monkeypatch.setenv("TEXTUAL_DRIVER", "none")
    monkeypatch.setattr("labeler.ui.app.run", lambda opener, **_: opener.run() and 0)
    folder, machine = labeled
    places = {
        "project": tmp_path / "p.labeler.db", "source": folder / "photos", "truth": folder / "truth.csv",
        "folder": tmp_path, "machine": machine,
    }  # fmt: skip

    def run(arguments, project="p.labeler.db"):
        shutil.copy(folder / project, places["project"])
        done = CliRunner().invoke(main, [part.format(**places) for part in arguments])
        assert done.exit_code == 0, done.output
        return done, tmp_path

    return run


@pytest.fixture
def no_extra(monkeypatch):
    """The extra of the view that led is not installed."""
    line = Plugin("encoder", "pixels", "nowhere:Net", "a network", "photos", ("no_such_module_of_labeler",))
    monkeypatch.setitem(registry._TABLE["encoder"], "pixels", line)
    monkeypatch.setattr(pipeline_module, "further_views", lambda encoder, reason: [])


@pytest.fixture
def broken(monkeypatch):
    """The view that led is here and does not work."""

    def fail(self):
        raise ValueError("other weights")

    line = Plugin("encoder", "net", "", "a network", "photos", thing=type("Net", (), {"__init__": fail}))
    monkeypatch.setitem(registry._TABLE["encoder"], "net", line)
    monkeypatch.setattr(pipeline_module, "further_views", lambda encoder, reason: [("net", True)])


def test_every_command_is_here():
    settled = {arguments[0] for arguments in (*SETTLE.values(), *FRESH.values())}
    assert not settled & set(SETTLE_NONE)
    assert settled | set(SETTLE_NONE) == set(main.commands), "does the new one settle the views of a pool?"


def check(done, folder, words):
    """One line on stderr, and the same in JSON and in each manifest."""
    lines = [line for line in done.stderr.splitlines() if words in line]
    assert len(lines) == 1, done.stderr
    notes = [json.loads(done.stdout)["notes"]] if done.stdout.startswith("{") else []
    notes += [json.loads(path.read_text())["notes"] for path in folder.glob("*.manifest.json")]
    assert all(sum(words in note for note in written) == 1 for written in notes)
    return notes


@pytest.mark.parametrize("name", SETTLE)
def test_a_view_whose_extra_is_missing_is_said(request_of, no_extra, name):
    notes = check(*request_of(SETTLE[name]), "pip install '.[photos]', or labels may differ")
    writes = "json" in name or name in ("predict", "export", "export a model")
    assert bool(notes) == writes


@pytest.mark.parametrize("name", [*(name for name in SETTLE if "json" not in name and name != "label"), *FRESH])
def test_a_view_that_does_not_work_is_said(request_of, broken, name):
    check(*request_of((SETTLE | FRESH)[name], "led.labeler.db"), "net is left out, it does not work here: ")


@pytest.mark.parametrize("name", ["predict", "clusters", "outliers", "export"])
def test_nothing_is_said_where_all_views_are_here(request_of, monkeypatch, name):
    monkeypatch.setattr(pipeline_module, "further_views", lambda encoder, reason: [("pixels", True)])
    done, _ = request_of(SETTLE[name])
    assert "features" not in done.stderr
    assert "left out" not in done.stderr


@pytest.mark.parametrize("anew", [[], ["--clusters", "3"]], ids=["its own", "anew"])
def test_clusters_of_a_view_that_is_not_here_are_those_of_a_round_by_the_views_that_are(request_of, no_extra, anew):
    done, _ = request_of(["clusters", "{project}", "--json", *anew], "led.labeler.db")
    report = json.loads(done.stdout)
    assert report["encoder"] == "scattering"
    own, _ = request_of(["clusters", "{project}", "--json", *anew], "p.labeler.db")  # by these views alone
    assert json.loads(own.stdout) | {"notes": []} == report | {"notes": []}


def test_the_closing_round_that_was_kept_says_it_again(request_of, no_extra):
    for _ in range(2):  # the second time nothing is computed
        check(*request_of(SETTLE["status"]), "pip install '.[photos]'")


def test_predictions_without_the_view_are_said_to_be_so_for_python_too(labeled, no_extra):
    import labeler

    folder, _ = labeled
    with labeler.open(folder / "photos", folder / "p.labeler.db") as project:
        assert any("pip install" in note for note in project.predict(folder / "photos").notes)
