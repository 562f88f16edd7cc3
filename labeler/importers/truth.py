"""Labels that exist already: the truth of a simulation, or work done elsewhere."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path

from labeler.display import display_safe
from labeler.errors import SourceError, UnreadableInstance
from labeler.importers.base import Source
from labeler.importers.files import read_bytes
from labeler.importers.folder import list_folder
from labeler.importers.idx import is_labels_file, labels_with_ids, read_labels_folder
from labeler.importers.labels_of_others import read_others
from labeler.importers.matching import match_names
from labeler.importers.names import counted, plain_text
from labeler.importers.tables import LabelRow, csv_rows, delimiter_of, read_label_rows, read_text

_SPLITS = frozenset({"train", "training", "test", "val", "valid", "validation", "unsplit", "all"})
_FORMS = "y, folders, a CSV or JSONL file with path,label or id,label, or IDX labels"


def read_truth(spec: str, source: Source) -> dict[str, str]:
    """id -> class name, for the instances of `source` whose class is known.

    `spec` is ``y`` (that array of the npz), ``folders`` (the class is the path of the parent folder), the path
    of a CSV or JSONL file, or of an IDX labels file or a folder of them. Rows that name no instance of the source
    are counted in one line appended to `source.notes`.

    Raises
    ------
    SourceError
        Not readable, fits no instance, or gives one instance two classes.
    """
    if spec == "y":
        return _some(source.truth(), "the source has no array 'y' with labels")
    if spec == "folders":
        return _some(source.folder_labels(), "the source has no two sub-folders to take classes from")
    path = Path(spec)
    if is_labels_file(path):
        return _idx_truth(dict(zip(*labels_with_ids(path), strict=True)), path, source)
    if path.is_dir():
        return _idx_truth(_some(read_labels_folder(path), f"no IDX labels in {display_safe(spec)}"), path, source)
    if not path.is_file():
        raise SourceError(f"there is no truth {display_safe(spec)}", f"--truth takes {_FORMS}")
    return _as_truth(_resolved(read_label_rows(path), path, source), path)


def read_labels(path: Path, source: Source, decoded: Callable[[str], str] = str) -> list[LabelRow]:
    """Labels made elsewhere, with the ids of `source`: from a CSV, a JSONL file, IDX labels, class folders, or what
    Label Studio, Prodigy, Hugging Face, FiftyOne, Parquet and npz files hold (:mod:`labels_of_others`).

    A class folder's files are found in the source by path or base name, else by content; names of splits
    (train, test, ...) above the class folders are no part of the class. What fits no instance is counted in one
    line appended to `source.notes`. Conflicts are left in: the session decides and lists them. `decoded` undoes the
    escape of the program's own exports, for ids that are no plain text and for class names.

    Raises
    ------
    SourceError
        Not readable, or nothing in it fits an instance.
    """
    if is_labels_file(path):
        return [LabelRow(i, name) for i, name in read_truth(str(path), source).items()]
    if not path.is_dir() and not path.is_file():
        raise SourceError(f"there is no file or folder {display_safe(str(path))}", "give a CSV, JSONL or class folders")
    others = read_others(path)
    if others is None and path.is_dir():
        return _class_folders(path, source, decoded)
    written, notes = others or (read_label_rows(path), [])
    source.notes += notes
    known = {*source.ids, *source.unreadable}
    rows = []
    for row in written:
        name = decoded(row.instance_id)
        instance_id = name if name in known else row.instance_id
        rows.append(row._replace(instance_id=instance_id, label=plain_text(decoded(row.label))))
    return _resolved(rows, path, source)


def _some(labels: dict[str, str], otherwise: str) -> dict[str, str]:
    if not labels:
        raise SourceError(otherwise, f"--truth takes {_FORMS}")
    return labels


def _resolved(rows: list[LabelRow], path: Path, source: Source) -> list[LabelRow]:
    """Rows with the source's own ids; the others are counted in its notes."""
    found = match_names((row.instance_id for row in rows), [*source.ids, *source.unreadable])
    kept = [row._replace(instance_id=found[row.instance_id]) for row in rows if row.instance_id in found]
    usable = [row for row in kept if row.instance_id not in source.unreadable]
    missed = [row.instance_id for row in rows if row.instance_id not in found]
    _say_missed(missed, len(usable), path, source)
    return usable


def _say_missed(missed: list[str], matched: int, path: Path, source: Source) -> None:
    if not matched:
        example = f" (first: {display_safe(missed[0], 60)})" if missed else ""
        raise SourceError(
            f"none of the names in {display_safe(path.name)} is an instance of the source{example}",
            f"names are relative to the source, such as {display_safe(source.ids[0], 60)}",
        )
    if missed:
        lead = counted(len(missed), "label fits", "labels fit")
        source.notes.append(f"{display_safe(path.name)}: {lead} no instance (first: {display_safe(missed[0], 60)})")


