"""Any ONNX image model of the Hugging Face hub as an encoder, pinned at its first use."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Generator
from pathlib import Path

import numpy as np

from labeler.core import steps
from labeler.core.errors import HubError
from labeler.core.types import ByteArray, FloatArray, Progress
from labeler.plugins.encoders import hub_files, image_processor
from labeler.plugins.encoders.base import Images
from labeler.plugins.encoders.hub_choice import choose_file, choose_output
from labeler.plugins.encoders.hub_files import COMMIT, MAIN, SHA256, Listing
from labeler.plugins.encoders.image_processor import ImageProcessor
from labeler.plugins.encoders.onnx_graph import BY_TOKENS, OnnxGraph
from labeler.plugins.encoders.raster import check_images, in_batches
from labeler.plugins.registry import Spec

CONFIG = "preprocessor_config.json"
MAX_CONFIG = 1_000_000
"""Bytes of a preprocessing at most; those in use have 500."""
MAX_MODEL = 2 << 30
"""Bytes of a model at most: an ONNX file (a protobuf) cannot be larger."""
_PROCESSOR_LETTERS = 16  # of the sha256 of the preprocessing: 64 bits, in a line that a person reads
_MODEL = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*", re.ASCII)
_FILE = re.compile(r"[\w.-]+(/[\w.-]+)*\.onnx", re.ASCII)
_REVISION = re.compile(r"[\w.-]+(/[\w.-]+)*", re.ASCII)
_PROCESSOR = re.compile(rf"[0-9a-f]{{{_PROCESSOR_LETTERS}}}")


class HubModel:
    """An image model of the hub in ONNX (DINOv2, CLIP, SigLIP, ...), run by onnxruntime on the processor.

    ``hub:ORG/NAME``. Its preprocessing is read from its own ``preprocessor_config.json``. It is downloaded once, into
    the cache of `huggingface_hub`; a project keeps the commit and the sha256, and takes nothing else from then on: not
    what the hub has under that name later, and not without the sha256 on another machine. Once it is in the cache no
    network is touched. See ``labeler models``, and docs/photos.md for what is chosen where nothing is named.

    Parameters
    ----------
    model : str
        ``ORG/NAME``; it stands right after ``hub:``.
    file : str
        The file, such as ``onnx/model_quantized.onnx``; "" = the one of full precision, of the images alone.
    revision : str
        A branch, a tag or a commit; "" = ``main``. Pinned, it is the commit.
    sha256 : str
        Of the file; filled in at the first use.
    processor : str
        The beginning of the sha256 of its ``preprocessor_config.json``; filled in at the first use.
    output : str
        Name of the output taken; "" = ``image_embeds``, ``pooler_output``, or the class token of
        ``last_hidden_state`` (the mean, where it has none).
    threads : int
        Threads of onnxruntime; with one, the same model gives the same bits.
    """

    takes: tuple[str, ...] = ("images",)
    version = 1
    model_size = 0
    rows_a_step = 4  # a quarter of a second for DINOv2 small
    side = 0
    """Pixels a side that the model takes; 0 until it is here."""

    def __init__(
        self,
        model: str = "",
        file: str = "",
        revision: str = "",
        sha256: str = "",
        processor: str = "",
        output: str = "",
        threads: int = 1,
    ) -> None:
        # on the command line a name may look like a number
        self.model, self.file, self.revision = str(model), str(file), str(revision)
        self.sha256, self.processor, self.output = str(sha256), str(processor), str(output)
        self.threads = threads
        _check("ORG/NAME", self.model, _MODEL)
        for name, value, form in (
            ("file", self.file, _FILE),
            ("revision", self.revision, _REVISION),
            ("sha256", self.sha256, SHA256),
            ("processor", self.processor, _PROCESSOR),
        ):
            if value:
                _check(name, value, form)
        if threads < 1:
            raise ValueError("threads is at least 1")
        self._ready: tuple[OnnxGraph, ImageProcessor] | None = None

    @property
    def is_pinned(self) -> bool:
        """Whether the spec alone says which bytes the model is of."""
        return bool(self.file and self.sha256 and self.processor and COMMIT.fullmatch(self.revision))

    def pin(self) -> Generator[Progress, None, str]:
        """Yield progress; return the spec with file, commit and digests, downloaded where one of them is missing.

        Raises
        ------
        HubError
            The model cannot be had or cannot be run.
        """
        if not self.is_pinned:
            yield from self.bring()
        chosen = {"file": self.file, "revision": self.revision, "sha256": self.sha256, "processor": self.processor}
        extra = {"output": self.output} if self.output else {}
        threads = {"threads": self.threads} if self.threads != 1 else {}
        return str(Spec("hub", {"model": self.model} | chosen | extra | threads))

    def bring(self) -> Generator[Progress, None, tuple[OnnxGraph, ImageProcessor]]:
        """Yield progress until the model is here: from the cache, or else from the hub. Raises as :meth:`pin`."""
        if self._ready is not None:
            return self._ready
        file, commit, listing = self.file, self.revision, None
        if not self.is_pinned:
            listing = yield from _listing(self.model, self.revision or MAIN)
            file, commit = choose_file(self.model, listing, self.file), listing.commit
        declared = yield from self._content(CONFIG, commit, listing)
        processor = self._read(declared)
        content = yield from self._content(file, commit, listing)
        graph = self._made(content, file, processor)
        digests = (hashlib.sha256(part).hexdigest() for part in (content, declared))
        self.file, self.revision = file, commit
        self.sha256, self.processor = next(digests), next(digests)[:_PROCESSOR_LETTERS]
        self._ready, self.side = (graph, processor), processor.side
        self.model_size = len(content)
        self.rows_a_step = graph.whole_batches(self.rows_a_step)
        return self._ready

    def fit(self, images: Images) -> HubModel:
        """Learn nothing; bring the model here where it is not, and refuse what :meth:`transform` would refuse."""
        check_images(images)
        steps.run(self.bring())
        return self

    def transform(self, images: Images) -> FloatArray:
        """Features (n, d) float32."""
        check_images(images)
        graph, processor = self._loaded()
        return in_batches(lambda part: graph.features(processor.numbers(part)), images, graph.batch)

    @property
    def is_exact(self) -> bool:
        """Whether a row is the image's alone, to the bit."""
        return self.threads == 1 and self._loaded()[0].batch == 1

    @property
    def looks_at(self) -> int:
        """Pixels on the longer side at which images are decoded for :meth:`framed`."""
        return self._loaded()[1].looks_at

    def framed(self, image: ByteArray) -> ByteArray:
        """The part of an image (h, w[, 3]) that the model sees: (side, side, 3) uint8."""
        return self._loaded()[1].framed(image)

    # -- inside --------------------------------------------------------------------------------------------------

    def _loaded(self) -> tuple[OnnxGraph, ImageProcessor]:
        return self._ready or steps.run(self.bring())

    def _content(self, file: str, commit: str, listing: Listing | None) -> Generator[Progress, None, bytes]:
        """The bytes of a file at a commit, those that are expected."""
        path, most = hub_files.cached(self.model, file, commit), MAX_CONFIG if file == CONFIG else MAX_MODEL
        if path is None:
            listing = listing or (yield from hub_files.look_up(self.model, commit))
            self._check_listed(file, commit, listing)
            _check_size(self.model, file, listing.sizes[file], most)
            name = (self.revision or MAIN) if file == CONFIG else ""
            path = yield from hub_files.fetch(self.model, file, listing, most, name)
        yield Progress(f"checking {self.model}")
        try:
            size = path.stat().st_size
            content = path.read_bytes() if size <= most else b""
        except OSError as error:
            raise HubError(f"cannot read {path}: {error.strerror}", "remove it, and do the same again") from error
        _check_size(self.model, file, size, most)
        self._check_digest(file, path, content, listing)
        return content

    def _check_listed(self, file: str, commit: str, listing: Listing) -> None:
        if listing.commit != commit:
            raise HubError(f"the hub gives {self.model} at another commit than {commit}", "is HF_ENDPOINT a hub?")
        if file not in listing.sizes:
            hint = (
                "take its file by itself, with what it wants said: --encoder onnx:model=FILE,size=...,mean=...,std=..."
            )
            raise HubError(f"the model {self.model} has no {file}", hint)
        if f"{file}_data" in listing.sizes:
            raise HubError(
                f"the weights of {self.model} are in a second file, {file}_data, which is not read here",
                f"name another with file=: {', '.join(_others(listing, file))}",
            )

    def _check_digest(self, file: str, path: Path, content: bytes, listing: Listing | None) -> None:
        digest = hashlib.sha256(content).hexdigest()
        pinned = self.processor if file == CONFIG else self.sha256
        if pinned and not digest.startswith(pinned):
            raise HubError(
                f"{file} of {self.model} is not what was pinned: its sha256 is {digest[:16]}..., not {pinned[:16]}...",
                f"remove {path} to download it again, or take what is there now: hub:{self.model}:revision={MAIN}",
            )
        listed = listing.digests.get(file) if listing is not None else None
        if listed and digest != listed:
            raise HubError(
                f"{file} of {self.model} did not arrive as the hub has it: its sha256 is {digest[:16]}...",
                f"remove {path}, and do the same again",
            )

    def _read(self, declared: bytes) -> ImageProcessor:
        try:
            return image_processor.read(declared)
        except ValueError as error:
            hint = "say it yourself: --encoder onnx:model=FILE,size=...,mean=...,std=..."
            raise HubError(f"the preprocessing of {self.model} is not known here: {error}", hint) from error

    def _made(self, content: bytes, file: str, processor: ImageProcessor) -> OnnxGraph:
        """The model ready to run: its output chosen, tried on one image."""
        try:
            graph = OnnxGraph(content, file, output=self.output, pool=BY_TOKENS, threads=self.threads)
            graph.output = self.output or choose_output(graph.outputs)
            _check_input(graph, processor.side)
            graph.features(processor.numbers(np.zeros((1, processor.side, processor.side, 3), dtype=np.uint8)))
        except ValueError as error:
            raise HubError(
                f"the model {self.model} cannot be used: {error}", "choose another file= or output="
            ) from error
        return graph


