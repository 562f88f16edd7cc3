"""Any image model from an ONNX file as an encoder."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from labeler.core.types import FloatArray
from labeler.plugins.encoders.base import Images
from labeler.plugins.encoders.raster import check_images

BATCH = 16
LAYOUTS = ("nchw", "nhwc")
POOLS = ("mean", "first", "flatten")
LUMA = np.array([0.299, 0.587, 0.114], dtype=np.float32)  # ITU-R BT.601


class OnnxModel:
    """The output of an ONNX image model, run by onnxruntime on the processor; its preprocessing is declared here.

    Images are read once more from the source at the model's size (stretched to a square), turned into numbers from 0 to
    1, less `mean`, divided by `std`. The model must be trusted as a program would be; nothing is downloaded.

    Parameters
    ----------
    model : str
        The file.
    size : int
        Pixels a side that the model takes; 0 = as its input declares.
    mean, std : str
        One number, or three separated by ``/`` (``0.485/0.456/0.406`` and ``0.229/0.224/0.225`` for ImageNet's).
    layout : str
        ``nchw`` or ``nhwc``: the order of its input's axes.
    channels : str
        ``rgb``, ``bgr`` or ``grey``.
    output : str
        Name of the output taken; "" = the first.
    pool : str
        What becomes of an output with more axes: ``mean`` over places or tokens, the ``first`` of them, ``flatten``.
    threads : int
        Threads of onnxruntime; with one, the same model gives the same bits.
    """

    takes: tuple[str, ...] = ("images",)
    rows_a_step = BATCH

    def __init__(
        self,
        model: str = "",
        size: int = 0,
        mean: float | str = 0.0,
        std: float | str = 1.0,
        layout: str = "nchw",
        channels: str = "rgb",
        output: str | float | None = "",
        pool: str = "mean",
        threads: int = 1,
    ) -> None:
        if not model:
            raise ValueError("name the file: onnx:model=FILE.onnx")
        if layout not in LAYOUTS or channels not in ("rgb", "bgr", "grey") or pool not in POOLS:
            raise ValueError(f"layout is one of {LAYOUTS}, channels rgb, bgr or grey, pool one of {POOLS}")
        if threads < 1 or size < 0:
            raise ValueError("threads is at least 1, size 0 (as declared) or more")
        self.layout, self.channels, self.pool = layout, channels, pool
        self._mean, self._std = numbers(mean), numbers(std)
        if not (self._std > 0).all():
            raise ValueError(f"std is above 0, not {std}")
        if channels == "grey" and max(self._mean.size, self._std.size) > 1:
            raise ValueError("a grey image has one mean and one std")
        content = _content(model)
        # a part of the cache's key: the features of another model are not taken for this one's
        self.version = int.from_bytes(hashlib.sha256(content).digest()[:6])
        self._session = _session(content, model, threads)
        self._input = self._session.get_inputs()[0]
        output = "None" if output is None else str(output)  # on the command line, a name may look like a value
        outputs = [output.name for output in self._session.get_outputs()]
        if output and output not in outputs:
            raise ValueError(f"the model has no output {output!r}, it has: {', '.join(outputs)}")
        self._output = output or outputs[0]
        self.side = size or _declared_side(self._input.shape, layout)

    def fit(self, images: Images) -> OnnxModel:
        """Learn nothing; refuse what :meth:`transform` would refuse."""
        check_images(images)
        return self

    def transform(self, images: Images) -> FloatArray:
        """Features (n, d) float32."""
        check_images(images)
        parts = [self._run(images[start : start + BATCH]) for start in range(0, len(images), BATCH)]
        if not parts:
            return np.empty((0, self._run(np.zeros((1, self.side, self.side, 3), dtype=np.uint8)).shape[1]), np.float32)
        return np.ascontiguousarray(np.concatenate(parts))

    def _run(self, images: Images) -> FloatArray:
        prepared = self.prepared(images)
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
        try:
            return np.asarray(self._session.run([self._output], {self._input.name: prepared})[0])
        except Exception as error:  # onnxruntime has no class of its own for it
            reason = str(error).splitlines()[0]
            raise ValueError(f"the model does not take images {prepared.shape}: {reason}") from error

    def prepared(self, images: Images) -> FloatArray:
        """The model's input (n, c, h, w) or (n, h, w, c) float32 for images (n, h, w[, 3]) uint8."""
        if images.shape[1:3] != (self.side, self.side):
            images = _stretched(images, self.side)
        if images.ndim == 3:
            images = images[..., None] if self.channels == "grey" else np.repeat(images[..., None], 3, axis=3)
        values = images.astype(np.float32) / np.float32(255)
        if self.channels == "grey" and values.shape[3] == 3:
            values = (values @ LUMA)[..., None]
        elif self.channels == "bgr":
            values = values[..., ::-1]
        values = (values - self._mean) / self._std
        return np.ascontiguousarray(values.transpose(0, 3, 1, 2) if self.layout == "nchw" else values)

    def _pooled(self, output: FloatArray) -> FloatArray:
        if output.ndim < 2:
            output = output.reshape(-1, 1)
        if output.ndim > 2 and self.pool == "flatten":
            output = output.reshape(len(output), -1)
        elif output.ndim == 4:  # places: channels are the second axis in nchw
            places = (
                output.reshape(*output.shape[:2], -1)
                if self.layout == "nchw"
                else output.reshape(len(output), -1, output.shape[3]).transpose(0, 2, 1)
            )
            output = places.mean(axis=2) if self.pool == "mean" else places[:, :, 0]
        elif output.ndim == 3:  # tokens
            output = output.mean(axis=1) if self.pool == "mean" else output[:, 0]
        # features have to be finite, whatever a model makes of an image
        return np.nan_to_num(output)


def numbers(text: float | str) -> FloatArray:
    """One number or three, separated by ``/``."""
    try:
        values = np.array([float(part) for part in str(text).split("/")], dtype=np.float32)
    except ValueError:
        values = np.empty(0, dtype=np.float32)
    if values.size not in (1, 3) or not np.isfinite(values).all():
        raise ValueError(f"{text!r} is neither a number nor three separated by /")
    return values


def _content(model: str) -> bytes:
    try:
        return Path(model).read_bytes()
    except OSError as error:
        raise ValueError(f"cannot read the model {model}: {error.strerror}") from error


def _session(content: bytes, model: str, threads: int) -> Any:
    import onnxruntime  # an extra

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    options.log_severity_level = 4  # what it would warn of lands on the screen
    try:
        return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime has no class of its own for it
        raise ValueError(f"{model} is no ONNX model that can be run: {str(error).splitlines()[0]}") from error


def _declared_side(shape: list[Any], layout: str) -> int:
    if len(shape) != 4:
        raise ValueError(f"the model takes {len(shape)} axes, not a batch of images")
    height, width = shape[2:] if layout == "nchw" else shape[1:3]
    if isinstance(height, int) and height == width and height > 0:
        return height
    raise ValueError(f"the model declares no square size ({height} x {width}): say size=224 or what it takes")


def _stretched(images: Images, side: int) -> Images:
    return np.stack(
        [np.asarray(Image.fromarray(image).resize((side, side), Image.Resampling.BILINEAR)) for image in images]
    )
