"""Rows say what their jobs reported: held, not held, stopped, not installed. The jobs are made up here."""

from __future__ import annotations

import pytest

from tests.benchmarks.conftest import BENCHMARKS


@pytest.fixture
def pools(plain, monkeypatch, tmp_path):
    """Pools of which none is made."""
    module = plain("rows.pools")
    monkeypatch.setattr(module.Pools, "_job", lambda self, kind, n: tmp_path / f"{kind}-{n}")
    return module.Pools(tmp_path)


@pytest.fixture
def used(plain):
    """A made-up run."""
    kind = plain("rows.process").Used
    return lambda cpu=1.0, peak_mb=100.0, ended=True, **facts: kind(cpu, cpu, peak_mb, facts, ended)


def cells(rows, number):
    return [(line.ratio, line.held) for line in rows.lines if line.row == number]


def test_row_1_holds_a_chain_against_the_book_script(plain, monkeypatch, pools, used):
    files = plain("rows.files")
    runs = {
        "book_script": used(80.0, 1600.0, images=70_000),
        "raw": used(10.0, 500.0, spent={"reading": 4.0}),
        "default": used(60.0, 300.0, spent={"reading": 4.0}),
    }
    monkeypatch.setattr(files, "run", lambda command: runs[command[3] if command[3] in runs else command[2][5:]])
    rows = files.measure_representatives(pools)
    assert cells(rows, 1) == [("1/8.0", "yes"), ("1/3.2", "**no**"), ("0.75 x", "yes")]
    assert any("children and end 6.0 s, reading 4.0 s" in text for _, text in rows.notes)


def test_row_6_names_a_peer_that_is_not_installed_and_holds_the_other(plain, monkeypatch, pools, used):
    questions = plain("rows.questions")
    facts = {
        "seconds": {"book": 0.01, "graph": 0.002, "modAL": 0.014},
        "failures": {"scikit-activeml": "not installed"},
    }
    monkeypatch.setattr(questions, "run", lambda command: used(rows=70_000, columns=100, **facts))
    rows = questions.measure_next_question(pools)
    assert cells(rows, 6) == [
        ("", "not measured"),
        ("1.4 x faster", "yes"),
        ("", "not measured"),
        ("7.0 x faster", "yes"),
    ]
    assert rows.lines[0].reference == "scikit-activeml: not installed"


def test_row_9_says_where_it_was_stopped(plain, monkeypatch, pools, used):
    sizes = plain("rows.sizes")
    few = used(rows=70_000, before=100.0, peak=220.0, peaks={"clustering": 220}, stage="done")
    many = used(460.0, ended=False, rows=1_000_000, before=100.0, peak=700.0, peaks={}, stage="looking for neighbours")
    runs = iter([few, used(before=80.0, peak=160.0), many])
    monkeypatch.setattr(sizes, "run", lambda *_: next(runs))
    first, second = sizes.measure_memory(pools).lines
    assert (first.ours, first.held) == ("1.76", "yes")
    assert second.ours == "0.61 (stopped after 460 s while looking for neighbours)"
    assert second.held == "**no**, not to its end"


@pytest.mark.parametrize(
    ("most", "held"),
    [
        ({"cpu": 100.0, "recall": 0.96, "stage": "done"}, ["yes", "yes", "yes"]),
        ({"cpu": 100.0, "recall": 0.94, "stage": "done"}, ["yes", "**no**", "yes"]),
        ({"cpu": 400.0, "recall": 0.99, "stage": "done"}, ["yes", "**no**", "**no**"]),
        ({"cpu": 400.0, "stage": "looking", "ended": False}, ["yes", "**no**", "**no**"]),
        ({"cpu": 30.0, "stage": "looking", "ended": False}, ["yes", "**no**", "not to its end"]),
    ],
)
def test_row_10_judges_the_graph_and_its_growth(plain, monkeypatch, pools, used, most, held):
    sizes = plain("rows.sizes")
    few = used(rows=70_000, cpu=0.0, columns=100, recall=0.98)
    few.facts["cpu"] = 4.0
    many = used(ended=most.pop("ended", True), rows=1_000_000)
    many.facts.update(most)
    runs = iter([used(assign=0.5, product=0.3, kmeans=0.8), few, many, few])
    monkeypatch.setattr(sizes, "run", lambda *_: next(runs))
    assert [line.held for line in sizes.measure_graph(pools).lines] == held


