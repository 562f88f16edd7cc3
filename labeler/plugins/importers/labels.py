"""Labels that exist already: the truth of a simulation, or work done elsewhere."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from pathlib import Path

from labeler.core.errors import SourceError, UnreadableInstance
from labeler.core.text import counted, display_safe, plain_text
from labeler.plugins.importers.base import Source
from labeler.plugins.importers.files import read_bytes
from labeler.plugins.importers.folder_listing import list_folder
from labeler.plugins.importers.foreign_labels import read_others
from labeler.plugins.importers.id_matching import Matches, matched, path_key
from labeler.plugins.importers.idx import is_labels_file, labels_with_ids, read_labels_folder
from labeler.plugins.importers.label_columns import Known
from labeler.plugins.importers.label_tables import LabelRow, csv_rows, read_label_rows, read_text
from labeler.plugins.importers.label_words import settled
from labeler.plugins.importers.names import parted, split_of
from labeler.plugins.importers.other_formats import refuse

_NAMED = 5
_FORMS = "y, folders, a CSV or JSONL file with path,label or id,label, IDX labels, or what import-labels takes"


def read_truth(spec: str, source: Source, classes: Collection[str] = ()) -> dict[str, str]:
    """id -> class name, for the instances of `source` whose class is known.

    `spec` is ``y`` (that array of the npz, or what else the source carries), ``folders`` (the class is the path of the
    parent folder), or the path of anything that :func:`read_labels` takes. Rows that name no instance of the source
    are listed in one line appended to `source.notes`. `classes`: as for :func:`read_labels`.

    Raises
    ------
    SourceError
        Not readable, fits no instance, or gives one instance two classes.
    """
    if spec == "folders":
        labels = _some(source.folder_labels(), "the source has no two sub-folders to take classes from")
        return _spelled(labels, classes, source)
    if spec == "y":
        labels = source.truth()
        if labels or not source.path.is_dir():
            return _spelled(_some(labels, "the source has no array 'y' with labels"), classes, source)
    path = source.path if spec == "y" else Path(spec)
    if not path.is_dir() and not path.is_file():
        raise SourceError(f"there is no truth {display_safe(spec)}", f"--truth takes {_FORMS}")
    rows = _rows(path, source, str, classes, with_folders=spec != "y")
    if rows is None:
        raise SourceError("the source carries no labels (no 'y', no file of them)", f"--truth takes {_FORMS}")
    return _as_truth(rows, path)


def read_labels(
    path: Path, source: Source, decoded: Callable[[str], str] = str, classes: Collection[str] = ()
) -> list[LabelRow]:
    """Labels made elsewhere, with the ids of `source`: from a CSV, a JSONL file, IDX labels, class folders, or what
    Label Studio, Prodigy, Hugging Face, FiftyOne, Parquet and npz files hold (:mod:`labels_of_others`), COCO, YOLO,
    labelme and WebDataset among them.

    A class folder's files are found in the source by path or base name, else by content; names of splits
    (train, test, ...) above the class folders are no part of the class. What fits no instance is listed in one
    line appended to `source.notes`, with the reason. Conflicts are left in: the session decides and lists them.
    `decoded` undoes the escape of the program's own exports, for ids that are no plain text and for class names;
    `classes` are there already: a name that is among them is meant as it is written.

    Raises
    ------
    SourceError
        Not readable, or nothing in it fits an instance.
    """
    if not path.is_dir() and not path.is_file():
        raise SourceError(f"there is no file or folder {display_safe(str(path))}", "give a CSV, JSONL or class folders")
    return _rows(path, source, decoded, classes) or []


def _rows(
    path: Path, source: Source, decoded: Callable[[str], str], classes: Collection[str], *, with_folders: bool = True
) -> list[LabelRow] | None:
    """The labels of a file or folder of any known kind; None where a folder has no file of labels in it."""
    # first: for a pickle or a workbook the way in helps more than what a reader would trip over
    refuse(path)
    # by content as well: IDX files have no ending of their own
    if is_labels_file(path):
        labels = _idx_truth(dict(zip(*labels_with_ids(path), strict=True)), path, source)
        return [LabelRow(i, name) for i, name in labels.items()]
    if path.is_dir() and (labels := read_labels_folder(path)):
        return [LabelRow(i, name) for i, name in _idx_truth(labels, path, source).items()]
    known = {*source.ids, *source.unreadable}
    others = read_others(path, Known([*source.ids, *source.unreadable], classes))
    if others is None and path.is_dir():
        return _settled(_class_folders(path, source, decoded), classes, path, source) if with_folders else None
    written, notes = others or (read_label_rows(path, list(known), classes, source.notes), [])
    source.notes += notes
    rows = []
    for row in written:
        name = decoded(row.instance_id)
        # in a table of another program, what looks like an escape may be a name as it is
        instance_id = name if name in known else row.instance_id
        rows.append(row._replace(instance_id=instance_id, label=plain_text(decoded(row.label))))
    return _settled(_resolved(rows, path, source), classes, path, source)


def _settled(rows: list[LabelRow], classes: Collection[str], path: Path, source: Source) -> list[LabelRow]:
    """Rows whose spellings of one class are one, said in the source's notes."""
    names, notes = settled((row.label for row in rows), classes)
    source.notes += [f"{display_safe(path.name)}: {note}" for note in notes]
    return [row._replace(label=names[row.label]) for row in rows]


def _spelled(labels: dict[str, str], classes: Collection[str], source: Source) -> dict[str, str]:
    names, notes = settled(labels.values(), classes)
    source.notes += notes
    return {i: names[name] for i, name in labels.items()}


