"""Vectors of shards in a project: in the encoder's place, and what is nearest to the centroids is asked first."""

import json
import os
import shutil

import numpy as np
import pytest

from labeler.core import steps
from labeler.core.errors import SourceError
from labeler.engine.representatives import FIRST_CLUSTERS, Given, given_level, given_levels
from labeler.plugins.importers.detect import open_source
from labeler.project.open import Options, open_project
from labeler.worker.shards.manifest import read_assigned, read_manifest, read_nearest
from labeler.worker.shards.run import ask, compute_all
from labeler.worker.vectors import check_vectors, clusters_of_shards, first_of_shards, from_elsewhere
from tests.worker.shards.conftest import mortal, ready, shapes  # noqa: F401 - fixtures


def opened(source, tmp_path, out, **options):
    return open_project(source, tmp_path / "p.labeler.db", Options(features=str(out), **options))


class TestInAProject:
    def test_they_are_its_features(self, shapes, ready, tmp_path):  # noqa: F811
        with opened(shapes, tmp_path, ready) as project:
            project.check_features()
            pipeline = project.open_pipeline()
            X = pipeline.features()
            assert pipeline.prepared.encoder == "features"
            assert isinstance(X, np.memmap)  # of one file, whatever the number of shards
            shards = [np.load(ready / f"features-{number:06d}.npy") for number in range(6)]
            assert np.array_equal(X, np.concatenate(shards))
            again = project.open_pipeline()
            assert again.prepared.path == pipeline.prepared.path

    def test_that_an_encoder_beside_them_is_not_used_is_said(self, shapes, ready, tmp_path):  # noqa: F811
        line = f"--encoder is not used: --features {ready} stands in its place"
        with opened(shapes, tmp_path, ready) as project:
            assert line not in project.notices
        with open_project(shapes, tmp_path / "p.labeler.db", Options(encoder="pca")) as project:
            assert line in project.notices
            assert project.open_pipeline().prepared.encoder == "features"

    def test_the_nearest_to_each_centroid_are_asked_first(self, shapes, ready, tmp_path):  # noqa: F811
        nearest = read_nearest(ready, read_manifest(ready))
        first = {int(nearest["row"][nearest["cluster"] == cluster][0]) for cluster in range(3)}
        with opened(shapes, tmp_path, ready) as project:
            pipeline = project.open_pipeline()
            early = steps.run(pipeline.early())
            assert set(early.indices[:3].tolist()) == first
            assert sorted(early.indices.tolist()) == sorted(nearest["row"].tolist())
            queue = pipeline.rerank(project.session.snapshot())
            assert set(queue.indices[:3].tolist()) == first
            assert queue.rules[0] == 0

    def test_but_not_where_the_person_chose_a_number_of_clusters(self, shapes, ready, tmp_path):  # noqa: F811
        with opened(shapes, tmp_path, ready, n_clusters=8) as project:
            assert len(project.open_pipeline().engine.levels[0].representatives) == 8

    def test_labels_spread_along_them(self, shapes, ready, tmp_path):  # noqa: F811
        with opened(shapes, tmp_path, ready, classes=("0", "1", "2")) as project:
            project.closing_round()
            while project.view().answers < 9:
                name = project.session.question.instance_id
                kind = int(name.split("/")[1].split(".")[0]) % 3
                project.session.label(name, project.session.classes.named(str(kind)).class_id)
            round_ = project.closing_round()
            truth = [int(name.split("/")[1].split(".")[0]) % 3 for name in project.session.pool.ids]
            names = [project.session.state.classes[int(label)].name for label in round_.labels]
            assert np.mean([name == str(kind) for name, kind in zip(names, truth, strict=True)]) > 0.95

    def test_of_a_pool_in_another_order_they_go_to_their_ids(self, shapes, ready, tmp_path):  # noqa: F811
        source = open_source(shapes)
        ids = list(source.ids)[::-1]
        clusters = clusters_of_shards(str(ready), source, ids)
        manifest = read_manifest(ready)
        assert np.array_equal(clusters.clusters, read_assigned(manifest, ready, list(source.ids))[::-1])
        nearest = read_nearest(ready, manifest)
        first = nearest["row"][np.r_[True, np.diff(nearest["cluster"]) != 0]]
        assert [ids[row] for row in clusters.nearest] == [source.ids[row] for row in first]


