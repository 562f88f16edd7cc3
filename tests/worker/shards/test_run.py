"""All shards of a source: the same however they are cut and whoever does them, done once, and never half."""

import hashlib
import json
import os
import shutil

import numpy as np
import pytest

from labeler.core import steps
from labeler.core.errors import EngineError, LabelerError, SourceError, UsageError
from labeler.core.numeric.kmeans import assign
from labeler.plugins.importers.detect import open_source
from labeler.worker.shards import manifest as manifests
from labeler.worker.shards import run
from labeler.worker.shards.executors import Alone, workers_of
from labeler.worker.shards.manifest import fill_vectors, read_assigned, read_centroids, read_manifest, read_nearest
from labeler.worker.shards.record import read_record
from labeler.worker.shards.run import Interrupted, ask, compute_all


def contents(out, source):
    """Ids, features, clusters, centroids and the nearest rows of a folder of features."""
    ids = list(open_source(source).ids)
    manifest = read_manifest(out)
    steps.run(fill_vectors(manifest, out, ids, out.with_name(f"{out.name}.npy")))
    vectors = np.load(out.with_name(f"{out.name}.npy"))
    return ids, vectors, read_assigned(manifest, out, ids), read_centroids(out, manifest), read_nearest(out, manifest)


def same(one, other):
    return one[0] == other[0] and all(np.array_equal(a, b) for a, b in zip(one[1:], other[1:], strict=True))


def writing_times(out):
    return {name: os.stat(out / name).st_mtime_ns for name in os.listdir(out) if name[-5:] in (".json", "0.npy")}


class TestWhatIsComputed:
    def test_is_what_the_encoder_and_the_centroids_say(self, shapes, tmp_path, computed):
        outcome = computed(shapes, tmp_path / "out")
        ids, X, clusters, centroids, nearest = contents(tmp_path / "out", shapes)
        source = open_source(shapes)
        images = np.stack([source.image(row) for row in range(len(ids))])
        centered = images - images.mean(axis=0)
        expected = np.concatenate((centered.mean(axis=1), centered.mean(axis=2)), axis=1).astype(np.float32)
        assert np.allclose(X, expected, atol=1e-4)
        assert np.array_equal(clusters, assign(X, centroids)[0])
        distances = np.linalg.norm(X - centroids[clusters], axis=1)
        for cluster in range(3):
            rows = nearest["row"][nearest["cluster"] == cluster]
            members = np.flatnonzero(clusters == cluster)
            assert set(rows.tolist()) == set(members[np.argsort(distances[members])[:4]].tolist())
        assert outcome.manifest.sizes == tuple(np.bincount(clusters).tolist())
        assert [entry.rows for entry in outcome.manifest.shards] == [20] * 6
        # the kinds are easily told apart: a centroid each
        kinds = np.array([int(name.split("/")[1].split(".")[0]) % 3 for name in ids])
        assert len(set(zip(kinds.tolist(), clusters.tolist(), strict=True))) == 3

    @pytest.mark.slow
    def test_does_not_depend_on_where_shards_begin(self, shapes, tmp_path, computed):
        for rows in (10, 50, 120):
            computed(shapes, tmp_path / str(rows), rows=rows)
        one, other, whole = (contents(tmp_path / str(rows), shapes) for rows in (10, 50, 120))
        assert same(one, whole)
        assert same(other, whole)

    @pytest.mark.slow
    def test_another_seed_draws_another_sample(self, shapes, tmp_path, computed, monkeypatch):
        monkeypatch.setattr("labeler.worker.shards.plan.LEAST", 30)
        monkeypatch.setattr("labeler.worker.shards.plan.POINTS", 10)
        for name, seed in (("a", 0), ("b", 0), ("c", 1)):
            computed(shapes, tmp_path / name, seed=seed)
        a, b, c = (contents(tmp_path / name, shapes) for name in "abc")
        assert same(a, b)
        assert not np.array_equal(a[3], c[3])

    @pytest.mark.parametrize("encoder", ["hog", "pca:n_components=5", "palette:colors=4", "scattering:n_components=4"])
    @pytest.mark.slow
    def test_by_encoders_that_learn_and_others(self, shapes, tmp_path, computed, encoder):
        computed(shapes, tmp_path / "out", encoder=encoder, rows=1)
        again = computed(shapes, tmp_path / "again", encoder=encoder, rows=1)
        assert same(contents(tmp_path / "out", shapes), contents(tmp_path / "again", shapes))
        assert again.job.encoder == encoder

    @pytest.mark.slow
    def test_arrays_and_archives_are_opened_by_whoever_works(self, shapes, tmp_path, computed):
        shutil.make_archive(str(tmp_path / "pool"), "zip", shapes)
        computed(tmp_path / "pool.zip", tmp_path / "zipped")
        computed(shapes, tmp_path / "folder")
        zipped, folder = contents(tmp_path / "zipped", tmp_path / "pool.zip"), contents(tmp_path / "folder", shapes)
        assert same(zipped, folder)
        source = open_source(shapes)
        np.savez(tmp_path / "pool.npz", X=np.stack([source.image(row) for row in range(120)]))
        computed(tmp_path / "pool.npz", tmp_path / "array")
        assert np.array_equal(contents(tmp_path / "array", tmp_path / "pool.npz")[1], folder[1])

    @pytest.mark.slow
    def test_what_cannot_be_read_is_in_no_cluster(self, shapes, tmp_path, computed):
        shutil.copytree(shapes, tmp_path / "pool")
        (tmp_path / "pool" / "1" / "50.png").write_bytes(b"no image")
        outcome = computed(tmp_path / "pool", tmp_path / "out")
        ids, X, clusters, _, nearest = contents(tmp_path / "out", tmp_path / "pool")
        row = ids.index("1/50.png")
        assert clusters[row] == -1
        assert not X[row].any()
        assert row not in nearest["row"]
        assert outcome.manifest.unreadable == 1
        assert sum(outcome.manifest.sizes) == 119


