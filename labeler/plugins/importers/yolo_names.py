"""Names of classes as YOLO's data sets have them: ``names`` in a data.yaml, or a classes.txt with one a line."""

from __future__ import annotations

import os
import re
from pathlib import Path

from labeler.plugins.importers.label_tables import read_names, read_text
from labeler.plugins.importers.names import is_junk

# of Darknet, of Roboflow's exports (_darknet.labels) and of LabelImg (predefined_classes.txt)
_LISTS = ("classes.txt", "obj.names", "_darknet.labels", "class_names.txt", "predefined_classes.txt")
_NAMES = re.compile(r"^names[ \t]*:[ \t]*(.*)$", re.MULTILINE)
_ENTRY = re.compile(r"""(?:(\d+)\s*:\s*)?("(?:[^"\\]|\\.)*"|'(?:[^']|'')*'|[^\s,\[\]{}"'][^,\[\]{}]*)""")
_LINE = re.compile(r"[ \t]*(?:-[ \t]+|['\"]?(\d+)['\"]?[ \t]*:[ \t]*)(\S.*)")


def is_list_of_names(name: str) -> bool:
    """Whether a file is called like a list of classes."""
    base = name.rpartition("/")[2].lower()
    return base in _LISTS or base.endswith(".names")


def class_names_in(root: Path) -> list[str]:
    """The names in the order of their numbers, from a file in the folder or one below; [] where none has them.

    Raises
    ------
    SourceError
        Such a file cannot be read.
    """
    inner = [root / name for name in sorted(os.listdir(root)) if (root / name).is_dir() and not is_junk(name)]
    # where `labels` alone was given, the names lie beside it
    above = [root.parent] if root.name.lower() == "labels" else []
    for folder in (root, *inner, *above):
        files = sorted(entry for entry in folder.iterdir() if entry.is_file()) if folder.is_dir() else []
        for file in files:
            if file.suffix.lower() in (".yaml", ".yml") and (names := names_of_yaml(read_text(file))):
                return names
        for file in files:
            if is_list_of_names(file.name):
                return read_names(file)
    return []


def names_of_yaml(text: str) -> list[str]:
    """``names`` of a data.yaml: a list or numbered, on a line or on several; [] where there is none.

    No parser of YAML: of all it can say, data sets use these four ways.
    """
    text = text.replace("\r\n", "\n")
    match = _NAMES.search(text)
    if match is None:
        return []
    first = _without_comment(match[1])
    if first[:1] in ("[", "{"):
        return _flow(text[match.start(1) :], first[0])
    entries: list[tuple[int, str]] = []
    for line in text[match.end() :].split("\n")[1:]:
        bare = _without_comment(line)
        if not bare:
            continue
        entry = _LINE.fullmatch(bare)
        if entry is None or not (line[:1] in " \t" or line.startswith("-")):
            break
        entries.append((int(entry[1]) if entry[1] else len(entries), _plain(entry[2])))
    return _in_order(entries)


def _flow(text: str, opening: str) -> list[str]:
    """``[a, b]`` or ``{0: a, 1: b}``, be it over several lines."""
    body = "\n".join(_without_comment(line) for line in text.split("\n"))
    end = body.find({"[": "]", "{": "}"}[opening])
    if end < 0:
        return []
    entries = [
        (int(entry[1]) if entry[1] else place, _plain(entry[2]))
        for place, entry in enumerate(match for match in _ENTRY.finditer(body[1:end]) if match[2].strip())
    ]
    return _in_order(entries)


def _in_order(entries: list[tuple[int, str]]) -> list[str]:
    """Names by their numbers; [] where these do not count from 0."""
    numbered = dict(entries)
    return [numbered[place] for place in range(len(numbered))] if set(numbered) == set(range(len(numbered))) else []


def _without_comment(line: str) -> str:
    return re.sub(r"(^|\s)#.*", "", line).rstrip()


def _plain(text: str) -> str:
    text = text.strip()
    if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'":
        return text[1:-1].replace("''", "'") if text[0] == "'" else text[1:-1].replace('\\"', '"')
    return text
