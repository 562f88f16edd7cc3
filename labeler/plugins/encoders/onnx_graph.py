"""An ONNX image model as a function: prepared images in, a row of features an image out."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from labeler.core.types import FloatArray
from labeler.plugins.encoders.onnx_session import open_session, run

BATCH = 1
"""Images at once: a transformer of the size of DINOv2 small takes a fifth less time for each than with 16, and a row is
the image's alone, whatever stands beside it."""
LAYOUTS = ("nchw", "nhwc")
POOLS = ("mean", "first", "flatten")
BY_TOKENS = "token"
"""The pool that takes the class token where a model has one, else the mean."""
_NUMBERS = {"tensor(float)": np.float32, "tensor(float16)": np.float16, "tensor(double)": np.float64}


class OnnxGraph:
    """One output of a model, run by onnxruntime on the processor in batches.

    Parameters
    ----------
    content
        The bytes of the file.
    name
        What it is called where it cannot be used.
    output
        Name of the output taken; "" = the first.
    pool
        What becomes of an output with more axes: one of :data:`POOLS`, or :data:`BY_TOKENS`.
    layout
        ``nchw`` or ``nhwc``: the order of its input's axes.
    threads
        Threads of onnxruntime; with one, the same model gives the same bits.

    Raises
    ------
    ValueError
        It is no model, takes more than images, or has no such output.
    """

    def __init__(
        self, content: bytes, name: str, *, output: str = "", pool: str = "mean", layout: str = "nchw", threads: int = 1
    ) -> None:
        self.pool, self.layout = pool, layout
        self._session = open_session(content, name, threads)
        inputs = self._session.get_inputs()
        if len(inputs) != 1:
            raise ValueError(f"the model takes more than images: {', '.join(each.name for each in inputs)}")
        self._input = inputs[0]
        if self._input.type not in _NUMBERS:
            raise ValueError(f"the model takes {self._input.type}, not images as numbers")
        self.outputs = [each.name for each in self._session.get_outputs()]
        self.output = output or self.outputs[0]
        if self.output not in self.outputs:
            raise ValueError(f"the model has no output {output!r}, it has: {', '.join(self.outputs)}")
        fixed = self._input.shape[0] if self._input.shape else None
        self.batch = fixed if isinstance(fixed, int) and fixed > 0 else BATCH

    def whole_batches(self, rows: int) -> int:
        """Return `rows`, or as many more as fill the model's batches: one that is not full takes as long."""
        return -(-rows // self.batch) * self.batch

    def declared(self) -> tuple[int | None, int | None, int | None]:
        """Channels, height and width that its input declares; None where one is free. Raises ValueError: no images."""
        shape = self._input.shape
        if len(shape) != 4:
            raise ValueError(f"the model takes {len(shape)} axes, not a batch of images")
        axes = shape[1:] if self.layout == "nchw" else [shape[3], *shape[1:3]]
        channels, height, width = (axis if isinstance(axis, int) and axis > 0 else None for axis in axes)
        return channels, height, width

    def features(self, prepared: FloatArray) -> FloatArray:
        """Features (n, d) float32, finite, of a batch of prepared images (n, c, h, w) or (n, h, w, c).

        Raises
        ------
        UsageError
            The model does not take them.
        """
        fixed = self._input.shape[0]
        if isinstance(fixed, int) and fixed != len(prepared):  # a model of a batch of its own, mostly 1
            rows = [prepared[row : row + fixed] for row in range(0, len(prepared), fixed)]
            # the last batch is filled up with its last image, and what comes of that is cut off
            padded = [np.concatenate((part, np.repeat(part[-1:], fixed - len(part), axis=0))) for part in rows]
            output = np.concatenate([self._called(part) for part in padded])[: len(prepared)]
        else:
            output = self._called(prepared)
        return self._pooled(np.asarray(output, dtype=np.float32))

    def _called(self, prepared: FloatArray) -> NDArray[Any]:
        values = prepared.astype(_NUMBERS[self._input.type], copy=False)
        return run(self._session, self.output, values)

    def _pooled(self, output: FloatArray) -> FloatArray:
        if output.ndim < 2:
            output = output.reshape(-1, 1)
        pool = self.pool
        if pool == BY_TOKENS:
            pool = "first" if output.ndim == 3 and has_class_token(output.shape[1]) else "mean"
        if output.ndim > 2 and pool == "flatten":
            output = output.reshape(len(output), -1)
        elif output.ndim == 4:  # places: channels are the second axis in nchw
            places = (
                output.reshape(*output.shape[:2], -1)
                if self.layout == "nchw"
                else output.reshape(len(output), -1, output.shape[3]).transpose(0, 2, 1)
            )
            output = places.mean(axis=2) if pool == "mean" else places[:, :, 0]
        elif output.ndim == 3:  # tokens
            output = output.mean(axis=1) if pool == "mean" else output[:, 0]
        # features have to be finite, whatever a model makes of an image
        return np.nan_to_num(output)


def has_class_token(n_tokens: int) -> bool:
    """Whether so many tokens are more than a square of patches: the first then stands for the whole image.

    As in ViT (Dosovitskiy et al. 2021) and DINOv2, where registers may follow it; Swin has patches alone.
    """
    return math.isqrt(n_tokens) ** 2 != n_tokens
