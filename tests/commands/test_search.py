"""Where odd begins: the percentile of the density, a score of one's own, and what is said of each instance."""

import json
import queue

import numpy as np
import pytest
from click.testing import CliRunner

from labeler.cli.main import main
from labeler.commands.hunt import likeliest_of
from labeler.commands.outliers import Cut, odd_ones
from labeler.commands.ranks import COUNT
from labeler.core import steps
from labeler.core.errors import UsageError
from labeler.core.protocols import Engine
from labeler.plugins.outliers.sampling import scored
from labeler.project.open import open_project


@pytest.fixture
def project(tmp_path):
    """200 rows near a plane, 8 far from it."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(208, 4)).astype(np.float32)
    X[200:] *= 12
    np.savez(tmp_path / "pool.npz", X=X)
    with open_project(tmp_path / "pool.npz", tmp_path / "pool.labeler.db") as opened:
        yield opened


def test_the_share_is_the_percentile_of_the_density(project):
    features = project.open_pipeline().features()
    densities = -steps.run(scored(np.asarray(features), "density", 0)).astype(np.float64)
    odd = set(np.flatnonzero(densities < np.percentile(densities, 4)).tolist())  # as the source does it
    found = odd_ones(project, "density", cut=Cut(share=0.04))
    assert set(found.indices.tolist()) == odd
    assert len(odd) == 9
    assert found.query["cut"] == pytest.approx(-np.percentile(densities, 4))
    assert found.beyond.all()


def test_a_threshold_takes_all_that_score_above_it_and_none_at_it(project):
    scores = odd_ones(project, "pca").numbers
    border = float(scores[5])
    found = odd_ones(project, "pca", cut=Cut(threshold=border))
    assert found.numbers.tolist() == scores[:5].tolist()
    assert found.query["n_beyond"] == 5
    assert len(odd_ones(project, "pca", cut=Cut(threshold=1e9)).indices) == 0


def test_a_number_of_ones_own_shows_who_is_inside(project):
    found = odd_ones(project, "pca", 12, cut=Cut(share=0.04))
    assert found.beyond.tolist() == [True] * 9 + [False] * 3
    said = found.to_json()
    assert [row["beyond"] for row in said["found"]] == [True] * 9 + [False] * 3
    assert said["n_beyond"] == 9
    assert said["found"][8]["score"] > said["cut"] >= said["found"][9]["score"]
    lines = found.lines()
    assert sum("inside the cut" in line for line in lines) == 3
    assert lines[-1].startswith("12 instances of 208; 9 beyond the cut")


def test_rejected_ones_do_not_move_the_cut(project):
    first = odd_ones(project, "pca", 1).indices[0]
    project.session.reject(project.session.pool.ids[int(first)])
    found = odd_ones(project, "pca", cut=Cut(share=0.04))
    assert first not in found.indices
    scores = np.sort(odd_ones(project, "pca", 208).numbers.astype(np.float64))
    assert len(scores) == 207
    assert found.query["cut"] == pytest.approx(np.percentile(scores, 96))


def test_without_a_cut_nothing_is_said_of_one(project):
    found = odd_ones(project, None)
    assert len(found.indices) == COUNT
    said = found.to_json()
    assert (said["cut"], said["n_beyond"]) == (None, None)
    assert "beyond" not in said["found"][0]
    assert "cut" not in "\n".join(found.lines())


@pytest.mark.parametrize(
    "cut",
    [{"share": 0.0}, {"share": 1.0}, {"share": float("nan")}, {"threshold": float("inf")}, {"threshold": float("nan")}],
)
def test_impossible_cuts_are_refused(cut):
    with pytest.raises(UsageError):
        Cut(**cut)


def test_the_command_takes_one_of_the_two(project, tmp_path):
    project.close()
    file = str(tmp_path / "pool.labeler.db")
    run = CliRunner().invoke(main, ["outliers", file, "--share", "0.04", "--json", "--method", "density"], obj=0.0)
    assert run.exit_code == 0, run.output
    said = json.loads(run.stdout)
    assert len(said["found"]) == said["n_beyond"] == 9
    both = CliRunner().invoke(main, ["outliers", file, "--share", "0.04", "--threshold", "3"], obj=0.0)
    assert isinstance(both.exception, UsageError)


class TestHunt:
    @pytest.fixture
    def digits(self, few_digits, tmp_path):
        with np.load(few_digits) as arrays:
            y = arrays["y"]
        with open_project(few_digits, tmp_path / "d.labeler.db") as opened:
            session = opened.session
            for index in [int(np.flatnonzero(y == "3")[0]), *np.flatnonzero(y != "3")[:6].tolist()]:
                session.label(session.pool.ids[index], session.classes.id_for(str(y[index]), setup=True))
            yield opened, y

    def test_the_likeliest_of_a_class_come_first_and_none_has_an_answer(self, digits):
        project, y = digits
        found = likeliest_of(project, "3", 8)
        assert (y[found.indices] == "3").mean() >= 0.75
        assert not set(found.indices.tolist()) & set(project.session.state.answers)
        said = found.to_json()
        assert (said["class"], said["examples"], len(said["found"])) == ("3", 1, 8)
        assert all(row["distance"] > 0 for row in said["found"])

    @pytest.mark.slow
    def test_the_worker_says_the_same(self, digits):
        project, _ = digits
        said: queue.Queue = queue.Queue()
        project.engine.start(said.put)
        while not project.engine.is_ready:
            project.engine.receive(said.get(timeout=60))
        class_id = project.session.classes.named("3").class_id
        pending = project.engine.request(Engine.hunt, class_id, 5, np.empty(0, dtype=np.int64))
        while not pending.is_done:
            project.engine.receive(said.get(timeout=60))
        wanted = likeliest_of(project, "3", 5).indices.tolist()
        assert pending.results.pop().tolist() == wanted

    def test_no_such_class_and_none_of_it_are_said(self, digits):
        project, _ = digits
        project.session.classes.add("unseen")
        with pytest.raises(UsageError, match="no class 'ghost'"):
            likeliest_of(project, "ghost", 5)
        with pytest.raises(UsageError, match="nothing is labeled 'unseen' yet"):
            likeliest_of(project, "unseen", 5)

    def test_the_command(self, digits, tmp_path):
        digits[0].close()
        run = CliRunner().invoke(
            main, ["hunt", str(tmp_path / "d.labeler.db"), "--class", "3", "-n", "4", "--json"], obj=0.0
        )
        assert run.exit_code == 0, run.output
        assert len(json.loads(run.stdout)["found"]) == 4
