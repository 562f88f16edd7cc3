"""A pool of texts from the first question to the export, predictions and clusters."""

from __future__ import annotations

import csv
import json
import random

import numpy as np
import pytest

from labeler.commands.clusters.inspect import Plan, of_source
from labeler.commands.export.export import ExportOptions, export
from labeler.commands.predict import predict
from labeler.commands.simulate import Simulation, simulate
from labeler.core.content import Passage
from labeler.core.errors import SourceError
from labeler.core.recipe import Reading
from labeler.project.open import Options, open_project

TOPICS = {
    "praise": "great lovely excellent wonderful happy perfect love recommend best works nicely comfortable",
    "complaint": "broken refund terrible late damaged missing angry worst delay rude never arrived",
    "question": "how where when does size color available shipping which model compatible manual",
}
FILLING = "the a this product order it was and i my to for with very is in on we box phone item store bought"


def write(path, n: int, seed: int) -> None:
    draw = random.Random(seed)
    with open(path, "w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["id", "stars", "review", "label"])
        for number in range(n):
            topic = draw.choice(sorted(TOPICS))
            words = [
                draw.choice((TOPICS[topic] if draw.random() < 0.3 else FILLING).split())
                for _ in range(draw.randint(10, 40))
            ]
            table.writerow([f"r{number:03d}", draw.randint(1, 5), " ".join(words), topic])


@pytest.fixture
def reviews(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "reviews.csv", 200, 0)
    return tmp_path / "reviews.csv"


@pytest.mark.slow
def test_a_simulated_person_labels_texts_and_new_ones_are_predicted(reviews, tmp_path):
    path = tmp_path / "reviews.labeler.db"
    report = simulate(Simulation(reviews, "y", 20, Options(text="review"), project=path))
    assert report.encoder == "tfidf"
    assert report.n_instances == 200
    assert report.final["labels_accuracy"] > 0.9
    write(tmp_path / "new.csv", 60, 1)
    with open_project(path) as project:  # the column is remembered
        found = predict(project, tmp_path / "new.csv")
        with open(tmp_path / "new.csv", newline="") as file:
            right = [row["label"] == label for row, label in zip(csv.DictReader(file), found.labels, strict=True)]
        assert sum(right) > 50
        np.savez(tmp_path / "table.npz", X=np.zeros((5, 3), dtype=np.float32))
        with pytest.raises(SourceError, match="is no CSV"):
            predict(project, tmp_path / "table.npz")
        written = export(project, tmp_path / "texts.npz", options=ExportOptions())
    assert sum(written.counts.values()) > 100
    with np.load(tmp_path / "texts.npz", allow_pickle=False) as arrays:
        assert arrays["X"].shape[0] == len(arrays["y"])
        assert arrays["X"].dtype == np.float32


def test_the_same_source_opens_as_texts_again_without_the_option(reviews):
    with open_project(reviews, options=Options(text="review")) as project:
        assert project.view().noun == "text"
        first = project.instances.shown(0)
        assert isinstance(first, Passage)
        project.session.classes.add("praise", setup=True)
        project.session.label(project.session.pool.ids[0], project.session.classes.named("praise").class_id)
    for target in (reviews, reviews.with_name("reviews.labeler.db")):
        with open_project(target) as project:
            assert project.instances.content == "text"
            assert project.instances.shown(0) == first
            assert project.view().answers == 1
            assert project.recipe().text == "review"


def test_the_clusters_of_texts(reviews):
    found, source = of_source(reviews, Plan(reading=Reading(text="review"), n_clusters=3), lambda _: None)
    truth = source.truth()
    for card in found.cards:
        inside = [truth[source.ids[index]] for index in card.members.tolist()]
        assert max(map(inside.count, TOPICS)) > 0.8 * len(inside)
    assert found.encoder == "tfidf"
    json.dumps(found.cards[0].classes)