def _check_size(model: str, file: str, size: int, most: int) -> None:
    if size > most:
        raise HubError(f"{file} of {model} has {size:,} bytes, too many", "choose another")


def _listing(model: str, revision: str) -> Generator[Progress, None, Listing]:
    """Yield signs of life; return what the hub has now; where it does not answer, what it had when the model came."""
    try:
        return (yield from hub_files.look_up(model, revision))
    except HubError as error:
        listing = hub_files.remembered(model, revision, CONFIG) if error.is_unreachable else None
        if listing is None:
            raise
        return listing


def _check_input(graph: OnnxGraph, side: int) -> None:
    """Refuse with a ValueError a model whose input is declared otherwise than its preprocessing gives it."""
    channels, *sides = graph.declared()
    if channels not in (None, 3) or any(each not in (None, side) for each in sides):
        wanted = " x ".join(str(each or "any") for each in (channels, *sides))
        raise ValueError(f"it takes {wanted}, and its preprocessing gives 3 x {side} x {side}")


def _others(listing: Listing, file: str) -> list[str]:
    whole = [name for name in listing.sizes if name.endswith(".onnx") and f"{name}_data" not in listing.sizes]
    return sorted(set(whole) - {file})[:6] or ["there is none"]


def _check(name: str, value: str, form: re.Pattern[str]) -> None:
    if not form.fullmatch(value) or ".." in value or len(value) > 200:
        wanted = "name the model: hub:ORG/NAME" if name == "ORG/NAME" else f"{name} cannot be {value[:80]!r}"
        raise ValueError(wanted)
