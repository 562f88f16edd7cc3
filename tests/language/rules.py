"""The project's own lint rules of language: what names and docstrings must not be.

A name says what it holds, not that it is held: `rows`, not `found`. A docstring begins with a verb ("Return the closest
percentile") or names a value ("The closest percentile"), never with a relative clause ("What is closest"). A module is
a noun of the field.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

EMPTY_NAMES = frozenset({"found", "said", "told", "kept", "made", "mine", "theirs"})
"""They say that something is held, never what."""

OPENERS = frozenset(
    [
        *("what", "who", "whom", "whose", "where", "why", "how", "which", "when", "if", "nothing", "nobody", "back"),
        *("see", "to", "at", "for", "of", "as", "on", "from", "it", "something", "those", "here"),
    ]
)
"""First words of a docstring that neither do something nor name a value."""

NOUNS = frozenset(
    [
        *("blending", "clustering", "listing", "matching", "pacing", "sampling", "scaling", "scattering", "splitting"),
        *("stopping", "string"),
    ]
)
"""Nouns of the field that end as a participle does."""


@dataclass(frozen=True, slots=True)
class Breach:
    """One breach of a rule: the file, its line, and what is wrong there."""

    path: Path
    line: int
    text: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.text}"


def breaches(folder: Path) -> list[Breach]:
    """Every breach in the Python files of a folder, or in one file."""
    paths = sorted(folder.rglob("*.py")) if folder.is_dir() else [folder]
    return [
        breach for path in paths for breach in (*_of_module(path), *_of_tree(path, ast.parse(path.read_text("utf-8"))))
    ]


def _of_module(path: Path) -> Iterator[Breach]:
    if path.stem.endswith("ing") and path.stem.split("_")[-1] not in NOUNS:
        yield Breach(path, 1, f"the module is called {path.stem!r}: a module is a noun of the field")


def _of_tree(path: Path, tree: ast.Module) -> Iterator[Breach]:
    for node in ast.walk(tree):
        if (name := _assigned(node)) and name.strip("_") in EMPTY_NAMES:
            yield Breach(path, getattr(node, "lineno", 1), f"a name says what it holds: {name!r} does not")
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            first = (ast.get_docstring(node) or "-").split()[0]
            if first.strip(".,:;").lower() in OPENERS:
                line = 1 if isinstance(node, ast.Module) else node.lineno
                yield Breach(path, line, f"a docstring does something or names a value: this one begins with {first!r}")


def _assigned(node: ast.AST) -> str:
    """The name that a node assigns, or an empty one."""
    match node:
        case ast.Name(id=name, ctx=ast.Store()) | ast.Attribute(attr=name, ctx=ast.Store()) | ast.arg(arg=name):
            return name
        case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)) | ast.alias(asname=str(name)):
            return name
    return ""
