"""New instances labeled by a project's model; the model as files; what is near and what is odd."""

from __future__ import annotations

import csv
import json
import queue
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from labeler.commands.export.model import digest, export_model, trained
from labeler.commands.outliers import odd_ones
from labeler.commands.predict import UNKNOWN, Predictions, as_text, predict, write
from labeler.commands.search import nearest_to
from labeler.core import steps
from labeler.core.errors import ExportError, UnreadableInstance, UsageError
from labeler.core.requests import PoolRequests
from labeler.core.types import UNLABELED
from labeler.plugins import registry
from labeler.plugins.builtin import Plugin
from labeler.plugins.outliers import sampling
from labeler.plugins.outliers.sampling import scored
from labeler.project.open import Options, open_project

ROOT = Path(__file__).parents[2]
SEEN = range(9)
"""Classes with labels: nobody ever shows a 9."""


@pytest.fixture(scope="module")
def arrays(digits_path):
    with np.load(digits_path) as found:
        return found["X"], found["y"].astype(int)


def save(path: Path, arrays, rows) -> Path:
    X, y = arrays
    np.savez(path, X=X[rows], y=y[rows])
    return path


def picture(arrays, row: int) -> Image.Image:
    return Image.fromarray(np.rint(arrays[0][row] * (255 / arrays[0].max())).astype(np.uint8))


def labeled(folder: Path, arrays, options: Options | None = None, per_class: int = 12) -> Path:
    """A project over the first 600 digits without nines; some of each class answered."""
    y = arrays[1]
    rows = np.flatnonzero(np.isin(y[:600], list(SEEN)))
    path = folder / "few.labeler.db"
    with open_project(save(folder / "few.npz", arrays, rows), path, options or Options()) as project:
        session = project.session
        ids = [session.classes.add(str(number), setup=True) for number in SEEN]
        for number in SEEN:
            for row in np.flatnonzero(y[rows] == number)[:per_class]:
                session.label(session.pool.ids[int(row)], ids[number])
    return path


@pytest.fixture(scope="module")
def project_file(arrays, tmp_path_factory) -> Path:
    return labeled(tmp_path_factory.mktemp("predict"), arrays)


@pytest.fixture
def project(project_file):
    with open_project(project_file, read_only=True) as opened:
        yield opened


@pytest.fixture(scope="module")
def new(arrays, tmp_path_factory) -> Path:
    """Digits the project never saw, nines among them."""
    return save(tmp_path_factory.mktemp("new") / "new.npz", arrays, np.arange(1200, 1500))


