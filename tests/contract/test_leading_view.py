"""Where a further view leads, what is shown or leaves beside the labels is of it: one encoder, by name and array."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

import labeler
from labeler.cli.main import main
from labeler.commands.audit import open_audit
from labeler.commands.clusters import inspect
from labeler.commands.export.export import export
from labeler.commands.export.model import export_model
from labeler.commands.export.rows import features_by
from labeler.commands.hunt import likeliest_of
from labeler.commands.outliers import odd_ones
from labeler.commands.search import nearest_to
from labeler.core import steps
from labeler.core.errors import ExportError, MissingExtra
from labeler.core.numeric.nearest import nearest_of
from labeler.plugins import registry
from labeler.plugins.builtin import Plugin
from labeler.plugins.outliers import DEFAULT
from labeler.plugins.outliers.sampling import scored
from labeler.project.open import open_project
from labeler.project.project import Project
from labeler.worker import pipeline as pipeline_module
from labeler.worker.picture_view import view_of

N = 60
pytestmark = pytest.mark.slow


def gratings() -> np.ndarray:
    """Colour pictures of gratings in three directions: the gradients of `hog` fall into groups, colours do not."""
    rng = np.random.default_rng(0)
    down, right = np.mgrid[:16, :16]
    pictures = np.zeros((N, 16, 16, 3), dtype=np.uint8)
    for row in range(N):
        angle = (row % 3) * np.pi / 3
        wave = np.sin((right * np.cos(angle) + down * np.sin(angle)) * 2 * np.pi / 5 + rng.uniform(0, 2 * np.pi))
        ground, height = rng.uniform(60, 190, 3), rng.uniform(20, 60)
        noise = rng.normal(0, 6, (16, 16, 3))
        pictures[row] = np.clip(ground + height * wave[..., None] + noise, 0, 255)
    return pictures


@pytest.fixture(scope="module")
def hog():
    """The pool in the features of the view that leads."""
    return registry.create("encoder", "hog").fit(gratings()).transform(gratings())


@pytest.fixture(scope="module")
def answered(tmp_path_factory):
    """A project of which every second picture is answered."""
    folder = tmp_path_factory.mktemp("gratings")
    np.savez(folder / "pool.npz", X=gratings())
    Image.fromarray(gratings()[1]).save(folder / "same.png")
    with open_project(folder / "pool.npz", folder / "pool.labeler.db") as project:
        for row in range(0, N, 2):
            session = project.session
            session.label(session.pool.ids[row], session.classes.id_for("abc"[row % 3]))
    return folder / "pool.labeler.db"


@pytest.fixture(autouse=True)
def _hog_may_lead(monkeypatch):
    monkeypatch.setattr(pipeline_module, "further_views", lambda encoder, reason: [("hog", True)])


@pytest.fixture
def project(answered):
    with open_project(answered) as opened:
        yield opened


def test_the_further_view_leads_and_the_pool_was_opened_in_another(project):
    pipeline = project.open_settled_pipeline()
    assert pipeline.prepared.encoder == "scattering"
    assert pipeline.leading(project.session.snapshot()).encoder == "hog"
    assert pipeline.features().shape[1] != pipeline.view("hog").features.shape[1]


@pytest.mark.parametrize(("format_", "array"), [("sklearn", "X"), ("cleanlab", "features")])
def test_the_encoder_of_a_manifest_made_the_features_beside_it(project, tmp_path, hog, format_, array):
    written = export(project, tmp_path / "out.npz", format_)
    manifest = json.loads(written.manifest_path.read_text())
    assert manifest["configuration"]["facts"]["encoder"] == "hog"
    with np.load(tmp_path / "out.npz") as arrays:
        features = arrays[array]
        rows = [project.session.pool.index(name) for name in arrays["ids"].tolist()]
    np.testing.assert_allclose(features, hog[rows], atol=1e-5)


def test_a_model_takes_the_features_of_the_encoder_it_names(project, tmp_path, hog):
    facts = export_model(project, tmp_path / "model.npz", "model").facts
    assert facts["encoder"] == "hog"
    with np.load(tmp_path / "model.npz") as arrays:
        assert str(arrays["encoder"]) == "hog"
        assert arrays["mean"].shape == hog.shape[1:]
    assert facts["n_features"] == hog.shape[1]


def test_python_gets_the_labels_and_the_features_of_one_view(answered, hog):
    with labeler.open(answered.parent / "pool.npz", answered) as project:
        assert project.round().facts["encoder"] == "hog"
        np.testing.assert_allclose(project.features, hog, atol=1e-5)
        np.testing.assert_allclose(project.encode(answered.parent / "same.png")[0], hog[1], atol=1e-5)
        arrays = project.arrays(X="features")
        rows = [project.session.pool.index(name) for name in arrays.ids]
        np.testing.assert_allclose(arrays.X, hog[rows], atol=1e-5)


def test_a_label_is_explained_by_answers_of_its_own_class(answered, project):
    closing = project.closing_round()
    snapshot = project.session.snapshot()
    classes = dict(zip(snapshot.indices.tolist(), snapshot.class_ids.tolist(), strict=True))
    pipeline = project.open_settled_pipeline()
    explained = 0
    for row in range(1, N, 2):
        carriers = pipeline.engine.shares(snapshot, row)
        explained += bool(carriers)
        assert all(classes[index] == closing.labels[row] for index, _ in carriers)
    assert explained > N // 4


def test_why_names_the_shares_of_the_view_that_leads(answered, project):
    snapshot, ids = project.session.snapshot(), project.session.pool.ids
    pipeline, as_opened = project.open_pipeline(), project.open_pipeline()
    steps.run(pipeline.join_companion())
    *_, round_ = pipeline.round(snapshot)  # whose lead is that of its answers
    assert round_.facts["encoder"] == "hog"
    by_hog, by_the_first = (
        {row: engine.shares(snapshot, row)[:1] for row in range(1, N, 2)}
        for engine in (pipeline.engine, as_opened.engine)
    )
    row = next(row for row in by_hog if by_hog[row] and by_hog[row][0][0] != by_the_first[row][0][0])
    index, share = by_hog[row][0]
    done = CliRunner().invoke(main, ["why", str(answered), ids[row]])
    assert done.exit_code == 0, done.output
    assert f"{100 * share:3.0f} %  {ids[index]}: " in done.output


def test_why_says_in_a_line_that_shares_are_not_known_where_no_engine_can_be_made(answered, monkeypatch):
    def fail(self, progress=None):
        raise MissingExtra("the encoder 'net'", "photos")

    with open_project(answered) as project:
        project.closing_round()
        name = project.session.pool.ids[1]
    monkeypatch.setattr(Project, "open_pipeline", fail)
    done = CliRunner().invoke(main, ["why", str(answered), name])
    assert done.exit_code == 0, done.output
    assert "the shares of the answers are not known" in done.output


def test_search_and_hunt_measure_in_the_view_that_leads(answered, project, hog):
    ids, snapshot = project.session.pool.ids, project.session.snapshot()
    for like, skipped in ((ids[1], 1), (str(answered.parent / "same.png"), -1)):
        ranking = nearest_to(project, like, N)
        apart = np.linalg.norm(hog - hog[1], axis=1)
        order = [row for row in np.argsort(apart, kind="stable").tolist() if row != skipped]
        assert ranking.query["encoder"] == "hog"
        np.testing.assert_allclose(ranking.numbers, apart[order], atol=1e-3)
    hunted = likeliest_of(project, "a", 10)
    assert hunted.query["encoder"] == "hog"
    info = project.session.classes.named("a")
    examples = hog[snapshot.indices[snapshot.class_ids == info.class_id]]
    np.testing.assert_allclose(hunted.numbers, np.sqrt(nearest_of(hog[hunted.indices], examples)), atol=1e-3)
    engine = project.open_settled_pipeline().engine
    assert hunted.indices.tolist() == engine.hunt(snapshot, info.class_id, 10, np.empty(0, dtype=np.int64)).tolist()


@pytest.mark.parametrize("method", [None, "local-outlier-factor"])
def test_odd_ones_are_odd_in_the_view_that_leads(project, hog, method):
    ranking = odd_ones(project, method, N)
    view = view_of(hog, gratings(), "hog") if method is None else hog
    scores = steps.run(scored(view, method or DEFAULT, 0))
    assert ranking.query["encoder"] == "hog"
    np.testing.assert_allclose(ranking.numbers, scores[ranking.indices], rtol=1e-3)
    assert (np.diff(scores[ranking.indices]) <= 1e-4).all()


def test_the_application_shows_odd_ones_by_the_first_view_until_somebody_answers(project):
    none, shown = np.empty(0, dtype=np.int64), {}
    pipeline, snapshot = project.open_settled_pipeline(), project.session.snapshot()
    nobody = replace(snapshot, indices=none, class_ids=none.astype(np.int32))
    for name, state in (("answered", snapshot), ("nobody", nobody)):
        *_, shown[name] = pipeline.outliers(state, N, none)
        view = pipeline.view("hog") if name == "answered" else pipeline.prepared
        scores = steps.run(pipeline.oddness(view, quick=True))
        np.testing.assert_array_equal(shown[name].scores, scores[shown[name].indices])


def test_clusters_in_other_features_are_made_anew_in_them(project):
    project.closing_round()
    report = inspect.of_project(project, inspect.Plan(encoder="scattering"), lambda _: None)
    anew, source = inspect.of_source(project.source_path, inspect.Plan(encoder="scattering"), lambda _: None)
    source.close()
    assert report.encoder == "scattering"
    np.testing.assert_array_equal(report.clustering.clusters, anew.clustering.clusters)
    assert report.clustering.inertia == pytest.approx(anew.clustering.inertia)
    own = inspect.of_project(project, inspect.Plan(), lambda _: None)
    assert not np.array_equal(own.clustering.clusters, report.clustering.clusters)


@pytest.mark.parametrize("plan", [inspect.Plan(), inspect.Plan(n_clusters=3)], ids=["its own", "anew"])
def test_clusters_of_a_project_are_described_in_the_view_they_are_of(project, plan):
    project.closing_round()
    assert inspect.of_project(project, plan, lambda _: None).encoder == "hog"


def test_features_of_frozen_labels_are_of_the_view_they_name_whichever_leads_now(project, hog):
    pipeline = project.open_pipeline()  # in which no further view has joined yet
    np.testing.assert_allclose(features_by(pipeline, {"encoder": "hog"}), hog, atol=1e-5)
    np.testing.assert_array_equal(features_by(pipeline, {"encoder": "scattering"}), pipeline.features())


def test_features_of_frozen_labels_whose_encoder_is_gone_are_refused_in_a_line(project, monkeypatch):
    monkeypatch.setattr(pipeline_module, "further_views", lambda encoder, reason: [])
    with pytest.raises(ExportError, match="by hog, are not here any more"):
        features_by(project.open_pipeline(), {"encoder": "hog"})
    np.testing.assert_array_equal(features_by(project.open_pipeline(), {}), project.open_pipeline().features())


@pytest.mark.parametrize("format_", ["sklearn", "cleanlab"])
def test_features_of_frozen_labels_name_the_extra_where_that_is_what_is_missing(
    answered, tmp_path, monkeypatch, format_
):
    shutil.copy(answered, tmp_path / "audited.labeler.db")  # the others shall not be of an audit
    with open_project(tmp_path / "audited.labeler.db") as project:
        open_audit(project, 0.1, 0.5)
        session = project.session
        while not session.audit.latest.drawn:
            index = session.audit.next_index()
            session.audit.answer(session.pool.ids[index], session.classes.id_for("abc"[index % 3]))
    line = Plugin("encoder", "hog", "", "", "photos", ("no_such_module_of_labeler",))
    monkeypatch.setitem(registry._TABLE["encoder"], "hog", line)
    monkeypatch.setattr(pipeline_module, "further_views", lambda encoder, reason: [])
    with open_project(tmp_path / "audited.labeler.db") as project, pytest.raises(MissingExtra) as refused:
        export(project, tmp_path / "out.npz", format_)
    assert "hog" in refused.value.message
    assert "pip install '.[photos]'" in refused.value.hint
    assert not (tmp_path / "out.npz").exists()