class TestWhatIsThere:
    def test_is_not_done_again(self, shapes, ready, tmp_path, computed):
        out = tmp_path / "out"
        shutil.copytree(ready, out)
        before = writing_times(out)
        outcome = computed(shapes, out)
        assert outcome.n_before == 6
        changed = {name for name, when in writing_times(out).items() if before[name] != when}
        assert changed == {"manifest.json"}

    @pytest.mark.parametrize(
        "harm",
        [
            lambda out: (out / "features-000002.npy").unlink(),
            lambda out: os.truncate(out / "assigned-000002.npy", 100),
            lambda out: (out / "shard-000002.json").unlink(),
            lambda out: (out / "shard-000002.json").write_text('{"job": '),
            lambda out: (out / "shard-000002.json").write_text("[1, 2]"),
            lambda out: (out / "shard-000002.json").write_text((out / "shard-000001.json").read_text()),
        ],
        ids=["no array", "half an array", "no record", "half a record", "no object", "another shard's record"],
    )
    @pytest.mark.mostly_slow
    def test_counts_only_where_it_is_whole(self, shapes, ready, tmp_path, computed, harm):
        out = tmp_path / "out"
        shutil.copytree(ready, out)
        sound = contents(out, shapes)
        harm(out)
        outcome = computed(shapes, out)
        assert outcome.n_before == 5
        assert same(contents(out, shapes), sound)

    def test_may_have_drafts_of_killed_writers_beside_it(self, shapes, tmp_path, computed):
        out = tmp_path / "out"
        out.mkdir()
        draft = out / ".features-000000.npy.00ff.999999999.draft"
        draft.write_bytes(b"half")
        computed(shapes, out)
        assert not draft.exists()

    def test_is_refused_where_it_is_of_something_else(self, shapes, ready, tmp_path, computed):
        out = ready
        before = writing_times(out)
        shutil.copytree(shapes, tmp_path / "pool")
        (tmp_path / "pool" / "2" / "119.png").unlink()
        for source, asked, word in (
            (tmp_path / "pool", {}, "source"),
            (shapes, {"encoder": "hog"}, "encoder"),
            (shapes, {"seed": 1}, "seed"),
            (shapes, {"n_clusters": 4}, "number of clusters"),
            (shapes, {"n_nearest": 5}, "number of nearest"),
        ):
            with pytest.raises(UsageError, match=f"by another {word}$") as refused:
                computed(source, out, **asked)
            assert "\n" not in refused.value.message
        assert writing_times(out) == before

    def test_may_be_anything_but_a_folder_of_others(self, shapes, ready, tmp_path, computed):
        (tmp_path / "file").touch()
        with pytest.raises(UsageError, match="is a file"):
            computed(shapes, tmp_path / "file")
        (tmp_path / "link").symlink_to(tmp_path / "nowhere")
        with pytest.raises(UsageError, match="is a link that leads nowhere"):
            computed(shapes, tmp_path / "link")
        (tmp_path / "full").mkdir()
        (tmp_path / "full" / "thesis.tex").touch()
        with pytest.raises(UsageError, match="is not empty"):
            computed(shapes, tmp_path / "full")
        assert os.listdir(tmp_path / "full") == ["thesis.tex"]
        job = json.loads((ready / "job.json").read_text())
        for number, odd in enumerate(({}, [], job | {"rows_a_shard": 0}, job | {"step": "many"})):
            out = tmp_path / str(number)
            out.mkdir()
            (out / "job.json").write_text(json.dumps(odd))
            with pytest.raises(SourceError, match="cannot be read"):
                computed(shapes, out)