def _as_truth(rows: Iterable[LabelRow], path: Path) -> dict[str, str]:
    truth: dict[str, str] = {}
    for row in rows:
        if truth.setdefault(row.instance_id, row.label) != row.label:
            both = f"{display_safe(truth[row.instance_id], 40)!r} and {display_safe(row.label, 40)!r}"
            raise SourceError(
                f"{display_safe(path.name)} gives {display_safe(row.instance_id, 60)} two labels: {both}",
                "the truth has one label an instance: drop the wrong line",
            )
    return truth


def _idx_truth(labels: dict[str, str], path: Path, source: Source) -> dict[str, str]:
    """Labels by the ids their file's prefix makes; a file of another name fits a source of as many instances."""
    files = Counter(i.rpartition(":")[0] for i in labels)
    pool = Counter(i.rpartition(":")[0] for i in source.ids)
    known = set(source.ids)
    if not known & labels.keys() and len(files) == 1 and len(labels) == len(known):
        return dict(zip(source.ids, labels.values(), strict=True))
    shared = [prefix for prefix in files if prefix in pool]
    for prefix in shared:
        if files[prefix] != pool[prefix]:
            lead = f"{files[prefix]:,} labels for {pool[prefix]:,} images of {display_safe(prefix)!r}"
            raise SourceError(f"{display_safe(path.name)} holds {lead}", "labels and images must come from one set")
    _say_missed([i for i in labels if i not in known], len(known & labels.keys()), path, source)
    return {i: name for i, name in labels.items() if i in known}


def _class_folders(root: Path, source: Source, decoded: Callable[[str], str]) -> list[LabelRow]:
    listed = [name for name, size, _ in list_folder(root, file_links=True).files if size and "/" in name]
    if not listed:
        raise SourceError(
            f"no class folders with images in {display_safe(str(root))}", "one folder a class, images in it"
        )
    tops = {name.partition("/")[0].lower() for name in listed}
    drop = 1 if tops <= _SPLITS and all(name.count("/") > 1 for name in listed) else 0
    found = match_names(listed, [*source.ids, *source.unreadable])
    found |= _by_content(root, [name for name in listed if name not in found], source)
    renamed = {folder: decoded(name) for folder, name in _class_map(root).items()}
    told = _told(root, decoded)
    rows = []
    for name in listed:
        if found.get(name, "") not in source.unreadable and name in found:
            folder = name.rpartition("/")[0].split("/", drop)[drop]
            label = plain_text(renamed.get(folder, folder))
            was, provenance = told.get(name, ("", None))
            rows.append(LabelRow(found[name], label, provenance if was == label else None))
    _say_missed([name for name in listed if name not in found], len(rows), root, source)
    return rows


def _told(root: Path, decoded: Callable[[str], str]) -> dict[str, tuple[str, str | None]]:
    """file -> (label, provenance) as the ``labels.csv`` of an exported image folder says: a file that somebody has
    moved to another class since is their label, one that lies where a machine put it is the machine's."""
    path = root / "labels.csv"
    if not path.is_file():
        return {}
    text = read_text(path)
    rows = csv_rows(text, delimiter_of(text), display_safe(path.name))
    header = next(rows, (0, list[str]()))[1]
    if not {"file", "label", "provenance"} <= set(header):
        return {}
    file, label, provenance = (header.index(name) for name in ("file", "label", "provenance"))
    told: dict[str, tuple[str, str | None]] = {}
    for _, cells in rows:
        if len(cells) == len(header):
            said = plain_text(decoded(cells[label])), cells[provenance] or None
            told[cells[file]] = told[decoded(cells[file])] = said
    return told


def _class_map(root: Path) -> dict[str, str]:
    """folder -> class name, from the map that an image folder of this program's export holds where they differ."""
    path = root / "class_map.json"
    if not path.is_file():
        return {}
    try:
        names = json.loads(read_text(path))
    except (ValueError, RecursionError) as error:
        raise SourceError(f"{display_safe(str(path))} is no JSON", "mend it, or remove it") from error
    return {str(folder): str(name) for folder, name in names.items()} if isinstance(names, dict) else {}


def _by_content(root: Path, names: list[str], source: Source) -> dict[str, str]:
    """name -> id for files whose bytes are those of exactly one instance; reads the source only if needed."""
    wanted: dict[bytes, list[str]] = {}
    for name in names:
        try:
            wanted.setdefault(_hash(read_bytes(root / name)), []).append(name)
        except UnreadableInstance:
            continue  # it stays unmatched and is counted there
    if not wanted:
        return {}
    ids: dict[bytes, list[str]] = {}
    for index, instance_id in enumerate(source.ids):
        try:
            content = _hash(source.content_bytes(index))
        except UnreadableInstance:
            continue  # the pool reports it by itself
        if content in wanted:
            ids.setdefault(content, []).append(instance_id)
    return {
        name: ids[content][0] for content, same in wanted.items() if len(ids.get(content, [])) == 1 for name in same
    }


def _hash(content: bytes) -> bytes:
    return hashlib.sha256(content).digest()
