"""A package as it is written: its modules, what each imports and where, its classes, its comments. Nothing is run."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

REASON = re.compile(r"start-up|\bextra\b", re.IGNORECASE)
"""What the comment at an import inside a function has to hold: it is late for start-up, or of a package that may not be
there."""
_STRING_OR_COMMENT = re.compile(
    r'''"""(?:\\.|[^\\])*?"""|\'{3}(?:\\.|[^\\])*?\'{3}|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|#[^\n]*''', re.DOTALL
)
"""A third of the tokenizer's time: nothing else of the text matters."""
_FOR_TOOLS = re.compile(r"#\s*(fmt|noqa|type|pragma|ruff|mypy)\b")
_STATEMENTS = (ast.stmt, ast.excepthandler, ast.match_case)
_MISSING = frozenset({"ImportError", "ModuleNotFoundError", "Exception", "BaseException"})


class Import(NamedTuple):
    """One imported name. `place`: "load", "function" or "typing"; `guarded`: within a try that minds its absence."""

    target: str  # the module of ours, or the top-level name of another package
    ours: bool
    line: int
    place: str
    explained: bool
    guarded: bool


class Class(NamedTuple):
    """A class and its bases as they are written, with the modules' own names."""

    module: str
    name: str
    line: int
    bases: tuple[str, ...]


@dataclass(frozen=True)
class Module:
    """One file. `name` is dotted, without the package's own: "" for its __init__."""

    name: str
    path: Path
    text: str
    tree: ast.Module
    imports: list[Import] = field(default_factory=list)
    names: dict[str, tuple[str, str]] = field(default_factory=dict)
    classes: list[Class] = field(default_factory=list)

    @property
    def room(self) -> str:
        """The first part of its name: a module at the top, or a folder."""
        return self.name.partition(".")[0] or "__init__"

    @property
    def n_lines(self) -> int:
        """Lines of the file."""
        return self.text.count("\n") + (not self.text.endswith("\n") and bool(self.text))

    @cached_property
    def comments(self) -> dict[int, tuple[str, bool]]:
        """Line -> (its comment, whether nothing else stands on the line), without those that speak to tools alone."""
        comments = {}
        for match in _STRING_OR_COMMENT.finditer(self.text):
            if match[0].startswith("#") and not _FOR_TOOLS.match(match[0]):
                begin = self.text.rfind("\n", 0, match.start()) + 1
                line = self.text.count("\n", 0, begin) + 1
                comments[line] = (match[0], not self.text[begin : match.start()].strip())
        return comments


class Package:
    """Every module of a package, read from its folder."""

    def __init__(self, folder: Path) -> None:
        self.name = folder.resolve().name
        self.modules: dict[str, Module] = {}
        for path in sorted(folder.rglob("*.py")):
            module = _read(folder, path)
            self.modules[module.name] = module
        for module in self.modules.values():
            _Reader(self, module).visit(module.tree)

    def resolve(self, dotted: str) -> str | None:
        """The module of ours that a dotted name (with the package's own) is or lies in; None where it is not ours."""
        if dotted != self.name and not dotted.startswith(f"{self.name}."):
            return None
        name = dotted[len(self.name) + 1 :]
        while name and name not in self.modules:
            name = name.rpartition(".")[0]
        return name

    def origin(self, module: str, name: str) -> tuple[str, str] | None:
        """(module, name) where a name that a module uses is defined, through what hands it on; None: not ours."""
        for _ in range(20):
            known = self.modules.get(module)
            if known is None:
                return None
            if any(item.name == name for item in known.classes):
                return module, name
            if name not in known.names:
                return None
            module, name = known.names[name]
        return None


def _read(folder: Path, path: Path) -> Module:
    parts = path.relative_to(folder).with_suffix("").parts
    parts = parts[:-1] if parts[-1] == "__init__" else parts
    text = path.read_text(encoding="utf-8")
    return Module(".".join(parts), path, text, ast.parse(text, str(path)))