class TestRefused:
    def test_of_another_source(self, shapes, ready, tmp_path):  # noqa: F811
        shutil.copytree(shapes, tmp_path / "pool")
        (tmp_path / "pool" / "2" / "119.png").unlink()
        with opened(tmp_path / "pool", tmp_path, ready) as project:
            for check in (project.check_features, project.open_pipeline):
                with pytest.raises(SourceError, match="and do not fit this source") as refused:
                    check()
                assert "\n" not in refused.value.message

    def test_not_whole_yet(self, shapes, tmp_path, mortal):  # noqa: F811
        out, source = tmp_path / "out", open_source(shapes)
        job = compute_all(source, ask(source, mortal, 3), out, None, 20)
        while not (out / "shard-000001.json").exists():
            next(job)
        with pytest.raises(SourceError, match="are not whole: 2 of 6 shards") as refused:
            check_vectors(str(out), source, list(source.ids))
        assert "labeler features" in refused.value.hint
        with pytest.raises(SourceError, match="are not whole"):
            first_of_shards(str(out), source, 10)

    def test_no_features_at_all(self, shapes, tmp_path):  # noqa: F811
        with pytest.raises(SourceError, match="holds no features"):
            check_vectors(str(tmp_path), open_source(shapes), [])

    @pytest.mark.parametrize(
        ("name", "harm"),
        [
            ("features-000003.npy", lambda path: flip(path)),
            ("assigned-000003.npy", lambda path: flip(path)),
            ("features-000003.npy", lambda path: os.truncate(path, 300)),
            ("features-000003.npy", lambda path: path.unlink()),
            ("nearest.npy", lambda path: os.truncate(path, 100)),
            ("nearest.npy", lambda path: np.save(path, np.array([1, 2]))),
            ("encoder.npz", lambda path: os.truncate(path, 200)),
            ("encoder.npz", lambda path: np.savez(path, centroids=np.zeros((2, 3)))),
        ],
        ids=[
            *("a bit of a vector", "a bit of a cluster", "half", "gone", "half the nearest", "other rows"),
            *("half an encoder", "others"),
        ],
    )
    @pytest.mark.mostly_slow
    def test_that_are_damaged(self, shapes, ready, tmp_path, name, harm):  # noqa: F811
        shutil.copytree(ready, tmp_path / "out")
        harm(tmp_path / "out" / name)
        with opened(shapes, tmp_path, tmp_path / "out") as project:
            with pytest.raises(SourceError, match=f"{name} of the features in .* is not as it was written") as refused:
                steps.run(project.open_pipeline().early())
            assert "labeler features" in refused.value.hint

    def test_a_manifest_of_somebody_elses(self, shapes, ready, tmp_path):  # noqa: F811
        shutil.copytree(ready, tmp_path / "out")
        (tmp_path / "out" / "manifest.json").write_text('{"tool": "labeler"}')
        with pytest.raises(SourceError, match="cannot be read"):
            check_vectors(str(tmp_path / "out"), open_source(shapes), [])

    def test_gone_since_it_is_said_at_opening(self, shapes, ready, tmp_path):  # noqa: F811
        shutil.copytree(ready, tmp_path / "out")
        with opened(shapes, tmp_path, tmp_path / "out") as project:
            shutil.rmtree(tmp_path / "out")
            with pytest.raises(SourceError, match=r"there are no features at .*out: no such file or folder") as refused:
                project.check_features()
            assert "--features PLACE" in refused.value.hint

    @pytest.mark.parametrize(
        "edit",
        [
            lambda content: content.update(shards=content["shards"][:-1]),
            lambda content: content.update(shards=content["shards"][:1] * 6),
            lambda content: content["shards"][2].update(start=20),
            lambda content: content["shards"][2].update(number=-3),
            lambda content: content["shards"][2].update(rows=10**12),
            lambda content: content["job"].update(rows_a_shard=0),
            lambda content: content["job"].update(width=10**15),
            lambda content: content["job"]["asked"].update(n=10**18),
            lambda content: content["job"]["asked"].update(n_nearest=-1),
            lambda content: content.update(digest="../.."),
            lambda content: content.update(sizes=[]),
            lambda content: content["sizes"].__setitem__(0, 10**9),
            lambda content: content.update(sizes=[-1, 121, 0]),
            lambda content: content.update(unreadable=3),
        ],
    )
    def test_a_manifest_that_was_edited(self, shapes, ready, tmp_path, edit):  # noqa: F811
        path = shutil.copytree(ready, tmp_path / "out") / "manifest.json"
        content = json.loads(path.read_text())
        edit(content)
        path.write_text(json.dumps(content))
        with pytest.raises(SourceError, match=r"manifest\.json cannot be read: .*(job|rows|range)") as refused:
            check_vectors(str(path.parent), open_source(shapes), [])
        assert "labeler features" in refused.value.hint
        assert "\n" not in refused.value.message

    def test_a_record_of_other_ids(self, shapes, ready, tmp_path):  # noqa: F811
        path = shutil.copytree(ready, tmp_path / "out") / "shard-000002.json"
        content = json.loads(path.read_text())
        content["ids"][:2] = content["ids"][1::-1]  # as many, all there: two vectors would change places
        path.write_text(json.dumps(content))
        source, out = open_source(shapes), str(path.parent)
        with pytest.raises(SourceError, match=r"a record of the features in .* is not as it was written"):
            steps.run(from_elsewhere(out, source, source.ids, tmp_path, "key"))
        with pytest.raises(SourceError, match="record of the features"):
            clusters_of_shards(out, source, source.ids)


