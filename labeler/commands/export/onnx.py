"""A model as an ONNX graph: the same matrix products, for any runtime that reads ONNX."""

from __future__ import annotations

from typing import Any

import numpy as np

from labeler.core.model import LEAST, Model

OPSET = 17
IR_VERSION = 8
"""Of 2022: older runtimes read it too."""


def as_onnx(model: Model, names: list[str], facts: dict[str, Any]) -> bytes:
    """Return the bytes of an ONNX file.

    Input ``features`` (m, d) float32; outputs ``label`` (m,) int64, a position in the metadata's ``classes`` (one name
    a line), and ``shares`` (m, k) float32.
    """
    from onnx import TensorProto, helper, numpy_helper  # start-up: an optional package

    constants: dict[str, Any] = {}
    nodes: list[Any] = []

    def constant(name: str, value: Any) -> str:
        constants[name] = numpy_helper.from_array(np.asarray(value), name)
        return name

    def node(operator: str, *inputs: str, to: str = "", **attributes: Any) -> str:
        out = to or f"v{len(nodes)}"
        nodes.append(helper.make_node(operator, list(inputs), [out], **attributes))
        return out

    arrays = model.arrays
    if model.kind == "kernel":
        landmarks = arrays["landmarks"]
        centered = node("Sub", "features", constant("mean", arrays["mean"]))
        points = node("MatMul", centered, constant("axes", arrays["axes"]))
        columns = constant("columns", np.array([1], dtype=np.int64))
        own = node("ReduceSum", node("Mul", points, points), columns, keepdims=1)
        cross = node("MatMul", points, constant("minus_2_landmarks", np.ascontiguousarray(-2 * landmarks.T)))
        squared = node("Add", node("Add", cross, own), constant("norms", np.square(landmarks).sum(axis=1)))
        # of equal points rounding may leave a little less than nothing
        squared = node("Max", squared, constant("zero", np.float32(0)))
        kernel = node("Exp", node("Mul", squared, constant("minus_gamma", np.float32(-arrays["gamma"]))))
        raw = node("MatMul", kernel, constant("coefficients", arrays["coefficients"]))
        raw = node("Max", raw, constant("least", LEAST))
        shares = node("Div", raw, node("ReduceSum", raw, columns, keepdims=1), to="shares")
    else:
        logits = node("MatMul", "features", constant("slopes", arrays["slopes"]))
        logits = node("Add", logits, constant("offsets", arrays["offsets"]))
        shares = node("Softmax", logits, to="shares", axis=1)
    node("ArgMax", shares, to="label", axis=1, keepdims=0)
    graph = helper.make_graph(
        nodes,
        "labeler",
        [helper.make_tensor_value_info("features", TensorProto.FLOAT, ["m", model.n_features])],
        [
            helper.make_tensor_value_info("label", TensorProto.INT64, ["m"]),
            helper.make_tensor_value_info("shares", TensorProto.FLOAT, ["m", len(names)]),
        ],
        list(constants.values()),
    )
    file = helper.make_model(
        graph, producer_name="labeler", opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION
    )
    helper.set_model_props(file, {"classes": "\n".join(names)} | {key: str(value) for key, value in facts.items()})
    content: bytes = file.SerializeToString()
    return content
