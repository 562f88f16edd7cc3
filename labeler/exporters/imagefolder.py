"""``root/<class>/file`` or ``root/<split>/<class>/file``, as torchvision and Hugging Face read image sets.

Beside the folders stand ``classes.txt`` (the class folders, one a line, in the order of the class list),
``class_map.json`` (folder -> class name, where a name had to be changed to be a folder's) and ``labels.csv``
(the columns of the CSV export after a first column ``file``: where every label came from). The data card,
``README.md``, is written where the manifest is (:mod:`labeler.exporters.writing`).
"""

from __future__ import annotations

import errno
import json
import os
import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from labeler.core.vocabulary import ByteArray
from labeler.display import display_safe
from labeler.errors import ExportError, UsageError
from labeler.exporters.base import ExportRows
from labeler.exporters.escaping import escaped, json_text, unescaped
from labeler.exporters.names import safe_file_names, safe_folder_names
from labeler.exporters.tables import is_yes, write_csv

CLASSES, CLASS_MAP, LABELS = "classes.txt", "class_map.json", "labels.csv"
_OWN_FILES = (CLASSES, CLASS_MAP, LABELS, "README.md", "manifest.json")
_TORCHVISION = (".jpg", ".jpeg", ".png", ".ppm", ".bmp", ".pgm", ".tif", ".tiff", ".webp")
_IMAGES = (*_TORCHVISION, ".gif")
_NO_HARD_LINK = (errno.EXDEV, errno.EPERM, errno.EACCES, errno.EMLINK, errno.ENOTSUP, errno.ENOSYS)


class ImageFolderExporter:
    """Instances with a file of their own are linked or copied, all others are decoded and written as PNG.

    `link` (or the option of the rows of this name) is ``hard``: a copy where the file system refuses, ``sym`` or
    ``copy``.
    """

    is_folder = True
    endings: tuple[str, ...] = ()

    def __init__(self, link: str = "hard") -> None:
        self.link = link

    def write(self, rows: ExportRows, target: Path) -> list[str]:
        """Make the folder `target` and fill it; returns warnings.

        Raises
        ------
        ExportError
            Files of instances are gone, or a name would leave `target`.
        UsageError
            The option link is none of hard, sym and copy.
        UnreadableInstance
            An image that has no file of its own cannot be decoded.
        OSError
            The folder cannot be written.
        """
        place = _placer(rows.options.get("link", self.link))
        sources = _sources(rows)
        class_folders = safe_folder_names(rows.class_names, _OWN_FILES)
        files = _layout(rows, class_folders, sources)
        target.mkdir()
        for folder in dict.fromkeys(map(os.path.dirname, files)):
            _inside(target, folder).mkdir(parents=True)
        copied = 0
        for position, (file, source) in enumerate(zip(files, sources, strict=True)):
            if source is None:
                _write_png(rows.image(position), _inside(target, file))
            else:
                copied += place(source, _inside(target, file))
        _write_lines(target / CLASSES, class_folders)
        changed = {
            folder: escaped(name)
            for folder, name in zip(class_folders, rows.class_names, strict=True)
            if folder != name
        }
        if changed:
            _write_lines(target / CLASS_MAP, [json_text(changed, pretty=True)])
        warnings = write_csv(target / LABELS, rows, is_yes(rows.options, "csv_safe"), files)
        return [*_warnings(rows, class_folders, files, copied, len(changed)), *warnings]

    def count(self, target: Path) -> dict[str, int]:
        """Walk `target`; class name -> number of files that open in its folders (a dangling link does not count)."""
        class_map = target / CLASS_MAP
        changed = json.loads(class_map.read_text(encoding="utf-8")) if class_map.exists() else {}
        counts: Counter[str] = Counter()
        for folder, _, files in os.walk(target):
            if folder == str(target):
                continue
            name = os.path.basename(folder)
            counts[unescaped(changed[name]) if name in changed else name] += sum(
                os.path.isfile(os.path.join(folder, file)) for file in files
            )
        return {name: number for name, number in counts.items() if number}


def _sources(rows: ExportRows) -> list[Path | None]:
    sources = [rows.locate(position) for position in range(len(rows.ids))]
    gone = [source for source in sources if source is not None and not source.is_file()]
    if gone:
        raise ExportError(
            f"{len(gone)} of {len(sources)} images are gone, the first is {display_safe(str(gone[0]))}",
            "bring the files back, or export csv or jsonl, which need no image",
        )
    return sources


