"""What leaves `labeler clusters`: who is in which cluster, rows of a mixture, colors of an image, words of texts."""

from __future__ import annotations

import csv
import json
import zipfile

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from labeler.cli import main
from labeler.commands.clusters import assignments, colors, plots
from labeler.commands.clusters.inspect import Plan, images_of, of_project, of_source, rows_of
from labeler.core.errors import ExportError, UsageError
from labeler.core.recipe import Reading
from labeler.project.open import Options, open_project
from tests.plugins.clusterers.chapter import five_blobs, mixture


def quiet(_):
    """No progress."""


def run(*arguments):
    """One call of the program: what it printed on standard output, and on standard error."""
    done = CliRunner().invoke(main, [str(argument) for argument in arguments], catch_exceptions=False)
    assert done.exit_code == 0, done.stderr
    return done.stdout, done.stderr


@pytest.fixture
def book(tmp_path):
    """The three Gaussians of the chapter, as a table."""
    np.savez(tmp_path / "mixture.npz", X=mixture())
    return tmp_path / "mixture.npz"


def rows_of_file(path):
    """The table: ids, clusters, and the numbers after them."""
    with open(path, newline="") as file:
        rows = list(csv.reader(file))
    return rows[0], [row[0] for row in rows[1:]], np.array([row[1:] for row in rows[1:]], dtype=float)


@pytest.mark.slow
def test_the_lowest_bic_decides_and_criteria_are_of_the_columns_as_they_came(book):
    plan = Plan(clusterer="gmm:covariance_type=full", ks=(1, 2, 3, 4), seed=42)
    for encoder in ("pixels", "scaled"):
        found, _ = of_source(book, Plan(encoder, plan.clusterer, None, plan.ks, seed=42), quiet)
        report = found.to_json()
        assert report["n_clusters"] == report["best_bic"] == 3
        assert [row["k"] for row in report["range"]] == [1, 2, 3, 4]
        assert report["range"][0]["silhouette"] is None
        # of scaled columns EM begins elsewhere and ends within its tolerance of the same place
        assert report["bic"] == pytest.approx(8189.73, abs=0.1 if encoder == "pixels" else 2)


@pytest.mark.parametrize("clusterer", ["gmm:covariance_type=full", "kmeans", "dbscan"])
def test_everybody_is_in_the_file_with_the_share_of_every_cluster(book, tmp_path, clusterer):
    run("clusters", book, "--clusterer", clusterer, "--clusters", 3, "-o", tmp_path / "out.csv", "--encoder", "pixels")
    names, ids, numbers = rows_of_file(tmp_path / "out.csv")
    found, source = of_source(book, Plan("pixels", clusterer, 3), quiet)
    assert names == ["id", "cluster", "distance", *(f"share_{k}" for k in range(len(found.cards)))]
    assert ids == list(source.ids)
    inside = numbers[:, 0] >= 0
    np.testing.assert_array_equal(numbers[inside, 0], found.clustering.clusters[inside])
    np.testing.assert_array_equal(~inside, found.clustering.outliers if len(found.clustering.outliers) else False)
    np.testing.assert_allclose(numbers[:, 2:].sum(axis=1), 1, atol=1e-5)
    if not clusterer.startswith("dbscan"):  # whose clusters are no hills around a center
        assert (numbers[:, 2:].argmax(axis=1) == numbers[:, 0]).all()
    np.testing.assert_allclose(numbers[:, 1], found.clustering.distances, rtol=1e-6)


def test_as_json_lines_and_over_nothing_that_was_there(book, tmp_path):
    target = tmp_path / "out.jsonl"
    run("clusters", book, "--clusters", 2, "-o", target)
    rows = [json.loads(line) for line in target.read_text().splitlines()]
    assert len(rows) == 1_250
    assert rows[0].keys() == {"id", "cluster", "distance", "share_0", "share_1"}
    found, _ = of_source(book, Plan(n_clusters=2), quiet)
    before = target.read_bytes(), book.read_bytes()
    with pytest.raises(ExportError, match="exists already"):
        assignments.write(found, target, [book])
    with pytest.raises(UsageError, match="clusters are not written as"):
        assignments.check(tmp_path / "out.xlsx")
    assert (target.read_bytes(), book.read_bytes()) == before