def flip(path):
    content = bytearray(path.read_bytes())
    content[-3] ^= 1
    path.write_bytes(content)


class TestGivenLevel:
    def test_has_the_clusters_and_who_is_nearest(self):
        rng = np.random.default_rng(0)
        clusters = np.repeat(np.array([4, 2, 7], dtype=np.int32), 20)
        X = (rng.normal(size=(60, 3)) + 20 * np.repeat(np.eye(3), 20, axis=0)).astype(np.float32)
        clusters[5] = -1  # not known: it goes to the nearest
        level = given_level(X, Given(clusters, np.array([20, 0, 40], dtype=np.int64)))
        assert sorted(level.representatives.tolist()) == [0, 20, 40]
        found = level.clustering
        assert np.array_equal(found.clusters, np.repeat([1, 0, 2], 20))
        assert np.allclose(found.distances, np.linalg.norm(X - found.centers[found.clusters], axis=1), atol=1e-4)
        assert found.distances.dtype == np.float32

    def test_of_many_a_coarser_one_comes_first(self):
        rng = np.random.default_rng(0)
        centers = rng.normal(size=(30, 5)) * 10
        X = (np.repeat(centers, 10, axis=0) + rng.normal(size=(300, 5))).astype(np.float32)
        given = Given(np.repeat(np.arange(30, dtype=np.int32), 10), np.arange(0, 300, 10))
        coarse, fine = given_levels(X, given)
        assert (coarse.size, fine.size) == (FIRST_CLUSTERS, 30)
        assert set(coarse.representatives.tolist()) == set(fine.representatives[:FIRST_CLUSTERS].tolist())
        pairs = set(zip(fine.clustering.clusters.tolist(), coarse.clustering.clusters.tolist(), strict=True))
        assert len(pairs) == 30  # none is divided
        own = coarse.clustering.clusters[coarse.representatives]
        assert len(set(own.tolist())) == FIRST_CLUSTERS
        few = Given(given.clusters // 3, given.nearest[::3])
        assert [level.size for level in given_levels(X, few)] == [10]
