"""The choice of a model's file, and of its output, where a person names none."""

from __future__ import annotations

import re
from collections.abc import Sequence

from labeler.core.errors import HubError
from labeler.plugins.encoders.hub_files import Listing

STEMS = ("vision_model", "image_encoder", "visual", "model")
"""Names of a file for images, the surest first: beside another of these, ``model`` is of images and texts together."""
OUTPUTS = ("image_embeds", "pooler_output", "last_hidden_state", "logits")
"""Outputs as transformers names them, the best summary of an image first."""
_SHOWN = 6
_READABLE = re.compile(r"(?!.*\.\.)[\w.-]+(/[\w.-]+)*", re.ASCII)
"""A file within the repository, by a name that a line of text may hold."""


def choose_file(model: str, listing: Listing, named: str) -> str:
    """Return the file that is taken: the one that was named, else the one of full precision for images.

    Raises
    ------
    HubError
        There is none, or several could be meant; the message names them.
    """
    files = sorted(name for name in listing.sizes if name.endswith(".onnx") and _READABLE.fullmatch(name))
    if not files:
        raise HubError(
            f"the model {model} has no ONNX file",
            "look for an export of it (onnx-community and Xenova make many); some are in: labeler models",
        )
    if named:
        if named in files:
            return named
        raise HubError(f"the model {model} has no {named}", f"it has: {_named(files)}")
    for stem in STEMS:
        fitting = [name for name in files if name.rpartition("/")[2] == f"{stem}.onnx"]
        fitting = [name for name in fitting if name.startswith("onnx/")] or fitting
        if len(fitting) == 1:
            return fitting[0]
        if fitting:
            files = fitting
            break
    if len(files) == 1:
        return files[0]
    raise HubError(f"it cannot be told which file of {model} is meant", f"name one with file=: {_named(files)}")


def choose_output(outputs: Sequence[str]) -> str:
    """Return the output that is taken: the only one, else the first of :data:`OUTPUTS` that there is.

    Raises
    ------
    ValueError
        There is none of them; the message names what there is.
    """
    if len(outputs) == 1:
        return outputs[0]
    for name in OUTPUTS:
        if name in outputs:
            return name
    raise ValueError(f"it cannot be told which output to take, name one with output=: {_named(outputs)}")


def _named(names: Sequence[str]) -> str:
    more = [f"{len(names) - _SHOWN} more"] if len(names) > _SHOWN else []
    return ", ".join([*names[:_SHOWN], *more])
