"""A tiny network as an ONNX graph, against the same layers evaluated slowly, place by place."""

from __future__ import annotations

import numpy as np
import pytest

from labeler.plugins.encoders.convolutional_graph import ConvolutionalGraph, fold_norm, same_padding

EPSILON = 1e-3


def layer(rng, name, shape):
    """A convolution and its norm, with means and variances that a mistake would show."""
    n = shape[0]
    return {
        f"{name}.weight": rng.normal(size=shape).astype(np.float32),
        f"{name}_norm.weight": rng.uniform(0.5, 2, n).astype(np.float32),
        f"{name}_norm.bias": rng.normal(size=n).astype(np.float32),
        f"{name}_norm.running_mean": rng.normal(size=n).astype(np.float32),
        f"{name}_norm.running_var": rng.uniform(1e-4, 3, n).astype(np.float32),
    }


def slow_convolution(x, weights, name, stride=1, groups=1, is_clipped=True):
    """One layer on one image (c, h, h): convolution, then norm, then clip, each by its definition."""
    kernel = weights[f"{name}.weight"].astype(np.float64)
    width, side = kernel.shape[2], x.shape[1]
    places = (side + stride - 1) // stride
    missing = max(0, (places - 1) * stride + width - side)
    first = missing // 2  # the window of place i begins at i * stride - first
    out = np.zeros((len(kernel), places, places))
    inputs, outputs = x.shape[0] // groups, len(kernel) // groups
    for channel, row, column in np.ndindex(out.shape):
        group = channel // outputs
        for source, dy, dx in np.ndindex(inputs, width, width):
            y, z = row * stride - first + dy, column * stride - first + dx
            if 0 <= y < side and 0 <= z < side:
                out[channel, row, column] += kernel[channel, source, dy, dx] * x[group * inputs + source, y, z]
    scale, shift, mean, variance = (
        weights[f"{name}_norm.{part}"].astype(np.float64)[:, None, None]
        for part in ("weight", "bias", "running_mean", "running_var")
    )
    out = (out - mean) / np.sqrt(variance + EPSILON) * scale + shift
    return np.minimum(np.maximum(out, 0), 6) if is_clipped else out


@pytest.mark.parametrize("side", [8, 9, 11])
@pytest.mark.parametrize("width", [3, 5])
def test_the_graph_does_what_its_layers_do(side, width):
    pytest.importorskip("onnx", reason="the extra photos is not installed")
    pytest.importorskip("onnxruntime", reason="the extra photos is not installed")
    from labeler.plugins.encoders.onnx_session import open_session, run

    rng = np.random.default_rng(side * width)
    weights = (
        layer(rng, "stem", (4, 3, 3, 3))
        | layer(rng, "wide", (6, 4, 1, 1))
        | layer(rng, "deep", (6, 1, width, width))
        | layer(rng, "narrow", (4, 6, 1, 1))
        | layer(rng, "down", (4, 1, width, width))
    )
    graph = ConvolutionalGraph(weights, EPSILON)
    stem = graph.convolve(graph.images(side, 127.0, 128.0), "stem", "stem_norm", stride=2)
    wide = graph.convolve(stem, "wide", "wide_norm")
    deep = graph.convolve(wide, "deep", "deep_norm", groups=6)
    block = graph.add(graph.convolve(deep, "narrow", "narrow_norm", is_clipped=False), stem)
    down = graph.convolve(block, "down", "down_norm", stride=2, groups=4)
    output = graph.average(down)
    images = rng.integers(0, 256, (3, side, side, 3), dtype=np.uint8)
    computed = run(open_session(graph.serialized(output), "tiny", 1), output, images)
    expected = []
    for image in images:
        x = slow_convolution((image.astype(float) - 127).transpose(2, 0, 1) / 128, weights, "stem", 2)
        y = slow_convolution(slow_convolution(x, weights, "wide"), weights, "deep", groups=6)
        x = x + slow_convolution(y, weights, "narrow", is_clipped=False)
        expected.append(slow_convolution(x, weights, "down", 2, groups=4).mean(axis=(1, 2)))
    assert down.side == {8: 2, 9: 3, 11: 3}[side]
    np.testing.assert_allclose(computed, expected, rtol=1e-4, atol=1e-4)
    assert np.std(expected) > 0.1  # not all of it clipped


def test_vectors_side_by_side_have_length_one_each():
    pytest.importorskip("onnx", reason="the extra photos is not installed")
    pytest.importorskip("onnxruntime", reason="the extra photos is not installed")
    from labeler.plugins.encoders.onnx_session import open_session, run

    graph = ConvolutionalGraph({}, EPSILON)
    tones = graph.average(graph.images(2, 0.0, 1.0))
    output = graph.join([tones, tones])
    images = np.zeros((2, 2, 2, 3), np.uint8)
    images[0] = [3, 0, 4]
    computed = run(open_session(graph.serialized(output), "tones", 1), output, images)
    np.testing.assert_allclose(computed, [[0.6, 0, 0.8] * 2, [0] * 6], atol=1e-6)


@pytest.mark.parametrize(
    ("line", "zeros"),
    [
        ((224, 3, 2), (0, 1)),
        ((225, 3, 2), (1, 1)),
        ((56, 5, 2), (1, 2)),
        ((14, 5, 1), (2, 2)),
        ((7, 3, 1), (1, 1)),
        ((7, 1, 1), (0, 0)),
        ((8, 1, 2), (0, 0)),
    ],
)
def test_the_odd_zero_goes_behind(line, zeros):
    assert same_padding(*line) == zeros


def test_a_norm_of_tiny_variance_is_folded_without_loss():
    weights = layer(np.random.default_rng(0), "a", (5, 2, 3, 3))
    weights["a_norm.running_var"] = np.full(5, 1e-12, np.float32)
    kernel, bias = fold_norm(weights, "a", "a_norm", EPSILON)
    assert kernel.dtype == bias.dtype == np.float32
    factor = weights["a_norm.weight"] / np.sqrt(EPSILON + 1e-12)
    np.testing.assert_allclose(kernel, weights["a.weight"] * factor[:, None, None, None], rtol=1e-6)
    np.testing.assert_allclose(
        bias, weights["a_norm.bias"] - weights["a_norm.running_mean"] * factor, rtol=1e-5, atol=1e-5
    )
