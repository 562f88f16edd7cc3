"""Pools of no instance, one, two, and fifty that are all alike: each command works, or says one clear line."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image

from labeler.project.open import Options, open_project
from labeler.ui.app import LabelerApp
from tests.ui.support import screen_text, settle
from tests.ui.test_end_to_end import until

pytestmark = pytest.mark.timeout(300)

KINDS = ("folder", "npz", "table", "csv")
QUICK = ("folder", "csv")
"""Tried by every change; the others by the slow tests."""
SIZES = {"one": (1, False), "two": (2, False), "two alike": (2, True), "fifty alike": (50, True)}
NAMES = ("x", "y")


def make(kind, n, alike, folder):
    """A source of `n` instances and its truth, every other one of each class."""
    pixels = np.random.default_rng(3).integers(0, 255, (n, 8, 8), dtype=np.uint8)
    if alike:
        pixels[:] = pixels[:1]
    truth = [NAMES[row % 2] for row in range(n)]
    if kind in ("npz", "table"):
        X = pixels if kind == "npz" else pixels.reshape(n, 64).astype(np.float32)
        np.savez(folder / "pool.npz", X=X, y=np.array(truth, dtype="U1"))
        return folder / "pool.npz", "y"
    ids = [f"r{row}" if kind == "csv" else f"{row}.png" for row in range(n)]
    (folder / "truth.csv").write_text(
        "id,label\n" + "".join(f"{one},{of}\n" for one, of in zip(ids, truth, strict=True))
    )
    if kind == "csv":
        rows = (f"{one},{image[0, 0]},{image[0, 1]}\n" for one, image in zip(ids, pixels, strict=True))
        (folder / "pool.csv").write_text("id,width,height\n" + "".join(rows))
        return folder / "pool.csv", folder / "truth.csv"
    (folder / "pool").mkdir()
    for one, image in zip(ids, pixels, strict=True):
        Image.fromarray(image).save(folder / "pool" / one)
    return folder / "pool", folder / "truth.csv"


@pytest.fixture
def source(request, tmp_path):
    """(source, truth, number of instances)"""
    kind, size = request.param
    n, alike = SIZES.get(size, (0, False))
    return *make(kind, n, alike, tmp_path), n


every_source = pytest.mark.parametrize(
    "source",
    [
        pytest.param((kind, size), id=f"{kind} {size}", marks=[] if kind in QUICK else [pytest.mark.slow])
        for kind in KINDS
        for size in SIZES
    ],
    indirect=True,
)


@pytest.mark.parametrize("source", [(kind, "none") for kind in KINDS], ids=" ".join, indirect=True)
def test_a_pool_of_nothing_is_refused(source, refused, tmp_path):
    place, truth, _ = source
    left = sorted(tmp_path.iterdir())
    for words in (
        ("simulate", place, "--truth", truth, "--clicks", 5),
        ("simulate", place, "--truth", truth, "--clicks", 5, "--engine", "book"),
        ("clusters", place),
    ):
        said = refused(*map(str, words))
        assert "empty" in said or "no rows" in said
    with pytest.raises(Exception, match=r"empty|no rows"):
        open_project(place, tmp_path / "pool.labeler.db")
    assert sorted(tmp_path.iterdir()) == left


@pytest.mark.slow
@every_source
def test_a_session_is_simulated(source, labeler):
    place, truth, n = source
    for more in ((), ("--engine", "book"), ("--grids",), ("--baseline", "all"), ("--baseline", "random")):
        done = labeler("--quiet", "simulate", place, "--truth", truth, "--clicks", "5", "--json", *more)
        assert done.returncode == 0, done.stderr
        found = json.loads(done.stdout)
        assert found["n_instances"] == n
        assert found["final"]["clicks"] <= min(5, n)
        if n <= 5 and not more:
            assert found["final"]["labels_accuracy"] == 1.0
    done = labeler("--quiet", "simulate", place, "--truth", truth, "--clicks", "5", "--test", "0.9")
    assert done.returncode == (2 if n <= 2 and round(0.9 * n) == n else 0), done.stderr


@pytest.mark.mostly_slow
@pytest.mark.parametrize("engine", ["default", "book"])
@every_source
def test_every_command_on_a_project(source, engine, labeler, refused, tmp_path):
    place, _, n = source
    project = tmp_path / "p.labeler.db"
    with open_project(place, project, Options(engine=engine)) as opened:
        opened.closing_round()
        ids = list(opened.session.pool.ids)
    assert "nothing is labeled" in refused("export", project, "none.csv")
    assert "nothing is labeled" in refused("predict", project, place)
    answers = min(n, 2)
    for given in range(answers):
        with open_project(project) as opened:
            session = opened.session
            session.label(ids[given], session.classes.id_for(NAMES[given], setup=True))
            opened.closing_round()
        facts = json.loads(labeler("status", project, "--json").stdout)
        assert (facts["n_instances"], facts["answers"]) == (n, given + 1)
        assert facts["advice"]["text"]
        for words in (
            ("status", project),
            ("why", project, ids[-1]),
            ("export", project, f"{given}.csv", "--include", "predicted"),
            ("check", project),
            ("replay", project),
            ("clusters", project),
            ("search", project, "--like", ids[0]),
            ("outliers", project),
            ("predict", project, place),
            ("backup", project),
        ):
            done = labeler(*words)
            assert done.returncode == 0, (words, done.stdout, done.stderr)
        rows = (tmp_path / f"{given}.csv").read_text().splitlines()
        assert given + 2 <= len(rows) <= n + 1
    spread = n > answers
    done = labeler("audit", project, "--draw", "check.csv")
    assert done.returncode == (0 if spread else 2), done.stderr
    if not spread:
        assert len(done.stderr.splitlines()) == 2
        return
    drawn = [line.split(",")[0] for line in (tmp_path / "check.csv").read_text().splitlines()[1:]]
    assert drawn
    assert set(drawn) <= set(ids[2:])
    (tmp_path / "checked.csv").write_text("id,label\n" + "".join(f"{one},x\n" for one in drawn))
    assert labeler("audit", project, "--answers", "checked.csv").returncode in (0, 1)
    assert labeler("export", project, "last.npz").returncode == 0
    assert labeler("check", project).returncode == 0


@pytest.mark.slow
@every_source
async def test_the_application_labels_it_to_the_end(source, tmp_path):
    place, _, n = source
    answers = min(n, 3)
    with open_project(place, tmp_path / "p.labeler.db", Options(classes=NAMES)) as project:
        app = LabelerApp(project)
        async with app.run_test(size=(80, 24)) as pilot:
            await until(lambda: app.view is not None and app.view.question is not None)
            await settle(app, pilot)
            for count in range(1, answers + 1):
                assert app.screen.target() is not None
                await pilot.press(NAMES[count % 2])
                await settle(app, pilot)
                assert project.view().answers == count
            for key in "RGTDSMCKOE":
                await pilot.press(key)
                await settle(app, pilot)
                assert "Traceback" not in screen_text(app)
                while len(app.screen_stack) > 2:
                    await app.pop_screen()
            await settle(app, pilot)
            assert project.view().open_questions == n - answers
        assert app.return_code in (0, None)
