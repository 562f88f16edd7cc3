"""Any image model from an ONNX file as an encoder."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np

from labeler.core.types import FloatArray
from labeler.plugins.encoders.base import Images
from labeler.plugins.encoders.onnx_graph import LAYOUTS, POOLS, OnnxGraph
from labeler.plugins.encoders.onnx_session import stretch
from labeler.plugins.encoders.raster import check_images, in_batches

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
    rows_a_step = 4  # a tenth of a second for most models of 224 pixels a side

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
        self.layout, self.channels = layout, channels
        self._mean, self._std = numbers(mean), numbers(std)
        if not (self._std > 0).all():
            raise ValueError(f"std is above 0, not {std}")
        if channels == "grey" and max(self._mean.size, self._std.size) > 1:
            raise ValueError("a grey image has one mean and one std")
        content = _content(model)
        # a part of the cache's key: the features of another model are not taken for this one's
        self.version = int.from_bytes(hashlib.sha256(content).digest()[:6])
        output = "None" if output is None else str(output)  # on the command line, a name may look like a value
        self._graph = OnnxGraph(content, model, output=output, pool=pool, layout=layout, threads=threads)
        self.side = size or _declared_side(self._graph)
        self.threads, self.model_size = threads, len(content)
        self.is_exact = threads == 1 and self._graph.batch == 1
        self.rows_a_step = self._graph.whole_batches(self.rows_a_step)

    def fit(self, images: Images) -> OnnxModel:
        """Learn nothing; refuse what :meth:`transform` would refuse."""
        check_images(images)
        return self

    def transform(self, images: Images) -> FloatArray:
        """Features (n, d) float32."""
        check_images(images)
        return in_batches(lambda part: self._graph.features(self.prepared(part)), images, self._graph.batch)

    def prepared(self, images: Images) -> FloatArray:
        """The model's input (n, c, h, w) or (n, h, w, c) float32 for images (n, h, w[, 3]) uint8."""
        images = stretch(images, self.side)
        if images.ndim == 3:
            images = images[..., None] if self.channels == "grey" else np.repeat(images[..., None], 3, axis=3)
        values = images.astype(np.float32) / np.float32(255)
        if self.channels == "grey" and values.shape[3] == 3:
            values = (values @ LUMA)[..., None]
        elif self.channels == "bgr":
            values = values[..., ::-1]
        values = (values - self._mean) / self._std
        return np.ascontiguousarray(values.transpose(0, 3, 1, 2) if self.layout == "nchw" else values)


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


def _declared_side(graph: OnnxGraph) -> int:
    _, height, width = graph.declared()
    if height is not None and height == width:
        return height
    sides = f"{height or 'free'} x {width or 'free'}"
    raise ValueError(f"the model declares no square size ({sides}): say size=224 or what it takes")
