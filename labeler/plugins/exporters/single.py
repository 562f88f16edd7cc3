"""Writing one file that holds no labels of the pool (a model, predictions), as safely as an export."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import labeler
from labeler.core.errors import ExportError
from labeler.core.text import display_safe, json_text
from labeler.plugins.exporters.earlier_export import MANIFEST, TOOL, sha256_of
from labeler.plugins.exporters.placement import Place, put_in_place, recover, staging, sync_files
from labeler.plugins.exporters.write import check_parent, check_replaceable, explained, plain


def write_single(
    target: Path,
    manifest: dict[str, Any],
    write: Callable[[Path], None],
    force: bool,
    sources: Sequence[Path] = (),
) -> Path:
    """Let `write` make the file and put it at `target` with its manifest beside it, whose path is returned.

    `sources` are never written over, and no project.

    Raises
    ------
    ExportError
        The target exists (without `force`), is a folder or cannot be written; nothing was changed.
    """
    target = Path(os.path.abspath(target))
    beside = target.with_name(f"{target.name}.{MANIFEST}")
    place = Place(target, beside)
    try:
        check_parent(target)
        recover(place)
        if target.is_dir():
            raise ExportError(f"{display_safe(str(target))} is a folder", "choose another name")
        if place.taken() and not force:
            raise ExportError(
                f"{display_safe(str(target))} exists already", "choose another name, or replace it with --force"
            )
        check_replaceable(place, sources)
        with staging(target.parent) as stage:
            new, new_manifest = stage / "new", stage / MANIFEST
            write(new)
            document = {"tool": TOOL, "version": labeler.__version__} | manifest
            document["files"] = {target.name: sha256_of(new)}
            new_manifest.write_text(json_text(plain(document), pretty=True) + "\n", encoding="utf-8", newline="\n")
            sync_files([new, new_manifest])
            put_in_place(new, new_manifest, place)
    except OSError as error:
        raise explained(error, target) from error
    return beside
