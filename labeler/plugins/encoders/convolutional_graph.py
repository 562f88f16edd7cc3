"""A convolutional network for inference as an ONNX graph: what TensorFlow's networks for phones are made of.

Each convolution pads as TensorFlow's "same" does and takes the batch norm behind it into its own kernel.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from labeler.core.types import FloatArray
from labeler.plugins.encoders.torch_weights import Weights

OPSET, IR_VERSION = 17, 8  # those of the model that `labeler export` writes: onnxruntime 1.18 runs them


class Maps(NamedTuple):
    """A tensor of the graph (n, channels, side, side), by its name."""

    name: str
    side: int
    channels: int


class Node(NamedTuple):
    """An operator of the graph: it writes one tensor, `output`."""

    operator: str
    inputs: tuple[str, ...]
    output: str
    attributes: dict[str, Any]


class ConvolutionalGraph:
    """A graph under construction, of weights by their names; images go in as (n, side, side, 3) uint8.

    Parameters
    ----------
    weights
        Tensors by name: ``CONV.weight`` (out, in / groups, k, k), and ``NORM.weight``, ``.bias``, ``.running_mean`` and
        ``.running_var``.
    epsilon : float
        Added to the variance of every batch norm.
    """

    def __init__(self, weights: Weights, epsilon: float) -> None:
        self._weights, self._epsilon = weights, epsilon
        self._nodes: list[Node] = []
        self._constants: dict[str, NDArray[Any]] = {}
        self._side = 0

    def images(self, side: int, mean: float, scale: float) -> Maps:
        """Return the images as (n, 3, side, side) float32, less `mean`, divided by `scale`."""
        self._side = side
        numbers = self._node("Cast", ["images"], to=1)  # 1 = float32 (TensorProto.FLOAT)
        centered = self._node("Sub", [numbers, self._constant(mean)])
        scaled = self._node("Div", [centered, self._constant(scale)])
        return Maps(self._node("Transpose", [scaled], perm=[0, 3, 1, 2]), side, 3)

    def convolve(
        self, maps: Maps, convolution: str, norm: str, stride: int = 1, groups: int = 1, is_clipped: bool = True
    ) -> Maps:
        """Return the maps convolved and normalized; clipped to [0, 6] (ReLU6) unless the layer is a linear one."""
        kernel, bias = fold_norm(self._weights, convolution, norm, self._epsilon)
        width = kernel.shape[2]
        before, after = same_padding(maps.side, width, stride)
        name = self._node(
            "Conv",
            [maps.name, self._constant(kernel), self._constant(bias)],
            kernel_shape=[width, width],
            strides=[stride, stride],
            pads=[before, before, after, after],  # top, left, bottom, right
            group=groups,
        )
        if is_clipped:
            name = self._node("Clip", [name, self._constant(0.0), self._constant(6.0)])
        return Maps(name, -(-maps.side // stride), len(kernel))

    def add(self, first: Maps, second: Maps) -> Maps:
        """Return the sum of two tensors of one shape."""
        return Maps(self._node("Add", [first.name, second.name]), first.side, first.channels)

    def average(self, maps: Maps) -> str:
        """Return the name of the mean over all places, (n, channels)."""
        return self._node("Flatten", [self._node("GlobalAveragePool", [maps.name])])

    def join(self, vectors: list[str]) -> str:
        """Return the name of vectors (n, d) side by side, each scaled to length 1; one of zeros stays as it is."""
        units = [self._node("LpNormalization", [vector], axis=1, p=2) for vector in vectors]
        return self._node("Concat", units, axis=1)

    def serialized(self, output: str) -> bytes:
        """Return the ONNX model, checked, whose one output is the tensor `output`."""
        import onnx  # an extra

        helper, kinds = onnx.helper, onnx.TensorProto
        graph = helper.make_graph(
            [helper.make_node(node.operator, node.inputs, [node.output], **node.attributes) for node in self._nodes],
            "network",
            [helper.make_tensor_value_info("images", kinds.UINT8, ["n", self._side, self._side, 3])],
            [helper.make_tensor_value_info(output, kinds.FLOAT, ["n", None])],
            [onnx.numpy_helper.from_array(value, name) for name, value in self._constants.items()],
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)
        onnx.checker.check_model(model)
        return bytes(model.SerializeToString())

    def _node(self, operator: str, inputs: list[str], **attributes: Any) -> str:
        output = f"{operator.lower()}{len(self._nodes)}"
        self._nodes.append(Node(operator, tuple(inputs), output, attributes))
        return output

    def _constant(self, value: float | FloatArray) -> str:
        name = f"constant{len(self._constants)}"
        self._constants[name] = np.asarray(value, dtype=np.float32)
        return name


def fold_norm(weights: Weights, convolution: str, norm: str, epsilon: float) -> tuple[FloatArray, FloatArray]:
    """Return kernel (out, in, k, k) and bias (out,) float32 of a convolution that does the batch norm's work as well.

    Computed in float64: variances of a trained network are small, and the root of one is divided by.
    """
    scale, shift, mean, variance = (
        weights[f"{norm}.{name}"].astype(np.float64) for name in ("weight", "bias", "running_mean", "running_var")
    )
    factor = scale / np.sqrt(variance + epsilon)
    kernel = weights[f"{convolution}.weight"].astype(np.float64) * factor[:, None, None, None]
    return kernel.astype(np.float32), (shift - mean * factor).astype(np.float32)


def same_padding(side: int, width: int, stride: int) -> tuple[int, int]:
    """Return how many zeros TensorFlow puts before and behind a line of `side` values: the odd one goes behind."""
    total = max((-(-side // stride) - 1) * stride + width - side, 0)
    return total // 2, total - total // 2