class _Reader(ast.NodeVisitor):
    """Walks one module; knows whether it is inside a function, TYPE_CHECKING, or a try that minds ImportError."""

    def __init__(self, package: Package, module: Module) -> None:
        self._package, self._module = package, module
        self._function = self._typing = self._guard = 0

    def generic_visit(self, node: ast.AST) -> None:
        for child in ast.iter_child_nodes(node):  # no import and no class stands inside an expression
            if isinstance(child, _STATEMENTS):
                self.visit(child)

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        self._function += 1
        self.generic_visit(node)
        self._function -= 1

    visit_AsyncFunctionDef = visit_FunctionDef  # noqa: N815

    def visit_If(self, node: ast.If) -> None:
        typing = re.search(r"\bTYPE_CHECKING\b", ast.unparse(node.test)) is not None
        self._typing += typing
        for child in node.body:
            self.visit(child)
        self._typing -= typing
        for child in node.orelse:
            self.visit(child)

    def visit_Try(self, node: ast.Try) -> None:
        guard = any(_names(handler.type) & _MISSING for handler in node.handlers)
        self._guard += guard
        for child in node.body:
            self.visit(child)
        self._guard -= guard
        for child in (*node.handlers, *node.orelse, *node.finalbody):
            self.visit(child)

    def visit_Import(self, node: ast.Import) -> None:
        for alias in node.names:
            self._add(node, alias.name)
            target = self._package.resolve(alias.name)
            if target is not None and alias.asname:
                self._module.names[alias.asname] = (target, "")

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        base = self._base(node)
        for alias in node.names:
            whole = f"{base}.{alias.name}"
            self._add(node, whole if self._package.resolve(base) is not None else base)
            target = self._package.resolve(base)
            if target is not None:
                self._module.names[alias.asname or alias.name] = (target, alias.name)

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        bases = tuple(_plain(base) for base in node.bases)
        self._module.classes.append(Class(self._module.name, node.name, node.lineno, bases))
        self.generic_visit(node)

    def _base(self, node: ast.ImportFrom) -> str:
        if not node.level:
            return node.module or ""
        parts = [self._package.name, *filter(None, self._module.name.split("."))]
        up = node.level - (self._module.path.name == "__init__.py")
        return ".".join([*parts[: len(parts) - up], *filter(None, [node.module])])

    def _add(self, node: ast.Import | ast.ImportFrom, dotted: str) -> None:
        target = self._package.resolve(dotted)
        place = "typing" if self._typing else "function" if self._function else "load"
        added = Import(
            dotted.partition(".")[0] if target is None else target,
            target is not None,
            node.lineno,
            place,
            place == "function" and self._is_explained(node),
            self._guard > 0,
        )
        if added not in self._module.imports:
            self._module.imports.append(added)

    def _is_explained(self, node: ast.stmt) -> bool:
        """Whether a comment on the statement's lines, or alone on the line above, says why."""
        comments = self._module.comments
        inside = (comments.get(line, ("", False))[0] for line in range(node.lineno, (node.end_lineno or 0) + 1))
        above, alone = comments.get(node.lineno - 1, ("", False))
        return any(map(REASON.search, inside)) or (alone and REASON.search(above) is not None)


def _names(node: ast.expr | None) -> set[str]:
    """The names of exceptions in an except clause; of a bare one that of all."""
    if node is None:
        return {"BaseException"}
    return {item.id for item in ast.walk(node) if isinstance(item, ast.Name)}


def _plain(node: ast.expr) -> str:
    """A base as it is written, without type parameters."""
    while isinstance(node, ast.Subscript):
        node = node.value
    return ast.unparse(node)


def runtime_arrows(package: Package, *, functions: bool = True) -> dict[str, set[str]]:
    """Module -> the modules of ours it imports while the program runs, those inside functions as well or not."""
    places = {"load", "function"} if functions else {"load"}
    return {
        name: {item.target for item in module.imports if item.ours and item.place in places and item.target != name}
        for name, module in package.modules.items()
    }


def chains(package: Package) -> Iterator[tuple[Class, list[Class], str]]:
    """Every class with its longest line of ancestors of ours, nearest first, and the base of others that ends it."""
    known = {(item.module, item.name): item for module in package.modules.values() for item in module.classes}
    seen: dict[tuple[str, str], tuple[list[Class], str]] = {}

    def line_of(item: Class) -> tuple[list[Class], str]:
        key = (item.module, item.name)
        if key not in seen:
            seen[key] = ([], "")
            lines = []
            for base in item.bases:
                parent = known.get(_origin_of_base(package, item.module, base) or ("", ""))
                above, end = line_of(parent) if parent is not None and parent is not item else ([], base)
                lines.append(([parent, *above] if parent is not None else [], end))
            seen[key] = max(lines, key=lambda line: len(line[0]), default=([], ""))
        return seen[key]

    for item in known.values():
        yield item, *line_of(item)


def _origin_of_base(package: Package, module: str, base: str) -> tuple[str, str] | None:
    head, _, attribute = base.rpartition(".")
    if not head:
        return package.origin(module, base)
    known = package.modules[module].names.get(head)
    dotted = ".".join(filter(None, known)) if known is not None else None
    target = package.resolve(f"{package.name}.{dotted}" if dotted is not None else head)
    return package.origin(target, attribute) if target is not None else None