class TestPredict:
    @pytest.mark.slow
    def test_unseen_instances_are_labeled_in_the_order_of_their_source(self, project, new, arrays):
        found = predict(project, new)
        y = arrays[1][1200:1500]
        known = np.isin(y, list(SEEN))
        assert len(found.ids) == 300
        assert len(set(found.ids)) == 300
        right = np.array([label == str(truth) for label, truth in zip(found.labels, y, strict=True)])
        assert right[known].mean() > 0.93
        assert found.novelty is None
        assert ((found.confidence > 0) & (found.confidence <= 1)).all()
        assert found.facts["model"]["revision"] == project.session.state.revision

    @pytest.mark.slow
    def test_novelty_calls_what_nobody_labeled_unknown(self, project, new, arrays):
        found = predict(project, new, novelty="local-outlier-factor", share=0.05)
        nine = arrays[1][1200:1500] == 9
        unknown = np.array(found.labels) == UNKNOWN
        assert unknown[nine].mean() > 0.25
        assert unknown[~nine].mean() < unknown[nine].mean() / 3
        assert found.facts["novelty"]["trained_on"] > 300
        assert found.columns == ("id", "label", "confidence", "novelty")

    def test_the_table_is_written_with_a_manifest_that_names_project_and_model(self, project, new, tmp_path):
        found = predict(project, new, min_confidence=0.5)
        beside = write(found, tmp_path / "out.csv")
        rows = list(csv.DictReader((tmp_path / "out.csv").open()))
        assert [row["id"] for row in rows] == found.ids
        assert min(float(row["confidence"]) for row in rows) >= 0.5
        manifest = json.loads(beside.read_text())
        assert manifest["counts"]["total"] == len(rows)
        assert manifest["model"]["project"] == str(project.path)
        assert manifest["model"]["encoder"] == "deskew-hog"
        assert re.fullmatch("[0-9a-f]{64}", manifest["model"]["sha256"])
        with pytest.raises(ExportError, match="exists already"):
            write(found, tmp_path / "out.csv")
        write(found, tmp_path / "out.csv", force=True)
        write(found, tmp_path / "out.jsonl")
        lines = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
        assert [line["label"] for line in lines] == [row["label"] for row in rows]

    @pytest.mark.slow
    def test_what_cannot_be_read_gets_no_row_and_is_named(self, project, tmp_path, arrays):
        for number in range(3):
            picture(arrays, 1200 + number).save(tmp_path / f"{number}.png")
        (tmp_path / "broken.png").write_text("no image")
        found = predict(project, tmp_path)
        assert found.ids == ["0.png", "1.png", "2.png"]
        assert set(found.unreadable) == {"broken.png"}
        assert "broken.png" in " ".join(found.notes)
        assert found.to_json()["unreadable"]["broken.png"]
        one = predict(project, tmp_path / "1.png")
        assert one.ids == ["1.png"]
        assert one.labels == [found.labels[1]]

    def test_stray_bytes_in_a_name_are_written_escaped(self, project, tmp_path, arrays):
        name = b"caf\xe9.png".decode("utf-8", "surrogateescape")
        picture(arrays, 0).save(tmp_path / "a.png")
        (tmp_path / "a.png").rename(tmp_path / name)
        assert "escaped:caf%E9.png" in as_text(predict(project, tmp_path))

    def test_another_shape_a_wrong_method_and_no_label_are_refused(self, project, new, tmp_path, arrays):
        np.savez(tmp_path / "table.npz", X=np.zeros((5, 3), np.float32))
        with pytest.raises(UsageError, match="not of the pool's shape"):
            predict(project, tmp_path / "table.npz")
        with pytest.raises(UsageError, match="no outlier method"):
            predict(project, new, novelty="nope")
        source = save(tmp_path / "bare.npz", arrays, np.arange(30))
        with open_project(source, tmp_path / "bare.labeler.db") as bare, pytest.raises(ExportError, match="nothing is"):
            predict(bare, new)

    @pytest.mark.parametrize("classifier", ["logreg", "logreg:C=10"])
    def test_the_chain_of_plugins_predicts_too(self, tmp_path, arrays, new, classifier):
        path = labeled(tmp_path, arrays, Options(engine="book", classifier=classifier))
        with open_project(path, read_only=True) as opened:
            found = predict(opened, new)
        known = np.isin(arrays[1][1200:1500], list(SEEN))
        right = np.array([a == str(b) for a, b in zip(found.labels, arrays[1][1200:1500], strict=True)])
        assert right[known].mean() > 0.85
        assert found.facts["model"]["kind"] == "linear"


@pytest.fixture(params=["default", "book"])
def with_features(request, arrays, new, tmp_path):
    """A project of each engine, features of new instances, and what it predicts of them."""
    from labeler.commands.predict import open_new

    path = labeled(tmp_path, arrays, Options(engine=request.param))
    with open_project(path, read_only=True) as opened:
        pipeline = opened.open_pipeline()
        features = steps.run(pipeline.encode(open_new(new))).features
        yield opened, features, predict(opened, new)