def test_row_11_compares_processor_time(plain, monkeypatch, pools, used):
    saves = plain("rows.saves")
    facts = {"ours": {"cpu": 0.01, "wall": 1.0}, "sqlite_utils": {"cpu": 0.6, "wall": 1.0}}
    monkeypatch.setattr(saves, "run", lambda _: used(**facts))
    assert cells(saves.measure_saved_labels(pools), 11) == [("1/60.0", "yes")]


def test_every_row_has_one_measure(plain):
    all_rows = plain("rows.all_rows")
    assert tuple(range(1, 13)) == all_rows.NUMBERS


def test_growth_is_the_exponent_of_the_rows(plain):
    growth_of = plain("rows.growth").growth_of
    assert growth_of({"cpu": 8.0, "rows": 400}, {"cpu": 1.0, "rows": 100}) == pytest.approx(1.5)


def test_recall_is_the_share_of_the_nearest(plain):
    import numpy as np

    recall = plain("jobs.neighbours").recall
    X = np.arange(40, dtype=np.float32)[:, None] ** 1.5
    apart = np.abs(X - X.T) + np.where(np.eye(40), np.inf, 0)
    exact = np.argsort(apart, axis=1, kind="stable")[:, :10]
    assert recall(X, exact) == 1.0
    half = exact.copy()
    half[:, 5:] = np.arange(40)[:, None]  # oneself is nobody's neighbour
    assert recall(X, half) == 0.5


def test_bent_glyphs_are_glyphs_and_no_two_alike(plain):
    import numpy as np

    pool = plain("jobs.pool")
    images = np.repeat(np.tril(np.full((1, 28, 28), 200, np.uint8)), 50, axis=0)
    bent = pool.bent(images, np.random.default_rng(0))
    assert (bent.shape, bent.dtype) == (images.shape, np.uint8)
    assert len(np.unique(bent.reshape(50, -1), axis=0)) == 50
    assert set(np.unique(bent)) <= {0, 200}
    assert abs(bent.mean() - images.mean()) < 0.15 * images.mean()


@pytest.mark.slow
def test_the_command_measures_some_rows_and_replaces_them_alone(tmp_path):
    from benchmarks.rows.process import run, sys

    table, command = tmp_path / "R.md", [sys.executable, "-m", "benchmarks", "--many", "300", "--output"]
    run([*command, str(table), "11", "12"])
    first = table.read_text(encoding="utf-8").splitlines()
    run([*command, str(table), "11"])
    second = table.read_text(encoding="utf-8").splitlines()
    assert [line for line in first if line.startswith("| 12 ")] == [line for line in second if line.startswith("| 12 ")]
    assert [line.split("|")[1].strip() for line in second if line.startswith("| 1")] == ["11", "12", "12"]
    with pytest.raises(RuntimeError, match="there is no row 13"):
        run([*command, str(table), "13"])
    assert (BENCHMARKS / "RESULTS.md").exists()


@pytest.mark.slow
def test_a_graph_is_measured_on_columns_that_are_made_for_it(tmp_path, monkeypatch):
    from benchmarks.rows.process import job, run

    monkeypatch.delenv("LABELER_DATA", raising=False)
    run(job("pool", "columns", 900, tmp_path / "columns.npy"))
    used = run(job("neighbours", tmp_path / "columns.npy", 600))
    assert (used.facts["rows"], used.facts["recall"], used.facts["stage"]) == (600, 1.0, "done")