class TestInterrupted:
    def test_says_how_far_it_is_and_goes_on_from_there(self, shapes, tmp_path, computed, mortal):
        out, source = tmp_path / "out", open_source(shapes)
        job = compute_all(source, ask(source, mortal, 3, 4), out, None, 20)
        while not (out / "shard-000001.json").exists():
            next(job)
        with pytest.raises(Interrupted) as stopped:
            job.throw(KeyboardInterrupt)
        assert stopped.value.message == "interrupted: 2 of 6 shards done; the same command goes on from there"
        assert stopped.value.exit_code == 130
        assert computed(shapes, out).n_before == 2

    def test_before_the_first_shard(self, shapes, tmp_path, mortal):
        source = open_source(shapes)
        job = compute_all(source, ask(source, mortal), tmp_path / "out")
        next(job)
        with pytest.raises(Interrupted, match="before the first shard"):
            job.throw(KeyboardInterrupt)


class TestWhatGoesWrong:
    def test_a_shard_that_fails_is_done_again(self, shapes, tmp_path, computed):
        failing = Failing(2)
        assert computed(shapes, tmp_path / "out", failing).manifest.n == 120
        assert failing.left == 2 - (6 + 2)  # two of eight that were handed out

    def test_but_not_for_ever(self, shapes, tmp_path, computed):
        with pytest.raises(EngineError, match=r"again and again \(RuntimeError: not this time\)"):
            computed(shapes, tmp_path / "out", Failing(1000))

    def test_a_full_disk_is_no_reason_to_try_again(self, shapes, tmp_path, computed, monkeypatch):
        tried = []

        def full(*_):
            tried.append(1)
            raise OSError(28, "No space left on device")

        monkeypatch.setattr("labeler.worker.shards.shard.write_arrays", full)
        with pytest.raises(LabelerError, match="there is no room for the features"):
            computed(shapes, tmp_path / "out")
        assert len(tried) == 1

    def test_a_worker_that_sees_no_source_counts_nothing_as_unreadable(self, shapes, tmp_path, computed, mortal):
        moved = tmp_path / "pool"
        shutil.copytree(shapes, moved)
        source = open_source(moved)
        job = compute_all(source, ask(source, mortal, 3), tmp_path / "out", Elsewhere(moved), 20)
        with pytest.raises(SourceError, match="a worker cannot read the images of the source"):
            steps.run(job)
        assert not list((tmp_path / "out").glob("shard-*"))

    def test_an_encoder_of_another_version_is_refused(self, shapes, ready, tmp_path, computed):
        out = tmp_path / "out"
        shutil.copytree(ready, out)
        (out / "shard-000000.json").unlink()
        job = json.loads((out / "job.json").read_text())
        (out / "job.json").write_text(json.dumps(job | {"version": 7}, indent=1))
        with pytest.raises(SourceError, match="is of version 7 in the job, and of 1 here"):
            computed(shapes, out)

    def test_no_file_is_run_that_the_folder_names(self, shapes, ready, tmp_path, computed):
        out, ran = tmp_path / "out", tmp_path / "ran"
        shutil.copytree(ready, out)
        (out / "shard-000000.json").unlink()
        (tmp_path / "evil.py").write_text(f"open({str(ran)!r}, 'w')")
        job = json.loads((out / "job.json").read_text())
        job |= {"plugins": [str(tmp_path / "evil.py")], "encoder": "evil"}
        (out / "job.json").write_text(json.dumps(job, indent=1))
        with pytest.raises(LabelerError):
            computed(shapes, out)
        assert not ran.exists()

    def test_an_encoder_that_gives_other_features_is_refused(self, shapes, ready, tmp_path, computed):
        out = tmp_path / "out"
        shutil.copytree(ready, out)
        fitted = dict(np.load(out / "encoder.npz"))
        fitted["sample"] = fitted["sample"][:5]  # as if it learned something else there
        np.savez(out / "encoder.npz", **fitted)
        for record in out.glob("shard-*"):
            record.unlink()
        with pytest.raises(SourceError, match="is not as it was when the command began"):
            computed(shapes, out)
        job = json.loads((out / "job.json").read_text())
        job["fitted"] = hashlib.sha256((out / "encoder.npz").read_bytes()).hexdigest()
        (out / "job.json").write_text(json.dumps(job, indent=1))
        with pytest.raises(SourceError, match="gives other features in a worker"):
            computed(shapes, out)

    def test_a_record_that_goes_before_the_manifest_is_missed(self, shapes, tmp_path, computed, monkeypatch):
        monkeypatch.setattr(manifests, "PATIENCE", 0.0)
        written = run.write_manifest

        def late(out, job, source):
            (out / "shard-000003.json").unlink()
            return written(out, job, source)

        monkeypatch.setattr(run, "write_manifest", late)
        with pytest.raises(SourceError, match="shard 3 is gone"):
            computed(shapes, tmp_path / "out")

    def test_only_images(self, tmp_path, computed):
        np.savez(tmp_path / "table.npz", X=np.ones((30, 4), np.float32))
        with pytest.raises(UsageError, match="holds table, not images"):
            computed(tmp_path / "table.npz", tmp_path / "out")
        assert not (tmp_path / "out").exists()

    @pytest.mark.parametrize("asked", [{"n_clusters": 0}, {"n_nearest": 0}])
    def test_numbers_from_one_up(self, shapes, tmp_path, computed, asked):
        with pytest.raises(UsageError, match="0 is out of range"):
            computed(shapes, tmp_path / "out", **asked)

    def test_nothing_that_can_be_read(self, shapes, tmp_path, computed):
        shutil.copytree(shapes, tmp_path / "pool")
        for path in (tmp_path / "pool").rglob("*.png"):
            path.write_bytes(b"no image")
        with pytest.raises(SourceError, match="none of the images that were tried"):
            computed(tmp_path / "pool", tmp_path / "out")