def _layout(rows: ExportRows, class_folders: Sequence[str], sources: Sequence[Path | None]) -> list[str]:
    """The file of every row, relative to the root, with forward slashes."""
    splits = list(dict.fromkeys(rows.splits))
    roots = {"": ""}
    if any(splits):  # without any split there is no such level; with some, the rows of none get one of their own
        names = safe_folder_names([split or "unsplit" for split in splits], _OWN_FILES)
        roots = {split: f"{name}/" for split, name in zip(splits, names, strict=True)}
    members: dict[str, list[int]] = {}
    for position, index in enumerate(rows.class_indices.tolist()):
        members.setdefault(f"{roots[rows.splits[position]]}{class_folders[index]}", []).append(position)
    files = [""] * len(rows.ids)
    for folder, positions in members.items():
        ids = [rows.ids[position] for position in positions]
        wanted = [_base_name(rows.ids[position], sources[position] is None) for position in positions]
        for position, name in zip(positions, safe_file_names(ids, wanted), strict=True):
            files[position] = f"{folder}/{name}"
    return files


def _base_name(instance_id: str, as_png: bool) -> str:
    name = instance_id.rpartition("/")[2] or instance_id
    if not as_png:
        return name
    stem, ending = os.path.splitext(name)
    return f"{stem if ending.lower() in _IMAGES else name}.png"


def _inside(root: Path, file: str) -> Path:
    """`file` in `root`, in the certainty that it is: the last check, whatever the names were made of."""
    path = Path(os.path.normpath(root / file))
    if path == root or not path.is_relative_to(root):
        raise ExportError(f"{display_safe(file)} would be written outside of the target", "rename the class")
    return path


def _placer(link: str) -> Callable[[Path, Path], bool]:
    """A function that puts a source at a destination and says whether it had to copy although a link was asked."""
    placers = {"hard": _hard, "sym": _sym, "copy": _copy}
    if link not in placers:
        raise UsageError(f"there is no link={display_safe(link)}", f"there are: {', '.join(placers)}")
    return placers[link]


def _hard(source: Path, destination: Path) -> bool:
    try:
        os.link(source.resolve(), destination)
    except OSError as error:
        if error.errno not in _NO_HARD_LINK:
            raise
        shutil.copyfile(source, destination)
        return True
    return False


def _sym(source: Path, destination: Path) -> bool:
    destination.symlink_to(source.resolve())
    return False


def _copy(source: Path, destination: Path) -> bool:
    shutil.copyfile(source, destination)
    return False


def _write_png(image: ByteArray, destination: Path) -> None:
    """Write (h, w) or (h, w, 3) uint8."""
    from PIL import Image  # here: listing exporters and linking files need no Pillow

    with destination.open("xb") as stream:
        Image.fromarray(image).save(stream, format="PNG")


def _write_lines(path: Path, lines: Sequence[str]) -> None:
    with path.open("x", encoding="utf-8", newline="\n") as stream:
        stream.writelines(f"{line}\n" for line in lines)


def _warnings(
    rows: ExportRows, class_folders: Sequence[str], files: Sequence[str], copied: int, changed: int
) -> Iterator[str]:
    if changed:
        names = "1 class name is" if changed == 1 else f"{changed} class names are"
        yield f"{names} no folder name: see {CLASS_MAP}"
    if sorted(class_folders) != list(class_folders):
        yield f'torchvision numbers classes in the order of strings ("10" before "2"): see {CLASSES} for this order'
    present: dict[str, set[str]] = {}
    for file in files:
        *root, folder, _ = file.split("/")
        present.setdefault("".join(root), set()).add(folder)
    for split, folders in present.items():
        if len(folders) < len(class_folders):
            where = f"{split} has" if split else "there are"
            yield f"{where} images of {len(folders)} of {len(class_folders)} classes: torchvision numbers only those"
    passed_over = sum(not file.lower().endswith(_TORCHVISION) for file in files)
    if passed_over:
        yield f"torchvision passes over {passed_over} of {len(files)} files by their ending (.gif and others)"
    if copied:
        yield f"{copied} of {len(files)} images are copies: the file system takes no hard link from there to here"
    if "" in rows.splits and any(rows.splits):
        yield f"{rows.splits.count('')} instances belong to no split: they are in unsplit"
