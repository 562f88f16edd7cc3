"""`import labeler`: the pages on it run as they stand, and what they do not say."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import labeler
import labeler.project.open
import labeler.worker.protocol
from labeler.core.errors import PROJECT_ERRORS, LabelerError, UsageError
from labeler.plugins import custom, registry
from labeler.project.open import open_project
from labeler.session.quality.blind import sway
from labeler.session.quality.random_sample import estimate

ROOT = Path(__file__).parent.parent


def python_blocks(page: str) -> list[str]:
    return re.findall(r"^```python\n(.*?)^```", (ROOT / page).read_text(encoding="utf-8"), re.M | re.S)


@pytest.fixture(autouse=True)
def _nothing_of_ones_own_stays():
    yield
    for own in registry._OWN.values():
        own.clear()
    custom._loaded.clear()


@pytest.fixture
def photos(tmp_path, monkeypatch):
    """Two folders of photos of two tones, and new ones."""
    rng = np.random.default_rng(0)
    for kind, tone in (("cats", 60), ("dogs", 180)):
        (tmp_path / "photos" / kind).mkdir(parents=True)
        for number in range(20):
            pixels = np.clip(rng.normal(tone, 20, (16, 16, 3)), 0, 255).astype(np.uint8)
            Image.fromarray(pixels).save(tmp_path / "photos" / kind / f"{number}.jpg")
    shutil.copytree(tmp_path / "photos" / "cats", tmp_path / "new")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    env = os.environ | {"PYTHONPATH": str(ROOT), "XDG_DATA_HOME": str(folder / "data"), "NO_COLOR": "1"}
    command = [sys.executable, "-m", "labeler", *arguments]
    return subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, timeout=100)


class TestPages:
    @pytest.mark.slow
    def test_the_page_on_the_api_runs_from_top_to_bottom(self, photos, capsys):
        space: dict = {}
        for block in python_blocks("docs/api.md"):
            exec(block, space)  # noqa: S102 - the page's own lines
        said = capsys.readouterr().out
        assert "40 images; ['cats', 'dogs']" in said
        assert len(space["new"].ids) == 20
        assert space["features"].shape[0] == 20
        assert space["own"].score(space["Z"], space["y"]) > 0.9
        assert "RandomForestClassifier" in said
        assert (photos / "labels.csv").read_text().count("\n") > 8
        with open_project(photos / "api.labeler.db") as project:
            assert project.session.state.answers.n_single == 8

    @pytest.mark.slow
    def test_the_tutorial_writes_a_strategy_in_20_lines_that_works(self, photos):
        (code,) = python_blocks("docs/tutorial-strategy.md")
        assert len([line for line in code.splitlines() if line.strip()]) <= 20
        (photos / "ratio.py").write_text(code)
        (photos / "datasets").symlink_to(ROOT / "datasets")
        page = (ROOT / "docs/tutorial-strategy.md").read_text()
        lines = [line for line in page.splitlines() if line.startswith("labeler ")]
        assert {shlex.split(line)[1] for line in lines} == {"plugins", "simulate", "label"}
        for line in lines:
            done = run(photos, *shlex.split(line)[1:])
            assert "Traceback" not in done.stderr
            if " label " in line:
                assert "needs a terminal" in done.stderr
            else:
                assert done.returncode == 0, done.stderr
            if " plugins " in line:
                assert "power = 1.0" in done.stdout
                assert "neck and neck" in done.stdout
            if "power=2" in line:
                assert '"strategy": "ratio:power=2"' in done.stdout
        custom.load(photos / "ratio.py")
        for k in (1, 4):
            proba = np.random.default_rng(0).dirichlet(np.ones(k), 30).astype(np.float32)
            utilities = registry.create("strategy", "ratio").utilities(proba, np.random.default_rng(0))
            assert utilities.shape == (30,)
            assert np.isfinite(utilities).all()
        with pytest.raises(UsageError, match="power is above 0"):
            registry.create("strategy", "ratio:power=-1")

    @pytest.mark.slow
    def test_the_file_of_the_page_brings_its_encoder(self, photos):
        (function,) = re.findall(r"^def tones.*?(?=^def )", python_blocks("docs/api.md")[2], re.M | re.S)
        decorator = '@labeler.plugin("encoder", "tones")'
        assert decorator in (ROOT / "docs/api.md").read_text()
        (photos / "tones.py").write_text(f"import numpy as np\nimport labeler\n\n{decorator}\n{function}")
        page = (ROOT / "docs/api.md").read_text()
        lines = [shlex.split(line)[1:] for line in page.splitlines() if line.startswith("labeler ")]
        assert [line[0] for line in lines] == ["label", "plugins"]
        assert "needs a terminal" in run(photos, *lines[0]).stderr
        assert "  tones " in run(photos, *lines[1]).stdout
        truth = ["--truth", "folders", "--clicks", "4", "--plugin", "tones.py", "--encoder", "tones"]
        done = run(photos, "simulate", "photos", *truth)
        assert done.returncode == 0, done.stderr
        assert '"encoder": "tones"' in done.stdout


class TestPluginFiles:
    CODE = "import labeler\n@labeler.plugin('strategy', 'mine')\ndef mine(proba, rng):\n    return -proba.max(axis=1)\n"

    @pytest.mark.slow
    def test_a_project_never_runs_a_file_by_itself_and_asks_for_it(self, photos):
        (photos / "mine.py").write_text(self.CODE + "open('ran', 'a').write('x')\n")
        with labeler.open("photos/", "own.labeler.db", classes=["cats", "dogs"]) as project:
            project.answer("cats", "cats/1.jpg")
        custom.load(photos / "mine.py")
        with open_project(photos / "own.labeler.db", options=labeler.project.open.Options(strategy="mine")) as project:
            assert project.recipe().plugins == (str(photos / "mine.py"),)
        (photos / "ran").unlink()
        done = run(photos, "export", "own.labeler.db", "x.csv")
        assert done.returncode == 2
        assert f"the strategy mine of {photos / 'mine.py'}, which is not run unasked" in done.stderr
        assert "--plugin" in done.stderr
        assert run(photos, "status", "own.labeler.db").returncode == 0
        assert not (photos / "ran").exists()
        done = run(photos, "export", "own.labeler.db", "x.csv", "--plugin", "mine.py")
        assert done.returncode == 0, done.stderr
        assert (photos / "ran").read_text() == "x"

    @pytest.mark.slow
    def test_the_worker_runs_it_too(self, photos):
        (photos / "mine.py").write_text(self.CODE)
        custom.load(photos / "mine.py")
        import queue

        said: queue.Queue = queue.Queue()
        options = labeler.project.open.Options(strategy="mine", classes=("cats", "dogs"))
        with open_project(photos / "photos", photos / "own.labeler.db", options) as project:
            project.engine.start(said.put)
            while not project.engine.is_ready:
                message = said.get(timeout=60)
                project.engine.receive(message)
                assert not isinstance(message, labeler.worker.protocol.Failed), message
            project.session.label(project.session.pool.ids[0], 0)
            project.engine.changed()
            while project.session.machine_labels.round is None:
                project.engine.receive(said.get(timeout=60))
            assert project.session.machine_labels.round.facts["strategy"] == "mine"

    def test_a_file_that_changed_is_said(self, photos):
        (photos / "mine.py").write_text(self.CODE)
        options = labeler.project.open.Options(strategy="mine")
        custom.load(photos / "mine.py")
        open_project(photos / "photos", photos / "own.labeler.db", options).close()
        (photos / "mine.py").write_text(self.CODE + "# otherwise\n")
        custom._loaded.clear()
        custom.load(photos / "mine.py")
        with open_project(photos / "own.labeler.db") as project:
            assert "has changed" in " ".join(project.notices)

    @pytest.mark.mostly_slow
    @pytest.mark.parametrize(
        ("code", "said"),
        [
            ("x = 1", "brings no plug-in"),
            ("1/0", "ZeroDivisionError"),
            ("def (", "SyntaxError"),
            ("raise SystemExit(3)", "SystemExit"),
            ("import labeler\n@labeler.plugin('strategy', 'margin')\ndef f(p, r): ...", "of its own"),
            ("import labeler\n@labeler.plugin('strategy', 'a:b')\ndef f(p, r): ...", "cannot be the name"),
            ("import labeler\n@labeler.plugin('nothing', 'a')\ndef f(p, r): ...", "no kind of plug-in"),
            ("import labeler\n@labeler.plugin('classifier', 'a')\nclass A: ...", "is no classifier"),
        ],
    )
    def test_what_is_wrong_with_a_file_is_one_line(self, photos, code, said):
        (photos / "bad.py").write_text(code)
        with pytest.raises(UsageError, match=said):
            custom.load(photos / "bad.py")
        done = run(photos, "plugins", "--plugin", "bad.py")
        assert done.returncode == 2
        assert "Traceback" not in done.stderr

    def test_the_list_names_it_and_a_missing_file_is_said(self, photos):
        (photos / "mine.py").write_text(self.CODE)
        assert "mine" in run(photos, "plugins", "--plugin", "mine.py").stdout
        assert "cannot read" in run(photos, "plugins", "--plugin", "none.py").stderr


def test_packages_bring_plugins_by_entry_points(photos, monkeypatch):
    folder = photos / "site" / "other-1.0.dist-info"
    folder.mkdir(parents=True)
    (folder / "METADATA").write_text("Metadata-Version: 2.1\nName: other\nVersion: 1.0\n")
    points = "mine = other_strategies:Mine\nmargin = other_strategies:Mine\ngone = not_there:Gone\n"
    (folder / "entry_points.txt").write_text(f"[labeler.strategy]\n{points}")
    (photos / "site" / "other_strategies.py").write_text(
        "class Mine:\n    spread_over_clusters = False\n    def utilities(self, proba, rng): return proba[:, 0]\n"
    )
    monkeypatch.syspath_prepend(str(photos / "site"))
    registry._installed.cache_clear()
    try:
        assert "other_strategies" not in sys.modules
        assert "mine" in registry.names("strategy")
        assert registry.entry("strategy", "mine").summary == "from the package other"
        assert "other_strategies" not in sys.modules
        assert type(registry.create("strategy", "mine")).__name__ == "Mine"
        assert type(registry.create("strategy", "margin")).__module__ == "labeler.plugins.query_strategies.uncertainty"
        with pytest.raises(UsageError, match="of other cannot be loaded"):
            registry.create("strategy", "gone")
    finally:
        registry._installed.cache_clear()


class TestOpen:
    @pytest.mark.slow
    def test_importing_loads_nothing_and_unknown_names_are_said(self):
        code = "import sys, labeler; print(*sys.modules); labeler.open; print(*dir(labeler))"
        env = os.environ | {"PYTHONPATH": str(ROOT)}
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=env)
        first, names = done.stdout.splitlines()
        assert not {"numpy", "sklearn", "textual", "labeler.project.open", "sqlite3"} & set(first.split())
        assert {"open", "plugin", "register", "LabelerError"} <= set(names.split())
        with pytest.raises(AttributeError):
            labeler.nothing  # noqa: B018

    def test_what_cannot_be_opened_is_a_labeler_error(self, photos):
        with pytest.raises(LabelerError, match="there is no file"):
            labeler.open("nowhere")
        with pytest.raises(UsageError, match="no option 'clases'"):
            labeler.open("photos", clases=["a"])

        class Bare:
            classes_ = None

            def fit(self, X, y): ...

        with pytest.raises(UsageError, match="no probabilities"):
            labeler.open("photos", "p.labeler.db", classifier=Bare())
        assert not (photos / "p.labeler.db").exists()

    def test_skip_unsure_reject_and_undo(self, photos):
        with labeler.open("photos", "p.labeler.db", classes=["cats", "dogs"]) as project:
            first = project.question
            assert first.image().shape == (16, 16, 3)
            project.skip()
            second = project.question
            assert second.id != first.id
            project.unsure()
            project.reject()
            state = project.session.state
            assert (state.answers.counts["unsure"], state.answers.counts["reject"]) == (1, 1)
            project.undo()
            assert state.answers.counts["reject"] == 0
            project.answer("birds", first.id)
            assert project.classes == ["cats", "dogs", "birds"]
            assert project[first.id].label == "birds"
            assert project[first.id].provenance == "human"
            with pytest.raises(UsageError):
                project.answer("cats", "nowhere.jpg")

    def test_own_plugins_stored_in_a_project_are_missed_in_the_next_process(self, photos):
        def strategy(proba, rng):
            return proba[:, 0]

        with labeler.open("photos", "p.labeler.db", strategy=strategy, classes=["cats", "dogs"]) as project:
            project.answer("cats", "cats/1.jpg")
        registry._OWN["strategy"].clear()
        with labeler.open("p.labeler.db") as project:
            assert len(project) == 40
            with pytest.raises(PROJECT_ERRORS, match="strategy strategy, which is not here"):
                project.round()
        with labeler.open("p.labeler.db", strategy="margin") as project:
            assert project.round().facts["strategy"] == "margin"

    @pytest.mark.slow
    def test_arrays_are_what_an_export_holds(self, photos):
        with labeler.open("photos", "p.labeler.db", classes=["cats", "dogs"]) as project:
            for _ in range(10):
                project.answer(project.question.id.split("/")[0])
            arrays = project.arrays()
            project.export("x.npz")
            with np.load("x.npz", allow_pickle=False) as file:
                assert np.array_equal(file["X"], arrays.X)
                assert np.array_equal(file["y"], arrays.y)
                assert file["provenance"].tolist() == arrays.provenance.tolist()
            assert arrays.X.dtype == np.uint8
            wide = project.arrays(X="features", predicted=True)
            assert wide.X.dtype == np.float32
            assert len(wide.y) >= len(arrays.y)
            with pytest.raises(UsageError, match="X cannot be"):
                project.arrays(X="pixels")


class TestMeasuring:
    """Questions that measure come from Python as they do on the screen."""

    @pytest.fixture
    def opened(self, few_digits, tmp_path):
        def opened(**shares):
            options = {"engine": "book", "n_clusters": 10, "seed": 1} | shares
            return labeler.open(few_digits, tmp_path / "few.labeler.db", **options)

        return opened

    @staticmethod
    def events(project, kind="label"):
        return [event for event in project.session.recorder.journal.replay() if event.kind == kind]

    @staticmethod
    def truth(project):
        return project.project.source.truth()

    def answer_all(self, project, count):
        truth = self.truth(project)
        for _ in range(count):
            project.answer(truth[project.question.id])

    def until_a_repeat(self, project):
        truth = self.truth(project)
        for _ in range(200):
            asked = project.question
            project.answer(truth[asked.id], asked.id)
            if project.session.question.first:
                return project.session.question
        raise AssertionError("no repeat came")

    def test_a_second_answer_is_kept_beside_the_first_and_changes_no_label(self, opened):
        with opened(repeats=0.5) as project:
            truth, second = self.truth(project), 0
            for number in range(90):
                asked = project.question
                pinned = project.session.question
                if pinned.first:
                    first = project.session.state.event(pinned.first)
                    assert (asked.rule, project[asked.id].label) == (first.payload["rule"], truth[asked.id])
                    assert not hasattr(asked, "first")
                    second += 1
                said = "another" if pinned.first else truth[asked.id]
                project.answer(said, asked.id if number % 2 else None)
            repeats = self.events(project, "repeat")
            assert len(repeats) == second >= 10
            assert len(self.events(project)) == 90 - second
            assert {event.payload["screen"] for event in repeats} == {"python"}
            for event in repeats:
                assert project[event.instance_id].label == truth[event.instance_id]

    @pytest.mark.parametrize("said", ["skip", "unsure", "reject"])
    def test_other_second_answers_change_no_label_either(self, opened, said):
        with opened(repeats=0.5) as project:
            pinned = self.until_a_repeat(project)
            label = project[pinned.instance_id].label
            assert project.question.id == pinned.instance_id
            getattr(project, said)()
            assert self.events(project, "repeat")[-1].payload["said"] == said
            assert project[pinned.instance_id].label == label

    def test_a_repeat_is_one_still_after_a_restart(self, opened):
        with opened(repeats=0.5) as project:
            pinned = self.until_a_repeat(project)
        with opened() as project:
            assert project.session.question == pinned
            label = project[pinned.instance_id].label
            project.answer("another")
            assert self.events(project, "repeat")[-1].instance_id == pinned.instance_id
            assert project[pinned.instance_id].label == label

    def test_a_correction_by_name_is_no_second_answer(self, opened):
        """Whoever names an instance that they were not asked about means what they say."""
        with opened(repeats=0.5) as project:
            pinned = self.until_a_repeat(project)
            before = len(self.events(project, "repeat"))
            project.answer("another", pinned.instance_id)
            assert project[pinned.instance_id].label == "another"
            assert len(self.events(project, "repeat")) == before
            how = self.events(project)[-1].payload
            assert (how["screen"], how["rule"]) == ("python", "chosen")
            assert "shown" not in how

    def test_a_blind_question_has_no_guesses_and_is_counted_as_blind(self, opened):
        with opened(blind=0.5) as project:
            self.answer_all(project, 12)
            truth, seen = self.truth(project), {True: 0, False: 0}
            for _ in range(40):
                asked, pinned = project.question, project.session.question
                if pinned.drawn:
                    seen[pinned.blind] += 1
                    assert bool(asked.guesses) is not pinned.blind
                project.answer(truth[asked.id])
            counted = sway(project.session.state)
            assert min(seen.values()) >= 5
            assert counted.unseen >= seen[True]
            assert counted.seen >= seen[False]

    def test_random_questions_come_without_guesses_and_tell_the_accuracy(self, opened):
        with opened(control=0.5) as project:
            self.answer_all(project, 15)
            project.round()
            truth, at_random = self.truth(project), 0
            for _ in range(30):
                asked = project.question
                if asked.rule == "random":
                    at_random += 1
                    assert asked.guesses == ()
                project.answer(truth[asked.id])
            accuracy = estimate(project.session.state)
            assert at_random >= 5
            assert accuracy.n >= at_random
            assert accuracy.active > 0