class Failing(Alone):
    """This process, which fails so many times."""

    def __init__(self, times):
        self.left = times

    def submit(self, work, argument):
        def fail(_):
            raise RuntimeError("not this time")

        self.left -= 1
        return super().submit(fail if self.left >= 0 else work, argument)


class Elsewhere(Alone):
    """A machine that does not have the source."""

    def __init__(self, source):
        self.source = source

    def submit(self, work, argument):
        shutil.rmtree(self.source, ignore_errors=True)
        return super().submit(work, argument)


@pytest.mark.slow
class TestProcesses:
    def test_give_what_one_process_gives(self, shapes, tmp_path, computed):
        computed(shapes, tmp_path / "alone")
        with workers_of("processes:2") as workers:
            computed(shapes, tmp_path / "pool", workers)
        assert same(contents(tmp_path / "alone", shapes), contents(tmp_path / "pool", shapes))
        of = [read_manifest(tmp_path / name).shards for name in ("alone", "pool")]
        assert of[0] == of[1]  # to the byte

    def test_one_that_is_killed_is_replaced_and_no_shard_is_there_twice(self, shapes, tmp_path, computed):
        computed(shapes, tmp_path / "alone", encoder=f"mortal:flag={tmp_path / 'flag'}")
        with workers_of("processes:2") as workers:
            outcome = computed(shapes, tmp_path / "pool", workers, f"mortal:flag={tmp_path / 'flag'},deaths=1")
        assert (tmp_path / "flag.0").exists()
        assert [(entry.number, entry.start, entry.rows) for entry in outcome.manifest.shards] == [
            (number, 20 * number, 20) for number in range(6)
        ]
        assert same(contents(tmp_path / "alone", shapes), contents(tmp_path / "pool", shapes))

    def test_that_end_again_and_again_are_given_up(self, shapes, tmp_path, computed):
        encoder = f"mortal:flag={tmp_path / 'flag'},deaths=100"
        with workers_of("processes:1") as workers, pytest.raises(EngineError, match="ended 3 times"):
            computed(shapes, tmp_path / "out", workers, encoder)

    def test_an_encoder_that_raises_is_tried_again(self, shapes, tmp_path, computed):
        encoder = f"mortal:flag={tmp_path / 'flag'},fails=1"
        with workers_of("processes:1") as workers:
            assert computed(shapes, tmp_path / "out", workers, encoder).manifest.n == 120
        assert (tmp_path / "flag.0").exists()


def test_a_record_of_another_job_does_not_count(shapes, ready, tmp_path, computed):
    computed(shapes, tmp_path / "two", seed=1)
    digest = read_manifest(tmp_path / "two").digest
    assert read_record(tmp_path / "two", 0, digest) is not None
    assert read_record(ready, 0, digest) is None