class TestModel:
    @pytest.mark.slow
    def test_the_loader_of_the_docs_says_the_same_with_numpy_alone(self, with_features, tmp_path):
        project, features, found = with_features
        export_model(project, tmp_path / "m.npz", "model")
        blocks = re.findall(r"^```python\n(.*?)^```", (ROOT / "docs/model.md").read_text(), re.M | re.S)
        loader = next(block for block in blocks if "def load(" in block)
        assert len(loader.strip().splitlines()) <= 20
        assert set(re.findall(r"^import (\w+)", loader, re.M)) == {"numpy"}
        space: dict = {}
        exec(loader, space)  # noqa: S102 - the page's own lines
        labels, confidence = space["load"](tmp_path / "m.npz")(features)
        assert labels.tolist() == found.labels
        np.testing.assert_allclose(confidence, found.confidence, atol=2e-3)
        with np.load(tmp_path / "m.npz", allow_pickle=False) as arrays:
            assert str(arrays["encoder"]) == found.facts["model"]["encoder"]
            assert all(array.dtype != object for array in arrays.values())

    @pytest.mark.slow
    def test_onnx_agrees(self, with_features, tmp_path):
        pytest.importorskip("onnx", reason="the extra onnx is not installed")
        runtime = pytest.importorskip("onnxruntime", reason="the extra onnx is not installed")
        project, features, found = with_features
        export_model(project, tmp_path / "m.onnx", "onnx")
        session = runtime.InferenceSession(tmp_path / "m.onnx", providers=["CPUExecutionProvider"])
        labels, shares = session.run(None, {"features": features})
        facts = session.get_modelmeta().custom_metadata_map
        names = facts["classes"].split("\n")
        assert [names[label] for label in labels] == found.labels
        np.testing.assert_allclose(shares.max(axis=1), found.confidence, atol=2e-3)
        assert facts["encoder"] == found.facts["model"]["encoder"]

    @pytest.mark.slow
    def test_the_same_labels_give_the_same_bytes_and_the_manifest_its_digest(self, project, tmp_path):
        for name in ("a.npz", "b.npz"):
            found = export_model(project, tmp_path / name, "model")
        assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()
        manifest = json.loads((tmp_path / "a.npz.manifest.json").read_text())
        assert manifest["model"]["sha256"] == digest(found.model)
        assert manifest["classes"] == [str(number) for number in SEEN]
        assert trained(project, project.open_pipeline()).facts["sha256"] == digest(found.model)


class TestFinding:
    @pytest.mark.slow
    def test_the_nearest_of_one_are_of_its_kind(self, project, arrays):
        y = arrays[1]
        rows = np.flatnonzero(np.isin(y[:600], list(SEEN)))
        pool = project.session.pool.ids
        hits = []
        for at in range(0, 100, 10):
            found = nearest_to(project, pool[at], 5)
            assert at not in found.indices
            assert (np.diff(found.numbers) >= 0).all()
            hits += (y[rows][found.indices] == y[rows][at]).tolist()
        assert np.mean(hits) > 0.9

    def test_a_file_outside_of_the_pool_is_encoded(self, project, arrays, tmp_path):
        rows = np.flatnonzero(np.isin(arrays[1][:600], list(SEEN)))
        picture(arrays, rows[17]).save(tmp_path / "x.png")
        found = nearest_to(project, str(tmp_path / "x.png"), 3)
        assert found.indices[0] == 17
        assert found.numbers[0] < 0.1
        (tmp_path / "bad.png").write_text("no image")
        with pytest.raises(UnreadableInstance):
            nearest_to(project, str(tmp_path / "bad.png"), 3)
        with pytest.raises(UsageError, match="neither"):
            nearest_to(project, "nowhere", 3)

    def test_noise_among_digits_is_odd_and_rejected_ones_are_left_out(self, arrays, tmp_path):
        X = arrays[0]
        rng = np.random.default_rng(0)
        odd = rng.integers(0, 2, (4, *X.shape[1:])) * X.max()
        np.savez(tmp_path / "odd.npz", X=np.concatenate((X[:300], odd.astype(X.dtype))))
        with open_project(tmp_path / "odd.npz", tmp_path / "odd.labeler.db") as project:
            found = odd_ones(project, "pca", 10)
            assert len(set(found.indices[:6].tolist()) & set(range(300, 304))) == 4
            assert (np.diff(found.numbers) <= 0).all()
            first = int(found.indices[0])
            project.session.reject(project.session.pool.ids[first])
            again = odd_ones(project, "pca", 10)
            assert first not in again.indices
            told = again.to_json()
            assert told["method"] == "pca"
            assert len(told["found"]) == 10
            assert told["found"][0]["label"] == ""
            assert project.session.pool.ids[int(again.indices[0])] in "\n".join(again.lines())
            assert project.session.label_of(first)[0] == UNLABELED

    @pytest.mark.slow
    def test_the_worker_finds_the_same_without_what_has_an_answer(self, arrays, tmp_path):
        said: queue.Queue = queue.Queue()
        with open_project(save(tmp_path / "few.npz", arrays, np.arange(200)), tmp_path / "few.labeler.db") as project:
            wanted = odd_ones(project, None, 6).indices
            first = project.session.pool.ids[int(wanted[0])]
            project.session.label(first, project.session.classes.add("a", setup=True))
            project.engine.start(said.put)
            while not project.engine.is_ready:
                project.engine.receive(said.get(timeout=60))
            pending = project.engine.request(PoolRequests.outliers, 5, project.instances.in_no_cluster())
            while not pending.is_done:
                project.engine.receive(said.get(timeout=60))
            odd = pending.results.pop()
            assert odd.indices.tolist() == wanted[1:].tolist()
            assert (np.diff(odd.scores) <= 0).all()

    def test_what_the_clusterer_left_alone_comes_first(self, arrays, tmp_path):
        options = Options(engine="book", clusterer="dbscan")
        source = save(tmp_path / "few.npz", arrays, np.arange(200))
        with open_project(source, tmp_path / "d.labeler.db", options) as project:
            project.session.label(project.session.pool.ids[0], project.session.classes.add("a", setup=True))
            project.closing_round()
            alone = set(project.instances.in_no_cluster().tolist())
            assert 0 < len(alone) < 200
            found = odd_ones(project, None, 200)
            assert set(found.indices[: len(alone)].tolist()) == alone
            assert found.query["in_no_cluster"] == len(alone)
            assert set(odd_ones(project, "pca", 200).indices[: len(alone)].tolist()) != alone

    @pytest.mark.slow
    def test_a_large_pool_is_judged_by_a_sample(self, monkeypatch):
        rng = np.random.default_rng(0)
        X = rng.normal(size=(900, 8)).astype(np.float32)
        X[7] += 30
        whole = steps.run(scored(X, "isolation-forest", 0))
        monkeypatch.setattr(sampling, "SAMPLE", 300)
        monkeypatch.setattr(sampling, "BLOCK", 100)
        assert len(list(scored(X, "isolation-forest", 0))) == 10
        found = steps.run(scored(X, "isolation-forest", 0))
        assert found.argmax() == whole.argmax() == 7


