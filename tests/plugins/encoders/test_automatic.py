from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image, ImageDraw
from sklearn.datasets import load_digits

from labeler.plugins import registry
from labeler.plugins.encoders import automatic
from labeler.plugins.encoders.automatic import (
    NETWORK,
    choose_encoder,
    further_views,
    group_strength,
    is_ink,
    missing_extra,
)


def scribbles(n: int, ground: int, pen: int) -> np.ndarray:
    rng = np.random.default_rng(0)
    out = []
    for _ in range(n):
        image = Image.new("L", (48, 48), ground)
        points = [tuple(point) for point in rng.uniform(10, 38, (4, 2))]
        ImageDraw.Draw(image).line(points, fill=pen, width=3)
        out.append(np.asarray(image))
    return np.stack(out)


def scenes(n: int, colour: bool) -> np.ndarray:
    """Smooth noise all over the image."""
    rng = np.random.default_rng(0)
    small = rng.integers(0, 256, (n, 6, 6, 3)).astype(np.uint8)
    big = np.stack([np.asarray(Image.fromarray(image).resize((32, 32), Image.Resampling.BICUBIC)) for image in small])
    return big if colour else big[..., 0]


@pytest.mark.parametrize(("ground", "pen"), [(255, 0), (0, 255), (200, 40)])
def test_drawn_lines_are_ink_whatever_the_polarity(ground: int, pen: int) -> None:
    images = scribbles(60, ground, pen)
    assert choose_encoder(images, 0)[0] == "deskew-hog"
    assert choose_encoder(np.repeat(images[..., None], 3, axis=3), 0)[0] == "deskew-hog"


def test_small_digits_are_ink() -> None:
    images = np.round(load_digits().images * 255 / 16).astype(np.uint8)
    spec, reason = choose_encoder(images, 0)
    assert spec == "deskew-hog"
    assert "ink" in reason


def with_network(monkeypatch: pytest.MonkeyPatch, available: bool) -> None:
    entry = registry.entry
    changed = replace(entry("encoder", NETWORK), requires=() if available else ("no_such_module",))
    monkeypatch.setattr(registry, "entry", lambda kind, name: changed if name == NETWORK else entry(kind, name))


@pytest.mark.parametrize(("available", "network"), [(True, [(NETWORK, True)]), (False, [])])
def test_color_photos_are_scattered_and_get_further_views(
    monkeypatch: pytest.MonkeyPatch, available: bool, network: list[tuple[str, bool]]
) -> None:
    with_network(monkeypatch, available)
    encoder, reason = choose_encoder(scenes(120, True), 0)
    assert (encoder, reason) == ("scattering", "color photos")
    assert further_views(encoder, reason) == [("hog", False), *network]
    assert further_views("scattering:standardise=False", reason) == [("hog", False), *network]
    assert missing_extra(reason) == ("" if available else "photos")


@pytest.mark.parametrize("pool", ["ink", "a few", "a table", "texts"])
def test_ink_few_pictures_tables_and_texts_get_no_network(monkeypatch: pytest.MonkeyPatch, pool: str) -> None:
    pools = {"ink": scribbles(60, 255, 0), "a few": scenes(10, False)}
    pools |= {"a table": np.eye(200, 5, dtype=np.float32), "texts": np.array(["a", "b"] * 30, dtype=object)}
    encoder, reason = choose_encoder(pools[pool], 0)
    with_network(monkeypatch, False)
    assert missing_extra(reason) == ""
    with_network(monkeypatch, True)
    assert NETWORK not in dict(further_views(encoder, reason))
    assert further_views("deskew-hog", "ink on a plain ground") == []


@pytest.mark.parametrize("available", [True, False])
def test_grey_pictures_that_are_no_ink_get_the_network(monkeypatch: pytest.MonkeyPatch, available: bool) -> None:
    monkeypatch.setattr(automatic, "CANDIDATES", ("hog",))  # the others take their time
    encoder, reason = choose_encoder(scenes(60, False), 0)
    with_network(monkeypatch, available)
    assert encoder == "hog"
    assert further_views(encoder, reason) == [("scattering", False), *([(NETWORK, True)] if available else [])]
    assert missing_extra(reason) == ("" if available else "photos")


@pytest.mark.slow
def test_grey_scenes_are_compared_by_their_graph() -> None:
    images = scenes(120, False)
    spec, reason = choose_encoder(images, 0)
    assert spec.startswith(("hog", "scattering"))
    assert "groups" in reason
    assert (spec, reason) == choose_encoder(images, 0)
    registry.create("encoder", spec).fit(images).transform(images)


def test_filled_shapes_are_not_ink() -> None:
    ys, xs = np.mgrid[:28, :28]
    discs = np.stack([((ys - 14) ** 2 + (xs - 14) ** 2 < radius**2) * 255 for radius in range(4, 12)]).astype(np.uint8)
    assert not is_ink(discs)


@pytest.mark.parametrize("n", [0, 1, 2, 10])
@pytest.mark.parametrize("make", [scenes, lambda n, colour: np.zeros((n, 9, 9), np.uint8)])
def test_tiny_and_blank_pools_get_an_answer(n: int, make: object) -> None:
    images = make(n, True) if n else np.zeros((0, 8, 8), np.uint8)  # type: ignore[operator]
    spec, reason = choose_encoder(images, 0)
    registry.create("encoder", spec)
    assert reason


@pytest.mark.slow
def test_blank_images_in_number() -> None:
    choose_encoder(np.zeros((100, 16, 16), np.uint8), 0)


def test_tables() -> None:
    rng = np.random.default_rng(0)
    assert choose_encoder(rng.normal(size=(200, 5)).astype(np.float32) * [1, 10, 100, 1, 1], 0)[0] == "scaled"
    assert choose_encoder(rng.normal(size=(200, 64)).astype(np.float32), 0)[0] == "pixels"
    assert choose_encoder(rng.normal(size=(200, 64)) * np.logspace(0, 4, 64), 0)[0] == "scaled"
    assert choose_encoder(np.zeros((0, 4), np.float32), 0)[0] == "scaled"
    assert choose_encoder(np.full((9, 40), np.nan, np.float32), 0)[0] == "scaled"


def test_groups_are_stronger_than_a_cloud() -> None:
    rng = np.random.default_rng(0)
    cloud = rng.normal(size=(400, 20)).astype(np.float32)
    groups = cloud + 20 * rng.normal(size=(25, 20)).repeat(16, axis=0).astype(np.float32)
    assert group_strength(groups) > group_strength(cloud) + 0.1
