"""`labeler clusters` on real data: tables, projects, pictures, and what cannot be."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from matplotlib.offsetbox import AnnotationBbox
from PIL import Image
from sklearn.cluster import KMeans

from labeler.commands.clusters import figures, inspect, plots
from labeler.commands.clusters.inspect import Plan, images_of, of_project, of_source, parse_range
from labeler.core.errors import EngineError, MissingExtra, UsageError
from labeler.project.open import Options, open_project


def quiet(_):
    """No progress."""


@pytest.fixture
def wine(tmp_path):
    """A table of 178 wines, 13 columns."""
    from sklearn.datasets import load_wine

    np.savez(tmp_path / "wine.npz", X=load_wine().data.astype(np.float32))
    return tmp_path / "wine.npz"


@pytest.mark.slow
def test_a_range_is_compared_and_the_elbow_is_shown(digits_path):
    found, _ = of_source(digits_path, Plan(encoder="pixels", ks=(5, 10, 15, 20, 30, 40)), quiet)
    report = json.loads(json.dumps(found.to_json(), allow_nan=False))
    assert [row["k"] for row in report["range"]] == [5, 10, 15, 20, 30, 40]
    assert report["elbow"] == report["n_clusters"] == 15
    best = max(report["range"], key=lambda row: row["silhouette"])["k"]
    assert report["best_silhouette"] == best in (10, 15)
    assert report["best_bic"] is None
    assert sum(card["size"] for card in report["clusters"]) == 1797 == report["silhouette_sample"]
    said = "\n".join(found.lines())
    assert "elbow of the inertia: k = 15 (farthest below" in said
    assert f"largest silhouette: k = {best}" in said


@pytest.mark.slow
def test_a_mixture_says_how_it_converged_and_its_criteria(digits_path):
    found, _ = of_source(digits_path, Plan("pixels", "gmm:n_init=1", 10, (5, 10, 20)), quiet)
    report = found.to_json()
    assert (report["converged"], len(report["weights"])) == (True, 10)
    assert report["iterations"] > 1
    assert report["best_bic"] in (5, 10, 20)
    assert all(row["aic"] < row["bic"] for row in report["range"])
    assert "converged after" in "\n".join(found.lines())
    assert "BIC" in "\n".join(found.lines())
    emptied, _ = of_source(digits_path, Plan("pixels", "bayesian-gmm:weight_concentration_prior=1e-9", 150), quiet)
    assert emptied.to_json()["emptied"] > 0
    assert "emptied (weight below 0.01)" in "\n".join(emptied.lines())


def test_anomalies_are_named_and_in_no_cluster(digits_path):
    found, _ = of_source(digits_path, Plan("pixels", "dbscan:eps=0.75"), quiet)
    report = found.to_json()
    assert sum(card["size"] for card in report["clusters"]) + len(report["anomalies"]) == 1797
    assert set(report["anomalies"]).isdisjoint(name for card in report["clusters"] for name in card["odd"])
    assert f"{len(report['anomalies'])} anomalies in no cluster" in "\n".join(found.lines())


def test_a_tables_clusters_are_told_by_their_feature_means(wine):
    found, _ = of_source(wine, Plan(encoder="scaled", n_clusters=3), quiet)
    with np.load(wine) as arrays:
        X = arrays["X"]
    for card in found.cards:
        np.testing.assert_allclose(list(card.means.values()), X[card.members].mean(axis=0), rtol=1e-4)
        name, mean, apart = card.far[0]
        column = int(name.split()[-1])
        assert mean == pytest.approx(X[card.members, column].mean(), rel=1e-4)
        assert apart == pytest.approx((mean - X[:, column].mean()) / X[:, column].std(), rel=1e-3)
        assert card.apart[name] == pytest.approx(apart, abs=1e-6)
    lines = found.lines()
    assert max(len(line) for line in lines if "│" in line) <= 80
    proline = next(line.split() for line in lines if "column 12 " in line and "+1.1 sd" in line)
    assert proline[:4] == ["column", "12", "1,100", "│███"]
    assert json.loads(json.dumps(found.to_json()))["clusters"][0]["apart"].keys() == found.cards[0].means.keys()


@pytest.fixture
def project(few_digits, tmp_path):
    """A project of 150 digits with class names that want to harm, 30 of them answered."""
    with open_project(few_digits, tmp_path / "p.labeler.db", Options(encoder="pixels")) as project:
        truth = project.source.truth()
        project.closing_round()
        while project.view().answers < 30:
            name = project.session.question.instance_id
            class_id = project.session.classes.id_for(f"\x1b[2J{truth[name]}", setup=True)
            project.session.label(name, class_id)
        project.closing_round()
    return tmp_path / "p.labeler.db"


def test_a_projects_own_clusters_are_inspected_with_their_classes(project):
    with open_project(project, read_only=True) as opened:
        before = project.read_bytes()
        found = of_project(opened, Plan(), quiet)
        round_ = opened.view().round
        assert len(found.cards) == len(round_.representatives)
        for card in found.cards:
            assert (round_.clusters[card.members] == card.cluster).all()
            assert sum(card.classes.values()) == card.size
        assert {card.members[0] for card in found.cards} == set(round_.representatives.tolist())
        again = of_project(opened, Plan(clusterer="agglomerative", n_clusters=6), quiet)
        assert (again.clusterer, len(again.cards)) == ("agglomerative", 6)
        assert sum(sum(card.classes.values()) for card in again.cards) == 150
    assert project.read_bytes() == before
    assert "\x1b" not in "\n".join(found.lines())


@pytest.mark.mostly_slow
@pytest.mark.parametrize("clusterer", ["kmeans", "agglomerative", "dbscan:eps=1.5", "gmm"])
@pytest.mark.parametrize("ks", [(), (4, 6, 8)])
def test_a_picture_is_drawn_of_each_kind(few_digits, tmp_path, clusterer, ks):
    found, source = of_source(few_digits, Plan("pixels", clusterer, 12, ks), quiet)
    path = tmp_path / "plot.png"
    plots.save(found, images_of(source.image), path)
    with Image.open(path) as picture:
        assert picture.format == "PNG"
        colors = picture.convert("RGB").getcolors(1 << 24)
    assert len(colors) > 20
    assert not list(tmp_path.glob("*.draft*"))


def test_the_tree_has_a_leaf_a_cluster_and_one_root(few_digits):
    found, source = of_source(few_digits, Plan("pixels", "agglomerative", 12), quiet)
    (axes,) = figures.draw(found, images_of(source.image)).axes
    bars = [line.get_ydata() for line in axes.lines if len(line.get_ydata()) == 4]
    assert len(bars) == 11
    heights = found.clustering.facts["last_merges"][-11:]
    np.testing.assert_allclose(sorted(max(bar) for bar in bars), sorted(heights))
    assert sum((np.asarray(bar) == 0.0).sum() for bar in bars) == 12  # the leaves
    thumbnails = [artist for artist in axes.artists if isinstance(artist, AnnotationBbox)]
    assert len({artist.xy[0] for artist in thumbnails}) == 12
    sizes = [int(label.get_text().split("\n")[0]) for label in axes.get_xticklabels()]
    assert sorted(sizes) == sorted(card.size for card in found.cards)


def test_one_report_gives_one_file_whatever_a_persons_own_style_is(few_digits, tmp_path):
    import matplotlib

    found, source = of_source(few_digits, Plan("pixels", "kmeans", 4), quiet)
    plots.save(found, images_of(source.image), tmp_path / "first.png")
    with matplotlib.rc_context({"font.size": 30, "lines.linewidth": 9}):
        plots.save(found, images_of(source.image), tmp_path / "second.png")
        assert matplotlib.rcParams["font.size"] == 30
    assert (tmp_path / "first.png").read_bytes() == (tmp_path / "second.png").read_bytes()


def test_names_are_no_formulas_and_letters_without_a_font_are_no_noise(few_digits, tmp_path, recwarn):
    found, source = of_source(few_digits, Plan("pixels", "agglomerative", 3), quiet)
    cards = [replace(card, classes={"$\\x_\u732b$": card.size}) for card in found.cards]
    plots.save(replace(found, cards=cards), images_of(source.image), tmp_path / "tree.png")
    assert (tmp_path / "tree.png").stat().st_size > 1_000
    assert not [warning for warning in recwarn if "Glyph" in str(warning.message)]


def test_without_matplotlib_it_is_said_before_any_work_what_to_install(few_digits, tmp_path, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(MissingExtra, match="--plot needs a package that is not installed") as error:
        plots.check(tmp_path / "plot.png")
    assert "pip install '.[plots]'" in error.value.hint
    plots.check_place(tmp_path / "colors.png", "-o")  # the colors of an image need none


def test_a_table_has_no_thumbnails_and_a_picture_all_the_same(wine, tmp_path):
    found, _ = of_source(wine, Plan(encoder="scaled", n_clusters=3, ks=(2, 3, 4)), quiet)
    plots.save(found, images_of(None), tmp_path / "wine.png")
    assert (tmp_path / "wine.png").stat().st_size > 1_000


@pytest.mark.parametrize("wrong", ["5", "a:b", "9:5", "0:5", "2:9:0", "2:3:4:5", ""])
def test_a_range_that_is_none_is_refused(wrong):
    with pytest.raises(UsageError, match="no range of numbers"):
        parse_range(wrong)


def test_ranges():
    assert parse_range("5:20:5") == (5, 10, 15, 20)
    assert parse_range("2:5") == (2, 3, 4, 5)
    assert parse_range("1:3") == (1, 2, 3)


def test_what_cannot_be_is_refused_before_any_work(few_digits, tmp_path):
    for name in ("plot.jpg", "missing/plot.png"):
        with pytest.raises(UsageError):
            plots.check(tmp_path / name)
    with pytest.raises(EngineError, match="compares all with all"):
        of_source(few_digits, Plan(clusterer="spectral:limit=10"), quiet)
    with pytest.raises(UsageError, match="no clusterer is called"):
        of_source(few_digits, Plan(clusterer="nonsense"), quiet)


def test_very_small_pools(tmp_path):
    for n in (1, 2, 3):
        np.savez(tmp_path / f"{n}.npz", X=np.random.default_rng(0).normal(size=(n, 2)).astype(np.float32))
        found, _ = of_source(tmp_path / f"{n}.npz", Plan(ks=(2, 3)), quiet)
        assert sum(card.size for card in found.cards) == n
        plots.save(found, images_of(None), tmp_path / "small.png")
        assert "\n".join(found.lines())
        json.dumps(found.to_json(), allow_nan=False)


def test_the_inertia_of_clusters_found_elsewhere_is_that_of_the_points_shown():
    X = np.random.default_rng(0).normal(size=(60, 4)).astype(np.float32)
    fitted = KMeans(5, n_init=1, random_state=0).fit(X)
    assert inspect._inertia(X, fitted.labels_) == pytest.approx(fitted.inertia_, rel=1e-4)
    noise = np.concatenate([fitted.labels_, [-1]])  # an anomaly is in no cluster
    assert inspect._inertia(np.vstack([X, X[:1] + 100]), noise) == pytest.approx(fitted.inertia_, rel=1e-4)


def test_a_picture_shows_the_mean_of_each_cluster_and_what_a_mixture_makes_up(few_digits):
    found, source = of_source(few_digits, Plan("pixels", "gmm", 8), quiet)
    card = found.cards[0]
    own = np.mean([source.image(int(index)) for index in card.members], axis=0)
    np.testing.assert_allclose(card.mean, own, atol=0.51)
    pool = np.stack([source.image(index) for index in range(len(source.ids))]).astype(np.float64)
    samples = np.stack(found.samples)
    assert samples.shape == (26, 8, 8)
    assert samples.dtype == np.uint8
    assert not (samples[:, None] == pool[None]).all(axis=(2, 3)).any()  # made up, none of the pool
    np.testing.assert_allclose(samples.mean(axis=0), pool.mean(axis=0), atol=45)  # but such as are in it
    nearest = np.sqrt(np.square(samples[:, None] - pool[None]).mean(axis=(2, 3))).min(axis=1)
    blank = np.sqrt(np.square(pool).mean(axis=(1, 2)))
    assert np.median(nearest) < 0.6 * np.median(blank)
    figure = figures.draw(found, images_of(source.image))
    assert sum(len(axes.images) for axes in figure.axes) == 8 + 26
    for axes in figure.axes[-2:]:
        (left, right), (below, above) = axes.get_xlim(), axes.get_ylim()
        for tile in axes.images:
            x0, x1, y1, y0 = tile.get_extent()
            assert left <= x0 < x1 <= right
            assert above <= y0 < y1 <= below


def test_only_pixels_are_drawn_as_images(few_digits, wine):
    assert of_source(few_digits, Plan("deskew-hog", "gmm", 5), quiet)[0].samples == []
    found, _ = of_source(wine, Plan("pixels", "gmm", 5), quiet)
    assert found.samples == []
    assert {card.mean for card in found.cards} == {None}


def test_samples_come_back_from_components_to_pixels(tmp_path):
    rng = np.random.default_rng(0)
    X = np.clip(rng.normal(128, 10, (300, 16, 16)) + 100 * (np.arange(300) % 2)[:, None, None], 0, 255).astype(np.uint8)
    np.savez(tmp_path / "two.npz", X=X)  # 256 pixels: more than are clustered as they are
    found, _ = of_source(tmp_path / "two.npz", Plan("pixels", "gmm", 2), quiet)
    light = np.stack(found.samples).mean(axis=(1, 2))
    assert ((abs(light - 128) < 15) | (abs(light - 226) < 15)).all()
    assert 5 < (light > 180).sum() < 21


def test_a_picture_is_drawn_over_one_of_ours_and_over_no_other(wine, tmp_path):
    photo, drawn = tmp_path / "photo.png", tmp_path / "drawn.png"
    Image.new("L", (40, 40)).save(photo)
    before = photo.read_bytes()
    with pytest.raises(UsageError, match="exists already"):
        plots.check(photo)
    assert photo.read_bytes() == before
    found, _ = of_source(wine, Plan(encoder="scaled", n_clusters=3), quiet)
    for _ in range(2):
        plots.check(drawn)
        plots.save(found, images_of(None), drawn)