@pytest.mark.slow
def test_rows_drawn_from_a_mixture_are_like_the_table_and_the_same_for_a_seed(book):
    X = mixture()
    for encoder in ("pixels", "scaled"):
        call = ("clusters", book, "--encoder", encoder, "--clusterer", "gmm:covariance_type=full", "--clusters", 3)
        out, again, other = (
            json.loads(run(*call, "--sample", 400, "--seed", seed, "--json")[0])["sample"] for seed in (1, 1, 2)
        )
        assert out == again != other
        np.testing.assert_allclose(np.mean(out, axis=0), X.mean(axis=0), atol=0.5)
        np.testing.assert_allclose(np.std(out, axis=0), X.std(axis=0), rtol=0.15)


def test_nothing_is_drawn_from_what_is_no_mixture(book):
    with pytest.raises(UsageError, match="nothing can be drawn from kmeans"):
        of_source(book, Plan(sample=5), quiet)


@pytest.mark.slow
def test_silhouettes_of_several_numbers_are_in_one_picture(tmp_path):
    np.savez(tmp_path / "blobs.npz", X=five_blobs()[0])
    found, _ = of_source(tmp_path / "blobs.npz", Plan("pixels", ks=tuple(range(1, 10))), quiet)
    assert [k for k, _ in found.diagrams] == [2, 3, 4, 5, 6, 7]
    for k, shown in found.diagrams:
        assert len(np.unique(shown.clusters)) == k
        assert shown.score == next(row.silhouette for row in found.tried if row.k == k)
    plain, _ = of_source(tmp_path / "blobs.npz", Plan("pixels", n_clusters=4), quiet)
    heights = []
    for name, report in (("several.png", found), ("plain.png", plain)):
        plots.save(report, images_of(None), tmp_path / name)
        with Image.open(tmp_path / name) as picture:
            heights.append(picture.height)
    assert heights[0] > heights[1] + 600  # curves and two rows of diagrams


@pytest.mark.parametrize("k", [2, 5])
def test_an_image_is_written_in_as_many_colors_as_were_asked_for(tmp_path, k):
    from sklearn.cluster import KMeans

    rng = np.random.default_rng(0)
    tones = rng.integers(0, 255, (6, 3))
    pixels = np.clip(tones[np.arange(2_400) % 6] + rng.normal(0, 6, (2_400, 3)), 0, 255).astype(np.uint8)
    Image.fromarray(pixels.reshape(40, 60, 3)).save(tmp_path / "photo.png")
    out, _ = run("clusters", tmp_path / "photo.png", "--clusters", k, "-o", tmp_path / "seg.png", "--json")
    report = json.loads(out)
    with Image.open(tmp_path / "seg.png") as picture:
        drawn = np.array(picture)
    assert drawn.shape == (40, 60, 3)
    found, counts = np.unique(drawn.reshape(-1, 3), axis=0, return_counts=True)
    assert sorted(map(tuple, found.tolist())) == sorted(map(tuple, report["colors"]))
    assert len(found) == report["n_clusters"] == k
    assert sorted(counts / 2_400) == pytest.approx(sorted(report["shares"]), abs=1e-6)
    theirs = KMeans(k, n_init=10, random_state=0).fit(pixels / 255)
    assert report["inertia"] <= theirs.inertia_ * 1.01
    nearest = np.square(pixels[:, None].astype(float) - found[None]).sum(axis=2).argmin(axis=1)
    assert (found[nearest] == drawn.reshape(-1, 3)).all(axis=1).mean() > 0.99


def test_an_image_needs_a_file_for_its_colors_and_spares_what_is_not_ours(tmp_path):
    Image.new("L", (9, 9), 40).save(tmp_path / "grey.png")
    before = (tmp_path / "grey.png").read_bytes()
    for output in (None, tmp_path / "seg.jpg", tmp_path / "grey.png"):
        with pytest.raises(UsageError):
            colors.check(output)
    assert (tmp_path / "grey.png").read_bytes() == before
    assert colors.segment(tmp_path / "grey.png", "", 3, 0).image.tolist() == [[40] * 9] * 9


