"""Pictures as PNG files: the checks before any work, and files that are whole or not there and say who drew them."""

from __future__ import annotations

import importlib.util
import os
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from PIL import Image
from PIL.PngImagePlugin import PngInfo

from labeler.commands.clusters.report import ClusterReport
from labeler.core.errors import MissingExtra, UsageError
from labeler.core.files import whole
from labeler.core.text import display_safe
from labeler.core.types import ByteArray
from labeler.plugins.importers.files import first_bytes

DRAWN_BY = "labeler clusters"
"""Name that a picture gives itself, so that it may be drawn anew.

Neither date nor version stand beside it: the same report gives the same file.
"""
DPI = 100

Thumbnails = Callable[[int], "ByteArray | None"]
"""The image of an instance by its index; None where there is none to show."""


def check(path: Path) -> None:
    """Refuse before any work a place for a plot that :func:`check_place` refuses, or a plot without matplotlib.

    Raises
    ------
    UsageError, MissingExtra
    """
    check_place(path)
    # looked up, not imported: that takes longer than all the rest of the check
    if importlib.util.find_spec("matplotlib") is None:
        raise MissingExtra("--plot", "plots")


def check_place(path: Path, option: str = "--plot") -> None:
    """Refuse with a UsageError, before any work, what is not called .png, has no folder or is somebody's file."""
    if path.suffix.lower() != ".png":
        raise UsageError(f"{path} is no .png file", f"pictures are written as PNG: {option} clusters.png")
    if not path.absolute().parent.is_dir():
        raise UsageError(f"there is no folder {path.absolute().parent}", "make it first, or name another")
    if os.path.lexists(path) and not _is_drawn_here(path):
        raise UsageError(f"{display_safe(str(path))} exists already, and was not drawn here", "choose another name")


def save(report: ClusterReport, image_of: Thumbnails, path: Path) -> None:
    """Draw a report as a PNG: the tree of merges of a hierarchy, else curves and silhouettes."""
    import matplotlib  # start-up: an extra, and for plots alone

    from labeler.commands.clusters import figures  # start-up: matplotlib, an extra

    with warnings.catch_warnings(), matplotlib.rc_context():
        warnings.simplefilter("ignore")  # a letter that no font has is a box in the picture, no line in the terminal
        matplotlib.rcdefaults()  # a person's own style would give other bytes
        figure = figures.draw(report, image_of)
        _write(path, lambda file: figure.savefig(file, format="png", dpi=DPI, metadata={"Software": DRAWN_BY}))


def save_image(image: ByteArray, path: Path) -> None:
    """Write an image (h, w[, 3]) uint8 as it is."""
    text = PngInfo()
    text.add_text("Software", DRAWN_BY)
    _write(path, lambda file: Image.fromarray(image).save(file, format="PNG", pnginfo=text))


def _write(path: Path, draw: Callable[[BinaryIO], object]) -> None:
    with whole(path) as draft, open(draft, "wb") as file:
        draw(file)


def _is_drawn_here(path: Path) -> bool:
    """Return whether a file is such a picture: no other one is written over."""
    # a PNG has its words before its pixels, so that the beginning is enough
    return f"Software\0{DRAWN_BY}".encode() in first_bytes(path, 200)
