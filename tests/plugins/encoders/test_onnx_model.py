"""A small ONNX model made here, as an encoder."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from labeler.core.errors import LabelerError, MissingExtra, UsageError
from labeler.plugins import registry
from labeler.project.open import Options, open_project

onnx = pytest.importorskip("onnx", reason="the extra onnx is not installed")
pytest.importorskip("onnxruntime", reason="the extra onnx is not installed")

SIDE = 96


def save(path, shape, output_axes=4, batch="n"):
    """A model of mean tones: each channel averaged over the cells of a 4 x 4 raster; a second output doubles it."""
    from onnx import TensorProto, helper

    step = SIDE // 4
    nodes = [helper.make_node("AveragePool", ["x"], ["tones"], kernel_shape=[step, step], strides=[step, step])]
    if output_axes == 2:
        nodes.append(helper.make_node("Flatten", ["tones"], ["flat"]))
    first = "flat" if output_axes == 2 else "tones"
    nodes.append(helper.make_node("Add", [first, first], ["twice"]))
    outputs = [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in (first, "twice")]
    graph = helper.make_graph(
        nodes, "tones", [helper.make_tensor_value_info("x", TensorProto.FLOAT, [batch, *shape])], outputs
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)
    return path


@pytest.fixture
def model(tmp_path):
    return save(tmp_path / "m.onnx", (3, SIDE, SIDE), 2)


def pictures(n=5, side=SIDE):
    return np.random.default_rng(0).integers(0, 256, (n, side, side, 3)).astype(np.uint8)


def test_features_are_the_models_output_of_declared_numbers(model):
    images = pictures()
    encoder = registry.create("encoder", f"onnx:model={model},mean=0.5/0.4/0.3,std=0.2").fit(images)
    features = encoder.transform(images)
    assert features.shape == (5, 48)
    assert features.dtype == np.float32
    cells = images.reshape(5, 4, 24, 4, 24, 3).mean(axis=(2, 4)) / 255
    expected = ((cells - [0.5, 0.4, 0.3]) / 0.2).transpose(0, 3, 1, 2).reshape(5, -1)
    np.testing.assert_allclose(features, expected, atol=1e-4)
    np.testing.assert_array_equal(encoder.transform(images[3:4]), features[3:4])
    assert encoder.transform(images[:0]).shape == (0, 48)
    twice = registry.create("encoder", f"onnx:model={model},output=twice,mean=0.5/0.4/0.3,std=0.2").transform(images)
    np.testing.assert_allclose(twice, 2 * features, rtol=1e-5)


def test_channels_and_pools(tmp_path):
    images = pictures()
    grey = save(tmp_path / "grey.onnx", (1, SIDE, SIDE))
    features = registry.create("encoder", f"onnx:model={grey},channels=grey").transform(images)
    assert features.shape == (5, 1)
    np.testing.assert_allclose(features[:, 0], (images @ [0.299, 0.587, 0.114]).mean(axis=(1, 2)) / 255, atol=1e-3)
    colour = save(tmp_path / "c.onnx", (3, SIDE, SIDE))
    rgb, bgr = (
        registry.create("encoder", f"onnx:model={colour},channels={name}").transform(images) for name in ("rgb", "bgr")
    )
    np.testing.assert_allclose(rgb, bgr[:, ::-1], rtol=1e-5)
    flat = registry.create("encoder", f"onnx:model={colour},pool=flatten").transform(images)
    np.testing.assert_allclose(flat.reshape(5, 3, 16).mean(axis=2), rgb, rtol=1e-4)
    first = registry.create("encoder", f"onnx:model={colour},pool=first").transform(images)
    np.testing.assert_array_equal(first, flat.reshape(5, 3, 16)[:, :, 0])


def test_a_fixed_batch_is_filled_up(tmp_path):
    images = pictures()
    free = registry.create("encoder", f"onnx:model={save(tmp_path / 'a.onnx', (3, SIDE, SIDE))}").transform(images)
    two = registry.create("encoder", f"onnx:model={save(tmp_path / 'b.onnx', (3, SIDE, SIDE), batch=2)}")
    np.testing.assert_allclose(two.transform(images), free, rtol=1e-5)


def test_grey_and_other_sizes_are_brought_to_the_models(model):
    encoder = registry.create("encoder", f"onnx:model={model}")
    assert encoder.prepared(pictures(2, 20)).shape == (2, 3, SIDE, SIDE)
    assert encoder.transform(np.full((2, 20, 20), 51, dtype=np.uint8)) == pytest.approx(0.2, abs=1e-5)


@pytest.mark.parametrize(
    "spec", ["", "model=nowhere.onnx", "mean=a", "std=0", "layout=chwn", "output=third", "size=-1", "channels=cmyk"]
)
def test_what_cannot_be_used_is_one_line(model, spec):
    full = spec if spec.startswith("model") or not spec else f"model={model},{spec}"
    with pytest.raises(UsageError):
        registry.create("encoder", f"onnx:{full}")


def test_a_file_that_is_no_model_and_a_size_nobody_declared_are_said(tmp_path):
    (tmp_path / "x.onnx").write_bytes(b"no model")
    with pytest.raises(UsageError, match="no ONNX model"):
        registry.create("encoder", f"onnx:model={tmp_path / 'x.onnx'}")
    path = save(tmp_path / "free.onnx", (3, "h", "w"))
    with pytest.raises(UsageError, match="declares no square size"):
        registry.create("encoder", f"onnx:model={path}")
    assert registry.create("encoder", f"onnx:model={path},size={SIDE}").side == SIDE


def test_another_file_is_another_version(tmp_path, model):
    other = save(tmp_path / "other.onnx", (3, SIDE, SIDE))
    versions = {registry.create("encoder", f"onnx:model={path}").version for path in (model, other)}
    assert len(versions) == 2


def test_without_the_package_the_one_command_is_said(monkeypatch, model):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(MissingExtra) as error:
        registry.create("encoder", f"onnx:model={model}")
    assert "pip install '.[onnx]'" in error.value.hint


def test_a_project_sees_images_at_the_models_size_and_predicts_new_ones(tmp_path, model):
    """Stripes three pixels wide are lost in the image store of 64 pixels a side: the model must see the file."""
    for folder in ("photos", "new"):
        for number in range(24):
            image = np.full((SIDE, SIDE, 3), 90, dtype=np.uint8)
            rows = slice(0, 24) if number % 2 else slice(72, 96)
            image[rows] = np.random.default_rng(number).integers(160, 255, 3)
            (tmp_path / folder).mkdir(exist_ok=True)
            Image.fromarray(image).save(tmp_path / folder / f"{number:02d}.png")
    options = Options(encoder=f"onnx:model={model}", classes=("low", "high"))
    with open_project(tmp_path / "photos", tmp_path / "p.labeler.db", options) as project:
        pipeline = project.open_pipeline()
        image = np.asarray(Image.open(tmp_path / "photos" / "03.png"))
        expected = (image.reshape(4, 24, 4, 24, 3).mean(axis=(1, 3)) / 255).transpose(2, 0, 1).ravel()
        np.testing.assert_allclose(pipeline.features()[3], expected, atol=1e-4)
        for number in range(8):
            project.session.label(f"{number:02d}.png", number % 2)
        from labeler.commands.predict import predict

        found = predict(project, tmp_path / "new")
        assert found.labels == ["low", "high"] * 12
        (tmp_path / "t.npz").write_bytes(b"")
    table = tmp_path / "table.npz"
    np.savez(table, X=np.zeros((30, 4), np.float32))
    with open_project(table, tmp_path / "t.labeler.db", options) as project, pytest.raises(LabelerError, match="take"):
        project.open_pipeline()
