"""The simulated person: the report's keys, and that the person does not know how many clicks will follow."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image

from labeler.commands.simulate import Simulation, curve_rows, hold_out, simulate, thin
from labeler.commands.simulate.oracle import Oracle
from labeler.core.errors import LabelerError, SourceError, UsageError
from labeler.project.open import Options, open_project
from labeler.worker import pipeline as pipeline_module
from labeler.worker.further_views import FurtherViews
from labeler.worker.pipeline import Pipeline

BOOK = Options(engine="book", n_clusters=12)
TOP = {
    *("source", "n_instances", "classes", "engine", "encoder", "clusterer", "classifier", "strategy", "seed"),
    *("curve", "final", "keys_to", "seconds_to_first_question", "seconds_total", "click_latency_ms", "behind_ms"),
    *("peak_memory_mb", "baseline", "self_agreement", "sway"),
}
ROW = {
    *("clicks", "keys", "labels_accuracy", "coverage", "propagated_precision", "test_accuracy"),
    *("propagated_share", "tiers", "classes", "estimate", "seconds"),
}


@pytest.fixture
def run(few_digits):
    def run(clicks, options=BOOK, **given):
        return simulate(Simulation(few_digits, given.pop("truth", "y"), clicks, options, **given))

    return run


def without_time(rows):
    return [{key: value for key, value in row.items() if key != "seconds"} for row in rows]


def test_the_report_has_the_keys_of_the_contract_and_is_one_json_object(run):
    report = json.loads(json.dumps(run(20, test=0.2).to_json(), allow_nan=False))
    assert set(report) >= TOP
    assert all(set(row) == ROW for row in report["curve"])
    assert report["final"] == report["curve"][-1]
    assert set(report["keys_to"]) == {"0.95", "0.98", "0.99", "0.995"}
    for times in (report["click_latency_ms"], report["behind_ms"]):
        assert set(times) == {"p50", "p95", "max"}
        assert times["p50"] <= times["p95"] <= times["max"]
    assert report["n_instances"] == 120
    assert report["classes"] == list("0123456789")
    assert (report["engine"], report["encoder"], report["seed"]) == ("book", "pixels", 0)
    assert (report["clusterer"], report["classifier"]) == ("kmeans", "logreg")
    assert report["strategy"] == "margin-clusters"
    assert report["baseline"] is None
    assert 0 < report["seconds_to_first_question"] <= report["seconds_total"]
    assert report["peak_memory_mb"] > 10


def test_rows_are_where_the_contract_says_and_shares_are_shares(run):
    report = run(25)
    assert [row["clicks"] for row in report.curve] == [10, 20, 25] == [row["keys"] for row in report.curve]
    for row in report.curve:
        assert row["test_accuracy"] is None
        for share in ("labels_accuracy", "coverage", "propagated_precision"):
            assert 0 <= row[share] <= 1
        assert row["coverage"] >= row["clicks"] / 150
    assert curve_rows(1000) == [10, 20, 50, 100, 200, 500, 1000]
    assert curve_rows(7) == [7]


@pytest.mark.slow
@pytest.mark.parametrize("noise", [0.0, 0.2])
def test_the_row_at_m_clicks_is_the_same_for_every_longer_session(run, noise):
    short, long = (run(clicks, test=0.2, noise=noise) for clicks in (20, 50))
    assert without_time(short.curve) == without_time(long.curve[:2])
    odd = run(15, test=0.2, noise=noise)
    assert without_time(odd.curve[:1]) == without_time(long.curve[:1])


@pytest.mark.slow
def test_the_same_seed_repeats_and_another_does_not(run):
    first, again = run(20), run(20)
    assert without_time(first.curve) == without_time(again.curve)
    other = run(20, Options(engine="book", n_clusters=12, seed=1))
    assert without_time(other.curve) != without_time(first.curve)
    assert other.seed == 1


@pytest.mark.slow
def test_every_instance_answered_is_every_label_right(run):
    report = run(500)
    assert report.final["clicks"] == 150
    assert report.final["labels_accuracy"] == report.final["coverage"] == 1.0
    assert report.final["propagated_precision"] is None
    assert report.keys_to["0.995"] <= 150


@pytest.mark.slow
def test_noise_costs_its_share(run):
    report = run(500, noise=0.3)
    assert report.final["labels_accuracy"] == pytest.approx(0.7, abs=0.12)


@pytest.mark.parametrize("percentile", [0, 20, 100])
def test_a_larger_percentile_propagates_to_more(run, percentile):
    report = run(12, Options(engine="book", n_clusters=12, percentile=percentile))
    final = report.final
    if percentile == 0:
        assert final["coverage"] == pytest.approx(12 / 150, abs=1e-5)
        assert final["propagated_precision"] is None
    else:
        low, high = {20: (0.15, 0.5), 100: (0.6, 1.0)}[percentile]
        assert low < final["coverage"] <= high
        assert final["propagated_precision"] > 0.5


def test_classes_known_beforehand_may_hold_one_that_never_occurs(run):
    classes = (*"0123456789", "never")
    plain, known = run(20), run(20, Options(engine="book", n_clusters=12, classes=classes))
    assert without_time(plain.curve) == without_time(known.curve)


@pytest.mark.mostly_slow
@pytest.mark.parametrize("name", ["book", "random", "all"])
def test_baselines_stand_beside(run, name):
    report = run(20, baseline=name, test=0.2)
    assert report.baseline["name"] == name
    rows = report.baseline["curve"]
    assert all(set(row) == ROW for row in rows)
    if name == "book":
        assert without_time(rows) == without_time(run(20, Options(engine="book"), test=0.2).curve)
    elif name == "all":
        assert [row["clicks"] for row in rows] == [120]
        assert rows[0]["labels_accuracy"] == 1.0
        assert rows[0]["test_accuracy"] > 0.8
    else:
        assert [row["clicks"] for row in rows] == [10, 20]
        assert 0 < rows[-1]["labels_accuracy"] < 1


@pytest.mark.slow
def test_a_held_out_instance_is_never_asked_and_a_thinned_class_is_rare(few_digits, run, tmp_path):
    kept = tmp_path / "kept.labeler.db"
    report = run(300, test=0.25, imbalance="10:1,4", project=kept)
    with np.load(few_digits) as arrays:
        counts = {name: int((arrays["y"] == name).sum()) for name in "0123456789"}
    thinned = sum(max(1, count // 10) if name in "14" else count for name, count in counts.items())
    assert report.n_instances == thinned - round(0.25 * thinned)
    assert report.final["clicks"] == report.n_instances
    with open_project(kept, read_only=True, with_source=False) as project:
        assert len(project.session.pool) == report.n_instances
        assert project.session.view().answers == report.n_instances
        kinds = {event.kind for event in project._store.replay()}
        assert kinds == {"setting", "class_add", "label"}


def test_instances_without_truth_are_not_asked_and_in_no_figure(few_digits, tmp_path, run):
    with np.load(few_digits) as arrays:
        y = arrays["y"]
    ids = open_ids(few_digits)
    truth = tmp_path / "truth.csv"
    truth.write_text("id,label\n" + "".join(f"{ids[row]},{y[row]}\n" for row in range(0, 150, 3)))
    said = []
    report = simulate(Simulation(few_digits, str(truth), 500, BOOK), said.append)
    assert report.n_instances == 50 == report.final["clicks"]
    assert report.final["labels_accuracy"] == 1.0
    assert any("100 instances without truth" in line for line in said)


def open_ids(path):
    from labeler.plugins.importers.detect import open_source

    return list(open_source(path).ids)


def test_an_unreadable_instance_is_named_and_in_no_figure(tmp_path):
    rng = np.random.default_rng(0)
    for number in range(20):
        path = tmp_path / "pool" / f"{'ab'[number % 2]}" / f"{number:02d}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 255, (8, 8), dtype=np.uint8) // (1 + number % 2)).save(path)
    broken = tmp_path / "pool" / "a" / "04.png"
    broken.write_bytes(broken.read_bytes()[:50])
    said = []
    report = simulate(Simulation(tmp_path / "pool", "folders", 100, BOOK), said.append)
    assert report.n_instances == 19 == report.final["clicks"]
    assert report.final["labels_accuracy"] == 1.0
    assert any("a/04.png" in line for line in said)


@pytest.mark.parametrize(
    "wrong",
    [
        {"clicks": 0},
        {"noise": 1.0},
        {"noise": -0.1},
        {"test": 1.0},
        {"test": 0.9999},
        {"baseline": "best"},
        {"imbalance": "ten:1"},
        {"imbalance": "10:x"},
        {"imbalance": "10"},
        {"truth": "nowhere.csv"},
        {"truth": "folders"},
    ],
)
def test_wrong_use_is_one_line_and_a_hint(few_digits, wrong):
    plan = Simulation(**{"source": few_digits, "truth": "y", "clicks": 5, "options": BOOK} | wrong)
    with pytest.raises((UsageError, SourceError)) as caught:
        simulate(plan)
    assert caught.value.hint
    assert "\n" not in caught.value.message


def test_an_existing_project_is_not_written_into(few_digits, tmp_path):
    taken = tmp_path / "x.labeler.db"
    taken.write_text("mine")
    with pytest.raises(LabelerError, match="exists"):
        simulate(Simulation(few_digits, "y", 5, BOOK, project=taken))
    assert taken.read_text() == "mine"


def test_splits_and_thinning_keep_the_order_and_depend_on_the_seed_alone():
    rows = np.arange(100, 200)
    pool, test = hold_out(rows, 0.25, 3)
    assert (len(pool), len(test)) == (75, 25)
    assert sorted([*pool, *test]) == rows.tolist()
    assert (np.diff(pool) > 0).all()
    assert hold_out(rows, 0.25, 3)[1].tolist() == test.tolist() != hold_out(rows, 0.25, 4)[1].tolist()
    labels = ["a", "b"] * 50
    kept = thin(rows, labels, "5:b", 0)
    assert sum(1 for row in kept if row % 2) == 10
    assert len(kept) == 60


def test_the_table_for_a_person_holds_every_row(run):
    text = "\n".join(run(20, baseline="random").lines())
    assert len(text.splitlines()) == 2 + 2 + 1 + 2
    assert "baseline random" in text


@pytest.mark.parametrize("views_after", [0, 4])
def test_further_views_join_when_the_plan_says(tmp_path, monkeypatch, views_after):
    rng = np.random.default_rng(0)
    X = rng.integers(60, 200, (60, 12, 12, 3)).astype(np.uint8)
    X[:30, 3:9, 3:9, 0] = 250
    np.savez(tmp_path / "photos.npz", X=X, y=np.repeat(["red", "plain"], 30))
    monkeypatch.setattr(pipeline_module, "further_views", lambda encoder, reason: [("hog", True)])
    events = []
    join, answer = FurtherViews.join, Oracle.answer
    monkeypatch.setattr(FurtherViews, "join", lambda *a: events.append("join") or join(*a))
    monkeypatch.setattr(Oracle, "answer", lambda *a, **k: events.append("answer") or answer(*a, **k))
    simulate(Simulation(tmp_path / "photos.npz", "y", 8, views_after=views_after))
    assert events.index("join") == views_after


def noted(job, note):
    """Return a method of steps that does as `job` does and hands its result to `note`."""

    def method(*arguments, **options):
        result = yield from job(*arguments, **options)
        note(result)
        return result

    return method


@pytest.mark.mostly_slow
@pytest.mark.parametrize(("sample_answers", "from_sample"), [(None, 20), (0, 0), (7, 7)])
def test_a_big_pool_begins_with_a_sample_as_in_the_application(tmp_path, monkeypatch, sample_answers, from_sample):
    rng = np.random.default_rng(0)
    kinds = np.arange(240) % 4
    X = (rng.normal(size=(4, 6))[kinds] * 5 + rng.normal(size=(240, 6))).astype(np.float32)
    np.savez(tmp_path / "pool.npz", X=X, y=np.array(["a", "b", "c", "d"])[kinds])
    monkeypatch.setattr(pipeline_module, "EARLY_FROM", 200)
    monkeypatch.setattr(pipeline_module, "EARLY_SAMPLE", 60)
    asked, sample, opened = [], [], []
    answer, early = Oracle.answer, Pipeline.early
    monkeypatch.setattr(Oracle, "answer", lambda self, name, **k: asked.append(name) or answer(self, name, **k))
    monkeypatch.setattr(Pipeline, "open", noted(Pipeline.open, lambda _: opened.append(len(asked))))
    monkeypatch.setattr(Pipeline, "early", noted(early, lambda queue: sample.append(queue)))
    report = simulate(Simulation(tmp_path / "pool.npz", "y", 30, sample_answers=sample_answers))
    assert opened == [0]
    assert [row["clicks"] for row in report.curve] == [10, 20, 30]
    assert report.final["labels_accuracy"] > 0.9
    if not from_sample:
        assert sample == []
        return
    names = [str(row) for row in sample[0].indices]
    assert [name.rpartition("#")[2].lstrip("0") or "0" for name in asked[:from_sample]] == names[:from_sample]
    assert 0 < report.seconds_to_first_question < report.seconds_total