def _some(labels: dict[str, str], otherwise: str) -> dict[str, str]:
    if not labels:
        raise SourceError(otherwise, f"--truth takes {_FORMS}")
    return labels


def _resolved(rows: list[LabelRow], path: Path, source: Source) -> list[LabelRow]:
    """Rows with the source's own ids; the others are counted in its notes."""
    matches = matched((row.instance_id for row in rows), [*source.ids, *source.unreadable], root_of(source))
    ids = matches.ids
    matching = [row._replace(instance_id=ids[row.instance_id]) for row in rows if row.instance_id in ids]
    # those that cannot be read have names as well: their labels are of no use, but not unknown
    usable = [row for row in matching if row.instance_id not in source.unreadable]
    source.notes += [f"{display_safe(path.name)}: {note}" for note in matches.notes]
    missed = [row.instance_id for row in rows if row.instance_id not in ids]
    _say_missed(missed, len(usable), path, source, matches)
    return usable


def root_of(source: Source) -> str:
    """Return the name of the folder that ids are relative to: names from elsewhere may begin with it."""
    path = source.path.parent if source.kind == "list" else source.path
    return path.name if path.is_dir() else path.name.partition(".")[0]


def _say_missed(missed: list[str], n_matched: int, path: Path, source: Source, matches: Matches | None = None) -> None:
    why = matches.missed if matches is not None else {}
    if not n_matched:
        example = f" ({_with_reason(missed[0], why)})" if missed else ""
        raise SourceError(
            f"none of the names in {display_safe(path.name)} is an instance of the source{example}",
            f"names are relative to the source, such as {display_safe(source.ids[0], 60)}",
        )
    if missed:
        lead = counted(len(missed), "label fits", "labels fit")
        more = f" and {len(missed) - _NAMED:,} more" if len(missed) > _NAMED else ""
        named = "; ".join(_with_reason(name, why) for name in missed[:_NAMED])
        source.notes.append(f"{display_safe(path.name)}: {lead} no instance: {named}{more}")


def _with_reason(name: str, why: Mapping[str, str]) -> str:
    return f"{display_safe(name, 60)}: {why.get(name, 'none is called so')}"


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
    listed = [name for name, size, _ in list_folder(root, every_link=True).files if size and "/" in name]
    if not listed:
        raise SourceError(
            f"no class folders with images in {display_safe(str(root))}", "one folder a class, images in it"
        )
    parts = parted(listed)
    without = sum(not parts[name][1] for name in listed)
    if without:
        lead = counted(without, "image lies", "images lie")
        source.notes.append(f"{display_safe(root.name)}: {lead} in the folder of a split, in none of a class")
    listed = [name for name in listed if parts[name][1]]
    if not listed:
        raise SourceError(f"only folders of splits in {display_safe(str(root))}", "one folder a class, images in it")
    ids = _by_name(listed, parts, [*source.ids, *source.unreadable])
    # last, and only for the rest: it may read every instance of the source
    ids |= _by_content(root, [name for name in listed if name not in ids], source)
    renamed = {folder: decoded(name) for folder, name in _class_map(root).items()}
    recorded = _recorded_labels(root, decoded)
    rows = []
    for name in listed:
        if ids.get(name, "") not in source.unreadable and name in ids:
            folder = parts[name][1]
            label = plain_text(renamed.get(folder, folder))
            was, provenance = recorded.get(name, ("", None))
            rows.append(LabelRow(ids[name], label, provenance if was == label else None))
    _say_missed([name for name in listed if name not in ids], len(rows), root, source)
    return rows


def _by_name(listed: list[str], parts: Mapping[str, tuple[str, str]], ids: Sequence[str]) -> dict[str, str]:
    """name -> id: by the whole path, else by base name (folders are classes), within a split where both have some."""
    known = set(ids)
    by_name = {name: name for name in listed if name in known}
    of_ids = {i: split_of(split) for i, (split, _) in parted(ids).items() if split}
    of_names = {name: split_of(parts[name][0]) for name in listed if parts[name][0]}
    if not of_ids or not of_names:
        of_ids, of_names = {}, {}

    def key(name: str, splits: Mapping[str, str]) -> str:
        return f"{splits.get(name, '')}/{path_key(name).rpartition('/')[2]}"

    taken = set(by_name.values())
    offered, wanted = Counter(key(i, of_ids) for i in ids), Counter(key(name, of_names) for name in listed)
    by_key = {key(i, of_ids): i for i in ids if i not in taken}
    for name in listed:
        text = key(name, of_names)
        if name not in by_name and offered[text] == wanted[text] == 1 and text in by_key:
            by_name[name] = by_key[text]
    return by_name


def _recorded_labels(root: Path, decoded: Callable[[str], str]) -> dict[str, tuple[str, str | None]]:
    """file -> (label, provenance) as the ``labels.csv`` of an exported image folder says: a file that somebody has
    moved to another class since is their label, one that lies where a machine put it is the machine's."""
    path = root / "labels.csv"
    if not path.is_file():
        return {}
    text = read_text(path)
    rows = csv_rows(text, ",", display_safe(path.name))
    header = next(rows, (0, list[str]()))[1]
    if not {"file", "label", "provenance"} <= set(header):
        return {}
    file, label, provenance = (header.index(name) for name in ("file", "label", "provenance"))
    recorded: dict[str, tuple[str, str | None]] = {}
    for _, cells in rows:
        if len(cells) == len(header):
            label_and_provenance = plain_text(decoded(cells[label])), cells[provenance] or None
            recorded[cells[file]] = recorded[decoded(cells[file])] = label_and_provenance
    return recorded


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
            wanted.setdefault(_hash(read_bytes(root / name, is_link=True)), []).append(name)
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
