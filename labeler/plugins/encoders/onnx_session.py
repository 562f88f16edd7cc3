"""Common parts of the encoders that are ONNX models: a session on the processor, and images at the model's size."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from labeler.core.errors import UsageError
from labeler.plugins.encoders.base import Images


def open_session(content: bytes, name: str, threads: int) -> Any:
    """Return an onnxruntime session of a model's bytes; `name` is what an error calls it.

    Raises
    ------
    ValueError
        onnxruntime does not take it, or cannot be loaded.
    """
    try:
        import onnxruntime  # an extra
    except Exception as error:  # a broken installation of a compiled library: an ImportError, or whatever it meets
        raise ValueError(f"onnxruntime cannot be loaded, install it anew: {_reason(error)}") from error

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    options.log_severity_level = 4  # what it would warn of lands on the screen
    try:
        return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime has no class of its own for it
        raise ValueError(f"{name} is no ONNX model that can be run: {_reason(error)}") from error


def run(session: Any, output: str, images: NDArray[Any]) -> NDArray[Any]:
    """Return one output of a session of one input; raises UsageError where it does not take these images."""
    try:
        return np.asarray(session.run([output], {session.get_inputs()[0].name: images})[0])
    except Exception as error:  # onnxruntime has no class of its own for it
        raise UsageError(
            f"the model does not take images {images.shape}: {_reason(error)}", "choose another"
        ) from error


def _reason(error: Exception) -> str:
    """Return the first line of what an error says, or its kind where it says nothing."""
    return next((line for line in str(error).splitlines() if line.strip()), type(error).__name__)


def stretch(images: Images, side: int) -> Images:
    """Return images (n, h, w[, 3]) uint8 as squares of `side` pixels a side."""
    if images.shape[1:3] == (side, side):
        return images
    return np.stack(
        [np.asarray(Image.fromarray(image).resize((side, side), Image.Resampling.BILINEAR)) for image in images]
    )