def test_predictions_are_not_written_over_what_they_are_of(tmp_path):
    new = tmp_path / "new.csv"
    new.write_text("text\nhello\n")
    predictions = Predictions(["0"], ["a"], np.ones(1, dtype=np.float32), None, {}, inputs=[new])
    with pytest.raises(ExportError, match="not written over"):
        write(predictions, new, force=True)
    assert new.read_text() == "text\nhello\n"


class Fine:
    """An encoder that sees pictures larger than the store has them: means of patches of four pixels, in color."""

    takes, version = ("images",), 1

    def __init__(self, side=96):
        self.side = side

    def fit(self, images):
        return self

    def transform(self, images):
        side = images.shape[1]
        shrunk = images.reshape(len(images), side // 4, 4, side // 4, 4, -1).mean(axis=(2, 4))
        return np.ascontiguousarray(shrunk.reshape(len(images), -1), dtype=np.float32)


@pytest.mark.slow
@pytest.mark.parametrize("side", [96, 32], ids=["looks itself", "as the store has them"])
def test_the_encoder_gives_the_row_of_the_pool_for_what_the_model_says_it_takes(tmp_path, monkeypatch, side):
    line = Plugin("encoder", "fine", "", "sees more", thing=Fine)
    monkeypatch.setitem(registry._TABLE["encoder"], "fine", line)
    (tmp_path / "photos").mkdir()
    for row in range(8):  # small pictures enlarged: smooth, so that one way to make them smaller is as good as another
        small = np.random.default_rng(row).integers(0, 256, (6, 6, 3), dtype=np.uint8)
        smooth = Image.fromarray(small).resize((96, 96), Image.Resampling.BICUBIC)
        smooth.save(tmp_path / "photos" / f"{row}.png")
    with open_project(tmp_path / "photos", tmp_path / "p.labeler.db", Options(encoder=f"fine:side={side}")) as project:
        for row in range(4):
            project.session.label(project.session.pool.ids[row], project.session.classes.id_for("ab"[row % 2]))
        exported = export_model(project, tmp_path / "model.npz", "model")
        (own,) = project.open_pipeline().features()[:1]
    with np.load(tmp_path / "model.npz") as model:
        height, width, channels = model["takes"].tolist()
        encoder = registry.create("encoder", str(model["encoder"]))
    picture = Image.open(tmp_path / "photos" / "0.png").resize((width, height), Image.Resampling.BOX)
    (row,) = encoder.transform(np.asarray(picture)[None])
    assert channels == 3
    assert exported.facts["takes"] == [height, width, channels]
    np.testing.assert_allclose(row, own, atol=8.0)  # of 255: made smaller in another way