def test_clusters_of_texts_are_named_by_their_words(tmp_path):
    cats = ["the cat sat with a kitten on the mat", "my cat and a kitten purr", "a kitten is a small cat"]
    banks = ["stocks fell at the bank", "the bank raised interest", "interest and stocks at the bank rose"]
    with open(tmp_path / "texts.csv", "w", newline="") as file:
        csv.writer(file).writerows([["id", "text"], *([i, (cats, banks)[i % 2][i // 2 % 3]] for i in range(40))])
    found, _ = of_source(tmp_path / "texts.csv", Plan(n_clusters=2, reading=Reading(text="text")), quiet)
    words = {tuple(card.words[:2]) for card in found.cards}
    assert {frozenset(pair) for pair in words} == {frozenset({"cat", "kitten"}), frozenset({"bank", "stocks"})}
    assert "cat" in "\n".join(found.lines())
    assert "the" not in "\n".join(found.lines()).split()
    assert found.to_json()["clusters"][0]["words"]


@pytest.fixture
def archive(tmp_path):
    """A zip of 24 dark and light pictures, one that is none, an empty one and a note."""
    rng = np.random.default_rng(0)
    with zipfile.ZipFile(tmp_path / "mixed.zip", "w") as file:
        for number in range(24):
            tile = tmp_path / f"{number:02}.png"
            Image.fromarray((rng.random((8, 8)) * 50 + number % 2 * 150).astype(np.uint8)).save(tile)
            file.write(tile, tile.name)
        file.writestr("05-broken.png", b"no image at all")
        file.writestr("zero.png", b"")
        file.writestr("notes.txt", b"hello")
    return tmp_path / "mixed.zip"


def test_what_cannot_be_read_is_no_instance_and_what_was_left_out_is_said(archive, tmp_path):
    out, err = run("clusters", archive, "--encoder", "pixels", "--clusters", 2, "-o", tmp_path / "o.csv", "--json")
    report = json.loads(out)
    assert report["n_instances"] == 24
    assert [card["size"] for card in report["clusters"]] == [12, 12]
    assert "05-broken.png" in err
    assert "zero.png" in err
    assert "1 file without an image ending" in err
    assert any("05-broken.png" in note for note in report["left_out"])
    assert "05-broken.png" not in rows_of_file(tmp_path / "o.csv")[1]


@pytest.fixture
def worked(archive, tmp_path):
    """A project of the source's chain on that archive, eight answers."""
    with open_project(archive, tmp_path / "p.labeler.db", Options(engine="book", n_clusters=4)) as project:
        project.closing_round()
        while project.view().answers < 8:
            name = project.session.question.instance_id
            project.session.label(name, project.session.classes.id_for(str(int(name[:2]) % 2), setup=True))
        project.closing_round()
    return tmp_path / "p.labeler.db"


def test_a_project_is_looked_at_in_its_own_space_without_what_cannot_be_read(worked, tmp_path):
    with open_project(worked, read_only=True) as project:
        own, anew = (of_project(project, plan, quiet) for plan in (Plan(), Plan(n_clusters=2)))
        for found in (own, anew):
            assert (found.encoder, found.space, found.n_instances) == ("pixels", "64 features", 24)
            assert sum(card.size for card in found.cards) == 24
            assert "05-broken.png" not in {name for card in found.cards for name in card.typical + card.odd}
            for card in found.cards:
                rows = rows_of(found)[card.members]
                parities = {str(int(project.session.pool.ids[row][:2]) % 2) for row in rows}
                assert set(card.classes) == parities  # classes are those of these very instances
        image = images_of(project.instances.image, rows_of(own))(len(own.cards[0].members))
        assert image is not None
        assert project.recipe().seed == 0
    run("clusters", worked, "-o", tmp_path / "own.csv", "--plot", tmp_path / "own.png")
    _, ids, numbers = rows_of_file(tmp_path / "own.csv")
    assert len(ids) == 24
    assert set(numbers[:, 0]) == {card.cluster for card in own.cards}
    with pytest.raises(ExportError):
        assignments.write(own, worked, [worked])


def test_pages_of_an_image_are_a_pool_and_no_picture_to_segment(tmp_path):
    pages = [Image.fromarray(np.full((8, 8), 40 * number, dtype=np.uint8)) for number in range(6)]
    pages[0].save(tmp_path / "scan.tif", save_all=True, append_images=pages[1:])
    shown, notes = run("clusters", tmp_path / "scan.tif", "--pages", "--clusters", 2)
    assert "scan.tif#" in shown
    assert "link" not in notes
